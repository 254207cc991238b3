"""What is behind the gateway: a CSE that fails, or is made to, targets of
notifications that do, and addresses that nobody should be sent to."""

import http.client
import json
import signal
import socket
import threading
import time

from attack import Attack, Entity, prim
from fakecse import FakeCse
from harness import Daemon, free_port
from reverse import Registrar


def ask_cse(address, *requests, fr="CAdmin"):
    """Requests to a CSE itself; their answers."""
    conn = http.client.HTTPConnection(*address, timeout=10)
    said = []
    for n, (method, to, ty, content) in enumerate(requests):
        media = "application/json" + (f";ty={ty}" if ty else "")
        conn.request(method, to, json.dumps(content) if content else None,
                     {"X-M2M-Origin": fr, "X-M2M-RI": str(n),
                      "X-M2M-RVI": "3", "Content-Type": media})
        answer = conn.getresponse()
        said.append((int(answer.getheader("X-M2M-RSC")), answer.read()))
    conn.close()
    return said


class Listener:
    """Somebody who should not be called, or calls of whom are counted; what
    it does with them is said()."""

    def __init__(self, said=None):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", free_port()))
        self.sock.listen(1024)
        self.port = self.sock.getsockname()[1]
        self.calls = 0
        self.said = said
        self.kept = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            self.calls += 1
            if self.said:
                threading.Thread(target=self.said, args=(sock,),
                                 daemon=True).start()
            else:
                self.kept.append(sock)  # and never a word

    def close(self):
        self.sock.close()
        for sock in self.kept:
            sock.close()


# ---- the CSE ----


class Asking(Entity):
    """Requests as fast as they are answered, some at a time."""

    def begin(self):
        for _ in range(16):
            self.next()

    def next(self):
        self.ask(2, f"cse-in/{self.me[1:]}")

    def said(self, data):
        for _ in range(data.count(b'"rsc"')):
            self.next()


class StoppedCse(Attack):
    """Nobody can be answered; when it goes on, all are again."""

    title = "a CSE that stops, clients pile up"
    kind, peers = Asking, 300
    seconds = 8
    stalls = refusals = True
    options = {"upstream": {"timeout": "2s"}}
    limits = ("timed_out",)

    def during(self, field):
        time.sleep(2)
        field.cse.signal(signal.SIGSTOP)
        time.sleep(4)
        field.cse.signal(signal.SIGCONT)

    def finish(self, field):
        field.cse.signal(signal.SIGCONT)


class SlowPaths(Registrar):
    """A CSE that answers attackers an octet at a time, others at once."""

    def __init__(self):
        super().__init__()
        self.slow = []

    def __call__(self, request):
        if request.header("X-M2M-Origin", ).startswith("Cevil") and \
                request.method == b"GET":
            self.slow.append(request)
            return b""
        return super().__call__(request)

    def drip(self):
        """An octet for each that waits, of an answer without an end."""
        while True:
            time.sleep(0.05)
            for request in self.slow[-4000:]:
                if not getattr(request, "begun", False):
                    request.begun = True
                    request.reply(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                request.reply(b"x")


class SlowCse(Attack):
    title = "a CSE that answers attackers an octet at a time"
    kind, peers = Asking, 50
    limits = ("timed_out",)
    options = {"upstream": {"timeout": "3s"}}

    def __init__(self):
        self.registrar = SlowPaths()
        self.fake = FakeCse(self.registrar, strict=False)
        self.cse = self.fake.url
        threading.Thread(target=self.registrar.drip, daemon=True).start()

    def finish(self, field):
        self.fake.close()


class Polls(Attack):
    """Each poll is a request to the CSE that is not answered for long."""

    title = "long polls that wait at the CSE"
    peers = 30
    seconds = 8
    options = {"upstream": {"connections": 32}}

    class kind(Entity):
        def begin(self):
            self.ask(1, f"cse-in/{self.me[1:]}", ty=15, rcn=0,
                     pc={"m2m:pch": {"rn": "poll"}})

        def said(self, data):
            while self.rqi < 60:
                self.ask(2, f"cse-in/{self.me[1:]}/poll/pcu")


# ---- where it is sent ----


class Ssrf(Attack):
    """Targets and points of access with the attacker's address: the gateway
    calls nobody but its CSE."""

    title = "addresses in to, poa and nu"
    peers = 50
    stalls = True   # this CSE is a script

    def __init__(self):
        self.listener = Listener()
        self.registrar = Registrar()
        self.fake = FakeCse(self.registrar, strict=False)
        self.cse = self.fake.url
        here = f"127.0.0.1:{self.listener.port}"
        Ssrf.urls = [f"http://{here}/x", f"//{here}/x", f"{here}/x",
                     f"ws://{here}/x", f"/~/{here}/x", f"/_/{here}/x/y",
                     f"/x@{here}/", f"@{here}/", f"\\\\{here}\\x",
                     f"cse-in/../../{here}", f"x\r\nHost: {here}\r\n\r\n",
                     f"?x=http://{here}/", f"#http://{here}", f"mqtt://{here}",
                     f"coap://{here}/x", f"http:/{here}/x", f":{here}/"]

    class kind(Entity):
        def registration(self, me, **members):
            return super().registration(me, poa=Ssrf.urls[:4], **members)

        def begin(self):
            self.at = 0
            self.go_on()

        def go_on(self):
            url = Ssrf.urls[self.at % len(Ssrf.urls)]
            self.at += 1
            self.ask(2, url)
            self.ask(3, f"cse-in/{self.me[1:]}",
                     pc={"m2m:ae": {"poa": [url]}})
            self.ask(1, f"cse-in/{self.me[1:]}", ty=23,
                     pc={"m2m:sub": {"nu": [url], "su": url}})
            self.ask(2, "cse-in", rt={"rtv": 2, "nu": [url]})

        def said(self, data):
            self.go_on()

    def check(self, field, log):
        return [f"{self.listener.calls} calls of the attacker's address"] \
            if self.listener.calls else []

    def finish(self, field):
        self.listener.close()
        self.fake.close()


# ---- notifications ----


def agree(sock):
    """Says yes to a verification, and nothing to what comes after it."""
    data = b""
    try:
        while b"vrq" not in data:
            piece = sock.recv(65536)
            if not piece:
                return
            data += piece
        rqi = next(line.split(b":")[1].strip() for line in data.split(b"\r\n")
                   if line.lower().startswith(b"x-m2m-ri:"))
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nX-M2M-RI: " +
                     rqi + b"\r\nContent-Length: 0\r\n\r\n")
        while sock.recv(65536):
            time.sleep(1)
    except OSError:
        pass


