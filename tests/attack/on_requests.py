"""Requests: many, large, never listened to, with ids made to collide."""

import json
import os

from attack import Attack, Entity, prim
from swarm import WebSocketPeer, text


class RequestFlood(Attack):
    title = "request flood, answers not read"
    peers = 60

    class kind(Entity):
        small = True

        def begin(self):
            self.reads = False

        def flood(self):
            self.say(b"".join(
                prim(op=2, to="cse-in", fr=self.me, rqi=f"{self.rqi}-{i}",
                     rvi="3") for i in range(100)))
            self.rqi += 1


class SlowReaders(Attack):
    """Large answers to a few requests, and nobody takes them."""

    title = "slow readers of large answers"
    peers = 300

    class kind(Entity):
        small = True

        def begin(self):
            self.ask(1, f"cse-in/{self.me[1:]}", ty=3, rcn=0,
                     pc={"m2m:cnt": {"rn": "big"}})
            self.ask(1, f"cse-in/{self.me[1:]}/big", ty=4, rcn=0,
                     pc={"m2m:cin": {"con": "x" * 100000}})
            self.answers = 0

        def said(self, data):
            self.answers += data.count(b'"rsc"')
            if self.answers >= 2:
                self.reads = False
                for _ in range(16):
                    self.ask(2, f"cse-in/{self.me[1:]}/big/la")


class Overrun(Attack):
    """More than in_flight, each as large as a message may be."""

    title = "in_flight overrun with the largest messages"
    peers = 40

    class kind(Entity):
        def begin(self):
            self.content = "x" * 250000

        def flood(self):
            self.ask(1, f"cse-in/{self.me[1:]}", ty=3,
                     pc={"m2m:cnt": {"lbl": [self.content]}})


class UnregisteredFlood(Attack):
    title = "requests of the unregistered"
    peers = 50
    limits = ("refused_originators", "refused")
    block = prim(op=2, to="cse-in", fr="CAdmin", rqi="1", rvi="3") * 100

    class kind(WebSocketPeer):
        def more(self):
            self.say(UnregisteredFlood.block)


class EntityFlood(Attack):
    title = "10,000 AEs on one connection"
    peers = 1
    seconds = 8
    limits = ("refused_entities",)

    class kind(Entity):
        def begin(self):
            self.made = 0

        def flood(self):
            for _ in range(50):
                if self.made < 10000:
                    self.made += 1
                    self.say(self.registration(f"{self.me}-{self.made}"))


def djb2(data):
    h = 5381
    for c in data:
        h = (h * 33 + c) & 0xffffffff
    return h


def fnv(data, h=0x811c9dc5):
    for c in data:
        h = (h ^ c) * 0x01000193 & 0xffffffff
    return h


def fnv_pairs(prefix, count):
    """Pairs of blocks; whichever of each pair one takes, FNV-1a is the
    same."""
    state, pairs = fnv(prefix), []
    while len(pairs) < count:
        seen = {}
        for n in range(10**7):
            block = b"%05x" % n
            h = fnv(block, state)
            if h in seen:
                pairs.append((seen[h], block))
                state = h
                break
            seen[h] = block
    return pairs


def colliding(prefix, pairs, count):
    return [(prefix + b"".join(pair[n >> i & 1]
                               for i, pair in enumerate(pairs))).decode()
            for n in range(count)]


class Collisions(Attack):
    """Ids of entities and of requests for which djb2 and FNV-1a have but one
    value each."""

    title = "ids that collide in djb2 and FNV-1a"
    peers = 16
    seconds = 8
    count = 4096

    def prepare(self, field):
        by_djb2 = colliding(b"C", [(b"Ez", b"FY")] * 12, self.count)
        by_fnv = colliding(b"Cf", fnv_pairs(b"Cf", 12), self.count)
        assert len({djb2(i.encode()) for i in by_djb2}) == 1
        assert len({fnv(i.encode()) for i in by_fnv}) == 1
        # as whole ids (of AEs), and as those of requests
        Collisions.ids = by_djb2 + by_fnv

    class kind(Entity):
        def begin(self):
            ids = Collisions.ids
            mine = ids[self.number % 16::16]
            for i in mine[:250]:
                self.say(self.registration(i))
            self.mine, self.at = mine, 0

        def flood(self):
            if self.at < len(self.mine):
                part = self.mine[self.at:self.at + 32]
                self.at += 32
                self.say(b"".join(prim(op=2, to="cse-in", fr=self.me, rqi=i,
                                       rvi="3") for i in part))
            else:
                self.at = 0


