"""SIGHUP: what changes while it serves, and what does not."""

import os
import shutil
import signal
import ssl
import threading

from harness import LONG, eventually, needs_program, within
from reverse import Later, sgn
from test_credentials import CredentialCase, bearer, hash_of
from tlscase import TlsCase, make_certificate
from wsclient import Gone, Refused, WebSocket

COUNT = 1000 if LONG else 40


class ReloadCase(TlsCase, CredentialCase):
    """A listener with TLS and credentials; `come` connects."""

    def start(self, listener=(), **auth):
        cert, key = self.certificate("ecdsa")
        self.cert = shutil.copy(cert, os.path.join(self.folder.name, "c"))
        self.key = shutil.copy(key, os.path.join(self.folder.name, "k"))
        self.tls = ssl.create_default_context(cafile=cert)
        self.daemon_ = self.gateway(
            listener={"tls": "yes", "cert_file": self.cert,
                      "key_file": self.key, **dict(listener)},
            log={"access": "no"},
            auth={"mode": "credential", "originators_file": self.file, **auth})
        return self.daemon_

    def events(self, name):
        return [line for line in self.daemon_.log_text().split("\n")
                if f"event={name} " in line + " "]

    def hang_up(self, event="reloaded"):
        """Until the daemon says what came of it."""
        count = len(self.events(event))
        self.daemon_.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: len(self.events(event)) > count), self.daemon_.log_text())
        return self.events(event)[-1]

    def come(self, name="meter", tls=None):
        return self.enter(self.daemon_, name, tls=tls or self.tls)

    def renew(self, kind="p384"):
        """Another certificate in the files; who trusts it."""
        cert, key = self.certificate(kind)
        shutil.copy(cert, self.cert)
        shutil.copy(key, self.key)
        return ssl.create_default_context(cafile=cert)

    def change(self, old, new):
        with open(self.file) as text:
            changed = text.read().replace(old, new)
        self.write("originators", [changed])

    def serves(self, ws, fr="Cmeter1"):
        self.assertEqual(self.ask(ws, fr), 2000)


class Certificates(ReloadCase):
    def test_new_ones_for_new_clients(self):
        daemon = self.start()
        old = self.come()
        tls = self.renew()
        self.serves(self.come())    # not before it is told to
        self.hang_up()
        self.serves(old)
        self.serves(self.come(tls=tls))
        with self.assertRaises(ssl.SSLError):
            WebSocket(daemon.address, tls=self.tls)

    def test_a_mistake_changes_nothing(self):
        self.start()
        old = self.come()
        self.renew()
        shutil.copy(self.certificate("rsa")[1], self.key)
        why = self.hang_up("reload_failed")
        self.assertIn("is not the key of the first certificate", why)
        self.assertIn("m2mwsd.conf:", why)
        os.remove(self.key)
        self.assertIn("cannot be read", self.hang_up("reload_failed"))
        self.serves(old)
        self.serves(self.come())    # by what is not on the disk any more
        self.assertEqual(self.events("reloaded"), [])

    def test_who_vouches_for_clients(self):
        openssl = needs_program(self, "openssl")
        ours, theirs = (make_certificate(
            openssl, self.folder.name, "ecdsa", name, file=name)
            for name in ("ours", "theirs"))
        ca = shutil.copy(ours[0], os.path.join(self.folder.name, "ca"))
        daemon = self.start(listener={"client_cert": "required",
                                      "client_ca_file": ca})

        def client(pair):
            context = ssl.create_default_context(
                cafile=self.certificate("ecdsa")[0])
            context.load_cert_chain(*pair)
            return context

        old = self.come(tls=client(ours))
        shutil.copy(theirs[0], ca)
        self.hang_up()
        self.serves(old)
        self.serves(self.come(tls=client(theirs)))
        with self.assertRaises((ssl.SSLError, ConnectionError, Gone)):
            with WebSocket(daemon.address, tls=client(ours)) as ws:
                ws.ask_text("{")


