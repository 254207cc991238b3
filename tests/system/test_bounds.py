"""What clients and the CSE can make the gateway keep has an end."""

import socket

from harness import eventually
from reverse import ReverseCase, call, sgn


class Bounds(ReverseCase):
    def gateway(self, cse=None, **options):
        # clients that do not answer a Close are not waited for
        options.setdefault("limits", {})["close_timeout"] = "100ms"
        return super().gateway(cse, **options)

    def try_register(self, ws, fr, **members):
        ae = dict({"api": "N1", "rr": True, "srv": ["3"]}, **members)
        return ws.ask(op=1, to="cse-in", fr=fr, rqi="r", rvi="3", ty=2,
                      pc={"m2m:ae": ae})

    def test_entities_of_one_connection(self):
        daemon = self.gateway(limits={"max_entities": 3})
        ws = self.connect(daemon)
        for i in range(3):
            self.register(ws, f"C{i}")
        seen = len(self.fake.requests)
        answer = self.try_register(ws, "C3")
        self.assertEqual(answer["rsc"], 5103)
        self.assertIn("too many entities", answer["pc"]["m2m:dbg"])
        self.assertEqual(len(self.fake.requests), seen)
        # one of its own may register again
        self.assertEqual(self.try_register(ws, "C2")["rsc"], 2001)
        # another connection is not concerned, but its AEs are not for this one
        other, _ = self.online(daemon, "C3")
        other.drop()
        answer = ws.ask(op=2, to="x", fr="C3", rqi="q", rvi="3")
        self.assertEqual(answer["rsc"], 5103)
        # who leaves makes room
        self.assertEqual(ws.ask(op=4, to="C0", fr="C0", rqi="d",
                                rvi="3")["rsc"], 2002)
        self.assertEqual(ws.ask(op=2, to="x", fr="C3", rqi="q",
                                rvi="3")["rsc"], 2000)
        self.assertEqual(self.counters(daemon, "reverse_end",
                                       "refused_entities"), 2)

    def test_all_registrations(self):
        daemon = self.gateway(limits={"max_registered": "16k"})
        ws = self.connect(daemon)
        count = 0
        while True:
            answer = self.try_register(ws, f"C{count}",
                                       poa=["ws://default" + "x" * 900])
            if answer["rsc"] != 2001:
                break
            count += 1
        self.assertEqual(answer["rsc"], 5103)
        self.assertIn("too many registrations", answer["pc"]["m2m:dbg"])
        self.assertIn(count, range(5, 17))
        # an update may not get round it, one that takes less may come
        for poa, rsc in ((["ws://default" + "x" * 3000], 5103),
                         (["ws://default"], 2004)):
            answer = ws.ask(op=3, to="C0", fr="C0", rqi="u", rvi="3",
                            pc={"m2m:ae": {"poa": poa}})
            self.assertEqual(answer["rsc"], rsc)
        self.assertEqual(self.counters(daemon, "gateway_end",
                                       "registered_full"), 2)

    def test_originators_of_nobody_are_forgotten(self):
        """Open to all: what a CSE's connection may not stand for leaves
        nothing behind."""
        daemon = self.gateway(auth={"mode": "open"},
                              limits={"max_registered": "16k"})
        ws = self.connect(daemon)
        self.register_cse(ws)
        for i in range(200):
            self.assertEqual(ws.ask(op=2, to="x", fr=f"Cstranger{i}", rqi="q",
                                    rvi="3")["rsc"], 2000)
        self.online(daemon, "Cmeter7")

    def test_connections_of_the_cse(self):
        daemon = self.gateway(notify={"max_connections": 2},
                              gateway={"workers": 1})
        ws, poa = self.online(daemon)
        host, _, port = poa.split("/")[2].partition(":")
        conns = [socket.create_connection((host, int(port)), 10)
                 for _ in range(3)]
        self.assertEqual(conns[2].recv(1), b"")
        for conn in conns:
            conn.close()

        def served():
            try:
                return call(poa, sgn(vrq=True), X_M2M_RET="1").rsc
            except OSError:
                return None
        self.assertEqual(eventually(served), 4008)
        self.assertGreaterEqual(self.counters(
            daemon, "reverse_end", "refused_connections"), 1)
