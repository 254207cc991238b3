"""Each limit that bites is counted, and tells so at the end."""

import json

from harness import Case
from test_tls import TlsCase
from wsclient import (PING, PONG, TEXT, Connection, Gone, Refused, WebSocket,
                      frame, upgrade_request)


class Counters(Case):
    LIMITS = {"max_depth": 8, "max_tokens": 64, "max_message": "1k",
              "max_fragments": 4, "max_headers": 16, "max_head": "2k",
              "message_timeout": "200ms", "close_timeout": "200ms"}

    def setUp(self):
        self.gateway = self.daemon(
            self.embedded_cse(), limits=self.LIMITS,
            listener={"handshake_timeout": "1s"})

    def told(self, *names):
        return {name: self.counters(self.gateway, "worker_end", name)
                for name in names}

    def refused(self, status, *headers):
        with self.assertRaises(Refused) as caught:
            WebSocket(self.gateway.address, headers=headers).drop()
        self.assertEqual(caught.exception.status, status)

    def closed(self, code, *octets):
        ws = self.connect(self.gateway)
        try:
            for piece in octets:
                ws.send(piece)
        except ConnectionError:
            pass
        self.assertEqual(ws.close_received(), code)

    def test_handshakes(self):
        self.refused(403, "Origin: https://evil.example")
        self.refused(403, "Origin: null")
        self.refused(431, *[f"A{i}: b" for i in range(16)])
        self.refused(431, "A: " + "b" * 2048)
        with Connection(self.gateway.address) as c:
            c.send(upgrade_request(self.gateway.port, path="/" + "a" * 4000))
            self.assertIn(c.read_head()[0], (414, 431))
        with Connection(self.gateway.address) as c:
            self.assertEqual(c.read_head()[0], 408)
        self.assertEqual(
            self.told("refused_origins", "large_heads", "slow_handshakes",
                      "refused_handshakes"),
            {"refused_origins": 2, "large_heads": 3, "slow_handshakes": 1,
             "refused_handshakes": 6})

    def test_primitives(self):
        ws = self.connect(self.gateway)
        for pc in ([[[[[[[[[]]]]]]]]], [1] * 65):
            answer = ws.ask(op=1, to="x", fr="C", rqi="1", rvi="3", pc=pc)
            self.assertEqual(answer["rsc"], 4000)
        self.assertEqual(ws.ask_text("{")["rsc"], 4000)
        self.closed(1008, frame(TEXT, b"{") * 64)
        self.assertEqual(
            self.told("too_complex", "malformed", "no_primitives"),
            {"too_complex": 2, "malformed": 67, "no_primitives": 1})

    def test_frames(self):
        self.closed(1009, frame(TEXT, b"x" * 1025))
        self.closed(1008, frame(TEXT, b"x", fin=False) +
                    frame(0, b"x", fin=False) * 4)
        self.closed(1008, frame(TEXT, b"x", fin=False))
        self.closed(1002, frame(TEXT, b"x", masked=False))
        self.closed(1007, frame(TEXT, b"\xff"))
        self.closed(1008, frame(PING) * 3000)
        self.closed(1008, frame(PONG, b"x" * 125) * 3000)
        self.assertEqual(
            self.told("too_big", "too_many_fragments", "too_slow",
                      "bad_frames", "bad_utf8", "too_many_controls"),
            {"too_big": 1, "too_many_fragments": 1, "too_slow": 1,
             "bad_frames": 1, "bad_utf8": 1, "too_many_controls": 2})

    def test_no_close(self):
        """Of clients that do not answer when the gateway drains."""
        ws = self.connect(self.gateway)
        self.assertEqual(ws.ask_text(json.dumps({"x": 1}))["rsc"], 4000)
        self.assertEqual(self.told("no_close"), {"no_close": 1})
        with self.assertRaises(Gone):
            ws.recv_text()


class Tls(TlsCase):
    def test_handshakes(self):
        """Those that never got as far as HTTP count, too."""
        daemon = self.tls_gateway(listener={"handshake_timeout": "1s"})
        slow = [Connection(daemon.address) for _ in range(5)]
        for i, c in enumerate(slow):
            c.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[:i])
        for c in slow:
            self.assertEqual(c.read_to_end(), b"")
            c.drop()
        self.assertEqual(
            self.counters(daemon, "worker_end", "slow_handshakes"), 5)
