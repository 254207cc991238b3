"""What the embedded CSE asks of others: notifications, verifications, requests
for other CSEs. Once without a hop, once over its own HTTP."""

import itertools
import json
import os
import socket
import tempfile
import urllib.request

from fakecse import ok, response
from harness import Case, eventually, free_port, within

ALL = {"pv": {"acr": [{"acor": ["all"], "acop": 63}]},
       "pvs": {"acr": [{"acor": ["all"], "acop": 63}]}}


class Client:
    """An entity with a WebSocket; its answers may come in any order."""

    def __init__(self, case, daemon, fr):
        self.case = case
        self.fr = fr
        self.ws = case.connect(daemon)
        self.count = itertools.count(1)
        self.early = {}

    def send(self, op, to, **more):
        rqi = f"{self.fr.strip('/').replace('/', '-')}-{next(self.count)}"
        self.ws.send_prim(**{"op": op, "to": to, "fr": self.fr, "rvi": "3",
                             "rqi": rqi, **more})
        return rqi

    def answer(self, rqi):
        while rqi not in self.early:
            got = self.ws.recv_prim()
            self.early[got["rqi"]] = got
        return self.early.pop(rqi)

    def ask(self, op, to, rsc=None, **more):
        answer = self.answer(self.send(op, to, **more))
        if rsc is not None:
            self.case.assertEqual(answer["rsc"], rsc, answer)
        return answer.get("pc")

    def create(self, to, kind, ty, rsc=2001, **attributes):
        return self.ask(1, to, rsc, ty=ty, pc={f"m2m:{kind}": attributes})


def content(request):
    return json.loads(request.body)


class Notify(Case):
    seconds = 30
    backend = "store"

    def start(self, notify=None, **store):
        port = free_port()
        sections = {"gateway": {"backend": self.backend},
                    "store": {"path": ":memory:",
                              "http_listen": f"127.0.0.1:{port}", **store}}
        if notify:
            sections["notify"] = notify
        self.cse_url = f"http://127.0.0.1:{port}"
        self.server = self.daemon(self.cse_url, **sections)
        self.admin = Client(self, self.server, "CAdmin")
        self.admin.create("cse-in", "acp", 1, rn="all", **ALL)
        self.admin.create("cse-in", "cnt", 3, rn="box",
                          acpi=["cse-in/all"])
        return self.admin

    def receiver(self, handler=ok):
        return self.cse(handler)

    def register(self, name, **attributes):
        """An AE as a client of its own."""
        client = Client(self, self.server, "C" + name)
        client.create("cse-in", "ae", 2, rn=name, api="Nx",
                      **{"rr": True, "srv": ["3"], **attributes})
        return client

    def subscribe(self, client, to="cse-in/box", rsc=2001, **attributes):
        attributes.setdefault("enc", {"net": [3]})
        return client.create(to, "sub", 23, rsc, **attributes)

    def instance(self, n, to="cse-in/box"):
        return self.admin.create(to, "cin", 4, con=str(n))

    def sgns(self, server, count):
        """The first notifications that came, without verifications."""
        def all_sgn():
            return [content(r)["m2m:sgn"] for r in list(server.requests)
                    if "vrq" not in content(r).get("m2m:sgn", {"vrq": 1})]
        eventually(lambda: len(all_sgn()) >= count)
        got = all_sgn()
        self.assertEqual(len(got), count)
        return got


