"""Plays what CSEs have sent to those who registered there: it must arrive on
the WebSocket as the primitive that it stands for, and the answer of the
client must reach the CSE in the form in which that CSE takes it.

The recordings are not part of this tree; M2MWSD_VECTORS names their folder.
Exchanges of the same shapes are in exchanges/reverse and always played."""

import collections
import json
import os
import re
import select
import socket

import rawjson
import recordings
import vectors
from harness import within
from reverse import ReverseCase

RELEASE = "3"
AES = ("Cdisp", "CmyAE", "Ctwo", "Ccb")


class Place:
    """A daemon with all who are addressed in the exchanges."""

    def __init__(self, case, csi, timeout):
        self.daemon = case.gateway(
            upstream={"cse_id": csi, "release": RELEASE},
            notify={"timeout": timeout})
        self.ae = case.connect(self.daemon)
        for me in AES:
            case.register(self.ae, me, rn=me[1:])
        self.cse = case.connect(self.daemon)
        case.register_cse(self.cse, "/id-mn", cb="/id-mn/mn")
        self.poa = {me: poa[0] for me, poa in case.registrar.poa.items()}
        self.authority = self.daemon.notify_url.split("/")[2]

    def target(self, x):
        if x.to is None:
            return x.suffix
        return "/" + self.poa[x.to].split("/", 3)[3] + x.suffix

    def socket_of(self, x):
        return self.ae if x.to in AES else self.cse

    def request(self, x):
        """The octets of the request, with its target and Host replaced."""
        head = re.sub(rb"(?i)\r\nHost: [^\r]*",
                      b"\r\nHost: " + self.authority.encode(), x.head)
        method, _, rest = head.split(b" ", 2)
        return (b" ".join([method, self.target(x).encode(), rest]) +
                b"\r\n\r\n" + x.body)

    def send(self, x):
        host, port = self.authority.split(":")
        sock = socket.create_connection((host, int(port)), 10)
        sock.sendall(self.request(x))
        return sock


def receive(sock):
    """(status, {lower-case header: value}, body) out of one read, which is
    all that tinyIoT does; its end is where the message ends."""
    with sock:
        raw = sock.recv(262144)
        start, pairs, body = vectors.split_head(raw)
    if any(not value for _, value in pairs):
        raise AssertionError(f"a header without value: {raw!r}")
    headers = dict(pairs)
    if len(headers) != len(pairs):
        raise AssertionError(f"a header twice: {raw!r}")
    if len(body) != int(headers["content-length"]):
        raise AssertionError(f"not the whole of it in one read: {raw!r}")
    return int(start.split(" ")[1]), headers, body


def arrived(ws, sock):
    """False: the CSE was answered, or dropped, and nobody asked."""
    ready, _, _ = select.select([ws.sock, sock], [], [], 10)
    return ws.sock in ready


def answer_text(rqi, rsc, members, pc):
    text = json.dumps(dict(rsc=rsc, rqi=rqi, **members))
    if pc:
        text = text[:-1] + ', "pc":' + pc.decode() + "}"
    return text


def request_differences(x, text):
    got = rawjson.members(text)
    pc = got.pop("pc", None)
    got = {name: json.loads(value) for name, value in got.items()}
    got.pop("rqi")
    said = []
    if got != x.prim:
        said.append(f"primitive: wanted {x.prim}, got {got}")
    want = x.pc.strip().decode() if x.pc else None
    if pc != want:
        said.append(f"pc: wanted {want!r}, got {pc!r}")
    return said


def response_differences(x, reply, got):
    """Between what the target said and what the CSE was told."""
    status, headers, body = got
    _, pairs, _ = vectors.split_head(x.head + b"\r\n\r\n")
    ri = dict(pairs).get("x-m2m-ri")
    rows = [("status", recordings.STATUS[reply.rsc], status),
            ("X-M2M-RSC", str(reply.rsc), headers.get("x-m2m-rsc")),
            ("X-M2M-RI", ri, headers.get("x-m2m-ri")),
            ("coding", None, headers.get("transfer-encoding")),
            ("body", reply.pc, body)]
    rows += [(short, value, headers.get(recordings.BACK[short]))
             for short, value in reply.members.items()]
    if reply.pc:
        rows.append(("type", "application/json", headers.get("content-type")))
    return [f"{what}: wanted {want!r}, got {have!r}"
            for what, want, have in rows if want != have]


