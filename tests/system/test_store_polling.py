"""A `<pollingChannel>` of the embedded CSE: what it would send waits until it is
polled for. Once without a hop, once over its own HTTP."""

from harness import eventually
from test_store_notify import Client, Notify, fronted


class LongPolling(Notify):
    def channel(self, name):
        client = self.register(name, rr=False)
        client.create(f"cse-in/{name}", "pch", 15, rn="pch")
        client.pcu = f"cse-in/{name}/pch/pcu"
        return client

    def reply(self, client, rqp, rsc, **more):
        return client.ask(5, client.pcu, pc={"m2m:rsp": {
            "rsc": rsc, "rqi": rqp["rqi"], "rvi": "3", **more}})

    def test_notifications(self):
        self.start()
        client = self.channel("poller")
        # the subscriber itself is not asked
        self.subscribe(client, nu=["cse-in/poller"])
        for n in range(3):
            self.instance(n)
        for n in range(3):
            rqp = client.ask(2, client.pcu, 2000)["m2m:rqp"]
            self.assertEqual((rqp["op"], rqp["fr"]), (5, "/id-in"))
            self.assertEqual(
                rqp["pc"]["m2m:sgn"]["nev"]["rep"]["m2m:cin"]["con"], str(n))
            self.assertIsNone(self.reply(client, rqp, 2000))
        self.assertIn("m2m:dbg", self.reply(client, rqp, 2000))

    def test_verification(self):
        self.start()
        client = self.channel("poller")
        waits = client.send(2, client.pcu)
        rqi = self.admin.send(1, "cse-in/box", ty=23, pc={"m2m:sub": {
            "nu": ["cse-in/poller"], "enc": {"net": [3]}}})
        rqp = client.answer(waits)["pc"]["m2m:rqp"]
        self.assertTrue(rqp["pc"]["m2m:sgn"]["vrq"])
        self.reply(client, rqp, 2000)
        self.assertEqual(self.admin.answer(rqi)["rsc"], 2001)

    def test_two_clients(self):
        self.start()
        one, two = self.channel("one"), self.channel("two")
        for client in one, two:
            self.subscribe(client, to="cse-in/box",
                           nu=[f"cse-in/{client.fr[1:]}"])
        waits = [c.send(2, c.pcu) for c in (one, two)]
        self.instance(1)
        rqps = [c.answer(w)["pc"]["m2m:rqp"]
                for c, w in zip((one, two), waits)]
        self.assertNotEqual(rqps[0]["rqi"], rqps[1]["rqi"])
        # nobody answers for another one
        self.assertIn("m2m:dbg", self.reply(one, rqps[1], 2000))
        self.assertIsNone(self.reply(one, rqps[0], 2000))
        self.assertIsNone(self.reply(two, rqps[1], 2000))
        two.ask(2, one.pcu, 4103)

    def test_nothing_comes(self):
        self.start()
        client = self.channel("poller")
        client.ask(2, client.pcu, 4008, rqet="200")

    def test_client_gone(self):
        """A request is not given to a poll that nobody waits for."""
        self.start()
        client = self.channel("poller")
        self.subscribe(client, nu=["cse-in/poller"])
        client.send(2, client.pcu)
        client.ask(2, "cse-in/poller", 2000)
        client.ws.drop()
        eventually(lambda: "session_close" in self.server.log_text())
        again = Client(self, self.server, client.fr)
        again.pcu = client.pcu
        self.instance(1)
        again.ask(2, again.pcu, 2000)

    def test_other_cse(self):
        """Requests reach a CSE that only polls."""
        self.start()
        mn = Client(self, self.server, "/mn-cse7")
        mn.create("cse-in", "csr", 16, rn="mn7", csi="/mn-cse7",
                  cb="/mn-cse7/cb", rr=False, srv=["3"])
        mn.create("cse-in/mn7", "pch", 15, rn="pch")
        mn.pcu = "cse-in/mn7/pch/pcu"
        rqi = self.admin.send(2, "/mn-cse7/cb/x")
        rqp = mn.ask(2, mn.pcu, 2000)["m2m:rqp"]
        self.assertEqual((rqp["op"], rqp["to"], rqp["fr"]),
                         (2, "/mn-cse7/cb/x", "/id-in/CAdmin"))
        self.reply(mn, rqp, 2000, pc={"m2m:cnt": {"rn": "x"}})
        answer = self.admin.answer(rqi)
        self.assertEqual((answer["rsc"], answer["pc"]),
                         (2000, {"m2m:cnt": {"rn": "x"}}))


FrontedLongPolling = fronted(LongPolling)
