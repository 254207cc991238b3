"""Contents are carried octet for octet, whatever valid JSON they are."""

import json
import random

import rawjson
from fakecse import response
from harness import LONG, SANITIZED, Case, within

POOL = 1500
COUNT = 100000 if LONG else (2000 if SANITIZED else 5000)


class Contents(Case):
    def setUp(self):
        seed = random.randrange(1 << 32)
        self.note(f"seed {seed}, {COUNT} primitives")
        writer = rawjson.Writer(seed)
        self.pool = [writer.content() for _ in range(POOL)]
        for text in self.pool:
            json.loads(text)  # or the test itself is wrong
        self.random = random.Random(seed)
        self.sent, self.wanted, self.wrong = {}, {}, []

    def handler(self, request):
        sent = self.sent[request.rqi]
        if request.body != sent:
            self.wrong.append(("request", sent, request.body))
        back = self.random.choice(self.pool)
        self.wanted[request.rqi] = back
        return response(2001, request.rqi, back.encode())

    def primitive(self, i):
        pc, rqi = self.random.choice(self.pool), f"x{i}"
        self.sent[rqi] = pc.encode()
        members = ['"op":1', '"to":"cb1"', '"fr":"Cx"', f'"rqi":"{rqi}"',
                   '"rvi":"3"', '"ty":4', f'"pc":{pc}']
        self.random.shuffle(members)
        return ("{" + ", ".join(members) + "}").encode()

    @within(900 if LONG else 90)
    def test_random_contents(self):
        ws = self.connect(self.daemon(self.cse(self.handler), limits={
            "in_flight": 128}))
        count = 0
        for text in ws.pump((self.primitive(i) for i in range(COUNT)), 100):
            self.check(text.decode())
            count += 1
        self.assertEqual(count, COUNT)
        self.assertEqual(self.sent, {}, "without an answer")
        self.assertEqual(self.wrong[:3], [])

    def check(self, text):
        got = rawjson.members(text)
        rqi = json.loads(got["rqi"])
        sent = self.sent.pop(rqi)
        if got["rsc"] != "2001":
            self.fail(f"{sent!r} was answered with {text!r}")
        if got.get("pc") != self.wanted.pop(rqi):
            self.wrong.append(("answer", rqi, text))
