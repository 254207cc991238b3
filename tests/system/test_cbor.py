"""CBOR beside JSON: what passes untouched, what is transcoded, what cannot be.
The clients use Python's cbor2."""

import http.client
import json

from fakecse import response
from harness import Case, eventually, free_port
from reverse import (Later, ReverseCase, call, con_of, content_of, encode,
                     sgn)
from wsclient import BINARY, TEXT, CborSocket, WebSocket, cbor2

CBOR = "application/cbor"
JSON = "application/json"
HUGE = 2 ** 70

# {"m2m:cin": {"con": "5", "cs": 1}}, as nobody writes it who has a choice
ODD_CIN = bytes.fromhex("bf 7f 64 6d326d3a 63 63696e ff a2 43 636f6e 41 35 "
                        "62 6373 1b0000000000000001 ff".replace(" ", ""))


def create(pc, **more):
    return dict({"op": 1, "to": "cse-in/a", "fr": "Ca", "rqi": "1",
                 "rvi": "3", "ty": 4, "pc": pc}, **more)


class Negotiation(Case):
    def test_first_of_the_client(self):
        daemon = self.daemon(self.cse())
        for offers, taken in (
                ("oneM2M.cbor, oneM2M.json", "oneM2M.cbor"),
                ("oneM2M.json, oneM2M.cbor", "oneM2M.json"),
                ("mqtt, onem2m.r2.0.CBOR, oneM2M.cbor", "onem2m.r2.0.CBOR"),
                ("oneM2M.R2.0.json,oneM2M.R2.0.cbor", "oneM2M.R2.0.json")):
            ws = self.connect(daemon, subprotocol=offers)
            self.assertEqual(ws.subprotocol, taken, offers)

    def test_default(self):
        daemon = self.daemon(self.cse(), listener={
            "default_subprotocol": "oneM2M.cbor"})
        ws = self.connect(daemon, CborSocket, subprotocol=None)
        self.assertIsNone(ws.subprotocol)
        self.assertEqual(ws.ask(op=9, rqi="x")["rsc"], 4000)


class Client(Case):
    """A client that speaks CBOR before a CSE that speaks JSON."""

    upstream = "json"
    kind = CborSocket

    def setUp(self):
        self.fake = self.cse()
        self.gateway = self.daemon(self.fake, upstream={
            "serialization": self.upstream}, limits={"in_flight": 1})
        self.ws = self.connect(self.gateway, self.kind)


