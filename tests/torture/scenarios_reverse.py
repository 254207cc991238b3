"""Registrations, and requests of the CSE on their way to those registered."""

import os
import shutil
import signal

from harness import eventually
from reverse import Later, con_of, sgn
from rig import ENDED, PATIENCE, Answered, Lost, scenario

REGISTERED = {"mode": "registered"}


def rsc_of(rig, later, *good):
    """What the CSE was told in the end."""
    rsc = later.result(PATIENCE).rsc
    if rsc not in good:
        raise Answered(f"rsc {rsc} to the CSE")


def away(rig, fr="Ct"):
    """An AE that has registered and left; its point of access."""
    before = rig.daemon.log_text().count("event=offline")
    ws, poa = rig.online(fr)
    ws.drop()
    if not eventually(lambda: rig.daemon.log_text().count(
            "event=offline") > before):
        raise AssertionError("it has not gone")
    return poa


def back(rig, fr="Ct"):
    ws = rig.connect()
    rig.ask(ws, 2, fr, 2000, fr)
    return ws


@scenario(auth=REGISTERED)
def register_ae(rig):
    ws = rig.connect()
    yield
    rig.register(ws, poa=["http://mine/x"], lbl=["a"])


@scenario(auth=REGISTERED)
def register_without_id(rig):
    """The CSE gives one; new entities every time."""
    ws = rig.connect()
    yield
    rig.register(ws, "C")


@scenario(auth=REGISTERED)
def register_cse(rig):
    ws = rig.connect()
    yield
    rig.create(ws, "cse-in", 16, "/mn-cse7", csr={
        "cb": "/mn-cse7/mn", "rr": True, "srv": ["3"],
        "dcse": ["/asn-8", "/asn-9"], "poa": ["http://mine/"]})


@scenario(auth=REGISTERED)
def deregister(rig):
    ws, _ = rig.online("Cleaver")
    yield
    rig.ask(ws, 4, "Cleaver", 2002, "Cleaver")


@scenario(auth=REGISTERED)
def come_back(rig):
    away(rig)
    yield
    back(rig)


@scenario(auth=REGISTERED)
def update_of_poa(rig):
    ws, _ = rig.online()
    yield
    rig.ask(ws, 3, "Ct", 2004, pc={"m2m:ae": {"poa": ["http://new/"]}})


@scenario(auth=REGISTERED)
def takeover(rig):
    old, _ = rig.online()
    new = rig.connect()
    yield
    rig.ask(new, 2, "Ct", 2000)
    if old.close_received() not in (1000, 1011):
        raise AssertionError("the older one stays")


def deliver(rig, ws, poa, body=None):
    later = Later(poa, body or sgn(), timeout=PATIENCE)
    try:
        rig.say(ws, rig.delivered(ws, later))
    finally:
        rsc_of(rig, later, 2000)


@scenario(auth=REGISTERED)
def delivery(rig):
    ws, poa = rig.online()
    yield
    deliver(rig, ws, poa)


@scenario(auth=REGISTERED)
def large_delivery(rig):
    ws, poa = rig.online()
    yield
    deliver(rig, ws, poa, sgn("x" * 100000))


@scenario(auth=REGISTERED, gateway={"workers": 3})
def delivery_by_another_worker(rig):
    """The kernel spreads the connections."""
    ws, poa = rig.online()
    yield
    for _ in range(4):
        deliver(rig, ws, poa)


@scenario(auth=REGISTERED)
def delivery_to_nobody(rig):
    yield
    try:
        rig.call(rig.notify_url + "r/0123456789abcdef0123456789abcdef",
                 sgn())
    except Answered:
        return
    raise AssertionError("not refused")


@scenario(auth=REGISTERED, notify={"timeout": "200ms"})
def delivery_not_answered(rig):
    ws, poa = rig.online()
    yield
    later = Later(poa, sgn(), timeout=PATIENCE)
    try:
        rig.delivered(ws, later)
    finally:
        rsc_of(rig, later, 4008, 5103)


