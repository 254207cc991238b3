"""No request is read out of another: the corpus of tests/corpus/smuggling at
each endpoint that reads HTTP, whole, cut at random and octet by octet.

Behind, or within, each case stands a canary: a good request, or a frame, that
nobody may act on but where the case says that it is one. What got through is
looked up where it would have arrived: at the entity, at the CSE, in the tree.
"""

import json
import random
import re

import smuggling
from fakecse import ok
from harness import LONG, Case, free_port
from reverse import CSE_ID, Answer, ReverseCase, call
from wsclient import TEXT, Connection, frame

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
BATCH = 100
CUTS = 40 if LONG else 4
LONG_OCTETS = 4096      # are not sent one by one


class Endpoint:
    """Where the octets go. macros(n) makes the nth case's; passed() tells
    which n got through since it was asked last, and as what."""

    def __init__(self, name, address, line, fields):
        self.name = name
        self.address = address
        self.method, self.path, _ = line.split()
        self.fields = "".join(f + "\r\n" for f in fields)

    def body(self, text):
        raise NotImplementedError

    def macros(self, n):
        m = {"m": self.method, "path": self.path, "host": "Host: x\r\n",
             "line": "{m} {path} HTTP/1.1", "fields": self.fields,
             "head": "{line}\r\n{host}{fields}",
             "cl": "Content-Length: {len:body}\r\n",
             "te": "Transfer-Encoding: chunked\r\n",
             "body": self.body(f"good{n}"), "withbody": "{cl}\r\n{body}",
             "chunks": "{hex:body}\r\n{body}\r\n0\r\n\r\n",
             "canarybody": self.body(f"canary{n}"),
             "canary": "{head}Content-Length: {len:canarybody}\r\n\r\n"
                       "{canarybody}",
             "bodycanary": "{body}{canary}",
             "chunkscanary": "{chunks}{canary}",
             "framecanary": "{frame}{canary}",
             "many": "".join(f"X{i}: y\r\n" for i in range(200))}
        m = {k: v.encode() for k, v in m.items()}
        prim = {"op": 2, "to": f"frame{n}", "fr": "Cm", "rqi": f"f{n}",
                "rvi": "3"}
        m["frame"] = frame(TEXT, json.dumps(prim).encode(), key=b"abcd")
        m["open"], m["close"] = b"\x7b", b"\x7d"
        return m


class Upgrade(Endpoint):
    """It has no content: what stands for it is JSON that nobody reads."""

    def __init__(self, address, cse):
        super().__init__("upgrade", address, "GET / HTTP/1.1", [
            "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: oneM2M.json"])
        self.cse = cse

    def body(self, text):
        return json.dumps({"m2m:cnt": {"rn": text}})

    def macros(self, n):
        m = super().macros(n)
        m["withbody"] = b"\r\n"
        m["canary"] = b"{head}\r\n{frame}"
        return m

    def expected(self, n, want):
        return [f"/frame{n}"] if "frame" in want else []

    def passed(self):
        said = [r.target.decode() for r in self.cse.requests]
        # not an octet more than the requests that were understood
        assert self.cse.octets == sum(len(r.raw) for r in self.cse.requests)
        self.cse.octets = 0
        self.cse.requests.clear()
        return said


class Notify(Endpoint):
    """Nobody waits for the entity's answer (rt 5), but it gives one."""

    def __init__(self, poa, ws):
        _, _, authority, path = poa.split("/", 3)
        host, port = authority.split(":")
        super().__init__("notify", (host, int(port)),
                         f"POST /{path}?rt=5 HTTP/1.1", [
            f"X-M2M-Origin: {CSE_ID}", "X-M2M-RI: 1", "X-M2M-RVI: 3",
            "Content-Type: application/json"])
        self.poa, self.ws = poa, ws

    def body(self, text):
        return json.dumps({"m2m:sgn": {"nev": {"rep": text}, "sur": "s"}})

    def expected(self, n, want):
        return [x + str(n) for x in ("good", "canary")[:want.count("ok")]]

    def passed(self):
        last = call(self.poa + "?rt=5", self.body("last").encode())
        assert last.rsc == 2000, last.rsc
        said = []
        while not said or said[-1] != "last":
            prim = self.ws.recv_prim()
            assert prim["fr"] == CSE_ID, prim
            said.append(prim["pc"]["m2m:sgn"]["nev"]["rep"])
            self.ws.send_prim(rsc=2000, rqi=prim["rqi"], rvi="3")
        return said[:-1]


class Store(Endpoint):
    """Each content makes a container of its name."""

    def __init__(self, port):
        super().__init__("store", ("127.0.0.1", port),
                         "POST /cse-in HTTP/1.1", [
            "X-M2M-Origin: CAdmin", "X-M2M-RI: 1", "X-M2M-RVI: 3",
            "Content-Type: application/json;ty=3"])
        self.base = f"http://127.0.0.1:{port}/"

    def body(self, text):
        return json.dumps({"m2m:cnt": {"rn": text}})

    expected = Notify.expected

    def passed(self):
        found = call(self.base, to="cse-in?fu=1&ty=3", method="GET",
                     fr="CAdmin")
        names = [uri.rpartition("/")[2] for uri in found.pc["m2m:uril"]]
        for name in names:
            gone = call(self.base, to="cse-in/" + name, method="DELETE",
                        fr="CAdmin")
            assert gone.rsc == 2002, gone.rsc
        return names


