"""Frames and messages: slow, endless, tiny, huge, not UTF-8."""

import os

from attack import Attack
from swarm import WebSocketPeer, masked, text


class Dripping(WebSocketPeer):
    def ready(self):
        self.say(b"\x81\xfe\x10\x00\0\0\0\0")

    def drip(self):
        if self.upgraded and self.sock is not None:
            self.say(b" ")


class SlowMessages(Attack):
    title = "slow messages, an octet at a time"
    kind, peers = Dripping, 2000
    options = {"limits": {"message_timeout": "3s"}}
    limits = ("too_slow",)

    def attack(self, swarm, field):
        swarm.every(0.5, lambda: [p.drip() for p in swarm.peers])
        super().attack(swarm, field)


class Incomplete(Attack):
    """As much of a message as fits, and never its end."""

    title = "incomplete messages held open"
    peers = 2000
    options = {"limits": {"message_timeout": "4s"}}
    limits = ("unfinished",)

    class kind(WebSocketPeer):
        def ready(self):
            self.say(b"\x81\xff" + (200000).to_bytes(8, "big") + b"\0\0\0\0" +
                     b" " * 150000)


class PingFlood(Attack):
    title = "ping flood"
    peers = 50
    block = masked(0x89, b"p" * 125) * 400

    class kind(WebSocketPeer):
        def more(self):
            self.say(PingFlood.block)


class DeafPingFlood(Attack):
    title = "ping flood, pongs not read"
    peers = 100

    class kind(WebSocketPeer):
        def ready(self):
            self.reads = False
            self.say(PingFlood.block)

        def more(self):
            self.say(PingFlood.block)


class PongFlood(Attack):
    title = "pong flood"
    peers = 50
    block = masked(0x8a, b"") * 8000

    class kind(WebSocketPeer):
        def more(self):
            self.say(PongFlood.block)


class TinyFragments(Attack):
    title = "fragments of one octet and of none"
    peers = 100
    limits = ("too_many_fragments",)
    block = masked(1, b"") + (masked(0, b" ") + masked(0, b"")) * 5000

    class kind(WebSocketPeer):
        def ready(self):
            self.say(TinyFragments.block)


class HeldFragments(Attack):
    title = "fragments, open in thousands"
    peers = 2000
    options = {"limits": {"message_timeout": "4s"}}
    limits = ("too_slow",)
    block = masked(1, b"") + masked(0, b" ") * 1000

    class kind(WebSocketPeer):
        def ready(self):
            self.say(HeldFragments.block)


class HugeLengths(Attack):
    title = "frames of 2^63 and 2^64 octets"
    peers = 100
    limits = ("too_big",)

    class kind(WebSocketPeer):
        def ready(self):
            size = (2**63 - 1, 2**63, 2**64 - 1, 2**32)[self.number % 4]
            self.say(b"\x81\xff" + size.to_bytes(8, "big") + b"\0\0\0\0{}")


class MalformedUtf8(Attack):
    title = "malformed UTF-8"
    peers = 100
    tails = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88", b"\xe2\x82")
    limits = ("bad_utf8",)

    class kind(WebSocketPeer):
        def ready(self):
            tail = MalformedUtf8.tails[self.number % 5]
            self.say(text(b'{"fr":"' + b"a" * 60000 + tail + b'"}'))


class DeepJson(Attack):
    title = "deep JSON"
    peers = 50
    limits = ("malformed",)
    block = text(b'{"op":1,"to":"x","rqi":"1","pc":' + b"[" * 200000)

    class kind(WebSocketPeer):
        def more(self):
            self.say(DeepJson.block)


class ManyTokens(Attack):
    title = "JSON of many tokens"
    peers = 50
    limits = ("malformed",)
    block = text(b'{"op":1,"to":"x","rqi":"1","pc":[' + b"[]," * 80000 +
                 b"[]]}")

    class kind(WebSocketPeer):
        def more(self):
            self.say(ManyTokens.block)


class Noise(Attack):
    title = "random octets as frames"
    peers = 100

    class kind(WebSocketPeer):
        def ready(self):
            self.say(os.urandom(65536))
