"""The embedded CSE."""

import http.client
import itertools
import json

from fakecse import response
from harness import free_port
from rig import PATIENCE, SHORT, Answered, Lost, scenario

names = itertools.count()


def memory(rig, path=":memory:"):
    rig.mca = f"127.0.0.1:{free_port()}"
    return {"gateway": {"backend": "store"},
            "store": {"path": path, "http_listen": rig.mca}}


def file(rig):
    return memory(rig, rig.path(f"cse{next(names)}.db"))


def fronted(rig):
    own = memory(rig)
    own.pop("gateway")
    return {**own, "upstream": {"url": f"http://{rig.mca}"}}


def next_reads(rig):
    rig.ask(rig.connect(), 2, "cse-in", 2000, "CAdmin")


def store(setup=memory, **more):
    return scenario(setup=setup, probe=next_reads, **more)


def name():
    return f"n{next(names)}"


def box(rig, **attributes):
    """An administrator's client, and a container that is new."""
    ws = rig.connect()
    rn = name()
    rig.create(ws, "cse-in", 3, "CAdmin", cnt={"rn": rn, **attributes})
    return ws, f"cse-in/{rn}"


@store()
def store_create(rig):
    ws, cnt = box(rig)
    yield
    rig.create(ws, cnt, 4, "CAdmin", cin={"con": "1", "lbl": ["a", "b"]})


@store(setup=file)
def store_create_in_a_file(rig):
    ws, cnt = box(rig)
    yield
    rig.create(ws, cnt, 4, "CAdmin", cin={"con": "x" * 5000})


@store(alone=True)
def store_first_requests(rig):
    """Nothing is prepared or remembered yet."""
    rig.start()
    yield
    ws, cnt = box(rig, lbl=["a"])
    rig.create(ws, cnt, 4, "CAdmin", cin={"con": "1"})
    rig.ask(ws, 2, cnt, 2000, "CAdmin", rcn=4)
    rig.ask(ws, 2, "cse-in", 2000, "CAdmin", fc={"fu": 1, "lbl": ["a"]})


@store()
def store_register(rig):
    ws = rig.connect()
    yield
    rig.register(ws, "C", rn=name(), lbl=["x"], poa=["http://a/"])


@store()
def store_oldest_goes(rig):
    ws, cnt = box(rig, mni=2)
    for i in range(2):
        rig.create(ws, cnt, 4, "CAdmin", cin={"con": str(i)})
    yield
    rig.create(ws, cnt, 4, "CAdmin", cin={"con": "3"})
    rig.ask(ws, 2, cnt + "/la", 2000, "CAdmin")
    rig.ask(ws, 2, cnt + "/ol", 2000, "CAdmin")


@store()
def store_update_and_delete(rig):
    ws, cnt = box(rig, lbl=["a"])
    rig.create(ws, cnt, 3, "CAdmin", cnt={"rn": "inner"})
    yield
    rig.ask(ws, 3, cnt, 2004, "CAdmin", rcn=9,
            pc={"m2m:cnt": {"lbl": ["b"], "mni": 3}})
    rig.ask(ws, 4, cnt, 2002, "CAdmin")


@store()
def store_retrieve_children(rig):
    ws, cnt = box(rig)
    for i in range(5):
        rig.create(ws, cnt, 4, "CAdmin", cin={"con": str(i)})
    yield
    for rcn in 4, 5, 8:
        rig.ask(ws, 2, cnt, 2000, "CAdmin", rcn=rcn)


@store()
def store_discovery(rig):
    ws, cnt = box(rig)
    for i in range(5):
        rig.create(ws, cnt, 4, "CAdmin", cin={"con": str(i),
                                              "lbl": [f"unit:{i % 2}"]})
    yield
    found = rig.ask(ws, 2, cnt, 2000, "CAdmin",
                    fc={"fu": 1, "lbl": ["unit:*"], "ty": [4], "lim": 3})
    for path in found["m2m:uril"]:
        if not path.startswith(cnt + "/") or path.count("/") != 2:
            raise AssertionError(f"not asked for: {path!r}")


