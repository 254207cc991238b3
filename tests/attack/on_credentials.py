"""Credentials that are guessed."""

import base64
import os

from attack import Attack
from swarm import WebSocketPeer, token


class Guessing(WebSocketPeer):
    returns = True

    def heard(self, data):
        self.end()


class Tokens(Attack):
    title = "guessed tokens"
    peers = 200
    limits = ("refused_credentials",)

    class kind(Guessing):
        @property
        def headers(self):
            return b"Authorization: Bearer honest.%s\r\n" % token().encode()


class Passwords(Attack):
    """Each guess costs 200,000 rounds of hashing."""

    title = "guessed passwords, slow to check"
    peers = 200
    limits = ("refused_handshakes",)

    class kind(Guessing):
        @property
        def headers(self):
            guess = base64.b64encode(b"slow:" + os.urandom(12).hex().encode())
            return b"Authorization: Basic %s\r\n" % guess


class Strangers(Attack):
    title = "credentials of nobody"
    peers = 200
    limits = ("refused_credentials",)

    class kind(Guessing):
        @property
        def headers(self):
            return b"Authorization: Bearer %s.%s\r\n" % (
                token().encode(), token().encode())
