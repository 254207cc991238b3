"""What `scripts/check-systemd deb` runs in its container, where the package is
not installed yet: its life, from `dpkg -i` to `dpkg -P`."""

import http.server
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from check import property_of, run, say  # noqa: E402
from wsclient import Gone, Refused, WebSocket  # noqa: E402

PACKAGE = "/check/m2mwsd.deb"
GATEWAY = ("127.0.0.1", 8180)
CONF = "/etc/m2mwsd/conf.d/check.conf"
EMBEDDED = """
[gateway]
backend = store
[store]
path = /var/lib/m2mwsd/cse.db
[auth]
mode = open
"""
FRONTED = """
[upstream "cse"]
url = http://127.0.0.1:9080
[auth]
mode = open
"""
SECONDS = 30


def until(what, check):
    """The first value of check() that is not false."""
    end = time.monotonic() + SECONDS
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not in {SECONDS} s: {what}")
        time.sleep(0.05)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


def is_enabled(unit):
    done = subprocess.run(["systemctl", "is-enabled", unit],
                          capture_output=True, text=True)
    return done.stdout.strip()


def log(*more):
    return run("journalctl", "--no-pager", "-o", "cat", "-u", "m2mwsd", *more)


def restart():
    """Also more often than the manager lets anybody."""
    run("systemctl", "reset-failed", "m2mwsd")
    run("systemctl", "restart", "m2mwsd")


def retrieve(ws, rqi="1"):
    got = ws.ask(op=2, to="cse-in", fr="CAdmin", rqi=rqi, rvi="3")
    assert got["rsc"] == 2000, got


def install():
    run("dpkg", "-i", PACKAGE)
    assert property_of("ActiveState") == "active"
    assert is_enabled("m2mwsd.service") == "enabled"
    assert is_enabled("m2mwsd.socket") == "disabled"
    said = run("stat", "-c", "%a %U:%G", "/etc/m2mwsd/originators")
    assert said.strip() == "640 root:m2mwsd", said
    assert run("dpkg", "-V", "m2mwsd") == ""
    run("m2mwsctl", "status")
    return run("dpkg-query", "-W", "-f", "${Version}", "m2mwsd")


def serve():
    write(CONF, EMBEDDED)
    restart()
    with WebSocket(GATEWAY) as ws:
        retrieve(ws)


def keep_edits():
    """What an administrator has changed outlives the next version."""
    path = "/etc/m2mwsd/m2mwsd.conf"
    with open(path, "a") as out:
        out.write("# mine\n")
    os.chmod("/etc/m2mwsd/originators", 0o600)
    pid = property_of("MainPID")
    run("systemctl", "reset-failed", "m2mwsd")
    run("dpkg", "-i", PACKAGE)
    with open(path) as text:
        assert text.read().endswith("# mine\n")
    assert os.stat("/etc/m2mwsd/originators").st_mode & 0o777 == 0o600
    assert property_of("MainPID") != pid
    with WebSocket(GATEWAY) as ws:
        retrieve(ws)


def watchdog():
    """The daemon stands still; the manager ends it and starts it again."""
    drop_in = "/run/systemd/system/m2mwsd.service.d/check.conf"
    write(drop_in, "[Service]\nWatchdogSec=2s\n")
    run("systemctl", "daemon-reload")
    restart()
    pid = property_of("MainPID")
    os.kill(int(pid), signal.SIGSTOP)
    until("another process", lambda: property_of("MainPID") not in (pid, "0")
          and property_of("ActiveState") == "active")
    assert property_of("NRestarts") == "1"
    assert "Watchdog timeout" in log()
    with WebSocket(GATEWAY) as ws:
        retrieve(ws)
    os.remove(drop_in)
    run("systemctl", "daemon-reload")
    restart()
    return f"process {pid}, then {property_of('MainPID')}"


def reload():
    pid = property_of("MainPID")
    with WebSocket(GATEWAY) as ws:
        retrieve(ws)
        write(CONF, EMBEDDED + "[limits]\nmax_message = 1k\n")
        run("systemctl", "reload", "m2mwsd")
        until("reloaded", lambda: "event=reloaded" in log())
        retrieve(ws, "2")
    assert property_of("MainPID") == pid


class Load(threading.Thread):
    """New connections, one after the other, each with a request. Those that
    came too late for the one that ends get a 503, or its Close 1012; that a
    connection is refused, or ends without a word, must not happen."""

    def __init__(self, stop):
        super().__init__()
        self.stop = stop
        self.served = self.asked_again = 0
        self.bad = []

    def run(self):
        while not self.stop.is_set():
            try:
                if self.once():
                    self.served += 1
                else:
                    self.asked_again += 1
            except Refused as refused:
                if refused.status == 503:
                    self.asked_again += 1
                else:
                    self.bad.append(repr(refused))
            except (OSError, AssertionError) as error:
                self.bad.append(repr(error))

    def once(self):
        with WebSocket(GATEWAY, timeout=SECONDS) as ws:
            try:
                retrieve(ws)
            except Gone as gone:
                if "Close 1012" not in str(gone):
                    raise
                return False
            return True


