"""What operators see over HTTP."""

import http.client
import json
import signal
import socket

from fakecse import ok
from harness import Case, eventually, free_port, wait_listening
from test_robust import retrieve
from wsclient import WebSocket


class AdminCase(Case):
    def start(self, cse=None, admin=(), **options):
        self.port = free_port()
        daemon = self.daemon(cse or self.cse(ok), admin=dict(
            {"listen": f"127.0.0.1:{self.port}"}, **dict(admin)), **options)
        wait_listening(daemon, ("127.0.0.1", self.port))
        return daemon

    def get(self, path, method="GET", host=None):
        """The status and the text; None: closed unheard."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            conn.request(method, path,
                         headers={"Host": host} if host else {})
            answer = conn.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionError:
            return None
        finally:
            conn.close()

    def headers(self, path):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            conn.request("GET", path)
            return conn.getresponse().headers
        finally:
            conn.close()

    def metrics(self):
        """By name and labels, as another program understands them."""
        try:
            from prometheus_client.parser import text_string_to_metric_families
        except ImportError:
            self.skipTest("python3-prometheus-client is not installed")
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        return {(s.name, *sorted(s.labels.values())): s.value
                for family in text_string_to_metric_families(text)
                for s in family.samples}


class Metrics(AdminCase):
    def test_what_was_done_is_counted(self):
        daemon = self.start(gateway={"workers": "2"})
        clients = [self.connect(daemon) for _ in range(4)]
        for i, ws in enumerate(clients):
            self.assertEqual(ws.ask(**retrieve(f"r{i}"))["rsc"], 2000)
        self.assertEqual(clients[0].ask_text("{")["rsc"], 4000)
        clients.pop().close()
        self.assertTrue(eventually(
            lambda: self.metrics()[("m2mwsd_sessions",)] == 3))
        seen = self.metrics()
        for name, want in (
                (("m2mwsd_sessions_opened_total",), 4),
                (("m2mwsd_messages_total", "in"), 5),
                (("m2mwsd_messages_total", "out"), 5),
                (("m2mwsd_requests_total",), 4),
                (("m2mwsd_request_ends_total", "answered"), 4),
                (("m2mwsd_malformed_total",), 1),
                (("m2mwsd_request_seconds_count", "2xxx", "RETRIEVE"), 4),
                (("m2mwsd_upstream_up",), 2)):
            self.assertEqual(seen[name], want, name)
        self.assertGreater(
            seen[("m2mwsd_request_seconds_sum", "2xxx", "RETRIEVE")], 0)

    def test_ages_of_queues(self):
        cse = self.cse()
        daemon = self.start(cse, limits={"in_flight": "1"},
                            gateway={"workers": "1"}, upstream={
                                "cse_id": "/id-in", "connections": "1"})
        ws, other = self.connect(daemon), self.connect(daemon)
        for i in range(2):
            ws.send_prim(**retrieve(f"r{i}"))
        held = cse.next()
        other.send_prim(**retrieve("q"))
        for queue in "session", "upstream":
            self.assertTrue(eventually(lambda: self.metrics()[
                ("m2mwsd_queue_age_seconds", queue)] > 0), queue)
        held.answer()
        for _ in range(2):
            cse.next().answer()
        for client, rqis in (ws, {"r0", "r1"}), (other, {"q"}):
            self.assertEqual({client.recv_prim()["rqi"] for _ in rqis}, rqis)
        for queue in "session", "upstream", "inbox":
            self.assertEqual(self.metrics()[
                ("m2mwsd_queue_age_seconds", queue)], 0)

    def test_many_ask_at_once_and_go(self):
        daemon = self.start()
        for i in range(100):
            with socket.create_connection(("127.0.0.1", self.port)) as s:
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        # some may still be in the way
        self.assertTrue(eventually(
            lambda: self.get("/healthz") == (200, "ok\n")))
        self.assertEqual(self.connect(daemon).ask(**retrieve("q"))["rsc"],
                         2000)


class Pages(AdminCase):
    def test_ready_without_the_cse(self):
        """Its clients are answered all the same."""
        daemon = self.start(f"http://127.0.0.1:{free_port()}",
                            gateway={"workers": "2"})
        ws = self.connect(daemon)
        self.assertEqual(ws.ask(**retrieve("q"))["rsc"], 5103)
        self.assertEqual(self.get("/readyz"), (200, "ready\n"))
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        self.assertEqual(self.metrics()[("m2mwsd_upstream_up",)], 1)

    def test_not_ready_while_it_drains(self):
        fake = self.cse(None)
        daemon = self.start(fake)
        ws = self.connect(daemon)
        ws.send_prim(**retrieve("held"))
        self.assertTrue(eventually(lambda: fake.requests))
        daemon.signal()
        self.assertTrue(eventually(
            lambda: self.get("/readyz") == (503, "draining\n")))
        fake.requests[0].answer()
        self.assertEqual(ws.recv_prim()["rsc"], 2000)

    def test_a_browser_keeps_to_what_it_is_told(self):
        self.start()
        for path in ("/metrics", "/api/sessions", "/nothing"):
            seen = self.headers(path)
            for name, want in (("Cache-Control", "no-store"),
                               ("Referrer-Policy", "no-referrer"),
                               ("X-Content-Type-Options", "nosniff")):
                self.assertEqual(seen[name], want, path)
            rules = dict(rule.split(" ", 1) for rule in
                         seen["Content-Security-Policy"].split("; "))
            self.assertEqual(rules.pop("connect-src"), "'self' ws: wss:")
            self.assertEqual(rules.pop("img-src"), "'self' data:")
            self.assertEqual(rules, {
                "default-src": "'none'", "script-src": "'self'",
                "style-src": "'self'", "base-uri": "'none'",
                "frame-ancestors": "'none'", "form-action": "'none'"})

    def test_the_listeners_ports(self):
        """Also of one that a reload opens."""
        daemon = self.start(**{'listener "b"': {"listen": "127.0.0.1:0"}})
        first = json.loads(self.get("/api/status")[1])["listeners"]
        self.assertEqual([(one["name"], one["tls"]) for one in first],
                         [("main", False), ("b", False)])
        self.assertEqual(first[0]["port"], daemon.port)
        WebSocket(("127.0.0.1", first[1]["port"])).close()
        port = free_port()
        with open(daemon.file, "a") as out:
            out.write(f'[listener "c"]\nlisten = 127.0.0.1:{port}\n')
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: "event=reloaded" in daemon.log_text()))
        self.assertEqual(json.loads(self.get("/api/status")[1])["listeners"],
                         [*first, {"name": "c", "port": port, "tls": False}])

    def test_others(self):
        self.start()
        self.assertEqual(self.get("/nothing")[0], 404)
        self.assertEqual(self.get("/metrics", "POST")[0], 405)
        self.assertEqual(self.get("/healthz?x=1")[0], 200)
