"""Where an attack takes place: a CSE, the daemon under test, honest clients,
and what is measured of them."""

import collections
import os
import re
import secrets
import subprocess
import tempfile
import time

from harness import Daemon, free_port, program
from test_credentials import bearer, hash_of
from tlscase import make_certificate

HONEST = 100
EVERY_MS = 100          # each honest client asks that often
NEWCOMER_MS = 200
FILES = 20000           # descriptors of the daemon
SETTLE_S = 45           # the longest that memory and descriptors may take

# Not a sign that a limit bit.
USUAL = {
    "worker", "connections", "sessions", "messages_in", "messages_out",
    "requests", "answered", "deliveries", "delivered", "notify_requests",
    "registrations", "deregistrations", "asked", "forwarded", "polled",
    "stored", "redelivered", "held", "handshakes", "resumed",
}

BARE = r'[^\s"=\x00-\x1f\x7f]+'
QUOTED = r'"(?:[^"\\\x00-\x1f\x7f]|\\[\\"nt]|\\x[0-9a-f]{2})*"'
LINE = re.compile(
    rf"ts=[0-9TZ:.-]+ level=(?:error|warning|info|debug) event=\w+"
    rf"(?: \w+=(?:{BARE}|{QUOTED}|))*\Z")
PAIR = re.compile(rf" (\w+)=({QUOTED}|\S*)")


def bad_lines(log):
    """Lines of the log that are not one event each."""
    lines = log.split("\n")
    return [line for line in lines[:-1] if not LINE.match(line)] + \
        ([lines[-1]] if lines[-1] else [])


def events(log, name):
    """The fields of each event of that name."""
    for line in log.split("\n"):
        if f" event={name} " in line:
            yield dict(PAIR.findall(" " + line))


class Honest:
    """The clients of tests/attack/honest.c."""

    def __init__(self, address, authorization):
        self.popen = subprocess.Popen(
            [program("honest"), "--target", "%s:%d" % address,
             "--connections", str(HONEST), "--every", str(EVERY_MS),
             "--newcomer", str(NEWCOMER_MS), "--authorization",
             authorization],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)
        if self.popen.stdout.readline() != "ready\n":
            raise AssertionError("the honest clients could not start")

    def window(self):
        """What they saw since they were asked the last time."""
        self.popen.stdin.write(".")
        self.popen.stdin.flush()
        line = self.popen.stdout.readline()
        return {k: int(v) for k, v in
                (pair.split("=") for pair in line.split())}

    def measure(self, seconds):
        self.window()
        time.sleep(seconds)
        return self.window()

    def close(self):
        if not self.popen.stdin.closed:
            self.popen.stdin.close()
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class Memory:
    """Of a process, in kB."""

    def __init__(self, pid):
        self.folder = f"/proc/{pid}"
        with open(f"{self.folder}/clear_refs", "w") as out:
            out.write("5")      # the peak begins anew

    def read(self, name):
        with open(f"{self.folder}/status") as status:
            for line in status:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        raise AssertionError(f"no {name}")

    @property
    def now(self):
        return self.read("VmRSS")

    @property
    def peak(self):
        return self.read("VmHWM")

    @property
    def descriptors(self):
        return len(os.listdir(f"{self.folder}/fd"))


class Field:
    def __init__(self, options, cse=None):
        """options: sections that differ; cse: URL of another CSE."""
        self.folder = tempfile.TemporaryDirectory(prefix="m2mwsd-attack-")
        self.opened = [self.folder.cleanup]
        self.listener = ("127.0.0.1", free_port())
        self.cse = None
        try:
            self.start(options, cse)
        except BaseException:
            self.close()
            raise

    def start(self, options, cse):
        if options.get("gateway", {}).get("backend") == "store":
            cse = "http://127.0.0.1:1"
        elif cse is None:
            cse = self.start_cse()
        self.notify = ("127.0.0.1", free_port())
        self.wss = ("127.0.0.1", free_port())
        self.secret = secrets.token_urlsafe()
        self.daemon = Daemon(cse, files=FILES, **self.config(options))
        self.opened.append(self.daemon.kill)
        self.address = self.daemon.address
        self.honest = Honest(self.address,
                             bearer("honest", self.secret).split(": ")[1])
        self.opened.append(self.honest.close)
        self.memory = Memory(self.daemon.popen.pid)

    def start_cse(self):
        port = free_port()
        self.cse = Daemon(f"http://127.0.0.1:{port}", files=FILES, log={
            "access": "no"}, store={"path": ":memory:",
                                    "http_listen": f"127.0.0.1:{port}"})
        self.opened.append(self.cse.kill)
        self.cse_address = ("127.0.0.1", port)
        return f"http://127.0.0.1:{port}"

    def config(self, options):
        cert, key = make_certificate("openssl", self.folder.name, "ecdsa")
        self.certificate = cert
        path = os.path.join(self.folder.name, "originators")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as out:
            out.write(f'[credential "honest"]\n'
                      f"token = {hash_of(self.secret)}\n"
                      f"originators = Chonest* Cnewcomer\n"
                      f'[credential "slow"]\nuser = slow\n'
                      f"password = {hash_of(self.secret, 200000)}\n"
                      f"originators = Cslow\n")
        config = {
            "gateway": {"workers": 2},
            'listener "wss"': {"listen": "%s:%d" % self.wss, "tls": "yes",
                               "cert_file": cert, "key_file": key},
            "upstream": {"cse_id": "/id-in"},
            "auth": {"mode": "registered", "originators_file": path},
            "notify": {"listen": "%s:%d" % self.notify},
        }
        for section, more in options.items():
            config.setdefault(section, {}).update(more)
        return config

    def settle(self, limit_kb, descriptors):
        """Waits until the daemon is down to this; how long it took, or None."""
        began = time.monotonic()
        while time.monotonic() < began + SETTLE_S:
            if self.memory.now <= limit_kb and \
                    self.memory.descriptors <= descriptors:
                return time.monotonic() - began
            time.sleep(0.1)
        return None

    def stop(self):
        """Ends the daemon; (complaint or None, its log)."""
        said = self.daemon.stop(30)
        return said, self.daemon.log_text()

    def close(self):
        while self.opened:
            self.opened.pop()()


def bitten(log):
    """The counters that are not zero, of all workers."""
    sums = collections.Counter()
    for name in ("worker_end", "reverse_end", "delivery_end"):
        for fields in events(log, name):
            sums.update({k: int(v) for k, v in fields.items()
                         if v.isdigit() and k not in USUAL})
    return +sums
