"""m2mwsctl with a daemon: each command, and who may do what."""

import http.client
import json
import os
import select
import signal
import socket
import stat
import subprocess
import tempfile

from harness import (Process, eventually, free_port, needs_program, program,
                     within)
from reverse import CSE_ID, Later, ReverseCase, call, con_of, sgn
from test_robust import retrieve
from tlscase import make_certificate
from wsclient import Gone


def select_one(file):
    """There is something to read, now or in a moment."""
    return select.select([file], [], [], 0.05)[0]


class CtlCase(ReverseCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory(prefix="ctl-")
        self.addCleanup(self.folder.cleanup)
        self.socket = os.path.join(self.folder.name, "ctl")

    def start(self, **options):
        options.setdefault("admin", {})["socket"] = self.socket
        options.setdefault("gateway", {}).setdefault("workers", "2")
        daemon = self.gateway(**options)
        # behind the listeners that the harness waits for
        self.assertTrue(eventually(self.answers))
        return daemon

    def answers(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.socket) == 0

    def ctl(self, *args, status=0):
        """What it prints; standard error is in self.said."""
        done = subprocess.run(
            [program("m2mwsctl"), "-s", self.socket, *args],
            capture_output=True, timeout=15, text=True,
            stdin=subprocess.DEVNULL)
        self.said = done.stderr
        self.assertEqual(done.returncode, status,
                         f"{args}: {done.stdout}{done.stderr}")
        return done.stdout

    def ask(self, *args, status=0):
        return json.loads(self.ctl(*args, "--json", status=status))

    def sessions(self, *args):
        return self.ask("sessions", *args)["sessions"]

    def rewrite(self, daemon, old, new):
        with open(daemon.file) as text:
            changed = text.read().replace(old, new)
        with open(daemon.file, "w") as text:
            text.write(changed)


class Socket(CtlCase):
    def test_mode(self):
        old = os.umask(0o077)
        try:
            daemon = self.start()
        finally:
            os.umask(old)
        mode = os.stat(self.socket).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o660)
        self.end_process(daemon)
        self.assertFalse(os.path.exists(self.socket))

    def test_left_behind(self):
        """One that nobody listens on is replaced, one in use is not."""
        daemon = self.start()
        daemon.signal(signal.SIGKILL)
        daemon.wait(10)
        daemon.ended = True
        self.assertTrue(os.path.exists(self.socket))
        self.start()
        self.assertEqual(self.sessions(), [])
        conf = os.path.join(self.folder.name, "second.conf")
        with open(conf, "w") as out:
            out.write(f"""
[listener "b"]
listen = 127.0.0.1:{free_port()}
[upstream "cse"]
url = {self.fake.url}
[auth]
mode = open
[admin]
socket = {self.socket}
""")
        second = Process([program("m2mwsd"), "-c", conf])
        self.assertEqual(second.wait(15), 1)
        self.assertIn("address already in use", second.log_text())
        self.assertEqual(self.sessions(), [])

    def test_a_file_is_not_touched(self):
        with open(self.socket, "w") as out:
            out.write("mine")
        with self.assertRaises(AssertionError):
            self.start()
        with open(self.socket) as text:
            self.assertEqual(text.read(), "mine")

    def test_what_changes_is_not_on_the_address(self):
        port = free_port()
        daemon = self.start(admin={"listen": f"127.0.0.1:{port}"})
        ws = self.connect(daemon)
        sid = self.sessions()[0]["sid"]
        for method, path in (
                ("POST", f"/api/sessions/{sid}/kick"), ("POST", "/api/drain"),
                ("POST", "/api/reload"), ("POST", "/api/log?level=debug"),
                ("DELETE", "/api/inbox/Cx"), ("DELETE", "/api/inbox/Cx/1"),
                ("POST", "/api/inbox/Cx/redeliver")):
            conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            conn.request(method, path)
            answer = conn.getresponse()
            self.assertEqual(answer.status, 403, path)
            self.assertIn("error", json.loads(answer.read()))
            conn.close()
        conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        conn.request("GET", f"/api/sessions/{sid}")
        self.assertEqual(json.loads(conn.getresponse().read())["sid"], sid)
        conn.close()
        self.assertEqual(self.ask("status")["log"], "info")
        self.assertEqual(ws.ask(**retrieve("q"))["rsc"], 4106)

    def test_paths(self):
        self.start()
        for method, path, status in (
                ("GET", "/api/sessions/0", 404), ("GET", "/api/x", 404),
                ("GET", "/api/sessions/1/kick", 405),
                ("POST", "/api/status", 405),
                ("GET", "/api/inbox/%2", 400), ("GET", "/api/inbox/%00", 400),
                ("GET", "/api/inbox/a%2F%2Fb", 400),
                ("GET", "/api/sessions?limit=0", 400),
                ("GET", "/api/sessions?limit=10001", 400),
                ("GET", "/api/sessions?originator=a%20%2F%2F", 400),
                ("POST", "/api/log", 400), ("GET", "/api/config", 200)):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
                s.sendall(f"{method} {path} HTTP/1.1\r\nHost: a\r\n"
                          "Connection: close\r\n\r\n".encode())
                line = s.makefile("rb").readline()
            self.assertEqual(int(line.split()[1]), status, path)


