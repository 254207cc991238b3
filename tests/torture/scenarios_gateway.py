"""Clients in front of a CSE on HTTP: handshakes, credentials, messages,
requests, and what goes wrong with the CSE."""

import base64
import hashlib
import json
import os
import socket

from fakecse import response
from harness import eventually
from rig import SHORT, Answered, scenario
from wsclient import (CLOSE, PING, PONG, TEXT, Refused, fragments, frame,
                      upgrade_request)

SECRET = "correct-horse-battery"


def hash_of(secret):
    salt = os.urandom(16)
    digest = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, 1000)
    return f"pbkdf2-sha256:1000:{salt.hex()}:{digest.hex()}"


def originators(rig):
    """auth of a daemon with one token and one password."""
    path = rig.write("originators", "\n".join([
        '[credential "meter"]', f"token = {hash_of(SECRET)}",
        "originators = C*, Sspecial", "administrators = CAdmin",
        '[credential "pw"]', "user = me@home",
        f"password = {hash_of(SECRET)}", "originators = /mn-cse7/* C*", ""]))
    return {"auth": {"mode": "credential", "originators_file": path}}


def bearer(secret=SECRET):
    return f"Authorization: Bearer meter.{secret}"


def basic(password=SECRET):
    text = base64.b64encode(f"me@home:{password}".encode()).decode()
    return f"Authorization: Basic {text}"


def next_with_token(rig):
    ws = rig.connect(headers=[bearer()])
    rig.ask(ws, 2, "cse-in", 2000, "Cnext")


# -- handshakes

@scenario()
def handshake(rig):
    yield
    rig.connect()


@scenario()
def handshake_octet_by_octet(rig):
    request = upgrade_request(rig.daemon.port)
    yield
    conn = rig.socket()
    for i in range(0, len(request), 40):
        conn.send(request[i:i + 40])
    status, _ = conn.read_head()
    if status != 101:
        raise Answered(status)


def refused(rig, want, **how):
    try:
        rig.connect(**how)
    except Refused as e:
        if e.status not in (want, 503, 500):
            raise AssertionError(e) from e
        return
    raise AssertionError("not refused")


@scenario()
def handshake_refused(rig):
    yield
    refused(rig, 400, subprotocol="chat")


@scenario(listener={"origins": "https://app.example.org"})
def handshake_of_another_origin(rig):
    yield
    refused(rig, 403, headers=["Origin: https://evil.example"])


@scenario(setup=originators, probe=next_with_token)
def credential_bearer(rig):
    yield
    ws = rig.connect(headers=[bearer()])
    rig.ask(ws, 2, "cse-in", 2000, "Ct")


@scenario(setup=originators, probe=next_with_token)
def credential_subprotocol(rig):
    text = base64.urlsafe_b64encode(f"meter.{SECRET}".encode()).decode()
    yield
    rig.connect(subprotocol="base64url.bearer.authorization.m2m." +
                text.rstrip("=") + ", oneM2M.json")


@scenario(setup=originators, probe=next_with_token)
def credential_basic_wrong(rig):
    """Hashed in another thread, every time."""
    yield
    refused(rig, 401, headers=[basic("wrong")])


@scenario(setup=originators, probe=next_with_token)
def credential_missing(rig):
    yield
    refused(rig, 401)


@scenario(setup=originators, alone=True, probe=next_with_token)
def credential_first(rig):
    """Nothing is remembered yet."""
    rig.start()
    yield
    ws = rig.connect(headers=[basic()])
    rig.ask(ws, 2, "cse-in", 2000, "Ct")


@scenario(alone=True)
def many_connections(rig):
    """More descriptors than libuv's tables begin with."""
    rig.start()
    yield
    for _ in range(150):
        rig.socket()
    rig.connect()


# -- messages

@scenario()
def malformed(rig):
    ws = rig.connect()
    yield
    for text in "{", "[]", '{"op":2}', '{"op":2,"to":"x","rqi":"1"}':
        if ws.ask_text(text).get("rsc", 0) < 4000:
            raise AssertionError("not refused")


