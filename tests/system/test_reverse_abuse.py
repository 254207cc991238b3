"""Who is not meant hears nothing: guessed tokens, answers that are not one's
own, and ids that are written in another way."""

import random
import re
import socket

from fakecse import NotHttp
from reverse import Later, ReverseCase, call, con_of, sgn

BODY = b'{"m2m:sgn":{"nev":{"net":3},"sur":"s"}}'
BATCH = 50


class Pipe:
    """One connection on which many requests are sent at once."""

    def __init__(self, case, daemon):
        host, port = daemon.notify_url.split("/")[2].split(":")
        self.sock = socket.create_connection((host, int(port)), 20)
        case.addCleanup(self.sock.close)
        self.data = b""

    def answers(self, targets):
        """[(status, rsc)] of a notification to each"""
        self.sock.sendall(b"".join(
            b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nX-M2M-RI: 1\r\n"
            b"X-M2M-Origin: /id-in\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
            for target in targets))
        return [self.answer() for _ in targets]

    def answer(self):
        while b"\r\n\r\n" not in self.data:
            self.fill()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        need = int(re.search(rb"Content-Length: (\d+)", head)[1])
        while len(self.data) < need:
            self.fill()
        self.data = self.data[need:]
        rsc = re.search(rb"X-M2M-RSC: (\d+)", head)
        return int(head.split(b" ")[1]), int(rsc[1]) if rsc else None

    def fill(self):
        piece = self.sock.recv(262144)
        if not piece:
            raise NotHttp(f"end of connection, had {self.data!r}")
        self.data += piece


class Abuse(ReverseCase):
    def quiet(self, *clients):
        """None of them has been sent anything."""
        for i, ws in enumerate(clients):
            me = self.names[ws]
            answer = ws.ask(op=2, to="x", fr=me, rqi=f"q{i}", rvi="3")
            self.assertEqual(answer.get("rqi"), f"q{i}", answer)
            self.assertEqual(answer["rsc"], 2000)

    def everybody(self, daemon):
        """An AE, another, and a CSE below us."""
        self.names = {}
        meter, poa = self.online(daemon)
        other, _ = self.online(daemon, "Cother")
        cse = self.connect(daemon)
        self.register_cse(cse)
        self.names.update({meter: "Cmeter7", other: "Cother",
                           cse: "/mn-cse7"})
        return meter, other, cse, poa


class Tokens(Abuse):
    COUNT = 10000

    def refused(self, pipe, targets):
        for i in range(0, len(targets), BATCH):
            some = targets[i:i + BATCH]
            for target, got in zip(some, pipe.answers(some)):
                self.assertEqual(got, (404, 4004), target)

    def test_random_tokens(self):
        daemon = self.gateway(gateway={"workers": 2})
        everybody = self.everybody(daemon)[:3]
        seed = random.randrange(1 << 32)
        self.note(f"seed {seed}")
        chance = random.Random(seed)
        self.refused(Pipe(self, daemon),
                     [b"/r/%032x" % chance.getrandbits(128)
                      for _ in range(self.COUNT)])
        self.quiet(*everybody)

    def test_neighbours_of_a_token(self):
        daemon = self.gateway()
        *everybody, poa = self.everybody(daemon)
        token = poa.rpartition("/")[2]
        self.assertRegex(token, r"\A[0-9a-f]{32}\Z")
        near = {f"{int(token, 16) ^ 1 << bit:032x}" for bit in range(128)}
        # and of its text, where a bit makes an octet that may stand in a URL
        for i, octet in enumerate(token):
            for bit in range(8):
                near.add(token[:i] + f"%{ord(octet) ^ 1 << bit:02x}" +
                         token[i + 1:])
        # what one could take for it
        near |= {token[:n] for n in range(32)}
        near |= {token + x for x in "0f.;%"} | {token + "%00", token + token}
        near |= {x + token for x in ("0", "%20", "./", "../r/", "/", "x/")}
        near |= {token[1:], token[::-1], token.upper(),
                 f"%{ord(token[0]):x}" + token[1:]} - {token}
        self.refused(Pipe(self, daemon), [b"/r/" + t.encode() for t in near])
        self.refused(Pipe(self, daemon),
                     [x.encode() + token.encode() for x in
                      ("/R/", "/r//", "/", "/r", "//r/", "/%72/", "/r%2f",
                       "/x/r/", "/./r/")])
        self.quiet(*everybody)
        self.note(f"{len(near)} neighbours")
        later = Later(poa, sgn("the real one"))
        self.answer(everybody[0], everybody[0].recv_prim())
        self.assertEqual(later.result().rsc, 2000)


