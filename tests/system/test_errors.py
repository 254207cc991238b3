"""What the gateway answers itself, and what it makes of odd primitives."""

import json

from fakecse import always, ok, response
from harness import Case

GOOD = {"op": 2, "to": "cb1", "fr": "Cmeter7", "rqi": "g", "rvi": "3"}


class LocalErrors(Case):
    """(what is wrong, text of the message, rsc, rqi of the answer)"""

    ROWS = [
        ("truncated", '{"op":2,"to":', 4000, ""),
        ("empty message", "", 4000, ""),
        ("not JSON", "hello", 4000, ""),
        ("array", '[{"op":2}]', 4000, ""),
        ("number", "5", 4000, ""),
        ("null", "null", 4000, ""),
        ("two values", '{"op":2}{"op":2}', 4000, None),
        ("trailing comma", '{"op":2,}', 4000, None),
        ("comment", '{"op":2/*x*/}', 4000, None),
        ("single quotes", "{'op':2}", 4000, None),
        ("NUL", '{"op":2\x00}', 4000, None),
        ("raw control octet in a string",
         '{"op":2,"to":"a\x01b","fr":"C","rqi":"e","rvi":"3"}', 4000, None),
        ("lone surrogate",
         '{"op":2,"to":"\\ud800","fr":"C","rqi":"e","rvi":"3"}', 4000, None),
        ("neither op nor rsc", '{"to":"cb1","rqi":"e"}', 4000, "e"),
        ("to missing", '{"op":2,"fr":"C","rqi":"e1","rvi":"3"}', 4000, "e1"),
        ("to empty", '{"op":2,"to":"","fr":"C","rqi":"e1","rvi":"3"}',
         4000, "e1"),
        ("rqi missing", '{"op":2,"to":"cb1","fr":"C","rvi":"3"}', 4000, ""),
        ("rqi a list", '{"op":2,"to":"cb1","fr":"C","rqi":["a"],"rvi":"3"}',
         4000, ""),
        ("fr missing", '{"op":2,"to":"cb1","rqi":"e","rvi":"3"}', 4000, "e"),
        ("fr missing in a CREATE that is no AE",
         '{"op":1,"to":"cb1","rqi":"e","rvi":"3","ty":3,'
         '"pc":{"m2m:cnt":{}}}', 4000, "e"),
        ("op unknown", '{"op":9,"to":"cb1","fr":"C","rqi":"e2","rvi":"3"}',
         4000, "e2"),
        ("op zero", '{"op":0,"to":"cb1","fr":"C","rqi":"e2","rvi":"3"}',
         4000, "e2"),
        ("op negative", '{"op":-1,"to":"cb1","fr":"C","rqi":"e2"}',
         4000, "e2"),
        ("op huge", '{"op":4294967298,"to":"cb1","fr":"C","rqi":"e2"}',
         4000, "e2"),
        ("op a fraction", '{"op":2.5,"to":"cb1","fr":"C","rqi":"e2"}',
         4000, "e2"),
        ("op an object", '{"op":{},"to":"cb1","fr":"C","rqi":"e2"}',
         4000, "e2"),
        ("CREATE without ty",
         '{"op":1,"to":"cb1","fr":"C","rqi":"e3","rvi":"3",'
         '"pc":{"m2m:cnt":{}}}', 4000, "e3"),
        ("CREATE without pc",
         '{"op":1,"to":"cb1","fr":"C","rqi":"e3","rvi":"3","ty":3}',
         4000, "e3"),
        ("UPDATE without pc",
         '{"op":3,"to":"cb1","fr":"C","rqi":"e3","rvi":"3"}', 4000, "e3"),
        ("NOTIFY without pc",
         '{"op":5,"to":"cb1","fr":"C","rqi":"e3","rvi":"3"}', 4000, "e3"),
        ("member twice",
         '{"op":2,"to":"cb1","to":"cb2","fr":"C","rqi":"e4","rvi":"3"}',
         4000, None),
        ("member twice, once escaped",
         '{"op":2,"to":"cb1","t\\u006f":"cb2","fr":"C","rqi":"e4"}',
         4000, None),
        ("expired", '{"op":2,"to":"cb1","fr":"C","rqi":"e5","rvi":"3",'
         '"rqet":"20200101T000000"}', 4008, "e5"),
        ("grtm has no place in HTTP",
         '{"op":2,"to":"cb1","fr":"C","rqi":"e6","rvi":"3","grtm":["a"]}',
         5001, "e6"),
        ("too deep", '{"op":2,"to":"cb1","fr":"C","rqi":"e7","rvi":"3",'
         '"pc":' + "[" * 200 + "]" * 200 + "}", 4000, None),
    ]

    def test_rows(self):
        cse = self.cse(ok)
        daemon = self.daemon(cse)
        ws = self.connect(daemon)
        for name, text, rsc, rqi in self.ROWS:
            with self.subTest(name):
                answer = ws.ask_text(text)
                self.assertEqual(answer["rsc"], rsc)
                self.assertIn("rqi", answer)
                if rqi is not None:
                    self.assertEqual(answer["rqi"], rqi)
            # the connection stays
            self.assertEqual(ws.ask(**GOOD)["rsc"], 2000)
        self.assertEqual({r.rqi for r in cse.requests}, {"g"})

    def test_wrapped(self):
        """TS-0004 8.4.2 has no wrapper: refused with the inner rqi where it
        can be read, or unwrapped."""
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse))
        answer = ws.ask_text(json.dumps({"m2m:rqp": dict(GOOD, rqi="w1")}))
        self.assertIn(answer["rsc"], (4000, 2000))
        self.assertIn(answer["rqi"], ("w1", ""))
        if answer["rsc"] == 4000:
            self.assertEqual(cse.requests, [])

    def test_answers_carry_the_request_version(self):
        ws = self.connect(self.daemon(self.cse(ok)))
        answer = ws.ask(op=2, fr="C", rqi="v", rvi="2a")
        self.assertEqual((answer["rsc"], answer["rvi"]), (4000, "2a"))


