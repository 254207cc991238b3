"""Many requests at once, deadlines, and a CSE that misbehaves in time."""

import json
import time

from fakecse import FakeCse, ok, response
from harness import Case, eventually, within


def retrieve(rqi, **more):
    return dict({"op": 2, "to": "cb1/meter7", "fr": "Cmeter7",
                 "rqi": rqi, "rvi": "3"}, **more)


class InFlight(Case):
    def test_answers_in_reverse_order(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse))
        for i in range(32):
            ws.send_prim(**retrieve(f"r{i}", to=f"cb1/r{i}"))
        held = [cse.next() for _ in range(32)]
        for request in reversed(held):
            request.answer(body=json.dumps(
                {"m2m:dbg": request.target.decode()}).encode())
        got = [ws.recv_prim() for _ in range(32)]
        for answer in got:
            self.assertEqual(answer["pc"]["m2m:dbg"], "/cb1/" + answer["rqi"])
        self.assertEqual(sorted(a["rqi"] for a in got),
                         sorted(f"r{i}" for i in range(32)))

    def test_order_is_the_order_of_the_cse(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse))
        for i in range(8):
            ws.send_prim(**retrieve(f"r{i}"))
        held = {r.rqi: r for r in (cse.next() for _ in range(8))}
        for rqi in ("r5", "r0", "r7", "r3"):
            held[rqi].answer()
            self.assertEqual(ws.recv_prim()["rqi"], rqi)

    def test_more_than_in_flight(self):
        """The rest waits here: the CSE sees in_flight, each is answered."""
        cse = self.cse()
        ws = self.connect(self.daemon(cse, limits={"in_flight": 4}))
        want = [f"r{i}" for i in range(50)]
        for rqi in want:
            ws.send_prim(**retrieve(rqi))
        held = [cse.next() for _ in range(4)]
        got = []
        for left in range(46, -4, -1):
            self.assertTrue(cse.quiet())
            held.pop().answer()
            got.append(ws.recv_prim())
            if left > 0:
                held.append(cse.next())
        self.assertEqual(sorted(a["rqi"] for a in got), sorted(want))
        self.assertEqual({a["rsc"] for a in got}, {2000})
        self.assertEqual(ws.ask_text("{")["rsc"], 4000)

    def test_more_than_may_wait(self):
        """Above max_queue each is still answered, once, with 5103."""
        cse = self.cse()
        ws = self.connect(self.daemon(cse, limits={
            "in_flight": 1, "max_queue": "16k"}))
        pad = "x" * 1000
        for i in range(100):
            ws.send_prim(**retrieve(f"r{i}", vsi=pad))
        first = cse.next()
        refused = {}
        while len(refused) < 70:
            answer = ws.recv_prim()
            refused[answer["rqi"]] = answer["rsc"]
        self.assertEqual(set(refused.values()), {5103})
        first.answer()
        got = {ws.recv_prim()["rqi"]}
        while len(got) + len(refused) < 100:
            if not cse.quiet() or eventually(lambda: not cse.quiet(), 0.3):
                cse.next().answer()
            answer = ws.recv_prim()
            self.assertNotIn(answer["rqi"], got | set(refused))
            got.add(answer["rqi"])

    def test_more_than_the_connections_of_the_pool(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={"connections": 2},
                                      gateway={"workers": 1}))
        for i in range(16):
            ws.send_prim(**retrieve(f"r{i}"))
        for _ in range(16):
            cse.next().answer()
        got = {ws.recv_prim()["rqi"] for _ in range(16)}
        self.assertEqual(len(got), 16)
        self.assertLessEqual(cse.accepted, 2)

    def test_pending_rqi_used_again(self):
        """TS-0001 7.1.7: the second is refused, the first is not hurt."""
        cse = self.cse()
        ws = self.connect(self.daemon(cse))
        ws.send_prim(**retrieve("same", to="cb1/first"))
        held = cse.next()
        second = ws.ask(**retrieve("same", to="cb1/second"))
        self.assertEqual((second["rsc"], second["rqi"]), (4000, "same"))
        held.answer(body=b'{"m2m:dbg":"first"}')
        first = ws.recv_prim()
        self.assertEqual((first["rsc"], first["pc"]["m2m:dbg"]),
                         (2000, "first"))
        ws.send_prim(**retrieve("same", to="cb1/third"))
        cse.next().answer()
        self.assertEqual(ws.recv_prim()["rsc"], 2000)
        self.assertTrue(cse.quiet())

    def test_same_rqi_of_two_originators(self):
        """TS-0020 5.2: the AEs of a node share its connection."""
        cse = self.cse()
        ws = self.connect(self.daemon(cse))
        ws.send_prim(**retrieve("same", fr="Cone"))
        ws.send_prim(**retrieve("same", fr="Ctwo"))
        held = [cse.next(), cse.next()]
        self.assertEqual({r.header("X-M2M-Origin") for r in held},
                         {"Cone", "Ctwo"})
        for request in held:
            request.answer()
            self.assertEqual(ws.recv_prim()["rqi"], "same")

    def test_same_rqi_of_two_clients(self):
        cse = self.cse()
        daemon = self.daemon(cse)
        one, two = self.connect(daemon), self.connect(daemon)
        one.send_prim(**retrieve("x", to="cb1/one"))
        first = cse.next()
        two.send_prim(**retrieve("x", to="cb1/two"))
        second = cse.next()
        second.answer(body=b'{"m2m:dbg":"two"}')
        first.answer(body=b'{"m2m:dbg":"one"}')
        self.assertEqual(one.recv_prim()["pc"]["m2m:dbg"], "one")
        self.assertEqual(two.recv_prim()["pc"]["m2m:dbg"], "two")

    def test_one_slow_request_holds_nobody_up(self):
        cse = self.cse()
        daemon = self.daemon(cse)
        one, two = self.connect(daemon), self.connect(daemon)
        one.send_prim(**retrieve("slow"))
        slow = cse.next()
        for ws in (one, two):
            ws.send_prim(**retrieve("fast"))
            cse.next().answer()
            self.assertEqual(ws.recv_prim()["rqi"], "fast")
        slow.answer()
        self.assertEqual(one.recv_prim()["rqi"], "slow")


