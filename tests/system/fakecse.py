"""An HTTP server that records requests byte for byte and answers with bytes
that the test scripts: late, in any order, in pieces, wrong, or not at all.

One thread serves all connections. Every request must be of the strictest
form; what is not is kept in `violations`, and the harness fails the test.
"""

import os
import queue
import re
import selectors
import socket
import struct
import tempfile
import threading

REQUEST_LINE = re.compile(rb"(GET|POST|PUT|DELETE) (/[!-~]*) HTTP/1\.1\Z")
HEADER = re.compile(rb"([A-Za-z0-9-]+):(?: ([!-~](?:[ -~]*[!-~])?))?\Z")
ALLOWED = {
    b"host", b"accept", b"authorization", b"connection", b"content-length",
    b"content-type", b"x-m2m-origin", b"x-m2m-ri", b"x-m2m-rvi", b"x-m2m-vsi",
    b"x-m2m-ot", b"x-m2m-ret", b"x-m2m-rst", b"x-m2m-oet", b"x-m2m-rtu",
    b"x-m2m-ec", b"x-m2m-gid", b"x-m2m-as", b"traceparent", b"tracestate",
}


class NotHttp(Exception):
    pass


def parse_head(head):
    """Strict: (method, target, [(lower-case name, value)]) as bytes."""
    lines = head.split(b"\r\n")
    first = REQUEST_LINE.match(lines[0])
    if not first:
        raise NotHttp(f"request line {lines[0]!r}")
    headers, seen = [], set()
    for line in lines[1:]:
        m = HEADER.match(line)
        if not m:
            raise NotHttp(f"header line {line!r}")
        name = m[1].lower()
        if name in seen:
            raise NotHttp(f"header twice: {line!r}")
        if name not in ALLOWED:
            raise NotHttp(f"header of no known name: {line!r}")
        seen.add(name)
        headers.append((name, m[2] or b""))
    if b"host" not in seen:
        raise NotHttp("no Host")
    return first[1], first[2], headers


class Request:
    """One request as it came, and the way to answer it."""

    def __init__(self, link, head, body, parts):
        self.link = link
        self.raw = head + b"\r\n\r\n" + body
        self.body = body
        self.method, self.target, self.headers = parts
        self.fields = dict(self.headers)

    def header(self, name):
        """The value as text, or None."""
        value = self.fields.get(name.lower().encode())
        return None if value is None else value.decode()

    @property
    def rqi(self):
        return self.header("X-M2M-RI")

    def reply(self, data, close=False):
        """Sends raw bytes; a peer that is gone does not matter here."""
        self.link.send(data)
        if close:
            self.link.close()

    def answer(self, rsc=2000, body=b"", close=False, **how):
        self.reply(response(rsc, self.rqi, body, **how), close)

    def close(self):
        self.link.close()

    def reset(self):
        self.link.reset()