def restart_by_socket():
    run("systemctl", "stop", "m2mwsd")
    run("systemctl", "enable", "--now", "m2mwsd.socket")
    assert property_of("ActiveState") == "inactive"
    with WebSocket(GATEWAY) as ws:      # this starts the service
        retrieve(ws)
    stop = threading.Event()
    threads = [Load(stop) for _ in range(8)]
    for thread in threads:
        thread.start()

    def served():
        return sum(thread.served for thread in threads)

    try:
        for _ in range(5):
            before, pid = served(), property_of("MainPID")
            restart()
            assert property_of("MainPID") != pid
            until("more was served", lambda: served() > before + 100)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    bad = [text for thread in threads for text in thread.bad]
    assert not bad, bad
    assert "unknown_socket" not in log()
    again = sum(thread.asked_again for thread in threads)
    return (f"5 restarts, {served()} connections served, "
            f"{again} told to come again, none refused")


class SlowCse(http.server.ThreadingHTTPServer):
    """Answers nothing until it may."""

    def __init__(self):
        super().__init__(("127.0.0.1", 9080), SlowCse.Handler)
        self.lock = threading.Lock()
        self.waiting = 0
        self.go = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            with self.server.lock:
                self.server.waiting += 1
            self.server.go.wait(SECONDS)
            self.send_response(200)
            self.send_header("X-M2M-RSC", "2000")
            self.send_header("X-M2M-RI", self.headers["X-M2M-RI"])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass


def drain():
    """Stopped with requests at the CSE: all are answered, then Close 1012."""
    write(CONF, FRONTED)
    restart()
    cse = SlowCse()
    clients = [WebSocket(GATEWAY, timeout=SECONDS) for _ in range(4)]
    for ws in clients:
        for n in range(8):
            ws.send_prim(op=2, to="cse-in", fr="CAdmin", rqi=str(n), rvi="3")
    until("all are at the CSE", lambda: cse.waiting == 32)
    run("systemctl", "stop", "m2mwsd.socket")
    run("systemctl", "stop", "--no-block", "m2mwsd")
    until("it drains",
          lambda: property_of("ActiveState") == "deactivating")
    cse.go.set()
    answers = 0
    for ws in clients:
        got = [ws.recv_prim() for _ in range(8)]
        assert sorted(p["rqi"] for p in got) == [str(n) for n in range(8)]
        assert all(p["rsc"] == 2000 for p in got), got
        assert ws.close_received() == 1012
        answers += len(got)
        ws.drop()
    until("its end", lambda: property_of("ActiveState") == "inactive")
    assert property_of("Result") == "success", property_of("Result")
    cse.shutdown()
    return f"{answers} of 32 requests answered, then Close 1012"


def leftovers():
    """Files by our name; of the runtime files of systemd, none is ours."""
    said = run("find", "/", "-xdev", "-name", "*m2mwsd*", "-not", "-path",
               "/check/*", "-not", "-path", "/proc/*", "-not", "-path",
               "/sys/*")
    return sorted(said.split())


def purge(before):
    os.remove(CONF)
    run("dpkg", "-r", "m2mwsd")
    assert os.path.exists("/etc/m2mwsd/m2mwsd.conf")
    assert os.path.exists("/var/lib/m2mwsd/cse.db")
    run("dpkg", "-P", "m2mwsd")
    left = [path for path in leftovers() if path not in before]
    assert not left, left
    for unit in "m2mwsd.service", "m2mwsd.socket":
        said = run("systemctl", "show", "-P", "LoadState", unit)
        assert said.strip() == "not-found", (unit, said)


def main():
    before = leftovers()
    say("installed, it runs", install())
    say("served", serve())
    say("installed again, edits stay", keep_edits())
    say("stopped dead, the watchdog restarts it", watchdog())
    say("reloaded, the session stays", reload())
    say("restarted behind its socket", restart_by_socket())
    say("drained", drain())
    events = log()
    assert not re.search("EPERM|not permitted|SIGSYS", events), events
    say("purged, nothing stays", purge(before))


if __name__ == "__main__":
    try:
        main()
    except Exception:
        subprocess.run(["journalctl", "--no-pager", "-n", "60", "-u",
                        "m2mwsd", "-u", "m2mwsd.socket"])
        raise
