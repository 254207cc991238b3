"""Reads exchanges/*.txt; the format is in exchanges/README.md."""

import collections
import glob
import os
import re
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))

Row = collections.namedtuple(
    "Row", "name primitive request answer close back")
Expected = collections.namedtuple("Expected",
                                  "method path query headers body")


def split_query(target):
    """(percent-decoded path, sorted [(name, value)]); the members of a list
    are a pair each, so that `a=1+2` and `a=1&a=2` are the same."""
    path, _, query = target.partition("?")
    pairs = []
    for field in query.split("&") if query else []:
        name, _, value = field.partition("=")
        pairs += [(urllib.parse.unquote(name), urllib.parse.unquote(v))
                  for v in value.split("+")]
    return urllib.parse.unquote(path), sorted(pairs)


def message(text):
    """(start line, {lower-case header: value}, body) of a section."""
    head, _, body = text.partition("\n\n")
    lines = head.rstrip("\n").split("\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return lines[0], headers, body.rstrip("\n").encode()


def read_request(text):
    start, headers, body = message(text)
    method, target, _ = start.split(" ")
    return Expected(method, *split_query(target), headers, body)


def read_answer(how, text):
    """The bytes to send."""
    if "none" in how:
        return b""
    if "raw" in how:
        plain = text.rstrip("\n").encode()
        return (plain.replace(b"\\r", b"\r").replace(b"\\n", b"\n")
                .replace(b"\\t", b"\t"))
    head, gap, body = text.partition("\n\n")
    body = body.rstrip("\n").encode() if gap else b""
    head = re.sub(r"(?i)(content-length): \*", rf"\1: {len(body)}",
                  head.rstrip("\n"))
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def read_row(text):
    name, _, rest = text.partition("\n")
    sections = {}
    for part in re.split(r"(?m)^--- ", rest)[1:]:
        title, _, content = part.partition("\n")
        word, *how = title.split()
        sections[word] = (how, content)
    how, answer = sections.get("answer", ([], None))
    return Row(
        name=name.strip(),
        primitive=sections["primitive"][1].strip("\n"),
        request=(read_request(sections["request"][1])
                 if "request" in sections else None),
        answer=None if answer is None else read_answer(how, answer),
        close="close" in how,
        back=sections["back"][1].strip("\n"))


def read_all():
    rows = []
    for path in sorted(glob.glob(os.path.join(HERE, "exchanges", "*.txt"))):
        with open(path, encoding="utf-8", newline="\n") as f:
            parts = re.split(r"(?m)^=== ", f.read())[1:]
        rows += [read_row(part) for part in parts]
    return rows


def compare_request(expected, request):
    """Differences between Expected and a fakecse.Request, in words."""
    path, query = split_query(request.target.decode())
    headers = {n.decode(): v.decode() for n, v in request.headers
               if n not in (b"host", b"content-length")}
    said = []
    for what, want, got in [
            ("method", expected.method, request.method.decode()),
            ("path", expected.path, path),
            ("query", expected.query, query),
            ("headers", expected.headers, headers),
            ("body", expected.body, request.body)]:
        if want != got:
            said.append(f"{what}: wanted {want!r}, got {got!r}")
    return said
