"""The embedded CSE behind the gateway, both ways over real HTTP: what it sends
to AEs and to a field CSE comes down their WebSockets."""

from harness import Case, free_port


class EmbeddedReverse(Case):
    def setUp(self):
        cse, notify = free_port(), free_port()
        self.gateway = self.daemon(
            f"http://127.0.0.1:{cse}", auth={"mode": "registered"},
            upstream={"cse_id": "/id-in"},
            notify={"listen": f"127.0.0.1:{notify}"},
            store={"path": ":memory:", "http_listen": f"127.0.0.1:{cse}"})
        self.count = 0

    def ask(self, ws, fr, **members):
        """Sends a request; its rqi."""
        self.count += 1
        rqi = f"e{self.count}"
        ws.send_prim(**dict({"fr": fr, "rqi": rqi, "rvi": "3"}, **members))
        return rqi

    def must(self, ws, rsc, fr, **members):
        rqi = self.ask(ws, fr, **members)
        got = ws.recv_prim()
        self.assertEqual((got.get("rqi"), got.get("rsc")), (rqi, rsc), got)
        return got.get("pc")

    def say(self, ws, prim, rsc=2000, **members):
        ws.send_prim(rsc=rsc, rqi=prim["rqi"], rvi="3", **members)

    def ae(self, name):
        ws = self.connect(self.gateway)
        self.must(ws, 2001, f"C{name}", op=1, to="cse-in", ty=2, pc={
            "m2m:ae": {"rn": name, "api": "N1", "rr": True, "srv": ["3"]}})
        return ws

    def field_cse(self):
        ws = self.connect(self.gateway)
        self.must(ws, 2001, "/mn-cse7", op=1, to="cse-in", ty=16, pc={
            "m2m:csr": {"rn": "mn7", "cb": "/mn-cse7/mn", "rr": True,
                        "srv": ["3"], "dcse": ["/asn-8"]}})
        return ws

    def test_requests_for_a_field_cse(self):
        mn, ae = self.field_cse(), self.ae("app")
        for op, members in ((2, {}), (4, {}),
                            (1, {"ty": 4, "pc": {"m2m:cin": {"con": "a"}}}),
                            (3, {"pc": {"m2m:cnt": {"mni": 3}}}),
                            (5, {"pc": {"m2m:sgn": {"sur": "s"}}})):
            for to in ("/mn-cse7/mn/x", "/asn-8/base/x"):
                rqi = self.ask(ae, "Capp", op=op, to=to, **members)
                got = mn.recv_prim()
                self.assertEqual((got["op"], got["to"], got["fr"]),
                                 (op, to, "/id-in/Capp"))
                self.assertEqual(got.get("pc"), members.get("pc"))
                self.say(mn, got, 2000, pc={"m2m:cnt": {"rn": "x"}})
                answer = ae.recv_prim()
                self.assertEqual((answer["rqi"], answer["rsc"]), (rqi, 2000))
                self.assertEqual(answer["pc"], {"m2m:cnt": {"rn": "x"}})
        mn.drop()
        rqi = self.ask(ae, "Capp", op=2, to="/mn-cse7/mn/x")
        answer = ae.recv_prim()
        self.assertEqual((answer["rqi"], answer["rsc"]), (rqi, 5103))

    def test_requests_of_a_field_cse_for_its_aes(self):
        mn = self.field_cse()
        self.must(mn, 4103, "/mn-cse7/Cabc", op=2, to="cse-in/mn7")
        self.must(mn, 2001, "/mn-cse7", op=1, to="cse-in/mn7", ty=3,
                  pc={"m2m:cnt": {"rn": "data"}})
        # a subscription of one of its AEs is verified down the same socket
        rqi = self.ask(mn, "/mn-cse7", op=1, to="cse-in/mn7/data", ty=23, pc={
            "m2m:sub": {"nu": ["/mn-cse7/Cabc"], "enc": {"net": [3]}}})
        got = mn.recv_prim()
        self.assertEqual((got["op"], got["to"]), (5, "/mn-cse7/Cabc"))
        self.assertTrue(got["pc"]["m2m:sgn"]["vrq"])
        self.say(mn, got)
        answer = mn.recv_prim()
        self.assertEqual((answer["rqi"], answer["rsc"]), (rqi, 2001))

    def test_result_of_a_non_blocking_request(self):
        ae = self.ae("app")
        self.must(ae, 2001, "Capp", op=1, to="cse-in/app", ty=3,
                  pc={"m2m:cnt": {"rn": "data"}})
        for rt in ({"rtv": 2}, {"rtv": 2, "nu": ["ws://default"]}):
            rqi = self.ask(ae, "Capp", op=2, to="cse-in/app/data", rt=rt)
            first, second = ae.recv_prim(), ae.recv_prim()
            answer, result = sorted((first, second),
                                    key=lambda p: "rsc" not in p)
            self.assertEqual((answer["rqi"], answer["rsc"]), (rqi, 1002))
            rsp = result["pc"]["m2m:rsp"]
            self.assertEqual((rsp["rqi"], rsp["rsc"]), (rqi, 2000))
            self.assertEqual(rsp["pc"]["m2m:cnt"]["rn"], "data")
            self.say(ae, result)

    def test_blocking_update(self):
        owner, other = self.ae("owner"), self.ae("other")
        self.must(owner, 2001, "Cowner", op=1, to="cse-in/owner", ty=1, pc={
            "m2m:acp": {"rn": "acp", "pv": {"acr": [
                {"acor": ["Cowner", "Cother"], "acop": 63}]}, "pvs": {
                    "acr": [{"acor": ["Cowner"], "acop": 63}]}}})
        self.must(owner, 2001, "Cowner", op=1, to="cse-in/owner", ty=3, pc={
            "m2m:cnt": {"rn": "data", "acpi": ["cse-in/owner/acp"]}})
        self.must(owner, 2001, "Cowner", op=1, to="cse-in/owner/data", ty=23,
                  pc={"m2m:sub": {"nu": ["Cowner"], "enc": {"net": [7]}}})
        for says, rsc in ((2000, 2004), (4005, 4127)):
            rqi = self.ask(other, "Cother", op=3, to="cse-in/owner/data",
                           pc={"m2m:cnt": {"mni": says}})
            got = owner.recv_prim()
            self.assertEqual(got["pc"]["m2m:sgn"]["nev"]["net"], 7)
            self.say(owner, got, says)
            answer = other.recv_prim()
            self.assertEqual((answer["rqi"], answer["rsc"]), (rqi, rsc))
        owner.drop()
        self.must(other, 5107, "Cother", op=3, to="cse-in/owner/data",
                  pc={"m2m:cnt": {"mni": 1}})

    def test_polling_over_the_websocket(self):
        """Whoever says rr false polls, and gets no point of access."""
        ws, other = self.connect(self.gateway), self.ae("other")
        self.must(ws, 2001, "Cpoll", op=1, to="cse-in", ty=2, pc={
            "m2m:ae": {"rn": "poll", "api": "N1", "rr": False,
                       "srv": ["3"]}})
        self.must(ws, 2001, "Cpoll", op=1, to="cse-in/poll", ty=15,
                  pc={"m2m:pch": {"rn": "pch"}})
        poll = self.ask(ws, "Cpoll", op=2, to="cse-in/poll/pch/pcu")
        self.must(other, 2001, "Cother", op=1, to="cse-in/other", ty=3,
                  pc={"m2m:cnt": {"rn": "data"}})
        rqi = self.ask(other, "Cother", op=1, to="cse-in/other/data", ty=23,
                       pc={"m2m:sub": {"nu": ["Cpoll"]}})
        got = ws.recv_prim()
        self.assertEqual((got["rqi"], got["rsc"]), (poll, 2000))
        asked = got["pc"]["m2m:rqp"]
        self.assertTrue(asked["pc"]["m2m:sgn"]["vrq"])
        self.must(ws, 2000, "Cpoll", op=5, to="cse-in/poll/pch/pcu", pc={
            "m2m:rsp": {"rsc": 2000, "rqi": asked["rqi"], "rvi": "3"}})
        answer = other.recv_prim()
        self.assertEqual((answer["rqi"], answer["rsc"]), (rqi, 2001))
