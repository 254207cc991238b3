"""One CSE at several places: who is asked, what happens when one goes away, and
what is said of it."""

import re
import signal
import socket
import threading

from fakecse import FakeCse, ok, response
from harness import Case, Daemon, eventually, free_port, within


class UpstreamCase(Case):
    seconds = 40

    def setUp(self):
        super().setUp()
        self.admin = free_port()
        self.unanswered = []

    def front(self, urls, workers=1, **options):
        """With an upstream for each NAME: URL or NAME: {OPTION: VALUE}."""
        sections = {f'upstream "{name}"': more if isinstance(more, dict)
                    else {"url": more} for name, more in urls.items()}
        first = sections.pop('upstream "cse"')
        daemon = self.daemon(
            first["url"], upstream=first, gateway={"workers": workers},
            admin={"listen": f"127.0.0.1:{self.admin}"}, **sections,
            **options)
        return daemon

    def ask(self, ws, n, op=2, **more):
        return ws.ask(op=op, to="cse-in", fr="C1", rqi=f"r{n}", rvi="3",
                      **more)["rsc"]

    def create(self, ws, n):
        return self.ask(ws, n, op=1, ty=3, pc={"m2m:cnt": {}})

    def metric(self, name, upstream):
        """Of one upstream; 0 where it is not told."""
        with socket.create_connection(("127.0.0.1", self.admin), 10) as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
                      b"Connection: close\r\n\r\n")
            text = s.makefile().read()
        line = re.search(rf'^m2mwsd_each_upstream_{name}'
                         rf'\{{upstream="{upstream}"\}} (\d+)', text, re.M)
        return int(line[1]) if line else 0

    def until(self, name, upstream, value):
        self.assertTrue(eventually(
            lambda: self.metric(name, upstream) == value, 15),
            f"{name} of {upstream}: {self.metric(name, upstream)}")

    def dead(self):
        """A place where nobody listens."""
        return f"http://127.0.0.1:{free_port()}"

    def hanging(self):
        """A place where connections are neither taken nor refused."""
        s = socket.socket()
        self.addCleanup(s.close)
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        for _ in range(4):
            full = socket.socket()
            self.addCleanup(full.close)
            full.setblocking(False)
            full.connect_ex(s.getsockname())
        return "http://127.0.0.1:%d" % s.getsockname()[1]


class Choice(UpstreamCase):
    def test_each_gets_its_share(self):
        a, b = self.cse(ok), self.cse(ok)
        daemon = self.front({"cse": a.url, "b": b.url})
        ws = self.connect(daemon)
        for n in range(40):
            self.assertEqual(self.create(ws, n), 2000)
        self.assertEqual((len(a.requests), len(b.requests)), (20, 20))
        self.assertEqual(self.metric("requests_total", "cse"), 20)
        self.assertEqual(self.metric("up", "b"), 1)

    def test_who_has_least_to_do(self):
        """One keeps its requests; the others go to the other one."""
        kept = []
        a, b = self.cse(kept.append), self.cse(ok)
        daemon = self.front({"cse": a.url, "b": b.url})
        ws = self.connect(daemon)
        ws.send_prim(op=2, to="cse-in", fr="C1", rqi="kept", rvi="3")
        self.assertTrue(eventually(lambda: kept))
        for n in range(20):
            self.assertEqual(self.create(ws, n), 2000)
        self.assertEqual((len(kept), len(b.requests)), (1, 20))
        kept[0].answer()
        self.assertEqual(ws.recv_prim()["rqi"], "kept")

    def test_weights(self):
        kept = []
        a, b = self.cse(kept.append), self.cse(kept.append)
        daemon = self.front({"cse": {"url": a.url, "weight": 3}, "b": b.url},
                            limits={"in_flight": 100})
        ws = self.connect(daemon)
        for n in range(40):
            ws.send_prim(op=2, to="cse-in", fr="C1", rqi=f"r{n}", rvi="3")
        self.assertTrue(eventually(lambda: len(kept) == 40))
        self.assertEqual((len(a.requests), len(b.requests)), (30, 10))
        for request in kept:
            request.answer()
        for n in range(40):
            self.assertEqual(ws.recv_prim()["rsc"], 2000)

    def test_a_backup_waits(self):
        a, b = self.cse(ok), self.cse(ok)
        daemon = self.front({"cse": a.url,
                             "b": {"url": b.url, "backup": "yes"}})
        ws = self.connect(daemon)
        for n in range(10):
            self.assertEqual(self.create(ws, n), 2000)
        self.assertEqual(b.requests, [])
        self.end_cse(a)
        for n in range(10, 20):
            self.assertEqual(self.create(ws, n), 2000)
        self.assertEqual(len(b.requests), 10)