class Commands(CtlCase):
    def test_status(self):
        daemon = self.start()
        self.online(daemon)
        seen = self.ask("status")
        self.assertEqual((seen["sessions"], seen["entities"], seen["online"],
                          seen["draining"], seen["workers"]),
                         (1, 1, 1, False, 2))
        self.assertEqual(seen["counters"]["requests_total"], 1)
        self.assertEqual(seen["upstream"]["up"], 2)
        self.assertEqual([(u["name"], u["up"], u["requests"])
                          for u in seen["upstreams"]], [("cse", 2, 1)])
        self.assertIn("requests_total", self.ctl("status"))
        self.assertNotIn("UPSTREAM", self.ctl("status"))

    def test_status_of_upstreams(self):
        self.start(**{'upstream "spare"': {"url": "http://127.0.0.1:9",
                                           "cse_id": CSE_ID}})
        lines = self.ctl("status").split("\n")
        at, = [i for i, line in enumerate(lines) if "UPSTREAM" in line]
        self.assertEqual([line.split()[:2] for line in lines[at + 1:at + 3]],
                         [["cse", "2"], ["spare", "2"]])

    def test_sessions(self):
        daemon = self.start()
        self.online(daemon, "Ca")
        busy, _ = self.online(daemon, "Cb")
        for i in range(3):
            busy.ask(op=2, to="x", fr="Cb", rqi=f"r{i}", rvi="3")
        self.connect(daemon)
        self.assertEqual(len(self.sessions()), 3)
        one, = self.sessions("--originator", "Cb")
        self.assertEqual((one["originators"], one["entities"],
                          one["messages_in"], one["messages_out"],
                          one["listener"], one["subprotocol"]),
                         (["/id-in/Cb"], 1, 4, 4, "main", "oneM2M.json"))
        self.assertEqual(self.sessions("--originator", "Cnobody"), [])
        self.assertEqual(self.sessions("--peer", one["peer"]), [one])
        self.assertEqual(len(self.sessions("--peer", "127.0.0.1")), 3)
        self.assertEqual(self.sessions("--peer", "127.0.0"), [])
        self.assertEqual(self.ask("session", str(one["sid"])), one)
        self.assertEqual(self.sessions("--sort", "messages_in")[0], one)
        lines = self.ctl("sessions", "--sort", "messages_in").split("\n")
        self.assertEqual(len(lines), 5)
        self.assertIn("/id-in/Cb", lines[1])
        self.assertIn("/id-in/Cb", self.ctl("session", str(one["sid"])))
        self.assertEqual(len(self.sessions("--limit", "2")), 2)
        self.ctl("sessions", "--limit", "2")
        self.assertIn("more", self.said)
        self.ctl("sessions", "--sort", "nothing", status=2)
        self.ctl("session", "999", status=1)
        self.assertIn("no such session", self.said)

    def test_kick(self):
        daemon = self.start()
        ws, _ = self.online(daemon)
        other = self.connect(daemon)
        one, = self.sessions("--originator", "Cmeter7")
        self.ctl("kick", str(one["sid"]))
        with self.assertRaisesRegex(Gone, "Close 1008 b'ended by"):
            ws.recv_text()
        ws.drop()
        self.assertTrue(eventually(lambda: len(self.sessions()) == 1))
        self.assertEqual(other.ask_text("{")["rsc"], 4000)
        self.ctl("kick", str(one["sid"]), status=1)

    def test_reload(self):
        daemon = self.start()
        seen = self.ask("reload")
        self.assertEqual((seen["ok"], seen["errors"]), (True, []))
        self.rewrite(daemon, "workers = 2", "workers = 3")
        self.assertEqual(self.ask("reload")["restart_needed"],
                         ["gateway.workers"])
        self.ctl("reload")
        self.assertIn("takes a restart: gateway.workers", self.said)
        self.rewrite(daemon, "workers = 3", "wrkers = 3")
        self.ctl("reload", status=1)
        self.assertIn('did you mean "workers"', self.said)
        self.assertFalse(self.ask("reload", status=1)["ok"])

    def test_log(self):
        self.start()
        self.ctl("log", "debug")
        self.assertEqual(self.ask("status")["log"], "debug")
        self.ctl("log", "error")
        self.assertEqual(self.ask("status")["log"], "error")
        self.ctl("reload")
        self.assertEqual(self.ask("status")["log"], "info")
        self.ctl("log", "loud", status=1)

    def test_config(self):
        self.start()
        self.assertIn(f"socket = {self.socket}", self.ctl("config"))

    def test_drain(self):
        fake = self.cse(None)
        daemon = self.start(cse=fake, auth={"mode": "open"})
        ws = self.connect(daemon)
        ws.send_prim(**retrieve("held"))
        self.assertTrue(eventually(lambda: fake.requests))
        self.assertEqual(self.ask("drain")["sessions"], 1)
        self.ctl("drain")       # does not hurry
        self.assertTrue(self.ask("status")["draining"])
        fake.requests[0].answer()
        self.assertEqual(ws.recv_prim()["rsc"], 2000)
        with self.assertRaisesRegex(Gone, "Close 1012"):
            ws.recv_text()
        ws.drop()
        self.assertEqual(daemon.wait(15), 0)
        self.ctl("status", status=1)
        self.assertIn("is m2mwsd running", self.said)

    def test_usage(self):
        for args in ((), ("frob",), ("kick",), ("inbox",), ("kick", "1", "2"),
                     ("status", "--sort", "sid"), ("--frob",),
                     ("request", "ws://a", "frob", "x"),
                     ("request", "ws://a", "1", "x", "-p", "{")):
            self.ctl(*args, status=2)
            self.assertIn("m2mwsctl: ", self.said, args)
        self.assertIn("inbox redeliver", self.ctl("--help"))
        self.assertTrue(self.ctl("--version").startswith("m2mwsctl "))

    @within(60)
    def test_a_thousand(self):
        daemon = self.start(auth={"mode": "open"}, files=4096)
        for _ in range(1000):
            self.connect(daemon)
        self.connect(daemon)
        self.assertEqual(len(self.sessions()), 1000)
        seen = self.ask("sessions", "--limit", "2000")
        self.assertEqual(len({s["sid"] for s in seen["sessions"]}), 1001)
        self.assertFalse(seen["more"])
        self.assertEqual(len(self.ctl("sessions").split("\n")), 1002)