class Recorded(ReverseCase):
    @within(120)
    def test_recorded_requests(self):
        root = os.environ.get("M2MWSD_VECTORS")
        if not root:
            self.note("nothing replayed: M2MWSD_VECTORS is not set")
            return
        wrong = []
        for folder in vectors.folders(root):
            wrong += self.play_folder(folder)
        self.assertEqual(wrong[:20], [], f"{len(wrong)} exchanges differ")

    def play_folder(self, folder):
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
            index = json.load(f)
        # absolute, or absolute targets are another provider's
        csi = f"//{index['sp_id']}{index['cse_id']}"
        name = os.path.basename(folder)
        self.patient = Place(self, csi, "20s")
        self.hasty = Place(self, csi, "300ms")
        tally, excluded, wrong = collections.Counter(), [], []
        for step, request, response in recordings.files(folder):
            try:
                x = recordings.recorded(step, request, response, RELEASE)
            except vectors.Excluded as e:
                excluded.append(str(e))
                continue
            said = self.play(x, response)
            tally["answered" if x.answer else "not answered"] += 1
            wrong += [f"{name}/{step}: {s}" for s in said]
        self.note(f"{name}: {tally.total() + len(excluded)} requests of the "
                  f"CSE, {tally.total()} replayed ({tally['not answered']} "
                  f"without an answer), {len(excluded)} excluded")
        for why, count in sorted(collections.Counter(excluded).items()):
            self.note(f"  {count:3} {why}")
        return wrong

    def play(self, x, response):
        place = self.patient if x.answer else self.hasty
        ws = place.socket_of(x)
        sock = place.send(x)
        if not arrived(ws, sock):
            with sock:
                return [f"not delivered: {sock.recv(65536)!r}"]
        text = ws.recv_text()
        said = request_differences(x, text)
        rqi = json.loads(text)["rqi"]
        reply = x.answer
        if reply:
            ws.send_text(answer_text(rqi, reply.rsc, reply.members, reply.pc))
        else:
            if response:    # under another's id, as the recorded one was
                ws.send_text(answer_text("wrong", 2000, {"rvi": "3"}, b""))
            reply = recordings.Reply(4008, {"rvi": x.prim["rvi"]}, None)
        got = receive(sock)
        if not x.answer:
            reply = reply._replace(pc=got[2])   # words of the gateway
            if b"\r\nX-M2M-RVI: " not in x.head:
                reply.members.clear()
        return said + response_differences(x, reply, got)


class Own(ReverseCase):
    """exchanges/reverse/*.txt, one file for each CSE's manner."""

    CSES = {"acme.txt": "/id-in",
            "tinyiot.txt": "//sp.example.org/tinyiot",
            "mobius.txt": "/Mobius4"}

    def play(self, file, csi):
        place = Place(self, csi, "20s")
        hasty = Place(self, csi, "300ms")
        count = 0
        for x, response in recordings.own(file):
            with self.subTest(f"{file}: {x.name}"):
                silent = x.answer == "none"
                self.play_row(hasty if silent else place, x, response)
            count += 1
        return count

    def play_row(self, place, x, want):
        sock = place.send(x)
        ws = place.socket_of(x)
        if not arrived(ws, sock):
            with sock:
                self.fail(f"not delivered: {sock.recv(65536)!r}")
        text = ws.recv_text()
        self.assertEqual(request_differences(x, text), [])
        if x.answer != "none":
            rqi = json.dumps(json.loads(text)["rqi"])
            ws.send_text('{"rqi":' + rqi + "," + x.answer[1:])
        status, headers, body = receive(sock)
        if want[2] == b'{"m2m:dbg":"*"}':
            self.assertEqual(list(json.loads(body)), ["m2m:dbg"])
            body = want[2]
        headers.pop("content-length")
        self.assertEqual((status, headers, body), want)

    @within(60)
    def test_rows(self):
        counts = {file: self.play(file, csi)
                  for file, csi in self.CSES.items()}
        self.assertGreaterEqual(sum(counts.values()), 24)
        self.note(", ".join(f"{n} of {file}" for file, n in counts.items()))