class CborToJson(Client):
    def test_create(self):
        self.ws.send_prim(**create({"m2m:cin": {"con": "\u00b0C", "x": 1.1,
                                                "y": None, "z": 0.5}}))
        request = self.fake.next()
        self.assertEqual(request.header("Content-Type"), JSON + ";ty=4")
        self.assertEqual(request.header("Accept"), JSON)
        self.assertEqual(request.body.decode(),
                         '{"m2m:cin":{"con":"\u00b0C","x":1.1,"y":null,'
                         '"z":0.5}}')
        request.answer(2001, b'{"m2m:cin":{"st":0,"x":1.10,"rn":"r"}}',
                       status=201)
        self.assertEqual(self.ws.recv_prim(), {
            "rsc": 2001, "rqi": "1", "rvi": "3",
            "pc": {"m2m:cin": {"st": 0, "x": 1.1, "rn": "r"}}})

    def test_query(self):
        self.ws.send_prim(op=2, to="cse-in", fr="Ca", rqi="1", rvi="3",
                          fc={"fu": 1, "ty": [3, 4], "lbl": ["a b"]},
                          drt=2)
        request = self.fake.next()
        self.assertEqual(request.target,
                         b"/cse-in?fu=1&ty=3+4&lbl=a%20b&drt=2")
        request.answer(2000, b'{"m2m:uril":[]}')
        self.assertEqual(self.ws.recv_prim()["pc"], {"m2m:uril": []})
        self.ws.send_prim(op=2, to="cse-in/a", fr="Ca", rqi="2", rvi="3",
                          pc={"m2m:atrl": ["rr", "poa"]})
        request = self.fake.next()
        self.assertEqual(request.target, b"/cse-in/a?atrl=rr+poa")
        self.assertEqual(request.body, b"")

    def test_waiting(self):
        """What waits for its turn is read twice."""
        for i in range(3):
            self.ws.send_prim(**create({"m2m:cin": {"con": str(i)}},
                                       rqi=str(i)))
        for i in range(3):
            request = self.fake.next()
            self.assertEqual(json.loads(request.body),
                             {"m2m:cin": {"con": str(i)}})
            request.answer(2001, request.body, status=201)
            answer = self.ws.recv_prim()
            self.assertEqual((answer["rqi"], answer["pc"]),
                             (str(i), {"m2m:cin": {"con": str(i)}}))

    def test_answer_that_cannot_be_carried(self):
        self.ws.send_prim(op=2, to="cse-in/a", fr="Ca", rqi="1", rvi="3")
        self.fake.next().answer(2000, b'{"m2m:cnt":{"mbs":%d}}' % HUGE)
        answer = self.ws.recv_prim()
        self.assertEqual((answer["rsc"], answer["rqi"], answer["rvi"]),
                         (5000, "1", "3"))
        self.assertIn("exactly", answer["pc"]["m2m:dbg"])

    def test_malformed(self):
        """The answers are CBOR, too."""
        whole = cbor2.dumps(create({}))
        for message, rqi in ((b"", ""), (whole[:-1], "1"), (b'{"op":2}', ""),
                             (whole + b"\0", "1"), (b"\xa0", ""),
                             (cbor2.dumps([1]), ""),
                             (cbor2.dumps(create({"x": HUGE})), "1"),
                             (cbor2.dumps({"rqi": "7", "m2m:rqp": {}}), "7"),
                             (cbor2.dumps(create({"x": b"\xff"})), "1"),
                             (cbor2.dumps(create({1: 2})), "1"),
                             (b"\x9f" * 100, "")):
            self.ws.send_frame(BINARY, message)
            answer = self.ws.recv_prim()
            self.assertEqual(answer["rsc"], 4000, message)
            self.assertEqual(answer["rqi"], rqi, message)
            self.assertIn("m2m:dbg", answer["pc"])
        self.assertTrue(self.fake.quiet())

    def test_text(self):
        self.ws.send_frame(TEXT, b'{"op":2}')
        self.assertEqual(self.ws.close_received(), 1003)

    def test_nobody_there(self):
        self.fake.close()
        self.ws.send_prim(op=2, to="cse-in", fr="Ca", rqi="1", rvi="3")
        self.assertEqual(self.ws.recv_prim()["rsc"], 5103)


class CborToCbor(Client):
    upstream = "cbor"

    def test_octets_pass(self):
        prim = create(None)
        del prim["pc"]
        head = cbor2.dumps(prim)
        self.ws.send_frame(BINARY, bytes([head[0] + 1]) + head[1:] +
                           b"\x62pc" + ODD_CIN)
        request = self.fake.next()
        self.assertEqual(request.header("Content-Type"), CBOR + ";ty=4")
        self.assertEqual(request.header("Accept"), CBOR)
        self.assertEqual(request.body, ODD_CIN)
        request.answer(2001, ODD_CIN, status=201,
                       media="application/vnd.onem2m-res+cbor")
        octets = self.ws.recv_octets()
        self.assertTrue(octets.endswith(b"\x62pc" + ODD_CIN))
        self.assertEqual(cbor2.loads(octets)["rsc"], 2001)

    def test_json_all_the_same(self):
        """The CSE answers in what it likes."""
        self.ws.send_prim(op=2, to="cse-in", fr="Ca", rqi="1", rvi="3")
        self.fake.next().answer(2000, b'{"m2m:cb":{"ri":"id-in"}}')
        self.assertEqual(self.ws.recv_prim()["pc"],
                         {"m2m:cb": {"ri": "id-in"}})
        self.ws.send_prim(op=2, to="cse-in", fr="Ca", rqi="2", rvi="3")
        self.fake.next().answer(2000, b'{"m2m:cb":{}}', media=CBOR)
        self.assertEqual(self.ws.recv_prim()["rsc"], 5000)


