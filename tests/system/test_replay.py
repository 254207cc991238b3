"""Plays recorded exchanges of real CSEs: the daemon must make the request
that was recorded and carry the answer that was recorded.

The recordings are not part of this tree; M2MWSD_VECTORS names their folder."""

import collections
import json
import os

import rawjson
import vectors
from harness import Case, eventually, within


class Replay(Case):
    @within(120)
    def test_recorded_exchanges(self):
        root = os.environ.get("M2MWSD_VECTORS")
        if not root:
            # no client is missing here: nothing to fail about in CI either
            self.note("nothing replayed: M2MWSD_VECTORS is not set")
            return
        wrong = []
        for folder in vectors.folders(root):
            wrong += self.play_folder(folder)
        self.assertEqual(wrong[:20], [], f"{len(wrong)} steps differ")

    def play_folder(self, folder):
        self.server = self.cse()
        daemon = self.daemon(self.server, upstream={"timeout": "2s"},
                             limits={"max_message": "1m"})
        self.ws = self.connect(daemon)
        name = os.path.basename(folder)
        played, excluded, wrong = 0, collections.Counter(), []
        for recorded, request, response in vectors.steps(folder):
            try:
                step = vectors.primitive(recorded, request)
            except vectors.Excluded as e:
                excluded[str(e)] += 1
                continue
            if step.judged:
                excluded[step.judged[1]] += 1
                said = self.play_judged(step)
            else:
                said = self.play_step(step, recorded, response)
                played += 1
            wrong += [f"{name}/{recorded['dir']}: {s}" for s in said]
        self.note(f"{name}: {played + excluded.total()} steps, "
                  f"{played} replayed, {excluded.total()} excluded")
        for why, count in sorted(excluded.items()):
            self.note(f"  {count:3} {why}")
        return wrong

    def play_judged(self, step):
        answer = self.ws.ask_text(step.text)
        if answer["rsc"] == step.judged[0] and self.server.quiet():
            return []
        while not self.server.quiet():
            self.server.next()  # or the steps behind it would differ, too
        return [f"{step.judged}, but {answer}"]

    def play_step(self, step, recorded, response):
        self.ws.send_text(step.text)
        if not eventually(lambda: not self.server.quiet()
                          or self.answered(), 10, 0.0005):
            return ["no request and no answer"]
        if self.server.quiet():
            return [f"answered without asking: {self.ws.recv_text()}"]
        request = self.server.next()
        said = vectors.differences(step.recorded, request)
        closes = recorded["connection"].startswith(("closed", "reset"))
        if response:
            request.reply(response, closes)
        elif closes:
            request.close()
        if step.prim.get("rt", {}).get("rtv") == 5:
            return said  # nobody waits for a response
        return said + self.check(step.prim, response, self.ws.recv_text())

    def answered(self):
        """An answer has come although the CSE has seen no request."""
        self.ws.sock.setblocking(False)
        try:
            self.ws.data += self.ws.sock.recv(262144)
        except BlockingIOError:
            pass
        self.ws.sock.settimeout(self.ws.timeout)
        return bool(self.ws.data)

    def check(self, prim, response, text):
        got = rawjson.members(text)
        said = []
        if got.get("rqi") != json.dumps(prim["rqi"]):
            said.append(f"rqi: {got.get('rqi')}")
        rsc = int(got.get("rsc", "0"))
        if response is None:
            if rsc not in (5103, 4008):
                said.append(f"rsc {rsc} where the CSE said nothing")
            return said
        want, body, media = vectors.expected_answer(prim["op"], response)
        if rsc != want:
            said.append(f"rsc: recorded {want}, got {rsc}: {text[:200]}")
        return said + self.check_content(body, media, got)

    def check_content(self, body, media, got):
        pc = got.get("pc")
        body = body.strip().decode()
        if not body:
            return [f"pc {pc} for an empty body"] if pc else []
        if not media.endswith("json"):
            # an error page: its text is nobody's content
            return ["foreign body in pc"] if pc and body[:20] in pc else []
        return [] if pc == body else [f"pc {pc!r}, body {body!r}"]
