"""The CSE reaches the client on the client's own socket."""

import json
import queue
import socket

from fakecse import response
from harness import eventually, within
from reverse import Later, ReverseCase, call, con_of, sgn
from wsclient import Gone


class Delivery(ReverseCase):
    def test_notification(self):
        ws, poa = self.online(self.gateway())
        self.assertRegex(poa, r"^http://127\.0\.0\.1:\d+/r/[0-9a-f]{32}$")
        later = Later(poa, sgn("21.5"), rqi="cse-1")
        got = ws.recv_prim()
        self.assertEqual(got["op"], 5)
        self.assertEqual(got["to"], "Cmeter7")
        self.assertEqual(got["fr"], "/id-in")
        self.assertEqual(got["rvi"], "3")
        self.assertEqual(con_of(got), "21.5")
        self.answer(ws, got)
        answer = later.result()
        self.assertEqual((answer.status, answer.rsc), (200, 2000))
        self.assertEqual(answer.headers["x-m2m-ri"], "cse-1")
        self.assertEqual(answer.headers["content-length"], "0")

    def test_what_the_entity_answers_comes_back(self):
        ws, poa = self.online(self.gateway())
        for rsc, status in ((4101, 403), (5205, 403), (4005, 405),
                            (2000, 200)):
            later = Later(poa, sgn(vrq=True))
            got = ws.recv_prim()
            self.answer(ws, got, rsc, pc={"m2m:dbg": "why"})
            answer = later.result()
            self.assertEqual((answer.status, answer.rsc), (status, rsc))
            self.assertEqual(answer.pc, {"m2m:dbg": "why"})

    def test_all_url_forms(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon)
        base = daemon.notify_url.rstrip("/")
        forms = {
            poa: "Cmeter7", poa + "/": "Cmeter7", poa + "/Cmeter7": "Cmeter7",
            poa + "/~/id-in/Cmeter7": "/id-in/Cmeter7",
            poa + "/cse-in/meter7": "cse-in/meter7",
            poa + "?ct=json": "Cmeter7",
            base + "/Cmeter7": "Cmeter7",
            base + "/~/id-in/Cmeter7": "/id-in/Cmeter7",
        }
        for url, to in forms.items():
            later = Later(url, sgn())
            got = ws.recv_prim()
            self.assertEqual(got["to"], to, url)
            self.answer(ws, got)
            self.assertEqual(later.result().rsc, 2000)

    def test_headers_that_a_cse_leaves_out(self):
        ws, poa = self.online(self.gateway(upstream={"release": "2a"}))
        later = Later(poa, sgn(), rqi=None, rvi=None, fr=None)
        got = ws.recv_prim()
        self.assertEqual((got["rvi"], got["fr"]), ("2a", "/id-in"))
        self.answer(ws, got)
        answer = later.result()
        self.assertEqual(answer.rsc, 2000)
        self.assertNotIn("x-m2m-ri", answer.headers)

    def test_constant_request_ids(self):
        """tinyIoT calls each of its notifications `notify`."""
        ws, poa = self.online(self.gateway())
        laters = [Later(poa, sgn(str(i)), rqi="notify") for i in range(5)]
        got = [ws.recv_prim() for _ in laters]
        self.assertEqual(len({g["rqi"] for g in got}), 5)
        for g in reversed(got):
            self.answer(ws, g, pc={"m2m:dbg": con_of(g)})
        for i, later in enumerate(laters):
            self.assertEqual(later.result().pc, {"m2m:dbg": str(i)})

    def test_request_ids_come_back_as_they_were(self):
        ws, poa = self.online(self.gateway())
        for rqi in ("a b", '"q"', "a;b,c=d&e", "notify", "x" * 5000, "%41",
                    "\\u0041", "{}", "0", "~!@#$^*()[]|<>?/"):
            later = Later(poa, sgn(), rqi=rqi)
            self.answer(ws, ws.recv_prim())
            self.assertEqual(later.result().headers["x-m2m-ri"], rqi)
        for rqi in ("\u00e9".encode(), b"a\tb"):
            self.assertEqual(call(poa, sgn(), rqi=rqi).rsc, 4000)

    def test_in_order(self):
        ws, poa = self.online(self.gateway(notify={"timeout": "30s"}))
        sock = socket.create_connection(
            tuple(poa.split("/")[2].split(":")), 10)
        path = "/" + poa.split("/", 3)[3]
        for i in range(200):
            body = json.dumps(sgn(str(i))).encode()
            sock.sendall((f"POST {path} HTTP/1.1\r\nHost: x\r\n"
                          f"X-M2M-Origin: /id-in\r\nX-M2M-RI: {i}\r\n"
                          "Content-Type: application/json\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n").encode() +
                         body)
        for i in range(200):
            got = ws.recv_prim()
            self.assertEqual(con_of(got), str(i))
            self.answer(ws, got)
        sock.close()

    def test_verification_while_the_create_is_pending(self):
        ws, poa = self.online(self.gateway())

        def verify(request):
            if b"m2m:sub" not in request.body:
                return None
            pending.put((request, Later(poa, sgn(vrq=True))))
            return b""

        pending = queue.Queue()
        self.registrar.hook = verify
        ws.send_prim(op=1, to="cse-in/meter7", fr="Cmeter7", rqi="s", rvi="3",
                     ty=23, pc={"m2m:sub": {"nu": ["Cmeter7"]}})
        got = ws.recv_prim()
        self.assertTrue(got["pc"]["m2m:sgn"]["vrq"])
        self.answer(ws, got)
        request, later = pending.get(timeout=10)
        self.assertEqual(later.result().rsc, 2000)
        request.answer(2001, status=201)
        self.assertEqual(ws.recv_prim()["rqi"], "s")

    def test_no_answer_in_time(self):
        ws, poa = self.online(self.gateway(notify={"timeout": "300ms"}))
        later = Later(poa, sgn())
        got = ws.recv_prim()
        answer = later.result()
        self.assertEqual((answer.status, answer.rsc), (504, 4008))
        self.answer(ws, got)        # late: it is nobody's any more
        later = Later(poa, sgn("2"))
        again = ws.recv_prim()
        self.assertNotEqual(again["rqi"], got["rqi"])
        self.answer(ws, again)
        self.assertEqual(later.result().rsc, 2000)

    def test_expired_already(self):
        ws, poa = self.online(self.gateway())
        answer = call(poa, sgn(), X_M2M_RET="20200101T000000")
        self.assertEqual((answer.status, answer.rsc), (504, 4008))

    def test_connection_lost_before_the_answer(self):
        ws, poa = self.online(self.gateway(notify={"timeout": "20s"}))
        later = Later(poa, sgn())
        ws.recv_prim()
        ws.drop()
        answer = later.result()
        self.assertEqual((answer.status, answer.rsc), (404, 5103))

    def test_nobody(self):
        daemon = self.gateway()
        self.online(daemon)
        base = daemon.notify_url
        for url in (base + "r/" + "0" * 32, base + "r/", base + "r/x/Cmeter7",
                    base, base + "Cother", base + "~/id-in/Cother",
                    base + "~/other/Cmeter7"):
            answer = call(url, sgn())
            self.assertEqual((answer.status, answer.rsc), (404, 4004), url)

    def test_by_id_from_a_peer_that_may_not(self):
        daemon = self.gateway(notify={"allow": "192.0.2.0/24"})
        ws, poa = self.online(daemon)
        answer = call(daemon.notify_url + "Cmeter7", sgn())
        self.assertEqual((answer.status, answer.rsc), (403, 4103))
        later = Later(poa, sgn())
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_an_ae_takes_notifications_only(self):
        _, poa = self.online(self.gateway())
        for method, media in (("GET", None), ("PUT", None), ("DELETE", None),
                              ("POST", "application/json;ty=4")):
            body = {"m2m:cin": {}} if method in ("POST", "PUT") else None
            answer = call(poa, body, method=method,
                          media=media or "application/json")
            self.assertEqual((answer.status, answer.rsc), (405, 4005))

    def test_bad_requests(self):
        _, poa = self.online(self.gateway())
        self.assertEqual(call(poa, b'{"m2m:sgn":').rsc, 4000)
        self.assertEqual(call(poa, b"").rsc, 4000)
        self.assertEqual(call(poa, sgn(), media="image/png").rsc, 4015)

    def test_what_is_no_http(self):
        daemon = self.gateway(gateway={"workers": 1})
        _, poa = self.online(daemon)
        authority = tuple(poa.split("/")[2].split(":"))
        for bad in (b"GET no-slash HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"POST /r/x HTTP/1.1\r\n\r\n", b"garbage\r\n\r\n",
                    b"POST /r/x HTTP/1.1\r\nHost: x\r\n"
                    b"Content-Length: 99999999\r\n\r\n"):
            with socket.create_connection(authority, 10) as sock:
                sock.sendall(bad)
                said = sock.makefile("rb").read()
            self.assertRegex(said, rb"^HTTP/1.1 4\d\d ")
            self.assertIn(b"\r\nX-M2M-RSC: 4000\r\n", said)
        self.end_process(daemon)
        self.assertIn(" notify_refused=4 ", daemon.log_text())

    def test_content_length_below_the_body(self):
        """Mobius counts characters where octets are meant."""
        ws, poa = self.online(self.gateway())
        body = json.dumps(sgn("grün"), ensure_ascii=False).encode()
        sock = socket.create_connection(
            tuple(poa.split("/")[2].split(":")), 10)
        sock.sendall((f"POST /{poa.split('/', 3)[3]} HTTP/1.1\r\nHost: x\r\n"
                      "Content-Type: application/json\r\nX-M2M-RI: 1\r\n"
                      f"Content-Length: {len(body) - 1}\r\n\r\n").encode() +
                     body)
        data = b""
        while True:
            piece = sock.recv(65536)
            if not piece:
                break
            data += piece
        self.assertTrue(data.startswith(b"HTTP/1.1 400"), data)
        self.assertIn(b"X-M2M-RSC: 4000", data)
        sock.close()

    def test_answers_of_another_session_do_not_count(self):
        daemon = self.gateway(notify={"timeout": "1s"})
        ws, poa = self.online(daemon)
        thief = self.connect(daemon)
        self.register(thief, "Cthief")
        later = Later(poa, sgn())
        got = ws.recv_prim()
        for rqi in (got["rqi"], "0", "1", "2", "n1"):
            thief.send_prim(rsc=2000, rqi=rqi, rvi="3",
                            pc={"m2m:dbg": "stolen"})
        self.assertEqual(thief.ask(op=2, to="Cthief", fr="Cthief", rqi="x",
                                   rvi="3")["rsc"], 2000)
        self.answer(ws, got, pc={"m2m:dbg": "mine"})
        self.assertEqual(later.result().pc, {"m2m:dbg": "mine"})

    def test_several_workers(self):
        daemon = self.gateway(gateway={"workers": 4})
        clients = {}
        for i in range(16):
            clients[f"C{i}"] = self.online(daemon, f"C{i}")
        for me, (ws, poa) in clients.items():
            laters = [Later(poa, sgn(f"{me}-{n}")) for n in range(4)]
            for _ in laters:
                got = ws.recv_prim()
                self.assertTrue(con_of(got).startswith(me + "-"))
                self.answer(ws, got)
            for later in laters:
                self.assertEqual(later.result().rsc, 2000)

    def test_stopped_reader_costs_only_itself(self):
        daemon = self.gateway(limits={"max_queue": "64k"},
                              notify={"timeout": "500ms", "in_flight": 1024})
        stuck, poa = self.online(daemon, "Cstuck")
        other, poa2 = self.online(daemon, "Cother")
        stuck.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        laters = [Later(poa, sgn("x" * 25000)) for _ in range(400)]
        for _ in range(20):
            later = Later(poa2, sgn())
            self.answer(other, other.recv_prim())
            self.assertEqual(later.result().rsc, 2000)
        for later in laters:
            self.assertIn(later.result().rsc, (4008, 5103))

    def test_drain_answers_the_cse(self):
        daemon = self.gateway(notify={"timeout": "20s"},
                              gateway={"drain_timeout": "1s"})
        ws, poa = self.online(daemon)
        later = Later(poa, sgn())
        got = ws.recv_prim()
        daemon.signal()
        self.answer(ws, got)
        self.assertEqual(later.result().rsc, 2000)
        with self.assertRaisesRegex(Gone, "Close 1012"):
            ws.recv_prim()


