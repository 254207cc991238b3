"""RFC 6455 framing, one primitive per message (TS-0020 6.2.2.9)."""

import json
import struct

from fakecse import ok
from harness import Case, within
from wsclient import (BINARY, CLOSE, PING, PONG, TEXT, Gone, close_code,
                      fragments, frame)

RETRIEVE = {"op": 2, "to": "cb1", "fr": "Cmeter7", "rqi": "f1", "rvi": "3"}
MESSAGE = json.dumps(RETRIEVE).encode()


class Frames(Case):
    def setUp(self):
        self.gateway = self.daemon(self.cse(ok), limits={
            "max_message": "64k", "max_fragments": 200})
        self.ws = self.connect(self.gateway)

    def expect_answer(self):
        self.assertEqual(self.ws.recv_prim(),
                         {"rsc": 2000, "rqi": "f1", "rvi": "3"})

    def expect_close(self, code):
        self.assertEqual(self.ws.close_received(), code)
        self.assert_alive(self.gateway)

    def test_fragments_of_one_octet(self):
        self.ws.send(b"".join(fragments(TEXT, MESSAGE, 1)))
        self.expect_answer()

    def test_fragments_with_pings_between(self):
        parts = fragments(TEXT, MESSAGE, 16)
        self.ws.send(frame(PING, b"hi").join(parts))
        for _ in parts[1:]:
            self.assertEqual(self.ws.recv_frame(), (0x80 | PONG, b"hi"))
        self.expect_answer()

    def test_empty_fragments(self):
        self.ws.send(frame(TEXT, b"", fin=False) + frame(0, MESSAGE, fin=False)
                     + frame(0, b""))
        self.expect_answer()

    def test_an_octet_per_segment(self):
        for octet in frame(TEXT, MESSAGE):
            self.ws.send(bytes([octet]))
        self.expect_answer()

    def test_many_messages_in_one_segment(self):
        rows = [dict(RETRIEVE, rqi=f"m{i}") for i in range(20)]
        self.ws.send(b"".join(frame(TEXT, json.dumps(r).encode())
                              for r in rows))
        got = sorted(self.ws.recv_prim()["rqi"] for _ in rows)
        self.assertEqual(got, sorted(r["rqi"] for r in rows))

    def test_utf8_cut_between_fragments(self):
        text = json.dumps(dict(RETRIEVE, to="cb1/\u6e29\U0001f321"),
                          ensure_ascii=False).encode()
        self.ws.send(b"".join(fragments(TEXT, text, 1)))
        self.expect_answer()

    def test_binary_message_with_json(self):
        """Tolerated when it is UTF-8, else Close 1003 (the digest allows
        both)."""
        self.ws.send_frame(BINARY, MESSAGE)
        try:
            self.expect_answer()
        except Gone as e:
            self.assertIn("1003", str(e))

    def test_ping_is_answered(self):
        for payload in (b"", b"hello", bytes(range(125))):
            self.ws.send_frame(PING, payload)
            self.assertEqual(self.ws.recv_frame(), (0x80 | PONG, payload))

    def test_unasked_pong_is_ignored(self):
        self.ws.send_frame(PONG, b"who asked")
        self.ws.send(frame(TEXT, MESSAGE))
        self.expect_answer()

    def test_close_is_echoed(self):
        for code in (1000, 1001, 1011, 3000, 4999):
            with self.subTest(code):
                ws = self.connect(self.gateway)
                self.assertEqual(ws.close(code), code)
                self.assertEqual(ws.read_to_end(), b"")

    def test_close_without_code(self):
        self.ws.send_frame(CLOSE)
        first, payload = self.ws.recv_frame()
        self.assertEqual(first, 0x80 | CLOSE)
        self.assertIn(close_code(payload), (None, 1000))
        self.assertEqual(self.ws.read_to_end(), b"")

    def test_close_that_breaks_the_rules(self):
        rows = [("one octet", b"\x03", {1002}),
                ("code 999", struct.pack("!H", 999), {1002}),
                ("code 1005", struct.pack("!H", 1005), {1002}),
                ("code 1006", struct.pack("!H", 1006), {1002}),
                ("code 5000", struct.pack("!H", 5000), {1002}),
                ("reason not UTF-8", b"\x03\xe8\xff", {1007, 1002})]
        for name, payload, codes in rows:
            with self.subTest(name):
                ws = self.connect(self.gateway)
                ws.send_frame(CLOSE, payload)
                self.assertIn(ws.close_received(), codes)

    def test_too_large_message(self):
        self.ws.send_frame(TEXT, b" " * 65537)
        self.expect_close(1009)

    def test_too_large_in_fragments(self):
        self.ws.send_frame(TEXT, b" " * 60000, fin=False)
        self.ws.send_frame(0, b" " * 6000, fin=False)
        self.expect_close(1009)

    def test_huge_length_is_refused_before_it_comes(self):
        self.ws.send(b"\x81\xff" + struct.pack("!Q", 1 << 62) + b"\0" * 5)
        self.expect_close(1009)

    def test_largest_message_passes(self):
        pad = 65536 - len(MESSAGE)
        self.ws.send_frame(TEXT, MESSAGE + b" " * pad)
        self.expect_answer()

    def test_too_many_fragments(self):
        self.ws.send(b"".join(fragments(TEXT, b" " * 300, 1)))
        self.assertIn(self.ws.close_received(), (1008, 1009))

    def test_invalid_utf8(self):
        rows = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                b"\xe6\xb8", b"ab\x80"]
        for row in rows:
            with self.subTest(row):
                ws = self.connect(self.gateway)
                ws.send_frame(TEXT, b'{"to":"' + row)
                self.assertEqual(ws.close_received(), 1007)

    def test_protocol_errors(self):
        rows = [
            ("unmasked", frame(TEXT, MESSAGE, masked=False)),
            ("RSV1", frame(TEXT, MESSAGE, rsv=4)),
            ("RSV2", frame(TEXT, MESSAGE, rsv=2)),
            ("RSV3", frame(TEXT, MESSAGE, rsv=1)),
            ("opcode 3", frame(3, MESSAGE)),
            ("opcode 11", frame(11, b"x")),
            ("continuation of nothing", frame(0, MESSAGE)),
            ("new message inside another",
             frame(TEXT, b"{", fin=False) + frame(TEXT, b"}")),
            ("fragmented ping", frame(PING, b"x", fin=False)),
            ("long ping", frame(PING, b"x" * 126)),
            ("length not minimal", b"\x81\xfe\x00\x05" + b"\0" * 9),
            ("length with top bit", b"\x81\xff" + b"\xff" * 8 + b"\0" * 4),
        ]
        for name, octets in rows:
            with self.subTest(name):
                ws = self.connect(self.gateway)
                ws.send(octets)
                code = ws.close_received()
                self.assertEqual(code, 1002)
        self.assert_alive(self.gateway)

    def test_nothing_is_heard_after_close(self):
        self.ws.send(frame(CLOSE, b"\x03\xe8") + frame(TEXT, MESSAGE))
        self.assertEqual(self.ws.close_received(), 1000)
        self.assertEqual(self.ws.read_to_end(), b"")


class Liveness(Case):
    @within(30)
    def test_silent_peer_is_dropped(self):
        daemon = self.daemon(self.cse(ok), limits={
            "ping_interval": "1s", "pong_timeout": "1s"})
        ws = self.connect(daemon)
        self.assertEqual(ws.recv_frame()[0], 0x80 | PING)
        ws.read_to_end()  # we never answer

    @within(30)
    def test_answering_peer_stays(self):
        daemon = self.daemon(self.cse(ok), limits={
            "ping_interval": "1s", "pong_timeout": "1s"})
        ws = self.connect(daemon)
        for _ in range(3):
            first, payload = ws.recv_frame()
            self.assertEqual(first, 0x80 | PING)
            ws.send_frame(PONG, payload)
        self.assertEqual(ws.ask(**RETRIEVE)["rsc"], 2000)

    @within(30)
    def test_message_that_never_ends(self):
        daemon = self.daemon(self.cse(ok), limits={"message_timeout": "1s"})
        ws = self.connect(daemon)
        ws.send_frame(TEXT, MESSAGE[:10], fin=False)
        self.assertEqual(ws.close_received(), 1008)
