"""Where the daemon connects to: the upstream that is configured and nothing
else; for the embedded CSE where subscribers say, but not everywhere."""

import ctypes
import json
import os
import socket
import subprocess
import tempfile

from fakecse import ok, response
from harness import Case, eventually, free_port
from test_store_notify import Client, Notify
from wsclient import Connection, upgrade_request

CLONE_NEWNS = 0x20000


class Trap:
    """An address that nobody may connect to."""

    def __init__(self, case, host="127.0.0.1", port=0):
        self.case = case
        self.listener = socket.create_server((host, port))
        self.listener.setblocking(False)
        case.addCleanup(self.listener.close)
        self.port = self.listener.getsockname()[1]
        self.authority = f"{host}:{self.port}"

    def check(self):
        with self.case.assertRaises(BlockingIOError):
            self.listener.accept()


class Denied(Notify):
    def denied(self, deny, host, listen="127.0.0.1"):
        """A subscriber names the host; what the CSE says of it."""
        self.start(notify_deny=deny)
        trap = Trap(self, listen)
        url = f"http://{host}:{trap.port}/n"
        got = self.subscribe(self.admin, rn="s", rsc=5204, nu=[url])
        self.assertIn(f"{url}: the target cannot be reached", got["m2m:dbg"])
        self.admin.ask(2, "cse-in/box/s", 4004)
        trap.check()
        self.assertIn("event=target_refused", self.server.log_text())
        self.admin.ws.drop()
        self.end_process(self.server)
        self.assertRegex(self.server.log_text(),
                         "event=delivery_end .* refused_targets=1 ")

    def test_spellings(self):
        for host in ("127.0.0.1", "127.1", "2130706433", "0x7f000001",
                     "017700000001", "[::ffff:127.0.0.1]",
                     "[::ffff:7f00:1]", "localhost"):
            with self.subTest(host):
                self.denied("127.0.0.0/8 ::1", host)

    def test_default(self):
        """0.0.0.0 and :: are ways to loopback, too."""
        self.start()
        for host in ("0.0.0.0", "0", "[::]", "169.254.169.254", "[fe80::1]",
                     "[fd00:ec2::254]", "[::ffff:169.254.169.254]",
                     "100.100.100.200", "224.0.0.1", "255.255.255.255"):
            with self.subTest(host):
                trap = Trap(self, "")
                self.subscribe(self.admin, rsc=5204, nu=[
                    f"http://{host}:{trap.port}/n"])
                trap.check()
        self.assertEqual(self.server.log_text().count("target_refused"), 10)

    def test_points_of_access(self):
        """The one that is denied is passed over."""
        self.start(notify_deny="127.0.0.2")
        target = self.receiver()
        trap = Trap(self, "127.0.0.2")
        self.register("sink", poa=[f"http://{trap.authority}", target.url])
        self.subscribe(self.admin, nu=["cse-in/sink"])
        self.instance(1)
        self.sgns(target, 1)
        trap.check()

    def test_another_cse(self):
        self.start(notify_deny="127.0.0.2")
        trap = Trap(self, "127.0.0.2")
        Client(self, self.server, "/mn").create(
            "cse-in", "csr", 16, rn="mn", csi="/mn", cb="/mn/cb", rr=True,
            srv=["3"], poa=[f"http://{trap.authority}"])
        self.admin.ask(2, "/mn/cb/x", 5103)
        trap.check()

    def test_redirect(self):
        self.start()
        trap = Trap(self)
        target = self.receiver(lambda request: response(
            2000, request.rqi, status=307,
            headers=[f"Location: http://{trap.authority}/x"]))
        self.subscribe(self.admin, nu=[target.url + "/n"])
        self.instance(1)
        self.assertTrue(eventually(lambda: len(target.requests) == 2))
        trap.check()


class Rebinding(Notify):
    """A name that stands for another address than when it was verified."""

    NAME = "rebind.example"

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("a hosts file of its own needs root")
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
        self.addCleanup(os.close, home)
        if libc.unshare(CLONE_NEWNS) != 0:
            self.skipTest("no mount namespaces here")
        self.addCleanup(os.chdir, os.getcwd())
        self.addCleanup(libc.setns, home, CLONE_NEWNS)
        self.hosts = tempfile.NamedTemporaryFile("w")
        self.addCleanup(self.hosts.close)
        for argv in (["mount", "--make-rprivate", "/"],
                     ["mount", "--bind", self.hosts.name, "/etc/hosts"]):
            if subprocess.run(argv, capture_output=True).returncode != 0:
                self.skipTest("mounts are not allowed here")

    def resolve(self, address):
        self.hosts.seek(0)
        self.hosts.truncate()
        self.hosts.write(f"{address} {self.NAME}\n")
        self.hosts.flush()

    def failures(self, count):
        self.assertTrue(eventually(
            lambda: self.server.log_text().count("notification_failed") ==
            count))

    def test_rebinding(self):
        self.start(notify_deny="127.0.0.2")
        self.resolve("127.0.0.1")
        port = free_port()
        first = self.cse(lambda request: response(
            2000, request.rqi, headers=["Connection: close"]), port=port)
        trap = Trap(self, "127.0.0.2", port)
        self.subscribe(self.admin, nu=[f"http://{self.NAME}:{port}/n"])
        first.close()
        self.instance(1)
        self.failures(1)    # nobody is there: the name is looked up again
        self.resolve("127.0.0.2")
        self.instance(2)
        self.failures(2)
        self.assertIn("event=target_refused", self.server.log_text())
        trap.check()
        self.resolve("127.0.0.1")
        again = self.cse(ok, port=port)
        self.instance(3)
        self.sgns(again, 1)
        trap.check()


