"""Nothing that a client writes can end a header, start another request or
change its meaning: each parameter that becomes a header, a target or a query
with each octet at its begin, middle and end.

The CSE of the tests takes only the strictest form (fakecse.py); here the
values that come through must also be the values that were sent."""

import json

from exchanges import split_query
from fakecse import ok
from harness import Case, within

BASE = {"op": 2, "to": "cb1", "fr": "Cm", "rvi": "3"}
CREATE = {"op": 1, "to": "cb1", "fr": "Cm", "rvi": "3", "ty": 3,
          "pc": {"m2m:cnt": {}}}


def header(name):
    return lambda request: request.header(name)


def joined(name):
    """A list in a header has one member here."""
    return header(name)


def query(name):
    """The value, or the list of values, of a query field."""
    def look(request):
        return "+".join(v for n, v in split_query(request.target.decode())[1]
                        if n == name)
    return look


def path(request):
    """TS-0009 6.2.2.1 backwards."""
    got = split_query(request.target.decode())[0]
    if got.startswith("/~/"):
        return got[2:]
    if got.startswith("/_/"):
        return "/" + got[2:]
    return got[1:]


def names(request):
    return split_query(request.target.decode())[1][0][0]


# what: (base primitive, how to put a value in, where it shows at the CSE)
FIELDS = {
    "to": (BASE, lambda v: {"to": v}, path),
    "to below": (BASE, lambda v: {"to": f"cb1/{v}/x"}, path),
    "fr": (BASE, lambda v: {"fr": v}, header("X-M2M-Origin")),
    "rvi": (BASE, lambda v: {"rvi": v}, header("X-M2M-RVI")),
    "vsi": (BASE, lambda v: {"vsi": v}, header("X-M2M-VSI")),
    "ot": (BASE, lambda v: {"ot": v}, header("X-M2M-OT")),
    "rqet": (BASE, lambda v: {"rqet": v}, header("X-M2M-RET")),
    "rset": (BASE, lambda v: {"rset": v}, header("X-M2M-RST")),
    "oet": (BASE, lambda v: {"oet": v}, header("X-M2M-OET")),
    "ec": (BASE, lambda v: {"ec": v}, header("X-M2M-EC")),
    "gid": (BASE, lambda v: {"gid": v}, header("X-M2M-GID")),
    "nu": (BASE, lambda v: {"rt": {"rtv": 2, "nu": [v]}},
           joined("X-M2M-RTU")),
    "tkns": (BASE, lambda v: {"tkns": [v]}, joined("Authorization")),
    "aus": (BASE, lambda v: {"aus": [v]}, joined("X-M2M-AS")),
    "ty": (CREATE, lambda v: {"ty": v},
           lambda r: r.header("Content-Type").partition(";ty=")[2]),
    "rtv": (BASE, lambda v: {"rt": {"rtv": v}}, query("rt")),
    "rp": (BASE, lambda v: {"rp": v}, query("rp")),
    "rcn": (BASE, lambda v: {"rcn": v}, query("rcn")),
    "da": (BASE, lambda v: {"da": v}, query("da")),
    "drt": (BASE, lambda v: {"drt": v}, query("drt")),
    "tqi": (BASE, lambda v: {"tqi": v}, query("tqi")),
    "asi": (BASE, lambda v: {"asi": v}, query("asi")),
    "auri": (BASE, lambda v: {"auri": v}, query("auri")),
    "sqi": (BASE, lambda v: {"sqi": v}, query("sqi")),
    "rids": (BASE, lambda v: {"rids": [v]}, query("rids")),
    "tids": (BASE, lambda v: {"tids": [v]}, query("tids")),
    "ltids": (BASE, lambda v: {"ltids": [v]}, query("ltids")),
    "atrl": (BASE, lambda v: {"pc": {"m2m:atrl": [v]}}, query("atrl")),
    "to#": (BASE, lambda v: {"to": f"cb1#{v}"}, query("atrl")),
    "fc scalar": (BASE, lambda v: {"fc": {"crb": v}}, query("crb")),
    "fc list": (BASE, lambda v: {"fc": {"lbl": [v]}}, query("lbl")),
    "fc number": (BASE, lambda v: {"fc": {"lim": v}}, query("lim")),
    "fc name": (BASE, lambda v: {"fc": {v: "x"}}, names),
    "fc list name": (BASE, lambda v: {"fc": {v: ["x"]}}, names),
    "atr name": (BASE, lambda v: {"fc": {"atr": [{"nm": v, "val": "x"}]}},
                 names),
    "atr value": (BASE, lambda v: {"fc": {"atr": [{"nm": "cr", "val": v}]}},
                  query("cr")),
    "catr name": (BASE, lambda v: {"fc": {"catr": [{"nm": v, "val": "x"}]}},
                  lambda r: names(r)[2:]),
    "patr value": (BASE, lambda v: {"fc": {"patr": [{"nm": "cr", "val": v}]}},
                   query("p.cr")),
}