class Hijack(Abuse):
    def test_answers_before_and_after_their_time(self):
        """From the right session, too: only what is asked can be answered."""
        daemon = self.gateway(notify={"timeout": "20s"})
        ws, poa = self.online(daemon)
        self.names = {ws: "Cmeter7"}
        stale = []
        for n in range(20):
            mark = str(n)
            for rqi in stale + [str(n + k) for k in range(2, 60)]:
                ws.send_prim(rsc=2000, rqi=rqi, rvi="3",
                             pc={"m2m:dbg": "too early or too late"})
            self.quiet(ws)
            later = Later(poa, sgn(mark))
            got = ws.recv_prim()
            self.assertEqual(con_of(got), mark)
            for rqi in stale:
                ws.send_prim(rsc=2000, rqi=rqi, rvi="3",
                             pc={"m2m:dbg": "stale"})
            self.answer(ws, got, pc={"m2m:dbg": mark})
            self.answer(ws, got, pc={"m2m:dbg": "twice"})
            self.assertEqual(later.result().pc, {"m2m:dbg": mark})
            stale.append(got["rqi"])

    def test_another_session_of_the_same_worker_and_of_another(self):
        daemon = self.gateway(gateway={"workers": 2},
                              notify={"timeout": "20s"})
        ws, poa = self.online(daemon)
        thieves = []
        for i in range(6):
            thief, _ = self.online(daemon, f"Cthief{i}")
            thieves.append(thief)
        self.names = {t: f"Cthief{i}" for i, t in enumerate(thieves)}
        laters = {str(n): Later(poa, sgn(str(n))) for n in range(8)}
        asked = [ws.recv_prim() for _ in laters]
        for thief in thieves:
            for n in range(300):
                thief.send_prim(rsc=2000, rqi=str(n), rvi="3",
                                pc={"m2m:dbg": "stolen"})
        self.quiet(*thieves)
        for got in asked:
            self.answer(ws, got, pc={"m2m:dbg": con_of(got)})
        for mark, later in laters.items():
            self.assertEqual(later.result().pc, {"m2m:dbg": mark})

    def test_the_session_that_was_replaced(self):
        daemon = self.gateway(notify={"timeout": "20s"})
        old, poa = self.online(daemon)
        new = self.back(daemon)
        later = Later(poa, sgn("1"))
        got = new.recv_prim()
        old.send_prim(rsc=2000, rqi=got["rqi"], rvi="3",
                      pc={"m2m:dbg": "stolen"})
        self.assertEqual(old.close_received(), 1000)
        self.answer(new, got, pc={"m2m:dbg": "mine"})
        self.assertEqual(later.result().pc, {"m2m:dbg": "mine"})