class Subscriptions(Notify):
    def test_url(self):
        self.start()
        target = self.receiver()
        sub = self.subscribe(self.admin, rn="s",
                             nu=[target.url + "/n/x?a=1&ct=json"])
        ri = sub["m2m:sub"]["ri"]
        vrq = target.requests[0]
        self.assertEqual((vrq.method, vrq.target), (b"POST", b"/n/x?a=1"))
        self.assertEqual(content(vrq)["m2m:sgn"]["vrq"], True)
        self.assertEqual(content(vrq)["m2m:sgn"]["sur"], f"/id-in/{ri}")
        self.instance(1)
        sgn, = self.sgns(target, 1)
        self.assertEqual(sgn["sur"], f"/id-in/{ri}")
        self.assertEqual(sgn["nev"]["net"], 3)
        self.assertEqual(sgn["nev"]["rep"]["m2m:cin"]["con"], "1")
        request = target.requests[1]
        self.assertEqual(request.header("X-M2M-Origin"), "/id-in")
        self.assertEqual(request.header("X-M2M-RVI"), "3")
        self.assertTrue(request.header("X-M2M-OT"))
        self.assertNotEqual(request.rqi, vrq.rqi)

    def test_ae(self):
        """By its points of access, the second where nobody is at the first."""
        self.start()
        target = self.receiver()
        dead = f"http://127.0.0.1:{free_port()}"
        self.register("sink", poa=[dead, target.url + "/in"])
        self.subscribe(self.admin, nu=["cse-in/sink"])
        self.instance(1)
        sgn, = self.sgns(target, 1)
        self.assertEqual(sgn["nev"]["rep"]["m2m:cin"]["con"], "1")
        for request in target.requests:
            self.assertTrue(request.target.startswith(b"/in/"))

    def verified(self, rsc):
        self.start(notify_timeout="300ms")
        target = self.receiver(
            lambda request: response(rsc, request.rqi) if rsc else None)
        got = self.subscribe(self.admin, rn="s", rsc=5204,
                             nu=[target.url + "/n"])
        self.assertIn(target.url + "/n: ", got["m2m:dbg"])
        self.assertEqual(len(target.requests), 1)
        self.admin.ask(2, "cse-in/box/s", 4004)
        return got["m2m:dbg"]

    def test_verification_refused(self):
        self.assertIn("4101", self.verified(4101))

    def test_verification_silent(self):
        self.assertIn("in time", self.verified(None))

    def test_verification_unreachable(self):
        self.start()
        got = self.subscribe(self.admin, rsc=5204, nu=[
            f"http://127.0.0.1:{free_port()}/n"])
        self.assertIn("cannot be reached", got["m2m:dbg"])

    def test_verification_of_no_use(self):
        self.start()
        for url in "https://127.0.0.1/n", "http://u:p@127.0.0.1/n":
            got = self.subscribe(self.admin, rsc=5204, nu=[url])
            self.assertIn(url, got["m2m:dbg"])

    def test_pending_verification(self):
        """Its answer depends on what comes over the same WebSocket."""
        self.start()
        target = self.receiver(None)
        rqi = self.admin.send(1, "cse-in/box", ty=23, pc={"m2m:sub": {
            "rn": "s", "nu": [target.url + "/n"], "enc": {"net": [3]}}})
        vrq = target.next()
        self.admin.ask(2, "cse-in/box", 2000)
        self.instance(1)
        vrq.answer(2000)
        self.assertEqual(self.admin.answer(rqi)["rsc"], 2001)

    @within(60)
    def test_order(self):
        self.start()
        target = self.receiver()
        self.subscribe(self.admin, nu=[target.url + "/n"])
        asked = [self.admin.send(1, "cse-in/box", ty=4,
                                 pc={"m2m:cin": {"con": str(n)}})
                 for n in range(500)]
        for rqi in asked:
            self.assertEqual(self.admin.answer(rqi)["rsc"], 2001)
        got = [sgn["nev"]["rep"]["m2m:cin"]["con"]
               for sgn in self.sgns(target, 500)]
        instances = self.admin.ask(2, "cse-in/box", 2000, rcn=8)
        self.assertEqual(got, [cin["con"] for cin in
                               instances["m2m:cnt"]["m2m:cin"]])

    def test_batch(self):
        self.start()
        target = self.receiver()
        self.subscribe(self.admin, nu=[target.url + "/n"],
                       bn={"num": 3, "dur": "PT1M"})
        for n in range(6):
            self.instance(n)
        eventually(lambda: len(target.requests) >= 3)
        batches = [content(r)["m2m:agn"]["m2m:sgn"]
                   for r in target.requests[1:]]
        self.assertEqual([len(b) for b in batches], [3, 3])
        self.assertEqual([sgn["nev"]["rep"]["m2m:cin"]["con"]
                          for b in batches for sgn in b],
                         [str(n) for n in range(6)])

    def test_end(self):
        """su hears that it is over, whether deleted or used up."""
        self.start()
        target, last = self.receiver(), self.receiver()
        self.subscribe(self.admin, rn="s", nu=[target.url + "/n"],
                       su=last.url + "/end", exc=2)
        for n in range(3):
            self.instance(n)
        self.assertEqual(len(self.sgns(target, 2)), 2)
        self.admin.ask(2, "cse-in/box/s", 4004)
        self.subscribe(self.admin, rn="t", nu=[target.url + "/n"],
                       su=last.url + "/end")
        self.admin.ask(4, "cse-in/box/t", 2002)
        for sgn in self.sgns(last, 2):
            self.assertTrue(sgn["sud"])

    def test_target_gone(self):
        """Nobody else waits for one that is not there."""
        self.start()
        gone, there = self.receiver(), self.receiver()
        self.subscribe(self.admin, nu=[gone.url + "/n"])
        self.subscribe(self.admin, nu=[there.url + "/n"])
        gone.close()
        for n in range(5):
            self.instance(n)
        self.sgns(there, 5)
        self.assertTrue(eventually(lambda: "notification_failed" in
                                   self.server.log_text()))

    def test_drain(self):
        """What was committed is delivered before the end."""
        self.start()
        target = self.receiver(None)
        rqi = self.admin.send(1, "cse-in/box", ty=23, pc={"m2m:sub": {
            "nu": [target.url + "/n"], "enc": {"net": [3]}}})
        target.next().answer(2000)
        self.admin.answer(rqi)
        for n in range(3):
            self.instance(n)
        first = target.next()
        self.server.signal()
        self.admin.ws.drop()
        first.answer(2000)
        for _ in range(2):
            target.next().answer(2000)
        self.assertEqual(self.server.wait(5), 0)
        self.assertIn("event=delivery_end delivered=3",
                      self.server.log_text())


