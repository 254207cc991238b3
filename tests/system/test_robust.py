"""What a daemon must live through: clients that vanish, a CSE that dies, no
file descriptors, the end."""

import json
import os
import random
import re
import signal
import socket
import struct
import threading
import time

from fakecse import FakeCse, ok, response
from harness import SANITIZED, Case, eventually, within
from wsclient import (PING, TEXT, Connection, Gone, Refused, WebSocket,
                      frame, fragments, upgrade_request)


def retrieve(rqi):
    return {"op": 2, "to": "cb1", "fr": "Cm", "rqi": rqi, "rvi": "3"}


class Peers(Case):
    seconds = 60

    def test_cse_killed_and_restarted(self):
        cse = FakeCse(ok)
        daemon = self.daemon(cse)
        clients = [self.connect(daemon) for _ in range(5)]
        port = cse.port
        for turn in range(3):
            for ws in clients:
                self.assertEqual(ws.ask(**retrieve("up"))["rsc"], 2000)
            cse.close()
            for ws in clients:
                self.assertEqual(ws.ask(**retrieve("down"))["rsc"], 5103)
            cse = FakeCse(ok, port=port)
        self.addCleanup(self.end_cse, cse)
        for ws in clients:
            self.assertEqual(ws.ask(**retrieve("up"))["rsc"], 2000)

    def test_500_clients_drop_anywhere(self):
        """In the handshake, in a frame, in a message, with requests in
        flight; half of them with a reset."""
        daemon = self.daemon(self.cse(ok))
        chance = random.Random(1)
        message = json.dumps(retrieve("drop")).encode()
        whole = (upgrade_request(daemon.port) + frame(TEXT, message) +
                 frame(TEXT, message[:20], fin=False) +
                 frame(0, message[20:]))
        for _ in range(500):
            with Connection(daemon.address) as c:
                c.send(whole[:chance.randrange(len(whole))])
                if chance.random() < 0.5:
                    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
        self.assert_alive(daemon)
        self.assert_no_leak(daemon)

    def assert_no_leak(self, daemon):
        """Every connection of a client is closed again."""
        fds = f"/proc/{daemon.popen.pid}/fd"
        self.assertTrue(eventually(lambda: len(os.listdir(fds)) < 100),
                        f"{len(os.listdir(fds))} descriptors are open")

    def test_500_clients_at_once(self):
        daemon = self.daemon(self.cse(ok))
        clients = [WebSocket(daemon.address) for _ in range(500)]
        for ws in clients:
            ws.send_prim(**retrieve("one"))
        for ws in clients:
            self.assertEqual(ws.recv_prim()["rsc"], 2000)
        for ws in clients:
            ws.drop()
        self.assert_no_leak(daemon)
        self.assert_alive(daemon)

    def test_out_of_descriptors(self):
        """EMFILE: no spin, no death; service when there is room again."""
        cse = self.cse(ok)
        daemon = self.daemon(cse, files=64, gateway={"workers": 2})
        first = self.connect(daemon)
        self.assertEqual(first.ask(**retrieve("before"))["rsc"], 2000)
        held = []
        for _ in range(100):
            c = Connection(daemon.address)
            c.send(upgrade_request(daemon.port))
            held.append(c)
        self.assertTrue(eventually(
            lambda: "event=accept_paused" in daemon.log_text()))
        # its loop goes on: who is connected is served
        answer = first.ask(**retrieve("during"))
        self.assertIn(answer["rsc"], (2000, 5103))
        for c in held:
            c.drop()
        self.assertTrue(eventually(lambda: self.serves(daemon), 15))
        self.assertEqual(first.ask(**retrieve("after"))["rsc"], 2000)

    def serves(self, daemon):
        try:
            with WebSocket(daemon.address, timeout=1) as ws:
                return ws.ask(**retrieve("again"))["rsc"] == 2000
        except (AssertionError, OSError, Refused):
            return False


class Flood:
    """Clients that send the same octets as fast as they are taken, in a
    thread, and throw away what comes back."""

    def __init__(self, daemon, data, clients):
        self.data = data
        self.sockets = [WebSocket(daemon.address).sock
                        for _ in range(clients)]
        self.at = dict.fromkeys(self.sockets, 0)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run)
        for sock in self.sockets:
            sock.setblocking(False)
        self.thread.start()

    def run(self):
        while not self.stopped.is_set():
            for sock in self.sockets:
                self.exchange(sock)
            time.sleep(0.005)		# the others run on this machine too

    def exchange(self, sock):
        at = self.at[sock]
        try:
            at += sock.send(self.data[at:at + 500000])
            self.at[sock] = at % len(self.data)
            sock.recv(500000)
        except OSError:			# full, or empty, or over
            pass

    def stop(self):
        self.stopped.set()
        self.thread.join()
        for sock in self.sockets:
            sock.close()