class Inbox(CtlCase):
    def stored(self, daemon, fr, count):
        ws, poa = self.online(daemon, fr)
        ws.drop()
        self.assertTrue(eventually(
            lambda: not self.sessions("--originator", fr)))
        for i in range(count):
            self.assertEqual(call(poa, sgn(str(i))).rsc, 2000)

    def test_all(self):
        daemon = self.start(notify={"offline": "store"})
        self.stored(daemon, "Ca", 4)
        self.stored(daemon, "Cb", 1)
        seen = {e["entity"]: e for e in self.ask("inbox", "list")["entities"]}
        self.assertEqual({k: e["items"] for k, e in seen.items()},
                         {"/id-in/Ca": 4, "/id-in/Cb": 1})
        self.assertGreater(seen["/id-in/Ca"]["oldest"], 1_600_000_000)
        self.assertEqual(len(self.ctl("inbox", "list").split("\n")), 4)
        shown = self.ask("inbox", "show", "Ca")
        items = shown["items"]
        self.assertEqual([con_of(i["message"]) for i in items],
                         ["0", "1", "2", "3"])
        self.assertFalse(shown["more"])
        self.assertTrue(self.ask("inbox", "show", "Ca", "--limit", "2")
                        ["more"])
        self.assertIn('"con":"3"', self.ctl("inbox", "show", "/id-in/Ca"))
        self.ctl("inbox", "drop", "Ca", str(items[1]["seq"]))
        self.ctl("inbox", "drop", "Ca", str(items[1]["seq"]), status=1)
        self.ctl("inbox", "redeliver", "Ca", status=1)
        self.assertIn("not connected", self.said)
        self.assertEqual(self.ask("inbox", "drop", "Cb")["dropped"], 1)
        ws = self.back(daemon, "Ca")
        for want in ("0", "2", "3"):
            prim = ws.recv_prim()
            self.assertEqual(con_of(prim), want)
            self.answer(ws, prim)
        self.assertTrue(eventually(
            lambda: not self.ask("inbox", "list")["entities"]))
        self.ctl("inbox", "redeliver", "Ca")
        self.ctl("inbox", "show", "a//b", status=1)


