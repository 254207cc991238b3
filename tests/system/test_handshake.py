"""The opening handshake (RFC 6455 4.2, TS-0020 6.2) with raw octets."""

import re
import time

from harness import Case, eventually, within
from wsclient import (Connection, Gone, Refused, WebSocket, frame,
                      upgrade_request, TEXT)

JSON = "oneM2M.json"


class Accepted(Case):
    """Spelling and order of sub-protocol names; the client's spelling is
    echoed exactly (TS-0020 6.2.2.7, 6.2.3.5)."""

    ROWS = [
        ("R3 name", "oneM2M.json", "oneM2M.json"),
        ("R2 name", "oneM2M.R2.0.json", "oneM2M.R2.0.json"),
        ("all lower case", "onem2m.r2.0.json", "onem2m.r2.0.json"),
        ("odd case", "ONEm2m.JsOn", "ONEm2m.JsOn"),
        ("known after unknown", "mqtt, oneM2M.json", "oneM2M.json"),
        ("first known wins", "oneM2M.R2.0.json,oneM2M.json",
         "oneM2M.R2.0.json"),
        ("tabs and spaces", "chat ,\t oneM2M.json ", "oneM2M.json"),
    ]

    def test_subprotocol_names(self):
        daemon = self.daemon(self.embedded_cse())
        for name, offered, chosen in self.ROWS:
            with self.subTest(name):
                with WebSocket(daemon.address, subprotocol=offered) as ws:
                    self.assertEqual(ws.subprotocol, chosen)
                    self.assertEqual(ws.ask_text("{")["rsc"], 4000)

    def test_names_in_two_headers(self):
        daemon = self.daemon(self.embedded_cse())
        with WebSocket(daemon.address, subprotocol="mqtt", headers=[
                "Sec-WebSocket-Protocol: oneM2M.json"]) as ws:
            self.assertEqual(ws.subprotocol, JSON)

    def test_liberal_spelling_of_the_upgrade(self):
        """TS-0020 writes WebSocket; browsers send a list in Connection."""
        daemon = self.daemon(self.embedded_cse())
        with Connection(daemon.address) as c:
            c.send(b"GET / HTTP/1.1\r\nhost: x\r\nUPGRADE: WebSocket\r\n"
                   b"connection: keep-alive, upgrade\r\n"
                   b"sec-websocket-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   b"sec-websocket-version: 13\r\n"
                   b"sec-websocket-protocol: oneM2M.json\r\n\r\n")
            status, headers = c.read_head()
        self.assertEqual(status, 101)
        self.assertEqual(headers["sec-websocket-accept"],
                         "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertEqual(headers["upgrade"].lower(), "websocket")
        self.assertEqual(headers["connection"].lower(), "upgrade")

    def test_extensions_are_not_claimed(self):
        daemon = self.daemon(self.embedded_cse())
        with WebSocket(daemon.address, headers=[
                "Sec-WebSocket-Extensions: permessage-foo; x=1"]) as ws:
            self.assertNotIn("sec-websocket-extensions", ws.headers)

    def test_first_frame_behind_the_request(self):
        """RFC 6455 does not make a client wait, but some do not."""
        daemon = self.daemon(self.embedded_cse())
        with Connection(daemon.address) as c:
            c.send(upgrade_request(daemon.port) + frame(TEXT, b"{"))
            self.assertEqual(c.read_head()[0], 101)
            head = c.take(2)
            self.assertEqual(head[0], 0x81)
            self.assertIn(b'"rsc":4000', c.take(head[1]))

    def test_request_in_single_octets(self):
        daemon = self.daemon(self.embedded_cse())
        with Connection(daemon.address) as c:
            for octet in upgrade_request(daemon.port):
                c.send(bytes([octet]))
            self.assertEqual(c.read_head()[0], 101)


class Refusals(Case):
    ROWS = [
        ("only unknown names", 400, {"subprotocol": "mqtt, chat"}),
        ("no sub-protocol", 400, {"subprotocol": None}),
        ("version 8", 426, {"version": "8"}),
        ("version 14", 426, {"version": "14"}),
        ("POST", 405, {"method": "POST"}),
        ("PUT", 405, {"method": "PUT"}),
        ("no key", 400, {"key": None}),
        ("short key", 400, {"key": "dGhlIHNhbXBsZQ=="}),
        ("key not base64", 400, {"key": "!!!!!!!!!!!!!!!!!!!!!!=="}),
        ("HTTP/1.0", 400, {"http": "HTTP/1.0"}),
        ("extensions that are none", 400,
         {"headers": ["Sec-WebSocket-Extensions: ;=x"]}),
    ]

    def refusal(self, daemon, **request):
        with self.assertRaises(Refused) as caught:
            WebSocket(daemon.address, **request).drop()
        return caught.exception

    def test_answers(self):
        daemon = self.daemon(self.embedded_cse())
        for name, status, request in self.ROWS:
            with self.subTest(name):
                said = self.refusal(daemon, **request)
                self.assertEqual(said.status, status)
                if status == 426:
                    self.assertEqual(
                        said.headers.get("sec-websocket-version"), "13")
        self.assert_alive(daemon)

    def test_plain_request_is_refused(self):
        daemon = self.daemon(self.embedded_cse())
        with Connection(daemon.address) as c:
            c.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(c.read_head()[0], (400, 426))

    def test_origins(self):
        daemon = self.daemon(self.embedded_cse(), listener={
            "origins": "https://panel.example.org"})
        said = self.refusal(daemon, headers=[
            "Origin: https://evil.example.org"])
        self.assertEqual(said.status, 403)
        self.connect(daemon, headers=["Origin: https://panel.example.org"])
        self.connect(daemon)  # no browser, no Origin

    def test_pages_where_no_origin_is_listed(self):
        daemon = self.daemon(self.embedded_cse())
        for origin in ("https://evil.example.org", "null",
                       "http://127.0.0.1.evil.example"):
            with self.subTest(origin):
                said = self.refusal(daemon, headers=[f"Origin: {origin}"])
                self.assertEqual(said.status, 403)
        # its own host, whatever the port
        self.connect(daemon, headers=["Origin: http://127.0.0.1:3000"])
        self.connect(daemon)

    def test_path(self):
        daemon = self.daemon(self.embedded_cse(), listener={"path": "/m2m"})
        for path in ("/", "/m2m/", "/M2M", "/m2", "/m2m2"):
            with self.subTest(path):
                self.assertEqual(self.refusal(daemon, path=path).status, 404)
        self.connect(daemon, path="/m2m")

    def test_any_path_where_none_is_set(self):
        daemon = self.daemon(self.embedded_cse())
        self.connect(daemon, path="/some/where?token=x")

    def test_default_subprotocol(self):
        """Off by default; the answer then names none (RFC 6455 4.2.2)."""
        daemon = self.daemon(self.embedded_cse(), listener={
            "default_subprotocol": "oneM2M.json"})
        ws = self.connect(daemon, subprotocol=None)
        self.assertIsNone(ws.subprotocol)
        self.assertEqual(ws.ask_text("{")["rsc"], 4000)
        self.assertEqual(self.refusal(daemon, subprotocol="mqtt").status, 400)

    def test_max_sessions(self):
        daemon = self.daemon(self.embedded_cse(), listener={"max_sessions": 3})
        held = [self.connect(daemon) for _ in range(3)]
        self.assertEqual(self.refusal(daemon).status, 503)
        held[0].close()
        held[0].drop()
        until = time.monotonic() + 5
        while True:  # the place is free once the daemon saw the end
            try:
                self.connect(daemon)
                return
            except Refused as e:
                self.assertEqual(e.status, 503)
                self.assertLess(time.monotonic(), until, "place not freed")

    def test_connections_without_handshake_take_no_place(self):
        daemon = self.daemon(self.embedded_cse(), listener={"max_sessions": 3})
        for _ in range(2):
            self.addCleanup(Connection(daemon.address).drop)
        held = [self.connect(daemon) for _ in range(3)]
        self.assertEqual(held[2].ask_text("{")["rsc"], 4000)

    def test_a_flood_without_handshakes_gives_way(self):
        daemon = self.daemon(self.embedded_cse(), gateway={"workers": 1},
                             listener={"max_sessions": 3,
                                       "handshake_timeout": "1h"})
        silent = [Connection(daemon.address) for _ in range(10)]
        for one in silent:
            self.addCleanup(one.drop)
        self.assert_alive(daemon)
        self.assertEqual(silent[0].read_to_end(), b"")  # the oldest
        silent[9].send(b"x")
        with self.assertRaisesRegex(AssertionError, "nothing came"):
            silent[9].timeout = 0.1
            silent[9].sock.settimeout(0.1)
            silent[9].fill()

    def test_not_http(self):
        rows = [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
            b"\x00" * 64 + b"\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\nConnection: x\r\n\r\n",
            b"GET http://x/ HTTP/2.0\r\nHost: a\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        ]
        daemon = self.daemon(self.embedded_cse())
        for row in rows:
            with self.subTest(row[:40]), Connection(daemon.address) as c:
                try:
                    c.send(row)
                    status, _ = c.read_head()
                except (Gone, ConnectionError):
                    continue  # closed without a word is an answer too
                self.assertIn(status, range(400, 506))
        self.assert_alive(daemon)

    @within(25)
    def test_slow_handshake_is_dropped(self):
        """Slow as a whole, though never silent for long."""
        daemon = self.daemon(self.embedded_cse(),
                             listener={"handshake_timeout": "1s"})
        request = upgrade_request(daemon.port)
        began = time.monotonic()
        with Connection(daemon.address) as c, \
                Connection(daemon.address) as silent:
            with self.assertRaises((Gone, ConnectionError, BrokenPipeError)):
                for octet in request[:-1]:
                    c.send(bytes([octet]))
                    time.sleep(0.1)
                c.read_head()
                raise Gone("answered: 408 or the like")
            self.assertLess(time.monotonic() - began, 10)
            silent.read_to_end()
        self.assert_alive(daemon)


class Log(Case):
    COUNT = 300

    def refused(self, daemon):
        with Connection(daemon.address) as c:
            c.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(c.read_head()[0], 400)
        self.sent += 1

    def test_a_crowd_of_the_refused(self):
        """Not a line for each, and none is left unsaid."""
        daemon = self.daemon(self.embedded_cse(), gateway={"workers": 2})
        self.sent = 0
        for _ in range(self.COUNT):
            self.refused(daemon)

        def all_are_told():
            self.refused(daemon)
            lines = re.findall(r"event=handshake_refused .* unlogged=(\d+)",
                               daemon.log_text())
            self.lines = len(lines)
            return self.lines + sum(map(int, lines)) == self.sent
        self.assertTrue(eventually(all_are_told))
        self.assertLess(self.lines, self.sent)
