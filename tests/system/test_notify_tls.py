"""The CSE reaches entities by https: the notify endpoint with TLS."""

import os
import shutil
import signal
import ssl

from fakecse import response
from harness import Process, eventually, free_port, program
from reverse import Later, call, con_of, sgn
from tlscase import TlsCase
from wsclient import Connection


class NotifyTlsCase(TlsCase):
    def setUp(self):
        super().setUp()
        self.tls = None     # of the WebSocket
        self.ca = self.authority()
        self.port = free_port()
        self.pair = self.ca.issue("gw", "DNS:localhost")

    def secured(self, notify=(), **options):
        cert, key = self.pair
        return self.gateway(notify={
            "listen": f"127.0.0.1:{self.port}",
            "advertise": f"localhost:{self.port}", "tls": "yes",
            "cert_file": cert, "key_file": key, **dict(notify)}, **options)

    def trust(self, pair=None):
        """What the CSE calls with; pair: its own certificate."""
        context = ssl.create_default_context(cafile=self.ca.cert)
        if pair:
            context.load_cert_chain(*pair)
        return context


class Reach(NotifyTlsCase):
    def test_points_of_access(self):
        ws, poa = self.online(self.secured())
        self.assertRegex(poa, f"^https://localhost:{self.port}/r/[^/]+$")
        for i in range(3):
            later = Later(poa, sgn(str(i)), tls=self.trust())
            got = ws.recv_prim()
            self.assertEqual(con_of(got), str(i))
            self.answer(ws, got)
            self.assertEqual(later.result().rsc, 2000)

    def test_clients_never_see_them(self):
        """The client's own poa comes back, from results and requests."""
        ws = self.connect(self.secured())
        ae = self.register(ws, poa=["ws://default", "mqtt://x"])
        self.assertEqual(ae["poa"], ["ws://default", "mqtt://x"])
        ours = self.registrar.poa["Cmeter7"]
        self.assertTrue(any(url.startswith("https://") for url in ours), ours)

        def stored(request):
            if request.method == b"GET":
                return response(2000, request.rqi,
                                self.registrar.bodies["Cmeter7"])
            return None
        self.registrar.hook = stored
        got = ws.ask(op=2, to="Cmeter7", fr="Cmeter7", rqi="g", rvi="3")
        self.assertEqual(got["pc"]["m2m:ae"]["poa"],
                         ["ws://default", "mqtt://x"])

    def test_whole_bodies(self):
        ws, poa = self.online(self.secured())
        later = Later(poa, sgn("x" * 200000), tls=self.trust())
        got = ws.recv_prim()
        self.assertEqual(len(con_of(got)), 200000)
        self.answer(ws, got)
        self.assertEqual(later.result().rsc, 2000)

    def test_by_id(self):
        daemon = self.secured()
        ws, _ = self.online(daemon)
        url = f"https://localhost:{self.port}/~/id-in/Cmeter7"
        later = Later(url, sgn(), tls=self.trust())
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_plaintext_is_nothing(self):
        daemon = self.secured()
        ws, poa = self.online(daemon)
        with Connection(("127.0.0.1", self.port)) as plain:
            plain.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP", plain.read_to_end())
        self.assertTrue(eventually(
            lambda: "event=tls_failed" in daemon.log_text()))
        self.assertEqual(call(poa, sgn(), rqi="a", tls=self.trust(),
                              method="GET").rsc, 4005)

    def test_others_are_not_held_up(self):
        """Hundred that say nothing, and one that does."""
        ws, poa = self.online(self.secured(gateway={"workers": 1}))
        silent = [Connection(("127.0.0.1", self.port)) for _ in range(100)]
        for i, client in enumerate(silent):
            client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[:i % 9])
        later = Later(poa, sgn(), tls=self.trust())
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)
        for client in silent:
            client.drop()


class Certificates(NotifyTlsCase):
    def asking(self, how, **more):
        return self.secured(notify={"client_cert": how,
                                    "client_ca_file": self.ca.cert, **more})

    def refused(self, poa, pair=None):
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            call(poa, sgn(), tls=self.trust(pair))

    def reached(self, ws, poa, pair=None):
        later = Later(poa, sgn(), tls=self.trust(pair))
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_required(self):
        ws, poa = self.online(self.asking("required"))
        self.refused(poa)
        self.refused(poa, self.authority("other").issue("cse"))
        self.reached(ws, poa, self.ca.issue("cse"))

    def test_optional(self):
        ws, poa = self.online(self.asking("optional"))
        self.refused(poa, self.authority("other").issue("cse"))
        self.reached(ws, poa)
        self.reached(ws, poa, self.ca.issue("cse"))

    def test_revoked(self):
        bad = self.ca.issue("bad")
        self.ca.revoke(bad[0])
        ws, poa = self.online(self.asking("required",
                                          crl_file=self.ca.crl()))
        self.refused(poa, bad)
        self.reached(ws, poa, self.ca.issue("cse"))

    def test_reload(self):
        """A new certificate is in use without a restart."""
        live = [shutil.copy(path, os.path.join(self.tls_folder.name, name))
                for path, name in zip(self.pair, ("crt", "key"))]
        other = self.authority("other")
        new = other.issue("gw", "DNS:localhost")
        self.pair = live
        daemon = self.secured()
        ws, poa = self.online(daemon)
        self.reached(ws, poa)
        for path, to in zip(new, live):
            shutil.copy(path, to)
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: "event=reloaded" in daemon.log_text()))
        self.refused(poa)
        self.ca = other
        self.reached(ws, poa)

    def test_sessions_resume(self):
        daemon = self.secured(gateway={"workers": 2})
        tls = self.trust()
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        address = ("127.0.0.1", self.port)
        with Connection(address, tls=tls) as first:
            session = first.sock.session
        with Connection(address, tls=tls, session=session) as again:
            self.assertTrue(again.sock.session_reused)
        self.assertTrue(daemon.alive())


class Configuration(NotifyTlsCase):
    def test_rows(self):
        cert, key = self.pair
        for options, want in (
                (["tls=yes", f"cert_file={cert}", f"key_file={key}"], None),
                (["tls=yes"], "[notify] tls needs cert_file and key_file"),
                ([f"cert_file={cert}"],
                 "[notify] has no use for this without tls = yes"),
                (["tls=yes", f"cert_file={key}", f"key_file={key}"],
                 f"[notify] cert_file {key} holds no certificate in PEM"),
                (["tls=yes", f"cert_file={cert}", f"key_file={key}",
                  "client_cert=required"],
                 "[notify] client_cert needs client_ca_file")):
            check = Process([
                program("m2mwsd"), "-c", os.devnull, "-t",
                "-o", "auth.mode=open", "-o", "upstream.a.url=http://h",
                "-o", "listener.main.listen=127.0.0.1:1",
                "-o", "notify.listen=127.0.0.1:2",
                *(word for option in options
                  for word in ("-o", f"notify.{option}"))])
            with self.subTest(options):
                self.assertEqual(check.wait(10), 2 if want else 0)
                self.assertIn(want or "is fine", check.log_text())
