"""XML against peers that others wrote: lxml on the client's side, and a CSE
that speaks it. Both ways, beside clients that speak JSON."""

import http.client
import json
import random

from fakecse import response
from harness import LONG, Case, free_port, within
from reverse import Later, ReverseCase, call, con_of, sgn
from xmlclient import (NS, XmlSocket, etree, needs_lxml, qname, same, tree,
                       write)

CON = "021.50 \u00b0C \u6e29 \U0001f321 \"\\/\" <b>&amp;</b> ]]>\t\n\r "
STYLES = ("plain", "layout", "ascii", "cdata")


def xml_response(rsc, rqi, body, **how):
    """Of a CSE that answers in XML."""
    said = response(rsc, rqi, body, **how)
    return said.replace(b"application/json", b"application/xml", 1)


class Xml(Case):
    def setUp(self):
        needs_lxml(self)

    def xml(self, daemon, subprotocol="oneM2M.xml"):
        return XmlSocket(self.connect(daemon, subprotocol=subprotocol))

    def test_names(self):
        daemon = self.daemon(self.cse(lambda r: response(2000, r.rqi)),
                             listener={"default_subprotocol": "oneM2M.xml"})
        for name in ("oneM2M.xml", "oneM2M.R2.0.xml"):
            ws = self.connect(daemon, subprotocol=name)
            self.assertEqual(ws.subprotocol, name)
            XmlSocket(ws).must(self, 2000, "C1", op=2, to="cse-in")
        ws = self.connect(daemon, subprotocol=None)
        self.assertIsNone(ws.subprotocol)
        XmlSocket(ws).must(self, 2000, "C1", op=2, to="cse-in")
        for offer, want in (("oneM2M.cbor, oneM2M.xml", "oneM2M.cbor"),
                            ("x, oneM2M.xml, oneM2M.json", "oneM2M.xml")):
            self.assertEqual(self.connect(daemon, subprotocol=offer)
                             .subprotocol, want)

    def test_refusals(self):
        daemon = self.daemon(self.cse(lambda r: response(2000, r.rqi)))
        ws = self.xml(daemon)
        head = f'<m:rqp xmlns:m="{NS}">'
        for text, rqi in (
                ("", ""), ("{", ""), ("<a/>", ""), (head, ""),
                (head + "<rqi>1</rqi>", "1"),
                (head + "<rqi>2</rqi></m:rqp>x", "2"),
                (head + "<rqi>3</rqi><op>2</op></m:rqp>", "3"),
                ("<!DOCTYPE a [<!ENTITY e 'x'>]>" + head +
                 "<rqi>&e;</rqi></m:rqp>", ""),
                ("<?xml version='1.0' encoding='UTF-16'?>" + head +
                 "<rqi>4</rqi></m:rqp>", ""),
                (head + "<rqi>5</rqi><op>2</op><to>a</to><to>b</to></m:rqp>",
                 "5"),
                (head + "<rqi>6</rqi>" + "<a>" * 100, "6")):
            ws.ws.send_text(text)
            got = ws.recv()
            self.assertEqual((got.tag, got.findtext("rsc")),
                             (qname("m2m:rsp"), "4000"), text)
            self.assertEqual(got.findtext("rqi"), rqi, text)
            self.assertTrue(got.findtext("pc/" + qname("m2m:dbg")))
        ws.must(self, 2000, "C1", op=2, to="cse-in")

    def test_what_xml_cannot_carry(self):
        bodies = {"a": {"m2m:cin": {"con": "\x01"}},
                  "b": {"m2m:cnt": {"lbl": ["a b"]}},
                  "c": {"m2m:cnt": {"lbl": ["ab"]}}}

        def cse(request):
            name = request.target.decode().rpartition("/")[2]
            return response(2000, request.rqi,
                            json.dumps(bodies[name]).encode())

        ws = self.xml(self.daemon(self.cse(cse)))
        ws.must(self, 5000, "C1", op=2, to="cse-in/a")
        ws.must(self, 5000, "C1", op=2, to="cse-in/b")
        got = ws.must(self, 2000, "C1", op=2, to="cse-in/c")
        self.assertEqual(got.findtext("lbl"), "ab")

    def test_a_cse_that_speaks_xml(self):
        """The client's octets pass; JSON is transcoded both ways."""
        cse = self.cse()
        daemon = self.daemon(cse, upstream={"serialization": "xml"})
        ws, other = self.xml(daemon), self.connect(daemon)
        pc = (f'<q:cin><!-- c --><con> {chr(0xe4)} </con>'
              '<cnf>text/plain:0</cnf></q:cin>')
        ws.ws.send_text(f'<q:rqp xmlns:q="{NS}"><op>1</op><to>cse-in/a</to>'
                        f'<fr>C1</fr><rqi>1</rqi><ty>4</ty><pc>\n{pc}\n</pc>'
                        '<rvi>3</rvi></q:rqp>')
        got = cse.next()
        self.assertEqual(got.header("Content-Type"), "application/xml;ty=4")
        self.assertEqual(got.header("Accept"), "application/xml")
        self.assertEqual(got.body.decode(), pc.replace(
            "<q:cin>", f'<q:cin xmlns:q="{NS}">'))
        body = (f'<?xml version="1.0"?>\n<y:cin xmlns:y="{NS}" rn="c">'
                '<con>&#13;</con></y:cin>')
        got.reply(xml_response(2001, "1", body.encode()))
        text = ws.ws.recv_text()
        self.assertIn(body.partition("\n")[2], text)
        self.assertEqual(etree.fromstring(text.encode()).findtext(
            f"pc/{qname('m2m:cin')}/con"), "\r")

        other.send_prim(op=3, to="cse-in/b", fr="C2", rqi="2", rvi="3", pc={
            "m2m:cnt": {"mni": 5, "lbl": None, "acpi": ["a", "b"]}})
        got = cse.next()
        self.assertTrue(same(etree.fromstring(got.body), tree("m2m:cnt", {
            "mni": 5, "lbl": None, "acpi": ["a", "b"]})), got.body)
        got.reply(xml_response(2004, "2", write(tree("m2m:cnt", {
            "mni": 5, "lbl": [], "st": 7}), "plain")))
        self.assertEqual(other.recv_prim()["pc"], {"m2m:cnt": {
            "mni": 5, "lbl": [], "st": 7}})
        # whatever was asked for, what the CSE says counts
        other.send_prim(op=2, to="cse-in/b", fr="C2", rqi="3", rvi="3")
        cse.next().reply(response(2000, "3", b'{"m2m:uril":["a"]}'))
        self.assertEqual(other.recv_prim()["pc"], {"m2m:uril": ["a"]})

    def test_update(self):
        """An empty attribute is to be deleted, an empty list within is not."""
        cse = self.cse()
        ws = self.xml(self.daemon(cse))
        ws.start("C1", op=3, to="cse-in/a", pc={"m2m:sub": {
            "lbl": None, "exc": None, "enc": {"net": []}}})
        got = cse.next()
        self.assertEqual(json.loads(got.body), {"m2m:sub": {
            "lbl": None, "exc": None, "enc": {"net": []}}})
        got.answer(2004)
        self.assertEqual(ws.recv().findtext("rsc"), "2004")
        ws.start("C1", op=1, to="cse-in", ty=9, pc={"m2m:grp": {
            "mnm": 5, "mid": [], "cr": None}})
        got = cse.next()
        self.assertEqual(json.loads(got.body), {"m2m:grp": {
            "mnm": 5, "mid": [], "cr": None}})


