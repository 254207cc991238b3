"""A NAT on the way forgets a connection: no FIN, no RST, just silence."""

import re
import time

from harness import eventually, free_port, within
from netns import Wire
from reverse import Later, ReverseCase, call, con_of, sgn
from wsclient import WebSocket

PING, PONG = 0.5, 0.5
PATIENCE = 8        # seconds that a busy machine may take on top


class Nat(ReverseCase):
    def setUp(self):
        self.wire = Wire(self)  # first: all that is started is at its end
        super().setUp()

    def start_gateway(self, **notify):
        self.outside = (Wire.GATEWAY, free_port())
        return self.gateway(
            gateway={"workers": 2},
            limits={"ping_interval": f"{PING * 1000:.0f}ms",
                    "pong_timeout": f"{PONG * 1000:.0f}ms"},
            notify=dict({"timeout": "60s"}, **notify),
            **{'listener "outside"': {"listen": "%s:%d" % self.outside}})

    def client(self):
        with self.wire.at_far_end():
            ws = WebSocket(self.outside)
        self.addCleanup(ws.drop)
        return ws

    def came_online(self):
        ws = self.client()
        self.register(ws)
        return ws, self.registrar.poa["Cmeter7"][0]

    def came_back(self):
        ws = self.client()
        answer = ws.ask(op=2, to="Cmeter7", fr="Cmeter7", rqi="back",
                        rvi="3")
        self.assertEqual(answer["rsc"], 2000)
        return ws

    def reached(self, ws, poa, con):
        later = Later(poa, sgn(con))
        got = ws.recv_prim()
        self.assertEqual(con_of(got), con)
        self.answer(ws, got)
        self.assertEqual(later.result().rsc, 2000)

    def offline(self, daemon):
        return daemon.log_text().count("event=offline")

    @within(60)
    def test_found_out_by_ping_and_reached_again(self):
        daemon = self.start_gateway()
        ws, poa = self.came_online()
        self.reached(ws, poa, "before")
        waits = Later(poa, sgn("never answered"), timeout=50)
        self.assertEqual(con_of(ws.recv_prim()), "never answered")
        self.wire.cut()
        cut = time.monotonic()
        answer = waits.result(50)
        took = time.monotonic() - cut
        self.assertEqual((answer.status, answer.rsc), (404, 5103))
        self.assertLess(took, PING + PONG + PATIENCE)
        self.assertTrue(eventually(lambda: self.offline(daemon) == 1))
        held = Later(poa, sgn("held"), timeout=50)
        self.wire.mend()
        ws = self.came_back()
        got = ws.recv_prim()
        self.assertEqual(con_of(got), "held")
        self.answer(ws, got)
        self.assertEqual(held.result().rsc, 2000)
        self.reached(ws, poa, "after")
        ws.drop()
        self.end_process(daemon)
        lost = re.findall(r"no_pong=(\d+)", daemon.log_text())
        self.assertEqual(sum(map(int, lost)), 1)
        self.note(f"given up {took:.2f} s after the cut, ping_interval + "
                  f"pong_timeout is {PING + PONG:.2f} s")

    @within(60)
    def test_stored_while_nobody_knows_yet(self):
        """What was written into the void is stored, too, and comes first."""
        daemon = self.start_gateway(offline="store")
        ws, poa = self.came_online()
        self.wire.cut()
        laters = [Later(poa, sgn("0"), timeout=50)]
        self.assertEqual(laters[0].result(50).rsc, 2000)
        self.assertEqual(call(poa, sgn("1")).rsc, 2000)
        self.wire.mend()
        ws = self.came_back()
        for con in ("0", "1"):
            got = ws.recv_prim()
            self.assertEqual(con_of(got), con)
            self.answer(ws, got)
        self.reached(ws, poa, "2")

    @within(60)
    def test_back_before_the_gateway_knows(self):
        """The client has noticed first: its new connection takes over, and
        what waits for the old one is given up with that."""
        self.start_gateway()
        ws, poa = self.came_online()
        waits = Later(poa, sgn("never answered"), timeout=50)
        self.assertEqual(con_of(ws.recv_prim()), "never answered")
        self.wire.cut()
        ws.drop()
        self.wire.mend()
        again = self.came_back()
        self.reached(again, poa, "on the new one")
        self.assertEqual(waits.result(50).rsc, 5103)