class JsonToCbor(Client):
    upstream = "cbor"
    kind = WebSocket

    def test_create(self):
        self.ws.send_text(json.dumps(create("PC")).replace(
            '"PC"', '{"m2m:cin":{"con":"\\u00b0","x":1.10,"y":1e2}}'))
        request = self.fake.next()
        self.assertEqual(request.header("Content-Type"), CBOR + ";ty=4")
        self.assertEqual(request.body, cbor2.dumps(
            {"m2m:cin": {"con": "\u00b0", "x": 1.1, "y": 100}}))
        request.answer(2001, ODD_CIN, status=201, media=CBOR)
        self.assertIn('"pc":{"m2m:cin":{"con":"5","cs":1}}',
                      self.ws.recv_text())

    def test_request_that_cannot_be_carried(self):
        for number in (str(HUGE), "0.123456789012345678901234567890",
                       "1e400"):
            answer = self.ws.ask_text(json.dumps(create("PC")).replace(
                '"PC"', '{"m2m:cin":{"con":%s}}' % number))
            self.assertEqual((answer["rsc"], answer["rqi"]), (4000, "1"))
        self.assertTrue(self.fake.quiet())


class Registration(ReverseCase):
    """What the gateway looks into and changes."""

    def check(self, media, **options):
        self.registrar.media = media
        daemon = self.gateway(**options)
        ws = self.connect(daemon, CborSocket)
        ae = self.register(ws, poa=["ws://default"], lbl=["x"])
        self.assertEqual((ae["aei"], ae["poa"]), ("Cmeter7", ["ws://default"]))
        self.assertRegex(self.registrar.poa["Cmeter7"][0],
                         f"^{daemon.notify_url}r/")
        shown = {"m2m:ae": {"poa": self.registrar.poa["Cmeter7"],
                            "rr": True}}
        self.registrar.hook = lambda r: response(
            2000, r.rqi, encode(shown, media), media=media)
        answer = ws.ask(op=2, to="Cmeter7", fr="Cmeter7", rqi="2", rvi="3")
        self.assertEqual(answer["pc"], {"m2m:ae": {"poa": ["ws://default"],
                                                   "rr": True}})
        return daemon, ws

    def test_json_cse(self):
        self.check(JSON)

    def test_cbor_cse(self):
        self.check(CBOR, upstream={"serialization": "cbor"})

    def test_json_client_of_a_cbor_cse(self):
        self.registrar.media = CBOR
        daemon = self.gateway(upstream={"serialization": "cbor"})
        ws = self.connect(daemon)
        self.assertEqual(self.register(ws)["aei"], "Cmeter7")
        self.assertNotIn("poa", self.register(ws))

    def test_url_in_pieces(self):
        """Our URL is found wherever it hides."""
        _, ws = self.check(CBOR, upstream={"serialization": "cbor"})
        url = self.registrar.poa["Cmeter7"][0].encode()
        pieces = b"".join(bytes([0x41]) + bytes([c]) for c in url)
        body = (b"\xa1\x66m2m:ae\xa1\x63poa\x81\x5f" + pieces + b"\xff")
        self.registrar.hook = lambda r: response(2000, r.rqi, body,
                                                 media=CBOR)
        ws.send_prim(op=2, to="Cmeter7", fr="Cmeter7", rqi="3", rvi="3")
        self.assertEqual(ws.recv_prim()["pc"],
                         {"m2m:ae": {"poa": ["ws://default"]}})

    def test_subscription(self):
        daemon = self.gateway(upstream={"serialization": "cbor"})
        ws, _ = self.online(daemon, kind=CborSocket)
        for nu, got in ((["ws://default"], ["Cmeter7"]),
                        (["/id-in/Cx"], ["/id-in/Cx"])):
            answer = ws.ask(**create({"m2m:sub": {"nu": nu, "x": 0.1}},
                                     ty=23, fr="Cmeter7"))
            self.assertEqual(answer["rsc"], 2001)
            request = self.fake.requests[-1]
            self.assertEqual(content_of(request),
                             {"m2m:sub": {"nu": got, "x": 0.1}})