class Odd(Case):
    def test_response_nobody_asked_for_is_dropped(self):
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse))
        for text in ('{"rsc":2000,"rqi":"never","rvi":"3"}',
                     # rsc decides, whatever else there is
                     '{"rsc":2000,"op":2,"to":"cb1","fr":"C","rqi":"x"}',
                     '{"rsc":2000}', '{"rsc":"2000","rqi":"y"}',
                     # broken ones, too: the answer would be to "g"
                     '{"rsc":"x","rqi":"g"}', '{"rsc":2000,"rqi":"g",}'):
            ws.send_text(text)
        answer = ws.ask(**GOOD)
        self.assertEqual((answer["rsc"], answer["rqi"]), (2000, "g"))
        self.assertEqual(len(cse.requests), 1)

    def test_order_and_space_of_members(self):
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse))
        answer = ws.ask_text('\r\n\t {"rvi" : "3" ,\n"rq\\u0069":"o1",'
                             '"fr":"\\u0043m", "to":"cb1","op": 2 } \n')
        self.assertEqual((answer["rsc"], answer["rqi"]), (2000, "o1"))
        self.assertEqual(cse.requests[0].header("X-M2M-Origin"), "Cm")

    def test_byte_order_mark(self):
        """RFC 8259 8.1: not part of JSON text; either is fine, but alive."""
        ws = self.connect(self.daemon(self.cse(ok)))
        answer = ws.ask_text("\ufeff" + json.dumps(GOOD))
        self.assertIn(answer["rsc"], (2000, 4000))

    def test_unknown_members_are_tolerated(self):
        cse = self.cse(ok)
        ws = self.connect(self.daemon(cse))
        more = {"prpi": "x", "x:own": {"a": [1, {"b": None}]}, "msu": "u"}
        self.assertEqual(ws.ask(**GOOD, **more)["rsc"], 2000)
        self.assertEqual(cse.requests[0].target, b"/cb1")


