"""TLS: handshakes as fast as they come, silent ones, garbage, names."""

import os
import ssl
import subprocess

from attack import Attack
from swarm import HELLO, Peer


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsPeer(Peer):
    """Speaks TLS; shaken() when the handshake is done."""

    context = None

    def opened(self):
        if type(self).context is None:
            type(self).context = client_context()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing)
        self.done = False
        self.advance()

    def advance(self):
        try:
            if not self.done:
                self.tls.do_handshake()
                self.done = True
                self.swarm.notes["handshakes"] = \
                    self.swarm.notes.get("handshakes", 0) + 1
                self.shaken()
            else:
                self.tls.read()
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLError, OSError):
            self.end()
            return
        if self.sock is not None and self.outgoing.pending:
            self.say(self.outgoing.read())

    def heard(self, data):
        self.incoming.write(data)
        self.advance()

    def tell(self, data):
        self.tls.write(data)

    def shaken(self):
        pass


class FullHandshakes(Attack):
    """A new one as soon as the last is done; no tickets are used."""

    title = "TLS: full handshakes"
    target = "wss"
    peers = 200

    class kind(TlsPeer):
        def shaken(self):
            self.end(reset=True)


class FromOneAddress(FullHandshakes):
    title = "TLS: full handshakes, limits per address"
    sources = 2
    options = {"limits": {"sessions_per_ip": 8, "handshake_rate": 20}}
    limits = ("refused_rate", "refused_per_ip")


class SilentHello(Attack):
    title = "TLS: a ClientHello and silence"
    target = "wss"
    peers = 2000
    options = {'listener "wss"': {"handshake_timeout": "3s"}}

    class kind(TlsPeer):
        def heard(self, data):
            pass


class NoHello(Attack):
    title = "TLS: half a ClientHello, held open"
    target = "wss"
    peers = 3000
    options = {'listener "wss"': {"handshake_timeout": "3s"}}
    limits = ("refused_handshakes", "displaced")

    class kind(Peer):
        def opened(self):
            self.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")


class Garbage(Attack):
    title = "TLS: garbage"
    target = "wss"
    peers = 200

    class kind(Peer):
        heads = (b"", b"\x16\x03\x01\x40\x00", b"\x17\x03\x03\x40\x00",
                 b"\x15\x03\x03\x00\x02", b"\x80\x2e\x01\x00\x02", HELLO)

        def opened(self):
            self.say(self.heads[self.number % 6] + os.urandom(4096))


class GarbageInside(Attack):
    title = "TLS: garbage after the handshake"
    target = "wss"
    peers = 100

    class kind(TlsPeer):
        def shaken(self):
            self.say(self.outgoing.read() + b"\x17\x03\x03\x10\x00" +
                     os.urandom(4096))


class Renegotiation(Attack):
    """TLS 1.2 clients that ask for another handshake, again and again."""

    title = "TLS: renegotiation"
    target = "wss"
    peers = 8

    def attack(self, swarm, field):
        argv = ["openssl", "s_client", "-tls1_2", "-connect",
                "%s:%d" % field.wss]
        clients = [subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT) for _ in range(self.peers)]
        said = [0] * self.peers

        def again():
            for i, client in enumerate(clients):
                try:
                    client.stdin.write(b"R\n")
                    client.stdin.flush()
                    said[i] += 1
                except OSError:
                    pass

        swarm.every(0.1, again)
        swarm.run()
        for client in clients:
            client.kill()
            client.wait()
        swarm.connections = self.peers
        swarm.notes["asked"] = sum(said)


class CertificateNames(Attack):
    """Names in certificates of clients that would forge a line."""

    title = "TLS: log injection by certificate names"
    target = "wss"
    peers = 12
    names = ("evil\nlevel=error event=pwned", "evil\" event=pwned x=\"",
             "\x1b[2Jevil", "evil\r\nts=2020 event=pwned", "\u202eevil\x85")

    options = {"log": {"level": "debug"}}

    def __init__(self):
        import tempfile
        self.folder = tempfile.TemporaryDirectory(prefix="m2mwsd-names-")
        self.files = []
        for n, name in enumerate(self.names):
            base = os.path.join(self.folder.name, str(n))
            escaped = name.replace("\\", "\\\\").replace("/", "\\/")
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-utf8",
                 "-subj", f"/CN={escaped}", "-keyout", base + ".key", "-out",
                 base + ".crt"], check=True, capture_output=True)
            self.files.append((base + ".crt", base + ".key"))
        trusted = os.path.join(self.folder.name, "ca")
        with open(trusted, "w") as out:
            for cert, _ in self.files:
                with open(cert) as one:
                    out.write(one.read())
        self.options = dict(self.options, **{'listener "wss"': {
            "client_cert": "optional", "client_ca_file": trusted}})
        CertificateNames.files = self.files

    class kind(TlsPeer):
        def opened(self):
            files = CertificateNames.files
            self.context = client_context()
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2
            self.context.load_cert_chain(*files[self.number % len(files)])
            super().opened()

        def shaken(self):
            self.tell(HELLO + b"\r\n")

        def advance(self):
            super().advance()
            if self.done and self.sock is not None and self.number > 500:
                self.returns = False

    def check(self, field, log):
        if "certificate=" not in log or "evil" not in log:
            return ["no name was logged"]
        return []

    def finish(self, field):
        self.folder.cleanup()
