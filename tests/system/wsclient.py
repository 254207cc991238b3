"""A WebSocket client on a bare socket that can also do everything wrong."""

import base64
import hashlib
import json
import os
import select
import socket
import struct
import time
import unittest

try:
    import cbor2
except ImportError:     # for those who speak no CBOR
    cbor2 = None

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Gone(AssertionError):
    """The connection ended where a frame was expected."""


class Silent(AssertionError):
    """Nothing came in time, and the connection did not end."""


class Refused(AssertionError):
    """The handshake was answered with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"handshake answered with {status}")
        self.status = status
        self.headers = headers
        self.body = body


def mask(payload, key):
    n = len(payload)
    if n == 0:
        return b""
    stream = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(payload, "big") ^
            int.from_bytes(stream, "big")).to_bytes(n, "big")


def frame(opcode, payload=b"", fin=True, masked=True, rsv=0, key=None):
    """A frame of a client; rsv holds the three reserved bits."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if masked else 0
    n = len(payload)
    if n < 126:
        head = struct.pack("!BB", first, bit | n)
    elif n < 65536:
        head = struct.pack("!BBH", first, bit | 126, n)
    else:
        head = struct.pack("!BBQ", first, bit | 127, n)
    if not masked:
        return head + payload
    key = os.urandom(4) if key is None else key
    return head + key + mask(payload, key)


def fragments(opcode, payload, size=1):
    """A message cut into frames of `size` octets."""
    parts = [payload[i:i + size] for i in range(0, len(payload), size)]
    last = len(parts) - 1
    return [frame(0 if i else opcode, part, fin=i == last)
            for i, part in enumerate(parts)]


def upgrade_request(port, subprotocol="oneM2M.json", path="/", method="GET",
                    headers=(), key="dGhlIHNhbXBsZSBub25jZQ==", version="13",
                    http="HTTP/1.1"):
    lines = [f"{method} {path} {http}", f"Host: 127.0.0.1:{port}",
             "Upgrade: websocket", "Connection: Upgrade"]
    if key is not None:
        lines.append(f"Sec-WebSocket-Key: {key}")
    if version is not None:
        lines.append(f"Sec-WebSocket-Version: {version}")
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    lines += headers
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def accept_of(key):
    digest = hashlib.sha1((key + GUID).encode()).digest()
    return base64.b64encode(digest).decode()