def values(plain="ab"):
    """Each octet, as character U+00XX, at each of three places."""
    for octet in range(256):
        c = chr(octet)
        yield c + plain
        yield plain[0] + c + plain[1]
        yield plain + c


class Matrix(Case):
    seconds = 90

    def setUp(self):
        self.server = self.cse(ok)
        self.ws = self.connect(self.daemon(self.server, limits={
            "in_flight": 128}))

    def run_field(self, name, escaped):
        base, put, look = FIELDS[name]
        sent = {}

        def messages():
            for i, value in enumerate(values()):
                if not escaped and value.isascii():
                    continue
                sent[f"i{i}"] = value
                # without escapes controls would be no JSON at all
                yield json.dumps(dict(base, rqi=f"i{i}", **put(value)) if not
                                 set(base) & set(put(value)) else
                                 {**base, "rqi": f"i{i}", **put(value)},
                                 ensure_ascii=escaped).encode()
        self.server.requests.clear()
        rsc = {}
        for text in self.ws.pump(messages(), 100):
            answer = json.loads(text)
            self.assertNotIn(answer["rqi"], rsc, "answered twice")
            rsc[answer["rqi"]] = answer["rsc"]
        self.judge(name, sent, rsc, look)

    def judge(self, name, sent, rsc, look):
        self.assertEqual(set(rsc), set(sent))
        self.assertEqual(set(rsc.values()) - {2000, 4000}, set())
        self.assertEqual([v for rqi, v in sent.items()
                          if v.isalnum() and v.isascii()
                          and rsc[rqi] != 2000], [], "refused for nothing")
        came = {}
        for request in self.server.requests:
            self.assertNotIn(request.rqi, came, "two requests for one")
            came[request.rqi] = look(request)
        passed = {rqi for rqi, code in rsc.items() if code == 2000}
        self.assertEqual(set(came), passed)
        changed = [(sent[rqi], came[rqi]) for rqi in passed
                   if came[rqi] != sent[rqi]
                   and not self.excused(name, sent[rqi], came[rqi])]
        self.assertEqual(changed[:5], [], "value sent, value at the CSE")

    def excused(self, name, sent, came):
        """# splits `to`; the rest of the target is still what was sent."""
        if name in ("to", "to below"):
            whole = f"cb1/{sent}/x" if name == "to below" else sent
            return came == whole.partition("#")[0]
        return False

    def check_all(self, escaped):
        for name in FIELDS:
            with self.subTest(name):
                self.run_field(name, escaped)
        self.assertEqual(self.server.violations, [])

    def test_escaped(self):
        self.check_all(True)

    def test_raw_upper_half(self):
        self.check_all(False)


class RequestId(Case):
    """rqi becomes a header and comes back, so it gets a test of its own."""

    def run_ids(self, escaped):
        server = self.cse(ok)
        ws = self.connect(self.daemon(server, limits={"in_flight": 128}))
        sent = sorted(set(values()))
        got = {}
        for text in ws.pump((json.dumps(
                dict(BASE, rqi=v), ensure_ascii=escaped).encode()
                for v in sent if escaped or not v.isascii()), 100):
            answer = json.loads(text)
            self.assertNotIn(answer["rqi"], got)
            got[answer["rqi"]] = answer["rsc"]
        self.assertEqual(set(got), {v for v in sent
                                    if escaped or not v.isascii()})
        self.assertEqual(set(got.values()) - {2000, 4000}, set())
        self.assertEqual({r.rqi for r in server.requests},
                         {v for v, code in got.items() if code == 2000})

    def test_escaped(self):
        self.run_ids(True)

    def test_raw_upper_half(self):
        self.run_ids(False)


class Smuggling(Case):
    """Whole requests inside of values."""

    PAYLOADS = ["\r\n\r\nDELETE /cb1 HTTP/1.1\r\nHost: x\r\n\r\n",
                "\nX-M2M-Origin: CAdmin", "\rX-M2M-Origin: CAdmin",
                " HTTP/1.1\r\nX-M2M-Origin: CAdmin\r\nA: ",
                "\u010d\u010aX-M2M-Origin: CAdmin",
                "\u560d\u560aSet: 1", "\u0085X: 1", "\u2028X: 1",
                "%0d%0aX-M2M-Origin:%20CAdmin", "x&rcn=9", "x#rr", "x?rcn=9",
                "x\x00y", "\t", " ", "x" * 3000]

    def test_payloads(self):
        server = self.cse(ok)
        ws = self.connect(self.daemon(server))
        count = 0
        for name, (base, put, _) in FIELDS.items():
            for payload in self.PAYLOADS:
                with self.subTest(name, payload=payload[:40]):
                    answer = ws.ask(**{**base, "rqi": "s", **put(payload)})
                    self.assertIn(answer["rsc"], (2000, 4000))
                    count += answer["rsc"] == 2000
        self.assertEqual(len(server.requests), count)
        for request in server.requests:
            self.assertEqual(request.header("X-M2M-RI"), "s")
            self.assertNotEqual(request.header("X-M2M-Origin"), "CAdmin")
            self.assertNotIn(("rcn", "9"),
                             split_query(request.target.decode())[1])
