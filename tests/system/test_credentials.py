"""Who may connect with which credential, and as whom it may speak."""

import base64
import hashlib
import os
import secrets
import subprocess
import tempfile

from browser import run_page
from harness import needs_program, program, within
from reverse import Later, ReverseCase, sgn
from wsclient import (TEXT, Connection, Gone, Refused, frame,
                      upgrade_request)

SUBPROTOCOL = "base64url.bearer.authorization.m2m."


def hash_of(secret, count=1000):
    salt = os.urandom(16)
    digest = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, count)
    return f"pbkdf2-sha256:{count}:{salt.hex()}:{digest.hex()}"


def basic(user, password):
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Authorization: Basic {text}"


def bearer(name, secret):
    return f"Authorization: Bearer {name}.{secret}"


def offer(name, secret):
    text = base64.urlsafe_b64encode(f"{name}.{secret}".encode()).decode()
    return f"{SUBPROTOCOL}{text.rstrip('=')}, oneM2M.json"


class CredentialCase(ReverseCase):
    """Credentials: meter, field, asks, admin; each with a token, and meter
    with a password."""

    CREDENTIALS = {
        "meter": {"originators": "Cmeter*, Sspecial"},
        "field": {"originators": "/mn-cse7/*"},
        "asks": {"originators": "C"},
        "admin": {"originators": "Cops", "administrators": "CAdmin"},
        "both": {"originators": "C* /mn-cse7/*"},
    }
    PASSWORD = "correct horse: battery"

    def setUp(self):
        super().setUp()
        self.secrets = {}
        lines = []
        for name, keys in self.CREDENTIALS.items():
            self.secrets[name] = secrets.token_urlsafe()
            lines += [f'[credential "{name}"]',
                      f"token = {hash_of(self.secrets[name])}"]
            lines += [f"{key} = {value}" for key, value in keys.items()]
        lines += ['[credential "pw"]', "user = mr.meter@home",
                  f"password = {hash_of(self.PASSWORD, 20000)}",
                  "originators = Cpw*"]
        self.folder = tempfile.TemporaryDirectory(prefix="m2mwsd-")
        self.addCleanup(self.folder.cleanup)
        self.file = self.write("originators", lines)

    def write(self, name, lines):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
        os.chmod(path, 0o600)
        return path

    def gated(self, mode="credential", **options):
        auth = {"mode": mode, "originators_file": self.file}
        return self.gateway(auth=auth, **options)

    def bearer(self, name):
        return bearer(name, self.secrets[name])

    def enter(self, daemon, name, *headers, **how):
        return self.connect(daemon, headers=[self.bearer(name), *headers],
                            **how)

    def ask(self, ws, fr, op=2, to="cse-in", rqi="q", **members):
        if fr is not None:
            members["fr"] = fr
        return ws.ask(op=op, to=to, rqi=rqi, rvi="3", **members)["rsc"]

    def forwarded(self, fr):
        return [r for r in self.fake.requests
                if r.header("X-M2M-Origin") == fr]

    def refused(self, daemon, *headers, **how):
        with self.assertRaises(Refused) as caught:
            self.connect(daemon, headers=list(headers), **how)
        self.assertEqual(caught.exception.status, 401, headers)
        return caught.exception


