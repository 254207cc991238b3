"""What every system test needs: the daemon under test and its neighbours."""

import os
import random
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from fakecse import FakeCse
from wsclient import WebSocket

BUILD = os.environ.get("SYSTEM_BUILD", "build/release")
LONG = bool(os.environ.get("SYSTEM_LONG"))
HERE = os.path.dirname(os.path.abspath(__file__))
SANITIZED = os.path.basename(BUILD) == "san"

SANITIZER = re.compile(
    r"ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer|"
    r"WARNING: \w+Sanitizer|Assertion .* failed")


def program(name):
    """The path of a built program; a missing one fails the test."""
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{path} is not built")
    return path


PORTS = 128     # of one test
port_count = random.randrange(PORTS)
port_block = None


def take_block():
    """A block of ports that no process beside this one has: who has it holds a
    name in the kernel."""
    block = os.getpid()
    while True:
        block = (block + 1) % PORTS
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.bind(f"\0m2mwsd-tests-ports-{block}")
            return 15000 + block * PORTS, os.getpid(), holder
        except OSError:
            holder.close()


def free_port():
    """A port below the range from which the kernel picks source ports, of a
    block that tests beside this one do not use. Bound without SO_REUSEPORT, so
    that no other listener has it."""
    global port_count, port_block
    if port_block is None or port_block[1] != os.getpid():
        port_block = take_block()
    while True:
        port_count += 1
        port = port_block[0] + port_count % PORTS
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def config_text(sections):
    lines = []
    for section, options in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {value}" for key, value in options.items()]
        lines.append("")
    return "\n".join(lines)


