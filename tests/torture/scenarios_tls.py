"""wss: handshakes of all kinds, and data."""

import ssl

from rig import scenario
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
