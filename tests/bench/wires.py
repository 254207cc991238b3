"""Clients on a bare socket, as lean as the bindings allow, that count what
passes."""
import json
import re
import socket

from measure import Failure


class Wire:
    """A TCP connection that counts what passes."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data, self.octets = b"", 0

    def send(self, data):
        self.octets += len(data)
        self.sock.sendall(data)

    def need(self, count):
        while len(self.data) < count:
            piece = self.sock.recv(65536)
            if not piece:
                raise Failure("the server closed a connection")
            self.octets += len(piece)
            self.data += piece

    def take(self, count):
        self.need(count)
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def take_to(self, mark):
        while mark not in self.data:
            self.need(len(self.data) + 1)
        return self.take(self.data.index(mark) + len(mark))


class Http(Wire):
    """As lean as TS-0009 allows."""

    count = 0

    def __init__(self, port):
        super().__init__(port)
        self.authority = f"127.0.0.1:{port}"

    def request(self, method, target, fr, body=None, ty=None):
        Http.count += 1
        head = (f"{method} {target} HTTP/1.1\r\nHost: {self.authority}\r\n"
                f"X-M2M-Origin: {fr}\r\nX-M2M-RI: {Http.count}\r\n"
                "X-M2M-RVI: 3\r\n")
        data = b""
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            kind = f"application/json;ty={ty}" if ty else "application/json"
            head += (f"Content-Type: {kind}\r\n"
                     f"Content-Length: {len(data)}\r\n")
        self.send(head.encode() + b"\r\n" + data)

    def answer(self):
        head = self.take_to(b"\r\n\r\n")
        size = re.search(rb"(?i)content-length: *(\d+)", head)
        body = self.take(int(size[1])) if size else b""
        rsc = re.search(rb"(?i)x-m2m-rsc: *(\d+)", head)
        return int(rsc[1]), json.loads(body) if body else None

    def must(self, rsc, *args, **how):
        self.request(*args, **how)
        got, pc = self.answer()
        if got != rsc:
            raise Failure(f"{args}: {got} {pc}")
        return pc


def frame(data, opcode=1):
    """As a client sends it, with a mask of zeroes."""
    n = len(data)
    size = bytes([0x80 | n]) if n < 126 else \
        bytes([0xfe]) + n.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + size + b"\0\0\0\0" + data


class WebSocket(Wire):
    def __init__(self, port, subprotocol="oneM2M.json"):
        super().__init__(port)
        self.send(b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                  b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  b"Sec-WebSocket-Protocol: " + subprotocol.encode() +
                  b"\r\n\r\n")
        self.take_to(b"\r\n\r\n")

    def take_message(self):
        n = self.take(2)[1]
        if n == 126:
            n = int.from_bytes(self.take(2), "big")
        return self.take(n)

    def write(self, primitive):
        data = json.dumps(primitive, separators=(",", ":")).encode()
        self.send(frame(data))

    def read(self):
        return json.loads(self.take_message())

    def must(self, rsc, **primitive):
        self.write(primitive)
        got = self.read()
        if got.get("rsc") != rsc:
            raise Failure(f"{primitive}: {got}")
        return got