class Hearing(Case):
    """An AE that speaks XML and one that speaks JSON hear of each other."""

    seconds = 60

    def setUp(self):
        needs_lxml(self)
        self.count = 0

    def json_must(self, ws, rsc, fr, **members):
        self.count += 1
        got = ws.ask(fr=fr, rqi=f"j{self.count}", rvi="3", **members)
        self.assertEqual((got["rqi"], got["rsc"]), (f"j{self.count}", rsc),
                         got)
        return got.get("pc")

    def hear(self, gateway):
        ae = {"api": "N1", "rr": True, "srv": ["3"]}
        xml = XmlSocket(self.connect(gateway, subprotocol="oneM2M.xml"))
        other = self.connect(gateway)
        made = xml.must(self, 2001, "Cxml", op=1, to="cse-in", ty=2,
                        pc={"m2m:ae": dict(ae, rn="xml",
                                           poa=["ws://default"])})
        self.assertEqual((made.get("rn"), made.findtext("aei"),
                          made.findtext("poa"), made.findtext("rr")),
                         ("xml", "Cxml", "ws://default", "true"))
        self.json_must(other, 2001, "Cjson", op=1, to="cse-in", ty=2,
                       pc={"m2m:ae": dict(ae, rn="json")})
        for make, rn, fr in ((xml.must, "xml", "Cxml"),
                             (self.json_must, "json", "Cjson")):
            first = self if make == xml.must else other
            make(first, 2001, fr, op=1, to=f"cse-in/{rn}", ty=1, pc={
                "m2m:acp": {"rn": "acp", "pv": {"acr": [
                    {"acor": ["Cxml", "Cjson"], "acop": 63},
                    {"acor": ["all"], "acop": 2}]}, "pvs": {
                        "acr": [{"acor": [fr], "acop": 63}]}}})
            make(first, 2001, fr, op=1, to=f"cse-in/{rn}", ty=3, pc={
                "m2m:cnt": {"rn": "data", "mni": 10,
                            "acpi": [f"cse-in/{rn}/acp"]}})
        sub = {"m2m:sub": {"rn": "s", "enc": {"net": [3]}, "nct": 1}}
        sub["m2m:sub"]["nu"] = ["Cxml"]
        xml.must(self, 2001, "Cxml", op=1, to="cse-in/json/data", ty=23,
                 pc=sub)
        sub["m2m:sub"]["nu"] = ["Cjson"]
        self.json_must(other, 2001, "Cjson", op=1, to="cse-in/xml/data",
                       ty=23, pc=sub)

        made = xml.must(self, 2001, "Cxml", op=1, to="cse-in/xml/data", ty=4,
                        pc={"m2m:cin": {"con": CON, "lbl": ["a:1", "b"]}})
        self.assertEqual(made.findtext("con") or CON, CON)
        heard = other.recv_prim()
        event = heard["pc"]["m2m:sgn"]["nev"]
        self.assertEqual(event["rep"]["m2m:cin"]["con"], CON)
        self.assertEqual(event["rep"]["m2m:cin"]["lbl"], ["a:1", "b"])
        self.assertEqual(event["net"], 3)
        other.send_prim(rsc=2000, rqi=heard["rqi"], rvi="3")

        self.json_must(other, 2001, "Cjson", op=1, to="cse-in/json/data",
                       ty=4, pc={"m2m:cin": {"con": CON, "lbl": ["c"]}})
        heard = xml.recv()
        self.assertEqual((heard.tag, heard.findtext("op")),
                         (qname("m2m:rqp"), "5"))
        event = heard.find(f"pc/{qname('m2m:sgn')}/nev")
        cin = event.find("rep/" + qname("m2m:cin"))
        self.assertEqual((cin.findtext("con"), cin.findtext("lbl"),
                          event.findtext("net")), (CON, "c", "3"))
        xml.say(heard)

        found = xml.must(self, 2000, "Cxml", op=2, to="cse-in/json/data",
                         fc={"fu": 1, "ty": [4], "lbl": ["c"]})
        self.assertEqual(len(found.text.split()), 1)
        found = xml.must(self, 2000, "Cxml", op=2, to="cse-in/xml",
                         pc={"m2m:atrl": ["rr", "poa"]})
        self.assertEqual((found.findtext("rr"), found.findtext("poa")),
                         ("true", "ws://default"))
        found = xml.must(self, 2000, "Cxml", op=2, to="cse-in/xml", rcn=5,
                         fc={"lvl": 1})
        self.assertEqual(sorted(c.get("nm") for c in found.findall("ch")),
                         ["acp", "data"])
        xml.must(self, 2004, "Cxml", op=3, to="cse-in/xml/data",
                 pc={"m2m:cnt": {"mni": None}})
        left = self.json_must(other, 2000, "Cjson", op=2,
                              to="cse-in/xml/data")
        self.assertNotIn("mni", left["m2m:cnt"])

    def embedded(self, **upstream):
        cse, notify = free_port(), free_port()
        self.cse_port = cse
        return self.daemon(
            f"http://127.0.0.1:{cse}", auth={"mode": "registered"},
            upstream=dict({"cse_id": "/id-in"}, **upstream),
            notify={"listen": f"127.0.0.1:{notify}"},
            store={"path": ":memory:", "http_listen": f"127.0.0.1:{cse}"})

    def test_over_json(self):
        self.hear(self.embedded())

    def test_over_xml(self):
        self.hear(self.embedded(serialization="xml"))

    def test_over_cbor(self):
        self.hear(self.embedded(serialization="cbor"))

    def test_without_a_hop(self):
        self.hear(self.daemon(
            "http://127.0.0.1:9", gateway={"backend": "store"},
            notify={"listen": f"127.0.0.1:{free_port()}"},
            store={"path": ":memory:"}))

    def test_http_of_the_embedded_cse(self):
        self.embedded()
        conn = http.client.HTTPConnection("127.0.0.1", self.cse_port)
        self.addCleanup(conn.close)
        for rqi, media, accept in (
                ("1", "application/xml;ty=3", None),
                ("2", "application/vnd.onem2m-res+xml;ty=3", "application/*"),
                ("3", None, "application/vnd.onem2m-res+xml")):
            headers = {"X-M2M-Origin": "CAdmin", "X-M2M-RI": rqi,
                       "X-M2M-RVI": "3"}
            headers.update({"Content-Type": media} if media else {})
            headers.update({"Accept": accept} if accept else {})
            body = write(tree("m2m:cnt", {"rn": "c" + rqi, "mni": 5}),
                         "plain") if media else None
            conn.request("POST" if media else "GET", "/cse-in" if media
                         else "/cse-in/c1", body, headers)
            got = conn.getresponse()
            text = got.read()
            self.assertEqual(got.status, 201 if media else 200, text)
            self.assertEqual(got.getheader("Content-Type"), "application/xml")
            root = etree.fromstring(text)
            self.assertEqual((root.tag, root.findtext("mni")),
                             (qname("m2m:cnt"), "5"))


