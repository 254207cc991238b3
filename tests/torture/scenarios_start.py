"""The daemon's start with all kinds of configuration, and its commands. It
may fail, with a message; it may not crash, hang, or keep anything."""

import os

from harness import config_text, free_port
from reverse import sgn
from rig import Failing, next_client, scenario
from scenarios_gateway import next_with_token, originators
from scenarios_reverse import away, storing
from scenarios_store import fronted, file, memory, next_reads
from scenarios_tls import asking, tls


def start(probe=next_client, **how):
    return scenario(alone=True, probe=probe, **how)


@start()
def start_http(rig):
    yield
    rig.start()


@start(setup=tls)
def start_tls(rig):
    yield
    rig.start()


@start(setup=asking)
def start_tls_client_ca(rig):
    yield
    rig.start()


@start(setup=originators, probe=next_with_token)
def start_originators(rig):
    yield
    rig.start()


@start(setup=memory, probe=next_reads)
def start_store(rig):
    yield
    rig.start()


@start(setup=file, probe=next_reads)
def start_store_in_a_file(rig):
    yield
    rig.start()


@start(setup=fronted, probe=next_reads)
def start_store_fronted(rig):
    yield
    rig.start()


@start(gateway={"workers": 4})
def start_workers(rig):
    yield
    rig.start()


def restarting(rig):
    if not hasattr(rig, "kept"):
        rig.kept = storing(rig)
    return rig.kept


@start(setup=restarting)
def start_with_state(rig):
    """Entities that have registered, and a notification for one of them."""
    if not hasattr(rig, "kept"):
        rig.start()
        for i in range(3):
            poa = away(rig, f"C{i}")
        rig.call(poa, sgn())
        rig.daemon.stop()
        rig.daemon = rig.shim = None
    yield
    rig.start()


def config(rig, **more):
    sections = {'listener "main"': {"listen": f"127.0.0.1:{free_port()}"},
                'upstream "cse"': {"url": "http://localhost:1"},
                "auth": {"mode": "open"}, **more}
    folder = rig.path("conf.d")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        rig.write("conf.d/more.conf", "[limits]\nmax_message = 64k\n")
    return rig.write("m2mwsd.conf", config_text(sections))


@scenario(alone=True)
def check_config(rig):
    path = config(rig, **originators(rig))
    yield
    rig.run("-c", path, "-t", "-o", "log.level=debug")


@scenario(alone=True)
def check_config_with_tls(rig):
    own = tls(rig)["listener"]
    own["listen"] = f"127.0.0.1:{free_port()}"
    path = config(rig, **{'listener "main"': own})
    yield
    rig.run("-c", path, "-t")


@scenario(alone=True)
def check_bad_config(rig):
    """It is refused, whatever else happens."""
    path = config(rig, log={"levle": "info", "format": "none"},
                  limits={"max_message": "much", "max_depth": 0})
    yield
    try:
        rig.run("-c", path, "-t")
    except Failing as e:
        if e.status == 2 and e.said.strip():
            return
        raise
    raise AssertionError("a bad file is fine")


@scenario(alone=True)
def dump_config(rig):
    path = config(rig, **originators(rig))
    yield
    rig.run("-c", path, "--dump-config")


@scenario(alone=True)
def hash_token(rig):
    yield
    rig.run("--hash-token", text="a-secret-of-mine\n")


@scenario(alone=True)
def make_token(rig):
    yield
    rig.run("--hash-token")