class FieldCse(ReverseCase):
    def online_cse(self, daemon, **members):
        ws = self.connect(daemon)
        self.register_cse(ws, **members)
        return ws, self.registrar.poa["/mn-cse7"][0]

    def test_all_operations(self):
        ws, poa = self.online_cse(self.gateway())
        cases = [("GET", 2, None, None), ("DELETE", 4, None, None),
                 ("PUT", 3, {"m2m:cnt": {"mni": 3}}, "application/json"),
                 ("POST", 1, {"m2m:cin": {"con": "a"}},
                  "application/json;ty=4"),
                 ("POST", 5, sgn(), "application/json")]
        for method, op, body, media in cases:
            later = Later(poa + "/~/mn-cse7/mn/x?rcn=1", body, method=method,
                          fr="/id-in/Cabc", media=media or "")
            got = ws.recv_prim()
            self.assertEqual((got["op"], got["to"], got["fr"]),
                             (op, "/mn-cse7/mn/x", "/id-in/Cabc"))
            self.assertEqual(got["rcn"], 1)
            self.assertEqual(got.get("pc"), body)
            self.assertEqual(got.get("ty"), 4 if op == 1 else None)
            self.answer(ws, got, 2000, pc={"m2m:cnt": {"ri": "x"}})
            self.assertEqual(later.result().pc, {"m2m:cnt": {"ri": "x"}})

    def test_by_id_without_its_point_of_access(self):
        daemon = self.gateway()
        ws, _ = self.online_cse(daemon, dcse=["/asn-8"])
        for target in ("~/mn-cse7/mn/x", "~/asn-8/base/y"):
            later = Later(daemon.notify_url + target, method="GET")
            got = ws.recv_prim()
            self.assertEqual(got["to"], target[1:])
            self.answer(ws, got)
            self.assertEqual(later.result().rsc, 2000)
        self.assertEqual(call(daemon.notify_url + "~/mn-cse77/x",
                              method="GET").rsc, 4004)

    def test_speaks_for_its_aes(self):
        daemon = self.gateway()
        ws, _ = self.online_cse(daemon, dcse=["/asn-8"])
        for fr, rsc in (("/mn-cse7", 2000), ("/mn-cse7/Cabc", 2000),
                        ("/asn-8/Cx", 2000), ("/mn-cse77/Cabc", 4106),
                        ("Cabc", 4106), ("/id-in/Cabc", 4106)):
            answer = ws.ask(op=2, to="cse-in", fr=fr, rqi=fr, rvi="3")
            self.assertEqual(answer["rsc"], rsc, fr)

    def test_dcse_follows_an_update(self):
        daemon = self.gateway()
        ws, _ = self.online_cse(daemon, rn="mn7")
        self.assertEqual(call(daemon.notify_url + "~/asn-9/x",
                              method="GET").rsc, 4004)
        answer = ws.ask(op=3, to="cse-in/mn7", fr="/mn-cse7", rqi="u",
                        rvi="3", pc={"m2m:csr": {"dcse": ["/asn-9"]}})
        self.assertEqual(answer["rsc"], 2004)
        later = Later(daemon.notify_url + "~/asn-9/x", method="GET")
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)


class Heartbeat(ReverseCase):
    @within(30)
    def test_silent_peer_is_given_up(self):
        """A NAT has dropped the binding: no answer, not even to Pings."""
        daemon = self.gateway(limits={"ping_interval": "300ms",
                                      "pong_timeout": "300ms"},
                              notify={"timeout": "20s"})
        ws, poa = self.online(daemon)
        later = Later(poa, sgn())
        self.assertEqual(later.result().rsc, 5103)
        self.assertTrue(eventually(
            lambda: "event=offline" in daemon.log_text()))
