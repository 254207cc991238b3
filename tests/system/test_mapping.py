"""Primitive -> HTTP -> primitive, octet for octet (TS-0009), from data."""

import json

import exchanges
import rawjson
from harness import Case, within


class Mapping(Case):
    """One CSE that plays the rows of exchanges/*.txt."""

    def play(self, rows, **kinds):
        self.cse_server = self.cse(**kinds)
        daemon = self.daemon(self.cse_server, upstream={"timeout": "5s"})
        self.ws = self.connect(daemon)
        for row in rows:
            with self.subTest(row.name):
                self.play_row(row)

    def play_row(self, row):
        self.ws.send_text(row.primitive)
        if row.request is not None:
            request = self.cse_server.next()
            # a missing answer would make every later row fail, too
            request.reply(row.answer, row.close)
            self.check_request(row, request)
        self.check_back(row.back, self.ws.recv_text())
        self.assertTrue(self.cse_server.quiet(), "a request too many")

    def check_request(self, row, request):
        want = row.request
        headers = dict(want.headers, accept="application/json")
        said = exchanges.compare_request(want._replace(headers=headers),
                                         request)
        self.assertEqual(said, [])
        self.assertEqual(request.header("Host"), self.cse_server.authority)
        if want.body:
            self.assertEqual(request.header("Content-Length"),
                             str(len(want.body)))

    def check_back(self, want, got):
        want_raw, got_raw = rawjson.members(want), rawjson.members(got)
        if "*" in want_raw.get("pc", ""):
            pc = json.loads(got_raw.pop("pc", '{"m2m:dbg":""}'))
            self.assertEqual(list(pc), ["m2m:dbg"])
            want_raw.pop("pc")
        self.assertEqual(want_raw.pop("pc", None), got_raw.pop("pc", None),
                         "content, octet for octet")
        self.assertEqual({k: json.loads(v) for k, v in want_raw.items()},
                         {k: json.loads(v) for k, v in got_raw.items()})

    @within(60)
    def test_rows(self):
        rows = exchanges.read_all()
        self.assertGreaterEqual(len(rows), 40)
        self.play(rows)
        self.note(f"{len(rows)} exchanges")

    @within(60)
    def test_rows_over_a_unix_socket(self):
        self.play(exchanges.read_all(), unix=True)

    def test_answer_in_single_octets(self):
        cse = self.cse()
        ws = self.connect(self.daemon(cse))
        for row in exchanges.read_all()[:14]:
            ws.send_text(row.primitive)
            request = cse.next()
            for octet in row.answer:
                request.reply(bytes([octet]))
            if row.close:
                request.close()
            self.check_back(row.back, ws.recv_text())