class Handshake(CredentialCase):
    def test_each_way_of_proof(self):
        daemon = self.gated()
        ws = self.enter(daemon, "meter")
        self.assertEqual(self.ask(ws, "Cmeter7"), 2000)
        ws = self.connect(daemon, headers=[
            basic("mr.meter@home", self.PASSWORD)])
        self.assertEqual(self.ask(ws, "Cpw1"), 2000)
        ws = self.connect(daemon, subprotocol=offer(
            "meter", self.secrets["meter"]))
        self.assertEqual(ws.headers["sec-websocket-protocol"], "oneM2M.json")
        self.assertEqual(self.ask(ws, "Cmeter8"), 2000)
        ws = self.connect(daemon, headers=[
            "authorization: bEaReR  meter." + self.secrets["meter"]])
        self.assertEqual(self.ask(ws, "Cmeter9"), 2000)

    def test_wrong_ones_get_no_101(self):
        right = self.secrets["meter"]
        daemon = self.gated()
        self.enter(daemon, "meter")     # so that it is remembered
        for headers in (
                [], [bearer("meter", right[:-1])],
                [bearer("meter", right + "x")], [bearer("field", right)],
                [bearer("Meter", right)], [bearer("nobody", right)],
                [bearer("meter", "")], ["Authorization: Bearer " + right],
                ["Authorization: Bearer"], ["Authorization:"],
                ["Authorization: Bearer meter"],
                ["Authorization: Digest username=meter"],
                ["Authorization: meter." + right],
                [basic("meter", right)], [basic("mr.meter@home", "x")],
                [basic("mr.meter@home", "")], [basic("", self.PASSWORD)],
                ["Authorization: Basic ????"],
                ["Authorization: Basic " + "A" * 9000],
                ["Authorization: Bearer meter." + "x" * 9000],
                [self.bearer("meter"), self.bearer("meter")]):
            said = self.refused(daemon, *headers)
            self.assertIn("Basic", said.headers["www-authenticate"])
        token = offer("meter", right)
        for subprotocol, headers in (
                (offer("meter", "x" + right), []),
                (SUBPROTOCOL + ", oneM2M.json", []),
                (SUBPROTOCOL + "meter." + right + ", oneM2M.json", []),
                (token, [self.bearer("meter")]),
                (token + ", " + token, [])):
            self.refused(daemon, *headers, subprotocol=subprotocol)
        self.assert_serves(daemon)

    def assert_serves(self, daemon):
        self.assertEqual(self.ask(self.enter(daemon, "meter"), "Cmeter1"),
                         2000)

    def test_what_is_wrong_otherwise_is_told_first(self):
        daemon = self.gated()
        with self.assertRaises(Refused) as caught:
            self.connect(daemon, subprotocol="chat")
        self.assertEqual(caught.exception.status, 400)

    def test_both_challenges(self):
        daemon = self.gated()
        with Connection(daemon.address) as conn:
            conn.send(upgrade_request(daemon.port))
            head = conn.read_to_end().decode()
        self.assertIn('\r\nWWW-Authenticate: Bearer realm="', head)
        self.assertIn('\r\nWWW-Authenticate: Basic realm="', head)

    def test_messages_behind_the_handshake_wait_for_it(self):
        """The first one is hashed elsewhere, the second is remembered."""
        daemon = self.gated()
        for i in range(2):
            ws = Connection(daemon.address)
            self.addCleanup(ws.drop)
            text = b'{"op":2,"to":"cse-in","fr":"Cmeter1","rqi":"a","rvi":"3"}'
            ws.send(upgrade_request(daemon.port,
                                    headers=[self.bearer("meter")]) +
                    frame(TEXT, text))
            self.assertEqual(ws.read_head()[0], 101)
            self.assertIn(b'"rsc":2000', ws.take(20))

    def test_a_client_that_goes_while_it_is_hashed(self):
        daemon = self.gated()
        for i in range(30):
            with Connection(daemon.address) as conn:
                conn.send(upgrade_request(daemon.port, headers=[
                    basic("mr.meter@home", f"{i}")]))
        self.assert_serves(daemon)

    def test_the_end_while_it_is_hashed(self):
        daemon = self.gated()
        conns = []
        for i in range(10):
            conns.append(Connection(daemon.address))
            conns[-1].send(upgrade_request(daemon.port, headers=[
                basic("mr.meter@home", f"{i}")]))
        daemon.signal()
        for conn in conns:
            conn.drop()
        self.end_process(daemon)

    def test_no_secret_in_the_log(self):
        daemon = self.gated(log={"level": "debug"})
        self.enter(daemon, "meter").drop()
        self.connect(daemon, headers=[
            basic("mr.meter@home", self.PASSWORD)]).drop()
        used = offer("field", self.secrets["field"])
        self.connect(daemon, subprotocol=used).drop()
        wrong = "wrongwrong"
        self.refused(daemon, bearer("meter", wrong))
        self.refused(daemon, basic("mr.meter@home", wrong))
        self.refused(daemon, subprotocol=offer("meter", wrong))
        self.refused(daemon, "Authorization: Wrong " + wrong)
        self.end_process(daemon)
        log = daemon.log_text()
        self.assertIn("credential=meter", log)
        self.assertIn("credential=pw", log)
        sent = [wrong, self.PASSWORD, used.split(",")[0].rpartition(".")[2],
                offer("meter", wrong).split(",")[0].rpartition(".")[2]]
        sent += self.secrets.values()
        sent += [basic("mr.meter@home", s).split()[-1]
                 for s in (wrong, self.PASSWORD)]
        for secret in sent:
            self.assertNotIn(secret, log)

    @within(120)
    def test_chromium(self):
        chromium = needs_program(self, "chromium", "chromium-browser")
        daemon = self.gated()
        right = offer("meter", self.secrets["meter"]).split(",")[0]
        wrong = offer("meter", "x" + self.secrets["meter"]).split(",")[0]
        got = run_page(chromium, f"""
            const open = (first) => new Promise((done) => {{
                const ws = new WebSocket("{daemon.url}",
                                         [first, "oneM2M.json"]);
                ws.onopen = () => ws.send(JSON.stringify({{
                    op: 2, to: "cse-in", fr: "Cmeter1", rqi: "b",
                    rvi: "3" }}));
                ws.onmessage = (e) => done([ws.protocol,
                                            JSON.parse(e.data).rsc]);
                ws.onclose = (e) => done(e.code);
            }});
            return [await open("{right}"), await open("{wrong}")];""")
        self.assertEqual(got, [["oneM2M.json", 2000], 1006])