BASE = {"op": 2, "to": "cb1/a", "fr": "Cme", "rqi": "r1", "rvi": "3"}


class OneUpstream(Case):
    """Nothing that a client sends, nothing that the CSE answers takes the
    gateway elsewhere."""

    def start(self, handler=ok):
        self.server = self.cse(handler)
        self.trap = Trap(self)
        env = {f"{name}_proxy": f"http://{self.trap.authority}"
               for name in ("http", "https", "all", "HTTP", "ALL")}
        self.addCleanup(lambda old: (os.environ.clear(),
                                     os.environ.update(old)),
                        dict(os.environ))
        os.environ.update(env)
        self.gateway = self.daemon(self.server)
        return self.connect(self.gateway)

    def check(self):
        self.trap.check()
        self.assertEqual(self.server.violations, [])
        for request in self.server.requests:
            self.assertEqual(request.header("Host"), self.server.authority)
            self.assertTrue(request.target.startswith(b"/"))

    def hostile(self):
        """Texts that would name the trap, were they read in another way."""
        at = self.trap.authority
        port = self.trap.port
        plain = [f"http://{at}/x", f"https://{at}/x", f"//{at}/x",
                 f"///{at}/x", f"/\\{at}/x", f"\\\\{at}\\x", f"@{at}/x",
                 f":{port}/x", f"x@{at}", f"unix:/{at}", f"ws://{at}/x",
                 f"/~//{at}/x", f"/_//{at}/x", f"/~/http://{at}/x",
                 f"cb1/../../{at}", f"*{at}", f"{at}", f"CONNECT {at}"]
        return plain + [f"x{gap}{line}" for gap in ("\r\n", "\n", "\r", "\0")
                        for line in (f"Host: {at}",
                                     f"\r\nGET http://{at}/ HTTP/1.1\r\n")]

    def test_parameters(self):
        ws = self.start()
        for text in self.hostile():
            for put in ({"to": text}, {"fr": text}, {"rqi": text},
                        {"rvi": text}, {"gid": text}, {"vsi": text},
                        {"to": "cb1" + text}, {"fc": {"lbl": [text]}},
                        {"rt": {"rtv": 2, "nu": [text]}},
                        {"rt": {"rtv": 3, "nu": [text]}}):
                with self.subTest(put):
                    ws.send_text(json.dumps({**BASE, **put}))
                    self.assertIn("rsc", ws.recv_prim())
        self.assertGreater(len(self.server.requests), 100)
        self.check()

    def test_contents(self):
        ws = self.start(lambda request: response(
            2001, request.rqi, request.body, status=201))
        for text in self.hostile():
            for ty, pc in ((2, {"m2m:ae": {"api": "Nx", "rr": True,
                                           "poa": [text], "srv": ["3"]}}),
                           (16, {"m2m:csr": {"csi": "/x", "cb": text,
                                             "poa": [text], "rr": True}}),
                           (23, {"m2m:sub": {"nu": [text], "su": text}}),
                           (9, {"m2m:grp": {"mid": [text], "mnm": 1}}),
                           (10, {"m2m:cb": {"lnk": text}})):
                ws.ask(**{**BASE, "op": 1, "ty": ty, "pc": pc})
            ws.ask(**{**BASE, "op": 5, "pc": {"m2m:sgn": {"sur": text}}})
        self.check()

    def test_handshake(self):
        self.start()
        at = self.trap.authority
        for how in ({"path": f"http://{at}/"}, {"path": f"//{at}/"},
                    {"method": "CONNECT", "path": at},
                    {"headers": [f"X-Forwarded-Host: {at}",
                                 f"Forwarded: host={at}",
                                 f"X-M2M-Origin: C{at}"]}):
            with self.subTest(how):
                with Connection(self.gateway.address) as raw:
                    raw.send(upgrade_request(self.gateway.port, **how))
                    raw.read_head()
        ws = self.connect(self.gateway)
        self.assertEqual(ws.ask(**BASE)["rsc"], 2000)
        self.check()

    def test_redirects(self):
        state = {}

        def handler(request):
            at = self.trap.authority
            return response(2000, None, status=state["status"], headers=[
                f"Location: {state['to'] % at}", f"Refresh: 0;url=http://{at}",
                f"Content-Location: http://{at}/x",
                f'Alt-Svc: h2="{at}", http/1.1="{at}"',
                f"Link: <http://{at}/>; rel=alternate"])
        ws = self.start(handler)
        count = 0
        for status in (200, 201, 300, 301, 302, 303, 305, 307, 308, 401, 407):
            for to in ("http://%s/x", "//%s/x", "/x?%s"):
                state.update(status=status, to=to)
                for op in (2, 1, 4):
                    more = {"ty": 3, "pc": {"m2m:cnt": {}}} if op == 1 else {}
                    ws.ask(**{**BASE, "op": op, **more})
                    count += 1
        self.assertEqual(len(self.server.requests), count)
        self.check()
