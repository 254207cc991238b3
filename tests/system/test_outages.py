"""What the system takes away for a while: descriptors, room on the disk, the
right time. Who is connected is served throughout, and all is well again when it
is over."""

import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time

from fakecse import response
from harness import LONG, SANITIZED, eventually, within
from reverse import Registrar, ReverseCase, call, con_of, sgn
from wsclient import Connection, Gone, Refused, WebSocket, upgrade_request

OLD = 50 if LONG else 10
CROWD = 1000 if LONG else 150
STEPS = 20 if LONG else 4       # jumps of the clock
TEN_YEARS = "3650d"


class Old(threading.Thread):
    """Clients that were there before, each with a request and a notification
    in turn, without a pause."""

    def __init__(self, case, daemon):
        super().__init__(daemon=True)
        self.case, self.daemon_ = case, daemon
        self.clients = [case.online(daemon, f"Cold{n}") for n in range(OLD)]
        self.rounds, self.error, self.over = 0, None, False
        self.start()

    def run(self):
        try:
            while not self.over:
                for n, (ws, poa) in enumerate(self.clients):
                    self.request(ws, n)
                    self.notification(ws, poa, str(self.rounds))
                self.rounds += 1
        except Exception as e:
            self.error = f"round {self.rounds}, client {n}: {e!r}"

    def request(self, ws, n):
        answer = ws.ask(op=2, to="cse-in", fr=f"Cold{n}", rvi="3",
                        rqi=f"r{self.rounds}", rqet="20000")
        if answer["rsc"] != 2000 or answer["rqi"] != f"r{self.rounds}":
            raise AssertionError(answer)

    def notification(self, ws, poa, mark):
        got = []
        sender = threading.Thread(
            target=lambda: got.append(call(poa, sgn(mark)).rsc), daemon=True)
        sender.start()
        prim = ws.recv_prim()
        if con_of(prim) != mark:
            raise AssertionError(prim)
        self.case.answer(ws, prim)
        sender.join(20)
        if got != [2000]:
            raise AssertionError(f"the notification was answered {got}")

    def more(self, rounds=2):
        """So many rounds go by without an error."""
        until = self.rounds + rounds
        eventually(lambda: self.error or self.rounds >= until, 60)
        self.case.assertIsNone(self.error)
        self.case.assertGreaterEqual(self.rounds, until)

    def end(self):
        self.over = True
        self.join(60)
        self.case.assertIsNone(self.error)


class OutageCase(ReverseCase):
    seconds = 120

    def note_recovery(self, what, began):
        self.note(f"{what}: served again after "
                  f"{(time.monotonic() - began) * 1000:.0f} ms")


class Descriptors(OutageCase):
    def limit(self, daemon, files):
        hard = resource.prlimit(daemon.popen.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(daemon.popen.pid, resource.RLIMIT_NOFILE,
                         (files, hard))

    def serves(self, daemon):
        try:
            with WebSocket(daemon.address, timeout=2) as ws:
                return ws.ask_text("{")["rsc"] == 4000
        except (AssertionError, OSError, Refused):
            return False

    def test_none_is_left(self):
        """The CSE closes each connection, so that every request needs a
        descriptor while a crowd waits for it too."""
        self.registrar.hook = lambda request: response(
            2000, request.rqi, headers=["Connection: close"]) \
            if request.method == b"GET" else None
        daemon = self.gateway(files=4000, gateway={"workers": 2})
        old = Old(self, daemon)
        old.more()
        used = len(os.listdir(f"/proc/{daemon.popen.pid}/fd"))
        self.limit(daemon, used + CROWD // 2)
        crowd = []
        for _ in range(CROWD):
            c = Connection(daemon.address)
            self.addCleanup(c.drop)
            c.send(upgrade_request(daemon.port))
            crowd.append(c)
        self.assertTrue(eventually(
            lambda: "event=accept_paused" in daemon.log_text()))
        old.more()
        self.limit(daemon, 4000)
        began = time.monotonic()
        self.assertTrue(eventually(lambda: self.serves(daemon), 30))
        self.note_recovery("descriptors", began)
        served = 0
        for c in crowd:
            try:
                served += c.read_head()[0] == 101
            except Gone:
                pass        # given up while there were none
        self.note(f"{served} of {CROWD} that came meanwhile were served")
        old.more()
        old.end()


class Disk(OutageCase):
    def small_disk(self):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        where = tempfile.mkdtemp(prefix="m2mwsd-")
        self.addCleanup(os.rmdir, where)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs",
                        where], check=True)
        self.addCleanup(subprocess.run, ["umount", where], check=True)
        return where

    def fill(self, where):
        with open(os.path.join(where, "others"), "wb", buffering=0) as out:
            try:
                while out.write(b"x" * 4096):
                    pass
            except OSError:
                pass

    def test_state_dir_is_full(self):
        where = self.small_disk()
        daemon = self.gateway(gateway={"state_dir": where},
                              notify={"offline": "store"})
        old = Old(self, daemon)
        ws, poa = self.online(daemon, "Caway")
        ws.drop()
        self.assertTrue(eventually(
            lambda: "event=offline" in daemon.log_text()))
        accepted = [n for n in range(10) if
                    call(poa, sgn(str(n))).rsc == 2000]
        self.assertEqual(len(accepted), 10)
        self.fill(where)
        for n in range(10, 200):
            if call(poa, sgn(str(n), note="x" * 4000)).rsc == 2000:
                accepted.append(n)
        self.assertLess(len(accepted), 200)
        old.more()
        # a registration is in force, whether the disk took it or not
        late, _ = self.online(daemon, "Clate")
        os.unlink(os.path.join(where, "others"))
        began = time.monotonic()
        self.assertTrue(eventually(
            lambda: call(poa, sgn("back")).rsc == 2000, 30))
        self.note_recovery("disk", began)
        old.more()
        ws = self.back(daemon, "Caway")
        for n in accepted:
            prim = ws.recv_prim()
            self.assertEqual(con_of(prim), str(n))
            self.answer(ws, prim)
        old.end()