class Originators(CredentialCase):
    def test_only_what_the_credential_lists(self):
        for mode in ("credential", "registered"):
            daemon = self.gated(mode)
            self.registrar.poa.clear()
            ws = self.enter(daemon, "meter")
            for fr in ("Cmeter7", "/id-in/Cmeter7", "Cmeter", "Sspecial",
                       "/Sspecial"):
                self.assertEqual(self.ask(ws, fr), 2000, fr)
            for fr in ("Cstranger", "C", "S", "CAdmin", "/id-in/CAdmin",
                       "/id-in", "/mn-cse7", "/mn-cse7/Cmeter7",
                       "//sp/id-in/Cmeter7", "Cmete", "cmeter7", "Sspecial2",
                       "/other/Sspecial", "Cmeter7/x", "Cmeter*", "xCmeter7",
                       "Cmeter%37"):
                self.assertEqual(self.ask(ws, fr), 4106, fr)
                self.assertEqual(self.forwarded(fr), [])

    def test_registration(self):
        ws = self.enter(self.gated(), "meter")
        self.register(ws, "Cmeter7")
        later = Later(self.registrar.poa["Cmeter7"][0], sgn())
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)
        for fr in ("Cother", "C", "S", "", None, "CAdmin"):
            self.assertEqual(self.ask(ws, fr, 1, ty=2, pc={
                "m2m:ae": {"api": "N", "rr": True, "srv": ["3"]}}), 4106, fr)
        self.assertEqual(list(self.registrar.poa), ["Cmeter7"])

    def test_an_id_that_the_cse_gives(self):
        for fr in ("C", "", None):
            ws = self.enter(self.gated(), "asks")
            self.assertEqual(self.ask(ws, fr, 1, ty=2, pc={
                "m2m:ae": {"api": "N", "rr": True, "srv": ["3"]}}), 2001)
            given = f"Cgiven{self.registrar.count}"
            self.assertEqual(self.ask(ws, given), 2000)
            self.assertEqual(self.ask(ws, "/id-in/" + given), 2000)
            self.assertEqual(self.ask(ws, "Cgiven99"), 4106)
            later = Later(self.registrar.poa[given][0], sgn())
            self.answer(ws, ws.recv_prim())
            self.assertEqual(later.result().rsc, 2000)

    def test_administrators(self):
        for mode in ("credential", "registered"):
            daemon = self.gated(mode)
            admin = self.enter(daemon, "admin")
            other = self.enter(daemon, "admin")
            for ws in (admin, other, admin):
                for fr in ("CAdmin", "/id-in/CAdmin"):
                    self.assertEqual(self.ask(ws, fr), 2000, fr)
            self.assertEqual(self.ask(admin, "Cops"), 2000)
            for fr in ("/id-in", "Cmeter7"):
                self.assertEqual(self.ask(admin, fr), 4106)
            both = self.enter(daemon, "both")
            for fr in ("CAdmin", "/id-in/CAdmin"):
                self.assertEqual(self.ask(both, fr), 4106, "no pattern")

    def test_a_field_cse_and_what_is_below_it(self):
        daemon = self.gated()
        ws = self.enter(daemon, "field")
        self.register_cse(ws, dcse=["/asn-8", "/mn-cse71"])
        for fr in ("/mn-cse7/Cx", "/mn-cse7", "/mn-cse7/Cx"):
            self.assertEqual(self.ask(ws, fr), 2000, fr)
        for fr in ("/asn-8", "/asn-8/Cx", "/mn-cse71", "/mn-cse", "Cx",
                   "/mn-cse71/Cx"):
            self.assertEqual(self.ask(ws, fr), 4106, fr)
            self.assertEqual(self.forwarded(fr), [])

    def test_what_is_below_it_comes_first(self):
        ws = self.enter(self.gated(), "field")
        self.assertEqual(self.ask(ws, "/mn-cse7/Cx"), 2000)
        self.assertEqual(self.ask(ws, "/mn-cse7"), 2000)
        self.register_cse(ws)

    def test_a_cse_and_an_ae_do_not_share(self):
        daemon = self.gated()
        ws = self.enter(daemon, "both")
        self.assertEqual(self.ask(ws, "Cmeter7"), 2000)
        self.assertEqual(self.ask(ws, "/mn-cse7"), 4103)
        ws = self.enter(daemon, "both")
        self.assertEqual(self.ask(ws, "/mn-cse7"), 2000)
        self.assertEqual(self.ask(ws, "Cmeter7"), 4103)

    def test_the_handshake_names_only_what_is_listed(self):
        daemon = self.gated()
        ws = self.enter(daemon, "meter")
        self.register(ws, "Cmeter7")
        self.enter(daemon, "field", "X-M2M-Origin: Cmeter7")
        later = Later(self.registrar.poa["Cmeter7"][0], sgn())
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)
        again = self.enter(daemon, "meter", "X-M2M-Origin: Cmeter7")
        with self.assertRaisesRegex(Gone, "Close 1000"):
            ws.recv_prim()
        later = Later(self.registrar.poa["Cmeter7"][0], sgn())
        self.answer(again, again.recv_prim())
        self.assertEqual(later.result().rsc, 2000)


