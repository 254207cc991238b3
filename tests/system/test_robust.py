"""What a daemon must live through: clients that vanish, a CSE that dies, no
file descriptors, the end."""

import json
import os
import random
import signal
import socket
import struct

from fakecse import FakeCse, ok
from harness import Case, eventually, within
from wsclient import (TEXT, Connection, Gone, Refused, WebSocket, frame,
                      upgrade_request)


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
