"""The embedded CSE behind the gateway: without a hop, over its own HTTP, and
over the death of the process."""

import os
import signal
import tempfile

from harness import Case, free_port, within
from wsclient import Gone


def create(rqi, to, ty, fr="CAdmin", **content):
    return {"op": 1, "to": to, "fr": fr, "rqi": rqi, "rvi": "3", "ty": ty,
            "pc": content["pc"]}


class Store(Case):
    def embedded(self, path=":memory:"):
        return self.daemon("http://127.0.0.1:1", gateway={"backend": "store"},
                           store={"path": path})

    def fronted(self, path=":memory:"):
        port = free_port()
        return self.daemon(f"http://127.0.0.1:{port}", store={
            "path": path, "http_listen": f"127.0.0.1:{port}"})

    def play(self, daemon):
        ws = self.connect(daemon)
        ae = ws.ask(op=1, to="cse-in", fr="C", rqi="1", rvi="3", ty=2,
                    pc={"m2m:ae": {"rn": "meter7", "api": "Nmeter",
                                   "rr": True, "srv": ["3"]}})
        self.assertEqual(ae["rsc"], 2001)
        me = ae["pc"]["m2m:ae"]["aei"]
        self.assertTrue(me.startswith("C"))

        def ask(op, to, rsc, **more):
            self.count = getattr(self, "count", 1) + 1
            answer = ws.ask(**dict({"op": op, "to": to, "fr": me, "rvi": "3",
                                    "rqi": f"q{self.count}"}, **more))
            self.assertEqual(answer["rsc"], rsc, answer)
            return answer.get("pc")

        cnt = {"m2m:cnt": {"rn": "temp", "lbl": ["unit:C"], "mni": 2}}
        ask(1, "cse-in/meter7", 2001, ty=3, pc=cnt)
        ask(1, "cse-in/meter7", 4105, ty=3, pc=cnt)
        for con in ("20.5", "21.0", "21.5"):
            ask(1, "cse-in/meter7/temp", 2001, ty=4,
                pc={"m2m:cin": {"con": con}})
        latest = ask(2, "cse-in/meter7/temp/la", 2000)
        self.assertEqual(latest["m2m:cin"]["con"], "21.5")
        oldest = ask(2, "cse-in/meter7/temp/ol", 2000)
        self.assertEqual(oldest["m2m:cin"]["con"], "21.0")
        found = ask(2, "cse-in", 2000, fc={"fu": 1, "lbl": ["unit:C"]})
        self.assertEqual(found, {"m2m:uril": ["cse-in/meter7/temp"]})
        changed = ask(3, "cse-in/meter7/temp", 2004, rcn=9,
                      pc={"m2m:cnt": {"mni": 5, "lbl": None}})
        self.assertEqual(changed["m2m:cnt"]["mni"], 5)
        ask(2, "cse-in/nope", 4004)
        ask(4, "cse-in", 4005)
        ask(2, "cse-in/meter7", 4103, fr="Cstranger")
        ask(1, "cse-in/meter7/temp", 2001, ty=23,
            pc={"m2m:sub": {"nu": [me]}})
        ask(2, "cse-in/meter7/temp", 1002, rt={"rtv": 2, "nu": []})
        ask(5, "cse-in/meter7", 5103, fr="CAdmin",
            pc={"m2m:sgn": {"vrq": True}})
        ask(4, "cse-in/meter7", 2002)
        ask(2, "cse-in/meter7", 4004)

    def test_without_a_hop(self):
        self.play(self.embedded())

    def test_over_its_own_http(self):
        self.play(self.fronted())

    def test_in_a_file(self):
        with tempfile.TemporaryDirectory(prefix="m2mwsd-") as where:
            self.play(self.embedded(os.path.join(where, "cse.db")))

    @within(60)
    def test_killed(self):
        """Every CREATE that was answered is there, none is there half."""
        with tempfile.TemporaryDirectory(prefix="m2mwsd-") as where:
            path = os.path.join(where, "cse.db")
            answered = []
            for life in range(5):
                daemon = self.embedded(path)
                ws = self.connect(daemon)
                if life == 0:
                    ws.ask(**create("c", "cse-in", 3,
                                    pc={"m2m:cnt": {"rn": "log"}}))
                names = [f"n{life}-{i}" for i in range(200)]
                for name in names:
                    ws.send_prim(**create(name, "cse-in/log", 4,
                                          pc={"m2m:cin": {"rn": name,
                                                          "con": name}}))
                for _ in range(40 * life + 20):
                    answer = ws.recv_prim()
                    if answer["rsc"] == 2001:
                        answered.append(answer["rqi"])
                daemon.ended = True
                daemon.signal(signal.SIGKILL)
                daemon.wait(5)
            daemon = self.embedded(path)
            ws = self.connect(daemon)
            self.assertGreater(len(answered), 300)
            for name in answered:
                got = ws.ask(op=2, to=f"cse-in/log/{name}", fr="CAdmin",
                             rqi=name, rvi="3")
                self.assertEqual(got["rsc"], 2000, name)
                self.assertEqual(got["pc"]["m2m:cin"]["con"], name)

    def test_drain_with_several_workers(self):
        """The worker that serves the CSE's HTTP is there to the last."""
        port = free_port()
        daemon = self.daemon(f"http://127.0.0.1:{port}",
                             gateway={"workers": 8},
                             store={"path": ":memory:",
                                    "http_listen": f"127.0.0.1:{port}"})
        ws = self.connect(daemon)  # most likely of another worker
        for i in range(400):
            ws.send_prim(op=2, to="cse-in", fr="CAdmin", rqi=f"r{i}",
                         rvi="3")
        self.assertEqual(ws.recv_prim()["rsc"], 2000)
        daemon.signal(signal.SIGTERM)
        # what it had not read before its Close is nobody's
        with self.assertRaisesRegex(Gone, "Close 1012"):
            while True:
                answer = ws.recv_prim()
                if answer["rsc"] != 2000:
                    self.assertEqual(answer["pc"]["m2m:dbg"],
                                     "shutting down")
        ws.drop()
        self.assertEqual(daemon.wait(5), 0)

    def test_database_cannot_be_opened(self):
        with self.assertRaisesRegex(AssertionError, "store_failed"):
            self.embedded("/nonexistent/cse.db")
