"""What crosses on its way: sessions, answers, and the end."""

import tempfile

from harness import eventually, within
from reverse import Later, ReverseCase, call, con_of, sgn
from wsclient import Gone


class Races(ReverseCase):
    def holding(self, method):
        """Requests of that method, which the CSE has and does not answer."""
        held = []

        def hook(request):
            if request.method != method:
                return None
            held.append(request)
            return b""

        self.registrar.hook = hook
        return held

    def test_what_waited_for_the_older_session_goes_to_the_newer(self):
        daemon = self.gateway(notify={"timeout": "20s", "in_flight": 1},
                              gateway={"workers": 3},
                              limits={"close_timeout": "100ms"})
        ws, poa = self.online(daemon)
        first = Later(poa, sgn("first"))
        self.assertEqual(con_of(ws.recv_prim()), "first")
        second = Later(poa, sgn("second"))
        # a later one has come back: the second one waits in the session
        self.assertEqual(call(poa, sgn("third"), X_M2M_RET="100").rsc, 4008)
        again = self.back(daemon)
        with self.assertRaisesRegex(Gone, "Close 1000"):
            ws.recv_prim()
        got = again.recv_prim()
        self.assertEqual(con_of(got), "second")
        self.answer(again, got)
        self.assertEqual(second.result().rsc, 2000)
        self.assertEqual(first.result().rsc, 5103)

    @within(30)
    def test_drain_with_a_registration_at_the_cse(self):
        daemon = self.gateway(gateway={"drain_timeout": "60s", "workers": 1},
                              limits={"close_timeout": "100ms"})
        idle = self.connect(daemon)
        ws = self.connect(daemon)
        held = self.holding(b"POST")
        ws.send_prim(op=1, to="cse-in", fr="Cmeter7", rqi="r", rvi="3", ty=2,
                     pc={"m2m:ae": {"api": "N1", "rr": True, "srv": ["3"]}})
        self.assertTrue(eventually(lambda: held))
        daemon.signal()
        with self.assertRaisesRegex(Gone, "Close 1012"):
            idle.recv_prim()
        self.registrar.hook = None
        held[0].reply(self.registrar(held[0]))
        self.assertEqual(ws.recv_prim()["rsc"], 2001)
        with self.assertRaisesRegex(Gone, "Close 1012"):
            ws.recv_prim()
        self.assertEqual(daemon.wait(10), 0)

    def test_an_update_that_is_answered_after_the_delete(self):
        daemon = self.gateway()
        ws, poa = self.online(daemon)
        held = self.holding(b"PUT")
        ws.send_prim(op=3, to="Cmeter7", fr="Cmeter7", rqi="u", rvi="3",
                     pc={"m2m:ae": {"poa": ["ws://default"]}})
        self.assertTrue(eventually(lambda: held))
        self.assertEqual(ws.ask(op=4, to="Cmeter7", fr="Cmeter7", rqi="d",
                                rvi="3")["rsc"], 2002)
        held[0].answer(2004, held[0].body)
        self.assertEqual(ws.recv_prim()["rsc"], 2004)
        self.assertEqual(call(poa, sgn()).rsc, 4004)

    def test_an_id_that_the_cse_gives_again(self):
        """It was set up anew: its counter starts again. Only the last point
        of access is there, also after a restart."""
        with tempfile.TemporaryDirectory(prefix="m2mwsd-") as where:
            options = {"gateway": {"state_dir": where},
                       "notify": {"offline": "reject"}}
            daemon = self.gateway(**options)
            poas = []
            for _ in range(8):
                self.registrar.count = 0
                ws = self.connect(daemon)
                self.register(ws, "C")
                poas.append(self.registrar.poa["Cgiven1"][0])
                ws.drop()
            self.assertEqual(len(set(poas)), 8)
            self.assertIsNone(daemon.stop())
            daemon = self.gateway(**options)
            self.assertEqual(
                [call(daemon.notify_url + "r/" + poa.split("/r/")[1],
                      sgn()).rsc for poa in poas],
                7 * [4004] + [5103])