class Notified(Attack):
    """10,000 notifications for a target of the attacker's. The embedded CSE
    is in the daemon under test."""

    embedded = True
    peers = 4
    seconds = 8
    options = {"gateway": {"backend": "store"}, "store": {
        "path": ":memory:", "notify_queue": "256k", "notify_timeout": "2s"}}
    limits = ("overflowed", "undelivered", "lost", "unanswered", "replaced")
    stops = False

    def prepare(self, field):
        self.listener = Listener(agree)
        Notified.target_url = f"http://127.0.0.1:{self.listener.port}/"

    def during(self, field):
        time.sleep(2)
        if not self.stops:
            self.listener.close()

    def finish(self, field):
        self.listener.close()

    class kind(Entity):
        """Four of them write into a container that notifies the target."""

        def begin(self):
            self.name = f"cse-in/{self.me[1:]}"
            self.ask(1, self.name, ty=3, rcn=0,
                     pc={"m2m:cnt": {"rn": "c", "mni": 10}})
            self.ask(1, f"{self.name}/c", ty=23, rcn=0,
                     pc={"m2m:sub": {"nu": [self.nu()], "enc": {"net": [3]}}})
            self.written = 0

        def nu(self):
            return Notified.target_url

        def said(self, data):
            if b'"op":5' in data and b"vrq" in data:
                rqi = json.loads(data[data.index(b"{"):data.rindex(b"}") + 1]
                                 .decode("utf-8", "replace"))["rqi"]
                self.say(prim(rsc=2000, rqi=rqi, rvi="3"))
                return
            for _ in range(data.count(b'"rsc":2001') * 2):
                if self.written < 2500:
                    self.written += 1
                    self.ask(1, f"{self.name}/c", ty=4, rcn=0,
                             pc={"m2m:cin": {"con": "x" * 200}})


class DeadTarget(Notified):
    title = "10,000 notifications, the target dies"


class StoppedTarget(Notified):
    title = "10,000 notifications, the target does not answer"
    stops = True


class MuteEntity(Notified):
    title = "10,000 notifications to clients that do not answer"
    limits = ("overflowed", "undelivered", "unanswered", "lost")

    class kind(Notified.kind):
        def nu(self):
            return self.me


# ---- circles ----


class Circle(Attack):
    """Two CSEs that each reach /id-c through the other."""

    title = "two CSEs in a circle"
    peers = 20
    options = {"gateway": {"backend": "store"}, "store": {
        "path": ":memory:", "max_pending": 2000, "notify_timeout": "1s"}}

    def __init__(self):
        self.ports = [free_port(), free_port()]
        self.options = {**self.options, "store": {
            **self.options["store"],
            "http_listen": f"127.0.0.1:{self.ports[0]}"}}

    def prepare(self, field):
        self.other = Daemon("http://127.0.0.1:1", log={"access": "no"}, store={
            "path": ":memory:", "cse_id": "/id-b",
            "http_listen": f"127.0.0.1:{self.ports[1]}",
            "max_pending": 2000, "notify_timeout": "1s"})
        for here, there in (self.ports, self.ports[::-1]):
            csr = {"rn": "c", "csi": "/id-c", "cb": "/id-c/cb", "rr": True,
                   "srv": ["3"], "poa": [f"http://127.0.0.1:{there}"]}
            rsc, body = ask_cse(("127.0.0.1", here), (
                "POST", "/cse-in", 16, {"m2m:csr": csr}), fr="/id-c")[0]
            if rsc != 2001:
                raise AssertionError(f"remoteCSE: {rsc} {body!r}")

    class kind(Entity):
        def begin(self):
            for _ in range(32):
                self.ask(2, "/id-c/cb/x")

        def said(self, data):
            for _ in range(data.count(b'"rsc"')):
                self.ask(2, "/id-c/cb/x")

    def finish(self, field):
        self.other.stop()
