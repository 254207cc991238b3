"""Cuts the members of a JSON object out of its text, byte for byte, and makes
JSON text that no ordinary writer would make."""

import json
import random
import re
import sys
from json.decoder import scanstring

SPACE = re.compile(r"[ \t\n\r]*")
DECODER = json.JSONDecoder()
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)  # numbers of any length are legal JSON


def skip(text, at):
    return SPACE.match(text, at).end()


def members(text):
    """{name: raw text of the value} of an object, names decoded."""
    out = {}
    at = skip(text, 0)
    if text[at] != "{":
        raise ValueError("not an object")
    at = skip(text, at + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1)
        at = skip(text, at)
        if text[at] != ":":
            raise ValueError("no colon")
        start = skip(text, at + 1)
        _, end = DECODER.raw_decode(text, start)
        out[name] = text[start:end]
        at = skip(text, end)
        if text[at] == ",":
            at = skip(text, at + 1)
    return out


NUMBERS = ["0", "-0", "1.10", "1E400", "-1e-400", "3.0", "1E2", "1e+2",
           "0.1", "123456789012345678901234567890", "-9223372036854775809",
           "18446744073709551616", "2.2250738585072014e-308", "0e0", "7"]
WORDS = ["true", "false", "null", "[]", "{}", '""']
LETTERS = list("abcXYZ019_:-./ \x7f") + [
    "\u00e9", "\u00b0", "\u6e29\u5ea6", "\U0001f321", "\u2028", "\ufeff",
    "\ufffd", "\u0080", "\U0010ffff", "</script>", "%41", "&", "+"]
ESCAPES = ["\\n", "\\r\\n", "\\t", "\\b", "\\f", "\\/", "\\\\", '\\"',
           "\\u0000", "\\u001F", "\\u00b0", "\\uD83C\\uDF21", "\\u007f",
           "\\uABCD", "\\u0022"]


class Writer:
    """Random but valid JSON text. seed makes it the same every time."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def space(self):
        if self.random.random() < 0.7:
            return ""
        return self.random.choice([" ", "  ", "\t", "\n", "\r\n", " \n\t "])

    def string(self):
        r = self.random
        parts = [r.choice(ESCAPES if r.random() < 0.3 else LETTERS)
                 for _ in range(r.randrange(12))]
        return '"' + "".join(parts) + '"'

    def scalar(self):
        r = self.random
        return r.choice([self.string, self.string,
                         lambda: r.choice(NUMBERS),
                         lambda: r.choice(WORDS)])()

    def value(self, depth):
        r = self.random
        if depth <= 0 or r.random() < 0.4:
            return self.scalar()
        if r.random() < 0.1:
            return "[" * 30 + self.scalar() + "]" * 30
        items = range(r.randrange(5))
        if r.random() < 0.4:
            inner = [self.padded(self.value(depth - 1)) for _ in items]
            return "[" + (",".join(inner) or self.space()) + "]"
        return self.object(depth, len(items))

    def padded(self, text):
        return self.space() + text + self.space()

    def object(self, depth, count):
        # few names, so that some occur twice
        names = [self.random.choice(['"con"', '"a"', '"\\u0061"', '""',
                                     '"m2m:x"', self.string()])
                 for _ in range(count)]
        inner = [self.padded(n) + ":" + self.padded(self.value(depth - 1))
                 for n in names]
        return "{" + (",".join(inner) or self.space()) + "}"

    def content(self):
        """A pc: an object with one member whose name has a prefix."""
        kind = self.random.choice(["cin", "cnt", "ae", "fcnt", "sgn"])
        return ("{" + self.padded(f'"m2m:{kind}"') + ":" +
                self.padded(self.object(5, self.random.randrange(6))) + "}")
