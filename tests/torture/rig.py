"""What a scenario of the torture sees: a daemon that runs with the shim, its
neighbours, and clients that never wait without end."""

import http.client
import os
import select
import ssl
import subprocess
import tempfile
import time

from harness import (BUILD, SANITIZED, Daemon, NotListening,
                     free_port, program)
from reverse import CSE_ID, Registrar, call
from fakecse import FakeCse
from shim import Names, Shim
from wsclient import Connection, Gone, Refused, Silent, WebSocket

SHORT = 1           # for what nobody promised
PATIENCE = 20 if SANITIZED else 10      # seconds; who waits longer hangs

EMBEDDED = {"gateway": {"backend": "store"}, "store": {"path": ":memory:"}}


class Answered(Exception):
    """A request was answered, but not as without a failure."""


class Lost(Exception):
    """What nobody waits for with a request of his own did not come."""


class Failing(Exception):
    """A program ended: its exit status and what it said."""

    def __init__(self, status, said):
        super().__init__(f"exit status {status}: {said[-400:]}")
        self.status, self.said = status, said


# What may become of a client when memory is short. Silent is not among them.
ENDED = (Gone, Refused, ConnectionError, ssl.SSLError,
         http.client.HTTPException)

SCENARIOS = {}


class Scenario:
    """play(rig) is a generator: it prepares, yields once, and from then on
    allocations fail. options are the daemon's, or a function of the rig."""

    def __init__(self, play, options, alone, probe):
        self.name = play.__name__.replace("_", "-")
        self.play = play
        self.options = options
        self.alone = alone      # its own process, every time
        self.probe = probe


def scenario(alone=False, probe=None, **options):
    """Puts the function below into the table. Keyword arguments are sections
    of the configuration, as those of harness.Daemon; setup=f: f(rig) gives
    them. probe(rig) is the next client, which must be served."""
    def add(play):
        made = Scenario(play, options, alone, probe or next_client)
        if SCENARIOS.setdefault(made.name, made) is not made:
            raise ValueError(f"two scenarios {made.name}")
        return play
    return add


def next_client(rig):
    """Whoever comes next is served."""
    rig.register(rig.connect(), "Cnext")