class SameSocket(Notify):
    """What the CSE asks comes down the WebSocket whose request waits."""

    def hear(self, until):
        """Primitives up to the answer to `until`, requests answered."""
        heard = []
        while True:
            prim = self.ws.recv_prim()
            if "rsc" in prim:
                self.assertEqual(prim["rqi"], until)
                return prim, heard
            heard.append(prim["pc"]["m2m:sgn"])
            self.ws.send_prim(rsc=2000, rqi=prim["rqi"], rvi="3")

    def ask(self, fr, op, to, rsc, **more):
        self.count = getattr(self, "count", 0) + 1
        self.ws.send_prim(op=op, to=to, fr=fr, rvi="3",
                          rqi=f"s{self.count}", **more)
        answer, heard = self.hear(f"s{self.count}")
        self.assertEqual(answer["rsc"], rsc, answer)
        return heard

    def test_verification(self):
        self.start(notify={"listen": f"127.0.0.1:{free_port()}"})
        self.ws = self.connect(self.server)
        for name in "one", "two":
            self.ask("C" + name, 1, "cse-in", 2001, ty=2, pc={"m2m:ae": {
                "rn": name, "api": "Nx", "rr": True, "srv": ["3"]}})
        self.ask("Cone", 1, "cse-in/one", 2001, ty=3,
                 pc={"m2m:cnt": {"rn": "box"}})
        heard = self.ask("Cone", 1, "cse-in/one/box", 2001, ty=23, pc={
            "m2m:sub": {"nu": ["cse-in/two"], "enc": {"net": [3]}}})
        self.assertEqual([sgn["vrq"] for sgn in heard], [True])
        heard = self.ask("Cone", 1, "cse-in/one/box", 2001, ty=4,
                         pc={"m2m:cin": {"con": "1"}})
        if not heard:       # it may come after the answer as well
            prim = self.ws.recv_prim()
            self.ws.send_prim(rsc=2000, rqi=prim["rqi"], rvi="3")
            heard.append(prim["pc"]["m2m:sgn"])
        self.assertEqual([sgn["nev"]["net"] for sgn in heard], [3])

    def test_blocking_update(self):
        self.start(notify={"listen": f"127.0.0.1:{free_port()}"})
        self.ws = self.connect(self.server)
        self.ask("Cone", 1, "cse-in", 2001, ty=2, pc={"m2m:ae": {
            "rn": "one", "api": "Nx", "rr": True, "srv": ["3"]}})
        self.ask("Cone", 1, "cse-in/box", 2001, ty=23, pc={"m2m:sub": {
            "nu": ["cse-in/one"], "enc": {"net": [7]}}})
        heard = self.ask("CAdmin", 3, "cse-in/box", 2004, pc={
            "m2m:cnt": {"lbl": ["new"]}})
        self.assertEqual([sgn["nev"]["net"] for sgn in heard], [7])


class BlockingUpdate(Notify):
    def update(self, rsc, answer):
        self.start(notify_timeout="300ms")
        target = self.receiver(
            lambda request: ok(request) if b"vrq" in request.body else
            (response(answer, request.rqi) if answer else None))
        sink = self.register("sink", poa=[target.url])
        self.subscribe(sink, nu=["cse-in/sink"], enc={"net": [7]})
        if answer == 0:
            target.close()
        other = self.register("other")
        got = other.ask(3, "cse-in/box", rsc,
                        pc={"m2m:cnt": {"lbl": ["new"]}})
        box = self.admin.ask(2, "cse-in/box", 2000)["m2m:cnt"]
        self.assertEqual(box.get("lbl"), ["new"] if rsc == 2004 else None)
        if answer != 0:
            sgn = content(target.requests[-1])["m2m:sgn"]
            self.assertEqual(sgn["nev"]["net"], 7)
        return got

    def test_accepted(self):
        self.update(2004, 2000)

    def test_denied(self):
        self.assertIn("4005", self.update(4127, 4005)["m2m:dbg"])

    def test_silent(self):
        self.update(5107, None)

    def test_unreachable(self):
        self.update(5107, 0)


