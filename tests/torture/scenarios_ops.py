"""What operators do, and who comes through a proxy: reloads, the admin
listener, the PROXY protocol, limits per address."""

import http.client
import os
import shutil
import signal

from harness import config_text, eventually, free_port
from reverse import CSE_ID
from rig import PATIENCE, Answered, scenario
from scenarios_gateway import bearer, next_with_token, originators
from scenarios_tls import asking, tls
from test_proxy import v1, v2
from wsclient import Gone, Silent, WebSocket


def reloadable(rig):
    """TLS and credentials, in files that change."""
    own = {**tls(rig), **originators(rig)}
    for i, key in enumerate(("cert_file", "key_file")):
        own["listener"][key] = shutil.copy(rig.cert[i], rig.path(key))
    return own


def outcomes(rig):
    log = rig.daemon.log_text()
    return log.count("event=reloaded"), log.count("event=reload_failed")


def hang_up(rig):
    """True: it took the files."""
    before = outcomes(rig)
    rig.daemon.signal(signal.SIGHUP)
    if not eventually(lambda: outcomes(rig) != before, PATIENCE):
        raise Silent("nothing came of SIGHUP")
    return outcomes(rig)[0] > before[0]


@scenario(setup=reloadable, probe=next_with_token)
def reload(rig):
    """Nothing has changed: those connected stay."""
    ws = rig.connect(headers=[bearer()])
    yield
    taken = hang_up(rig)
    rig.ask(ws, 2, "cse-in", 2000)
    if not taken:
        raise Answered("reload_failed")


@scenario()
def reload_of_upstreams(rig):
    """Another one, and one that has changed: requests are answered by the old
    ones or by the new ones."""
    ws = rig.connect()
    rig.ask(ws, 2, "cse-in", 2000)
    rig.count += 1
    folder = os.path.join(os.path.dirname(rig.daemon.file), "conf.d")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "more.conf"), "w") as out:
        out.write(f'[upstream "more"]\nurl = {rig.fake.url}\nhealth = /\n'
                  f"cse_id = {CSE_ID}\n"
                  f'[upstream "cse"]\nweight = {rig.count % 100 + 2}\n')
    yield
    taken = hang_up(rig)
    rig.ask(ws, 2, "cse-in", 2000)
    if not taken:
        raise Answered("reload_failed")


@scenario(setup=reloadable, probe=next_with_token)
def reload_that_revokes(rig):
    """Another hash of the same secret."""
    ws = rig.connect(headers=[bearer()])
    originators(rig)
    yield
    if not hang_up(rig):
        raise Answered("reload_failed")
    if ws.close_received() not in (1008, 1011):
        raise AssertionError("no Close 1008")


@scenario(setup=reloadable, probe=next_with_token)
def reload_of_a_bad_file(rig):
    rig.write("originators", "[credential \"meter\"]\ntoken = none\n")
    yield
    try:
        if hang_up(rig):
            raise AssertionError("a bad file was taken")
    finally:
        originators(rig)


def add_listener(rig, port, **more):
    """Behind the daemon's file as it began; without a port, that alone."""
    if not hasattr(rig.daemon, "began"):
        with open(rig.daemon.file) as began:
            rig.daemon.began = began.read()
    text = config_text({'listener "more"': {
        "listen": f"127.0.0.1:{port}", **more}}) if port else ""
    with open(rig.daemon.file, "w") as out:
        out.write(rig.daemon.began + text)


def come(rig, port, tls):
    ws = WebSocket(("127.0.0.1", port), timeout=PATIENCE, tls=tls,
                   headers=[bearer()])
    rig.open.append(ws)
    return ws


def files(rig):
    return {"tls": "yes", "cert_file": rig.cert[0], "key_file": rig.cert[1]}


@scenario(setup=reloadable, probe=next_with_token)
def reload_that_adds_a_listener(rig):
    """And changes it as it is there."""
    add_listener(rig, None)
    hang_up(rig)
    ports = free_port(), free_port()
    ws = rig.connect(headers=[bearer()])
    yield
    for port, tls in (ports[0], None), (ports[0], rig.tls), (ports[1], None):
        add_listener(rig, port, **(files(rig) if tls else {}))
        taken = hang_up(rig)
        rig.ask(ws, 2, "cse-in", 2000)
        if not taken:
            raise Answered("reload_failed")
        rig.ask(come(rig, port, tls), 2, "cse-in", 2000, f"C{rig.rqi()}")


