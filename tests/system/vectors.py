"""Recorded HTTP exchanges of real CSEs: reads them, and says as which
primitive a recorded request would have come over a WebSocket (TS-0009
backwards, http-binding 3 and 4), written without a look at the daemon."""

import collections
import glob
import json
import os
import re
import time
import urllib.parse

from exchanges import split_query

METHODS = {"GET": 2, "PUT": 3, "DELETE": 4}
HEADERS = {"x-m2m-origin": "fr", "x-m2m-ri": "rqi", "x-m2m-rvi": "rvi",
           "x-m2m-vsi": "vsi", "x-m2m-ot": "ot", "x-m2m-ret": "rqet",
           "x-m2m-rst": "rset", "x-m2m-oet": "oet", "x-m2m-gid": "gid"}
PARAMS = {"rp", "rcn", "da", "drt", "tqi", "asi", "auri", "sqi"}
LISTS = {"rids", "tids", "ltids"}
FC_LISTS = {"lbl", "ty", "cty", "smf", "chty", "pty", "clbl", "palb"}
FC = FC_LISTS | {"crb", "cra", "ms", "us", "sts", "stb", "exb", "exa", "sza",
                 "szb", "lim", "fu", "fo", "cfs", "cfq", "lvl", "ofst", "lbq",
                 "arp"}
# http-binding 7, for answers without X-M2M-RSC
FALLBACK = {201: 2001, 202: 1000, 400: 4000, 403: 4103, 404: 4004, 405: 4005,
            406: 5207, 408: 4008, 409: 4105, 413: 4000, 415: 4015, 429: 5103,
            500: 5000, 501: 5001, 502: 5103, 503: 5103, 504: 4008}
SUCCESS = {1: 2001, 2: 2000, 3: 2004, 4: 2002, 5: 2000}


Step = collections.namedtuple("Step", "text prim recorded judged")


class Excluded(Exception):
    """No primitive stands for this request; the text is the rule."""


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None


def folders(root):
    return sorted(os.path.dirname(p)
                  for p in glob.glob(os.path.join(root, "*", "index.json")))


def steps(folder):
    with open(os.path.join(folder, "index.json"), encoding="utf-8") as f:
        for step in json.load(f)["steps"]:
            path = os.path.join(folder, step["dir"])
            yield (step, read(os.path.join(path, "request.http")),
                   read(os.path.join(path, "response.http")))


def split_head(raw):
    """(start line, [(lower-case name, value)], rest)"""
    head, gap, rest = raw.partition(b"\r\n\r\n")
    if not gap:
        raise Excluded("head without end")
    lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines[1:]]
    return lines[0], [(n.lower(), v.strip()) for n, _, v in pairs], rest


def dechunk(data):
    out = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        n = int(size.partition(b";")[0], 16)
        if n == 0:
            return out
        out, data = out + data[:n], data[n + 2:]


def parse_request(raw):
    """(method, target, headers, body), or Excluded."""
    start, pairs, body = split_head(raw)
    m = re.fullmatch(r"([A-Z]+) (\S+) HTTP/1\.[01]", start)
    if not m:
        raise Excluded("not a request line")
    headers = dict(pairs)
    if len(headers) != len(pairs):
        raise Excluded("a header twice")
    if headers.get("transfer-encoding") == "chunked":
        body = dechunk(body)
    elif len(body) < int(headers.get("content-length", 0)):
        raise Excluded("body shorter than announced")
    elif len(body) > int(headers.get("content-length", 0)):
        raise Excluded("two requests in one")
    return m[1], m[2], headers, body


def to_of(target):
    path = re.sub(r"^http://[^/]*", "", target).partition("?")[0]
    path = urllib.parse.unquote(path)
    if path.startswith("/~/"):
        return path[2:]
    if path.startswith("/_/"):
        return "/" + path[2:]
    if path.startswith("//") or path in ("", "/"):
        raise Excluded("target is none that TS-0009 6.2.2.1 makes")
    return path[1:]


def number(text):
    return int(text) if text.isdigit() else text


def boolean(text):
    return {"true": True, "1": True, "false": False, "0": False}.get(text,
                                                                     text)


def typed(name, text):
    if name in ("da", "tqi", "asi", "auri", "sqi"):
        return boolean(text)
    return text if name == "rp" else number(text)


def add_query(prim, target):
    fc, atrl = {}, []
    query = target.partition("?")[2]
    for field in query.split("&") if query else []:
        name, _, raw = field.partition("=")
        values = [urllib.parse.unquote(v) for v in raw.split("+")]
        if name == "atrl":
            atrl += values
        elif name == "rt":
            prim.setdefault("rt", {})["rtv"] = number(values[0])
        elif name in LISTS:
            prim[name] = prim.get(name, []) + values
        elif name in PARAMS:
            prim[name] = typed(name, values[0])
        elif name in FC_LISTS:
            fc[name] = fc.get(name, []) + [number(v) for v in values]
        elif name in FC:
            fc[name] = number(values[0])
        else:
            fc.setdefault("atr", []).extend(
                {"nm": name, "val": v} for v in values)
    if fc:
        prim["fc"] = fc
    if atrl:
        prim["pc"] = {"m2m:atrl": atrl}


