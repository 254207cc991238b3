"""https: to the CSE: whom the gateway trusts, and that all works as before."""

import os
import shutil
import signal
import ssl

from fakecse import ok, response
from harness import Process, eventually, free_port, program
from reverse import CSE_ID, Later, sgn
from tlscase import TlsCase

PAST = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z")


class HttpsCase(TlsCase):
    def setUp(self):
        super().setUp()
        self.ca = self.authority()
        self.tls = None     # towards the gateway

    def server(self, pair, handler=ok, asks=None):
        """A CSE that shows the pair; asks: clients for one of that CA's."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if asks:
            context.load_verify_locations(asks)
            context.verify_mode = ssl.CERT_REQUIRED
        return self.cse(handler, tls=context)

    def good(self, **how):
        return self.server(self.ca.issue("good", "DNS:localhost"), **how)

    def front(self, cse, url=None, **upstream):
        return self.daemon(url or cse, upstream={
            "ca_file": self.ca.cert, **upstream}, gateway={"workers": 1})

    def ask(self, ws, rqi="r1"):
        return ws.ask(op=2, to="cse-in", fr="C1", rqi=rqi, rvi="3")["rsc"]

    def refused(self, daemon, why):
        """No request gets there, and one line tells why."""
        with self.connect(daemon) as ws:
            for i in range(3):
                self.assertEqual(self.ask(ws, f"r{i}"), 5103)
        lines = [line for line in daemon.log_text().split("\n")
                 if "event=upstream_tls_failed" in line]
        self.assertEqual(len(lines), 1, daemon.log_text())
        self.assertIn("upstream=cse", lines[0])
        self.assertRegex(lines[0], why)
        self.assertIn("event=upstream_down", daemon.log_text())


class Trust(HttpsCase):
    def test_good(self):
        cse = self.good()
        daemon = self.front(cse)
        ws = self.connect(daemon)
        for i in range(10):
            self.assertEqual(self.ask(ws, f"r{i}"), 2000)
        self.assertEqual(cse.accepted, 1)
        self.assertEqual(cse.requests[0].header("Host"), cse.authority)
        self.assertNotIn("tls_failed", daemon.log_text())

    def test_wrong_name(self):
        cse = self.server(self.ca.issue("other", "DNS:other.example"))
        self.refused(self.front(cse), "does not match")
        self.assertEqual(cse.requests, [])

    def test_unknown_authority(self):
        cse = self.good()
        other = self.authority("other")
        self.refused(self.front(cse, ca_file=other.cert), "not correctly signed")

    def test_expired(self):
        cse = self.server(self.ca.issue("old", "DNS:localhost", PAST))
        self.refused(self.front(cse), "expired")

    def test_addresses(self):
        cse = self.server(self.ca.issue("ip", "IP:127.0.0.1"))
        url = f"https://127.0.0.1:{cse.port}"
        ws = self.connect(self.front(cse, url))
        self.assertEqual(self.ask(ws), 2000)

    def test_address_that_is_not_named(self):
        cse = self.good()
        self.refused(self.front(cse, f"https://127.0.0.1:{cse.port}"),
                     "does not match")

    def test_plain_server(self):
        cse = self.cse()
        cse.take = lambda link: link.send(b"HTTP/1.1 400 X\r\n\r\n")
        daemon = self.front(cse, f"https://localhost:{cse.port}")
        self.refused(daemon, "SSL - ")

    def test_old_version(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.ca.issue("old", "DNS:localhost"))
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        self.refused(self.front(self.cse(ok, tls=context)), "SSL - ")

    def test_up_again(self):
        """What is wrong is told once, and again after it was good."""
        port = free_port()
        wrong = self.ca.issue("wrong", "DNS:wrong.example")
        right = self.ca.issue("right", "DNS:localhost")
        daemon = self.front(None, f"https://localhost:{port}",
                            keepalive="50ms")
        ws = self.connect(daemon)
        for _ in range(2):
            for pair, rsc in ((wrong, 5103), (right, 2000)):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*pair)
                cse = self.cse(ok, tls=context, port=port)
                self.assertEqual(self.ask(ws), rsc)
                cse.close()
        self.assertTrue(eventually(
            lambda: daemon.log_text().count("event=upstream_up") == 2))
        self.assertEqual(daemon.log_text().count("upstream_tls_failed"), 2)


class OurCertificate(HttpsCase):
    def setUp(self):
        super().setUp()
        self.clients = self.authority("clients")

    def test_shown(self):
        cert, key = self.clients.issue("gateway")
        cse = self.good(asks=self.clients.cert)
        ws = self.connect(self.front(cse, cert_file=cert, key_file=key))
        self.assertEqual(self.ask(ws), 2000)
        link = cse.requests[0].link
        subject = dict(x[0] for x in link.sock.getpeercert()["subject"])
        self.assertEqual(subject["commonName"], "gateway")

    def test_none_to_show(self):
        cse = self.good(asks=self.clients.cert)
        self.refused(self.front(cse), "alert")
        self.assertEqual(cse.requests, [])

    def test_of_somebody_else(self):
        cert, key = self.ca.issue("gateway")
        cse = self.good(asks=self.clients.cert)
        self.refused(self.front(cse, cert_file=cert, key_file=key), "alert")


class Reload(HttpsCase):
    def test_others_vouch_for_the_cse(self):
        """For the next connection; a file of no use changes nothing."""
        cse = self.good()
        other = self.authority("others")
        where = shutil.copy(other.cert, os.path.join(
            self.tls_folder.name, "trusted"))
        daemon = self.front(cse, ca_file=where)
        ws = self.connect(daemon)
        self.assertEqual(self.ask(ws, "r1"), 5103)
        with open(where, "w") as out:
            out.write("nobody\n")
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: "event=reload_failed" in daemon.log_text()))
        self.assertEqual(self.ask(ws, "r2"), 5103)
        shutil.copy(self.ca.cert, where)
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: "event=reloaded" in daemon.log_text()))
        self.assertEqual(self.ask(ws, "r3"), 2000)


class Traffic(HttpsCase):
    def test_many_at_once(self):
        cse = self.good()
        daemon = self.front(cse, connections=4)
        ws = self.connect(daemon)
        for i in range(100):
            ws.send_prim(op=2, to="cse-in", fr="C1", rqi=f"r{i}", rvi="3")
        got = {ws.recv_prim()["rqi"] for _ in range(100)}
        self.assertEqual(got, {f"r{i}" for i in range(100)})
        self.assertLessEqual(cse.accepted, 4)

    def test_large_ones(self):
        """Content that takes many records, both ways."""
        def echo(request):
            return response(2001, request.rqi, request.body, status=201)
        ws = self.connect(self.front(self.good(handler=echo)))
        for size in (1, 16383, 16384, 16385, 100000, 200000):
            pc = {"m2m:cin": {"con": "x" * size}}
            got = ws.ask(op=1, to="cse-in/c", fr="C1", rqi=f"s{size}",
                         rvi="3", ty=4, pc=pc)
            self.assertEqual((got["rsc"], got["pc"]), (2001, pc))

    def test_server_closes_between(self):
        def once(request):
            request.reply(response(2000, request.rqi), close=True)
            return b""
        cse = self.good(handler=once)
        ws = self.connect(self.front(cse))
        for i in range(20):
            self.assertEqual(self.ask(ws, f"r{i}"), 2000)
        self.assertEqual(cse.accepted, 20)

    def test_server_hangs_up(self):
        """On each second request: that one comes again, on a new one."""
        def first_only(request):
            if request.link.requests == 1:
                return ok(request)
            request.close()
            return b""
        cse = self.good(handler=first_only)
        ws = self.connect(self.front(cse))
        for i in range(6):
            self.assertEqual(self.ask(ws, f"r{i}"), 2000)
        self.assertEqual(cse.accepted, 6)
        self.assertEqual(len(cse.requests), 11)

    def test_answer_cut_off(self):
        """An end that nobody has signed is none."""
        def cut(request):
            request.reply(b"HTTP/1.1 200 X\r\nX-M2M-RSC: 2000\r\n\r\n{",
                          close=True)
            return b""
        cse = self.good(handler=cut)
        self.assertEqual(self.ask(self.connect(self.front(cse))), 5000)

    def test_handshake_that_hangs(self):
        """connect_timeout covers it."""
        cse = self.cse()
        cse.take = lambda link: False
        daemon = self.front(cse, f"https://localhost:{cse.port}",
                            connect_timeout="300ms")
        self.assertEqual(self.ask(self.connect(daemon)), 5103)

    def test_with_wss_and_back(self):
        """All sides at once: wss, https, and the way back."""
        cse = self.good(handler=self.registrar)
        daemon = self.tls_gateway(
            cse=cse, upstream={"ca_file": self.ca.cert, "cse_id": CSE_ID})
        ws, poa = self.online(daemon)
        later = Later(poa, sgn())
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_stop_while_shaking_hands(self):
        cse = self.cse()
        cse.take = lambda link: False
        daemon = self.front(cse, f"https://localhost:{cse.port}")
        ws = self.connect(daemon)
        ws.send_prim(op=2, to="cse-in", fr="C1", rqi="r", rvi="3")
        self.assertTrue(eventually(lambda: cse.accepted))


class Configuration(HttpsCase):
    def check(self, *options):
        check = Process([
            program("m2mwsd"), "-c", os.devnull, "-t",
            "-o", "auth.mode=open", "-o", "listener.main.listen=127.0.0.1:1",
            *(word for option in options
              for word in ("-o", f"upstream.cse.{option}"))])
        return check.wait(10), check.log_text()

    def test_rows(self):
        cert, key = self.ca.issue("gateway")
        for options, want in (
                (["url=https://h", f"ca_file={self.ca.cert}"], None),
                (["url=https://h", f"ca_file={self.ca.cert}",
                  f"cert_file={cert}", f"key_file={key}"], None),
                (["url=https://h", f"ca_file={self.ca.cert}",
                  f"cert_file={cert}"], "cert_file needs key_file"),
                (["url=https://h", f"ca_file={self.ca.cert}",
                  f"key_file={key}"], "key_file needs cert_file"),
                (["url=https://h", f"ca_file={key}"],
                 "holds no certificate in PEM"),
                (["url=https://h", f"ca_file={self.ca.cert}",
                  f"cert_file={cert}", f"key_file={self.ca.key}"],
                 "is not the key of"),
                (["url=http://h", f"ca_file={self.ca.cert}"],
                 "has no use for this without an https: url"),
                (["url=unix:/x", f"cert_file={cert}", f"key_file={key}"],
                 "has no use for this without an https: url")):
            status, said = self.check(*options)
            with self.subTest(options):
                self.assertEqual(status, 2 if want else 0, said)
                self.assertIn(want or "is fine", said)

    def test_the_systems_authorities(self):
        status, said = self.check("url=https://h")
        there = os.path.exists("/etc/ssl/certs/ca-certificates.crt")
        self.assertEqual(status, 0 if there else 2, said)
