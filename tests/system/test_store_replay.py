"""What ACME was asked when it was recorded, asked of the embedded CSE: the
same status codes, but for the differences that are listed with their reasons.

The recordings are not part of this tree; M2MWSD_VECTORS names their folder."""

import glob
import json
import os
import re
import socket
import threading

import vectors
from fakecse import FakeCse, response
from harness import Case, free_port, within
from wsclient import cbor2

# steps whose rsc is another one here, each with the reason
STANDARD = "as the standard has it, ACME deviates"
TOLERANT = "TS-0009 6.2.2.1 read tolerantly"
NO_RSC = "an answer without X-M2M-RSC counts by its HTTP status"
EXCHANGE = "an answer belongs to its connection, whatever its X-M2M-RI"
DIFFERENT = {
    "114-ct-charset": STANDARD,
    "117-ct-xml": STANDARD,
    "118-ct-unsupported": STANDARD,
    "139-path-trailing-slash": TOLERANT,
    "140-path-double-slash": TOLERANT,
    "147-notify-forward-no-poa": STANDARD,
    "171-sub-verify-no-rsc": NO_RSC,
    "172-sub-norsc-cleanup": NO_RSC,
    "173-sub-verify-wrong-ri": EXCHANGE,
    "174-sub-wri-cleanup": EXCHANGE,
    "183-sub-verify-two-poa": STANDARD,
    "184-sub-two-delete": STANDARD,
    "232-net7-update-timeout": "no answer is not reached: 5107",
    "238-nb-synch-error": STANDARD,
    "243-nb-asynch-error": STANDARD,
    "269-pch-answer-unknown": STANDARD,
    "273-csr-duplicate": STANDARD,
    "277-retarget-retrieve-atrl": STANDARD,
    "285-retarget-absolute": STANDARD,
    "289-retarget-html": "502 without X-M2M-RSC is 5103 (http-binding 7)",
}

# what the recorded requests are no test of here
EXCLUDED = re.compile("http-|-cb-|csz|30[5-7]-cbor")


class Replies:
    """Handler of the target: the answers that were recorded with the step
    that is played, in their order; where there are none left, 2000."""

    def __init__(self, folder):
        self.folder, self.lock, self.left = folder, threading.Lock(), []

    def enter(self, step):
        found = sorted(glob.glob(os.path.join(
            self.folder, step["dir"], "notify-request*.http")))
        with self.lock:
            self.left = [(vectors.read(path), vectors.read(
                path.replace("request", "response"))) for path in found]

    def __call__(self, request):
        with self.lock:
            recorded, answer = self.left.pop(0) if self.left else (b"", b"")
        if answer is None:
            return None         # the target was silent
        if not answer:
            return response(2000, request.rqi)
        was = re.search(rb"(?im)^x-m2m-ri: *(\S+)", recorded)
        if was and request.rqi:
            answer = answer.replace(was[1], request.rqi.encode())
        return answer


class Learned:
    """Ids that the CSE chose: the recorded one -> ours."""

    def __init__(self):
        self.ids = {}

    def learn(self, theirs, ours):
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for name in theirs.keys() & ours.keys():
                self.learn(theirs[name], ours[name])
        elif isinstance(theirs, list) and isinstance(ours, list):
            for a, b in zip(theirs, ours):
                self.learn(a, b)
        elif (isinstance(theirs, str) and isinstance(ours, str) and
              theirs != ours and re.fullmatch(r"[\w./-]{8,}", theirs)):
            # ACME names a <request> by its resource id, we by its path
            a, b = theirs.rsplit("/", 1)[-1], ours
            if theirs.startswith("/") or not ours.startswith("cse-in/req"):
                b = ours.rsplit("/", 1)[-1]
            if len(a) >= 8 and not re.match(r"\d{8}T", a):
                self.ids[a] = b

    def apply(self, raw):
        text = raw.decode("latin-1")
        for a, b in self.ids.items():
            text = text.replace(a, b)
        head, gap, body = text.partition("\r\n\r\n")
        head = re.sub(r"(?im)^content-length: [^\r\n]*",
                      f"Content-Length: {len(body)}", head)
        return (head + gap + body).encode("latin-1")


def content(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    try:
        if b"application/cbor" in head:
            return cbor2.loads(body)
        return json.loads(body)
    except ValueError:
        return None


class Play(threading.Thread):
    """One step: its request on a connection of its own, its answer."""

    def __init__(self, address, raw):
        super().__init__(daemon=True)
        self.address, self.raw, self.got = address, raw, b""
        self.start()

    def run(self):
        with socket.create_connection(self.address, 40) as sock:
            sock.sendall(self.raw)
            while not self.whole():
                piece = sock.recv(65536)
                if not piece:
                    break
                self.got += piece

    def whole(self):
        head, gap, body = self.got.partition(b"\r\n\r\n")
        size = re.search(rb"(?im)^content-length: *(\d+)", head)
        return gap and len(body) >= (int(size[1]) if size else 0)

    @property
    def rsc(self):
        found = re.search(rb"(?im)^x-m2m-rsc: *(\d+)", self.got)
        return int(found[1]) if found else None


def time_of(step, who, first=True):
    times = [s["t_ms"] for s in step["speaks"] if s["who"] == who and
             (who != "cse" or s["file"].startswith("response"))]
    return (times[0] if first else times[-1]) if times else 0


class StoreReplay(Case):
    @within(200)
    def test_acme(self):
        root = os.environ.get("M2MWSD_VECTORS")
        if not root:
            self.note("nothing replayed: M2MWSD_VECTORS is not set")
            return
        folder = os.path.join(root, "acme")
        self.replies = Replies(folder)
        target = FakeCse(self.replies, strict=False)
        self.addCleanup(target.close)
        port = free_port()
        self.daemon(f"http://127.0.0.1:{port}", store={
            "path": ":memory:", "http_listen": f"127.0.0.1:{port}"})
        self.address = ("127.0.0.1", port)
        self.swap = (b"127.0.0.1:9990", target.authority.encode())
        self.play(folder)

    def play(self, folder):
        learned, running = Learned(), []
        same, wrong, excluded = 0, [], 0
        for step, request, response in vectors.steps(folder):
            if EXCLUDED.search(step["dir"]) or step["rsc"] is None:
                excluded += 1
                continue
            begun = time_of(step, "client")
            for other in [r for r in running if r[1] <= begun]:
                same += self.judge(other, learned, wrong)
                running.remove(other)
            self.replies.enter(step)
            raw = learned.apply(request.replace(*self.swap))
            running.append((Play(self.address, raw),
                            time_of(step, "cse", False), step, response))
        for other in running:
            same += self.judge(other, learned, wrong)
        self.note(f"{same} of {same + len(wrong)} the same, {len(DIFFERENT)} "
                  f"known differences, {excluded} excluded")
        for said in wrong:
            self.note("  " + said)
        unknown = [w for w in wrong if w.split()[0] not in DIFFERENT]
        self.assertEqual(unknown, [])

    def judge(self, played, learned, wrong):
        thread, _, step, response = played
        thread.join(45)
        ours = content(thread.got)
        if ours is not None:
            learned.learn(content(response), ours)
        if thread.rsc == step["rsc"]:
            return 1
        dbg = (ours or {}).get("m2m:dbg") if isinstance(ours, dict) else ""
        wrong.append(f"{step['dir']} {step['rsc']} -> {thread.rsc} "
                     f"{DIFFERENT.get(step['dir'], dbg)}")
        return 0
