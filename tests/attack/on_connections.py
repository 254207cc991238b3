"""Connections and handshakes: many, slow, silent, wrong."""

import random

from attack import Attack
from swarm import HELLO, Peer, WebSocketPeer


class SlowUpgrade(Peer):
    """A header that never ends, an octet at a time."""

    def opened(self):
        self.say(HELLO + b"X-Slow: ")
        self.drips = True

    def drip(self):
        if self.connected and self.sock is not None:
            self.say(b"x")


class SlowHandshakes(Attack):
    title = "slow handshakes"
    kind, peers = SlowUpgrade, 4000
    options = {"listener": {"handshake_timeout": "3s"}}
    limits = ("refused_handshakes", "too_many_from_one")

    def attack(self, swarm, field):
        swarm.every(1, lambda: [p.drip() for p in swarm.peers])
        super().attack(swarm, field)


class WithoutAWord(Attack):
    title = "connections without a word"
    peers = 6000
    options = {"listener": {"handshake_timeout": "3s",
                            "max_sessions": 2500}}
    limits = ("refused_handshakes", "refused_sessions", "displaced")


class FromFewAddresses(WithoutAWord):
    title = "connections without a word, limits per address"
    sources = 10
    options = {"limits": {"sessions_per_ip": 8, "handshake_rate": 20}}
    limits = ("refused_rate", "refused_per_ip")


class OneRefusal(Peer):
    def heard(self, data):
        self.end()


class Churn(Attack):
    title = "connect, wrong request, gone"
    peers = 200
    limits = ("refused_handshakes",)

    class kind(OneRefusal):
        def opened(self):
            self.say(b"GET / HTTP/1.1\r\n\r\n")


class Resets(Attack):
    title = "connect, upgrade, reset"
    peers = 200

    class kind(WebSocketPeer):
        def ready(self):
            self.end(reset=True)


class ManyHeaders(Attack):
    """Names that differ, as many as fit, and more."""

    title = "many header names"
    peers = 100
    limits = ("refused_handshakes",)

    class kind(OneRefusal):
        def opened(self):
            count = self.number % 2 and 90 or 3000
            self.say(HELLO + b"".join(
                b"X-%d: %d\r\n" % (random.randrange(10**9), i)
                for i in range(count)) + b"\r\n")


class Extensions(Attack):
    """permessage-deflate is offered, a compressed frame follows."""

    title = "compression offers"
    peers = 100

    class kind(WebSocketPeer):
        headers = (b"Sec-WebSocket-Extensions: permessage-deflate; "
                   b"client_max_window_bits=15; server_no_context_takeover, "
                   b"x-webkit-deflate-frame\r\n")

        def heard(self, data):
            if b"xtensions" in data:
                self.swarm.notes["claimed"] = 1
            super().heard(data)

        def ready(self):
            # RSV1: a bomb of one megabyte in eleven octets
            self.say(b"\xc1\x8b\0\0\0\0" + bytes.fromhex(
                "ecc1010d000000c2a0f74f"))

    def check(self, field, log):
        return ["an extension was claimed"] if self.cost.get("claimed") else []