def response(rsc=2000, rqi=None, body=b"", status=None, headers=(),
             media="application/json"):
    """A well-formed answer of a CSE."""
    if status is None:
        status = {1: 202, 2: 200, 4: 400, 5: 500}.get(rsc // 1000, 500)
    lines = [f"HTTP/1.1 {status} X", f"X-M2M-RSC: {rsc}"]
    if rqi is not None:
        lines.append(f"X-M2M-RI: {rqi}")
    if body:
        lines.append(f"Content-Type: {media}")
    lines += headers
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Link:
    """One connection from the gateway."""

    def __init__(self, sock):
        self.sock = sock
        self.data = b""
        self.requests = 0
        self.lock = threading.Lock()
        self.closed = False

    def send(self, data):
        """False: the peer is gone."""
        with self.lock:
            if self.closed:
                return False
            try:
                self.sock.sendall(data)
            except OSError:
                return False
        return True

    def close(self):
        """No more from us; the server's thread drops it at the peer's end."""
        with self.lock:
            if not self.closed:
                try:
                    self.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def reset(self):
        with self.lock:
            if not self.closed:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
                # the server's thread reads the end and closes: RST
                self.sock.shutdown(socket.SHUT_RD)

    def drop(self):
        with self.lock:
            self.closed = True
            self.sock.close()


class FakeCse:
    """handler(request) runs in the server's thread: it returns bytes to send
    at once, or None when the test answers later. Without a handler every
    request waits in next(). tls: an SSLContext, whose failed handshakes are
    kept in `tls_failures`."""

    def __init__(self, handler=None, unix=False, port=0, strict=True,
                 tls=None):
        self.handler = handler or (lambda request: None)
        self.tls = tls
        self.tls_failures = []
        self.strict = strict
        self.violations = []
        self.requests = []
        self.octets = 0     # that came, whatever they were
        self.accepted = 0
        self.waiting = queue.Queue()
        self.folder = tempfile.TemporaryDirectory() if unix else None
        self.listener = self.listen(unix, port)
        self.links = set()
        self.sel = selectors.DefaultSelector()
        self.wake_in, self.wake_out = os.pipe()
        self.sel.register(self.listener, selectors.EVENT_READ)
        self.sel.register(self.wake_in, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def listen(self, unix, port):
        if unix:
            path = os.path.join(self.folder.name, "cse.sock")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            self.url = f"unix:{path}"
            self.authority = "localhost"
        else:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            self.port = listener.getsockname()[1]
            self.authority = f"127.0.0.1:{self.port}"
            self.url = f"http://{self.authority}"
            if self.tls:
                self.authority = f"localhost:{self.port}"
                self.url = f"https://{self.authority}"
        listener.listen(512)
        return listener

    def next(self, seconds=10):
        """The next request that nobody has taken yet."""
        try:
            return self.waiting.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError("no request came to the CSE") from None

    def quiet(self):
        """True when no request waits to be taken."""
        return self.waiting.empty()

    def close(self):
        """Stops listening and drops every connection."""
        if self.thread.is_alive():
            os.write(self.wake_out, b"x")
            self.thread.join()
        self.listener.close()
        for link in self.links:
            link.drop()
        if self.folder:
            self.folder.cleanup()

    def serve(self):
        while True:
            for key, _ in self.sel.select():
                if key.fd == self.wake_in:
                    return
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.read(key.data)

    def accept(self):
        sock, _ = self.listener.accept()
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            sock = self.shake_hands(sock)
        if sock is None:
            return
        link = Link(sock)
        self.accepted += 1
        self.links.add(link)
        self.sel.register(sock, selectors.EVENT_READ, link)

    def shake_hands(self, sock):
        """None: it failed."""
        sock.settimeout(5)
        try:
            sock = self.tls.wrap_socket(sock, server_side=True)
        except OSError as e:
            self.tls_failures.append(e)
            sock.close()
            return None
        sock.settimeout(None)
        return sock

    def receive(self, link):
        """What is there; TLS holds some of it where select() does not see."""
        if not self.tls:
            return link.sock.recv(262144)
        with link.lock:     # reading and writing share the keys
            piece = link.sock.recv(262144)
            while link.sock.pending():
                piece += link.sock.recv(262144)
        return piece

    def read(self, link):
        try:
            piece = self.receive(link)
        except OSError:
            piece = b""
        if not piece:
            self.sel.unregister(link.sock)
            self.links.discard(link)
            link.drop()
            return
        self.octets += len(piece)
        link.data += piece
        while self.take(link):
            pass

    def take(self, link):
        """One request out of the link's data; False: not whole yet."""
        head, gap, rest = link.data.partition(b"\r\n\r\n")
        if not gap:
            return False
        try:
            parts = parse_head(head)
        except NotHttp as e:
            if self.strict:
                self.violations.append(str(e))
            link.data = b""
            link.send(b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n")
            return False
        need = int(dict(parts[2]).get(b"content-length", b"0"))
        if len(rest) < need:
            return False
        link.data = rest[need:]
        link.requests += 1
        request = Request(link, head, rest[:need], parts)
        self.requests.append(request)
        said = self.handler(request)
        if said is None:
            self.waiting.put(request)
        elif said:
            link.send(said)
        return bool(link.data)


def always(data):
    """A handler that sends the same bytes for every request."""
    return lambda request: data


def ok(request):
    """A handler: 2000 with the request's own id and no content."""
    return response(2000, request.rqi)
