"""The PROXY protocol: HAProxy in front, and clients that are none."""

import os
import re
import socket
import struct
import tempfile

from harness import Case, Process, eventually, free_port, needs_program
from harness import wait_listening
from test_tls import TlsCase
from wsclient import TEXT, Connection, Gone, WebSocket, frame, upgrade_request

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
QUICK = {"close_timeout": "100ms"}     # clients that leave without a Close


def v1(host="192.0.2.7", port=4711, kind="TCP4"):
    return f"PROXY {kind} {host} {host} {port} 443\r\n".encode()


def v2(host="192.0.2.7", port=4711, command=1, tlv=b""):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host)
    body = packed + packed + struct.pack("!HH", port, 443) + tlv
    return SIGNATURE + struct.pack(
        "!BBH", 0x20 | command, 0x21 if ":" in host else 0x11,
        len(body)) + body


def options(listener=(), **more):
    """Of a daemon behind a proxy on this machine."""
    more.setdefault("limits", {}).update(QUICK)
    return dict(more, listener={"proxy_protocol": "yes",
                                "proxy_from": "127.0.0.0/8",
                                **dict(listener)})


class ByHand(Case):
    def behind(self, listener=(), **more):
        return self.daemon(self.embedded_cse(), **options(listener, **more))

    def peers(self, daemon, count):
        """Whom the sessions are of, as logged."""
        def found():
            got = re.findall(r'event=session_open .* peer="?([^" ]+)',
                             daemon.log_text())
            return got if len(got) >= count else None
        return eventually(found)

    def refused(self, daemon, preface, **how):
        try:
            WebSocket(daemon.address, preface=preface, **how).drop()
        except (Gone, ConnectionError):
            return True
        return False

    def assert_served(self, daemon):
        with WebSocket(daemon.address, preface=v1()) as ws:
            self.assertEqual(ws.ask_text("{")["rsc"], 4000)

    ROWS = [
        ("v1 IPv4", v1(), "192.0.2.7:4711"),
        ("v1 IPv6", v1("2001:db8::7", kind="TCP6"), "[2001:db8::7]:4711"),
        ("v1 of nobody", b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        ("v2 IPv4", v2(), "192.0.2.7:4711"),
        ("v2 IPv6", v2("2001:db8::7"), "[2001:db8::7]:4711"),
        ("v2 with TLVs", v2(tlv=b"\x04\0\x64" + b"x" * 100),
         "192.0.2.7:4711"),
        ("v2 of the proxy itself", v2(command=0), "127.0.0.1"),
    ]

    def test_who_it_is(self):
        daemon = self.behind()
        for name, preface, _ in self.ROWS:
            with self.subTest(name), WebSocket(
                    daemon.address, preface=preface) as ws:
                self.assertEqual(ws.ask_text("{")["rsc"], 4000)
        peers = self.peers(daemon, len(self.ROWS))
        for (name, _, who), peer in zip(self.ROWS, peers):
            with self.subTest(name):
                self.assertTrue(peer.startswith(who), peer)

    def test_octet_by_octet(self):
        daemon = self.behind()
        for preface in (v1(), v2(tlv=b"\x04\0\x05xxxxx")):
            with Connection(daemon.address) as c:
                for octet in preface + upgrade_request(daemon.port):
                    c.send(bytes([octet]))
                self.assertEqual(c.read_head()[0], 101)
        self.assertEqual(self.peers(daemon, 2), ["192.0.2.7:4711"] * 2)

    def test_all_in_one_segment(self):
        daemon = self.behind()
        for preface in (v1(), v2()):
            with Connection(daemon.address) as c:
                c.send(preface + upgrade_request(daemon.port) +
                       frame(TEXT, b"{"))
                self.assertEqual(c.read_head()[0], 101)
                self.assertIn(b'"rsc":4000', c.take(c.take(2)[1]))

    def test_one_header_only(self):
        """What the client itself sends is no header any more."""
        daemon = self.behind()
        with Connection(daemon.address) as c:
            c.send(v1() + v1("10.0.0.1") + upgrade_request(daemon.port))
            self.assertEqual(c.read_head()[0], 400)
        self.assertNotIn("10.0.0.1", daemon.log_text())

    MALFORMED = [
        ("HTTP", upgrade_request(1)),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 90),
        ("zeros", b"\0" * 1000),
        ("no address", b"PROXY TCP4 x y 1 2\r\n"),
        ("a line without an end", b"PROXY UNKNOWN " + b"x" * 100),
        ("a long one", SIGNATURE + b"\x21\x11\x02\x09" + b"x" * 600),
        ("a longer one", SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 70000),
        ("version 3", SIGNATURE + b"\x31\x11\0\x0c" + b"x" * 12),
    ]

    def test_malformed(self):
        daemon = self.behind(gateway={"workers": 1})
        for name, junk in self.MALFORMED:
            with self.subTest(name), Connection(daemon.address) as c:
                try:
                    c.send(junk)
                except ConnectionError:
                    pass
                self.assertEqual(c.read_to_end(), b"")
        self.assert_served(daemon)
        log = daemon.log_text()
        self.assertIn('why="no PROXY header"', log)
        self.assertIn("peer=127.0.0.1:", log)
        self.assertEqual(
            self.counters(daemon, "worker_end", "refused_proxy"),
            len(self.MALFORMED))

    def test_too_slow(self):
        daemon = self.behind({"handshake_timeout": "1s"})
        slow = [Connection(daemon.address) for _ in range(20)]
        for i, c in enumerate(slow):
            c.send((v1() if i % 2 else v2())[:i])
        self.assert_served(daemon)      # meanwhile
        for c in slow:
            self.assertEqual(c.read_to_end(), b"")
            c.drop()
        self.assertIn('why="no PROXY header in time"', daemon.log_text())
        self.assertEqual(
            self.counters(daemon, "worker_end", "refused_proxy"), 20)

    def test_who_goes_is_not_counted(self):
        daemon = self.behind()
        for preface in (b"", v1()[:10], v2()[:20], v1(), v2()):
            with Connection(daemon.address) as c:
                c.send(preface)
        self.assert_served(daemon)
        self.assertEqual(
            self.counters(daemon, "worker_end", "refused_proxy"), 0)

    def test_not_from_there(self):
        daemon = self.behind({"proxy_from": "127.0.0.2 10.0.0.0/8"})
        for preface in (v1("10.0.0.1"), v2("127.0.0.2"), b""):
            self.assertTrue(self.refused(daemon, preface))
        self.assertFalse(self.refused(daemon, v1(), source=("127.0.0.2", 0)))
        self.assertEqual(self.peers(daemon, 1), ["192.0.2.7:4711"])
        self.assertIn('why="not in proxy_from"', daemon.log_text())
        self.assertGreaterEqual(
            self.counters(daemon, "worker_end", "refused_proxy"), 3)

    def test_where_it_is_off(self):
        daemon = self.daemon(self.embedded_cse())
        with Connection(daemon.address, preface=v1()) as c:
            c.send(upgrade_request(daemon.port))
            self.assertEqual(c.read_head()[0], 400)
        with WebSocket(daemon.address) as ws:
            self.assertEqual(ws.ask_text("{")["rsc"], 4000)

    def test_limits_are_the_clients(self):
        daemon = self.behind(limits={"sessions_per_ip": 1},
                             gateway={"workers": 4})
        for preface, near in ((v1("192.0.2.7"), v2("::ffff:192.0.2.7")),
                              (v2("2001:db8::1"), v2("2001:db8::2")),
                              (v2("2001:db8:0:1::1"), None),
                              (v1("192.0.2.8"), None)):
            self.connect(daemon, preface=preface)
            if near is not None:
                self.assertTrue(self.refused(daemon, near))
        self.assertIn("peer=192.0.2.7:4711", daemon.log_text())
        self.assertEqual(
            self.counters(daemon, "worker_end", "refused_per_ip"), 2)

    def test_rate_is_the_clients(self):
        daemon = self.behind(limits={"handshake_rate": 1})
        refused = sum(self.refused(daemon, v2("192.0.2.9"))
                      for _ in range(50))
        self.assertGreater(refused, 20)
        for i in range(50):
            self.assertFalse(self.refused(daemon, v2(f"192.0.3.{i}")))

    def test_waiting_ones_end_as_it_drains(self):
        """A request in flight is waited for, they are not."""
        cse = self.cse()
        daemon = self.daemon(cse, **options({"handshake_timeout": "1h"}))
        waiting = [Connection(daemon.address) for _ in range(10)]
        for i, c in enumerate(waiting):
            c.send(v2()[:i])
        ws = self.connect(daemon, preface=v1())
        ws.send_prim(op=2, to="cb1", fr="Cm", rqi="q", rvi="3")
        held = cse.next()
        daemon.signal()
        for c in waiting:
            self.assertEqual(c.read_to_end(), b"")
            c.drop()
        self.assertTrue(daemon.alive())
        held.answer()
        self.assertEqual(ws.recv_prim()["rqi"], "q")

    def test_many_that_wait(self):
        """They count as connections: twice max_sessions, no more."""
        daemon = self.behind({"max_sessions": 5, "handshake_timeout": "1h"},
                             gateway={"workers": 1})
        waiting = []

        def is_full():
            c = Connection(daemon.address)
            c.sock.settimeout(0.05)
            try:
                full = c.sock.recv(1) == b""
            except TimeoutError:
                full = False
            except ConnectionError:
                full = True
            waiting.append(c)
            return full
        self.assertTrue(eventually(is_full))
        self.assertIn(len(waiting), (10, 11))
        for c in waiting:
            c.drop()
        self.assertTrue(eventually(lambda: not self.refused(daemon, v1())))