def add_headers(prim, headers):
    for name, short in HEADERS.items():
        if name in headers:
            prim[short] = headers[name]
    if "x-m2m-ec" in headers:
        prim["ec"] = number(headers["x-m2m-ec"])
    if "x-m2m-rtu" in headers:
        targets = headers["x-m2m-rtu"]
        prim.setdefault("rt", {})["nu"] = targets.split("&") if targets else []


def media_of(headers):
    """(media type, ty or None) of Content-Type."""
    media, *params = [p.strip() for p in
                      headers.get("content-type", "").split(";")]
    ty = [p[3:] for p in params if p.startswith("ty=")]
    return media.lower(), (ty[0] if ty else None)


def judged(prim, has_content):
    """(rsc, rule) where the gateway answers without asking the CSE
    (primitives 9), else None."""
    op = prim["op"]
    if "rqi" not in prim:
        return 4000, "no X-M2M-RI: answered here"
    if "fr" not in prim and not (op == 1 and prim.get("ty") == 2):
        return 4000, "no X-M2M-Origin: answered here"
    if op in (1, 3, 5) and not has_content:
        return 4000, "no content: answered here"
    at = prim.get("rqet", "")
    if re.fullmatch(r"\d{8}T\d{6}(,\d+)?", at) and at < time.strftime(
            "%Y%m%dT%H%M%S", time.gmtime()):
        return 4008, "X-M2M-RET is over: answered here"
    return None


def content_of(op, headers, body):
    """The body as text, or None; it must be what `pc` can hold."""
    if op in (2, 4):
        if body:
            raise Excluded("GET or DELETE with a body")
        return None
    if not body:
        return None
    if media_of(headers)[0] != "application/json":
        raise Excluded("content is not application/json")
    try:
        if not isinstance(json.loads(body), dict):
            raise ValueError
        return body.decode()
    except ValueError:
        raise Excluded("content is no JSON object") from None


def primitive(step, raw):
    """The recorded request as a Step."""
    method, target, headers, body = parse_request(raw)
    media, ty = media_of(headers)
    if method == "POST":
        op = 5 if ty is None else 1
    elif method in METHODS:
        op = METHODS[method]
    else:
        raise Excluded("method is none of oneM2M")
    if step["op"] not in (0, op):
        raise Excluded("CREATE without ty in Content-Type")
    prim = {"op": op, "to": to_of(target)}
    if op == 1:
        prim["ty"] = number(ty)
    add_headers(prim, headers)
    add_query(prim, target)
    content = content_of(op, headers, body)
    accept = headers.get("accept", "*/*")
    if "json" not in accept and "*/*" not in accept:
        raise Excluded("wants an answer that is not JSON")
    text = json.dumps(prim)
    if content is not None:
        text = text[:-1] + ', "pc":' + content + "}"
    return Step(text, prim, (method, target, headers, body),
                judged(prim, content is not None))


def differences(recorded, request):
    """Between the recorded request and the daemon's, in words."""
    method, target, headers, body = recorded
    target = re.sub(r"^http://[^/]*", "", target)
    got = {n.decode(): v.decode() for n, v in request.headers}

    def m2m(fields):
        return {n: v for n, v in fields.items() if n.startswith("x-m2m-")}
    rows = [("method", method, request.method.decode()),
            ("path and query", split_query(target),
             split_query(request.target.decode())),
            ("headers", m2m(headers), m2m(got)),
            ("body", body, request.body)]
    if body:
        rows.append(("media type", media_of(headers), media_of(got)))
    return [f"{what}: recorded {want!r}, got {have!r}"
            for what, want, have in rows if want != have]


def expected_answer(op, raw):
    """(rsc, body, media type) that a recorded response stands for."""
    start, pairs, body = split_head(raw)
    while start.split(" ")[1].startswith("1"):
        start, pairs, body = split_head(body)
    headers = dict(reversed(pairs))  # the first of a name counts
    status = int(start.split(" ")[1])
    if headers.get("transfer-encoding") == "chunked":
        body = dechunk(body)
    elif "content-length" in headers:
        body = body[:int(headers["content-length"])]
    rsc = headers.get("x-m2m-rsc")
    if rsc is not None and rsc.isdigit():
        return int(rsc), body, media_of(headers)[0]
    if status in (200, 204) or (status == 201 and op != 1):
        return SUCCESS[op], body, media_of(headers)[0]
    if 300 <= status < 400:
        return 5103, body, media_of(headers)[0]
    return (FALLBACK.get(status, 4000 if status < 500 else 5000), body,
            media_of(headers)[0])