class Greed(Case):
    """Who asks too much gets no more than its share."""

    seconds = 30

    def assert_served_during(self, daemon, data, clients=20, questions=10):
        """One client is served while others flood."""
        ws = self.connect(daemon)
        flood = Flood(daemon, data, clients)
        try:
            for i in range(questions):
                self.assertEqual(ws.ask(**retrieve(f"q{i}"))["rsc"], 2000)
        finally:
            flood.stop()

    def test_pings(self):
        daemon = self.daemon(self.cse(ok))
        self.assert_served_during(daemon, frame(PING, key=b"abcd") * 50000)

    def test_fragments_of_one_octet(self):
        daemon = self.daemon(self.cse(ok))
        message = json.dumps(retrieve("pieces")).encode().ljust(1000)
        self.assert_served_during(
            daemon, b"".join(fragments(TEXT, message)) * 20)

    def test_messages_that_are_none(self):
        """The flooders are closed, and are still sending then."""
        daemon = self.daemon(self.cse(ok))
        self.assert_served_during(daemon, frame(TEXT, key=b"abcd") * 50000)

    def test_brackets(self):
        daemon = self.daemon(self.cse(ok))
        self.assert_served_during(
            daemon, frame(TEXT, b"[" * 250000, key=b"abcd"))

    def test_answers_that_nobody_reads(self):
        """max_queue bounds what is kept for a session, then it ends."""
        big = b'{"m2m:cb":{"rn":"' + b"y" * 100000 + b'"}}'
        daemon = self.daemon(
            self.cse(lambda r: response(2000, r.rqi, big)
                     if r.rqi.startswith("big") else ok(r)),
            limits={"max_queue": "256k"}, gateway={"workers": 1})
        before = self.rss(daemon)
        greedy = [self.connect(daemon) for _ in range(10)]
        for ws in greedy:
            # or the kernel keeps all of it
            ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for i in range(60):
                ws.send_prim(**retrieve(f"big{i}"))
        self.assertTrue(eventually(
            lambda: daemon.log_text().count("code=1008") == len(greedy), 15))
        if not SANITIZED:		# it keeps what was freed
            self.assertLess(self.rss(daemon) - before, 100000)
        self.assertEqual(self.connect(daemon).ask(**retrieve("x"))["rsc"],
                         2000)

    def rss(self, daemon):
        with open(f"/proc/{daemon.popen.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    @within(15)
    def test_slow_handshakes_and_messages(self):
        daemon = self.daemon(self.cse(ok),
                             listener={"handshake_timeout": "1s"},
                             limits={"message_timeout": "1s"})
        request = upgrade_request(daemon.port)
        heads = [Connection(daemon.address) for _ in range(100)]
        sessions = [self.connect(daemon) for _ in range(100)]
        for c, octets in ([(c, request) for c in heads] +
                          [(ws, frame(TEXT, b"{}")) for ws in sessions]):
            self.addCleanup(c.drop)
            c.send(octets[:3])
        for c in heads:
            self.assertEqual(c.read_head()[0], 408)
        for ws in sessions:
            self.assertEqual(ws.close_received(), 1008)
        self.assert_alive(daemon)


class Sink(Case):
    """Whatever becomes of the log, clients are served."""

    def serve_with(self, stderr):
        daemon = self.daemon(self.cse(ok), stderr=stderr)
        ws = self.connect(daemon)
        for i in range(1500):		# more than a pipe and buffers hold
            self.assertEqual(ws.ask(**retrieve(f"q{i}"))["rsc"], 2000)
        return daemon, ws

    def test_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.serve_with(full)

    def test_nobody_reads_the_pipe(self):
        back, front = os.pipe()
        with os.fdopen(back, "rb") as log:
            with os.fdopen(front, "wb") as stderr:
                daemon, ws = self.serve_with(stderr)
            lines = log.read1(1 << 20).splitlines()
            # there is room again: what was kept, then what was not
            self.assertEqual(ws.ask(**retrieve("room"))["rsc"], 2000)
            ws.close()
            daemon.signal()
            self.assertEqual(daemon.wait(8), 0)
            lines += log.read().splitlines()
        for line in lines:
            self.assertRegex(line, rb"^ts=\S+ level=\w+ event=\w+")
        dropped = [int(m[1]) for m in map(
            re.compile(rb".*event=log_dropped n=(\d+)$").match, lines) if m]
        told = sum(b"event=primitive" in line for line in lines)
        self.assertEqual(len(dropped), 1)
        self.assertEqual(told + dropped[0], 1501)

    def test_reader_is_gone(self):
        back, front = os.pipe()
        os.close(back)
        with os.fdopen(front, "wb") as stderr:
            self.serve_with(stderr)


class End(Case):
    def test_drain_with_requests_in_flight(self):
        cse = self.cse()
        daemon = self.daemon(cse)
        clients = [self.connect(daemon) for _ in range(4)]
        idle = self.connect(daemon)
        for ws in clients:
            for i in range(5):
                ws.send_prim(**retrieve(f"r{i}"))
        held = [cse.next() for _ in range(20)]
        daemon.signal(signal.SIGTERM)
        self.assertEqual(idle.close_received(), 1012)
        idle.drop()
        self.assertTrue(eventually(lambda: self.refused(daemon)))
        self.assertTrue(daemon.alive())
        for request in held:
            request.answer()
        for ws in clients:
            got = {ws.recv_prim()["rqi"] for _ in range(5)}
            self.assertEqual(len(got), 5)
            self.assertEqual(ws.close_received(), 1012)
            ws.drop()
        self.assertEqual(daemon.wait(5), 0)

    def test_drain_refuses_what_comes_late(self):
        """However many there are, and nobody is cut off for it."""
        cse = self.cse()
        daemon = self.daemon(cse)
        ws, idle = self.connect(daemon), self.connect(daemon)
        ws.send_prim(**retrieve("held"))
        held = cse.next()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(idle.close_received(), 1012)
        idle.drop()
        for i in range(100):
            ws.send_prim(**retrieve(f"late{i}"))
        for i in range(100):
            answer = ws.recv_prim()
            self.assertEqual((answer["rqi"], answer["rsc"]),
                             (f"late{i}", 5103))
        held.answer()
        self.assertEqual(ws.recv_prim()["rqi"], "held")
        self.assertEqual(ws.close_received(), 1012)
        ws.drop()
        self.assertEqual(daemon.wait(5), 0)

    def test_drain_is_spread(self):
        """When the first has heard of it, the last is still served."""
        daemon = self.daemon(self.cse(ok), gateway={"workers": 1})
        clients = [self.connect(daemon) for _ in range(1000)]
        daemon.signal(signal.SIGTERM)
        self.assertEqual(clients[-1].close_received(), 1012)
        clients[0].send_prim(**retrieve("served"))
        self.assertEqual(clients[0].recv_prim()["rsc"], 2000)
        clients.pop().drop()
        for ws in clients:
            self.assertEqual(ws.close_received(), 1012)
            ws.drop()
        self.assertEqual(daemon.wait(5), 0)

    def refused(self, daemon):
        """No new sessions: the port is closed, or answers 503."""
        try:
            WebSocket(daemon.address, timeout=1).drop()
        except Refused as e:
            return e.status == 503
        except (OSError, AssertionError):
            return True
        return False

    def test_drain_timeout_is_the_end(self):
        """A CSE that never answers and a client that never closes."""
        cse = self.cse()
        daemon = self.daemon(cse, gateway={"drain_timeout": "1s"})
        ws = self.connect(daemon)
        ws.send_prim(**retrieve("stuck"))
        cse.next()
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(8), 0)

    def test_second_signal_ends_at_once(self):
        cse = self.cse()
        daemon = self.daemon(cse, gateway={"drain_timeout": "60s"})
        ws = self.connect(daemon)
        ws.send_prim(**retrieve("stuck"))
        cse.next()
        daemon.signal(signal.SIGTERM)
        self.assertTrue(eventually(lambda: self.refused(daemon)))
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(5), 0)

    def test_sigint(self):
        daemon = self.daemon(self.cse(ok))
        self.connect(daemon)
        daemon.signal(signal.SIGINT)
        self.assertEqual(daemon.wait(8), 0)

    def test_idle_daemon_ends_at_once(self):
        daemon = self.daemon(self.cse(ok))
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(5), 0)

    def test_clients_that_answer_the_close(self):
        daemon = self.daemon(self.cse(ok))
        clients = [self.connect(daemon) for _ in range(20)]
        daemon.signal(signal.SIGTERM)
        for ws in clients:
            self.assertEqual(ws.close_received(), 1012)
            ws.send_frame(8, struct.pack("!H", 1012))
            with self.assertRaises(Gone):
                ws.recv_frame()
        self.assertEqual(daemon.wait(5), 0)

    @within(30)
    def test_hangup_is_no_end(self):
        daemon = self.daemon(self.cse(ok))
        ws = self.connect(daemon)
        daemon.signal(signal.SIGHUP)
        self.assertTrue(eventually(
            lambda: "event=signal" in daemon.log_text()))
        self.assertEqual(ws.ask(**retrieve("hup"))["rsc"], 2000)
