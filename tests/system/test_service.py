"""What a service manager hears, and the sockets that it hands over."""

import os
import signal
import socket
import sys
import tempfile
import threading
import time

from fakecse import ok
from harness import Case, Daemon, eventually, free_port, within
from wsclient import Gone, Refused, WebSocket


HAND_OVER = """
import os, sys
for i, fd in enumerate(sys.argv[1].split(",")):
    os.dup2(int(fd), 3 + i)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """Somebody who listens at NOTIFY_SOCKET."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="m2mwsd-")
        self.path = os.path.join(self.folder.name, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(10)

    def hear(self, name):
        """The variables of the first message from now on that has it."""
        while True:
            text = self.socket.recv(4096).decode()
            said = dict(line.split("=", 1) for line in text.split("\n"))
            if name in said:
                return said

    def close(self):
        self.socket.close()
        self.folder.cleanup()


class ServiceCase(Case):
    def setUp(self):
        super().setUp()
        self.manager = Manager()
        self.addCleanup(self.manager.close)
        self.fake = self.cse(ok)

    def served(self, env=(), **options):
        daemon = Daemon(self.fake.url, env={
            "NOTIFY_SOCKET": self.manager.path, **dict(env)}, **options)
        self.addCleanup(self.end_process, daemon)
        return daemon

    def works(self, ws, rqi="q"):
        self.assertEqual(
            ws.ask(op=2, to="cse-in", fr="Cq", rqi=rqi, rvi="3")["rsc"],
            2000)


class Early(Case):
    def test_the_end_as_soon_as_it_listens(self):
        """Which is before it is ready."""
        fake = self.cse(ok)
        for _ in range(30):
            daemon = self.daemon(fake)
            daemon.signal()
            self.end_process(daemon)


class Notify(ServiceCase):
    def test_ready_reload_stop(self):
        daemon = self.served()
        said = self.manager.hear("READY")
        self.assertEqual(said["STATUS"], "0 sessions")
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        ws = self.connect(daemon)
        daemon.signal(signal.SIGHUP)
        said = self.manager.hear("RELOADING")
        self.assertGreaterEqual(int(said["MONOTONIC_USEC"]), before)
        self.assertEqual(self.manager.hear("READY")["STATUS"], "1 sessions")
        self.works(ws)
        daemon.signal()
        self.assertEqual(self.manager.hear("STOPPING")["STATUS"], "draining")

    def test_ready_also_after_a_bad_reload(self):
        daemon = self.served()
        self.manager.hear("READY")
        with open(daemon.file, "a") as out:
            out.write("nonsense\n")
        daemon.signal(signal.SIGHUP)
        self.manager.hear("RELOADING")
        self.manager.hear("READY")

    def test_watchdog(self):
        self.served({"WATCHDOG_USEC": "300000"})
        for _ in range(3):
            self.assertIn("sessions", self.manager.hear("WATCHDOG")["STATUS"])

    def test_no_watchdog_of_another_process(self):
        daemon = self.served({"WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"})
        self.manager.hear("READY")
        daemon.signal(signal.SIGHUP)
        while "READY" not in (said := self.manager.hear("STATUS")):
            self.assertNotIn("WATCHDOG", said)


class Sockets(ServiceCase):
    """As sd_listen_fds(3): descriptors from 3 on, for the process itself."""

    def activated(self, listeners, **options):
        """The daemon with these sockets (name, socket) instead of its own."""
        fds = [s.fileno() for _, s in listeners]
        env = {"LISTEN_FDS": str(len(fds)),
               "LISTEN_FDNAMES": ":".join(name for name, _ in listeners)}
        return self.served(env, wrap=[sys.executable, "-c", HAND_OVER,
                                      ",".join(map(str, fds))],
                           pass_fds=fds, **options)

    def socket(self):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(256)
        self.addCleanup(s.close)
        # out of the way of the numbers that the daemon gets them by
        high = socket.socket(fileno=os.dup2(s.detach(), 100 + len(
            os.listdir("/proc/self/fd"))))
        self.addCleanup(high.close)
        return high

    def test_by_name(self):
        s, other = self.socket(), self.socket()
        daemon = self.activated([("other", other), ("main", s)], listener={
            "listen": f"127.0.0.1:{s.getsockname()[1]}"})
        self.works(self.connect(daemon))
        self.assertIn("event=unknown_socket name=other", daemon.log_text())

    def test_a_reload_leaves_them(self):
        """Wherever the file says that they are; all else of them changes."""
        s = self.socket()
        port, other = s.getsockname()[1], free_port()
        daemon = self.activated([("main", s)], listener={
            "listen": f"127.0.0.1:{port}"}, gateway={"workers": "2"})
        old = self.connect(daemon)
        with open(daemon.file) as text:
            before = text.read()
        with open(daemon.file, "w") as out:
            out.write(before.replace(f":{port}\n",
                                     f":{other}\npath = /only\n"))
        self.manager.hear("READY")
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: "event=reloaded" in daemon.log_text()))
        self.assertIn("event=restart_needed option=listener.main.listen",
                      daemon.log_text())
        self.works(old)
        self.works(self.connect(daemon, path="/only"))
        self.assertRaises(OSError, socket.create_connection,
                          ("127.0.0.1", other))
        with open(daemon.file, "w") as out:
            out.write(before.replace('"main"', '"new"').replace(
                f":{port}\n", f":{other}\n"))
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: daemon.log_text().count("event=reloaded") == 2))
        self.works(old)
        with WebSocket(("127.0.0.1", other)) as ws:
            self.works(ws)

    @within(60)
    def test_a_restart_refuses_nobody(self):
        """Clients come all the time: each is served by one or the other, or
        told to come again, but never cut off."""
        s = self.socket()
        address = s.getsockname()
        conf = {"listener": {"listen": f"127.0.0.1:{address[1]}"},
                "gateway": {"workers": "2"}}
        over = threading.Event()
        served, again, failed = [], [], []

        def come():
            while not over.is_set():
                try:
                    with WebSocket(address) as ws:
                        self.works(ws)
                    served.append(1)
                except Refused as error:
                    (again if error.status == 503 else failed).append(error)
                except Gone as error:
                    (again if "1012" in str(error) else failed).append(error)
                except Exception as error:
                    failed.append(error)

        daemon = self.activated([("main", s)], **conf)
        clients = [threading.Thread(target=come) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            for _ in range(3):
                count = len(served)
                self.assertTrue(eventually(lambda: len(served) > count + 20))
                daemon.signal()
                self.assertEqual(daemon.wait(15), 0)
                daemon = self.activated([("main", s)], **conf)
        finally:
            over.set()
            for client in clients:
                client.join()
        self.note(f"{len(served)} served, {len(again)} told to come again")
        self.assertEqual(failed, [])