@scenario(auth=REGISTERED)
def delivery_by_id(rig):
    """As tinyIoT does it."""
    ws, _ = rig.online()
    yield
    deliver(rig, ws, rig.notify_url + "~/id-in/Ct")


@scenario(auth=REGISTERED)
def held_until_it_is_back(rig):
    poa = away(rig)
    yield
    later = Later(poa, sgn(), timeout=PATIENCE)
    try:
        ws = back(rig)
        rig.say(ws, rig.delivered(ws, later))
    finally:
        rsc_of(rig, later, 2000)


def storing(rig):
    """Where the inbox is; a new one for every start."""
    where = rig.path(f"state{rig.count}")
    shutil.rmtree(where, ignore_errors=True)
    os.mkdir(where)
    return {"auth": REGISTERED, "gateway": {"state_dir": where},
            "notify": {"offline": "store"}}


def take_all(rig, ws, marks):
    """Answers stored ones until they have come. One that an answer did not
    reach comes again."""
    while marks:
        prim = rig.delivered(ws)
        rig.say(ws, prim)
        marks.discard(con_of(prim))


@scenario(setup=storing)
def stored(rig):
    poa = away(rig)
    yield
    for i in range(2):
        rig.call(poa, sgn(str(i)))


@scenario(setup=storing)
def redelivery(rig):
    """Nothing that was accepted is lost, whatever fails now."""
    poa = away(rig)
    marks = {f"{rig.count}-{i}" for i in range(3)}
    for mark in sorted(marks):
        rig.call(poa, sgn(mark))
    yield
    try:
        take_all(rig, back(rig), marks)
    except (Lost, *ENDED):
        rig.shim.disarm()
        take_all(rig, back(rig), marks)


@scenario(setup=storing)
def register_in_a_file(rig):
    ws = rig.connect()
    yield
    rig.register(ws, "C")


# -- what a daemon does for the first time: it keeps buffers for the next

@scenario(alone=True, auth=REGISTERED)
def first_requests(rig):
    rig.start()
    yield
    ws = rig.connect()
    rig.register(ws, poa=["http://mine/"])
    rig.create(ws, "cse-in/x", 4, cin={"con": "x" * 5000})
    rig.ask(ws, 2, "cse-in/x", 2000, fc={"ty": [4], "lbl": ["a"]})
    rig.ask(ws, 3, "Ct", 2004, pc={"m2m:ae": {"poa": ["http://new/"]}})
    if ws.ask_text("{").get("rsc", 0) < 4000:
        raise AssertionError("not refused")
    rig.ask(ws, 4, "Ct", 2002)


@scenario(alone=True, auth=REGISTERED)
def first_delivery(rig):
    rig.start()
    ws, poa = rig.online()
    yield
    deliver(rig, ws, poa)


@scenario(alone=True, setup=storing)
def first_stored(rig):
    rig.start()
    poa = away(rig)
    yield
    rig.call(poa, sgn("1"))
    take_all(rig, back(rig), {"1"})


# -- the end

@scenario(alone=True, probe=lambda rig: None, auth=REGISTERED)
def drain(rig):
    """With sessions, a request at the CSE, and a delivery under way."""
    rig.start()
    ws, poa = rig.online()
    other = rig.connect()
    held = []
    rig.registrar.hook = lambda request: (
        held.append(request) or b"" if request.target == b"/held" else None)
    rqi = rig.send(other, 2, "held")
    later = Later(poa, sgn(), timeout=PATIENCE)
    prim = ws.recv_prim()
    eventually(lambda: held)
    yield
    rig.daemon.signal(signal.SIGTERM)
    rig.daemon.told = True
    rig.say(ws, prim)
    held[0].answer(2000)
    rsc_of(rig, later, 2000)
    rig.expect(other.recv_prim(), rqi, 2000)