class Deadlines(Case):
    def test_silent_cse(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={"timeout": "1s"}))
        began = time.monotonic()
        answer = ws.ask(**retrieve("d1"))
        self.assertEqual((answer["rsc"], answer["rqi"], answer["rvi"]),
                         (4008, "d1", "3"))
        self.assertGreater(time.monotonic() - began, 0.9)

    def test_late_answer_reaches_nobody(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={
            "timeout": "1s", "connections": 1}, gateway={"workers": 1}))
        ws.send_prim(**retrieve("late"))
        late = cse.next()
        self.assertEqual(ws.recv_prim()["rsc"], 4008)
        late.answer(body=b'{"m2m:dbg":"late"}')
        for i in range(5):
            ws.send_prim(**retrieve(f"n{i}"))
            cse.next().answer(body=b'{"m2m:dbg":"right"}')
            answer = ws.recv_prim()
            self.assertEqual((answer["rqi"], answer["pc"]["m2m:dbg"]),
                             (f"n{i}", "right"))

    def test_answer_in_the_middle_when_time_is_over(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={
            "timeout": "1s", "connections": 1}, gateway={"workers": 1}))
        ws.send_prim(**retrieve("half"))
        half = cse.next()
        whole = response(2000, "half", b'{"m2m:dbg":"half"}')
        half.reply(whole[:-6])
        self.assertEqual(ws.recv_prim()["rsc"], 4008)
        half.reply(whole[-6:])
        ws.send_prim(**retrieve("next"))
        cse.next().answer()
        self.assertEqual(ws.recv_prim()["rqi"], "next")

    def test_rqet_shortens_the_deadline(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={"timeout": "30s"}))
        at = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() + 2))
        began = time.monotonic()
        answer = ws.ask(**retrieve("d2", rqet=at))
        self.assertEqual(answer["rsc"], 4008)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(cse.next().header("X-M2M-RET"), at)

    def test_relative_rqet(self):
        for rqet in ("800", 800, "PT1S"):
            with self.subTest(rqet):
                cse = self.cse()
                ws = self.connect(self.daemon(cse))
                answer = ws.ask(**retrieve("d3", rqet=rqet))
                self.assertEqual(answer["rsc"], 4008)
                self.assertEqual(cse.next().header("X-M2M-RET"), str(rqet))

    def test_rqet_in_the_past(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse))
        for rqet in ("20200101T000000", "20200101T000000,125",
                     "19700101T000000"):
            with self.subTest(rqet):
                answer = ws.ask(**retrieve("past", rqet=rqet))
                self.assertEqual((answer["rsc"], answer["rqi"]),
                                 (4008, "past"))
        self.assertTrue(cse.quiet())

    def test_no_response_wanted(self):
        """rt 5: the request is forwarded, its result is nobody's."""
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse))
        ws.send_prim(**retrieve("quiet", rt={"rtv": 5}))
        ws.send_prim(**retrieve("loud"))
        self.assertEqual(ws.recv_prim()["rqi"], "loud")
        self.assertTrue(eventually(lambda: len(cse.requests) == 2))
        self.assertEqual(ws.ask(**retrieve("quiet"))["rsc"], 2000)


