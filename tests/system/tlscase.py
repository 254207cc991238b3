"""What tests of TLS share: certificates that openssl makes, and a gateway that
serves wss."""

import os
import ssl
import subprocess
import tempfile

from harness import needs_program
from reverse import ReverseCase

KEYS = {
    "ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa": ["rsa:2048"],
}

CA_CONF = """
[ca]
default_ca = this
[this]
database = {0}/index
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
default_days = 2
default_crl_days = 2
unique_subject = no
policy = any
copy_extensions = copy
x509_extensions = strict
[strict]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[any]
commonName = supplied
"""


def run(*args):
    subprocess.run(args, check=True, capture_output=True)


def make_certificate(openssl, folder, kind, name="localhost",
                     alt="DNS:localhost", file=None, more=()):
    """A self-signed one, for localhost; the paths of it and its key."""
    cert = os.path.join(folder, f"{file or kind}.crt")
    key = os.path.join(folder, f"{file or kind}.key")
    run(openssl, "req", "-x509", "-newkey", *KEYS[kind], "-nodes", "-days",
        "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={alt}",
        *more, "-keyout", key, "-out", cert)
    return cert, key


class Authority:
    """Signs certificates, and takes them back."""

    def __init__(self, openssl, folder, name="ca"):
        self.openssl = openssl
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.conf = self.path("conf")
        for file, text in (("conf", CA_CONF.format(self.folder)),
                           ("index", ""), ("serial", "1000\n")):
            with open(self.path(file), "w") as out:
                out.write(text)
        self.cert, self.key = make_certificate(
            openssl, self.folder, "ecdsa", name, file="ca",
            more=("-addext", "keyUsage=critical,keyCertSign,cRLSign"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def ca(self, *args):
        run(self.openssl, "ca", "-config", self.conf, "-cert", self.cert,
            "-keyfile", self.key, *args)

    def issue(self, name, alt=None, dates=()):
        """For that common name and subjectAltName; the paths of it and its
        key."""
        cert, key, asked = (self.path(f"{name}.{end}")
                            for end in ("crt", "key", "csr"))
        more = ["-addext", f"subjectAltName={alt}"] if alt else []
        run(self.openssl, "req", "-newkey", *KEYS["ecdsa"], "-nodes", "-subj",
            f"/CN={name}", *more, "-keyout", key, "-out", asked)
        self.ca("-batch", "-notext", *dates, "-in", asked, "-out", cert)
        return cert, key

    def revoke(self, cert):
        self.ca("-revoke", cert)

    def crl(self):
        path = self.path("crl.pem")
        self.ca("-gencrl", "-out", path)
        return path


class TlsCase(ReverseCase):
    seconds = 30

    def setUp(self):
        super().setUp()
        self.tls_folder = tempfile.TemporaryDirectory(prefix="m2mwsd-tls-")
        self.addCleanup(self.tls_folder.cleanup)
        self.certificates = {}

    def certificate(self, kind):
        if kind not in self.certificates:
            openssl = needs_program(self, "openssl")
            self.certificates[kind] = make_certificate(
                openssl, self.tls_folder.name, kind)
        return self.certificates[kind]

    def authority(self, name="ca"):
        return Authority(needs_program(self, "openssl"), self.tls_folder.name,
                         name)

    def tls_gateway(self, kind="ecdsa", listener=(), **options):
        cert, key = self.certificate(kind)
        self.tls = ssl.create_default_context(cafile=cert)
        return self.gateway(
            listener={"tls": "yes", "cert_file": cert, "key_file": key,
                      **dict(listener)}, **options)

    def connect(self, daemon, **how):
        if "tls" not in how:
            how["tls"] = self.tls
        return super().connect(daemon, **how)

    def works(self, ws):
        self.assertEqual(ws.ask_text("{")["rsc"], 4000)

    def still_serves(self, daemon):
        self.assert_alive(daemon, tls=self.tls)