class Credentials(ReloadCase):
    def test_new_ones_come_in(self):
        self.start()
        old = self.come()
        self.secrets["new"] = "a-new-secret"
        with open(self.file, "a") as out:
            out.write('[credential "new"]\noriginators = Cnew\n'
                      f"token = {hash_of('a-new-secret')}\n")
        self.hang_up()
        self.serves(self.come("new"), "Cnew")
        self.serves(old)

    def test_who_has_changed_must_come_again(self):
        self.start()
        sessions = {name: self.come(name)
                    for name in ("meter", "field", "admin", "both")}
        self.change('[credential "field"]', '[credential "other"]')
        self.change("originators = Cmeter*", "originators = Cmeter-*")
        self.change("administrators = CAdmin", "administrators = CRoot")
        self.hang_up()
        for name in ("meter", "field", "admin"):
            self.assertEqual(sessions[name].close_received(), 1008, name)
        self.serves(sessions["both"], "Cany")
        ws = self.come("meter")
        self.assertEqual(self.ask(ws, "Cmeter1"), 4106)
        self.serves(ws, "Cmeter-1")
        self.refused(self.daemon_, self.bearer("field"))
        self.assertEqual(len(self.events("session_revoked")), 3)

    def test_another_secret(self):
        self.start()
        ws = self.come()
        old = self.secrets["meter"]
        with open(self.file) as text:
            lines = text.read().split("\n")
        at = lines.index('[credential "meter"]') + 1
        lines[at] = f"token = {hash_of('changed')}"
        self.write("originators", lines)
        self.hang_up()
        self.assertEqual(ws.close_received(), 1008)
        self.refused(self.daemon_, bearer("meter", old))
        self.secrets["meter"] = "changed"
        self.serves(self.come())

    def test_what_it_registered_is_held_for_it(self):
        """It comes back with its new secret, and what waited follows."""
        self.start()
        ws = self.come()
        self.register(ws, "Cmeter7")
        self.change("originators = Cmeter*", "originators = Cmeter7")
        self.hang_up()
        self.assertEqual(ws.close_received(), 1008)
        ws.sock.close()
        later = Later(self.registrar.poa["Cmeter7"][0], sgn())
        ws = self.come()
        self.serves(ws, "Cmeter7")
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_one_that_is_being_hashed(self):
        """A slow hash, and a reload while it is looked at."""
        secret = "slow-and-secret"
        with open(self.file, "a") as out:
            out.write('[credential "slow"]\noriginators = Cslow\n'
                      f"token = {hash_of(secret, 60000)}\n")
        self.secrets["slow"] = secret
        self.start()
        came = []
        clients = [threading.Thread(
            target=lambda: came.append(self.come("slow"))) for _ in range(4)]
        for client in clients:
            client.start()
        self.hang_up()
        for client in clients:
            client.join()
        self.assertEqual(len(came), 4)
        for ws in came:
            self.serves(ws, "Cslow")

    def test_mistakes_in_both_files(self):
        self.start()
        old = self.come()
        self.change("originators = C\n", "originator = C\n")
        with open(self.daemon_.file, "a") as out:
            out.write("[limits]\nmax_dept = 3\n")
        self.hang_up("reload_failed")
        why = "\n".join(self.events("reload_failed"))
        self.assertIn("max_dept", why)
        self.assertIn("originator", why)
        self.assertNotIn("^", why)
        self.serves(old)
        self.serves(self.come())