class SometimesSilent(Registrar):
    def __call__(self, request):
        if request.target.endswith(b"/silent"):
            return b""
        return super().__call__(request)


class Clock(OutageCase):
    """The time of the day jumps; what measures how long something takes does
    not (libfaketime leaves CLOCK_MONOTONIC alone)."""

    def setUp(self):
        super().setUp()
        found = subprocess.run(
            ["dpkg", "-L", "libfaketime"], capture_output=True,
            text=True).stdout.split("\n")
        libraries = [f for f in found if f.endswith("libfaketimeMT.so.1")]
        if not libraries:
            self.skipTest("libfaketime is not installed")
        self.library = libraries[0]
        self.folder = tempfile.mkdtemp(prefix="m2mwsd-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = os.path.join(self.folder, "time")
        self.registrar = SometimesSilent()
        self.fake = self.cse(self.registrar)

    def jump(self, offset):
        """From now on, in the process that looks at the file each time."""
        with open(self.file + ".new", "w") as out:
            out.write(offset + "\n")
        os.rename(self.file + ".new", self.file)

    def faked_gateway(self, **options):
        fake = {"LD_PRELOAD": self.library, "DONT_FAKE_MONOTONIC": "1",
                "FAKETIME_TIMESTAMP_FILE": self.file, "FAKETIME_NO_CACHE": "1"}
        os.environ.update(fake)
        try:
            return self.gateway(**options)
        finally:
            for name in fake:
                del os.environ[name]

    @within(240)
    def test_jumps(self):
        if SANITIZED:
            return  # nothing may be loaded before its own library
        self.jump("+0")
        os.makedirs(os.path.join(self.folder, "state"))
        daemon = self.faked_gateway(
            upstream={"timeout": "1s"}, notify={"timeout": "10s"},
            gateway={"state_dir": os.path.join(self.folder, "state")},
            limits={"ping_interval": "1s"})
        old = Old(self, daemon)
        ws, _ = self.online(daemon, "Cwait")
        worst = 0
        for n in range(STEPS):
            ws.send_prim(op=2, to="cse-in/silent", fr="Cwait", rqi=f"s{n}",
                         rvi="3")
            began = time.monotonic()
            self.jump(("+" if n % 2 == 0 else "-") + TEN_YEARS)
            self.assertTrue(self.has_jumped(daemon, n % 2 == 0))
            with WebSocket(daemon.address) as new:
                self.assertEqual(new.ask_text("{")["rsc"], 4000)
            worst = max(worst, time.monotonic() - began)
            old.more(1)
            answer = ws.recv_prim()
            self.assertEqual((answer["rqi"], answer["rsc"]), (f"s{n}", 4008))
        self.note(f"clock: a newcomer served within {worst * 1000:.0f} ms of "
                  f"{STEPS} jumps by ten years")
        old.end()

    def has_jumped(self, daemon, forwards):
        """A line of the log says so."""
        year = time.gmtime().tm_year + (10 if forwards else -10)
        near = {f"ts={y}-" for y in (year - 1, year, year + 1)}
        return eventually(lambda: any(
            mark in daemon.log_text() for mark in near))
