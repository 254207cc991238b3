"""Requests that CSEs have sent to those who registered there: as which
primitive each must reach its target (TS-0009 backwards, http-binding 2 to 4
and 10), written without a look at the daemon, and what the target answered.

Recorded ones are files; others are rows that exchanges/README.md describes."""

import collections
import glob
import json
import os
import re
import urllib.parse

import exchanges
import vectors
from vectors import Excluded
from wsclient import cbor2

OWN = os.path.join(exchanges.HERE, "exchanges", "reverse")

# head, body: the request; what its target adds to the point of access of `to`
# is the suffix, or all of it where `to` is None
# prim: what must arrive, without rqi and pc; pc: octets, or None
# answer: a Reply, None: nothing that is an answer; of our own rows the text
Exchange = collections.namedtuple("Exchange",
                                  "name head body to suffix prim pc answer")
Reply = collections.namedtuple("Reply", "rsc members pc")

# http-binding 7, those that the recordings have, and their classes
STATUS = {2000: 200, 2001: 201, 2002: 200, 2004: 200, 4004: 404, 4005: 405,
          4008: 504, 4101: 403, 4103: 403, 4105: 409, 4107: 403, 4127: 403,
          5103: 404, 5105: 403, 5204: 500, 5205: 403, 5107: 404, 4000: 400,
          4015: 415, 5000: 500, 5001: 501}
# the parameters of a response that have a header
BACK = {"rvi": "x-m2m-rvi", "fr": "x-m2m-origin", "ot": "x-m2m-ot",
        "rset": "x-m2m-rst", "ec": "x-m2m-ec", "vsi": "x-m2m-vsi"}
PLACES = {"r": "Cdisp", "m": "/id-mn"}
TOKENS = {"k3m9": "CmyAE", "two": "Ctwo", "cb1": "Ccb"}


def number(text):
    try:
        return json.loads(text) if text[:1] in "-0123456789" else text
    except ValueError:
        return text


def entity_of(target):
    """(who is meant or None, what the target adds to the point of access).
    Where no point of access is named, the id in the path says who."""
    m = re.match(r"/([rm])/(\w+)(.*)\Z", target)
    if m:
        return TOKENS.get(m[2], PLACES[m[1]]), m[3]
    if not target.startswith("/"):
        raise Excluded("a target without slash: names what was subscribed to")
    return None, target


def to_of(suffix, entity):
    path = urllib.parse.unquote(suffix.partition("?")[0]).rstrip("/")
    if not path:
        return entity
    for mark, instead in (("/~/", "/"), ("/_/", "//")):
        if path.startswith(mark):
            return instead + path[3:].lstrip("/")
    return path[1:]


def listed(match):
    """tinyIoT forwards a list as it stood in JSON."""
    members = json.loads(match[1])
    return "=" + "+".join(urllib.parse.quote(m) for m in members)


def add_query(prim, suffix):
    """As vectors.add_query(), and numbers in any notation."""
    suffix = re.sub(r"([?&])ct=[^&]*", r"\1", suffix)  # a hint, no filter
    suffix = re.sub(r"=(\[[^&]*\])(?=&|\Z)", listed, suffix.rstrip("?&"))
    vectors.add_query(prim, suffix)
    for group in (prim, prim.get("fc", {})):
        for name, value in list(group.items()):
            if isinstance(value, str) and name in (
                    vectors.FC | vectors.PARAMS) - vectors.FC_LISTS:
                group[name] = number(value)


def operation(method, headers):
    _, ty = vectors.media_of(headers)
    if method == "POST":
        return (5, None) if ty is None else (1, number(ty))
    return vectors.METHODS[method], None


def incoming(raw, release):
    """(head, body, entity or None, suffix, primitive, pc) of a request."""
    start, pairs, _ = vectors.split_head(raw)
    method, target, _ = start.split(" ")
    entity, suffix = entity_of(target)
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = dict(pairs)
    op, ty = operation(method, headers)
    prim = {"op": op, "to": to_of(suffix, entity)}
    if ty is not None:
        prim["ty"] = ty
    vectors.add_headers(prim, headers)
    prim.pop("rqi", None)
    prim.setdefault("rvi", release)
    add_query(prim, suffix)
    attributes = prim.pop("pc", None)
    body = body[:int(headers.get("content-length", 0))]
    pc = body if body and op not in (2, 4) else None
    if pc and vectors.media_of(headers)[0] == "application/cbor":
        pc = json.dumps(cbor2.loads(pc), separators=(",", ":"),
                        ensure_ascii=False).encode()
    if attributes:
        pc = json.dumps(attributes, separators=(",", ":")).encode()
    return head, body, entity, suffix, prim, pc


def replied(raw, rqi):
    """The recorded response as the target's answer. None: it said nothing
    that is one (no answer, another's X-M2M-RI, no X-M2M-RSC)."""
    if raw is None:
        return None
    start, pairs, body = vectors.split_head(raw)
    headers = dict(pairs)
    if "x-m2m-rsc" not in headers or headers.get("x-m2m-ri") != rqi:
        return None
    if headers.get("transfer-encoding") == "chunked":
        body = vectors.dechunk(body)
    members = {short: headers[name] for short, name in BACK.items()
               if name in headers}
    return Reply(int(headers["x-m2m-rsc"]), members, body.strip())


def recorded(step, raw, response, release):
    head, body, entity, suffix, prim, pc = incoming(raw, release)
    _, pairs, _ = vectors.split_head(raw)
    return Exchange(step, head, body, entity, suffix, prim, pc,
                    replied(response, dict(pairs).get("x-m2m-ri")))


def files(folder):
    """(name, request, response or None) of what a CSE sent, in order."""
    for path in sorted(glob.glob(os.path.join(folder, "*",
                                              "notify-request*.http"))):
        where, name = os.path.split(path)
        response = os.path.join(where, name.replace("request", "response"))
        yield (os.path.basename(where) + name[14:-5], vectors.read(path),
               vectors.read(response))


def http_message(text):
    """A section as bytes with CRLF; `Content-Length: *` is counted."""
    head, gap, body = text.partition("\n\n")
    body = body.rstrip("\n").encode() if gap else b""
    head = re.sub(r"(?i)(content-length): \*", rf"\1: {len(body)}",
                  head.rstrip("\n"))
    return head.replace("\n", "\r\n").encode(), body


def own_row(name, sections):
    """(Exchange, expected response as (status, headers, body))"""
    head, body = http_message(sections["request"])
    target = head.decode().split(" ")[1]
    place = re.match(r"\{(AE|CSE)\}", target)
    prim = json.loads(sections["primitive"])
    answer = sections["answer"].strip()
    start, headers, back = exchanges.message(sections["response"])
    entity = {"AE": "Cdisp", "CSE": "/id-mn"}[place[1]] if place else None
    pc = body if "pc" in prim else None
    prim.pop("pc", None)
    row = Exchange(name, head, body, entity,
                   target[place.end():] if place else target, prim, pc,
                   answer)
    return row, (int(start.split(" ")[1]), headers, back)


def own(file):
    """The rows of exchanges/reverse/FILE."""
    with open(os.path.join(OWN, file), encoding="utf-8", newline="\n") as f:
        parts = re.split(r"(?m)^=== ", f.read())[1:]
    for part in parts:
        name, _, rest = part.partition("\n")
        sections = dict(p.split("\n", 1)
                        for p in re.split(r"(?m)^--- ", rest)[1:])
        yield own_row(name.strip(), sections)
