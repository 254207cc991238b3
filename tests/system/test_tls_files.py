"""wss: which certificates a listener shows, and whose it takes."""

import os
import re
import ssl
import subprocess

from harness import Process, eventually, needs_program, program
from tlscase import TlsCase, make_certificate
from wsclient import Gone


class Names(TlsCase):
    """Several certificates on one listener."""

    def pair(self, kind, name):
        return make_certificate(self.openssl, self.tls_folder.name, kind, name,
                                f"DNS:{name}", f"{name}-{kind}")

    def setUp(self):
        super().setUp()
        self.openssl = needs_program(self, "openssl")
        self.pairs = [self.pair("ecdsa", "a.example"),
                      self.pair("rsa", "a.example"),
                      self.pair("ecdsa", "*.b.example")]

    def many(self, **options):
        return self.gateway(listener={
            "tls": "yes",
            "cert_file": " ".join(cert for cert, _ in self.pairs),
            "key_file": ", ".join(key for _, key in self.pairs)}, **options)

    def context(self, cert, check=True):
        context = ssl.create_default_context(cafile=cert)
        context.check_hostname = check
        return context

    def test_each_by_its_name(self):
        daemon = self.many()
        for which, name in ((0, "a.example"), (0, "A.Example"),
                            (2, "gw7.b.example"), (2, "b7.b.example")):
            with self.subTest(name):
                context = self.context(self.pairs[which][0])
                self.works(self.connect(daemon, tls=context, sni=name))

    def test_rsa_for_those_who_need_it(self):
        daemon = self.many()
        old = self.context(self.pairs[1][0])
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
        self.works(self.connect(daemon, tls=old, sni="a.example"))
        old.check_hostname = False
        for name in (None, "unknown.example"):
            with self.subTest(name):
                self.works(self.connect(daemon, tls=old, sni=name))

    def test_the_first_by_default(self):
        daemon = self.many()
        first = self.context(self.pairs[0][0], check=False)
        for name in (None, "unknown.example"):
            with self.subTest(name):
                self.works(self.connect(daemon, tls=first, sni=name))

    def test_resumed_as_well(self):
        daemon = self.many(gateway={"workers": 2})
        context = self.context(self.pairs[2][0])
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        first = self.connect(daemon, tls=context, sni="x.b.example")
        again = self.connect(daemon, tls=context, sni="x.b.example",
                             session=first.sock.session)
        self.assertTrue(again.sock.session_reused)
        self.works(again)

    def test_wrong_lists(self):
        self.pairs[2] = (self.pairs[2][0], self.pairs[0][1])
        check = Process([
            program("m2mwsd"), "-c", "/dev/null", "-t",
            "-o", "upstream.cse.url=http://127.0.0.1:1",
            "-o", "listener.main.listen=127.0.0.1:1",
            "-o", "listener.main.tls=yes",
            "-o", "listener.main.cert_file=" + " ".join(
                cert for cert, _ in self.pairs),
            "-o", "listener.main.key_file=" + " ".join(
                key for _, key in self.pairs)])
        self.assertEqual(check.wait(10), 2)
        self.assertIn(f"key_file {self.pairs[0][1]} is not the key of",
                      check.log_text())


class Revoked(TlsCase):
    def setUp(self):
        super().setUp()
        self.ca = self.authority()
        self.good = self.ca.issue("good")
        self.bad = self.ca.issue("bad")
        self.ca.revoke(self.bad[0])

    def asking(self, how, **more):
        return self.tls_gateway(listener=dict({
            "client_cert": how, "client_ca_file": self.ca.cert,
            "crl_file": self.ca.crl()}, **more))

    def client(self, pair):
        context = ssl.create_default_context(
            cafile=self.certificate("ecdsa")[0])
        context.load_cert_chain(*pair)
        return context

    def test_refused(self):
        for how in ("optional", "required"):
            daemon = self.asking(how)
            with self.subTest(how):
                with self.assertRaises((ssl.SSLError, ConnectionError, Gone)):
                    self.works(self.connect(daemon, tls=self.client(self.bad)))
                self.works(self.connect(daemon, tls=self.client(self.good)))
                self.assertTrue(eventually(
                    lambda: "revoked" in daemon.log_text()))

    def test_without_the_list(self):
        daemon = self.asking("required", crl_file="")
        self.works(self.connect(daemon, tls=self.client(self.bad)))


class Tickets(TlsCase):
    """With openssl's own client, as a device has it."""

    def setUp(self):
        super().setUp()
        self.certificate("ecdsa")
        self.session = os.path.join(self.tls_folder.name, "session")
        self.state = os.path.join(self.tls_folder.name, "state")
        os.mkdir(self.state)
        self.file = os.path.join(self.state, "tickets")

    def life(self, state):
        return self.tls_gateway(gateway={"workers": 2, "state_dir": state})

    def end(self, daemon):
        daemon.ended = True
        daemon.kill()

    def shake(self, daemon, way):
        """What s_client says first: New or Reused."""
        got = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.port}",
             "-tls1_2",
             "-CAfile", self.certificates["ecdsa"][0], way, self.session],
            input=b"", capture_output=True, timeout=20)
        said = re.search(rb"^(New|Reused), TLS", got.stdout, re.M)
        self.assertTrue(said, got.stdout + got.stderr)
        return said[1].decode()

    def test_after_a_restart(self):
        daemon = self.life(self.state)
        self.assertEqual(self.shake(daemon, "-sess_out"), "New")
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        for _ in range(3):
            self.end(daemon)
            daemon = self.life(self.state)
            self.assertEqual(self.shake(daemon, "-sess_in"), "Reused")
        self.assertEqual(sorted(os.listdir(self.state))[-1], "tickets")

    def test_not_of_a_damaged_file(self):
        daemon = self.life(self.state)
        self.shake(daemon, "-sess_out")
        self.end(daemon)
        with open(self.file, "r+b") as file:
            file.truncate(50)
        daemon = self.life(self.state)
        self.assertEqual(self.shake(daemon, "-sess_in"), "New")
        self.still_serves(daemon)

    def test_not_without_state_dir(self):
        daemon = self.life("")
        self.shake(daemon, "-sess_out")
        self.assertEqual(self.shake(daemon, "-sess_in"), "Reused")
        self.end(daemon)
        daemon = self.life("")
        self.assertEqual(self.shake(daemon, "-sess_in"), "New")