@store()
def store_access_denied(rig):
    """By a policy, which is evaluated."""
    ws, _ = box(rig)
    acp = name()
    rig.create(ws, "cse-in", 1, "CAdmin", acp={
        "rn": acp, "pv": {"acr": [{"acor": ["CAdmin", "/mn/*"], "acop": 2}]},
        "pvs": {"acr": [{"acor": ["CAdmin"], "acop": 63}]}})
    rn = name()
    rig.create(ws, "cse-in", 3, "CAdmin", cnt={
        "rn": rn, "acpi": [f"cse-in/{acp}"]})
    foe = name()
    rig.register(ws, "C" + foe, rn=foe)
    yield
    if ws.ask(op=3, to=f"cse-in/{rn}", fr="C" + foe, rqi="1", rvi="3",
              pc={"m2m:cnt": {"mni": 1}})["rsc"] < 4000:
        raise AssertionError("not denied")
    rig.ask(ws, 4, "cse-in/" + acp, 2002, "CAdmin")


def notified(rig):
    """Takes the next notification that has come to the fake CSE."""
    try:
        return rig.notes.next(SHORT)
    except AssertionError:
        raise Lost from None


def receiver(rig):
    """The fake CSE keeps what it is told, and agrees."""
    while not rig.fake.quiet():
        rig.fake.next(0)
    rig.notes = rig.fake
    rig.registrar.hook = None
    rig.fake.handler = lambda request: (
        request.answer(2000) or rig.fake.waiting.put(request) or b"")
    return rig.fake.url + "/n"


@store()
def store_subscription(rig):
    """Its target is asked first."""
    url = receiver(rig)
    ws, cnt = box(rig)
    yield
    rig.create(ws, cnt, 23, "CAdmin", sub={"nu": [url], "enc": {"net": [3]}})
    notified(rig)


@store()
def store_notification(rig):
    url = receiver(rig)
    ws, cnt = box(rig)
    rig.create(ws, cnt, 23, "CAdmin", sub={"nu": [url], "enc": {"net": [3]}})
    rig.notes.next()
    yield
    rig.create(ws, cnt, 4, "CAdmin", cin={"con": "1"})
    notified(rig)


@store()
def store_notification_batch(rig):
    url = receiver(rig)
    ws, cnt = box(rig)
    rig.create(ws, cnt, 23, "CAdmin", sub={
        "nu": [url], "enc": {"net": [3]}, "bn": {"num": 2, "dur": "PT1S"}})
    rig.notes.next()
    yield
    for i in range(2):
        rig.create(ws, cnt, 4, "CAdmin", cin={"con": str(i)})
    notified(rig)


@store()
def store_subscription_ends(rig):
    url = receiver(rig)
    ws, cnt = box(rig)
    rig.create(ws, cnt, 23, "CAdmin", sub={"rn": "s", "nu": [url], "su": url})
    rig.notes.next()
    yield
    rig.ask(ws, 4, cnt, 2002, "CAdmin")
    notified(rig)


@store()
def store_blocking_update(rig):
    url = receiver(rig)
    ws, cnt = box(rig)
    rn = name()
    rig.register(ws, "C" + rn, rn=rn, poa=[url])
    rig.create(ws, cnt, 23, "CAdmin", sub={
        "nu": [f"cse-in/{rn}"], "enc": {"net": [7]}})
    rig.notes.next()
    yield
    rig.ask(ws, 3, cnt, 2004, "CAdmin", pc={"m2m:cnt": {"lbl": ["a"]}})


@store(limits={"max_queue": "1m"})
def store_notification_by_websocket(rig):
    """To an AE that is connected here."""
    ws, cnt = box(rig)
    ae = rig.connect()
    rn = name()
    rig.register(ae, "C" + rn, rn=rn)
    rqi = rig.send(ws, 1, cnt, "CAdmin", ty=23, pc={"m2m:sub": {
        "nu": [f"cse-in/{rn}"], "enc": {"net": [3]}}})
    rig.say(ae, ae.recv_prim())
    rig.expect(ws.recv_prim(), rqi, 2001)
    yield
    rig.create(ws, cnt, 4, "CAdmin", cin={"con": "1"})
    rig.say(ae, rig.delivered(ae))


@store()
def store_group(rig):
    ws = rig.connect()
    cnts = [box(rig)[1] for _ in range(3)]
    rn = name()
    yield
    rig.create(ws, "cse-in", 9, "CAdmin", grp={
        "rn": rn, "mt": 3, "mnm": 5, "mid": cnts})
    rig.ask(ws, 1, f"cse-in/{rn}/fopt", 2000, "CAdmin", ty=4,
            pc={"m2m:cin": {"con": "1"}})


