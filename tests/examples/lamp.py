#!/usr/bin/python3
"""A lamp as an AE, with Debian's python3-websockets: it registers, reports
that it is off, and waits until somebody switches it on.

    lamp.py [URL [NAME]]        ws://127.0.0.1:8180/ lamp
"""

import asyncio
import json
import sys

import websockets


class Lamp:
    def __init__(self, ws, name):
        self.ws = ws
        self.name = name
        self.id = "C" + name
        self.last = 0

    async def receive(self):
        """The next primitive. A request is answered: it has arrived."""
        prim = json.loads(await self.ws.recv())
        if "op" in prim:
            await self.ws.send(json.dumps(
                {"rsc": 2000, "rqi": prim["rqi"], "rvi": "3"}))
        return prim

    async def ask(self, op, to, want, **more):
        self.last += 1
        rqi = str(self.last)
        await self.ws.send(json.dumps({
            "op": op, "to": to, "fr": self.id, "rqi": rqi, "rvi": "3",
            "rcn": 0, **more}))
        while True:
            answer = await self.receive()
            if answer.get("rqi") == rqi and "rsc" in answer:
                break
        if answer["rsc"] != want:
            raise SystemExit(f"{to}: {answer}")

    async def create(self, to, ty, **resource):
        await self.ask(1, to, 2001, ty=ty, pc=resource)

    async def heard(self):
        """The content of the instance that the next notification is of."""
        while True:
            prim = await self.receive()
            event = prim.get("pc", {}).get("m2m:sgn", {}).get("nev")
            if event:
                return event["rep"]["m2m:cin"]["con"]

    async def live(self):
        me = "cse-in/" + self.name
        switch = me + "/switch"
        await self.create("cse-in", 2, **{"m2m:ae": {
            "rn": self.name, "api": "N.lamp", "rr": True, "srv": ["3"]}})
        print("registered", self.id, flush=True)
        await self.create(me, 3, **{"m2m:cnt": {"rn": "switch"}})
        await self.create(switch, 4, **{"m2m:cin": {"con": "off"}})
        print("reported off", flush=True)
        await self.create(switch, 23, **{"m2m:sub": {
            "nu": [self.id], "enc": {"net": [3]}}})
        print("listening", flush=True)
        print("heard", await self.heard(), flush=True)
        await self.ask(4, me, 2002)
        print("gone", flush=True)


async def main(url="ws://127.0.0.1:8180/", name="lamp"):
    async with websockets.connect(url, subprotocols=["oneM2M.json"]) as ws:
        await Lamp(ws, name).live()


asyncio.run(main(*sys.argv[1:]))
