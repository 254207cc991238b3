"""Limits per address: open connections, and new ones in a second."""

from harness import Case, eventually
from test_tls import TlsCase
from wsclient import Connection, Gone, WebSocket

OTHER = ("127.0.0.2", 0)


QUICK = {"close_timeout": "100ms"}     # clients that leave without a Close


class Peers(Case):
    def refused(self, daemon, **how):
        """True when a handshake is not even heard."""
        try:
            WebSocket(daemon.address, **how).drop()
        except (Gone, ConnectionError):
            return True
        return False

    def settled(self, daemon, **how):
        """The connection that waited for the daemon to listen has gone."""
        self.assertTrue(eventually(lambda: not self.refused(daemon, **how)))

    def test_sessions_of_one_address(self):
        daemon = self.daemon(self.embedded_cse(), gateway={"workers": 4},
                             limits={"sessions_per_ip": 3, **QUICK})
        held = []

        def one_more():
            try:
                held.append(self.connect(daemon))
            except (Gone, ConnectionError):
                pass
            return len(held) == 3
        self.assertTrue(eventually(one_more))
        for _ in range(10):
            self.assertTrue(self.refused(daemon))
        # others are served
        self.assertFalse(self.refused(daemon, source=OTHER))
        for ws in held:
            self.assertEqual(ws.ask_text("{")["rsc"], 4000)
        held.pop().close()
        self.assertTrue(eventually(one_more))
        self.assertGreaterEqual(
            self.counters(daemon, "worker_end", "refused_per_ip"), 10)

    def test_handshakes_under_way_count(self):
        daemon = self.daemon(self.embedded_cse(), limits={
            "sessions_per_ip": 2})
        self.settled(daemon)
        held = []

        def two_wait():
            held.append(Connection(daemon.address))
            self.addCleanup(held[-1].drop)
            return self.refused(daemon)
        self.assertTrue(eventually(two_wait))
        for c in held:
            c.drop()
        self.settled(daemon)

    def test_handshakes_in_a_second(self):
        daemon = self.daemon(self.embedded_cse(), gateway={"workers": 2},
                             limits={"handshake_rate": 1})
        refused = sum(self.refused(daemon) for _ in range(50))
        self.assertGreater(refused, 20)
        self.assertFalse(self.refused(daemon, source=OTHER))
        # who waits is served again
        self.assertTrue(eventually(lambda: not self.refused(daemon)))
        log = daemon.log_text()
        self.assertIn("event=connection_refused", log)
        self.assertIn("why=handshake_rate", log)
        # a line a second and worker, as long as all this took
        self.assertLess(log.count("event=connection_refused"), refused / 2)
        self.assertGreaterEqual(
            self.counters(daemon, "worker_end", "refused_rate"), refused)

    def test_nothing_is_bounded_by_default(self):
        daemon = self.daemon(self.embedded_cse(), limits=QUICK)
        for _ in range(100):
            self.connect(daemon)
        self.assertEqual(
            self.counters(daemon, "worker_end", "refused_per_ip"), 0)


class Tls(TlsCase):
    def test_before_any_tls(self):
        daemon = self.tls_gateway(gateway={"workers": 1},
                                  limits={"sessions_per_ip": 1, **QUICK})
        held = []

        def first():
            try:
                held.append(self.connect(daemon))
            except OSError:
                pass
            return held
        self.assertTrue(eventually(first))
        for _ in range(10):
            with Connection(daemon.address) as c:
                self.assertEqual(c.read_to_end(), b"")
        self.works(held[0])
        self.assertNotIn("event=tls_failed", daemon.log_text())
        self.assertGreaterEqual(
            self.counters(daemon, "worker_end", "refused_per_ip"), 10)