@store()
def store_polling(rig):
    ws = rig.connect()
    rn = name()
    fr = "C" + rn
    rig.register(ws, fr, rn=rn, rr=False)
    rig.create(ws, f"cse-in/{rn}", 3, fr, cnt={"rn": "box"})
    yield
    rig.create(ws, f"cse-in/{rn}", 15, fr, pch={"rn": "pch"})
    pcu = f"cse-in/{rn}/pch/pcu"
    rig.create(ws, f"cse-in/{rn}/box", 23, fr, sub={
        "nu": [f"cse-in/{rn}"], "enc": {"net": [3]}})
    rig.create(ws, f"cse-in/{rn}/box", 4, fr, cin={"con": "1"})
    rqp = rig.ask(ws, 2, pcu, 2000, fr, rqet="1000")["m2m:rqp"]
    rig.ask(ws, 5, pcu, 2000, fr, pc={"m2m:rsp": {
        "rsc": 2000, "rqi": rqp["rqi"], "rvi": "3"}})


@store()
def store_poll_in_vain(rig):
    ws = rig.connect()
    rn = name()
    fr = "C" + rn
    rig.register(ws, fr, rn=rn, rr=False)
    rig.create(ws, f"cse-in/{rn}", 15, fr, pch={"rn": "pch"})
    yield
    if ws.ask(op=2, to=f"cse-in/{rn}/pch/pcu", fr=fr, rqi="1", rvi="3",
              rqet="50")["rsc"] < 4000:
        raise AssertionError("something came")


@store()
def store_non_blocking(rig):
    ws, cnt = box(rig)
    yield
    where = rig.ask(ws, 2, cnt, 1001, "CAdmin", rt={"rtv": 1})["m2m:uri"]
    rig.ask(ws, 2, where, 2000, "CAdmin")


@store()
def store_non_blocking_asynch(rig):
    url = receiver(rig)
    ws, cnt = box(rig)
    yield
    rig.ask(ws, 2, cnt, 1002, "CAdmin", rt={"rtv": 2, "nu": [url]})
    notified(rig)


@store()
def store_other_cse(rig):
    """A request that is for a <remoteCSE>."""
    body = json.dumps({"m2m:cnt": {"rn": "x"}}).encode()
    rig.fake.handler = lambda request: response(2000, request.rqi, body)
    ws = rig.connect()
    if not getattr(rig, "joined", None) is rig.daemon:
        rig.create(ws, "cse-in", 16, "/mn-cse7", csr={
            "rn": "mn7", "csi": "/mn-cse7", "cb": "/mn-cse7/cb", "rr": True,
            "srv": ["3"], "poa": [rig.fake.url + "/base/"]})
        rig.joined = rig.daemon
    yield
    rig.ask(ws, 2, "/mn-cse7/cb/x", 2000, "CAdmin")


def mca(rig, method, path, want, body=None, ty=None):
    conn = http.client.HTTPConnection(rig.mca, timeout=PATIENCE)
    fields = {"X-M2M-Origin": "CAdmin", "X-M2M-RI": "1", "X-M2M-RVI": "3"}
    if body is not None:
        body = json.dumps(body)
        fields["Content-Type"] = f"application/json;ty={ty}"
    try:
        conn.request(method, path, body, fields)
        got = conn.getresponse()
        got.read()
    finally:
        conn.close()
    if got.status >= 400 and got.status != want:
        raise Answered(got.status)
    if got.status != want:
        raise AssertionError(got.status)


@store()
def store_over_http(rig):
    _, cnt = box(rig)
    yield
    mca(rig, "POST", "/" + cnt, 201, {"m2m:cin": {"con": "x" * 20000}}, 4)
    mca(rig, "GET", "/" + cnt + "?rcn=4", 200)
    mca(rig, "GET", "/nowhere", 404)


@store(setup=fronted)
def store_fronted(rig):
    """Gateway, HTTP, embedded CSE: all in one process."""
    ws, cnt = box(rig)
    yield
    rig.create(ws, cnt, 4, "CAdmin", cin={"con": "1"})
