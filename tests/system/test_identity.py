"""Who may speak for whom, and what each side sees of points of access."""

import json
import tempfile

from fakecse import response
from harness import eventually
from reverse import Later, ReverseCase, call, sgn
from wsclient import Gone, WebSocket


class Identity(ReverseCase):
    def ask(self, ws, fr, op=2, to="cse-in", rqi="q", **members):
        return ws.ask(op=op, to=to, fr=fr, rqi=rqi, rvi="3", **members)["rsc"]

    def forwarded(self, fr):
        return [r for r in self.fake.requests
                if r.header("X-M2M-Origin") == fr]

    def test_before_registration_nothing_else_passes(self):
        ws = self.connect(self.gateway())
        for op, members in ((2, {}), (4, {}), (3, {"pc": {"m2m:ae": {}}}),
                            (5, {"pc": sgn()}),
                            (1, {"ty": 3, "pc": {"m2m:cnt": {}}})):
            self.assertEqual(self.ask(ws, "Cmeter7", op, **members), 4106)
        self.assertEqual(self.fake.requests, [])
        self.register(ws, "C")
        self.assertEqual(self.ask(ws, "Cgiven1"), 2000)

    def test_the_socket_that_registered_stays_usable(self):
        ws, _ = self.online(self.gateway(), "Cmeter7")
        for fr in ("Cmeter7", "/id-in/Cmeter7", "Cmeter7"):
            self.assertEqual(self.ask(ws, fr), 2000)

    def test_foreign_originators_are_never_forwarded(self):
        daemon = self.gateway()
        self.online(daemon, "Cother")[0].drop()
        ws, _ = self.online(daemon, "Cmeter7")
        for fr in ("Cstranger", "C", "S", "CAdmin", "/id-in/CAdmin", "/id-in",
                   "/other/Cmeter7", "//sp/id-in/Cmeter7", "C%6deter7",
                   "Cmeter7 ", "cmeter7", "Cmeter7/x", "/id-in//Cmeter7",
                   "/id-in/Cmeter7/", "/id-inx/Cmeter7", "//id-in/Cmeter7",
                   "/Cmeter7"):
            self.assertEqual(self.ask(ws, fr), 4106, fr)
            self.assertEqual(self.forwarded(fr), [])

    def test_a_stranger_is_not_listened_to_for_ever(self):
        ws = self.connect(self.gateway())
        for _ in range(63):
            self.assertEqual(self.ask(ws, "Cmeter7"), 4106)
        self.register(ws, "Cmeter7")
        for _ in range(64):
            self.assertEqual(self.ask(ws, "Cother"), 4106)
        self.assertEqual(ws.close_received(), 1008)

    def test_administrators_do_not_register(self):
        daemon = self.gateway(auth={"reserved": "CAdmin,CSuper"})
        for fr in ("CAdmin", "CSuper", "/id-in/CAdmin"):
            ws = self.connect(daemon)
            answer = ws.ask(op=1, to="cse-in", fr=fr, rqi="r", rvi="3", ty=2,
                            pc={"m2m:ae": {"api": "N", "rr": True,
                                           "srv": ["3"]}})
            self.assertEqual(answer["rsc"], 4106)
        self.assertEqual(self.fake.requests, [])

    def test_nobody_is_the_cse_behind(self):
        ws = self.connect(self.gateway())
        answer = ws.ask(op=1, to="cse-in", fr="/id-in", rqi="r", rvi="3",
                        ty=16, pc={"m2m:csr": {"cb": "/id-in/x", "rr": True,
                                               "srv": ["3"]}})
        self.assertEqual(answer["rsc"], 4106)
        self.register_cse(ws, dcse=["/id-in", "//sp/id-in", "/id-in/x"])
        for fr in ("/id-in", "/id-in/Cany", "Cany"):
            self.assertEqual(self.ask(ws, fr), 4106, fr)
            self.assertEqual(self.forwarded(fr), [])

    def test_several_aes_on_one_connection(self):
        ws, poa = self.online(self.gateway(), "Cone")
        self.register(ws, "Ctwo")
        for me in ("Cone", "Ctwo"):
            later = Later(self.registrar.poa[me][0], sgn())
            got = ws.recv_prim()
            self.assertEqual(got["to"], me)
            self.answer(ws, got)
            self.assertEqual(later.result().rsc, 2000)

    def test_a_cse_and_an_ae_do_not_share(self):
        daemon = self.gateway()
        self.online(daemon, "Cmeter7")[0].drop()
        ws = self.connect(daemon)
        self.register_cse(ws)
        self.assertEqual(self.ask(ws, "Cmeter7"), 4103)

    def test_back_by_the_first_accepted_request(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon)
        ws.drop()
        again = self.back(daemon)
        later = Later(poa, sgn())
        self.answer(again, again.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_a_request_that_the_cse_refuses_proves_nothing(self):
        daemon = self.gateway(notify={"offline": "reject"})
        ws, poa = self.online(daemon)
        ws.drop()
        self.assertTrue(eventually(lambda: call(poa, sgn()).rsc == 5103))
        self.registrar.hook = lambda r: response(4103, r.rqi)
        again = self.connect(daemon)
        self.assertEqual(self.ask(again, "Cmeter7"), 4103)
        self.assertEqual(call(poa, sgn()).rsc, 5103)

    def test_back_by_the_handshake(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon)
        ws.drop()
        again = self.connect(daemon, headers=["X-M2M-Origin: Cmeter7"])
        later = Later(poa, sgn())
        self.answer(again, again.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_takeover_closes_the_older_one(self):
        daemon = self.gateway(gateway={"workers": 3})
        ws, poa = self.online(daemon)
        for _ in range(6):
            again = self.back(daemon)
            with self.assertRaisesRegex(Gone, "Close 1000"):
                ws.recv_prim()
            later = Later(poa, sgn())
            self.answer(again, again.recv_prim())
            self.assertEqual(later.result().rsc, 2000)
            ws = again

    def test_takeover_by_a_weaker_one_is_refused(self):
        daemon = self.gateway()
        self.online(daemon)[0].drop()
        strong = self.connect(daemon, headers=["X-M2M-Origin: Cmeter7"])
        weak = self.connect(daemon)
        self.assertEqual(self.ask(weak, "Cmeter7"), 4103)
        self.assertEqual(self.forwarded("Cmeter7")[1:], [])
        later = Later(self.registrar.poa["Cmeter7"][0], sgn())
        self.answer(strong, strong.recv_prim())
        self.assertEqual(later.result().rsc, 2000)
        stronger = self.connect(daemon, headers=["X-M2M-Origin: Cmeter7"])
        self.assertEqual(self.ask(stronger, "Cmeter7"), 2000)

    def test_deregistration(self):
        for to in ("Cmeter7", "/id-in/Cmeter7", "cse-in/meter", "-/meter",
                   "/id-in/cse-in/meter"):
            daemon = self.gateway()
            ws, poa = self.online(daemon, rn="meter")
            self.assertEqual(self.ask(ws, "Cmeter7", 4, to), 2002)
            self.assertEqual(call(poa, sgn()).rsc, 4004)
            self.assertEqual(self.ask(ws, "Cmeter7"), 4106, to)

    def test_the_latest_instance_is_not_the_ae_of_its_name(self):
        ws, poa = self.online(self.gateway(), rn="la")
        self.assertEqual(self.ask(ws, "Cmeter7", 4, "cnt12/la"), 2002)
        later = Later(poa, sgn())
        self.answer(ws, ws.recv_prim())
        self.assertEqual(later.result().rsc, 2000)

    def test_the_cse_has_forgotten_the_ae(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon, rn="meter")
        self.registrar.hook = lambda r: response(4004, r.rqi)
        self.assertEqual(self.ask(ws, "Cmeter7", to="cse-in/other"), 4004)
        self.assertEqual(self.ask(ws, "Cmeter7", to="cse-in/meter"), 4004)
        self.registrar.hook = None
        self.assertEqual(self.ask(ws, "Cmeter7"), 4106)
        self.assertEqual(call(poa, sgn()).rsc, 4004)

    def test_mode_open_lets_the_cse_judge(self):
        ws = self.connect(self.gateway(auth={"mode": "open"}))
        for fr in ("CAdmin", "Cnobody", "/id-in/Cx"):
            self.assertEqual(self.ask(ws, fr), 2000)
            self.assertEqual(len(self.forwarded(fr)), 1)

    def test_after_a_restart(self):
        with tempfile.TemporaryDirectory(prefix="m2mwsd-") as where:
            daemon = self.gateway(gateway={"state_dir": where})
            ws, poa = self.online(daemon, poa=["ws://default"])
            mn = self.connect(daemon)
            self.register_cse(mn, dcse=["/asn-8"])
            daemon.ended = True
            daemon.kill()
            daemon = self.gateway(
                gateway={"state_dir": where},
                notify={"listen": poa.split("/")[2]})
            again = self.back(daemon)
            later = Later(poa, sgn())
            self.answer(again, again.recv_prim())
            self.assertEqual(later.result().rsc, 2000)
            mn = self.connect(daemon)
            self.assertEqual(self.ask(mn, "/mn-cse7"), 2000)
            later = Later(daemon.notify_url + "~/asn-8/x", method="GET")
            self.answer(mn, mn.recv_prim())
            self.assertEqual(later.result().rsc, 2000)


class PointOfAccess(ReverseCase):
    def sent(self, fr="Cmeter7"):
        body = json.loads(self.registrar.bodies[fr])
        return next(iter(body.values()))

    def test_what_the_cse_and_the_client_see(self):
        cases = [
            ({}, ["GW"], None),
            ({"poa": ["ws://default"]}, ["GW"], ["ws://default"]),
            ({"poa": ["http://a/", "wss://x/y", "ws://z"]},
             ["http://a/", "GW"], ["http://a/", "wss://x/y", "ws://z"]),
            ({"poa": ["http://a/"]}, ["http://a/"], ["http://a/"]),
            ({"rr": False}, None, None),
            ({"rr": False, "poa": ["ws://default"]}, ["ws://default"],
             ["ws://default"]),
        ]
        daemon = self.gateway()
        for i, (members, cse, client) in enumerate(cases):
            ws = self.connect(daemon)
            me = f"C{i}"
            ae = self.register(ws, me, **members)
            got = self.sent(me).get("poa")
            if cse and "GW" in cse:
                where = cse.index("GW")
                self.assertRegex(got[where], f"^{daemon.notify_url}r/")
                got[where] = "GW"
            self.assertEqual(got, cse, members)
            self.assertEqual(ae.get("poa"), client, members)

    def test_no_client_sees_a_token(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon, poa=["ws://default"])
        other, poa2 = self.online(daemon, "Cother")
        shown = {"m2m:ae": {"ri": "Cmeter7", "poa": [poa], "lbl": [poa]}}
        self.registrar.hook = lambda r: response(
            2000, r.rqi, json.dumps(shown).encode())
        for reader, fr in ((ws, "Cmeter7"), (other, "Cother")):
            answer = reader.ask(op=2, to="Cmeter7", fr=fr, rqi="x", rvi="3")
            self.assertEqual(answer["pc"]["m2m:ae"]["poa"], ["ws://default"])
            self.assertEqual(answer["pc"]["m2m:ae"]["lbl"], [poa])
        self.registrar.hook = None
        rep = {"m2m:sgn": {"nev": {"rep": shown, "net": 1}, "sur": "s"}}
        later = Later(poa2, rep)
        got = other.recv_prim()
        self.assertEqual(got["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:ae"]["poa"],
                         ["ws://default"])
        self.answer(other, got)
        self.assertEqual(later.result().rsc, 2000)

    def test_the_rest_of_a_registration_is_untouched(self):
        daemon = self.gateway()
        ws = self.connect(daemon)
        text = ('{"op":1,"to":"cse-in","fr":"Cx","rqi":"1","rvi":"3","ty":2,'
                '"pc": {"m2m:ae" :{ "rr":true,"x":1.10,"api":"N\\u00e4",'
                '"srv":[ "3" ],"poa":["ws://default"]} } }')
        ws.send_text(text)
        self.assertEqual(ws.recv_prim()["rsc"], 2001)
        url = self.registrar.poa["Cx"][0]
        want = text[text.index('"pc": ') + 6:-2].replace("ws://default", url)
        self.assertEqual(self.registrar.bodies["Cx"], want.encode())

    def test_update(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon, rn="meter", poa=["ws://default"])
        seen = []

        def hook(request):
            seen.append(json.loads(request.body))
            return response(2004, request.rqi, request.body)

        self.registrar.hook = hook
        for given, cse in ((["ws", "http://b/"], [poa, "http://b/"]),
                           (["http://b/"], ["http://b/"]),
                           (["ws://default"], [poa])):
            answer = ws.ask(op=3, to="cse-in/meter", fr="Cmeter7", rqi="u",
                            rvi="3", pc={"m2m:ae": {"poa": given}})
            self.assertEqual(answer["pc"]["m2m:ae"]["poa"], given)
            self.assertEqual(seen[-1], {"m2m:ae": {"poa": cse}})

    def test_notification_targets(self):
        daemon = self.gateway()
        ws, _ = self.online(daemon)
        for given, cse in ((["ws://default"], ["Cmeter7"]),
                           (["Cother", "ws://"], ["Cother", "Cmeter7"]),
                           (["ws://default?ct=json"], ["Cmeter7?ct=json"]),
                           (["http://a/"], ["http://a/"])):
            ws.ask(op=1, to="cse-in/x", fr="Cmeter7", rqi="s", rvi="3", ty=23,
                   pc={"m2m:sub": {"nu": given}})
            sent = json.loads(self.fake.requests[-1].body)
            self.assertEqual(sent["m2m:sub"]["nu"], cse)
        ws.ask(op=2, to="cse-in/x", fr="Cmeter7", rqi="t", rvi="3",
               rt={"rtv": 2, "nu": ["ws://default"]})
        self.assertEqual(self.fake.requests[-1].header("X-M2M-RTU"),
                         "Cmeter7")

    def test_without_a_reverse_channel_nothing_changes(self):
        daemon = self.daemon(self.fake, auth={"mode": "registered"})
        ws = self.connect(daemon)
        self.register(ws, poa=["ws://default"])
        self.assertEqual(self.registrar.poa["Cmeter7"], ["ws://default"])