class Failover(UpstreamCase):
    def test_who_is_not_there(self):
        """Nobody notices, whatever is asked."""
        b = self.cse(ok)
        daemon = self.front({"cse": self.dead(), "b": b.url})
        ws = self.connect(daemon)
        for n in range(10):
            self.assertEqual(self.create(ws, n), 2000)
        self.assertEqual(len(b.requests), 10)
        self.assertGreaterEqual(self.metric("moved_total", "cse"), 1)
        self.assertEqual(self.metric("up", "cse"), 0)
        self.assertEqual(self.metric("downs_total", "cse"), 1)
        self.assertEqual(daemon.log_text().count("event=upstream_down"), 1)

    def test_who_does_not_take_connections(self):
        b = self.cse(ok)
        daemon = self.front({"cse": {"url": self.hanging(),
                                     "connect_timeout": "200ms"},
                             "b": b.url})
        ws = self.connect(daemon)
        for n in range(30):
            self.assertEqual(self.create(ws, n), 2000)
        self.assertEqual(len(b.requests), 30)
        self.assertEqual(self.metric("requests_total", "cse"), 1)

    def test_what_was_sent_is_not_repeated(self):
        """A CREATE that may have been carried out is not carried out twice; a
        RETRIEVE goes to the other one."""
        a = self.cse(lambda request: request.close() or b"")
        b = self.cse(ok)
        daemon = self.front({"cse": {"url": a.url, "weight": 1000},
                             "b": b.url})
        ws = self.connect(daemon)
        self.assertEqual(self.create(ws, 1), 5103)
        self.assertEqual((len(a.requests), len(b.requests)), (1, 0))
        for n in range(2, 6):
            self.assertEqual(self.ask(ws, n), 2000)
        self.assertEqual(len(b.requests), 4)
        self.assertEqual([r.rqi for r in b.requests],
                         ["r2", "r3", "r4", "r5"])

    def test_an_old_answer_does_not_bring_it_back(self):
        """It still answers what it has, but takes no connection."""
        kept = []
        a, b = self.cse(kept.append), self.cse(ok)
        daemon = self.front({"cse": a.url,
                             "b": {"url": b.url, "backup": "yes"}})
        ws = self.connect(daemon)
        ws.send_prim(op=2, to="cse-in", fr="C1", rqi="old", rvi="3")
        self.assertTrue(eventually(lambda: kept))
        a.sel.unregister(a.listener)
        a.listener.close()
        self.assertEqual(self.create(ws, 1), 2000)
        self.assertEqual(len(b.requests), 1)
        kept[0].answer()
        self.assertEqual(ws.recv_prim()["rqi"], "old")
        self.assertEqual(self.metric("up", "cse"), 0)
        self.assertNotIn("event=upstream_up", daemon.log_text())

    def test_it_comes_back(self):
        port = free_port()
        b = self.cse(ok)
        daemon = self.front({"cse": f"http://127.0.0.1:{port}", "b": b.url})
        ws = self.connect(daemon)
        self.assertEqual(self.create(ws, 0), 2000)
        a = self.cse(ok, port=port)
        n = 0
        while not a.requests:
            n += 1
            self.assertEqual(self.create(ws, n), 2000)
        self.until("up", "cse", 1)
        self.assertIn("event=upstream_up upstream=cse", daemon.log_text())

    def test_none_is_up(self):
        """5103 at once, and well again with the first that comes back."""
        port = free_port()
        daemon = self.front({"cse": self.dead(),
                             "b": f"http://127.0.0.1:{port}"})
        ws = self.connect(daemon)
        for n in range(10):
            self.assertEqual(self.create(ws, n), 5103)
        b = self.cse(ok, port=port)
        self.assertEqual(self.create(ws, 11), 2000)
        self.assertEqual(len(b.requests), 1)

    def test_none_is_up_and_asking_takes_time(self):
        """One request a second finds out; the others do not wait for that."""
        daemon = self.front({"cse": {"url": self.hanging(),
                                     "connect_timeout": "1s"}})
        ws = self.connect(daemon)
        self.assertEqual(self.create(ws, 0), 5103)
        for n in range(1, 101):
            self.assertEqual(self.create(ws, n), 5103)
        self.assertLess(self.metric("requests_total", "cse"), 20)

    def test_a_crowd_while_they_come_and_go(self):
        """Each of two goes away in turn: every CREATE is answered 2000, or
        5103 where its connection broke after it was sent."""
        ports = [free_port(), free_port()]
        places = [FakeCse(ok, port=port) for port in ports]
        daemon = self.front(dict(zip(("cse", "b"), (p.url for p in places))))
        answers, errors, over = [], [], threading.Event()

        def serve(fr):
            try:
                ws = self.connect(daemon)
                while not over.is_set():
                    answers.append(ws.ask(
                        op=2, to="cse-in", fr=fr, rqi=f"r{len(answers)}{fr}",
                        rvi="3")["rsc"])
            except Exception as e:
                errors.append(repr(e))

        crowd = [threading.Thread(target=serve, args=(f"C{n}",), daemon=True)
                 for n in range(8)]
        for one in crowd:
            one.start()
        for turn in range(6):
            place = turn % 2
            places[place].close()
            so_far = len(answers)
            self.assertTrue(eventually(lambda: len(answers) > so_far + 50))
            places[place] = FakeCse(ok, port=ports[place])
            served = len(places[place].requests)
            self.assertTrue(eventually(
                lambda: len(places[place].requests) > served + 5))
        over.set()
        for one in crowd:
            one.join(20)
        for place in places:
            place.close()
        self.assertEqual(errors, [])
        self.assertEqual(set(answers), {2000})
        self.assertGreaterEqual(self.metric("moved_total", "cse") +
                                self.metric("moved_total", "b"), 2)


