"""Listeners that come, go and change while the daemon serves."""

import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

from fakecse import ok
from harness import (SANITIZED, Case, config_text, eventually, free_port,
                     needs_program, program, within)
from test_proxy import v1
from test_robust import retrieve
from tlscase import make_certificate
from wsclient import Connection, Gone, Refused, WebSocket, upgrade_request

COUNT = 30 if SANITIZED else 100
PROXIED = {"proxy_protocol": "yes", "proxy_from": "127.0.0.0/8"}


def at(port, **more):
    """What a section says of a listener."""
    return {"listen": f"127.0.0.1:{port}", **more}


class ListenersCase(Case):
    """`listeners` is what the file says of them; `reload` has it read."""

    workers = 2
    seconds = 30

    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory(prefix="m2mwsd-")
        self.addCleanup(self.folder.cleanup)
        self.socket = os.path.join(self.folder.name, "ctl")

    def start(self, handler=ok, **main):
        self.main = free_port()
        self.listeners = {"main": at(self.main, **main)}
        self.others = {"gateway": {"workers": self.workers},
                       "auth": {"mode": "open"},
                       "admin": {"socket": self.socket}}
        self.fake = self.cse(handler)
        self.served = self.daemon(
            self.fake, listener=self.listeners["main"],
            **{name: dict(options) for name, options in self.others.items()})
        self.assertTrue(eventually(lambda: os.path.exists(self.socket)))

    def write(self):
        sections = {f'listener "{name}"': options
                    for name, options in self.listeners.items()}
        sections['upstream "cse"'] = {"url": self.fake.url}
        with open(self.served.file, "w") as out:
            out.write(config_text({**sections, **self.others}))

    def ctl(self, *args, status=0):
        done = subprocess.run(
            [program("m2mwsctl"), "-s", self.socket, *args],
            capture_output=True, timeout=15, text=True,
            stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def reload(self):
        """Returns when all workers have it; it takes no restart."""
        self.write()
        said = json.loads(self.ctl("reload", "--json"))
        self.assertEqual(said, {"ok": True, "errors": [],
                                "restart_needed": []})

    def status(self):
        return json.loads(self.ctl("status", "--json"))

    def has_sessions(self, count):
        self.assertTrue(eventually(
            lambda: self.status()["sessions"] == count), self.status())

    def come(self, port, **how):
        ws = WebSocket(("127.0.0.1", port), **how)
        self.addCleanup(ws.drop)
        self.works(ws)
        return ws

    def crowd(self, port, **how):
        """Some on every worker, most likely."""
        return [self.come(port, **how) for _ in range(6)]

    def works(self, *sessions):
        for ws in sessions:
            self.assertEqual(ws.ask(**retrieve("q"))["rsc"], 2000)

    def is_closed(self, port):
        with socket.socket() as s:
            self.assertNotEqual(s.connect_ex(("127.0.0.1", port)), 0)

    def events(self, name):
        return [line.partition(f"event={name} ")[2]
                for line in self.served.log_text().split("\n")
                if f"event={name} " in line]

    def certificate(self):
        cert, key = make_certificate(needs_program(self, "openssl"),
                                     self.folder.name, "ecdsa")
        self.tls = ssl.create_default_context(cafile=cert)
        return {"tls": "yes", "cert_file": cert, "key_file": key}


class Two(ListenersCase):
    """Workers, who share each address."""

    def test_one_is_added(self):
        self.start()
        old = self.crowd(self.main)
        port = free_port()
        self.listeners["more"] = at(port)
        self.reload()
        new = self.crowd(port)
        self.works(*old, *new, self.come(self.main))
        self.assertEqual(self.events("listener_opened"), [
            f"listener=more address=127.0.0.1:{port} port={port}"])
        self.assertEqual(
            self.status()["listeners"],
            [{"name": "main", "port": self.main, "tls": False},
             {"name": "more", "port": port, "tls": False}])
        self.has_sessions(13)

    def test_one_is_removed(self):
        self.start()
        port = free_port()
        self.listeners["more"] = at(port)
        self.reload()
        old = self.crowd(port)
        del self.listeners["more"]
        self.reload()
        self.is_closed(port)
        self.works(*old)
        self.reload()       # of nothing, while they are left
        self.works(*old, self.come(self.main))
        self.assertEqual(self.events("listener_closed"), [
            f"listener=more address=127.0.0.1:{port} port={port}"])
        self.assertEqual([one["name"] for one in self.status()["listeners"]],
                         ["main"])
        self.assertIn("more", self.ctl("sessions"))
        self.has_sessions(7)
        for ws in old:
            self.assertEqual(ws.close(), 1000)
        self.has_sessions(1)
        self.reload()
        self.works(self.come(self.main))

    def test_a_name_comes_back(self):
        self.start()
        old = self.crowd(self.main)
        name = self.listeners.pop("main")
        port = free_port()
        self.listeners["other"] = at(port)
        self.reload()
        self.is_closed(self.main)
        self.listeners["main"] = name
        self.reload()
        new = self.crowd(self.main)
        self.has_sessions(12)
        for ws in old:
            ws.close()
        self.has_sessions(6)
        self.works(*new, self.come(port))

    def test_another_address(self):
        self.start(max_sessions=2)
        old = [self.come(self.main) for _ in range(2)]
        port = free_port()
        self.listeners["main"] = at(port, max_sessions=2)
        self.reload()
        self.is_closed(self.main)
        self.works(*old)
        with self.assertRaises(Refused) as caught:
            self.come(port)
        self.assertEqual(caught.exception.status, 503)
        old[0].close()
        self.has_sessions(1)
        self.works(self.come(port), old[1])
        self.assertEqual(self.events("listener_opened"), [
            f"listener=main address=127.0.0.1:{port} port={port}"])
        self.assertEqual(self.events("listener_closed"), [
            f"listener=main address=127.0.0.1:{self.main} port={self.main}"])

    def test_addresses_change_hands(self):
        """None is closed in between."""
        self.start()
        port = free_port()
        self.listeners["more"] = at(port)
        self.reload()
        old = self.crowd(self.main) + self.crowd(port)
        self.listeners = {"main": at(port), "more": at(self.main)}
        self.reload()
        self.works(*old, self.come(self.main), self.come(port))
        self.listeners = {"renamed": at(port), "main": at(self.main)}
        self.reload()
        self.works(*old, *self.crowd(self.main), *self.crowd(port))
        self.assertEqual(
            [(one["name"], one["port"]) for one in self.status()["listeners"]],
            [("main", self.main), ("renamed", port)])
        self.has_sessions(26)

    def test_a_port_that_the_system_picks(self):
        self.start()
        self.listeners["more"] = at(0)
        self.reload()
        more = self.status()["listeners"][1]
        self.works(self.come(more["port"]))
        self.reload()
        self.assertEqual(self.status()["listeners"][1], more)

    def test_tls_on_and_off(self):
        """On a daemon that had none before."""
        self.start()
        plain = self.crowd(self.main)
        self.listeners["main"].update(self.certificate())
        self.reload()
        secure = self.crowd(self.main, tls=self.tls)
        with self.assertRaises(Gone):
            self.come(self.main)
        self.assertTrue(self.status()["listeners"][0]["tls"])
        self.listeners["main"] = at(self.main)
        self.reload()
        self.works(*plain, *secure, *self.crowd(self.main))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.come(self.main, tls=self.tls)
        self.has_sessions(18)

    def test_one_with_tls_is_added_and_removed(self):
        self.start()
        port = free_port()
        self.listeners["more"] = at(port, **self.certificate())
        self.reload()
        secure = self.crowd(port, tls=self.tls)
        del self.listeners["more"]
        self.reload()
        self.is_closed(port)
        self.works(*secure)
        for ws in secure:
            ws.drop()
        self.has_sessions(0)
        self.works(self.come(self.main))

    def test_a_proxy_comes_in_front(self):
        self.start()
        old = self.crowd(self.main)
        self.listeners["main"].update(PROXIED)
        self.reload()
        self.works(*old, *self.crowd(self.main, preface=v1()))
        with self.assertRaises((Gone, ConnectionError)):
            self.come(self.main)
        self.listeners["main"] = at(self.main)
        self.reload()
        self.works(*old, *self.crowd(self.main))

    def test_what_new_clients_meet(self):
        self.start()
        old = self.come(self.main)
        self.listeners["main"]["path"] = "/only"
        self.reload()
        with self.assertRaises(Refused) as caught:
            self.come(self.main)
        self.assertEqual(caught.exception.status, 404)
        self.works(old, self.come(self.main, path="/only"))

    def test_handshakes_end_with_their_listener(self):
        self.start()
        ports = free_port(), free_port()
        self.listeners["more"] = at(ports[0])
        self.listeners["proxied"] = at(ports[1], **PROXIED)
        self.reload()
        address = "127.0.0.1", self.main
        stays = Connection(address)
        self.addCleanup(stays.drop)
        stays.send(upgrade_request(self.main)[:20])
        heads = [Connection(("127.0.0.1", ports[0])) for _ in range(6)]
        arrivals = [Connection(("127.0.0.1", ports[1])) for _ in range(6)]
        for conn in heads:
            self.addCleanup(conn.drop)
            conn.send(b"GET / HTTP/1.1\r\nHost:")
        for conn in arrivals:
            self.addCleanup(conn.drop)
            conn.send(b"PROXY")
        old = self.come(ports[0])
        for name in "more", "proxied":
            del self.listeners[name]
        self.reload()
        for conn in heads + arrivals:
            self.assertEqual(conn.read_to_end(), b"")
        stays.send(upgrade_request(self.main)[20:])
        self.assertEqual(stays.read_head()[0], 101)
        self.works(old)
        old.close()
        self.has_sessions(1)

    def test_an_address_that_is_taken(self):
        """Nothing changes at all, and it is told why."""
        self.start()
        old = self.crowd(self.main)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            port, free = s.getsockname()[1], free_port()
            before, self.listeners = self.listeners, {
                "first": at(free), "more": at(port)}
            self.write()
            why = f'[listener "more"] cannot listen at 127.0.0.1:{port}: ' \
                  "address already in use"
            self.assertIn(why, self.ctl("reload", status=1))
            self.assertIn(why.replace('"', '\\"'),
                          self.events("reload_failed")[0])
            self.is_closed(free)
            self.works(*old, *self.crowd(self.main))
            self.listeners = {"main": at(port)}
            self.write()
            self.served.signal(signal.SIGHUP)
            self.assertTrue(eventually(
                lambda: len(self.events("reload_failed")) == 2))
            self.works(*old, self.come(self.main))
        self.assertEqual(
            self.events("reloaded") + self.events("listener_opened") +
            self.events("listener_closed"), [])
        self.reload()       # now it is free
        self.works(*old, self.come(port))
        self.is_closed(self.main)
        self.listeners = before
        self.reload()
        self.works(*old, self.come(self.main))

    def test_one_must_be_left(self):
        self.start()
        self.listeners = {}
        self.write()
        self.assertIn("needs a [listener", self.ctl("reload", status=1))
        self.works(self.come(self.main))

    def test_nothing_opens_while_draining(self):
        self.start(None)
        port, other = free_port(), free_port()
        self.listeners["more"] = at(port)
        self.reload()
        sessions = []
        for n, there in enumerate((self.main, port), 1):
            ws = WebSocket(("127.0.0.1", there))
            self.addCleanup(ws.drop)
            ws.send_prim(**retrieve("held"))
            self.assertTrue(eventually(
                lambda n=n: len(self.fake.requests) == n))
            sessions.append(ws)
        self.ctl("drain")
        self.listeners = {"main": at(other), "new": at(free_port())}
        self.reload()
        for one in self.listeners.values():
            self.is_closed(int(one["listen"].partition(":")[2]))
        self.assertEqual(len(self.events("listener_opened")), 1)
        for request, ws in zip(self.fake.requests, sessions):
            request.answer()
            self.assertEqual(ws.recv_prim()["rsc"], 2000)
            with self.assertRaisesRegex(Gone, "Close 1012"):
                ws.recv_text()
        self.end_process(self.served)

    @within(120)
    def test_many_beside_traffic(self):
        """Nobody is dropped, also who came by one that has gone since."""
        self.start()
        ports = [free_port() for _ in range(4)]
        over = threading.Event()
        failed, asked = [], []
        old = []

        def serve(port):
            ws = self.come(port)
            try:
                while not over.is_set():
                    self.works(ws)
                    asked.append(port)
            except Exception as error:      # also a failed assertion
                failed.append(error)

        def arrive():
            try:
                while not over.is_set():
                    with WebSocket(self.served.address) as ws:
                        self.works(ws)
            except Exception as error:
                failed.append(error)

        clients = [threading.Thread(target=serve, args=(self.main,))
                   for _ in range(3)] + [threading.Thread(target=arrive)]
        for client in clients:
            client.start()
        try:
            for i in range(COUNT):
                self.listeners = {
                    "main": self.listeners["main"],
                    f"at{i % 3}": at(ports[i % 4]),
                    f"at{(i + 1) % 3}": at(ports[(i + 1) % 4])}
                self.reload()
                old.append(self.come(ports[i % 4]))
                self.works(*old[-4:])
                if i % 10 == 9:
                    for ws in old[:5]:
                        ws.close()
                    del old[:5]
                if failed:
                    break
        finally:
            over.set()
            for client in clients:
                client.join()
        self.assertEqual(failed, [])
        self.works(*old)
        self.has_sessions(len(old) + 3)
        self.assertEqual(len(self.events("reloaded")), COUNT)
        self.assertEqual(self.events("listen_failed"), [])
        self.note(f"{COUNT} reloads, {len(asked)} requests meanwhile")


class One(Two):
    """Worker, whose sockets nobody may share."""

    workers = 1

    def test_who_listens_has_it_alone(self):
        """Nobody else can, also where a socket has changed hands."""
        self.start()
        port = free_port()
        self.listeners["more"] = at(port)
        self.reload()
        self.listeners = {"main": at(port), "more": at(self.main)}
        self.reload()
        for there in self.main, port:
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                self.assertRaises(OSError, s.bind, ("127.0.0.1", there))