@scenario(setup=reloadable, probe=next_with_token)
def reload_that_removes_a_listener(rig):
    port = free_port()
    add_listener(rig, port, **files(rig))
    if not hang_up(rig):
        raise AssertionError("no listener")
    sessions = [rig.connect(headers=[bearer()]), come(rig, port, rig.tls)]
    yield
    add_listener(rig, None)
    taken = hang_up(rig)
    for fr, ws in zip(("Ct", "Cmore"), sessions):
        rig.ask(ws, 2, "cse-in", 2000, fr)
    if not taken:
        raise Answered("reload_failed")


def without_tls(rig):
    """But with the files that it takes."""
    tls(rig)
    rig.context, rig.tls = rig.tls, None
    return originators(rig)


@scenario(alone=True, setup=without_tls, probe=next_with_token)
def reload_that_brings_tls(rig):
    rig.start()
    port = free_port()
    add_listener(rig, port, **files(rig))
    yield
    if not hang_up(rig):
        raise Answered("reload_failed")
    rig.ask(come(rig, port, rig.context), 2, "cse-in", 2000)


@scenario(alone=True, setup=reloadable, probe=next_with_token)
def reload_first(rig):
    rig.start()
    yield
    if not hang_up(rig):
        raise Answered("reload_failed")


def certified(rig):
    """A client certificate that is a credential."""
    own = asking(rig)
    own.update(originators(rig))
    with open(rig.path("originators"), "a") as out:
        out.write('[credential "by-name"]\ncertificate = localhost\n'
                  "originators = Ct Cnext\n")
    return own


def next_with_certificate(rig):
    rig.ask(rig.connect(), 2, "cse-in", 2000, "Cnext")


@scenario(setup=certified, probe=next_with_certificate)
def certificate_as_credential(rig):
    yield
    rig.ask(rig.connect(), 2, "cse-in", 2000)


def administered(rig):
    rig.admin = free_port()
    return {"admin": {"listen": f"127.0.0.1:{rig.admin}"}}


def get(rig, path):
    conn = http.client.HTTPConnection("127.0.0.1", rig.admin,
                                      timeout=PATIENCE)
    try:
        conn.request("GET", path)
        answer = conn.getresponse()
        answer.read()
    finally:
        conn.close()
    if answer.status >= 500:
        raise Answered(answer.status)
    return answer.status


@scenario(setup=administered)
def metrics(rig):
    rig.ask(rig.connect(), 2, "cse-in", 2000)
    yield
    if (get(rig, "/metrics"), get(rig, "/nowhere")) != (200, 404):
        raise AssertionError("no metrics")


@scenario(setup=administered)
def health(rig):
    yield
    if (get(rig, "/healthz"), get(rig, "/readyz")) != (200, 200):
        raise AssertionError("not healthy")


PROXIED = {"proxy_protocol": "yes", "proxy_from": "127.0.0.0/8"}


def next_through_a_proxy(rig):
    rig.register(rig.connect(preface=v1()), "Cnext")


@scenario(listener=PROXIED, probe=next_through_a_proxy)
def proxy_header(rig):
    yield
    rig.connect(preface=v1("192.0.2.9"))
    rig.connect(preface=v2("2001:db8::7"))


@scenario(listener=PROXIED, probe=next_through_a_proxy)
def proxy_header_in_pieces(rig):
    yield
    conn = rig.socket()
    for octet in v2():
        conn.send(bytes([octet]))
    conn.send(b"GET / HTTP/1.0\r\n\r\n")
    conn.read_head()


@scenario(listener=PROXIED, probe=next_through_a_proxy)
def proxy_header_malformed(rig):
    yield
    try:
        rig.connect(preface=b"PROXY TCP4 x y 1 2\r\n")
    except (Gone, ConnectionError):
        return
    raise AssertionError("not refused")


def elsewhere(rig):
    """An address of this machine that nobody has come from yet."""
    rig.count += 1
    return f"127.{1 + rig.count // 60000}.{rig.count // 250 % 240}." \
           f"{1 + rig.count % 250}", 0


def next_from_elsewhere(rig):
    rig.register(rig.connect(source=elsewhere(rig)), "Cnext")


@scenario(limits={"sessions_per_ip": 2}, probe=next_from_elsewhere)
def sessions_per_address(rig):
    source = elsewhere(rig)
    yield
    for _ in range(2):
        rig.connect(source=source)
    try:
        rig.connect(source=source)
    except (Gone, ConnectionError):
        return
    raise AssertionError("not refused")


@scenario(limits={"handshake_rate": 1}, probe=next_from_elsewhere)
def handshakes_of_an_address(rig):
    source = elsewhere(rig)
    yield
    for _ in range(5):
        try:
            rig.connect(source=source)
        except (Gone, ConnectionError):
            return
    raise AssertionError("not refused")
