"""A thousand clients at once, reached through all workers, twice."""

import json
import re
import resource
import socket

import vectors
from harness import SANITIZED, eventually, within
from reverse import CSE_ID, ReverseCase, con_of, sgn
from wsclient import WebSocket

CLIENTS = 1000
EACH = 5
LINKS = 32      # connections of the CSE: the kernel spreads them over workers


class Links:
    """Connections of the CSE, used in turn, each for one request at a time."""

    def __init__(self, case, authority):
        host, port = authority.split(":")
        self.socks = []
        for _ in range(LINKS):
            sock = socket.create_connection((host, int(port)), 30)
            case.addCleanup(sock.close)
            self.socks.append(sock)
        self.used = 0

    def send(self, poa, mark):
        sock = self.socks[self.used % LINKS]
        self.used += 1
        body = json.dumps(sgn(mark)).encode()
        sock.sendall((f"POST /{poa.split('/', 3)[3]} HTTP/1.1\r\nHost: x\r\n"
                      f"X-M2M-Origin: {CSE_ID}\r\nX-M2M-RI: {mark}\r\n"
                      "Content-Type: application/json\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        return sock

    def read(self, sock):
        """(rsc, X-M2M-RI, body) of one answer, which comes in one piece."""
        _, pairs, body = vectors.split_head(sock.recv(65536))
        headers = dict(pairs)
        return int(headers["x-m2m-rsc"]), headers["x-m2m-ri"], body


class Many(ReverseCase):
    def memory(self, daemon):
        with open(f"/proc/{daemon.popen.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1]) / 1024

    def client(self, daemon, *headers):
        ws = WebSocket(daemon.address, timeout=30, headers=headers)
        self.addCleanup(ws.drop)
        return ws

    def start_clients(self, daemon):
        clients = {}
        for i in range(CLIENTS):
            ws = clients[f"C{i}"] = self.client(daemon)
            self.register(ws, f"C{i}")
        return clients

    def notify_connected(self, links, clients):
        """All of a client's notifications are under way at once."""
        for me, ws in clients.items():
            poa = self.registrar.poa[me][0]
            socks = {}
            for n in range(EACH):
                mark = f"{me}-{n}"
                socks[mark] = links.send(poa, mark)
            seen = []
            for _ in range(EACH):
                got = ws.recv_prim()
                seen.append(con_of(got))
                self.answer(ws, got, pc={"m2m:dbg": seen[-1]})
            self.assertEqual(sorted(seen), sorted(socks), me)
            for mark, sock in socks.items():
                want = json.dumps({"m2m:dbg": mark}).encode()
                self.assertEqual(links.read(sock), (2000, mark, want))

    def notify_absent(self, links, names):
        for n in range(EACH):
            for me in names:
                mark = f"{me}-stored-{n}"
                sock = links.send(self.registrar.poa[me][0], mark)
                self.assertEqual(links.read(sock), (2000, mark, b""))

    def take_stored(self, daemon, me):
        ws = self.client(daemon, f"X-M2M-Origin: {me}")
        for n in range(EACH):
            got = ws.recv_prim()
            self.assertEqual(con_of(got), f"{me}-stored-{n}")
            self.assertEqual(got["to"], me)
            self.answer(ws, got)
        # nothing but the answer to this comes any more
        answer = ws.ask(op=2, to=me, fr=me, rqi="last", rvi="3")
        self.assertEqual((answer["rqi"], answer["rsc"]), ("last", 2000))
        return ws

    def sums(self, daemon, names):
        totals = dict.fromkeys(names, 0)
        for line in daemon.log_text().split("\n"):
            if "event=worker_end" in line:
                for name, n in re.findall(r"\b(\w+)=(\d+)\b", line):
                    if name in totals:
                        totals[name] += int(n)
        return totals

    @within(100)
    def test_a_thousand_clients(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        need = 4 * CLIENTS
        if soft < need:
            if hard != resource.RLIM_INFINITY and hard < need:
                self.skipTest(f"needs {need} files, may have {hard}")
            resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
        daemon = self.gateway(
            files=need, gateway={"workers": 4},
            limits={"ping_interval": "10m"},
            listener={"max_sessions": need},
            log={"access": "no"},
            notify={"offline": "store", "timeout": "30s"})
        links = Links(self, daemon.notify_url.split("/")[2])
        empty = self.memory(daemon)
        clients = self.start_clients(daemon)
        full = self.memory(daemon)
        self.notify_connected(links, clients)
        for ws in clients.values():
            ws.drop()
        self.assertTrue(eventually(
            lambda: daemon.log_text().count("event=offline") == CLIENTS, 30))
        self.notify_absent(links, clients)
        again = [self.take_stored(daemon, me) for me in clients]
        after = self.memory(daemon)
        for ws in again:
            ws.drop()
        self.end_process(daemon)
        total = CLIENTS * EACH
        self.assertEqual(
            self.sums(daemon, ("deliveries", "delivered", "stored",
                               "redelivered", "lost", "overflowed",
                               "unanswered", "late_answers")),
            {"deliveries": 2 * total, "delivered": 2 * total,
             "stored": total, "redelivered": total, "lost": 0,
             "overflowed": 0, "unanswered": 0, "late_answers": 0})
        if not SANITIZED:
            self.note(f"{empty:.1f} MB without clients, {full:.1f} MB with "
                      f"{CLIENTS}, {(full - empty) * 1024 / CLIENTS:.1f} kB "
                      f"each, {after:.1f} MB at the end")