class Notification(ReverseCase):
    def gateway(self, **options):
        self.admin = ("127.0.0.1", free_port())
        return super().gateway(
            admin={"listen": "%s:%d" % self.admin}, **options)

    def counted(self, client, cse):
        conn = http.client.HTTPConnection(*self.admin, timeout=10)
        self.addCleanup(conn.close)
        conn.request("GET", "/metrics")
        said = conn.getresponse().read().decode()
        for to, count in (("client", client), ("cse", cse)):
            self.assertIn(f'm2mwsd_unconvertible_total{{to="{to}"}} {count}\n',
                          said)

    def test_to_a_cbor_client(self):
        ws, poa = self.online(self.gateway(), kind=CborSocket)
        for media, accept, want in (
                (JSON, None, JSON), (CBOR, None, CBOR), (JSON, CBOR, CBOR),
                (CBOR, JSON, JSON), (CBOR, "text/html, */*;q=0.5", CBOR),
                ("application/vnd.onem2m-ntfy+cbor", None, CBOR)):
            fields = {"Accept": accept} if accept else {}
            later = Later(poa, encode(sgn("5.0"), media), media=media,
                          **fields)
            prim = ws.recv_prim()
            self.assertEqual(con_of(prim), "5.0")
            self.answer(ws, prim, pc={"m2m:dbg": "thanks", "x": 1.5})
            got = later.result()
            self.assertEqual((got.rsc, got.media), (2000, want))
            self.assertEqual(got.pc, {"m2m:dbg": "thanks", "x": 1.5})

    def test_to_a_json_client(self):
        ws, poa = self.online(self.gateway())
        later = Later(poa, encode(sgn("1", x=0.1), CBOR), media=CBOR)
        prim = ws.recv_prim()
        self.assertEqual(prim["pc"], sgn("1", x=0.1))
        self.answer(ws, prim, 4005, pc={"m2m:dbg": "no"})
        got = later.result()
        self.assertEqual((got.status, got.rsc, got.media), (405, 4005, CBOR))
        self.assertEqual(got.pc, {"m2m:dbg": "no"})

    def test_octets_pass(self):
        ws, poa = self.online(self.gateway(), kind=CborSocket)
        later = Later(poa, ODD_CIN, media=CBOR)
        octets = ws.recv_octets()
        self.assertTrue(octets.endswith(b"\x62pc" + ODD_CIN))
        prim = cbor2.loads(octets)
        ws.send_frame(BINARY, cbor2.dumps({"rsc": 2000, "rqi": prim["rqi"]})
                      .replace(b"\xa2", b"\xa3", 1) + b"\x62pc" + ODD_CIN)
        self.assertEqual(later.result().body, ODD_CIN)

    def test_that_cannot_be_carried(self):
        ws, poa = self.online(self.gateway(), kind=CborSocket)
        got = call(poa, sgn("1", x=HUGE))
        self.assertEqual((got.status, got.rsc), (400, 4000))
        self.counted(1, 0)
        self.assertIn("cannot carry", got.pc["m2m:dbg"])
        # and the session goes on
        later = Later(poa, sgn("2"))
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_answer_that_cannot_be_carried(self):
        ws, poa = self.online(self.gateway())
        later = Later(poa, encode(sgn("1"), CBOR), media=CBOR)
        self.answer(ws, ws.recv_prim(), pc={"m2m:dbg": HUGE})
        got = later.result()
        self.assertEqual((got.rsc, got.media), (5000, CBOR))
        self.assertIn("exactly", got.pc["m2m:dbg"])
        self.counted(0, 1)

    def test_malformed(self):
        _, poa = self.online(self.gateway())
        got = call(poa, b"\xa1\x61", media=CBOR)
        self.assertEqual((got.rsc, got.media), (4000, CBOR))
        self.assertIn("cut off", got.pc["m2m:dbg"])
        got = call(poa, b"a: b", media="application/yaml", Accept=CBOR)
        self.assertEqual((got.rsc, got.media), (4015, CBOR))

    def test_what_the_gateway_says(self):
        """Nobody there: in the serialisation of the question, or what is
        configured where it says nothing."""
        daemon = self.gateway(upstream={"serialization": "cbor"})
        url = daemon.notify_url + "r/none"
        self.assertEqual(call(url, sgn()).media, JSON)
        self.assertEqual(call(url, encode(sgn(), CBOR), media=CBOR).media,
                         CBOR)
        self.assertEqual(call(url, method="GET").media, CBOR)

    def test_kind_is_seen(self):
        """A verification in CBOR is not held for who is away."""
        daemon = self.gateway(notify={"timeout": "20s"})
        ws, poa = self.online(daemon)
        ws.drop()
        self.assertTrue(eventually(
            lambda: "event=offline" in daemon.log_text()))
        got = call(poa, encode({"m2m:sgn": {"vrq": True, "sur": "/x/s"}},
                               CBOR), media=CBOR)
        self.assertEqual((got.rsc, got.media), (5103, CBOR))

    def test_inbox(self):
        """Stored in JSON, whatever it was, and whoever comes for it."""
        daemon = self.gateway(notify={"offline": "store"})
        ws, poa = self.online(daemon, kind=CborSocket)
        for kind in (CborSocket, WebSocket):
            ws.drop()
            self.assertTrue(eventually(lambda: daemon.log_text().count(
                "event=online") == daemon.log_text().count("event=offline")))
            self.assertEqual(call(poa, encode(sgn("1", x=0.1), CBOR),
                                  media=CBOR).rsc, 2000)
            self.assertEqual(call(poa, sgn("2")).rsc, 2000)
            ws = self.back(daemon, kind=kind)
            for con, more in (("1", {"x": 0.1}), ("2", {})):
                prim = ws.recv_prim()
                self.assertEqual(prim["pc"], sgn(con, **more))
                self.answer(ws, prim)

    def test_inbox_that_cannot_be_carried(self):
        """It is dropped, and does not keep the next one."""
        daemon = self.gateway(notify={"offline": "store"})
        ws, poa = self.online(daemon)
        ws.drop()
        self.assertTrue(eventually(
            lambda: "event=offline" in daemon.log_text()))
        self.assertEqual(call(poa, sgn("1", x=HUGE)).rsc, 2000)
        self.assertEqual(call(poa, sgn("2")).rsc, 2000)
        ws = self.back(daemon, kind=CborSocket)
        prim = ws.recv_prim()
        self.assertEqual(con_of(prim), "2")
        self.answer(ws, prim)
        self.assertIn("event=inbox_unconvertible", daemon.log_text())