class CseTrouble(Case):
    def test_cse_is_down_and_comes_back(self):
        cse = self.cse()
        port = cse.port
        cse.close()
        ws = self.connect(self.daemon(f"http://127.0.0.1:{port}"))
        answer = ws.ask(**retrieve("t1"))
        self.assertEqual((answer["rsc"], answer["rqi"]), (5103, "t1"))
        again = FakeCse(ok, port=port)
        self.addCleanup(self.end_cse, again)
        self.assertEqual(ws.ask(**retrieve("t2"))["rsc"], 2000)

    def test_name_that_does_not_resolve(self):
        ws = self.connect(self.daemon("http://nowhere.invalid:8080"))
        answer = ws.ask(**retrieve("t1"))
        self.assertEqual(answer["rsc"], 5103)

    def test_unix_socket(self):
        cse = self.cse(ok, unix=True)
        ws = self.connect(self.daemon(cse))
        self.assertEqual(ws.ask(**retrieve("t1"))["rsc"], 2000)

    def test_base_path(self):
        """http-binding 2: a backend's base path stands before the target."""
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse.url + "/api/m2m"))
        self.assertEqual(ws.ask(**retrieve("t1", to="/in-cse1/x"))["rsc"],
                         2000)
        self.assertEqual(cse.requests[0].target, b"/api/m2m/~/in-cse1/x")

    def test_closes_after_every_answer(self):
        def handler(request):
            request.answer(close=True)
            return b""
        cse = self.cse(handler)
        ws = self.connect(self.daemon(cse))
        for i in range(30):
            self.assertEqual(ws.ask(**retrieve(f"t{i}"))["rsc"], 2000)
        for i in range(100):
            ws.send_prim(**retrieve(f"u{i}"))
        got = [ws.recv_prim() for _ in range(100)]
        self.assertEqual({a["rsc"] for a in got}, {2000})

    def test_keeps_connections(self):
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse))
        for i in range(50):
            ws.ask(**retrieve(f"t{i}"))
        self.assertEqual(cse.accepted, 1)

    def test_closed_while_idle(self):
        """A kept connection that the CSE closed meanwhile costs no request:
        RETRIEVE goes out again on a new one."""
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse))
        for i in range(20):
            self.assertEqual(ws.ask(**retrieve(f"t{i}"))["rsc"], 2000)
            # no later than the daemon's next request, perhaps not before it
            link = cse.requests[-1].link
            (link.close if i % 2 else link.reset)()

    def test_create_is_never_sent_twice(self):
        """The CSE may have acted on what it read before it closed."""
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={"connections": 1},
                                      gateway={"workers": 1}))
        ws.send_prim(**retrieve("t0"))
        cse.next().answer()
        ws.recv_prim()
        ws.send_prim(op=1, to="cb1", fr="Cmeter7", rqi="c1", rvi="3", ty=3,
                     pc={"m2m:cnt": {}})
        cse.next().close()
        self.assertEqual(ws.recv_prim()["rsc"], 5103)
        self.assertEqual(ws.ask_text("{")["rsc"], 4000)
        self.assertEqual(len(cse.requests), 2)

    def test_dies_before_a_word(self):
        cse = self.cse(lambda request: request.close() or b"")
        ws = self.connect(self.daemon(cse))
        for i in range(5):
            answer = ws.ask(**retrieve(f"t{i}"))
            self.assertEqual((answer["rsc"], answer["rqi"]), (5103, f"t{i}"))

    def test_octets_behind_the_answer_poison_nothing(self):
        """A second answer that nobody asked for must not become the answer
        to the next request."""
        evil = response(2000, "evil", b'{"m2m:dbg":"evil"}')
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={"connections": 1},
                                      gateway={"workers": 1}))
        for i in range(10):
            ws.send_prim(**retrieve(f"t{i}"))
            request = cse.next()
            request.reply(response(2000, request.rqi,
                                   b'{"m2m:dbg":"good"}') + evil)
            answer = ws.recv_prim()
            self.assertEqual((answer["rqi"], answer["pc"]["m2m:dbg"]),
                             (f"t{i}", "good"))
        self.assertEqual(cse.accepted, 10, "connections used once")

    def test_octets_while_idle_end_the_connection(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse, upstream={"connections": 1},
                                      gateway={"workers": 1}))
        for i in range(5):
            ws.send_prim(**retrieve(f"t{i}"))
            request = cse.next()
            request.answer(body=b'{"m2m:dbg":"good"}')
            self.assertEqual(ws.recv_prim()["pc"]["m2m:dbg"], "good")
            request.reply(response(2000, f"t{i + 1}", b'{"m2m:dbg":"evil"}'))
            self.assertTrue(eventually(lambda: request.link.closed))

    def test_client_gone_with_requests_in_flight(self):
        cse = self.cse()
        daemon = self.daemon(cse)
        for _ in range(10):
            ws = self.connect(daemon)
            for i in range(10):
                ws.send_prim(**retrieve(f"g{i}"))
            held = [cse.next() for _ in range(10)]
            ws.drop()
            for request in held:
                request.answer()
        ws = self.connect(daemon)
        ws.send_prim(**retrieve("alive"))
        cse.next().answer()
        self.assertEqual(ws.recv_prim()["rqi"], "alive")

    @within(40)
    def test_client_that_does_not_read(self):
        """Answers pile up to max_queue at most; others are served."""
        body = b'{"m2m:cin":{"con":"' + b"x" * 60000 + b'"}}'
        cse = self.cse(lambda r: response(2000, r.rqi, body))
        daemon = self.daemon(cse, limits={"max_queue": "1m"})
        deaf = self.connect(daemon)
        deaf.sock.settimeout(1)
        try:
            for i in range(2000):
                deaf.send_prim(**retrieve(f"q{i}"))
        except (TimeoutError, OSError):
            pass  # it does not read from us either: fine
        ws = self.connect(daemon)
        self.assertEqual(ws.ask(**retrieve("w1"))["rsc"], 2000)
        with open(f"/proc/{daemon.popen.pid}/statm") as statm:
            resident = int(statm.read().split()[1]) * 4096
        self.note(f"resident: {resident >> 20} MB")
