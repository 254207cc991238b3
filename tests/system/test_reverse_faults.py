"""Faults on every side of the reverse channel: whatever breaks, each request
gets one answer, its own, by its deadline, and the daemon's books agree.

A request carries a mark as its id; who answers sends the mark back as
content. What must pass its deadline has a short one of its own, anything else
has all the time that a slow machine needs."""

import collections
import json
import random
import re
import socket
import struct
import threading
import time

import vectors
from fakecse import response
from harness import LONG, eventually, within
from reverse import CSE_ID, ReverseCase, con_of, sgn
from wsclient import TEXT, Gone, frame

COUNT = 1000 if LONG else 200
LANES = 8
DEADLINE_MS = 300
PATIENCE = 10       # seconds beyond a deadline that a busy machine may take

# How each fault must look to whoever asked. 2000: the mark comes back.
CSE_FAULTS = {"fine": {2000}, "stop": {5103, 5000}, "reset": {5103, 5000},
              "short": {5000, 5103}, "half_head": {5000, 5103},
              "extra": {2000}, "garbage": {5000}, "silence": {4008},
              "late": {4008}}
CLIENT_FAULTS = {"fine": 2000, "drop": 5103, "reset": 5103,
                 "half_close": 5103, "unmasked": 5103, "reserved": 5103,
                 "wrong_rqi": 4008, "no_rsc": 4008, "silence": 4008,
                 "not_json": 2000, "two": 2000, "late": 4008}
NOTIFIER_FAULTS = ("reset", "half_head", "half_body", "garbage")
ENDS_SESSION = {"drop", "reset", "half_close", "unmasked", "reserved"}


def dbg(mark):
    return {"m2m:dbg": mark}