class Health(UpstreamCase):
    def setUp(self):
        super().setUp()
        self.status = 200

    def well(self, request):
        """A CSE whose health path is answered with self.status."""
        if request.target != b"/health":
            return ok(request)
        if self.status is None:
            return None
        return response(status=self.status, rqi=request.rqi)

    def both(self, **more):
        self.a, self.b = self.cse(self.well), self.cse(ok)
        return self.front({
            "cse": {"url": self.a.url, "health": "/health",
                    "health_interval": "100ms", "connect_timeout": "300ms",
                    "slow_start": "0s", **more}, "b": self.b.url})

    def asked(self, server):
        return sum(1 for r in server.requests if r.target != b"/health")

    def serves(self, ws, times=10):
        for _ in range(times):
            self.n = getattr(self, "n", 0) + 1
            self.assertEqual(self.create(ws, self.n), 2000)

    def check(self, status):
        """While health is answered so, the other one gets all."""
        ws = self.connect(self.both())
        self.serves(ws)
        self.assertEqual(self.asked(self.a), 5)
        self.status = status
        self.until("up", "cse", 0)
        self.serves(ws)
        self.assertEqual(self.asked(self.a), 5)
        self.status = 404
        self.until("up", "cse", 1)
        self.serves(ws)
        self.assertEqual(self.asked(self.a), 10)

    def test_an_error_of_the_server(self):
        self.check(503)

    def test_no_answer(self):
        self.check(None)

    def test_what_is_asked(self):
        self.both()
        self.assertTrue(eventually(lambda: self.a.requests))
        first = self.a.requests[0]
        self.assertEqual((first.method, first.target), (b"GET", b"/health"))
        self.assertEqual(first.header("X-M2M-RI"), "health")
        self.assertIsNone(first.header("X-M2M-Origin"))

    def test_the_only_one_is_ill(self):
        """5103, without asking it, until it is well."""
        a = self.cse(self.well)
        daemon = self.front({"cse": {"url": a.url, "health": "/health",
                                     "health_interval": "100ms"}})
        ws = self.connect(daemon)
        self.status = 500
        self.until("up", "cse", 0)
        answer = ws.ask(op=2, to="cse-in", fr="C1", rqi="r1", rvi="3")
        self.assertEqual(answer["rsc"], 5103)
        self.assertEqual(answer["pc"]["m2m:dbg"], "no upstream is up")
        self.assertEqual(self.asked(a), 0)
        self.assertIn('why="health is answered 500"', daemon.log_text())
        self.status = 200
        self.until("up", "cse", 1)
        self.assertEqual(self.ask(ws, 2), 2000)

    def test_slow_start(self):
        """Who came back gets few of those that are pending at a time."""
        kept = []
        self.status = 503

        def keep(request):
            if request.target == b"/health":
                return self.well(request)
            return kept.append(request)

        a, b = self.cse(keep), self.cse(keep)
        daemon = self.front({
            "cse": {"url": a.url, "health": "/health",
                    "health_interval": "100ms", "slow_start": "1h"},
            "b": b.url}, limits={"in_flight": 100})
        ws = self.connect(daemon)
        self.until("up", "cse", 0)
        self.status = 200
        self.until("up", "cse", 1)
        for n in range(21):
            ws.send_prim(op=2, to="cse-in", fr="C1", rqi=f"r{n}", rvi="3")
        self.assertTrue(eventually(lambda: len(kept) == 21))
        self.assertEqual(self.asked(a), 1)
        for request in kept:
            request.answer()