@scenario()
def not_utf8(rig):
    ws = rig.connect()
    yield
    ws.send_frame(TEXT, b"\xff\xff")
    if ws.close_received() not in (1007, 1011):
        raise AssertionError("no Close 1007")


@scenario(limits={"max_message": "64k"})
def too_large(rig):
    ws = rig.connect()
    yield
    ws.send_frame(TEXT, b'"' + b"x" * 70000 + b'"')
    if ws.close_received() not in (1009, 1011):
        raise AssertionError("no Close 1009")


@scenario()
def many_fragments(rig):
    ws = rig.connect()
    rqi = rig.rqi()
    text = json.dumps({"op": 1, "to": "cse-in/x", "fr": "Ct", "rqi": rqi,
                       "rvi": "3", "ty": 4,
                       "pc": {"m2m:cin": {"con": "x" * 3000}}}).encode()
    yield
    for piece in fragments(TEXT, text, 100):
        ws.send(piece)
    rig.expect(ws.recv_prim(), rqi, 2001)


@scenario()
def ping_and_close(rig):
    ws = rig.connect()
    yield
    ws.send_frame(PING, b"there?")
    first, payload = ws.recv_frame()
    if first & 0x0f != CLOSE:
        if (first & 0x0f, payload) != (PONG, b"there?"):
            raise AssertionError("no Pong")
        ws.close()


@scenario()
def protocol_error(rig):
    ws = rig.connect()
    yield
    ws.send(frame(TEXT, b"{}", masked=False))
    if ws.close_received() not in (1002, 1011):
        raise AssertionError("no Close 1002")


# -- requests

@scenario()
def create(rig):
    ws = rig.connect()
    yield
    rig.create(ws, "cse-in/x", 4, cin={"con": "1"})


@scenario()
def retrieve(rig):
    ws = rig.connect()
    yield
    rig.ask(ws, 2, "cse-in/x", 2000, rcn=4,
            fc={"ty": [4], "lbl": ["a", "b"], "lim": 3})


@scenario()
def update_and_delete(rig):
    ws = rig.connect()
    yield
    rig.ask(ws, 3, "cse-in/x", 2004, pc={"m2m:cnt": {"lbl": ["a"]}})
    rig.ask(ws, 4, "cse-in/x", 2002)


@scenario()
def notify(rig):
    ws = rig.connect()
    yield
    rig.ask(ws, 5, "cse-in/x", 2000, pc={"m2m:sgn": {"vrq": True}})


@scenario()
def large_request(rig):
    ws = rig.connect()
    yield
    rig.create(ws, "cse-in/x", 4, cin={"con": "x" * 200000})


@scenario()
def large_answer(rig):
    body = json.dumps({"m2m:cin": {"con": "x" * 500000}}).encode()
    ws = rig.connect()
    rig.registrar.hook = lambda request: response(
        2000, request.rqi, body) if request.target == b"/large" else None
    yield
    rig.ask(ws, 2, "large", 2000)


@scenario()
def chunked_answer(rig):
    def hook(request):
        if request.target != b"/chunked":
            return None
        head = (f"HTTP/1.1 200 X\r\nX-M2M-RSC: 2000\r\nX-M2M-RI: "
                f"{request.rqi}\r\nContent-Type: application/json\r\n"
                "Transfer-Encoding: chunked\r\n\r\n")
        return head.encode() + b"2\r\n{}\r\n" * 1 + b"0\r\n\r\n"
    ws = rig.connect()
    rig.registrar.hook = hook
    yield
    rig.ask(ws, 2, "chunked", 2000)


@scenario(limits={"in_flight": 4}, upstream={"connections": 2})
def many_in_flight(rig):
    """More than fit: they wait in the session, and for a connection."""
    ws = rig.connect()
    yield
    asked = [rig.send(ws, 2, "cse-in/x") for _ in range(12)]
    got = {prim["rqi"]: prim for prim in (ws.recv_prim() for _ in asked)}
    for rqi in asked:
        rig.expect(got[rqi], rqi, 2000)