class Connection:
    """A socket with what has been read and not used yet. tls: an SSLContext,
    session: what an earlier one left to be resumed; source: the address to
    connect from; preface: octets sent before TLS; sni: whom it asks for."""

    def __init__(self, address, timeout=10, tls=None, session=None,
                 source=None, preface=b"", sni="localhost"):
        self.timeout = timeout
        self.sock = socket.create_connection(address, timeout, source)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(preface)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, session=session,
                                        server_hostname=sni)
        self.data = b""

    def send(self, data):
        self.sock.sendall(data)

    def fill(self):
        """Reads more; False at the end of the connection."""
        try:
            piece = self.sock.recv(262144)
        except ConnectionError:
            piece = b""
        except TimeoutError:
            raise Silent(f"nothing came within {self.timeout} s") from None
        self.data += piece
        return bool(piece)

    def take(self, n):
        while len(self.data) < n:
            if not self.fill():
                raise Gone(f"end of connection, had {self.data!r}")
        out, self.data = self.data[:n], self.data[n:]
        return out

    def read_head(self):
        """(status, {lower-case name: value}) of an HTTP response."""
        while b"\r\n\r\n" not in self.data:
            if not self.fill():
                raise Gone(f"end of connection, had {self.data!r}")
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in lines[1:]]
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        return int(lines[0].split(" ")[1]), headers

    def read_to_end(self):
        while self.fill():
            pass
        out, self.data = self.data, b""
        return out

    def drop(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()


class WebSocket(Connection):
    def __init__(self, address, timeout=10, tls=None, session=None,
                 source=None, preface=b"", sni="localhost", **request):
        super().__init__(address, timeout, tls, session, source, preface, sni)
        key = request.setdefault(
            "key", base64.b64encode(os.urandom(16)).decode())
        self.send(upgrade_request(address[1], **request))
        status, self.headers = self.read_head()
        if status != 101:
            body = self.take(int(self.headers.get("content-length", 0)))
            self.drop()
            raise Refused(status, self.headers, body)
        if self.headers.get("sec-websocket-accept") != accept_of(key):
            raise AssertionError("wrong Sec-WebSocket-Accept")
        self.subprotocol = self.headers.get("sec-websocket-protocol")

    def send_frame(self, opcode, payload=b"", **how):
        self.send(frame(opcode, payload, **how))

    def send_text(self, text):
        if isinstance(text, str):
            text = text.encode()
        self.send_frame(TEXT, text)

    def send_prim(self, **members):
        self.send_text(json.dumps(members))

    def recv_frame(self):
        """(opcode, payload); a server's frames are whole and unmasked."""
        first, second = self.take(2)
        if second & 0x80 or first & 0x70:
            raise AssertionError(f"bad frame head {first:#x} {second:#x}")
        n = second & 0x7f
        if n == 126:
            n, = struct.unpack("!H", self.take(2))
        elif n == 127:
            n, = struct.unpack("!Q", self.take(8))
        return first, self.take(n)

    def recv_message(self):
        """(opcode, payload) of the next message; pings on the way are
        answered."""
        message, kind = b"", None
        while True:
            first, payload = self.recv_frame()
            opcode = first & 0x0f
            if opcode == PING:
                self.send_frame(PONG, payload)
            elif opcode == CLOSE:
                raise Gone(f"Close {close_code(payload)} {payload[2:]!r}")
            elif opcode != PONG:
                message += payload
                kind = opcode if kind is None else kind
                if first & 0x80:
                    return kind, message

    def recv_text(self):
        return self.recv_message()[1].decode()

    def recv_prim(self):
        return json.loads(self.recv_text())

    def ask_text(self, text):
        self.send_text(text)
        return self.recv_prim()

    def ask(self, **members):
        return self.ask_text(json.dumps(members))

    def close_received(self, within=None):
        """The code of the peer's Close, None without a code; messages before
        it are dropped."""
        if within is not None:
            self.sock.settimeout(within)
        while True:
            first, payload = self.recv_frame()
            if first & 0x0f == CLOSE:
                return close_code(payload)

    def close(self, code=1000):
        """The whole closing handshake; gives the peer's code."""
        self.send_frame(CLOSE, struct.pack("!H", code))
        return self.close_received()

    def pump(self, messages, window):
        """Sends messages (bytes) and yields one incoming message after the
        other, with at most `window` unanswered; reads while it writes."""
        messages = iter(messages)
        out, unanswered, more = b"", 0, True
        self.sock.setblocking(False)
        until = time.monotonic() + self.timeout
        while more or unanswered:
            while more and unanswered < window and len(out) < 262144:
                message = next(messages, None)
                if message is None:
                    more = False
                else:
                    out += frame(TEXT, message)
                    unanswered += 1
            for text in self.whole_messages():
                unanswered -= 1
                until = time.monotonic() + self.timeout
                yield text
            if not (more or unanswered):
                break
            if not more or unanswered >= window or out:
                out = self.exchange(out, until)
        self.sock.setblocking(True)
        self.sock.settimeout(self.timeout)

    def exchange(self, out, until):
        """One turn of pump(): writes some of out, reads what there is."""
        readable, writable, _ = select.select(
            [self.sock], [self.sock] if out else [], [], 0.5)
        if writable:
            out = out[self.sock.send(out):]
        if readable:
            piece = self.sock.recv(262144)
            if not piece:
                raise Gone("end of connection")
            self.data += piece
        elif time.monotonic() > until:
            raise AssertionError(f"no answer within {self.timeout} s")
        return out

    def whole_messages(self):
        """Messages of one frame that have arrived."""
        while True:
            whole = self.peek_frame()
            if whole is None:
                return
            opcode, payload = whole
            if opcode == CLOSE:
                raise Gone(f"Close {close_code(payload)}")
            if opcode == PING:
                self.sock.send(frame(PONG, payload))
            else:
                yield payload

    def peek_frame(self):
        """(opcode, payload) when a whole frame has arrived, else None."""
        d = self.data
        if len(d) < 2:
            return None
        n, start = d[1] & 0x7f, 2
        if n == 126:
            start = 4
            n = int.from_bytes(d[2:4], "big") if len(d) >= 4 else 1
        elif n == 127:
            start = 10
            n = int.from_bytes(d[2:10], "big") if len(d) >= 10 else 1
        if len(d) < start + n:
            return None
        self.data = d[start + n:]
        return d[0] & 0x0f, d[start:start + n]


class CborSocket(WebSocket):
    """The same, in CBOR by Python's cbor2. Every message must be binary."""

    def __init__(self, address, subprotocol="oneM2M.cbor", **how):
        if cbor2 is None:
            raise unittest.SkipTest("python's cbor2 is not installed")
        super().__init__(address, subprotocol=subprotocol, **how)

    def send_prim(self, **members):
        self.send_frame(BINARY, cbor2.dumps(members))

    def recv_octets(self):
        kind, message = self.recv_message()
        if kind != BINARY:
            raise AssertionError(f"CBOR in a message of kind {kind}")
        return message

    def recv_prim(self):
        return cbor2.loads(self.recv_octets())

    def ask(self, **members):
        self.send_prim(**members)
        return self.recv_prim()


def close_code(payload):
    return struct.unpack("!H", payload[:2])[0] if len(payload) > 1 else None
