"""wss: what a browser or a device sees of the listener's TLS."""

import os
import signal
import socket
import ssl
import struct
import threading

from harness import Process, eventually, free_port, program, within
from reverse import Later, con_of, sgn
from tlscase import KEYS, TlsCase
from wsclient import Connection, Gone, WebSocket, upgrade_request


class Offer(TlsCase):
    def test_kinds_of_certificates(self):
        for kind in KEYS:
            with self.subTest(kind):
                daemon = self.tls_gateway(kind)
                ws = self.connect(daemon)
                self.works(ws)
                self.assertIn(ws.sock.version(), ("TLSv1.2", "TLSv1.3"))
                self.assertEqual(ws.close(), 1000)

    def test_old_versions_are_refused(self):
        daemon = self.tls_gateway()
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            old = ssl.create_default_context(
                cafile=self.certificate("ecdsa")[0])
            old.set_ciphers("ALL:@SECLEVEL=0")
            old.minimum_version = version
            old.maximum_version = version
            with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
                WebSocket(daemon.address, tls=old)
        self.still_serves(daemon)

    def test_ciphers(self):
        daemon = self.tls_gateway()
        for name, taken in (("ECDHE-ECDSA-AES128-GCM-SHA256", True),
                            ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
                            ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
                            ("ECDHE-ECDSA-AES128-SHA256", False),
                            ("ECDHE-ECDSA-AES128-CCM", False)):
            self.tls.maximum_version = ssl.TLSVersion.TLSv1_2
            self.tls.set_ciphers(name)
            with self.subTest(name):
                if taken:
                    self.works(self.connect(daemon))
                    continue
                with self.assertRaisesRegex(ssl.SSLError, "ALERT"):
                    self.connect(daemon)

    def test_sessions_resume_on_any_worker(self):
        daemon = self.tls_gateway(gateway={"workers": 4})
        self.tls.maximum_version = ssl.TLSVersion.TLSv1_2
        first = self.connect(daemon)
        session = first.sock.session
        self.assertFalse(first.sock.session_reused)
        for _ in range(20):
            ws = self.connect(daemon, session=session)
            self.assertTrue(ws.sock.session_reused)
            self.works(ws)
            ws.drop()

    def test_plain_listener_beside_it(self):
        port = free_port()
        daemon = self.tls_gateway(
            **{'listener "plain"': {"listen": f"127.0.0.1:{port}"}})
        self.works(self.connect(daemon))
        with WebSocket(("127.0.0.1", port)) as ws:
            self.works(ws)