class Process:
    """A program of ours: its log, its end, and what a sanitizer says."""

    def __init__(self, argv, files=None, stdout=None, stderr=None, env=(),
                 pass_fds=(), stdin=subprocess.DEVNULL, cwd=None):
        self.log = tempfile.TemporaryFile()
        env = {**os.environ, "ASAN_OPTIONS": "exitcode=99:detect_leaks=1",
               "UBSAN_OPTIONS": "print_stacktrace=1", **dict(env)}

        def limit_files():
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        self.popen = subprocess.Popen(
            argv, stdin=stdin, stdout=stdout or self.log,
            stderr=stderr or self.log, env=env, pass_fds=pass_fds, cwd=cwd,
            preexec_fn=limit_files if files else None)

    def log_text(self):
        # not read(): it would move the place where the program writes
        fd = self.log.fileno()
        return os.pread(fd, os.fstat(fd).st_size, 0).decode("utf-8", "replace")

    def alive(self):
        return self.popen.poll() is None

    def wait(self, seconds):
        """The exit status; None when it still runs."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number=signal.SIGTERM):
        self.popen.send_signal(number)

    def kill(self):
        if self.alive():
            self.popen.kill()
        self.popen.wait()

    def stop(self, seconds=15):
        """Asks it to end; complaints about how it did."""
        if self.alive():
            self.signal()
        status = self.wait(seconds)
        if status is None:
            self.kill()
        return self.complaints(status)

    def complaints(self, status):
        log = self.log_text()
        tail = "\n".join(log.split("\n")[-60:])
        if SANITIZER.search(log):
            return f"sanitizer report:\n{tail}"
        if status is None:
            return f"it did not end after SIGTERM:\n{tail}"
        if status != 0:
            return f"exit status {status}:\n{tail}"
        return None


class NotListening(AssertionError):
    def __init__(self, address, process):
        self.status, self.log = process.popen.poll(), process.log_text()
        super().__init__(f"not listening on {address}, status "
                         f"{self.status}:\n{self.log}")


def wait_until(check, process, address, seconds=15):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if check():
            return
        if not process.alive():
            break
        time.sleep(0.02)
    raise NotListening(address, process)


def wait_listening(process, address):
    def answers():
        try:
            socket.create_connection(address, 1).close()
        except OSError:
            return False
        return True
    wait_until(answers, process, address)


READY = re.compile(r'event"?[=:]"?ready\b')


def wait_ready(process, address):
    """Until every listener is open: the first one is before the others."""
    wait_until(lambda: READY.search(process.log_text()), process, address)


class Daemon(Process):
    """m2mwsd with one listener and one upstream in a directory of its own.
    Keyword arguments name sections and hold options that differ."""

    def __init__(self, upstream_url, files=None, argv=(), stderr=None,
                 env=(), wrap=(), pass_fds=(), **options):
        self.dir = tempfile.TemporaryDirectory(prefix="m2mwsd-")
        sections = {
            'listener "main"': {"listen": f"127.0.0.1:{free_port()}"},
            'upstream "cse"': {"url": upstream_url},
            "auth": {"mode": "open"},
        }
        titles = {"listener": 'listener "main"', "upstream": 'upstream "cse"'}
        for name, more in options.items():
            sections.setdefault(titles.get(name, name), {}).update(more)
        listen = sections['listener "main"']["listen"]
        self.port = int(listen.rpartition(":")[2])
        self.address = ("127.0.0.1", self.port)
        self.file = os.path.join(self.dir.name, "m2mwsd.conf")
        with open(self.file, "w") as out:
            out.write(config_text(sections))
        super().__init__([*wrap, program("m2mwsd"), "-c", self.file, *argv],
                         files=files, stderr=stderr, env=env,
                         pass_fds=pass_fds)
        try:
            wait_listening(self, self.address)
            if not stderr:
                wait_ready(self, self.address)
        except AssertionError:
            self.kill()
            raise

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/"


class Case(unittest.TestCase):
    """Base of all tests. `seconds` is the hard limit of the runner."""

    seconds = 20
    under_sanitizers = True     # False: little of what it starts is ours
    longMessage = True
    maxDiff = None

    def time_limit(self):
        method = getattr(self, self._testMethodName)
        limit = getattr(method, "seconds", self.seconds)
        return limit * 3 if SANITIZED else limit

    def note(self, text):
        """A line for the report of a test that passed."""
        self.__dict__.setdefault("notes", []).append(text)

    def cse(self, handler=None, **kinds):
        server = FakeCse(handler, **kinds)
        self.addCleanup(self.end_cse, server)
        return server

    def end_cse(self, server):
        server.close()
        self.assertEqual(server.violations, [], "requests at the CSE")

    def daemon(self, cse, **options):
        url = cse if isinstance(cse, str) else cse.url
        daemon = Daemon(url, **options)
        self.addCleanup(self.end_process, daemon)
        return daemon

    def end_process(self, process):
        # once is enough: a test may have ended it itself
        if getattr(process, "ended", False):
            return
        process.ended = True
        said = process.stop()
        if said:
            self.fail(f"{process.popen.args[0]}: {said}")

    def counters(self, daemon, event, name):
        """The sum of a counter at the end, which this is."""
        if not getattr(daemon, "ended", False):
            self.end_process(daemon)
        lines = re.findall(rf"event={event} .*", daemon.log_text())
        self.assertTrue(lines)
        return sum(int(re.search(rf" {name}=(\d+)", line)[1])
                   for line in lines)

    def start(self, argv, address):
        process = Process(argv)
        self.addCleanup(self.end_process, process)
        wait_listening(process, address)
        return process

    def embedded_cse(self):
        """The embedded CSE of another daemon; gives its URL."""
        port = free_port()
        self.daemon(f"http://127.0.0.1:{port}", store={
            "path": ":memory:", "http_listen": f"127.0.0.1:{port}"})
        return f"http://127.0.0.1:{port}"

    def connect(self, daemon, kind=WebSocket, **how):
        client = kind(daemon.address, **how)
        self.addCleanup(client.drop)
        return client

    def assert_alive(self, daemon, **how):
        """It still serves a new client."""
        self.assertTrue(daemon.alive(), daemon.log_text())
        with WebSocket(daemon.address, **how) as client:
            answer = client.ask_text("{")
            self.assertEqual(answer["rsc"], 4000)


def within(seconds):
    """Marks a test that needs another limit than its class."""
    def mark(function):
        function.seconds = seconds
        return function
    return mark


def eventually(check, seconds=10, every=0.02):
    """Waits until check() is true; gives its last value."""
    until = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > until:
            return value
        time.sleep(every)


def needs_program(case, *names):
    for name in names:
        for folder in os.environ.get("PATH", "").split(":"):
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK):
                return path
    case.skipTest(f"{names[0]} is not installed")


def node_env():
    """Where Debian and npm put the ws package."""
    return dict(os.environ, NODE_PATH=":".join(
        ["/usr/share/nodejs", os.path.join(HERE, "..", "node_modules")]))


def needs_node_ws(case, *more):
    node = needs_program(case, "node", "nodejs")
    for name in ("ws", *more):
        probe = subprocess.run([node, "-e", f"require('{name}')"],
                               env=node_env(), capture_output=True)
        if probe.returncode != 0:
            case.skipTest(f"node's {name} package is not installed")
    return node
