"""Three clients that others wrote are reached by the embedded CSE, over real
HTTP: Python's websockets, node's ws and a browser. Each hears on the socket
that registered, after a reconnect and after a restart of the daemon; a second
AE and the client subscribe to each other, which is verified over the wire."""

import asyncio
import json
import os
import queue
import subprocess
import tempfile
import threading

from browser import run_page
from harness import (HERE, Case, free_port, needs_node_ws,
                     needs_program, node_env, within)
from wsclient import CborSocket, WebSocket

OTHER = "Cother"
INSTANCES = {"enc": {"net": [3], "chty": [4]}}


class PythonAe:
    """What listen.js does, with Python's websockets."""

    def __init__(self, module, url, name):
        self.module, self.url, self.name = module, url, name
        self.heard, self.answers, self.count = [], {}, 0
        self.news = asyncio.Condition()

    async def connect(self):
        for _ in range(200):
            try:
                self.ws = await self.module.connect(
                    self.url, subprotocols=["oneM2M.json"])
                break
            except (OSError, self.module.exceptions.InvalidMessage):
                await asyncio.sleep(0.1)
        self.reader = asyncio.ensure_future(self.read())

    async def read(self):
        try:
            async for message in self.ws:
                await self.on_primitive(json.loads(message))
        except self.module.exceptions.ConnectionClosed:
            pass

    async def on_primitive(self, prim):
        if "rsc" in prim:
            self.answers.pop(prim["rqi"]).set_result(prim)
            return
        sgn = prim["pc"]["m2m:sgn"]
        await self.ws.send(json.dumps(
            {"rsc": 2000, "rqi": prim["rqi"], "rvi": "3"}))
        async with self.news:
            self.heard.append("vrq" if sgn.get("vrq") else
                              sgn["nev"]["rep"]["m2m:cin"]["con"])
            self.news.notify_all()

    async def must(self, rsc, **primitive):
        self.count += 1
        rqi = f"{self.name}{self.count}"
        self.answers[rqi] = asyncio.get_running_loop().create_future()
        await self.ws.send(json.dumps(dict(
            {"fr": self.name, "rvi": "3", "rqi": rqi}, **primitive)))
        answer = await self.answers[rqi]
        if answer["rsc"] != rsc:
            raise AssertionError(answer)

    async def until(self, what):
        async with self.news:
            await self.news.wait_for(lambda: what in self.heard)

    async def report(self, con):
        await self.must(2001, op=1, ty=4, to=f"cse-in/{self.name}/temp",
                        pc={"m2m:cin": {"con": con}})

    async def register(self):
        home = f"cse-in/{self.name}"
        await self.must(2001, op=1, to="cse-in", ty=2, pc={"m2m:ae": {
            "rn": self.name, "api": "Nlisten", "rr": True, "srv": ["3"]}})
        await self.must(2001, op=1, to=home, ty=3,
                        pc={"m2m:cnt": {"rn": "temp"}})
        for rn, nu in (("own", self.name), ("other", OTHER)):
            await self.must(2001, op=1, to=home + "/temp", ty=23,
                            pc={"m2m:sub": dict(INSTANCES, rn=rn, nu=[nu])})

    async def listen(self):
        await self.connect()
        await self.register()
        await self.report("1")
        await self.until("1")
        await self.until("from-other")
        await self.ws.close()
        await self.reader
        await self.connect()
        await self.must(2000, op=2, to=self.name)
        await self.report("2")
        await self.until("2")
        await self.report("restart")
        await self.until("restart")
        nobody = asyncio.ensure_future(self.report("now"))
        await self.reader
        nobody.cancel()
        await self.connect()
        await self.must(2000, op=2, to=self.name)
        await self.report("3")
        await self.until("3")
        await self.ws.close()
        return [what for what in self.heard if what != "now"]


