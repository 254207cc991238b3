"""Reads tests/corpus/smuggling (its README.md has the format)."""

import os
import re

from harness import HERE

FOLDER = os.path.join(HERE, "..", "corpus", "smuggling")
MACRO = re.compile(rb"\{(?:(len|hex):)?([a-z]+)\}|\{(.)\*(\d+)\}", re.DOTALL)


class Case:
    """One line of the corpus. want: {endpoint: [answer]}, the endpoint ""
    being all that are not named."""

    def __init__(self, family, template, value, want):
        self.name = f"{family}: {value}" if value is not None else family
        self.octets = template
        if value is not None:
            self.octets = template.replace(b"{x}", unescape(value))
        self.wanted = {"": []}
        for word in want.split():
            endpoint, colon, answers = word.partition(":")
            if colon:
                self.wanted[endpoint] = answers.split(",")
            else:
                self.wanted[""].append(word)

    def want(self, endpoint):
        return self.wanted.get(endpoint, self.wanted[""])

    def fill(self, macros):
        """The octets to send, with the macros of one endpoint."""
        def put(m):
            if m[3] is not None:
                return m[3] * int(m[4])
            text = expand(macros[m[2].decode()])
            if m[1] == b"len":
                return b"%d" % len(text)
            return b"%x" % len(text) if m[1] else text

        def expand(text):
            return MACRO.sub(put, text)
        return expand(self.octets)


def unescape(text):
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def parts(lines):
    """(family, want, template, [(value, want)]) of a file."""
    family = None
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith("family "):
            if family:
                yield family
            _, name, want = line.split(" ", 2)
            family = name, want, b"", []
        elif line.startswith("\t"):
            family = *family[:2], family[2] + unescape(line[1:]), family[3]
        elif line.startswith("="):
            value, arrow, own = line.partition(" -> ")
            family[3].append((value[2:], own if arrow else family[1]))
        elif line and not line.startswith("#"):
            raise ValueError(f"corpus of smuggling: {line!r}")
    yield family


def load(name):
    """The cases of one file."""
    with open(os.path.join(FOLDER, name + ".txt"), encoding="latin-1") as f:
        for family, want, template, values in parts(f):
            for value, own in values or [(None, want)]:
                yield Case(family, template, value, own)
