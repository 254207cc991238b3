"""Reads a section of README.md that a newcomer follows line by line.

A paragraph that ends in a colon says where the next thing happens: "in
terminal N:", "in terminal N, which stays busy:" or "in the browser:". A
terminal's block holds commands behind "$ ", each with the output that it is to
have, and ^C. A block that begins with output awaits it from the command that
keeps the terminal busy. In output "..." stands for anything in a line, on a
line of its own for any lines. A list holds what is done in the browser, in the
words of ACTIONS. All else is an error, so that no step is passed over."""

import re

WHERE = re.compile(
    r"\b[Ii]n (?:terminal (\d)(, which stays busy)?|the browser):$")
ITEM = re.compile(r"\d+\. +")
HERE_DOCUMENT = re.compile(r"<<'?(\w+)'?")
ACTIONS = tuple((name, re.compile(words + r"(?: |$)")) for name, words in (
    ("open", r"Open <([^<>]+)>\."),
    ("follow", r"Follow \*([^*]+)\*\."),
    ("write", r"Write `([^`]+)` into \*([^*]+)\*\."),
    ("press", r"Press \*([^*]+)\*\."),
    ("see", r"See `([^`]+)`\."),
    ("hear", r"See the notification `([^`]+)`\.")))


class Unclear(Exception):
    pass


class Command:
    def __init__(self, line):
        self.lines = [line]
        self.output = []
        self.stays = False      # it keeps the terminal

    @property
    def text(self):
        return "\n".join(self.lines)

    def goes_on(self):
        """There is more of it on the next line."""
        word = HERE_DOCUMENT.search(self.lines[0])
        if word:
            return self.lines[-1] != word[1]
        return self.lines[-1].endswith("\\")


class InTerminal:
    """steps: Commands, lists of lines that a busy one is to print, "^C"."""

    def __init__(self, number, stays, lines):
        self.number = number
        self.steps = []
        output = None
        for line in lines:
            last = self.steps[-1] if self.steps else None
            if isinstance(last, Command) and last.goes_on():
                last.lines.append(line)
            elif line == "^C":
                self.steps.append(line)
                output = None
            elif line.startswith("$ "):
                self.steps.append(Command(line[2:]))
                output = self.steps[-1].output
            else:
                if output is None:
                    output = []
                    self.steps.append(output)
                output.append(line)
        if stays:
            if not isinstance(self.steps[-1], Command):
                raise Unclear(f"nothing keeps terminal {number} busy")
            self.steps[-1].stays = True


class InBrowser:
    """steps: tuples of a name of ACTIONS and what is in its words."""

    def __init__(self, lines):
        items = []
        for line in lines:
            if ITEM.match(line):
                items.append(ITEM.sub("", line, count=1))
            else:
                items[-1] += " " + line.strip()
        self.steps = [step for item in items for step in self.steps_of(item)]

    @staticmethod
    def steps_of(text):
        while text:
            for name, words in ACTIONS:
                found = words.match(text)
                if found:
                    break
            else:
                raise Unclear(f"no step in a browser: {text}")
            yield name, *found.groups()
            text = text[found.end():]


def section(text, title):
    """What is below a heading, up to the next one of its level."""
    _, found, rest = ("\n" + text).partition(f"\n## {title}\n")
    if not found:
        raise Unclear(f"no section {title}")
    return rest.partition("\n## ")[0]


def chunks(text):
    """Lines that no empty one parts; a block in a terminal may hold such."""
    chunk, empty = [], 0
    for line in text.split("\n"):
        if not line:
            empty += 1
            continue
        inside = line.startswith("    ")
        if chunk and empty and not (inside and chunk[0].startswith("    ")):
            yield chunk
            chunk, empty = [], 0
        chunk += [""] * empty + [line] if chunk else [line]
        empty = 0
    if chunk:
        yield chunk


def is_prose(lines):
    return (lines[0][0].isalpha() or re.match("`[^`]", lines[0])) and not any(
        line.startswith(("    ", "$ ")) for line in lines)


def read(text):
    """Of a section, InTerminals and InBrowsers, in their order."""
    where, all_steps = None, []
    for chunk in chunks(text):
        first = chunk[0]
        if first.startswith("    "):
            if where is None or where[1] is None:
                raise Unclear(f"in which terminal? {first}")
            if not all(line[:4].isspace() for line in chunk if line):
                raise Unclear(f"where does this end? {first}")
            all_steps.append(InTerminal(int(where[1]), bool(where[2]),
                                        [line[4:] for line in chunk]))
            where = None
        elif ITEM.match(first):
            if where is None or where[1] is not None:
                raise Unclear(f"in the browser? {first}")
            all_steps.append(InBrowser(chunk))
            where = None
        elif where is not None:
            raise Unclear(f"steps are missing above: {first}")
        elif is_prose(chunk):
            prose = " ".join(chunk)
            where = WHERE.search(prose)
            if prose.endswith(":") and where is None:
                raise Unclear(f"where does this happen? {prose}")
        elif not first.startswith("!["):
            raise Unclear(f"what is this? {first}")
    if where is not None:
        raise Unclear("steps are missing at the end")
    return all_steps


def pattern(lines):
    """Of output that is shown as these lines."""
    return re.compile("".join(
        r"(?:.*\n)*?" if line.strip() == "..." else
        ".*?".join(map(re.escape, line.split("..."))) + r"\n"
        for line in lines))