class Client(threading.Thread):
    """The client under test; its result or its error."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.said = work, queue.Queue()
        self.start()

    def run(self):
        try:
            self.said.put((self.work(), None))
        except Exception as e:  # raised again by result()
            self.said.put((None, e))

    def result(self, seconds=60):
        value, error = self.said.get(timeout=seconds)
        if error:
            raise error
        return value


class Listen(Case):
    seconds = 100
    serialization = "json"      # towards the CSE
    other_kind = WebSocket

    def setUp(self):
        where = tempfile.TemporaryDirectory(prefix="m2mwsd-")
        self.addCleanup(where.cleanup)
        cse, notify = free_port(), free_port()
        self.options = {
            "gateway": {"state_dir": where.name},
            "auth": {"mode": "registered"},
            "upstream": {"cse_id": "/id-in",
                         "serialization": self.serialization},
            "notify": {"listen": f"127.0.0.1:{notify}", "timeout": "5s"},
            "store": {"path": os.path.join(where.name, "cse.db"),
                      "http_listen": f"127.0.0.1:{cse}"},
        }
        self.cse_url = f"http://127.0.0.1:{cse}"
        self.listen = f"127.0.0.1:{free_port()}"
        self.start_daemon()

    def start_daemon(self):
        self.gateway = self.daemon(self.cse_url, listener={
            "listen": self.listen}, **self.options)

    def other(self, **members):
        """Requests of the second AE; what it is asked in between is heard
        and answered."""
        self.count = getattr(self, "count", 0) + 1
        rqi = f"o{self.count}"
        self.ws.send_prim(**dict({"fr": OTHER, "rvi": "3", "rqi": rqi},
                                 **members))
        while True:
            prim = self.take()
            if prim.get("rqi") == rqi and "rsc" in prim:
                return prim

    def take(self):
        prim = self.ws.recv_prim()
        if "rsc" not in prim:
            sgn = prim["pc"]["m2m:sgn"]
            self.heard.append("vrq" if sgn.get("vrq") else
                              sgn["nev"]["rep"]["m2m:cin"]["con"])
            self.ws.send_prim(rsc=2000, rqi=prim["rqi"], rvi="3")
        return prim

    def until(self, what):
        while what not in self.heard:
            self.take()

    def accompany(self, work, name):
        """The second AE beside the client; what both heard."""
        self.heard = []
        self.ws = self.connect(self.gateway, self.other_kind, timeout=30)
        self.assertEqual(self.other(op=1, to="cse-in", ty=2, pc={"m2m:ae": {
            "rn": "other", "api": "No", "rr": True, "srv": ["3"]}})["rsc"],
            2001)
        self.assertEqual(self.other(op=1, to="cse-in/other", ty=3, pc={
            "m2m:cnt": {"rn": "mine"}})["rsc"], 2001)
        client = Client(work)
        self.until("1")             # it has registered and subscribed
        self.assertEqual(self.other(op=1, to="cse-in/other/mine", ty=23, pc={
            "m2m:sub": dict(INSTANCES, nu=[name])})["rsc"], 2001)
        self.assertEqual(self.other(op=1, to="cse-in/other/mine", ty=4, pc={
            "m2m:cin": {"con": "from-other"}})["rsc"], 2001)
        self.until("now")
        self.gateway.ended = True
        self.gateway.kill()
        self.ws.drop()
        self.start_daemon()
        self.ws = self.connect(self.gateway, self.other_kind, timeout=30)
        self.assertEqual(self.other(op=2, to=OTHER)["rsc"], 2000)
        heard = client.result()
        self.until("3")
        self.assertEqual(self.heard, ["vrq", "1", "2", "restart",
                                      "now", "3"])
        # "1" goes to both, and who has it first is open
        self.assertEqual(sorted(heard[:2]), ["1", "vrq"])
        self.assertEqual(heard[2:], ["from-other", "2", "restart", "3"])

    def url(self):
        return f"ws://{self.listen}/"

    def test_python_websockets(self):
        try:
            import websockets
        except ImportError:
            self.skipTest("python's websockets is not installed")

        async def work():
            return await PythonAe(websockets, self.url(), "Cpython").listen()

        self.accompany(lambda: asyncio.run(work()), "Cpython")

    def run_node(self, node, *kind):
        done = subprocess.run(
            [node, f"{HERE}/listen_node.js", self.url(), "Cnode", OTHER,
             *kind], env=node_env(), capture_output=True, timeout=60)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        return json.loads(done.stdout)

    def test_node_ws(self):
        node = needs_node_ws(self)
        self.accompany(lambda: self.run_node(node), "Cnode")

    def test_node_cbor(self):
        """One speaks CBOR, the other one JSON."""
        node = needs_node_ws(self, "cbor")
        self.accompany(lambda: self.run_node(node, "cbor"), "Cnode")

    @within(150)
    def test_chromium(self):
        chromium = needs_program(self, "chromium", "chromium-browser")
        script = (f'return listen(WebSocket, "{self.url()}", "Cbrowser", '
                  f'"{OTHER}");')
        self.accompany(lambda: run_page(chromium, script), "Cbrowser")


class ListenCbor(Listen):
    """The same with a CSE that is asked in CBOR, and a second AE that speaks
    it, by Python's cbor2."""

    serialization = "cbor"
    other_kind = CborSocket
