"""The attackers' sockets: thousands of them in one thread, from addresses of
their own (127.0.1.1 and on), so that what a server limits by address bites."""

import base64
import os
import selectors
import socket
import struct
import time

SOURCES = 200       # addresses that attackers share, unless they say else
PER_TURN = 200      # connections that are begun before others have their turn

HELLO = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
         b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         b"Sec-WebSocket-Protocol: oneM2M.json\r\n")


def source(number):
    return f"127.0.{1 + number // 200}.{1 + number % 200}"


class Peer:
    """One connection of an attacker. Subclasses say what it does."""

    reads = True        # False: never takes what the server says
    returns = True      # a new one takes its place when it is gone
    small = False       # a receive buffer that is full soon

    def __init__(self, swarm, number, address):
        self.swarm, self.number, self.address = swarm, number, address
        self.out = memoryview(b"")
        self.connected = False
        self.sock = socket.socket()
        self.sock.setblocking(False)
        if self.small:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # BIND_ADDRESS_NO_PORT
        self.sock.bind((source(number % swarm.sources), 0))
        self.sock.connect_ex(address)

    # what a subclass may say

    def opened(self):
        """The connection is made."""

    def heard(self, data):
        """The server said something."""

    def room(self):
        """All that was said has left."""

    # what it may do

    def say(self, data):
        self.out = memoryview(bytes(self.out) + data) if self.out \
            else memoryview(data)
        self.flush()

    def flush(self):
        try:
            while self.out:
                n = self.sock.send(self.out)
                self.swarm.octets += n
                self.out = self.out[n:]
        except BlockingIOError:
            pass
        except OSError:
            self.end()
            return
        self.watch()

    def watch(self):
        """Writable while there is something to say."""
        events = selectors.EVENT_READ if self.reads else 0
        if self.out or not self.connected or self.wants_room():
            events |= selectors.EVENT_WRITE
        self.swarm.watch(self, events)

    def wants_room(self):
        return type(self).room is not Peer.room

    def end(self, reset=False):
        if self.sock is None:
            return
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        self.swarm.forget(self)
        self.sock.close()
        self.sock = None

    def on_event(self, events):
        if not self.connected and events & selectors.EVENT_WRITE:
            if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.end()
                return
            self.connected = True
            self.opened()
        elif events & selectors.EVENT_WRITE:
            if self.out:
                self.flush()
            if self.sock is not None and not self.out:
                self.room()
        if self.sock is not None and events & selectors.EVENT_READ:
            self.read()
        if self.sock is not None:
            self.watch()

    def read(self):
        try:
            data = self.sock.recv(262144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end()
            return
        self.swarm.octets_in += len(data)
        self.heard(data)


class WebSocketPeer(Peer):
    """Shakes hands, then ready(); later data goes to message()."""

    headers = b""

    def __init__(self, *args):
        super().__init__(*args)
        self.upgraded = False

    def opened(self):
        self.say(HELLO + self.headers + b"\r\n")

    def heard(self, data):
        if self.upgraded:
            self.message(data)
        elif data.startswith(b"HTTP/1.1 101"):
            self.upgraded = True
            self.swarm.upgraded += 1
            self.ready()
        else:
            self.swarm.refused += 1

    def room(self):
        if self.upgraded:
            self.more()

    def wants_room(self):
        return self.upgraded and type(self).more is not WebSocketPeer.more

    def ready(self):
        """The handshake is done."""

    def message(self, data):
        """The server said something after it."""

    def more(self):
        """There is room to say more."""


class Swarm:
    """All connections of one attack, and what they cost the attacker."""

    def __init__(self, seconds, sources=SOURCES):
        self.sources = sources
        self.until = time.monotonic() + seconds
        self.connections = self.octets = self.octets_in = 0
        self.upgraded = self.refused = 0
        self.selector = selectors.DefaultSelector()
        self.watched = {}
        self.wanted = []    # (kind, address) to open
        self.timers = []    # [when, every, function]
        self.notes = {}

    def open(self, count, kind, address):
        self.wanted += [(kind, address)] * count

    def every(self, seconds, function):
        self.timers.append([time.monotonic() + seconds, seconds, function])

    def watch(self, peer, events):
        if peer.sock is None or self.watched.get(peer, 0) == events:
            return
        if self.watched.get(peer, 0) == 0:
            self.selector.register(peer.sock, events, peer)
        elif events == 0:
            self.selector.unregister(peer.sock)
        else:
            self.selector.modify(peer.sock, events, peer)
        self.watched[peer] = events

    def forget(self, peer):
        if self.watched.pop(peer, 0):
            self.selector.unregister(peer.sock)
        if peer.returns:
            self.wanted.append((type(peer), peer.address))

    @property
    def peers(self):
        return list(self.watched)

    def over(self):
        return time.monotonic() >= self.until

    def begin_some(self):
        for _ in range(min(PER_TURN, len(self.wanted))):
            kind, address = self.wanted.pop()
            try:
                peer = kind(self, self.connections, address)
            except OSError:     # no descriptor or port is left
                self.wanted.append((kind, address))
                return
            self.connections += 1
            peer.watch()

    def turn(self, longest=0.05):
        now = time.monotonic()
        for timer in self.timers:
            if timer[0] <= now:
                timer[0] = now + timer[1]
                timer[2]()
        self.begin_some()
        for key, events in self.selector.select(longest):
            if key.data.sock is not None:
                key.data.on_event(events)

    def run(self):
        while not self.over():
            self.turn()

    def close(self):
        for peer in self.peers:
            peer.returns = False
            peer.end()


def masked(first, payload, key=b"\0\0\0\0"):
    """A frame whose mask changes nothing, as that costs us nothing."""
    n = len(payload)
    if n < 126:
        return bytes((first, 0x80 | n)) + key + payload
    if n < 65536:
        return bytes((first, 0xfe)) + struct.pack("!H", n) + key + payload
    return bytes((first, 0xff)) + struct.pack("!Q", n) + key + payload


def text(payload):
    return masked(0x81, payload)


def token():
    return base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()