class Reverse(ReverseCase):
    """A CSE that notifies in XML, and clients of either kind."""

    def setUp(self):
        needs_lxml(self)
        super().setUp()

    def test_notifications(self):
        gateway = self.gateway()
        other = self.connect(gateway)
        self.register(other, "Cjson")
        xml = XmlSocket(self.connect(gateway, subprotocol="oneM2M.xml"))
        xml.must(self, 2001, "Cxml", op=1, to="cse-in", ty=2, pc={"m2m:ae": {
            "api": "N1", "rr": True, "srv": ["3"]}})
        poa = {who: self.registrar.poa[who][0] for who in ("Cjson", "Cxml")}
        body = write(tree("m2m:sgn", sgn(CON)["m2m:sgn"]), "ascii")
        for media in ("application/xml", "application/vnd.onem2m-ntfy+xml"):
            later = Later(poa["Cjson"], body, media=media)
            heard = other.recv_prim()
            self.assertEqual(con_of(heard), CON, media)
            other.send_prim(rsc=2000, rqi=heard["rqi"], rvi="3",
                            pc={"m2m:dbg": "heard"})
            got = later.result()
            self.assertEqual((got.rsc, got.headers["content-type"]),
                             (2000, "application/xml"))
            self.assertEqual(etree.fromstring(got.body).text, "heard")
        for said, media in ((body, "application/xml"),
                            (sgn(CON), "application/json")):
            later = Later(poa["Cxml"], said, media=media)
            heard = xml.recv()
            self.assertEqual(heard.findtext("op"), "5")
            self.assertEqual(next(heard.iter("con")).text, CON)
            xml.say(heard)
            self.assertEqual(later.result().rsc, 2000)
        got = call(poa["Cjson"], b"<a>", media="application/xml")
        self.assertEqual((got.rsc, got.headers["content-type"]),
                         (4000, "application/xml"))