class Rig:
    """Lives as long as its scenario; the daemon may be started again."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.folder = tempfile.TemporaryDirectory(prefix="m2mwsd-torture-")
        self.names = Names(program("m2mwsd"))
        self.registrar = Registrar()
        self.fake = FakeCse(self.registrar)
        self.shim = None
        self.daemon = None
        self.armed = None       # (mode, at): what is started now fails there
        self.tls = None
        self.open = []
        self.count = 0

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
        os.chmod(self.path(name), 0o600)
        return self.path(name)

    # -- the daemon

    def new_shim(self):
        """For a process that is about to start."""
        if self.shim:
            self.shim.close()
        self.shim = Shim(os.path.join(BUILD, "failmalloc.so"), SANITIZED)
        if self.armed:
            self.shim.arm(*self.armed)

    def shim_env(self):
        more = {"ASAN_OPTIONS": "exitcode=99:detect_leaks=1:"
                                "verify_asan_link_order=0:"
                                "allocator_may_return_null=1"}
        return dict(self.shim.env, **(more if SANITIZED else {}))

    def sections(self):
        """The options of the scenario over those that all need."""
        own = dict(self.scenario.options)
        setup = own.pop("setup", None)
        if setup:
            own.update(setup(self))
        base = {"gateway": {"workers": 1, "drain_timeout": "2s"},
                "upstream": {"cse_id": CSE_ID, "timeout": "2s"},
                "listener": {"handshake_timeout": "6s"},
                "limits": {"message_timeout": "3s", "close_timeout": "1s"},
                "notify": {"listen": f"127.0.0.1:{free_port()}",
                           "timeout": "500ms"}}
        for name, more in own.items():
            base[name] = {**base.get(name, {}), **more}
        if base.get("store"):
            base["store"].setdefault("notify_timeout", "500ms")
        return base

    def start(self):
        self.new_shim()
        sections = self.sections()
        url = sections["upstream"].pop("url", self.fake.url)
        self.notify_url = "http://" + sections["notify"]["listen"] + "/"
        try:
            self.daemon = Daemon(url, env=self.shim_env(), **sections)
        except NotListening as e:
            if e.status is None:
                raise Silent(str(e)) from None
            raise Failing(e.status, e.log) from None
        status = self.daemon.wait(0)
        if status in (1, 2):
            said, self.daemon = self.daemon.log_text(), None
            raise Failing(status, said)

    # -- clients

    def connect(self, **how):
        how.setdefault("tls", self.tls)
        ws = WebSocket(self.daemon.address, timeout=PATIENCE, **how)
        self.open.append(ws)
        return ws

    def socket(self, **how):
        conn = Connection(self.daemon.address, timeout=PATIENCE, **how)
        self.open.append(conn)
        return conn

    def drop_all(self):
        for each in self.open:
            each.drop()
        self.open.clear()

    def rqi(self):
        self.count += 1
        return f"t{self.count}"

    def send(self, ws, op, to, fr="Ct", **more):
        rqi = self.rqi()
        ws.send_prim(**{"op": op, "to": to, "fr": fr, "rqi": rqi,
                        "rvi": "3", **more})
        return rqi

    def expect(self, got, rqi, rsc):
        if got.get("rsc") != rsc and got.get("rsc", 0) >= 4000:
            raise Answered(f"rsc {got['rsc']}")
        if (got.get("rqi"), got.get("rsc")) != (rqi, rsc):
            raise AssertionError(f"{rqi} rsc {rsc} expected, got {got}")
        return got.get("pc")

    def ask(self, ws, op, to, rsc, fr="Ct", **more):
        rqi = self.send(ws, op, to, fr, **more)
        return self.expect(ws.recv_prim(), rqi, rsc)

    def create(self, ws, to, ty, fr="Ct", **pc):
        (kind, attributes), = pc.items()
        return self.ask(ws, 1, to, 2001, fr, ty=ty,
                        pc={f"m2m:{kind}": attributes})[f"m2m:{kind}"]

    def register(self, ws, fr="Ct", **more):
        ae = {"api": "N1", "rr": True, "srv": ["3"], **more}
        return self.create(ws, "cse-in", 2, fr, ae=ae)

    def online(self, fr="Ct"):
        """A registered client, and its point of access."""
        ws = self.connect()
        self.register(ws, fr)
        return ws, self.registrar.poa[fr][0]

    def say(self, ws, prim, rsc=2000):
        ws.send_prim(rsc=rsc, rqi=prim["rqi"], rvi="3")

    def call(self, url, body, **how):
        """A request of the CSE; its rsc."""
        got = call(url, body, timeout=PATIENCE, **how)
        if got.rsc != 2000:
            raise Answered(f"rsc {got.rsc} to the CSE")

    def delivered(self, ws, later=None):
        """The next request of the CSE, which may have been lost; of a `later`
        it is known when it has ended."""
        until = time.monotonic() + SHORT
        while not ws.data and not select.select([ws.sock], [], [], 0.02)[0]:
            if time.monotonic() > until or later and not later.is_alive():
                raise Lost
        return ws.recv_prim()

    def run(self, *argv, text=""):
        """The daemon as a command, which ends by itself."""
        self.new_shim()
        done = subprocess.run(
            [program("m2mwsd"), *argv], input=text, capture_output=True,
            text=True, timeout=PATIENCE,
            env=dict(os.environ, **self.shim_env()))
        if done.returncode != 0:
            raise Failing(done.returncode, done.stderr)
        return done.stdout

    def close(self):
        self.drop_all()
        if self.daemon:
            self.daemon.kill()
        self.fake.close()
        if self.shim:
            self.shim.close()
        self.folder.cleanup()