class Notifier:
    """The CSE's connection to a point of access."""

    def __init__(self, authority):
        self.address = authority
        self.open()

    def open(self):
        host, port = self.address.split(":")
        self.sock = socket.create_connection((host, int(port)), 30)
        self.data = b""

    def message(self, poa, mark, deadline_ms=None):
        body = json.dumps(sgn(mark)).encode()
        lines = [f"POST /{poa.split('/', 3)[3]} HTTP/1.1", "Host: x",
                 f"X-M2M-Origin: {CSE_ID}", f"X-M2M-RI: {mark}",
                 "Content-Type: application/json",
                 f"Content-Length: {len(body)}"]
        if deadline_ms:
            lines.append(f"X-M2M-RET: {deadline_ms}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def read(self):
        """(rsc, X-M2M-RI, body)"""
        while b"\r\n\r\n" not in self.data:
            self.fill()
        _, pairs, _ = vectors.split_head(self.data)
        headers = dict(pairs)
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        need = int(headers["content-length"])
        while len(self.data) < need:
            self.fill()
        body, self.data = self.data[:need], self.data[need:]
        return int(headers["x-m2m-rsc"]), headers["x-m2m-ri"], body

    def fill(self):
        piece = self.sock.recv(65536)
        if not piece:
            raise AssertionError(f"no answer to the CSE, had {self.data!r}")
        self.data += piece

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()


def receive(ws):
    """The next request; answers to messages that were none are skipped."""
    while True:
        prim = ws.recv_prim()
        if "op" in prim:
            return prim


class Lane(threading.Thread):
    """One entity and one connection of the CSE, used in turn."""

    def __init__(self, case, daemon, number):
        super().__init__(daemon=True)
        self.case, self.daemon_ = case, daemon
        self.me = f"C{number}"
        self.ws, self.poa = case.online(daemon, self.me)
        self.link = Notifier(self.poa.split("/")[2])
        self.work, self.error = [], None
        self.tally = collections.Counter(requests=1)
        self.worst = 0

    def run(self):
        try:
            for n, (side, kind) in enumerate(self.work):
                getattr(self, side)(kind, f"{self.me}-{n}-{side}-{kind}")
                self.control(f"{self.me}-{n}-control")
        except Exception as e:
            self.error = f"{self.me}, {side} {kind}: {e!r}"

    def check(self, what, got, want):
        if got not in want:
            raise AssertionError(f"{what}: wanted {want}, got {got}")

    def took(self, since, deadline_ms):
        over = time.monotonic() - since - deadline_ms / 1000
        if deadline_ms:
            self.worst = max(self.worst, over)
        if over > PATIENCE:
            raise AssertionError(f"{over:.1f} s after the deadline")

    def reconnect(self):
        self.ws.drop()
        self.ws = self.case.back(self.daemon_, self.me)
        self.tally["requests"] += 1

    def answer(self, prim, mark, rqi=None):
        self.ws.send_prim(rsc=2000, rqi=rqi or prim["rqi"], rvi="3",
                          pc=dbg(mark))

    def control(self, mark):
        """Both ways are as they should be: nothing stands in them that is
        left from before."""
        self.link.sock.sendall(self.link.message(self.poa, mark))
        prim = receive(self.ws)
        self.check("notified of", con_of(prim), [mark])
        self.answer(prim, mark)
        self.check("control", self.link.read(),
                   [(2000, mark, json.dumps(dbg(mark)).encode())])
        self.tally.update(deliveries=1, delivered=1)
        self.ask("fine", mark)

    # ---- the CSE fails ----

    def ask(self, kind, mark):
        slow = CSE_FAULTS[kind] == {4008}
        since = time.monotonic()
        self.ws.send_prim(op=2, to=f"cse-in/{kind}/{mark}", fr=self.me,
                          rqi=mark, rvi="3",
                          **({"rqet": str(DEADLINE_MS)} if slow else {}))
        got = self.ws.recv_prim()
        self.took(since, DEADLINE_MS if slow else 0)
        self.check(f"rqi for {kind}", got["rqi"], [mark])
        self.check(f"rsc for {kind}", got["rsc"], CSE_FAULTS[kind])
        if got["rsc"] == 2000:
            self.check("content", got["pc"], [dbg(mark)])
        self.tally["requests"] += 1
        self.tally["timed_out"] += slow

    # ---- the entity fails ----

    def notify(self, kind, mark):
        rsc = CLIENT_FAULTS[kind]
        slow = DEADLINE_MS if rsc == 4008 else None
        since = time.monotonic()
        self.link.sock.sendall(self.link.message(self.poa, mark, slow))
        prim = receive(self.ws)
        self.check("notified of", con_of(prim), [mark])
        getattr(self, "client_" + kind)(prim, mark)
        got, rqi, body = self.link.read()
        self.took(since, slow or 0)
        self.check(f"rsc for {kind}", got, [rsc])
        self.check(f"X-M2M-RI for {kind}", rqi, [mark])
        if rsc == 2000:
            self.check("content", json.loads(body), [dbg(mark)])
        if kind == "late":
            self.answer(prim, "forged")
        if kind in ENDS_SESSION:
            self.reconnect()
        self.tally.update(deliveries=1, delivered=rsc == 2000,
                          unanswered=rsc == 4008, lost=rsc == 5103,
                          late_answers=kind in ("two", "late", "wrong_rqi"))

    def client_fine(self, prim, mark):
        self.answer(prim, mark)

    def client_drop(self, prim, mark):
        self.ws.drop()

    def client_reset(self, prim, mark):
        self.ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
        self.ws.drop()

    def client_half_close(self, prim, mark):
        self.ws.sock.shutdown(socket.SHUT_WR)

    def client_unmasked(self, prim, mark):
        self.ws.send(frame(TEXT, b"{}", masked=False))

    def client_reserved(self, prim, mark):
        self.ws.send(frame(TEXT, b"{}", rsv=4))

    def client_wrong_rqi(self, prim, mark):
        self.answer(prim, "forged", "x" + prim["rqi"])

    def client_no_rsc(self, prim, mark):
        self.ws.send_prim(rqi=prim["rqi"], rvi="3", pc=dbg("forged"))

    def client_silence(self, prim, mark):
        pass

    def client_late(self, prim, mark):
        pass    # notify() answers when the CSE has been told

    def client_not_json(self, prim, mark):
        self.ws.send_text('{"rsc":2000,')
        self.answer(prim, mark)

    def client_two(self, prim, mark):
        self.answer(prim, mark)
        self.answer(prim, "forged")

    # ---- the CSE's connection fails ----

    def deliver(self, kind, mark):
        message = self.link.message(self.poa, mark)
        if kind == "reset":
            self.link.sock.sendall(message)
            prim = receive(self.ws)
            self.check("notified of", con_of(prim), [mark])
            self.link.reset()
            self.answer(prim, mark)
            self.tally.update(deliveries=1, delivered=1)
        elif kind == "garbage":
            self.link.sock.sendall(b"\x16\x03\x01\x00\xa5\r\n\r\n" + message)
            said = b""
            while True:
                piece = self.link.sock.recv(65536)
                if not piece:
                    break
                said += piece
            self.check("said to garbage", said[:12], [b"HTTP/1.1 400"])
            self.check("answers", said.count(b"HTTP/1.1"), [1])
        else:
            at = message.index(b"\r\n\r\n")
            at += -10 if kind == "half_head" else 20
            self.link.sock.sendall(message[:at])
        self.link.sock.close()
        self.link.open()


class Burst(Lane):
    """The same with many at once, both ways on one WebSocket, and answers in
    any order. Each turn's end may be the session's."""

    KEEPS_SESSION = sorted(set(CLIENT_FAULTS) - ENDS_SESSION - {"late"})
    WIDTH = 12

    def __init__(self, case, daemon, number, seed):
        super().__init__(case, daemon, number)
        self.links = [Notifier(self.poa.split("/")[2])
                      for _ in range(self.WIDTH)]
        self.random = random.Random(f"{seed}-{number}")

    def run(self):
        try:
            for n in self.work:
                self.turn(n)
                self.control(f"{self.me}-{n}-control")
        except Exception as e:
            self.error = f"{self.me}, turn {n}: {e!r}"

    def turn(self, n):
        asks = {f"{self.me}-{n}-{i}": self.random.choice(list(CSE_FAULTS))
                for i in range(self.WIDTH)}
        kinds = {f"{self.me}-{n}-n{i}": self.random.choice(self.KEEPS_SESSION)
                 for i in range(self.WIDTH)}
        for mark, kind in asks.items():
            slow = CSE_FAULTS[kind] == {4008}
            self.ws.send_prim(op=2, to=f"cse-in/{kind}/{mark}", fr=self.me,
                              rqi=mark, rvi="3",
                              **({"rqet": str(DEADLINE_MS)} if slow else {}))
            self.tally.update(requests=1, timed_out=slow)
        for link, (mark, kind) in zip(self.links, kinds.items()):
            slow = DEADLINE_MS if CLIENT_FAULTS[kind] == 4008 else None
            link.sock.sendall(link.message(self.poa, mark, slow))
        self.receive_all(dict(asks), dict(kinds))
        for link, (mark, kind) in zip(self.links, kinds.items()):
            self.check_notified(link, mark, CLIENT_FAULTS[kind])
        if self.random.random() < 0.5:
            self.end_session(n)

    def receive_all(self, asks, kinds):
        """Every answer and every notification, each once."""
        todo = []
        while asks or kinds:
            prim = self.ws.recv_prim()
            if "op" in prim:
                mark = con_of(prim)
                todo.append((prim, mark, kinds.pop(mark)))
            elif prim["rqi"] in asks:
                kind = asks.pop(prim["rqi"])
                self.check(f"rsc for {kind}", prim["rsc"], CSE_FAULTS[kind])
                if prim["rsc"] == 2000:
                    self.check("content", prim["pc"], [dbg(prim["rqi"])])
            elif prim["rsc"] != 4000 or prim["rqi"].startswith("C"):
                # other than what our broken answers are told
                raise AssertionError(f"nobody asked for {prim}")
            if not kinds or self.random.random() < 0.3:
                self.random.shuffle(todo)
                while todo:
                    prim, mark, kind = todo.pop()
                    getattr(self, "client_" + kind)(prim, mark)
                    self.tally["late_answers"] += kind in ("two", "wrong_rqi")

    def check_notified(self, link, mark, rsc):
        got, rqi, body = link.read()
        self.check("X-M2M-RI", rqi, [mark])
        self.check("rsc", got, [rsc])
        if rsc == 2000:
            self.check("content", json.loads(body), [dbg(mark)])
        self.tally.update(deliveries=1, delivered=rsc == 2000,
                          unanswered=rsc == 4008)

    def end_session(self, n):
        """All that waits for it is told so, each on its own connection."""
        marks = [f"{self.me}-{n}-e{i}" for i in range(self.WIDTH)]
        for link, mark in zip(self.links, marks):
            link.sock.sendall(link.message(self.poa, mark))
        seen = {con_of(receive(self.ws)) for _ in marks}
        self.check("notified of", seen, [set(marks)])
        kind = self.random.choice(sorted(ENDS_SESSION))
        getattr(self, "client_" + kind)(None, None)
        for link, mark in zip(self.links, marks):
            got, rqi, _ = link.read()
            self.check(f"end by {kind}", (got, rqi), [(5103, mark)])
        self.reconnect()
        self.tally.update(deliveries=self.WIDTH, lost=self.WIDTH)


def faulty_cse(request):
    """The hook of the Registrar: does what the target says."""
    m = re.match(r"/cse-in/(\w+)/(.+)", request.target.decode())
    if not m:
        return None
    kind = m[1]
    good = response(2000, request.rqi, json.dumps(dbg(m[2])).encode())
    forged = response(2000, request.rqi, json.dumps(dbg("forged")).encode())
    if kind == "stop":
        request.close()
    elif kind == "reset":
        request.reset()
    elif kind in ("short", "half_head"):
        request.reply(good[:-5] if kind == "short" else good[:25], True)
    elif kind == "late":
        timer = threading.Timer(2 * DEADLINE_MS / 1000, request.reply,
                                [forged])
        timer.daemon = True
        timer.start()
    said = {"fine": good, "extra": good + forged,
            "garbage": b"\0\xff\x16\x03 no HTTP\r\n\r\n" + forged}
    return said.get(kind, b"")


class Faults(ReverseCase):
    def books(self, daemon):
        """The counters of all workers at their end, summed."""
        self.end_process(daemon)
        sums = collections.Counter()
        for line in daemon.log_text().split("\n"):
            if "event=worker_end" in line:
                sums.update({k: int(v) for k, v in
                             re.findall(r"(\w+)=(\d+)\b", line)})
        return sums

    def plan(self, lanes):
        kinds = ([("ask", kind) for kind in CSE_FAULTS] +
                 [("notify", kind) for kind in CLIENT_FAULTS] +
                 [("deliver", kind) for kind in NOTIFIER_FAULTS])
        for n in range(COUNT):
            # neighbours of a fault are others in each lane and turn
            at = n + n // len(kinds)
            lanes[n % LANES].work.append(kinds[at % len(kinds)])

    @within(240 if LONG else 60)
    def test_every_request_gets_its_own_answer_once(self):
        self.registrar.hook = faulty_cse
        daemon = self.gateway(gateway={"workers": 2},
                              upstream={"timeout": "30s"},
                              notify={"timeout": "30s"})
        lanes = [Lane(self, daemon, i) for i in range(LANES)]
        self.plan(lanes)
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        self.assertEqual([x.error for x in lanes if x.error], [])
        self.assert_alive(daemon)
        tally = sum((x.tally for x in lanes), collections.Counter())
        for lane in lanes:
            lane.ws.drop()
        self.check_books(self.books(daemon), tally)
        worst = max(lane.worst for lane in lanes)
        self.note(f"{COUNT} faults, the latest answer {worst * 1000:.0f} ms "
                  "after its deadline")

    @within(240 if LONG else 60)
    def test_many_at_once(self):
        self.registrar.hook = faulty_cse
        daemon = self.gateway(gateway={"workers": 2},
                              upstream={"timeout": "30s"},
                              notify={"timeout": "30s"})
        seed = random.randrange(1 << 32)
        lanes = [Burst(self, daemon, i, seed) for i in range(4)]
        for lane in lanes:
            lane.work = range(40 if LONG else 6)
            lane.start()
        for lane in lanes:
            lane.join()
        self.assertEqual([x.error for x in lanes if x.error], [],
                         f"seed {seed}")
        tally = sum((x.tally for x in lanes), collections.Counter())
        for lane in lanes:
            lane.ws.drop()
        self.check_books(self.books(daemon), tally)
        self.note(f"{tally['requests']} requests, {tally['deliveries']} "
                  f"deliveries, seed {seed}")

    def check_books(self, books, tally):
        for name in ("requests", "timed_out", "deliveries", "delivered",
                     "unanswered", "lost", "late_answers"):
            self.assertEqual(books[name], tally[name], name)
        self.assertEqual(books["requests"], books["answered"] +
                         books["failed"] + books["timed_out"])
        self.assertEqual(books["deliveries"], books["delivered"] +
                         books["unanswered"] + books["lost"])
        self.assertEqual(books["undelivered"] + books["overflowed"], 0)