class Differential(Case):
    """Random content by way of XML, JSON at the CSE, and XML again: at each
    place it says what lxml was told."""

    seconds = 120

    def setUp(self):
        needs_lxml(self)
        self.rng = random.Random(7)

    def text(self):
        parts = ("a", "7", " ", "\u00e4", "\U0001f321", "<", "&", "\"", "'",
                 "]]>", "\t", "\n", "true", "\\", "&lt;")
        return "x" + "".join(self.rng.choices(parts, k=self.rng.randrange(8)))

    def word(self):
        return "".join(self.rng.choices("ab7:/.-_<&\u00e4", k=5))

    def words(self):
        return [self.word() for _ in range(self.rng.randrange(4))]

    def number(self):
        return self.rng.choice((0, 1, 5, 2**63, 12345678901234567890, -3))

    def common(self):
        maybe = {"rn": self.text().replace("\t", "").replace("\n", ""),
                 "lbl": self.words(), "acpi": self.words(), "et": self.text(),
                 "st": self.number(), "cr": None}
        return self.some(maybe)

    def some(self, members):
        names = [n for n in members if self.rng.random() < 0.6]
        self.rng.shuffle(names)
        return {n: members[n] for n in names}

    def content(self, depth=0):
        flag = self.rng.random() < 0.5
        kinds = {
            "m2m:cnt": {"mni": self.number(), "disr": flag, "or": "5"},
            "m2m:cin": {"cnf": "text/plain:0", "con": self.text(),
                        "cs": self.number()},
            "m2m:ae": {"api": "N1", "rr": flag, "poa": self.words(),
                       "srv": ["2a", "3"], "apn": self.text()},
            "m2m:sub": {"enc": self.some({"net": [1, 3], "atr": ["lbl"],
                                          "chty": [4], "stb": 3}),
                        "nu": self.words(), "nct": 1, "ln": flag},
            "m2m:acp": {"pv": {"acr": [{"acor": ["all"], "acop": 63},
                                       {"acor": [self.word()], "acop": 1}]},
                        "pvs": {"acr": [{"acor": ["C1"], "acop": 63}]}},
            "cod:color": {"cnd": "org.c", "red": 7, "on": flag,
                          "name": self.text(), "rate": -1.25},
        }
        name = self.rng.choice(sorted(kinds))
        members = dict(self.common(), **self.some(kinds[name]))
        if depth < 2 and self.rng.random() < 0.3:
            children = {}
            for _ in range(3):
                child, what = self.content(depth + 1)
                if child != name:
                    children.setdefault(child, []).append(what)
            members.update(children)
        elif self.rng.random() < 0.2:
            members["ch"] = [{"nm": "a", "typ": 3, "val": "cse-in/a"},
                             {"nm": "b", "typ": 4, "val": "cse-in/b"}]
        return name, members

    def message(self, rqi, name, members, style):
        prefix = self.rng.choice(("m2m", "q", None if name[0] == "m" else
                                  "m2m"))
        root = tree("m2m:rqp", {
            "op": 1, "to": "cse-in/a", "fr": "C1", "rqi": rqi, "ty": 3,
            "pc": {name: members}, "rvi": "3"}, {prefix: NS})
        return write(root, style, self.rng)

    @within(300)
    def test_round(self):
        bodies = []

        def echo(request):
            bodies.append(request.body)
            return response(2001, request.rqi, request.body, status=201)

        cse = self.cse(echo)
        daemon = self.daemon(cse)
        ws = XmlSocket(self.connect(daemon, subprotocol="oneM2M.xml"))
        for i in range(5000 if LONG else 500):
            name, members = self.content()
            style = STYLES[i % len(STYLES)]
            message = self.message(f"d{i}", name, members, style)
            ws.ws.send_text(message)
            got = ws.recv()
            self.assertEqual(got.findtext("rsc"), "2001",
                             (message, etree.tostring(got)))
            self.assertEqual(got.findtext("rqi"), f"d{i}")
            self.assertEqual(json.loads(bodies.pop()), {name: members},
                             message)
            self.assertTrue(same(got.find("pc")[0], tree(name, members)),
                            (message, etree.tostring(got)))