class Reload(UpstreamCase):
    def reload(self, daemon, text, event="reloaded"):
        """Everything from the first [upstream] on is replaced."""
        before = daemon.log_text().count(f"event={event}")
        with open(daemon.file) as old:
            kept = re.sub(r'\[upstream "[^[]*', "", old.read())
        with open(daemon.file, "w") as new:
            new.write(kept + text)
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: daemon.log_text().count(f"event={event}") > before),
            daemon.log_text())

    def test_another_one(self):
        a, b = self.cse(ok), self.cse(ok)
        daemon = self.front({"cse": a.url}, workers=2)
        ws = self.connect(daemon)
        self.assertEqual(self.create(ws, 1), 2000)
        self.reload(daemon, f'[upstream "other"]\nurl = {b.url}\n')
        self.assertEqual(self.create(ws, 2), 2000)
        self.assertEqual((len(a.requests), len(b.requests)), (1, 1))
        self.assertNotIn("restart_needed", daemon.log_text())
        self.until("up", "other", 2)
        self.assertEqual(self.metric("up", "cse"), 0)

    def test_what_is_pending_is_finished(self):
        kept = []
        a, b = self.cse(kept.append), self.cse(ok)
        daemon = self.front({"cse": a.url})
        ws = self.connect(daemon)
        ws.send_prim(op=2, to="cse-in", fr="C1", rqi="old", rvi="3")
        self.assertTrue(eventually(lambda: kept))
        self.reload(daemon, f'[upstream "cse"]\nurl = {b.url}\n')
        self.assertEqual(self.ask(ws, 1), 2000)
        self.assertEqual(len(b.requests), 1)
        kept[0].answer()
        self.assertEqual(ws.recv_prim()["rqi"], "old")
        self.assertTrue(eventually(lambda: not a.links))

    def test_one_that_stays_keeps_its_connections(self):
        a, b = self.cse(ok), self.cse(ok)
        daemon = self.front({"cse": a.url})
        ws = self.connect(daemon)
        self.assertEqual(self.create(ws, 1), 2000)
        self.reload(daemon, f'[upstream "cse"]\nurl = {a.url}\n'
                            f'[upstream "b"]\nurl = {b.url}\nbackup = yes\n')
        self.assertEqual(self.create(ws, 2), 2000)
        self.assertEqual(a.accepted, 1)
        self.assertEqual(self.metric("requests_total", "cse"), 2)

    def test_another_cse(self):
        a = self.cse(ok)
        daemon = self.front({"cse": a.url})
        ws = self.connect(daemon)
        self.reload(daemon, f'[upstream "cse"]\nurl = {a.url}\n'
                            'cse_id = /other\n', "reload_failed")
        self.assertIn("[upstream] cse_id takes a restart", daemon.log_text())
        self.assertEqual(self.create(ws, 1), 2000)

    @within(120)
    def test_many_under_load(self):
        """Names come and go, without a request that is not answered 2000."""
        a, b = self.cse(ok), self.cse(ok)
        daemon = self.front({"cse": a.url}, workers=2)
        ws = self.connect(daemon)
        answers, over = [], threading.Event()

        def serve():
            while not over.is_set():
                answers.append(self.create(ws, len(answers)))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        for turn in range(50):
            self.reload(daemon, f'[upstream "u{turn}"]\nurl = '
                                f'{(a, b)[turn % 2].url}\n'
                                '[upstream "both"]\n'
                                f'url = {a.url}\nconnections = {turn + 1}\n')
        over.set()
        thread.join(20)
        self.assertEqual(set(answers), {2000})
        self.assertGreater(len(b.requests), 0)