class Others(ReloadCase):
    def rewrite(self, old, new):
        with open(self.daemon_.file) as text:
            changed = text.read().replace(old, new)
        with open(self.daemon_.file, "w") as out:
            out.write(changed)

    def test_what_takes_a_restart_is_said(self):
        self.start()
        ws = self.come()
        self.rewrite("[auth]", '[limits]\nmax_queue = 3m\n\n'
                     '[gateway]\nworkers = 7\n\n[auth]')
        self.hang_up()
        said = "\n".join(self.events("restart_needed"))
        self.assertEqual(said.count("\n"), 1, said)
        self.assertIn("option=limits.max_queue", said)
        self.assertIn("option=gateway.workers", said)
        self.serves(ws)

    def test_nobody_is_let_in_by_a_reload(self):
        self.start()
        self.rewrite("mode = credential", "mode = open")
        self.assertIn("mode", self.hang_up("reload_failed"))
        self.refused(self.daemon_)

    def test_limits_of_open_sessions(self):
        """By the next message, on every worker."""
        self.start()
        sessions = [self.come("both") for _ in range(8)]
        deep = dict(op=1, to="cse-in", fr="C", rqi="d", rvi="3", ty=4,
                    pc={"m2m:cin": {"con": {"a": {"b": {"c": 1}}}}})
        for ws in sessions:
            self.assertEqual(ws.ask(**deep)["rsc"], 2001)
        self.rewrite("[auth]", "[limits]\nmax_depth = 4\n\n[auth]")
        self.hang_up()
        self.assertEqual(self.events("restart_needed"), [])
        for i, ws in enumerate(sessions):
            self.assertEqual(ws.ask(**deep)["rsc"], 4000)
            self.serves(ws, f"Cmeter{i}")
        self.rewrite("max_depth = 4", "max_depth = 40")
        self.hang_up()
        for ws in sessions:
            self.assertEqual(ws.ask(**deep)["rsc"], 2001)

    def test_limits_that_all_workers_share(self):
        """Who is there stays; those who come are counted from then on."""
        self.start()
        here = [self.come() for _ in range(3)]
        self.rewrite("[auth]", "[limits]\nsessions_per_ip = 2\n"
                     "max_handshakes = 5\nmax_descendants = 3\n"
                     "max_registered = 32k\n\n[inbox]\nmax_count = 5\n\n"
                     "[auth]")
        self.hang_up()
        self.assertEqual(self.events("restart_needed"), [])
        here += [self.come() for _ in range(2)]
        with self.assertRaises((Gone, Refused, OSError)):
            self.come()
        self.rewrite("sessions_per_ip = 2", "sessions_per_ip = 3")
        self.hang_up()
        here.append(self.come())
        for ws in here:
            self.serves(ws)

    def test_what_new_clients_meet(self):
        self.start(listener={"origins": "https://a.example"})
        page = "Origin: https://b.example"
        with self.assertRaises(Refused):
            self.enter(self.daemon_, "meter", page)
        self.rewrite("https://a.example", "https://b.example")
        self.rewrite("[auth]", "[limits]\nmax_headers = 8\n\n[auth]")
        self.hang_up()
        self.serves(self.enter(self.daemon_, "meter", page))
        with self.assertRaises(Refused) as caught:
            self.enter(self.daemon_, "meter", *(f"X: {i}" for i in range(9)))
        self.assertEqual(caught.exception.status, 431)

    def test_what_is_logged(self):
        self.start()
        ws = self.come()
        self.rewrite("access = no", "access = yes")
        self.hang_up()
        self.ask(ws, "Cmeter1", rqi="shown")
        self.assertTrue(eventually(
            lambda: "rqi=shown" in self.daemon_.log_text()))

    @within(900 if LONG else 90)
    def test_many_under_load(self):
        """Half of them broken; nobody is dropped or waits in vain."""
        self.start()
        pairs = [self.certificate(kind) for kind in ("ecdsa", "p384")]
        trust = ssl.create_default_context(cafile=pairs[0][0])
        trust.load_verify_locations(pairs[1][0])
        over = threading.Event()
        asked, failed = [], []

        def serve(fr):
            ws = self.come(tls=trust)
            try:
                while not over.is_set():
                    self.serves(ws, fr)
                    asked.append(fr)
            except Exception as error:      # also a failed assertion
                failed.append(error)

        def arrive():
            try:
                while not over.is_set():
                    self.serves(self.come("both", tls=trust), "Cnew")
            except Exception as error:
                failed.append(error)

        clients = [threading.Thread(target=serve, args=(f"Cmeter{i}",))
                   for i in range(8)] + [threading.Thread(target=arrive)]
        for client in clients:
            client.start()
        try:
            for i in range(COUNT // 2):
                cert, key = pairs[(i + 1) % 2]
                shutil.copy(cert, self.cert + "~")
                shutil.copy(key, self.key + "~")
                os.replace(self.cert + "~", self.cert)
                self.hang_up("reload_failed")       # a mismatched pair
                os.replace(self.key + "~", self.key)
                self.hang_up()
                if failed:
                    break
        finally:
            over.set()
            for client in clients:
                client.join()
        self.assertEqual(failed, [])
        self.assertEqual(len(self.events("reloaded")), COUNT // 2)
        self.note(f"{COUNT} reloads, {len(asked)} requests meanwhile")