class Wrong(TlsCase):
    def test_plaintext(self):
        daemon = self.tls_gateway()
        with Connection(daemon.address) as plain:
            plain.send(upgrade_request(daemon.port))
            said = plain.read_to_end()
        self.assertTrue(said == b"" or said[0] == 0x15, said)
        self.assertTrue(eventually(
            lambda: "event=tls_failed" in daemon.log_text()))
        self.still_serves(daemon)

    def test_garbage(self):
        daemon = self.tls_gateway()
        for junk in (b"\0" * 70000, os.urandom(70000),
                     b"\x16\x03\x01\xff\xff" + b"a" * 70000,
                     b"\x16\x03\x01\x40\x00" + b"a" * 16384,
                     b"\x80\x2e\x01\x00\x02" + b"a" * 100):
            with Connection(daemon.address) as client:
                try:
                    client.send(junk)
                except ConnectionError:
                    pass
                client.read_to_end()
        self.still_serves(daemon)

    def test_slow_handshakes_hold_up_nobody(self):
        daemon = self.tls_gateway(listener={"handshake_timeout": "1s"},
                                  gateway={"workers": 1})
        slow = [Connection(daemon.address) for _ in range(50)]
        for i, client in enumerate(slow):
            # from nothing up to half a hello
            client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[:i])
        for _ in range(5):
            self.works(self.connect(daemon))
        for client in slow:
            self.assertEqual(client.read_to_end(), b"")
            client.drop()
        self.still_serves(daemon)

    def test_handshake_without_a_request(self):
        daemon = self.tls_gateway(listener={"handshake_timeout": "1s"})
        with Connection(daemon.address, tls=self.tls) as client:
            self.assertEqual(client.read_head()[0], 408)
            self.assertEqual(client.read_to_end(), b"")

    def test_peers_that_go(self):
        """At any octet of what a client says up to its first message."""
        daemon = self.tls_gateway(gateway={"workers": 1})
        bio_in, bio_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        side = self.tls.wrap_bio(bio_in, bio_out, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            side.do_handshake()
        hello = bio_out.read()
        for n in range(0, len(hello), 7):
            with Connection(daemon.address) as client:
                client.send(hello[:n])
                if n % 2:
                    client.sock.setsockopt(socket.SOL_SOCKET,
                                           socket.SO_LINGER,
                                           struct.pack("ii", 1, 0))
        self.still_serves(daemon)

    def test_cut_is_not_closed(self):
        """Without close_notify and without a Close: 1006, and no crash."""
        daemon = self.tls_gateway()
        ws = self.connect(daemon)
        self.works(ws)
        os.close(ws.sock.detach())
        self.assertTrue(eventually(
            lambda: "event=session_close" in daemon.log_text()),
            daemon.log_text())

    def test_bad_files(self):
        ecdsa, rsa = self.certificate("ecdsa"), self.certificate("rsa")
        base = ["-o", "listener.main.listen=127.0.0.1:1",
                "-o", "listener.main.tls=yes",
                "-o", "upstream.cse.url=http://127.0.0.1:1"]
        empty = os.path.join(self.tls_folder.name, "empty.conf")
        open(empty, "w").close()
        for cert, key, want in (
                (ecdsa[0], ecdsa[1], None), (rsa[0], rsa[1], None),
                (ecdsa[0], rsa[1], "is not the key of"),
                (ecdsa[1], ecdsa[1], "holds no certificate in PEM"),
                ("/nowhere", ecdsa[1],
                 "cert_file /nowhere cannot be read: no such"),
                (ecdsa[0], "", "tls needs cert_file and key_file")):
            check = Process([program("m2mwsd"), "-c", empty, "-t", *base,
                             "-o", f"listener.main.cert_file={cert}",
                             "-o", f"listener.main.key_file={key}"])
            with self.subTest(want):
                self.assertEqual(check.wait(10), 2 if want else 0)
                self.assertIn(want or "is fine", check.log_text())


class Traffic(TlsCase):
    @within(60)
    def test_hundred_clients(self):
        daemon = self.tls_gateway()
        clients = [self.connect(daemon) for _ in range(100)]
        for i, ws in enumerate(clients):
            ws.send_prim(op=1, to="cse-in", fr=f"C{i}", rqi=f"r{i}", rvi="3",
                         ty=2, pc={"m2m:ae": {"api": "N1", "rr": True,
                                              "srv": ["3"]}})
        for i, ws in enumerate(clients):
            got = ws.recv_prim()
            self.assertEqual((got["rsc"], got["rqi"]), (2001, f"r{i}"))
        for ws in clients:
            self.assertEqual(ws.close(), 1000)

    def test_messages_of_all_sizes(self):
        daemon = self.tls_gateway()
        ws = self.connect(daemon)
        self.register(ws)
        for size in (0, 1, 125, 126, 16000, 16384, 17000, 65536, 200000):
            pc = {"m2m:cin": {"con": "x" * size}}
            got = ws.ask(op=1, to="cse-in/c", fr="Cmeter7", rqi=f"s{size}",
                         rvi="3", ty=4, pc=pc)
            self.assertEqual((got["rsc"], got["pc"]), (2001, pc))

    def test_octet_by_octet(self):
        daemon = self.tls_gateway()
        ws = self.connect(daemon)
        frame = b"\x81\x81\0\0\0\0{"
        for octet in frame:
            ws.send(bytes([octet]))
        self.assertEqual(ws.recv_prim()["rsc"], 4000)

    def test_reverse_delivery(self):
        ws, poa = self.online(self.tls_gateway())
        laters = [Later(poa, sgn(str(i) * 10000)) for i in range(8)]
        for _ in laters:
            got = ws.recv_prim()
            self.assertEqual(len(con_of(got)), 10000)
            self.answer(ws, got)
        for later in laters:
            self.assertEqual(later.result().rsc, 2000)

    def test_one_that_does_not_read(self):
        """Its queue fills, it is dropped; the others are served."""
        daemon = self.tls_gateway(limits={"max_queue": "64k"},
                                  notify={"timeout": "2s"},
                                  gateway={"workers": 1})
        stuck, poa = self.online(daemon)
        other, poa2 = self.online(daemon, "Cother")
        laters = [Later(poa, sgn("x" * 25000)) for _ in range(100)]
        for _ in range(10):
            later = Later(poa2, sgn())
            self.answer(other, other.recv_prim())
            self.assertEqual(later.result().rsc, 2000)
        for later in laters:
            self.assertIn(later.result().rsc, (4008, 5103))

    def test_drain(self):
        daemon = self.tls_gateway(gateway={"drain_timeout": "5s"})
        idle, busy = self.connect(daemon), self.connect(daemon)
        self.register(busy)
        half = Connection(daemon.address)
        half.send(b"\x16\x03\x01")
        daemon.signal(signal.SIGTERM)
        for ws in (idle, busy):
            self.assertEqual(ws.close_received(), 1012)
            ws.send_frame(8, struct.pack("!H", 1012))
            # close_notify, not just an end
            self.assertEqual(ws.sock.recv(1), b"")
        self.assertEqual(half.read_to_end(), b"")
        half.drop()
        self.assertEqual(daemon.wait(8), 0)

    def test_close_notify_instead_of_close(self):
        daemon = self.tls_gateway()
        ws = self.connect(daemon)
        self.works(ws)
        ws.sock.unwrap().close()
        self.still_serves(daemon)

    @within(60)
    def test_clients_at_once(self):
        """Handshakes of many threads on two workers."""
        daemon = self.tls_gateway(gateway={"workers": 2})
        failed = []

        def one():
            try:
                for _ in range(5):
                    with WebSocket(daemon.address, tls=self.tls) as ws:
                        self.works(ws)
            except (OSError, AssertionError, Gone) as e:
                failed.append(e)

        threads = [threading.Thread(target=one) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])