class Embedded(Case):
    """The embedded CSE, without a hop and over its own HTTP."""

    def setUp(self):
        self.port = free_port()
        self.gateway = self.daemon(
            f"http://127.0.0.1:{self.port}", gateway={"backend": "store"},
            notify={"listen": f"127.0.0.1:{free_port()}"},
            store={"path": ":memory:",
                   "http_listen": f"127.0.0.1:{self.port}"})

    def http(self, method, path, body=None, **headers):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(conn.close)
        fields = {"X-M2M-Origin": "CAdmin", "X-M2M-RI": "1", "X-M2M-RVI": "3"}
        fields.update({k.replace("_", "-"): v for k, v in headers.items()})
        conn.request(method, path, body, fields)
        got = conn.getresponse()
        return (int(got.getheader("X-M2M-RSC")),
                got.getheader("Content-Type"), got.read())

    def test_each_hears_the_other(self):
        """An AE that speaks CBOR and one that speaks JSON."""
        clients = {"Cc": self.connect(self.gateway, CborSocket),
                   "Cj": self.connect(self.gateway)}
        for fr, ws in clients.items():
            for to, ty, kind, more in (
                    ("cse-in", 2, "ae", {"rn": fr, "api": "N", "rr": True,
                                         "srv": ["3"]}),
                    (f"cse-in/{fr}", 3, "cnt", {"rn": "box"})):
                answer = ws.ask(op=1, to=to, fr=fr, rqi="1", rvi="3", ty=ty,
                                pc={f"m2m:{kind}": more})
                self.assertEqual(answer["rsc"], 2001, answer)
        for fr, other in (("Cc", "Cj"), ("Cj", "Cc")):
            ws = clients[fr]
            ws.send_prim(op=1, to=f"cse-in/{fr}/box", fr=fr, rqi="s", ty=23,
                         rvi="3", pc={"m2m:sub": {"nu": [other], "enc": {
                             "net": [3]}}})
            asked = clients[other].recv_prim()
            self.assertTrue(asked["pc"]["m2m:sgn"]["vrq"])
            clients[other].send_prim(rsc=2000, rqi=asked["rqi"], rvi="3")
            self.assertEqual(ws.recv_prim()["rsc"], 2001)
            con = "021.50 \u00b0C \U0001f321 \"\\\n"
            ws.send_prim(op=1, to=f"cse-in/{fr}/box", fr=fr, rqi="i", ty=4,
                         rvi="3", pc={"m2m:cin": {"con": con}})
            self.assertEqual(ws.recv_prim()["rsc"], 2001)
            heard = clients[other].recv_prim()
            self.assertEqual(con_of(heard), con)
            clients[other].send_prim(rsc=2000, rqi=heard["rqi"], rvi="3")

    def test_http(self):
        body = cbor2.dumps({"m2m:cnt": {"rn": "box", "mni": 3}})
        rsc, media, got = self.http("POST", "/cse-in", body,
                                    Content_Type=CBOR + ";ty=3")
        self.assertEqual((rsc, media), (2001, CBOR))
        self.assertEqual(cbor2.loads(got)["m2m:cnt"]["mni"], 3)
        rsc, media, got = self.http("GET", "/cse-in/box", Accept=CBOR)
        self.assertEqual((rsc, media), (2000, CBOR))
        self.assertEqual(cbor2.loads(got)["m2m:cnt"]["rn"], "box")
        rsc, media, got = self.http("GET", "/cse-in/box")
        self.assertEqual((rsc, media), (2000, JSON))
        self.assertEqual(json.loads(got)["m2m:cnt"]["rn"], "box")
        rsc, media, got = self.http("GET", "/cse-in/none", Accept=CBOR)
        self.assertEqual((rsc, media), (4004, CBOR))
        self.assertIn("m2m:dbg", cbor2.loads(got))
        rsc, media, got = self.http("POST", "/cse-in", body[:-1],
                                    Content_Type=CBOR + ";ty=3")
        self.assertEqual((rsc, media), (4000, CBOR))

    def test_answer_of_another_cse(self):
        """It passes through the embedded one as it is."""
        mn = self.cse(lambda r: response(2000, r.rqi, ODD_CIN, media=CBOR))
        ws = self.connect(self.gateway, CborSocket)
        answer = ws.ask(op=1, to="cse-in", fr="/mn-cse7", rqi="1", rvi="3",
                        ty=16, pc={"m2m:csr": {
                            "rn": "mn7", "csi": "/mn-cse7", "rr": True,
                            "cb": "/mn-cse7/mcb", "srv": ["3"],
                            "poa": [mn.url]}})
        self.assertEqual(answer["rsc"], 2001, answer)
        for kind, want in ((CborSocket, ODD_CIN),
                           (WebSocket, b'{"m2m:cin":{"con":"5","cs":1}}')):
            client = self.connect(self.gateway, kind)
            client.send_prim(op=2, to="/mn-cse7/mcb/x", fr="CAdmin",
                             rqi="2", rvi="3")
            self.assertIn(want, client.recv_message()[1])

    def test_growth(self):
        """What would grow too much as JSON is refused."""
        ws = self.connect(self.gateway, CborSocket)
        answer = ws.ask(op=1, to="cse-in", fr="CAdmin", rqi="1", rvi="3",
                        ty=3, pc={"m2m:cnt": {"lbl": [False] * 60000}})
        self.assertEqual(answer["rsc"], 4000)
        self.assertIn("grows", answer["pc"]["m2m:dbg"])