class Trace(CtlCase):
    def trace(self, *args):
        tracing = subprocess.Popen(
            [program("m2mwsctl"), "-s", self.socket, "trace", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(tracing.wait)
        self.addCleanup(tracing.kill)
        self.addCleanup(tracing.stdout.close)
        self.addCleanup(tracing.stderr.close)
        return tracing

    def tapped(self, ws, tracing, fr="Cmeter7"):
        """Asks until the first line comes, be it of a request or already of
        an answer: then the trace is there."""
        for i in range(200):
            ws.ask(op=2, to="x", fr=fr, rqi=f"probe{i}", rvi="3")
            if select_one(tracing.stdout):
                return
        self.fail("nothing is traced")

    def next(self, tracing):
        """Of what comes behind the probes."""
        while True:
            line = json.loads(tracing.stdout.readline())
            if not line["prim"]["rqi"].startswith("probe"):
                return line

    def test_both_ways(self):
        daemon = self.start()
        ws, poa = self.online(daemon)
        other, _ = self.online(daemon, "Cother")
        tracing = self.trace("Cmeter7", "--json")
        self.tapped(ws, tracing)
        other.ask(op=2, to="x", fr="Cother", rqi="other", rvi="3")
        ws.ask(op=2, to="y", fr="Cmeter7", rqi="mine", rvi="3")
        got = [self.next(tracing), self.next(tracing)]
        self.assertEqual([(x["dir"], x["prim"]["rqi"]) for x in got],
                         [("in", "mine"), ("out", "mine")])
        self.assertEqual(got[0]["prim"]["to"], "y")
        self.assertEqual(got[1]["prim"]["rsc"], 2000)
        later = Later(poa, sgn("a"))
        prim = ws.recv_prim()
        self.answer(ws, prim)
        self.assertEqual(later.result().rsc, 2000)
        got = [self.next(tracing), self.next(tracing)]
        self.assertEqual([x["dir"] for x in got], ["out", "in"])
        self.assertEqual(con_of(got[0]["prim"]), "a")
        self.end_process(daemon)
        self.assertEqual(tracing.wait(10), 0)

    def test_who_goes_is_forgotten(self):
        daemon = self.start()
        ws, _ = self.online(daemon)
        for _ in range(3):
            tracing = self.trace("Cmeter7", "--json")
            self.tapped(ws, tracing)
            tracing.kill()
            tracing.wait()
        self.assertEqual(ws.ask(op=2, to="x", fr="Cmeter7", rqi="q",
                                rvi="3")["rsc"], 2000)
        self.end_process(daemon)

    def test_who_does_not_read_misses_some(self):
        daemon = self.start()
        ws, _ = self.online(daemon)
        tracing = self.trace("Cmeter7", "--json")
        self.tapped(ws, tracing)
        pad = "x" * 100000
        for i in range(100):
            self.assertEqual(ws.ask(op=1, to="x", fr="Cmeter7", ty=4,
                                    rqi=f"r{i}", rvi="3",
                                    pc={"m2m:cin": {"con": pad}})["rsc"],
                             2001)
        dropped = 0
        while not dropped:
            dropped = self.next(tracing).get("dropped", 0)
            if not dropped:
                ws.ask(op=2, to="x", fr="Cmeter7", rqi="more", rvi="3")
        self.assertGreater(dropped, 0)

    def test_people(self):
        daemon = self.start()
        ws, _ = self.online(daemon)
        tracing = self.trace("Cmeter7")
        for i in range(200):
            ws.ask(op=2, to="x", fr="Cmeter7", rqi=f"q{i}", rvi="3")
            if select_one(tracing.stdout):
                break
        line = tracing.stdout.readline()
        self.assertRegex(line, r'^\d\d:\d\d:\d\d\.\d{3} +\d+ [<>] \{"')
        self.ctl("trace", "a//b", status=1)
        self.assertIn("no id", self.said)


class Client(CtlCase):
    def test_request(self):
        daemon = self.start()
        got = self.ask("request", daemon.url, "-o", "Cmeter7", "create",
                       "cse-in", "-y", "2", "-p",
                       '{"m2m:ae":{"api":"N1","rr":true,"srv":["3"]}}')
        self.assertEqual((got["rsc"], got["pc"]["m2m:ae"]["aei"]),
                         (2001, "Cmeter7"))
        self.assertTrue(self.ctl("request", daemon.url, "-o", "Cmeter7", "2",
                                 "x").startswith("2000\n"))
        self.assertTrue(self.ctl("request", daemon.url, "-o", "Cno", "2",
                                 "x", status=1).startswith("4106\n"))

    def test_listen(self):
        daemon = self.start(notify={"offline": "hold", "timeout": "10s"})
        ws, poa = self.online(daemon)
        ws.drop()
        listening = subprocess.Popen(
            [program("m2mwsctl"), "listen", daemon.url, "-o", "Cmeter7", "-n",
             "2", "--json"], stdout=subprocess.PIPE, text=True)
        self.assertEqual(call(poa, sgn("a")).rsc, 2000)
        self.assertEqual(call(poa, sgn("b")).rsc, 2000)
        out, _ = listening.communicate(timeout=15)
        self.assertEqual(listening.returncode, 0)
        self.assertEqual([con_of(json.loads(line))
                          for line in out.splitlines()], ["a", "b"])

    def test_refused(self):
        daemon = self.start(listener={"path": "/here"})
        self.ctl("request", daemon.url, "2", "x", status=1)
        self.assertIn("404", self.said)
        self.ctl("request", f"ws://127.0.0.1:{free_port()}/", "2", "x",
                 status=1)
        self.assertIn("connection refused", self.said)
        self.ctl("listen", "http://127.0.0.1/", status=1)

    def test_wss(self):
        openssl = needs_program(self, "openssl")
        made = [make_certificate(openssl, self.folder.name, "ecdsa", file=name)
                for name in ("right", "wrong")]
        cert, key = made[0]
        daemon = self.start(auth={"mode": "open"}, listener={
            "tls": "yes", "cert_file": cert, "key_file": key})
        url = f"wss://localhost:{daemon.port}/"
        self.assertEqual(self.ask("request", url, "--ca", cert, "2", "x",
                                  "-o", "Cx")["rsc"], 2000)
        self.ctl("request", url, "--ca", made[1][0], "2", "x", status=1)
        self.ctl("request", url, "2", "x", status=1)
        self.ctl("request", url, "--ca", "/nowhere", "2", "x", status=1)
        self.assertIn("/nowhere", self.said)