class ClientCertificates(TlsCase):
    def asking(self, how):
        ca = self.certificate("p384")[0]
        return self.tls_gateway(listener={"client_cert": how,
                                          "client_ca_file": ca})

    def client(self, kind):
        """A context with a certificate of that kind; None: without."""
        context = ssl.create_default_context(
            cafile=self.certificate("ecdsa")[0])
        if kind is not None:
            context.load_cert_chain(*self.certificate(kind))
        return context

    def refused(self, daemon, kind):
        with self.assertRaises((ssl.SSLError, ConnectionError, Gone)):
            with WebSocket(daemon.address, tls=self.client(kind)) as ws:
                self.works(ws)

    def test_required(self):
        daemon = self.asking("required")
        for kind in (None, "rsa"):
            with self.subTest(kind):
                self.refused(daemon, kind)
        ws = self.connect(daemon, tls=self.client("p384"))
        self.works(ws)
        self.assertTrue(eventually(
            lambda: "certificate=localhost" in daemon.log_text()))

    def test_optional(self):
        daemon = self.asking("optional")
        self.refused(daemon, "rsa")
        for kind in (None, "p384"):
            self.works(self.connect(daemon, tls=self.client(kind)))

    def test_not_resumed(self):
        """A ticket would be as good as the certificate, and outlive it."""
        daemon = self.asking("required")
        ws = self.connect(daemon, tls=self.client("p384"))
        self.works(ws)
        self.assertFalse(ws.sock.session.has_ticket)