NASTY = [
    "\nts=2020-01-01T00:00:00.000Z level=error event=pwned",
    "\r\nlevel=error event=pwned", "\" event=pwned x=\"", "\\", "\\\"",
    "\x1b[2J\x1b]0;pwned\x07", "\x00", "\x7f\x08\x08", "a b=c", "\t",
    "\u2028event=pwned\u2029", "\x85event=pwned", "\x9b2J", "\u202eevil",
    "x" * 3000, "%s%n%p", "\ud800",
]


class LogInjection(Attack):
    title = "log injection"
    peers = 64
    headers = (b"X-M2M-Origin", b"Origin", b"User-Agent", b"Host",
               b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Key",
               b"Authorization", b"X-Forwarded-For")
    options = {"log": {"level": "debug"}}

    class kind(Entity):
        """Even ones use the request, odd ones the handshake."""

        def opened(self):
            if self.number % 2 == 0:
                super().opened()
                return
            names = LogInjection.headers
            nasty = NASTY[self.number // 2 % len(NASTY)]
            name = names[self.number // 2 // len(NASTY) % len(names)]
            octets = nasty.encode("utf-8", "surrogatepass").replace(
                b"\r\n", b"\n").replace(b"\n", b"\n ")
            if self.number % 4 == 3:    # what HTTP lets through
                octets = bytes(c for c in octets if c > 31 and c != 127)
            path = octets if self.number % 8 == 5 else b"/"
            self.say(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n"
                     b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Version: 13\r\n"
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     b"Sec-WebSocket-Protocol: oneM2M.json\r\n" +
                     name + b": " + octets + b"\r\n\r\n")

        def heard(self, data):
            super().heard(data)
            if self.number % 2:
                self.end()

        def begin(self):
            for n, nasty in enumerate(NASTY):
                for key in ("fr", "rqi", "to", "rvi", "ot", "gid"):
                    members = {"op": 2, "fr": self.me, "rqi": f"{n}{key}",
                               "rvi": "3", "to": "cse-in", key: nasty}
                    self.say(text(json.dumps(members).encode()))
                    self.say(text(json.dumps(
                        members, ensure_ascii=False).encode(
                            "utf-8", "surrogatepass")))
            self.say(prim(op=2, to="cse-in/last", fr=self.me, rqi="last",
                          rvi="3"))

        def said(self, data):
            if b'"last"' in data:
                self.end()

    def check(self, field, log):
        forged = [line for line in log.split("\n")
                  if line.startswith("level=") or line.startswith("event=")
                  or " event=pwned" in line.split('"')[0]]
        return [f"forged: {line!r}" for line in forged[:3]]


class KilledThird(Attack):
    """Clients of three processes with mixed load; one of them is killed."""

    title = "1,000 clients, a third of them killed"
    seconds = 8

    class kind(Entity):
        def begin(self):
            self.said(b"")

        def said(self, data):
            n = self.rqi % 4
            to = f"cse-in/{self.me[1:]}"
            if n == 0:
                self.ask(2, to)
            elif n == 1:
                self.ask(3, to, pc={"m2m:ae": {"lbl": [str(self.rqi)]}})
            elif n == 2:
                self.ask(2, "cse-in/nobody")
            else:
                self.ask(1, to, ty=3, rcn=0,
                         pc={"m2m:cnt": {"mni": 1, "lbl": ["x" * 1000]}})

    def attack(self, swarm, field):
        pids = []
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                swarm.open(333, self.kind, field.address)
                swarm.run()
                os._exit(0)
            pids.append(pid)
        swarm.open(334, self.kind, field.address)
        swarm.until -= self.seconds / 2
        swarm.run()
        os.kill(pids[0], 9)
        swarm.until += self.seconds / 2
        swarm.run()
        for pid in pids:
            os.waitpid(pid, 0)
        swarm.connections *= 3
        swarm.octets *= 3
