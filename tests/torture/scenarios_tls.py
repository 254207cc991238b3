"""wss: handshakes of all kinds, and data."""

import ssl

from fakecse import FakeCse
from harness import free_port
from reverse import Later, sgn
from rig import PATIENCE, Answered, scenario
from scenarios_reverse import rsc_of
from tlscase import make_certificate
from wsclient import upgrade_request


def tls(rig, **more):
    """Options of a TLS listener; rig.tls is a client's context."""
    if not rig.tls:
        rig.cert = make_certificate("openssl", rig.folder.name, "ecdsa")
        rig.tls = ssl.create_default_context(cafile=rig.cert[0])
    return {"listener": {"tls": "yes", "cert_file": rig.cert[0],
                         "key_file": rig.cert[1], **more}}


def asking(rig):
    """A listener that wants a certificate; there is one."""
    own = tls(rig)
    rig.client = make_certificate("openssl", rig.folder.name, "p384")
    own["listener"].update(client_cert="required",
                           client_ca_file=rig.client[0])
    rig.tls.load_cert_chain(*rig.client)
    return own


@scenario(setup=tls)
def tls_handshake(rig):
    yield
    ws = rig.connect()
    rig.ask(ws, 2, "cse-in/x", 2000)


@scenario(setup=tls)
def tls_resumed(rig):
    rig.tls.maximum_version = ssl.TLSVersion.TLSv1_2
    session = rig.connect().sock.session
    yield
    ws = rig.connect(session=session)
    rig.ask(ws, 2, "cse-in/x", 2000)


@scenario(setup=tls)
def tls_failed(rig):
    yield
    conn = rig.socket()
    conn.send(upgrade_request(rig.daemon.port))
    conn.read_to_end()


@scenario(setup=tls)
def tls_gone(rig):
    """A hello, and no more."""
    side = rig.tls.wrap_bio(ssl.MemoryBIO(), out := ssl.MemoryBIO(),
                            server_hostname="localhost")
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = out.read()
    yield
    conn = rig.socket()
    conn.send(hello)
    conn.take(1)


@scenario(setup=asking)
def tls_client_certificate(rig):
    yield
    ws = rig.connect()
    rig.ask(ws, 2, "cse-in/x", 2000)


@scenario(setup=asking)
def tls_without_the_certificate(rig):
    bare = ssl.create_default_context(cafile=rig.cert[0])
    yield
    try:
        rig.connect(tls=bare)
    except ssl.SSLError:
        return
    raise AssertionError("not refused")


@scenario(setup=tls)
def tls_data(rig):
    ws = rig.connect()
    yield
    rig.create(ws, "cse-in/x", 4, cin={"con": "x" * 100000})
    ws.close()


# -- https: to the CSE

def https(rig):
    """The fake CSE, with a certificate that the gateway trusts."""
    if not rig.fake.tls:
        rig.fake.close()
        rig.upstream = make_certificate("openssl", rig.folder.name, "ecdsa")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*rig.upstream)
        rig.fake = FakeCse(rig.registrar, tls=context)
    return {"upstream": {"url": rig.fake.url, "ca_file": rig.upstream[0]}}


def untrusted(rig):
    own = https(rig)
    own["upstream"]["ca_file"] = make_certificate(
        "openssl", rig.folder.name, "p384")[0]
    return own


def next_is_told(rig):
    if rig.connect().ask(op=2, to="x", fr="Cx", rqi="1",
                         rvi="3")["rsc"] != 5103:
        raise AssertionError("not 5103")


@scenario(setup=https)
def https_request(rig):
    """Over a new connection."""
    ws = rig.connect()
    for link in list(rig.fake.links):
        link.close()
    yield
    rig.create(ws, "cse-in/x", 4, cin={"con": "1"})


@scenario(setup=https)
def https_data(rig):
    ws = rig.connect()
    rig.ask(ws, 2, "cse-in", 2000)
    yield
    rig.create(ws, "cse-in/x", 4, cin={"con": "x" * 100000})


@scenario(setup=untrusted, probe=next_is_told)
def https_untrusted(rig):
    ws = rig.connect()
    yield
    if ws.ask(op=2, to="x", fr="Cx", rqi="1", rvi="3")["rsc"] < 5000:
        raise Answered("served")


# -- https: from the CSE

def notify_tls(rig):
    port = free_port()
    cert, key = make_certificate("openssl", rig.folder.name, "ecdsa")
    rig.calling = ssl.create_default_context(cafile=cert)
    return {"auth": {"mode": "registered"}, "notify": {
        "listen": f"127.0.0.1:{port}", "advertise": f"localhost:{port}",
        "tls": "yes", "cert_file": cert, "key_file": key}}


@scenario(setup=notify_tls)
def delivery_over_tls(rig):
    ws, poa = rig.online()
    yield
    later = Later(poa, sgn("x" * 20000), timeout=PATIENCE, tls=rig.calling)
    try:
        rig.say(ws, rig.delivered(ws, later))
    finally:
        rsc_of(rig, later, 2000)