class HaProxy(TlsCase):
    def in_front(self, daemon, send):
        """HAProxy before the daemon; gives its address."""
        haproxy = needs_program(self, "haproxy")
        port = free_port()
        folder = tempfile.TemporaryDirectory(prefix="m2mwsd-haproxy-")
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "haproxy.cfg")
        with open(path, "w") as out:
            out.write(f"""
global
    maxconn 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen gateway
    bind 127.0.0.1:{port}
    server m2mwsd 127.0.0.1:{daemon.port} {send} check inter 100ms
""")
        process = Process([haproxy, "-db", "-f", path])
        self.addCleanup(process.kill)
        wait_listening(process, ("127.0.0.1", port))
        return "127.0.0.1", port

    def assert_through(self, daemon, send, tls):
        address = self.in_front(daemon, send)
        with WebSocket(address, tls=tls) as ws:
            host, port = ws.sock.getsockname()
            self.assertEqual(ws.ask_text("{")["rsc"], 4000)
            log = daemon.log_text()
            self.assertRegex(log, rf"event=session_open .* peer={host}:{port}")
            self.assertEqual(ws.close(), 1000)

    def check(self, daemon, tls=None):
        for send in ("send-proxy", "send-proxy-v2",
                     "send-proxy-v2 proxy-v2-options crc32c,unique-id"):
            with self.subTest(send):
                self.assert_through(daemon, send, tls)
        # neither its checks nor anything else was refused
        self.assertEqual(
            self.counters(daemon, "worker_end", "refused_proxy"), 0)

    def test_ws(self):
        self.check(self.gateway(**options()))

    def test_wss(self):
        cert, key = self.certificate("ecdsa")
        daemon = self.tls_gateway(
            **options({"cert_file": cert, "key_file": key}))
        self.check(daemon, self.tls)

    def test_without_it(self):
        """A proxy that was not told to send it reaches nobody."""
        daemon = self.gateway(**options())
        address = self.in_front(daemon, "")
        with self.assertRaises((Gone, ConnectionError)):
            WebSocket(address)
        self.assertTrue(eventually(
            lambda: 'why="no PROXY header"' in daemon.log_text()))