class Bounds(Notify):
    def test_connections(self):
        self.start(max_connections=2)
        host, _, port = self.cse_url.removeprefix("http://").partition(":")
        conns = [socket.create_connection((host, int(port)), 10)
                 for _ in range(3)]
        self.assertEqual(conns[2].recv(1), b"")
        for conn in conns:
            conn.close()

        def served():
            try:
                return urllib.request.urlopen(urllib.request.Request(
                    self.cse_url + "/cse-in", headers={
                        "X-M2M-Origin": "CAdmin", "X-M2M-RI": "1",
                        "X-M2M-RVI": "3"}), timeout=10).status
            except OSError:
                return None
        self.assertEqual(eventually(served), 200)
        self.admin.ws.drop()
        self.end_process(self.server)
        self.assertRegex(self.server.log_text(),
                         "event=delivery_end .* refused_connections=[1-9]")


    def test_servers(self):
        """Those that never answer take no place from one that does."""
        self.start(notify_servers=4, notify_timeout="60s")

        def agree(request):
            if content(request)["m2m:sgn"].get("vrq"):
                return ok(request)
        silent = [self.receiver(agree) for _ in range(8)]
        good = self.receiver()
        for server in silent + [good]:
            self.subscribe(self.admin, nu=[server.url + "/n"])
        for n in range(3):
            self.instance(n)
        self.assertEqual([sgn["nev"]["rep"]["m2m:cin"]["con"]
                          for sgn in self.sgns(good, 3)], ["0", "1", "2"])
        self.assertTrue(eventually(
            lambda: "others are waited for" in self.server.log_text()))
        for server in silent:
            server.close()
        self.admin.ws.drop()
        self.end_process(self.server)
        self.assertRegex(self.server.log_text(),
                         "event=delivery_end .* displaced=[1-9]")


class OtherCse(Notify):
    """A <remoteCSE>, served by an HTTP server."""

    def play(self, request):
        rsc = {b"GET": 2000, b"PUT": 2004, b"DELETE": 2002}.get(
            request.method)
        if rsc is None:
            ty = ";ty=" in request.header("Content-Type")
            rsc = 2001 if ty else 2000
        body = json.dumps({"m2m:cnt": {"rn": "x"}}).encode()
        return response(rsc, request.rqi, body if rsc == 2000 and
                        request.method == b"GET" else b"")

    def join(self, server):
        self.start(notify_timeout="300ms")
        mn = Client(self, self.server, "/mn-cse7")
        mn.create("cse-in", "csr", 16, rn="mn7", csi="/mn-cse7",
                  cb="/mn-cse7/cb", rr=True, srv=["3"],
                  poa=[server.url + "/base/"])
        return self.register("app")

    def test_operations(self):
        mn = self.receiver(self.play)
        app = self.join(mn)
        app.create("/mn-cse7/cb", "cnt", 3)
        got = app.ask(2, "/mn-cse7/cb/x", 2000, rcn=4)
        self.assertEqual(got, {"m2m:cnt": {"rn": "x"}})
        app.ask(3, "/mn-cse7/cb/x", 2004, pc={"m2m:cnt": {"lbl": ["a"]}})
        app.ask(5, "/mn-cse7/Cx", 2000, pc={"m2m:sgn": {"nev": {}}})
        app.ask(4, "/mn-cse7/cb/x", 2002)
        self.assertEqual(
            [(r.method, r.target) for r in mn.requests],
            [(b"POST", b"/base/~/mn-cse7/cb"),
             (b"GET", b"/base/~/mn-cse7/cb/x?rcn=4"),
             (b"PUT", b"/base/~/mn-cse7/cb/x"),
             (b"POST", b"/base/~/mn-cse7/Cx"),
             (b"DELETE", b"/base/~/mn-cse7/cb/x")])
        for request in mn.requests:
            self.assertEqual(request.header("X-M2M-Origin"), "/id-in/Capp")

    def test_error_passes(self):
        mn = self.receiver(lambda r: response(4103, r.rqi,
                                              b'{"m2m:dbg":"no"}'))
        app = self.join(mn)
        self.assertEqual(app.ask(2, "/mn-cse7/cb", 4103),
                         {"m2m:dbg": "no"})

    def test_unreachable(self):
        mn = self.receiver(self.play)
        app = self.join(mn)
        mn.close()
        app.ask(2, "/mn-cse7/cb", 5103)

    def test_silent(self):
        app = self.join(self.receiver(None))
        app.ask(2, "/mn-cse7/cb", 4008)

    def test_unknown(self):
        app = self.join(self.receiver(self.play))
        app.ask(2, "/other/cb", 4004)

    def test_loop(self):
        """A <remoteCSE> that is ourselves: what is for it comes to an end."""
        self.start(notify_timeout="300ms")
        loop = Client(self, self.server, "/mn-loop")
        loop.create("cse-in", "csr", 16, rn="loop", csi="/mn-loop",
                    cb="/mn-loop/cb", rr=True, srv=["3"],
                    poa=[self.cse_url])
        app = self.register("app")
        files = f"/proc/{self.server.popen.pid}/fd"
        before = len(os.listdir(files))
        rqi = app.send(2, "/mn-loop/cb")
        self.assertTrue(eventually(lambda: len(os.listdir(files)) >
                                   before + 10))
        self.assertIn(app.answer(rqi)["rsc"], (4008, 5103))
        # connections are kept a while
        self.assertTrue(eventually(lambda: len(os.listdir(files)) <
                                   before + 10, 15))

    def test_subscription_there(self):
        """A target that another CSE has."""
        mn = self.receiver(self.play)
        app = self.join(mn)
        self.subscribe(self.admin, nu=["/mn-cse7/Cy"])
        self.instance(1)
        self.sgns(mn, 1)
        self.assertEqual({r.target for r in mn.requests},
                         {b"/base/~/mn-cse7/Cy"})
        del app


