"""Client certificates as credentials: who they name, and as whom it speaks."""

import ssl

from harness import needs_program
from test_credentials import CredentialCase
from tlscase import TlsCase, make_certificate

NAMES = {
    "meter": ("meter seven, west", "DNS:localhost"),
    "field": ("meter seven, west", "URI:urn:example:mn-cse7"),
    "stranger": ("stranger", "DNS:meter"),
}


class CertificateCase(TlsCase, CredentialCase):
    CREDENTIALS = {"token": {"originators": "Ctoken"}}

    def setUp(self):
        super().setUp()
        openssl = needs_program(self, "openssl")
        self.client_certs = {
            who: make_certificate(openssl, self.folder.name, "ecdsa", name,
                                  alt, who)
            for who, (name, alt) in NAMES.items()}
        ca = self.write("ca", [open(cert).read()
                               for cert, _ in self.client_certs.values()])
        with open(self.file, "a") as out:
            out.write('[credential "by-name"]\n'
                      "certificate = meter seven, west\n"
                      "originators = Cmeter*\n"
                      '[credential "by-uri"]\n'
                      "certificate = urn:example:mn-cse7\n"
                      "originators = /mn-cse7/*\n")
        self.asking = {"client_cert": "optional", "client_ca_file": ca}

    def gated(self, mode="credential"):
        return self.tls_gateway(
            listener=self.asking,
            auth={"mode": mode, "originators_file": self.file})

    def context(self, who):
        context = ssl.create_default_context(
            cafile=self.certificate("ecdsa")[0])
        if who is not None:
            context.load_cert_chain(*self.client_certs[who])
        return context

    def come(self, daemon, who, *headers):
        return self.connect(daemon, tls=self.context(who),
                            headers=list(headers))


class Identity(CertificateCase):
    def test_each_speaks_for_its_own(self):
        daemon = self.gated()
        ws = self.come(daemon, "meter")
        self.assertEqual(self.ask(ws, "Cmeter7"), 2000)
        self.assertEqual(self.ask(ws, "Cother"), 4106)
        ws = self.come(daemon, "field")
        self.assertEqual(self.ask(ws, "/mn-cse7/Cbelow"), 2000)
        self.assertEqual(self.ask(ws, "Cmeter7"), 4106)

    def test_others_need_another_credential(self):
        daemon = self.gated()
        for who in (None, "stranger"):
            self.refused(daemon, tls=self.context(who))
            ws = self.come(daemon, who, self.bearer("token"))
            self.assertEqual(self.ask(ws, "Ctoken"), 2000)
            self.refused(daemon, "Authorization: Bearer token.wrong",
                         tls=self.context(who))

    def test_the_certificate_is_stronger(self):
        daemon = self.gated()
        ws = self.come(daemon, "meter", self.bearer("token"))
        self.assertEqual(self.ask(ws, "Cmeter7"), 2000)
        self.assertEqual(self.ask(ws, "Ctoken"), 4106)

    def test_takes_over_from_those_without(self):
        daemon = self.gated("registered")
        weak = self.come(daemon, None)
        self.register(weak, "Cmeter1")
        strong = self.come(daemon, "meter")
        self.assertEqual(self.ask(strong, "Cmeter1"), 2000)
        self.assertEqual(weak.close_received(), 1000)