# Target -> (who, `to`) or the rsc of the refusal. An id is the same however
# its octets are written; what is another id is nobody's.
METER, OTHER, MN = "Cmeter7", "Cother", "/mn-cse7"
SPELLINGS = [
    ("Cmeter7", (METER, "Cmeter7")),
    ("%43meter7", (METER, "Cmeter7")),
    ("%43%6d%65%74%65%72%37", (METER, "Cmeter7")),
    ("Cmeter7/", (METER, "Cmeter7")),
    ("Cmeter7///", (METER, "Cmeter7")),
    ("Cmeter7?x=Cother", (METER, "Cmeter7")),
    ("~/id-in/%43meter7", (METER, "/id-in/Cmeter7")),
    ("~/mn-cse7/Cmeter7", (MN, "/mn-cse7/Cmeter7")),
    ("~/mn-cse7/%43other/", (MN, "/mn-cse7/Cother")),
    ("TOKEN/Cother", (METER, "Cother")),    # a token is stronger than an id
    ("TOKEN/~/mn-cse7/x", (METER, "/mn-cse7/x")),
    ("TOKEN/../Cother", (METER, "../Cother")),
    ("%2543meter7", 4004),
    ("cmeter7", 4004), ("CMETER7", 4004), ("Cmeter", 4004),
    ("Cmeter77", 4004), ("Cmeter7/x", 4004), ("Cmeter7/.", 4004),
    ("Cmeter7/..", 4004), ("Cother/../Cmeter7", 4004), ("../Cmeter7", 4004),
    ("./Cmeter7", 4004), ("%2e%2e/Cmeter7", 4004), ("r/../Cmeter7", 4004),
    ("~/id-in/../id-in/Cmeter7", 4004), ("~/id-in/%2e/Cmeter7", 4004),
    ("~/mn-cse7/../id-in/Cmeter7", 4004), ("~/mn-cse7/..", 4004),
    ("~/mn-cse7/%2e%2e/x", 4004), ("~/mn-cse7//x", 4004),
    ("~//id-in/Cmeter7", 4004), ("~/~/id-in/Cmeter7", 4004),
    ("~//mn-cse7/x", 4004), ("~/id-in//Cmeter7", 4004),
    ("~/ID-IN/Cmeter7", 4004), ("~/id-in", 4004), ("~/id-in/", 4004),
    ("~/Cmeter7", 4004), ("~", 4004), ("_", 4004), ("-/Cmeter7", 4004),
    ("_/sp/id-in/Cmeter7", 4004), ("_/sp/mn-cse7/x", 4004),
    ("_//sp/id-in/Cmeter7", 4004), ("_/id-in/Cmeter7", 4004),
    ("/Cmeter7", 4004), ("/sp/id-in/Cmeter7", 4004),
    ("///id-in/Cmeter7", 4004), ("//sp/id-in/Cmeter7", 4004),
    ("%2f%2fsp/id-in/Cmeter7", 4004), ("mn-cse7/x", 4004),
    ("~mn-cse7/x", 4004), ("~/mn-cse7%2f..%2f..%2fid-in/Cmeter7", 4004),
    ("Cmeter7%20", 4004), ("%20Cmeter7", 4004), ("Cmeter7%0d%0a", 4004),
    ("Cmeter7%09", 4004), ("Cmeter7%7f", 4004), ("Cmeter7%c2%85", 4004),
    ("Cmeter7%3fx", 4004), ("Cmeter7%23", 4004), ("Cmeter7;x", 4004),
    ("C*", 4004), ("*", 4004), ("C%2a", 4004), ("", 4004), ("C", 4004),
    ("%EF%BC%A3meter7", 4004),              # a C of another alphabet
    ("Cmeter7%00", 4000), ("%00Cmeter7", 4000), ("Cmeter7%00/x", 4000),
    ("%c1%83meter7", 4000), ("Cmeter7%ff", 4000), ("%4", 4000),
    ("%zzmeter7", 4000), ("~/mn-cse7/%00", 4000),
    ("C" + "m" * 4000, 4004), ("~/mn-cse7/" + "m" * 4000, 4004),
    ("a/" * 1500, 4004),
]


class Spelling(Abuse):
    def test_ids_in_other_spellings(self):
        daemon = self.gateway(notify={"timeout": "20s"})
        meter, other, cse, poa = self.everybody(daemon)
        sockets = {METER: meter, OTHER: other, MN: cse}
        base, token = daemon.notify_url, poa.rpartition("/")[2]
        for target, want in SPELLINGS:
            with self.subTest(target[:60]):
                url = base + target.replace("TOKEN", "r/" + token)
                later = Later(url, sgn())
                if isinstance(want, tuple):
                    ws = sockets[want[0]]
                    got = ws.recv_prim()
                    self.assertEqual(got["to"], want[1])
                    self.answer(ws, got)
                    self.assertEqual(later.result().rsc, 2000)
                else:
                    self.assertEqual(later.result().rsc, want)
        self.quiet(meter, other, cse)

    def test_longer_than_a_head_may_be(self):
        daemon = self.gateway()
        everybody = self.everybody(daemon)[:3]
        for target in ("C" * 70000, "r/" + "0" * 70000, "~/" * 40000):
            answer = call(daemon.notify_url + target, sgn())
            self.assertIn(answer.status, (414, 431))
        self.quiet(*everybody)

    def test_octets_that_no_target_has(self):
        daemon = self.gateway()
        everybody = self.everybody(daemon)[:3]
        for octets in (b"/Cmeter7\0", b"\0/Cmeter7", b"/Cmeter7\x80",
                       b"/C meter7", b"/Cmeter7#x", b"/Cmeter7\t", b"Cmeter7",
                       b"http://x/Cmeter7", b"*", b"//", b"/\xc3\xa9"):
            (status, _), = Pipe(self, daemon).answers([octets])
            self.assertIn(status, (400, 404), octets)
        self.quiet(*everybody)
