"""Three clients that others wrote: Python's websockets, node's ws and a
browser. Each registers an AE and does a whole round with it."""

import asyncio
import json
import subprocess

from browser import run_page
from harness import (HERE, Case, needs_node_ws, needs_program, node_env,
                     within)

CON = "021.50 \u00b0C \u6e29\u5ea6 \U0001f321 \"\\/\"\n"
STEPS = [[2001, "round"], [2001, 5], [2001, True], [2000, True], [4004, None],
         [2002, None], [4004, None], [2000] * 32, [2002, None]]


class Python:
    """websockets, with the interface that releases 10 to 15 share."""

    def __init__(self, module, url, subprotocol):
        self.module, self.url, self.subprotocol = module, url, subprotocol
        self.count = 0

    async def ask(self, ws, **primitive):
        self.count += 1
        rqi = f"p-{self.count}"
        await ws.send(json.dumps(dict(
            {"fr": "Cround", "rvi": "3", "rqi": rqi}, **primitive)))
        answer = json.loads(await ws.recv())
        if answer["rqi"] != rqi:
            raise AssertionError(f"{rqi} answered with {answer}")
        return answer

    async def many(self, ws, count):
        for i in range(count):
            await ws.send(json.dumps({
                "op": 2, "to": "cse-in", "fr": "Cround", "rqi": f"m{i}",
                "rvi": "3"}))
        got = [json.loads(await ws.recv()) for _ in range(count)]
        if sorted(a["rqi"] for a in got) != sorted(
                f"m{i}" for i in range(count)):
            raise AssertionError("not one answer each")
        return [a["rsc"] for a in got]

    async def round(self):
        got = []
        async with self.module.connect(
                self.url, subprotocols=[self.subprotocol]) as ws:
            got.append(ws.subprotocol)

            async def step(look=None, **primitive):
                answer = await self.ask(ws, **primitive)
                got.append([answer["rsc"],
                            look(answer["pc"]) if look else None])

            await step(lambda pc: pc["m2m:ae"]["rn"], op=1, to="cse-in", ty=2,
                       pc={"m2m:ae": {"rn": "round", "api": "Nround",
                                      "rr": False, "srv": ["3"]}})
            await step(lambda pc: pc["m2m:cnt"]["mni"], op=1, ty=3,
                       to="cse-in/round",
                       pc={"m2m:cnt": {"rn": "temp", "mni": 5}})
            await step(lambda pc: pc["m2m:cin"]["con"] == CON, op=1, ty=4,
                       to="cse-in/round/temp", pc={"m2m:cin": {"con": CON}})
            await step(lambda pc: pc["m2m:cin"]["con"] == CON, op=2,
                       to="cse-in/round/temp/la")
            await step(op=2, to="cse-in/round/none")
            await step(op=4, to="cse-in/round/temp")
            await step(op=2, to="cse-in/round/temp")
            got.append(await self.many(ws, 32))
            await step(op=4, to="cse-in/round")
            await (await ws.ping())
            await ws.close()
            got.append([ws.close_code, True])
        return got


class Clients(Case):
    seconds = 60

    def check(self, got, subprotocol):
        self.assertEqual(got[0], subprotocol)
        self.assertEqual(got[1:-1], STEPS)
        self.assertEqual(got[-1], [1000, True])

    def test_python_websockets(self):
        try:
            import websockets
        except ImportError:
            self.skipTest("python's websockets is not installed")
        daemon = self.daemon(self.embedded_cse())
        for name in ("oneM2M.json", "oneM2M.R2.0.json"):
            client = Python(websockets, daemon.url, name)
            self.check(asyncio.run(client.round()), name)

    def test_node_ws(self):
        node = needs_node_ws(self)
        daemon = self.daemon(self.embedded_cse())
        for name in ("oneM2M.json", "onem2m.r2.0.JSON"):
            done = subprocess.run(
                [node, f"{HERE}/round_node.js", daemon.url, name],
                env=node_env(), capture_output=True, timeout=40)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.check(json.loads(done.stdout), name)

    def test_node_cbor(self):
        node = needs_node_ws(self, "cbor")
        daemon = self.daemon(self.embedded_cse())
        for name in ("oneM2M.cbor", "onem2m.r2.0.CBOR"):
            done = subprocess.run(
                [node, f"{HERE}/round_node.js", daemon.url, name],
                env=node_env(), capture_output=True, timeout=40)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.check(json.loads(done.stdout), name)

    @within(120)
    def test_chromium(self):
        chromium = needs_program(self, "chromium", "chromium-browser")
        daemon = self.daemon(self.embedded_cse())
        got = run_page(chromium, f'return round(WebSocket, "{daemon.url}", '
                                 '"oneM2M.json");')
        self.check(got, "oneM2M.json")

    @within(120)
    def test_chromium_origin(self):
        """A page of another host is kept out; listed ones are not."""
        chromium = needs_program(self, "chromium", "chromium-browser")
        for origins, served in (("https://panel.example.org", False),
                                ("*", True)):
            daemon = self.daemon(self.embedded_cse(),
                                 listener={"origins": origins})
            # the page is of 127.0.0.1
            script = (f'return round(WebSocket, '
                      f'"ws://localhost:{daemon.port}/", "oneM2M.json");')
            if served:
                self.check(run_page(chromium, script), "oneM2M.json")
                continue
            with self.assertRaisesRegex(AssertionError, "closed with 1006"):
                run_page(chromium, script)
            self.assertIn("http_status=403", daemon.log_text())
