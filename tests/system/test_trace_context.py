"""W3C Trace Context: from the handshake to the CSE."""

import re

from fakecse import ok
from harness import Case

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class TraceContext(Case):
    def ask(self, *headers):
        """What the CSE saw of three requests, and the log."""
        seen = []
        daemon = self.daemon(self.cse(lambda r: seen.append(r) or ok(r)))
        ws = self.connect(daemon, headers=headers)
        for i in range(3):
            ws.send_prim(op=2, to="cb1", fr="Cm", rqi=f"r{i}", rvi="3")
        for _ in range(3):
            self.assertEqual(ws.recv_prim()["rsc"], 2000)
        self.assertEqual(len(seen), 3)
        return seen, daemon.log_text()

    def test_each_request_is_a_span(self):
        seen, log = self.ask(f"traceparent: 00-{TRACE}-{PARENT}-01",
                             "tracestate: congo=t61rcWkgMzE")
        spans = set()
        for request in seen:
            found = re.fullmatch(f"00-{TRACE}-([0-9a-f]{{16}})-01",
                                 request.header("traceparent"))
            spans.add(found[1])
            self.assertEqual(request.header("tracestate"),
                             "congo=t61rcWkgMzE")
        self.assertEqual(len(spans), 3)
        self.assertNotIn(PARENT, spans)
        self.assertIn(f" trace={TRACE}", log)

    def test_without(self):
        seen, log = self.ask()
        for request in seen:
            self.assertIsNone(request.header("traceparent"))
        self.assertIn(' trace=""', log)

    def test_a_malformed_one_is_ignored(self):
        seen, _ = self.ask(f"traceparent: 00-{TRACE}-{PARENT}",
                           "tracestate: congo=t61rcWkgMzE")
        for request in seen:
            self.assertIsNone(request.header("traceparent"))
            self.assertIsNone(request.header("tracestate"))
