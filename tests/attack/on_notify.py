"""The endpoint where the CSE reaches entities."""

import json
import os

from attack import Attack
from swarm import Peer

UNLISTED = {"notify": {"allow": "127.0.0.1"}}
BODY = json.dumps({"m2m:sgn": {"nev": {"rep": {}, "net": 3},
                               "sur": "/id-in/sub1"}}).encode()
ONE = (b"POST /~/id-in/Chonest1 HTTP/1.1\r\nHost: x\r\nX-M2M-Origin: /id-in\r\n"
       b"X-M2M-RI: 1\r\nX-M2M-RVI: 3\r\nContent-Type: application/json\r\n"
       b"Content-Length: %d\r\n\r\n" % len(BODY)) + BODY


class Sender(Peer):
    """Sends what() again and again on one connection."""

    def more(self):
        self.say(self.what())

    def opened(self):
        self.more()

    def room(self):
        self.more()


class NotifyCase(Attack):
    target = "notify"
    options = UNLISTED
    limits = ("notify_refused", "notify_forbidden", "refused_connections",
              "displaced")

    def check(self, field, log):
        from field import events
        reached = sum(int(e.get("deliveries", 0))
                      for e in events(log, "worker_end"))
        return [f"{reached} requests reached entities"] if reached else []


class Unlisted(NotifyCase):
    title = "notify: ids named by the unlisted"
    peers = 50

    class kind(Sender):
        def what(self):
            return ONE * 20


class NotifyTokens(NotifyCase):
    title = "notify: guessed tokens"
    peers = 50

    class kind(Sender):
        def what(self):
            return b"".join(ONE.replace(
                b"/~/id-in/Chonest1", b"/r/" + os.urandom(16).hex().encode())
                for _ in range(20))


class NotifyConnections(NotifyCase):
    title = "notify: connections without a word"
    peers = 4000

    class kind(Peer):
        pass


class NotifySlow(NotifyCase):
    title = "notify: bodies that do not come"
    peers = 1000
    limits = ()

    class kind(Peer):
        def opened(self):
            self.say(ONE[:-20])


class NotifyLengths(NotifyCase):
    """Bodies of 10^18 octets, and chunks of as many; many small ones."""

    title = "notify: huge lengths and chunks"
    peers = 50
    head = ONE[:ONE.index(b"Content-Length")]
    bodies = (
        b"Content-Length: 1000000000000000000\r\n\r\n",
        b"Content-Length: 99999999999999999999999999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0de0b6b3a7640000\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100000,
        b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 100000,
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 10000,
    )

    class kind(Peer):
        def opened(self):
            bodies = NotifyLengths.bodies
            self.say(NotifyLengths.head + bodies[self.number % len(bodies)])

        def heard(self, data):
            self.end()


class Smuggling(NotifyCase):
    """A request within another one, for a server that cuts differently."""

    title = "notify: smuggling"
    peers = 50
    head = ONE[:ONE.index(b"Content-Length")].replace(
        b"/~/id-in/Chonest1", b"/r/none")
    inner = ONE.replace(b"Host: x", b"Host: inner")
    n = len(ONE)
    cuts = (
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % n,
        b"Content-Length: +0\r\n\r\n", b"Content-Length: 0,%d\r\n\r\n" % n,
        b"Content-Length : 0\r\n\r\n", b"Content-Length: 0x0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
        b"Transfer-Encoding: chunked\r\n\r\n0;\rX\r\n\r\n",
        b"X: y\r\n Content-Length: 0\r\n\r\n", b"X: y\rContent-Length: 0\r\n\r\n",
        b"X: \x00\r\nContent-Length: 0\r\n\r\n",
        b"\r\nContent-Length: 0\r\n\r\n", b"Expect: 100-continue\r\n\r\n",
    )

    class kind(Peer):
        def opened(self):
            cuts = Smuggling.cuts
            self.say(Smuggling.head + cuts[self.number % len(cuts)] +
                     Smuggling.inner)

        def heard(self, data):
            self.swarm.notes["answers"] = max(
                self.swarm.notes.get("answers", 0), data.count(b"HTTP/1.1 "))
            self.end()