class Takeover(CredentialCase):
    def test_a_weaker_one_is_refused(self):
        daemon = self.gated("registered")
        strong = self.enter(daemon, "meter")
        self.register(strong, "Cmeter7")
        named = self.connect(daemon, headers=["X-M2M-Origin: Cmeter7"])
        self.assertEqual(self.ask(named, "Cmeter7"), 4103)
        weak = self.connect(daemon)
        self.assertEqual(self.ask(weak, "Cmeter7"), 4103)
        later = Later(self.registrar.poa["Cmeter7"][0], sgn())
        self.answer(strong, strong.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_the_stronger_one_takes_over(self):
        daemon = self.gated("registered")
        weak = self.connect(daemon, headers=["X-M2M-Origin: Cmeter7"])
        self.register(weak, "Cmeter7")
        strong = self.enter(daemon, "meter")
        self.assertEqual(self.ask(strong, "Cmeter7"), 2000)
        with self.assertRaisesRegex(Gone, "Close 1000"):
            weak.recv_prim()
        self.assertEqual(self.ask(self.connect(daemon), "Cmeter7"), 4103)

    def test_the_same_credential_comes_back(self):
        """Also for an AE that never registered here."""
        daemon = self.gated()
        old = self.enter(daemon, "meter")
        self.assertEqual(self.ask(old, "Cmeter1"), 2000)
        new = self.enter(daemon, "meter")
        self.assertEqual(self.ask(new, "Cmeter1"), 2000)
        with self.assertRaisesRegex(Gone, "Close 1000"):
            old.recv_prim()


class Modes(CredentialCase):
    def test_registered_asks_for_none(self):
        daemon = self.gated("registered")
        ws = self.connect(daemon)
        self.register(ws, "Cmeter7")
        self.assertEqual(self.ask(ws, "Cmeter7"), 2000)
        self.assertEqual(self.ask(ws, "CAdmin"), 4106)
        self.refused(daemon, bearer("meter", "wrong"))

    def test_nobody_looks_without_a_file_or_in_mode_open(self):
        for auth in ({"mode": "registered"},
                     {"mode": "open", "originators_file": self.file}):
            ws = self.connect(self.gateway(auth=auth),
                              headers=[bearer("meter", "wrong")])
            self.register(ws, "Cmeter7")

    def test_a_cse_that_is_not_known(self):
        """Without cse_id there are only the ids as they are written."""
        daemon = self.daemon(self.fake, auth={
            "mode": "credential", "originators_file": self.file})
        ws = self.enter(daemon, "meter")
        self.assertEqual(self.ask(ws, "Cmeter7"), 2000)
        self.assertEqual(self.ask(ws, "/id-in/Cmeter7"), 4106)

    def check(self, *argv):
        return subprocess.run(
            [program("m2mwsd"), "-t", *argv], capture_output=True, text=True)

    def test_errors_of_both_files_at_once(self):
        bad = self.write("bad", ['[credential "a"]', "tokn = x"])
        conf = self.write("m2mwsd.conf", [
            '[listener "main"]', "listen = 127.0.0.1:1", '[upstream "cse"]',
            "url = http://h", "[log]", "x = 1", "[auth]",
            f"originators_file = {bad}"])
        done = self.check("-c", conf)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{conf}:6:1: ", done.stderr)
        self.assertIn(f'{bad}:2:1: unknown key "tokn"', done.stderr)

    def test_others_may_read_it(self):
        for mode, warned in ((0o600, False), (0o640, False), (0o644, True)):
            os.chmod(self.file, mode)
            done = self.check(
                "-c", "/dev/null", "-o", "listener.a.listen=127.0.0.1:1",
                "-o", "upstream.a.url=http://h",
                "-o", f"auth.originators_file={self.file}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("warning" in done.stderr, warned)


class HashToken(CredentialCase):
    def make(self, secret):
        """What it prints, and what it says."""
        done = subprocess.run([program("m2mwsd"), "--hash-token"], check=True,
                              input=secret, capture_output=True, text=True)
        return done.stdout, done.stderr

    def enter_with(self, line, *headers):
        self.file = self.write("made", [
            '[credential "m"]', line.strip(), "originators = Cm"])
        ws = self.connect(self.gated(), headers=list(headers))
        self.assertEqual(self.ask(ws, "Cm"), 2000)

    def test_one_by_chance(self):
        line, said = self.make("")
        secret = said.strip().rpartition("NAME.")[2]
        self.assertEqual(len(secret), 27)
        self.assertNotIn(secret, line)
        self.enter_with(line, bearer("m", secret))
        self.assertNotEqual(self.make("")[1], said)

    def test_one_that_is_given(self):
        for secret in ("hunter2", "two words", "x" * 256):
            line, said = self.make(secret + "\n")
            self.assertEqual(said, "")
            self.assertNotEqual(self.make(secret)[0], line, "salted")
        self.enter_with(line.replace("token", "password"),
                        basic("m", "x" * 256))

    def test_one_that_is_none(self):
        for secret in ("x" * 257, "a\tb"):
            done = subprocess.run([program("m2mwsd"), "--hash-token"],
                                  input=secret, capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, "")
            self.assertNotIn(secret, done.stderr)