class Reader:
    """What comes back, as a strict client reads it."""

    def __init__(self, conn):
        self.conn = conn
        self.answers = []       # statuses, with + where it stays open
        self.more = True

    def head(self):
        data = self.conn.data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return None
        lines = data[:end].decode("latin-1").split("\r\n")
        first = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z -]+", lines[0])
        assert first, data[:200]
        fields = [line.split(": ", 1) for line in lines[1:]]
        named = {name.lower(): value for name, value in fields}
        assert len(named) == len(fields), lines
        return int(first[1]), named, end + 4

    def take(self):
        """One answer out of what came; False: none is whole."""
        if "101" in self.answers:       # frames, and no answer again
            return False
        got = self.head()
        if got is None:
            return False
        status, fields, end = got
        need = int(fields.get("content-length", 0))
        if len(self.conn.data) < end + need:
            return False
        self.conn.data = self.conn.data[end + need:]
        if status == 100:
            assert "100" not in self.answers
        stays = status > 101 and fields.get("connection") != "close"
        self.answers.append(f"{status}+" if stays else str(status))
        return True

    def until(self, count):
        """Reads that many answers, or to the end."""
        while self.more and len(self.final()) < count:
            if not self.take():
                self.more = self.conn.fill()
        return self.final()

    def final(self):
        return [a for a in self.answers if a != "100"]

    def rest(self):
        while self.more:
            self.more = self.conn.fill()
        while self.take():
            pass
        return self.final()


class Player:
    def __init__(self, test, endpoint, cases, seed):
        self.test, self.endpoint = test, endpoint
        self.cases = list(cases)
        self.chance = random.Random(seed)
        self.n = 0
        self.expected, self.wrong = [], []

    def pieces(self, octets, how):
        if how == "whole":
            return [octets]
        if how == "octets":
            return [octets[i:i + 1] for i in range(len(octets))]
        cuts = sorted(self.chance.sample(range(1, len(octets)),
                                         min(3, len(octets) - 1)))
        return [octets[a:b] for a, b in zip([0, *cuts],
                                            [*cuts, len(octets)])]

    def play(self, case, how):
        try:
            self.judge(case, how)
        except AssertionError as e:
            self.wrong.append(f"{case.name}, {how}: {e}")

    def judge(self, case, how):
        self.n += 1
        want = case.want(self.endpoint.name)
        octets = case.fill(self.endpoint.macros(self.n))
        answers = [w for w in want if w not in ("none", "frame")]
        self.expected += self.endpoint.expected(self.n, want)
        with Connection(self.endpoint.address) as conn:
            try:
                for piece in self.pieces(octets, how):
                    conn.send(piece)
            except ConnectionError:
                pass            # it has answered and gone
            reader = Reader(conn)
            got = reader.until(len(answers))
            if not answers or self.stays(got):
                self.finish(conn, "frame" in want)
            got = reader.rest()
        if not self.same(got, answers):
            self.wrong.append(f"{case.name}, {how}: {got}")

    def stays(self, got):
        return got and (got[-1] == "101" or got[-1].endswith("+"))

    def finish(self, conn, frames):
        """The end from our side. A primitive is answered first, for it
        would be given up."""
        if frames:
            while b'"rqi"' not in conn.data and conn.fill():
                pass
        try:
            conn.sock.shutdown(1)
        except OSError:
            pass

    def same(self, got, answers):
        fine = {"upgrade": ("101",), "notify": ("200", "200+"),
                "store": ("201", "201+")}[self.endpoint.name]
        return len(got) == len(answers) and all(
            g in (fine if a == "ok" else a.split("/")) for g, a in zip(got, answers))

    def sweep(self, how, cases):
        for i in range(0, len(cases), BATCH):
            for case in cases[i:i + BATCH]:
                self.play(case, how)
            self.check(how)
        self.test.assertEqual(self.wrong, [])
        self.test.note(f"{self.endpoint.name}, {how}: {len(cases)} cases")

    def check(self, how):
        passed = self.endpoint.passed()
        if sorted(passed) != sorted(self.expected):
            odd = set(passed) ^ set(self.expected)
            self.wrong.append(f"got through or not, {how}: {odd}")
        self.expected = []

    def run(self):
        self.sweep("whole", self.cases)
        for _ in range(CUTS):
            self.sweep("cut", self.cases)
        self.sweep("octets", [c for c in self.cases if LONG_OCTETS >
                              len(c.fill(self.endpoint.macros(0)))])


class Smuggling(ReverseCase):
    seconds = 240 if LONG else 40

    def play(self, endpoint, *files):
        seed = random.randrange(1 << 32)
        self.note(f"seed {seed}")
        cases = [c for name in files for c in smuggling.load(name)]
        names = [c.name for c in cases]
        self.assertEqual(len(set(names)), len(names), "named once")
        Player(self, endpoint, cases, seed).run()

    def test_upgrade(self):
        server = self.cse(ok)
        daemon = self.daemon(server)
        self.play(Upgrade(daemon.address, server), "framing", "lines",
                  "upgrade")
        self.assert_alive(daemon)

    def test_notify(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon)
        self.play(Notify(poa, ws), "framing", "lines")
        self.assert_alive(daemon)

    def test_store(self):
        port = free_port()
        daemon = self.daemon(f"http://127.0.0.1:{port}", store={
            "path": ":memory:", "http_listen": f"127.0.0.1:{port}"})
        self.play(Store(port), "framing", "lines")
        self.assert_alive(daemon)