class OddAnswers(Case):
    """(what the CSE sends, rsc for the client). All with the request's
    connection closed afterwards unless it is well framed."""

    def ask(self, data, close=True, seconds="3s"):
        def handler(request):
            request.reply(data, close)
            return b""
        cse = self.cse(handler)
        ws = self.connect(self.daemon(cse, upstream={"timeout": seconds}))
        answer = ws.ask(**GOOD)
        self.assertEqual(answer["rqi"], "g")
        return answer

    def test_html_502(self):
        page = b"<html><body>Bad Gateway</body></html>"
        answer = self.ask(b"HTTP/1.1 502 Bad Gateway\r\n"
                          b"Content-Type: text/html\r\nContent-Length: %d"
                          b"\r\n\r\n%s" % (len(page), page))
        self.assertEqual(answer["rsc"], 5103)
        self.assertNotIn("html", json.dumps(answer))

    def test_unknown_rsc_passes(self):
        for rsc in (5999, 4142, 6999, 1999):
            answer = self.ask(response(rsc, "g", status=400))
            self.assertEqual(answer["rsc"], rsc)

    def test_malformed(self):
        rows = [
            ("not HTTP", b"hello\r\n\r\n"),
            ("binary", b"\x00\x01\x02\x03\r\n\r\n"),
            ("HTTP/2", b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
             b"Content-Length: 3\r\n\r\n{} "),
            ("bad length", b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n"),
            ("length and chunked", b"HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n"
             b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"0\r\n\r\n"),
            ("short body", b"HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n"
             b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n"
             b'{"m2m:dbg":"cut'),
            ("bare CR", b"HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\rA: b\r\n"
             b"Content-Length: 0\r\n\r\n"),
            ("folded header", b"HTTP/1.1 200 OK\r\nX-M2M-RSC:\r\n 2000\r\n"
             b"Content-Length: 0\r\n\r\n"),
            ("body is not JSON", response(2000, "g", b"not json")),
            ("body is cut JSON", response(2000, "g", b'{"m2m:cin":{')),
            ("body with NUL", response(2000, "g", b'{"m2m:cin":{}}\x00')),
            ("body is not UTF-8", response(2000, "g", b'{"a":"\xff"}')),
            ("two JSON values", response(2000, "g", b'{}{"m2m:cin":{}}')),
            ("chunk size is no number", b"HTTP/1.1 200 OK\r\n"
             b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
            ("head without end", b"HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n"),
        ]
        for name, data in rows:
            with self.subTest(name):
                self.assertEqual(self.ask(data)["rsc"], 5000)

    def test_endless(self):
        rows = [
            ("head", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200000),
            ("header line", b"HTTP/1.1 200 OK\r\nA: " + b"b" * (1 << 20)),
        ]
        for name, data in rows:
            with self.subTest(name):
                self.assertEqual(self.ask(data, False)["rsc"], 5000)

    def test_answer_larger_than_a_message(self):
        body = b'{"m2m:dbg":"' + b"x" * (1 << 22) + b'"}'
        answer = self.ask(response(2000, "g", body), False)
        self.assertIn(answer["rsc"], (2000, 5000, 5207))

    def test_answer_that_never_fits(self):
        """Above max_queue: 5000, and no member that nobody gave."""
        body = b'{"m2m:dbg":"' + b"x" * 20000 + b'"}'
        cse = self.cse(lambda r: response(2000, r.rqi, body))
        ws = self.connect(self.daemon(cse, limits={"max_queue": "16k"}))
        self.assertEqual(ws.ask(op=2, to="cb1", fr="C", rqi="g"), {
            "rsc": 5000, "rqi": "g",
            "pc": {"m2m:dbg": "answer above max_queue"}})

    def test_switching_protocols(self):
        answer = self.ask(b"HTTP/1.1 101 Switching Protocols\r\n"
                          b"Upgrade: x\r\nConnection: Upgrade\r\n\r\n", False)
        self.assertIn(answer["rsc"], (5000, 5103))

    def test_redirect_is_not_followed(self):
        cse = self.cse(always(b"HTTP/1.1 302 Found\r\nLocation: /other\r\n"
                              b"Content-Length: 0\r\n\r\n"))
        ws = self.connect(self.daemon(cse))
        self.assertEqual(ws.ask(**GOOD)["rsc"], 5103)
        self.assertEqual(len(cse.requests), 1)

    def test_fallback_without_rsc(self):
        """http-binding 7: (HTTP status, rsc)."""
        rows = [(200, 2000), (201, 2001), (202, 1000), (204, 2000),
                (301, 5103), (400, 4000), (403, 4103), (404, 4004),
                (405, 4005), (406, 5207), (408, 4008), (409, 4105),
                (413, 4000), (415, 4015), (418, 4000), (429, 5103),
                (500, 5000), (501, 5001), (502, 5103), (503, 5103),
                (504, 4008), (599, 5000)]
        state = {}

        def handler(request):
            length = b"" if state["status"] == 204 else b"Content-Length: 0\r\n"
            return b"HTTP/1.1 %d\r\n%s\r\n" % (state["status"], length)
        ws = self.connect(self.daemon(self.cse(handler)))
        for status, rsc in rows:
            with self.subTest(status):
                state["status"] = status
                self.assertEqual(ws.ask(**GOOD)["rsc"], rsc)
