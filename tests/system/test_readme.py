"""The ten minutes of README.md, done as they are written there: each command
in a shell, each click in a browser."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import unittest

import walkthrough
from devtools import Browser
from harness import (BUILD, HERE, Case, Process, eventually, free_port,
                     needs_program)

ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
TITLE = "Ten minutes, from clone to a notification in the browser"
VARIANT = os.path.basename(BUILD)
SECONDS = 30            # for each step
# What scripts/run takes from the environment, by what is written.
PORTS = {"8180": "M2MWSD_PORT", "8181": "CONSOLE_PORT", "8080": "CSE_PORT",
         "8383": "NOTIFY_PORT"}

# Of what a person can see: elements by the text on them.
FIND = {
    "follow": "[...document.querySelectorAll('a')]"
              ".filter((e) => e.innerText.trim() === %s)",
    "press": "[...document.querySelectorAll('button')]"
             ".filter((e) => e.innerText.trim() === %s)",
    "write": "[...document.querySelectorAll('label')]"
             ".filter((e) => e.firstChild.textContent.trim() === %s)"
             ".map((e) => e.control)",
    "hear": "[...document.querySelectorAll('.entry.notification')]"
            ".filter((e) => e.innerText.includes('Notification') &&"
            " e.querySelector('pre').innerText.includes(%s))",
}
# Where to click on the only one of them that is not hidden by anything.
PLACE = """(() => {
	const [e, ...more] = %s.filter((e) => e.checkVisibility());
	if (e === undefined || more.length > 0)
		return null;
	e.scrollIntoView({ block: "center" });
	const { left, top, width, height } = e.getBoundingClientRect();
	const x = left + width / 2, y = top + height / 2;
	return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
})()"""


def readme():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return file.read()


def differs(command, said, lines):
    return "\n".join([f"$ {command}", "prints", said, "and not", *lines])


def descendants(pid):
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                parents[int(entry)] = int(
                    file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue            # it is gone
    found = [pid]
    for one in found:
        found += [child for child, of in parents.items() if of == one]
    return found[1:]


class Terminal(Process):
    """A shell in which somebody types."""

    def __init__(self, folder, env):
        super().__init__(["bash", "--norc"], stdin=subprocess.PIPE,
                         cwd=folder, env=env)
        self.count = self.read = 0
        self.busy = None        # the command, until the shell is back

    def type(self, text):
        self.count += 1
        self.busy = text
        self.popen.stdin.write(
            f"{text}\nprintf '\\n--%d-%d--\\n' {self.count} $?\n".encode())
        self.popen.stdin.flush()

    def unread(self):
        return self.log_text()[self.read:]

    def prompt(self):
        return re.search(rf"\n--{self.count}-(\d+)--\n", self.unread())

    def await_prompt(self, case):
        """What was printed until then."""
        found = eventually(self.prompt, SECONDS)
        case.assertTrue(found, f"{self.busy}\ndoes not end:\n{self.unread()}")
        said = self.unread()[:found.start()]
        case.assertEqual(found[1], "0", f"status of {self.busy}\n{said}")
        self.read += found.end()
        self.busy = None
        return said

    def await_output(self, case, lines):
        shown = walkthrough.pattern(lines)
        found = eventually(lambda: shown.match(self.unread()), SECONDS)
        case.assertTrue(found, differs(self.busy, self.unread(), lines))
        self.read += found.end()

    def interrupt(self):
        """Ctrl-C goes to all that is in the foreground."""
        for pid in descendants(self.popen.pid):
            os.kill(pid, signal.SIGINT)

    def leave(self, case):
        if self.busy and self.prompt():
            case.assertEqual(self.await_prompt(case), "")
        case.assertIsNone(self.busy, "it still runs")
        self.popen.stdin.close()
        case.assertIsNone(self.complaints(self.wait(SECONDS)))


class TenMinutes(Case):
    under_sanitizers = False
    seconds = 120

    def setUp(self):
        super().setUp()
        self.chromium = needs_program(self, "chromium", "chromium-browser")
        try:
            import websockets   # noqa: F401
        except ImportError:
            self.skipTest("python3-websockets is not installed")
        if os.path.realpath(BUILD) != os.path.join(ROOT, "build", VARIANT):
            self.skipTest("scripts/run starts what is in build/")
        self.ports = {name: str(free_port()) for name in PORTS.values()}
        self.env = self.environment()
        self.require_built()
        self.terminals, self.browser, self.heard = {}, None, []
        # a shell cannot catch what its parent has ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def environment(self):
        """Of the terminals; python3 is the one that runs this, Debian's."""
        tools = os.path.join(os.environ["TMPDIR"], "tools")
        os.mkdir(tools)
        os.symlink(sys.executable, os.path.join(tools, "python3"))
        env = {name: value for name, value in os.environ.items()
               if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        env.update(self.ports, VARIANT=VARIANT,
                   PATH=f"{tools}:{os.environ['PATH']}")
        return env

    def require_built(self):
        """scripts/run would build, under the other tests."""
        status = subprocess.run(["make", "-q", "all"], cwd=ROOT, env=self.env,
                                capture_output=True).returncode
        self.assertEqual(status, 0, f"{BUILD} is older than its source")

    def as_told(self, text):
        """With the ports and the build that scripts/run is told to use."""
        self.assertLessEqual(set(re.findall(r"127\.0\.0\.1:(\d+)", text)),
                             set(PORTS))
        text = re.sub(r"(?<=127\.0\.0\.1:)\d+",
                      lambda port: self.ports[PORTS[port[0]]], text)
        return text.replace("build/release", f"build/{VARIANT}")

    # ---- in a terminal ----

    def terminal(self, number):
        if number not in self.terminals:
            new = Terminal(os.environ["TMPDIR"], self.env)
            self.addCleanup(new.kill)
            self.addCleanup(new.popen.stdin.close)
            self.terminals[number] = new
        return self.terminals[number]

    def clone(self, command):
        """The source is there: here."""
        git, clone, url, folder = shlex.split(command)
        os.symlink(ROOT, os.path.join(os.environ["TMPDIR"], folder))

    def run_command(self, terminal, command):
        if command.text.startswith("git clone "):
            self.clone(command.text)
            return
        if terminal.busy:       # with what has been read to its end
            self.assertEqual(terminal.await_prompt(self), "")
        terminal.type(command.text)
        if command.stays:
            terminal.await_output(self, command.output)
            return
        said = terminal.await_prompt(self)
        shown = walkthrough.pattern(command.output)
        self.assertTrue(shown.fullmatch(said),
                        differs(command.text, said, command.output))

    def in_terminal(self, block):
        terminal = self.terminal(block.number)
        for step in block.steps:
            if isinstance(step, walkthrough.Command):
                self.run_command(terminal, step)
            elif step == "^C":
                self.assertTrue(terminal.busy, "^C of nothing")
                terminal.interrupt()
                terminal.await_prompt(self)
            else:
                self.assertTrue(terminal.busy, f"who prints this? {step}")
                terminal.await_output(self, step)

    # ---- in the browser ----

    def value(self, expression, what):
        """Once it is something."""
        got = eventually(lambda: self.browser.value(expression), SECONDS, 0.1)
        self.assertTrue(got, f"{what} in\n" + self.browser.value(
            "document.body.innerText"))
        return got

    def click(self, name, text):
        place = PLACE % FIND[name] % json.dumps(text)
        self.browser.click(*self.value(place, f"{name} {text}"))

    def open(self, url):
        if self.browser is None:
            self.browser = Browser(self.chromium)
            self.addCleanup(self.browser.close)
        self.browser.open(url)
        self.value("document.readyState === 'complete' &&"
                   " document.querySelector('#url')?.value", url)

    def follow(self, text):
        self.click("follow", text)

    def press(self, text):
        self.click("press", text)

    def write(self, text, label):
        self.click("write", label)
        self.browser.value("document.activeElement.select()")
        self.browser.type(text)
        self.assertEqual(
            self.browser.value("document.activeElement.value"), text, label)

    def see(self, text):
        self.value(f"document.body.innerText.includes({json.dumps(text)})",
                   text)

    def hear(self, text):
        self.value(FIND["hear"] % json.dumps(text) + ".length === 1", text)
        self.heard.append(text)

    def in_browser(self, block):
        for name, *words in block.steps:
            getattr(self, name)(*words)
        self.assertEqual(self.browser.complaints, [])

    # ---- the tests ----

    def test_line_by_line(self):
        blocks = walkthrough.read(
            self.as_told(walkthrough.section(readme(), TITLE)))
        for block in blocks:
            if isinstance(block, walkthrough.InBrowser):
                self.in_browser(block)
            else:
                self.in_terminal(block)
        for terminal in self.terminals.values():
            terminal.leave(self)
        self.assertTrue(self.heard)


class Reader(unittest.TestCase):
    """What is no step that can be taken is not passed over."""

    def time_limit(self):
        return 20

    def read(self, text):
        return walkthrough.read(walkthrough.section(
            f"# x\n\n## Now\n\n{text}\n\n## Then\n\n    $ false\n", "Now"))

    def test_unclear(self):
        for text, why in (
                ("Do:\n\n    $ true", "where does this"),
                ("    $ true", "in which terminal"),
                ("Do, in the browser:\n\n    $ true", "in which terminal"),
                ("1. Open <x>.", "in the browser"),
                ("Do, in terminal 1:\n\n1. Open <x>.", "in the browser"),
                ("Do, in terminal 1:", "missing at the end"),
                ("Do, in terminal 1:\n\nDo not.", "missing above"),
                ("Do, in terminal 1, which stays busy:\n\n    x", "nothing"),
                ("Do, in terminal 1:\n\n    $ a\nb", "where does this end"),
                ("Do, in terminal 1:\n    $ true", "what is this"),
                ("Do:\n$ true", "what is this"),
                ("```\ntrue\n```", "what is this"),
                ("- Open <x>.", "what is this"),
                ("Do, in the browser:\n\n1. Look at <x>.", "no step"),
                ("Do, in the browser:\n\n1. Press *x* twice.", "no step"),
                ("Do, in the browser:\n\n1. Press *x*. And\n   so on.",
                 "no step in a browser: And so on")):
            with self.subTest(text), \
                 self.assertRaisesRegex(walkthrough.Unclear, why):
                self.read(text)
        with self.assertRaisesRegex(walkthrough.Unclear, "no section"):
            walkthrough.section("## Later\n", "Now")

    def test_steps(self):
        first, second, third = self.read(
            "It\nis, in terminal 2:\n\n    $ a \\\n      b\n    1\n\n"
            "      2\n    $ c <<'E'\n    $ d\n    E\n    ^C\n\n"
            "![x](y)\n\nThen, in\nthe browser:\n\n1. Open <u>. Press *b*.\n"
            "2. Write `t`\n   into *l*.\n\nAnd in terminal 1:\n\n    ...\n")
        a, c, end = first.steps
        self.assertEqual((first.number, a.text, a.output, a.stays),
                         (2, "a \\\n  b", ["1", "", "  2"], False))
        self.assertEqual((c.text, c.output, end),
                         ("c <<'E'\n$ d\nE", [], "^C"))
        self.assertEqual(second.steps, [("open", "u"), ("press", "b"),
                                        ("write", "t", "l")])
        self.assertEqual(third.steps, [["..."]])

    def test_output(self):
        for shown, said, same in (
                ("a\nb", "a\nb\n", True), ("a\nb", "a\nb\nc\n", False),
                ("a\n...", "a\n", True), ("a\n  ...\nd", "a\nb\nc\nd\n", True),
                ("a\n...\nd", "a\nb\nd\nc\n", False),
                ("a...c", "abc\n", True), ("a...c", "a\nc\n", False),
                ("a.c", "abc\n", False), ("a", "a", False)):
            self.assertEqual(bool(walkthrough.pattern(
                shown.split("\n")).fullmatch(said)), same, (shown, said))
