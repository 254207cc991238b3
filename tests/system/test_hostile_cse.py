"""A CSE that answers in every wrong way (tests/corpus/smuggling/answers.txt),
whole, cut at random and octet by octet, to one of several clients whose
requests share a pool: nobody gets another's answer or two, nobody goes without,
and the next requests are served."""

import json
import random
import re

import smuggling
from fakecse import response
from harness import LONG, Case

CLIENTS = 4
OWN = 2004              # the result of what they ask
CUTS = 40 if LONG else 4
LONG_OCTETS = 4096      # are not sent one by one
ENDLESS = 64 << 20
ACTIONS = {"end": b"<end>", "reset": b"<reset>", "endless": b"<endless>"}


def content(mark):
    return json.dumps({"m2m:cnt": {"rn": mark}})


def macros(request, other, earlier, elsewhere):
    """request is the one that is answered; other is another's, still in
    flight; earlier has been answered on this connection or beside it."""
    ri = "X-M2M-RI: {}\r\n".format
    head = "HTTP/1.1 200 OK\r\n"
    m = {"answer": head + "{ri}{rsc}{json}{cl}\r\n{body}",
         "ri": ri(request.rqi), "rsc": f"X-M2M-RSC: {OWN}\r\n",
         "json": "Content-Type: application/json\r\n",
         "cl": "Content-Length: {len:body}\r\n",
         "body": content(mark_of(request)),
         "chunks": "{hex:body}\r\n{body}\r\n0\r\n\r\n",
         "otherri": ri(other.rqi), "othersbody": content(mark_of(other)),
         "others": head + "{otherri}{rsc}{json}Content-Length: "
                   "{len:othersbody}\r\n\r\n{othersbody}",
         "otherschunks": "{hex:othersbody}\r\n{othersbody}\r\n0\r\n\r\n",
         "earlier": head + ri(earlier.rqi) + "{rsc}{json}Content-Length: "
                    "{len:earliersbody}\r\n\r\n{earliersbody}",
         "earliersbody": content(mark_of(earlier)),
         "forgedbody": content("forged"),
         "forged": head + "{rsc}{json}Content-Length: {len:forgedbody}"
                   "\r\n\r\n{forgedbody}",
         "foreign": head + ri("nobody") + "{rsc}{json}Content-Length: "
                    "{len:forgedbody}\r\n\r\n{forgedbody}",
         "elsewhere": elsewhere,
         "flood": "HTTP/1.1 100 Continue\r\n\r\n" * 5000,
         "many": "".join(f"X{i}: y\r\n" for i in range(200))}
    return {k: v.encode() for k, v in m.items()} | ACTIONS


def mark_of(request):
    return request.target.decode().lstrip("/")


def own(request):
    return OWN, json.loads(content(mark_of(request)))


class Round:
    """Each client asks once; all of it is at the CSE."""

    def __init__(self, test):
        self.test = test
        self.asked = {}
        for ws in test.clients:
            test.count += 1
            rqi = f"r{test.count}"
            # an UPDATE, for nobody repeats it
            ws.send_prim(op=3, to=f"m{test.count}", fr="Cm", rqi=rqi, rvi="3",
                         pc={"m2m:cnt": {}})
            self.asked[rqi] = ws
        requests = [test.server.next() for _ in test.clients]
        self.requests = {r.rqi: r for r in requests}
        test.assertEqual(set(self.requests), set(self.asked))

    def answer(self, *but):
        for rqi, request in self.requests.items():
            if rqi not in but:
                request.reply(response(OWN, rqi,
                                       content(mark_of(request)).encode()))

    def heard(self, rqi):
        """(rsc, content) of the one answer."""
        prim = self.asked[rqi].recv_prim()
        self.test.assertEqual(prim.get("rqi"), rqi, prim)
        return prim["rsc"], prim.get("pc")

    def all_well(self, *but):
        for rqi, request in self.requests.items():
            if rqi not in but:
                self.test.assertEqual(self.heard(rqi), own(request))


class HostileCse(Case):
    seconds = 240 if LONG else 40

    def setUp(self):
        self.server = self.cse()
        self.elsewhere = self.cse()
        # one worker, one pool: what it knows of others' requests
        self.daemon_ = self.daemon(self.server, gateway={"workers": 1},
                                   upstream={"timeout": "5s"})
        self.clients = [self.connect(self.daemon_) for _ in range(CLIENTS)]
        self.count = 0
        self.wrong = []
        self.seed = random.randrange(1 << 32)
        self.chance = random.Random(self.seed)
        self.note(f"seed {self.seed}")

    def pieces(self, octets, how):
        if how == "whole":
            return [octets]
        if how == "octets":
            return [octets[i:i + 1] for i in range(len(octets))]
        cuts = sorted(self.chance.sample(range(len(octets) + 1), min(
            3, len(octets) + 1)))
        return [octets[a:b] for a, b in zip([0, *cuts],
                                            [*cuts, len(octets)])]

    def act(self, request, action):
        if action == b"<end>":
            request.close()
        elif action == b"<reset>":
            request.reset()
        else:
            sent = 0
            while sent < ENDLESS and request.link.send(b"x" * 65536):
                sent += 65536
            self.assertLess(sent, ENDLESS, "read without end")

    def reply(self, request, octets, how):
        for part in re.split(rb"(<(?:end|reset|endless)>)", octets):
            if part in ACTIONS.values():
                self.act(request, part)
            else:
                for piece in self.pieces(part, how):
                    request.reply(piece)

    def fits(self, request, got, want):
        """No more than words of ours come with an error."""
        rsc, pc = got
        if want == "own":
            return got == own(request)
        return rsc == int(want) and (pc is None or list(pc) == ["m2m:dbg"])

    def judge(self, case, how):
        before = Round(self)
        before.answer()
        before.all_well()
        now = Round(self)
        victim, other = self.chance.sample(sorted(now.requests), 2)
        earlier = self.chance.choice(sorted(before.requests))
        request = now.requests[victim]
        self.reply(request, case.fill(macros(
            request, now.requests[other], before.requests[earlier],
            self.elsewhere.url + "/canary")), how)
        now.answer(victim)
        got = now.heard(victim)
        now.all_well(victim)
        if not any(self.fits(request, got, w) for w in case.want("")):
            self.wrong.append(f"{case.name}, {how}: {got}")
        after = Round(self)
        after.answer()
        after.all_well()

    def sweep(self, how, cases):
        for case in cases:
            try:
                self.judge(case, how)
            except AssertionError as e:
                raise AssertionError(f"{case.name}, {how}: {e}") from e
        self.assertEqual(self.wrong, [])
        self.note(f"{how}: {len(cases)} answers")

    def test_answers(self):
        cases = list(smuggling.load("answers"))
        names = [c.name for c in cases]
        self.assertEqual(len(set(names)), len(names), "named once")
        self.sweep("whole", cases)
        for _ in range(CUTS):
            self.sweep("cut", cases)
        self.sweep("octets", [c for c in cases if len(c.octets) <
                              LONG_OCTETS and not re.search(
                                  rb"\*70000|flood|endless|many", c.octets)])
        self.assertEqual(self.elsewhere.accepted, 0, "redirects followed")
        self.assertEqual(self.server.octets,
                         sum(len(r.raw) for r in self.server.requests))
        self.assert_alive(self.daemon_)