class NonBlocking(Notify):
    def test_synch(self):
        self.start()
        where = self.admin.ask(2, "cse-in/box", 1001,
                               rt={"rtv": 1})["m2m:uri"]
        req = self.admin.ask(2, where, 2000)["m2m:req"]
        self.assertEqual(req["ors"]["rsc"], 2000)
        self.assertEqual(req["ors"]["pc"]["m2m:cnt"]["rn"], "box")

    def test_asynch(self):
        self.start()
        target = self.receiver()
        rqi = self.admin.send(2, "cse-in/box", rt={
            "rtv": 2, "nu": [target.url + "/r"]})
        self.assertEqual(self.admin.answer(rqi)["rsc"], 1002)
        eventually(lambda: target.requests)
        rsp = content(target.requests[0])["m2m:rsp"]
        self.assertEqual((rsp["rsc"], rsp["rqi"]), (2000, rqi))
        self.assertEqual(rsp["pc"]["m2m:cnt"]["rn"], "box")

    def test_asynch_subscription(self):
        """It is acknowledged once its target has agreed."""
        self.start()
        target, results = self.receiver(None), self.receiver()
        rqi = self.admin.send(1, "cse-in/box", ty=23, rt={
            "rtv": 2, "nu": [results.url + "/r"]}, pc={"m2m:sub": {
                "nu": [target.url + "/n"], "enc": {"net": [3]}}})
        target.next().answer(2000)
        self.assertEqual(self.admin.answer(rqi)["rsc"], 1002)
        eventually(lambda: results.requests)
        rsp = content(results.requests[0])["m2m:rsp"]
        self.assertEqual((rsp["rsc"], rsp["rqi"]), (2001, rqi))


class Restart(Notify):
    def test_subscriptions_stay(self):
        with tempfile.TemporaryDirectory(prefix="m2mwsd-") as where:
            path = os.path.join(where, "cse.db")
            target = self.receiver()
            self.start(path=path)
            self.subscribe(self.admin, nu=[target.url + "/n"])
            self.admin.ws.drop()
            self.end_process(self.server)
            port = free_port()
            self.server = self.daemon(
                f"http://127.0.0.1:{port}",
                gateway={"backend": self.backend},
                store={"path": path, "http_listen": f"127.0.0.1:{port}"})
            self.admin = Client(self, self.server, "CAdmin")
            self.instance(1)
            self.sgns(target, 1)


def fronted(cls):
    """The same over the CSE's own HTTP."""
    return type("Fronted" + cls.__name__, (cls,),
                {"backend": "http", "__module__": cls.__module__})


for each in (Subscriptions, SameSocket, BlockingUpdate, OtherCse, NonBlocking,
             Restart):
    globals()["Fronted" + each.__name__] = fronted(each)
del each
