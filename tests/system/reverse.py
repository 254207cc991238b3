"""What tests of the reverse channel share: a CSE that registers entities and
remembers their points of access, and its way back to the gateway."""

import http.client
import json
import re
import threading

from fakecse import response
from harness import Case, free_port
from wsclient import WebSocket, cbor2

CSE_ID = "/id-in"


def encode(value, media="application/json"):
    if isinstance(value, bytes):
        return value
    if media.endswith("cbor"):
        return cbor2.dumps(value)
    return json.dumps(value).encode()


def decode(data, media):
    return cbor2.loads(data) if "cbor" in media else json.loads(data)


def media_of(request):
    return (request.header("Content-Type") or "").partition(";")[0]


def content_of(request):
    return decode(request.body, request.header("Content-Type"))


class Registrar:
    """Handler of a FakeCse: AEs and remoteCSEs are created, anything else is
    done. `poa` holds what each got, by its id."""

    def __init__(self):
        self.poa = {}
        self.bodies = {}
        self.count = 0
        self.hook = None    # hook(request) -> bytes, or None: go on
        self.media = "application/json"     # of what it creates

    def __call__(self, request):
        said = self.hook(request) if self.hook else None
        if said is not None:
            return said
        ty = re.search(r"ty=(\d+)", request.header("Content-Type") or "")
        ty = int(ty[1]) if ty else 0
        body = content_of(request) if request.body else {}
        if request.method == b"POST" and ty in (2, 16):
            return self.register(request, ty, body)
        if request.method == b"PUT":
            return response(2004, request.rqi, request.body,
                            media=media_of(request))
        if request.method == b"DELETE":
            return response(2002, request.rqi)
        if request.method == b"POST" and ty:
            return response(2001, request.rqi, request.body, status=201,
                            media=media_of(request))
        return response(2000, request.rqi)

    def register(self, request, ty, body):
        name = "m2m:ae" if ty == 2 else "m2m:csr"
        fr = request.header("X-M2M-Origin") or ""
        made = dict(body[name])
        if ty == 2:
            self.count += 1
            me = fr if len(fr) > 1 else f"Cgiven{self.count}"
            made.update(aei=me, ri=me)
        else:
            me = fr
            made.update(csi=me, ri=me.lstrip("/"))
        made.setdefault("rn", f"name{self.count}")
        self.poa[me] = made.get("poa")
        self.bodies[me] = request.body
        return response(2001, request.rqi, encode({name: made}, self.media),
                        status=201, media=self.media)


class Answer:
    def __init__(self, got):
        self.status = got.status
        self.headers = {k.lower(): v for k, v in got.getheaders()}
        self.body = got.read()
        self.rsc = int(self.headers.get("x-m2m-rsc", 0))

    @property
    def media(self):
        return self.headers.get("content-type")

    @property
    def pc(self):
        return decode(self.body, self.media)


def connection(authority, timeout, tls):
    """tls: an SSLContext, or None."""
    if tls is None:
        return http.client.HTTPConnection(authority, timeout=timeout)
    return http.client.HTTPSConnection(authority, timeout=timeout,
                                       context=tls)


def call(url, body=None, method="POST", to="", rqi="n1", fr=CSE_ID, rvi="3",
         timeout=15, media="application/json", tls=None, **headers):
    """A request of the CSE to a point of access; waits for its answer."""
    scheme = "http://" if tls is None else "https://"
    authority, _, path = url.removeprefix(scheme).partition("/")
    conn = connection(authority, timeout, tls)
    fields = {"X-M2M-Origin": fr, "X-M2M-RI": rqi, "X-M2M-RVI": rvi}
    fields = {k: v for k, v in fields.items() if v is not None}
    if body is not None:
        fields["Content-Type"] = media
        body = encode(body, media)
    fields.update({k.replace("_", "-"): v for k, v in headers.items()})
    try:
        conn.request(method, "/" + path + to, body, fields)
        return Answer(conn.getresponse())
    finally:
        conn.close()


class Later(threading.Thread):
    """The same in a thread; result() waits."""

    def __init__(self, *args, **how):
        super().__init__(daemon=True)
        self.work, self.got, self.error = (args, how), None, None
        self.start()

    def run(self):
        try:
            self.got = call(*self.work[0], **self.work[1])
        except Exception as e:  # given to whoever asks for the result
            self.error = e

    def result(self, seconds=20):
        self.join(seconds)
        if self.error:
            raise self.error
        if self.got is None:
            raise AssertionError("no answer to the CSE's request")
        return self.got


def sgn(con="1", sur="/id-in/sub1", **more):
    return {"m2m:sgn": dict({"nev": {"rep": {"m2m:cin": {"con": con}},
                                     "net": 3}, "sur": sur}, **more)}


def con_of(prim):
    return prim["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"]


class ReverseCase(Case):
    """setUp() gives a registrar and nothing else; gateway() starts a daemon
    in front of it."""

    def setUp(self):
        self.registrar = Registrar()
        self.fake = self.cse(self.registrar)

    def gateway(self, cse=None, **options):
        options.setdefault("auth", {}).setdefault("mode", "registered")
        options.setdefault("notify", {})
        options["notify"].setdefault("listen", f"127.0.0.1:{free_port()}")
        options.setdefault("upstream", {}).setdefault("cse_id", CSE_ID)
        daemon = self.daemon(cse or self.fake, **options)
        daemon.notify_url = "http://" + options["notify"]["listen"] + "/"
        return daemon

    def register(self, ws, fr="Cmeter7", **members):
        ae = dict({"api": "N1", "rr": True, "srv": ["3"]}, **members)
        answer = ws.ask(op=1, to="cse-in", fr=fr, rqi="reg", rvi="3", ty=2,
                        pc={"m2m:ae": ae})
        self.assertEqual(answer["rsc"], 2001, answer)
        return answer["pc"]["m2m:ae"]

    def register_cse(self, ws, fr="/mn-cse7", **members):
        csr = dict({"cb": "/mn-cse7/mn", "rr": True, "srv": ["3"]}, **members)
        answer = ws.ask(op=1, to="cse-in", fr=fr, rqi="reg", rvi="3", ty=16,
                        pc={"m2m:csr": csr})
        self.assertEqual(answer["rsc"], 2001, answer)
        return answer["pc"]["m2m:csr"]

    def online(self, daemon, fr="Cmeter7", kind=WebSocket, **members):
        """A client that has registered, and its point of access."""
        ws = self.connect(daemon, kind=kind)
        self.register(ws, fr, **members)
        return ws, self.registrar.poa[fr][0]

    def back(self, daemon, fr="Cmeter7", kind=WebSocket):
        """A client that has registered before."""
        ws = self.connect(daemon, kind=kind)
        answer = ws.ask(op=2, to=fr, fr=fr, rqi="back", rvi="3")
        self.assertEqual(answer["rsc"], 2000, answer)
        return ws

    def answer(self, ws, prim, rsc=2000, **members):
        ws.send_prim(rsc=rsc, rqi=prim["rqi"], rvi="3", **members)