@scenario(limits={"max_queue": "128k", "close_timeout": "100ms"})
def slow_reader(rig):
    """Its queue fills up, and it is dropped."""
    body = json.dumps({"m2m:cin": {"con": "x" * 100000}}).encode()
    ws = rig.connect()
    # or the kernel keeps all of it
    ws.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    rig.registrar.hook = lambda request: response(
        2000, request.rqi, body) if request.target == b"/large" else None
    gone = rig.daemon.log_text().count("event=session_close")
    yield
    try:
        for _ in range(60):
            rig.send(ws, 2, "large")
    except ConnectionError:
        pass
    if not eventually(lambda: rig.daemon.log_text().count(
            "event=session_close") > gone, SHORT):
        for _ in range(60):     # too few of them were large
            ws.recv_prim()


@scenario(auth={"mode": "registered"})
def not_registered(rig):
    ws = rig.connect()
    yield
    if ws.ask(op=2, to="x", fr="Cx", rqi="1", rvi="3")["rsc"] < 4000:
        raise AssertionError("not refused")


# -- the CSE

def unreachable(rig):
    """An address at which nobody listens, held so that nobody will."""
    rig.held = socket.socket()
    rig.held.bind(("127.0.0.1", 0))
    return {"upstream": {
        "url": f"http://127.0.0.1:{rig.held.getsockname()[1]}"}}


def next_is_told(rig):
    if rig.connect().ask(op=2, to="x", fr="Cx", rqi="1",
                         rvi="3")["rsc"] != 5103:
        raise AssertionError("not 5103")


@scenario(setup=unreachable, probe=next_is_told)
def cse_down(rig):
    ws = rig.connect()
    yield
    if ws.ask(op=2, to="x", fr="Cx", rqi="1", rvi="3")["rsc"] < 5000:
        raise AssertionError("not refused")


@scenario()
def cse_reconnects(rig):
    """It has closed the connection that is kept."""
    ws = rig.connect()
    rig.ask(ws, 2, "cse-in", 2000)
    for link in list(rig.fake.links):
        link.close()
    yield
    rig.ask(ws, 2, "cse-in", 2000)
    rig.create(ws, "cse-in/x", 4, cin={"con": "1"})


@scenario()
def cse_drops_the_request(rig):
    def hook(request):
        if request.target == b"/drop":
            request.close()
            return b""
        return None
    ws = rig.connect()
    rig.registrar.hook = hook
    yield
    if ws.ask(op=1, ty=4, to="drop", fr="Cx", rqi="1", rvi="3",
              pc={"m2m:cin": {}})["rsc"] < 4000:
        raise AssertionError("not refused")


@scenario()
def cse_talks_nonsense(rig):
    ws = rig.connect()
    rig.registrar.hook = lambda request: (
        b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhello"
        if request.target == b"/nonsense" else
        b"SIP/2.0 200\r\n\r\n" if request.target == b"/none" else None)
    yield
    for to in "nonsense", "none":
        if ws.ask(op=1, ty=4, to=to, fr="Cx", rqi=to, rvi="3",
                  pc={"m2m:cin": {}})["rsc"] < 4000:
            raise AssertionError("not refused")


@scenario(upstream={"timeout": "100ms"})
def cse_is_silent(rig):
    ws = rig.connect()
    rig.registrar.hook = lambda request: (
        b"" if request.target == b"/silent" else None)
    yield
    if ws.ask(op=1, ty=4, to="silent", fr="Cx", rqi="1", rvi="3",
              pc={"m2m:cin": {}})["rsc"] < 4000:
        raise AssertionError("not refused")


def by_name(rig):
    return {"upstream": {"url": f"http://localhost:{rig.fake.port}"}}


@scenario(setup=by_name)
def cse_by_name(rig):
    """Looked up in another thread."""
    for link in list(rig.fake.links):
        link.close()
    ws = rig.connect()
    yield
    rig.create(ws, "cse-in/x", 4, cin={"con": "1"})
