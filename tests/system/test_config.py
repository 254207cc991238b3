"""The command line and what it says about a bad configuration."""

import os
import re
import socket
import subprocess
import tempfile

from fakecse import ok
from harness import Case, config_text, free_port, program


def run(*argv, timeout=20):
    return subprocess.run([program("m2mwsd"), *argv], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=timeout)


class CommandLine(Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, text, name="m2mwsd.conf"):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
        return path

    def good(self, port=None, **more):
        sections = {
            'listener "main"': {"listen": f"127.0.0.1:{port or free_port()}"},
            'upstream "cse"': {"url": "http://127.0.0.1:1"},
            "auth": {"mode": "open"}, **more}
        return self.write(config_text(sections))

    def test_version_and_help(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"^m2mwsd \d+\.\d+")
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"-c", done.stdout)

    def test_unknown_option(self):
        self.assertNotEqual(run("--no-such-option").returncode, 0)

    def test_check_of_a_good_file(self):
        for flag in ("-t", "--check-config"):
            done = run(flag, "-c", self.good())
            self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_check_has_no_side_effects(self):
        """The port may be somebody else's and stays free otherwise."""
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            before = set(os.listdir(self.folder))
            done = run("-t", "-c", self.good(other.getsockname()[1]))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(set(os.listdir(self.folder)) - before,
                         {"m2mwsd.conf"})

    def test_port_in_use_is_said(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            done = run("-c", self.good(port))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(port), done.stderr.decode())

    def test_missing_file(self):
        path = os.path.join(self.folder, "none.conf")
        done = run("-t", "-c", path)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(path, done.stderr.decode())

    def bad(self, text):
        done = run("-t", "-c", self.write(text))
        said = done.stderr.decode()
        self.assertEqual(done.returncode, 2, said)
        return said

    def test_errors_have_a_place(self):
        rows = [
            ("unknown key", "[limits]\nin_flihgt = 3\n", 2, "in_flight"),
            ("unknown section", "[limitz]\nin_flight = 3\n", 1, "limits"),
            ("not a number", "[limits]\nin_flight = many\n", 2, "in_flight"),
            ("unit unknown", "[limits]\nmax_message = 12q\n", 2,
             "max_message"),
            ("out of range", "[limits]\nin_flight = 0\n", 2, "in_flight"),
            ("not an address", '[listener "a"]\nlisten = nowhere\n', 2,
             "listen"),
            ("no such mode", "[auth]\nmode = maybe\n", 2, "mode"),
            ("url of another kind", '[upstream "a"]\nurl = ftp://x/\n', 2,
             "url"),
            ("key outside of a section", "in_flight = 3\n", 1, ""),
            ("section not closed", "[limits\nin_flight = 3\n", 1, ""),
            ("no equals sign", "[limits]\nin_flight\n", 2, ""),
            ("NUL", "[limits]\nin_flight = \x00\n", 2, ""),
        ]
        for name, text, line, word in rows:
            with self.subTest(name):
                said = self.bad(text)
                self.assertRegex(said, rf"m2mwsd\.conf:{line}:\d+: ")
                self.assertIn(word, said)

    def test_all_errors_in_one_pass(self):
        said = self.bad("[limits]\nin_flihgt = 3\nmax_depth = x\n"
                        "[auth]\nmode = maybe\n")
        lines = {int(n) for n in re.findall(r"m2mwsd\.conf:(\d+):\d+:", said)}
        self.assertLessEqual({2, 3, 5}, lines)

    def test_caret_shows_the_column(self):
        said = self.bad("[limits]\nin_flight = many\n").split("\n")
        at = next(i for i, line in enumerate(said) if "^" in line)
        column = int(re.search(r":2:(\d+): ", "\n".join(said))[1])
        shown = said[at - 1].index("in_flight")
        self.assertEqual(said[at].index("^") - shown, column - 1)

    def test_conf_d_and_override(self):
        path = self.good()
        self.write("[limits]\nin_flight = 7\nmax_depth = 20\n",
                   "conf.d/50-more.conf")
        done = run("--dump-config", "-c", path, "-o", "limits.max_depth=30")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        text = done.stdout.decode()
        self.assertRegex(text, r"(?m)^\s*in_flight\s*=\s*7\b")
        self.assertRegex(text, r"(?m)^\s*max_depth\s*=\s*30\b")
        self.assertIn("50-more.conf", text)

    def test_dump_can_be_read_back(self):
        first = run("--dump-config", "-c", self.good())
        second = run("--dump-config", "-c",
                     self.write(first.stdout.decode(), "again.conf"))
        self.assertEqual(second.returncode, 0, second.stderr.decode())

        def plain(text):
            return [re.sub(r"\s*[#;].*", "", line)
                    for line in text.decode().split("\n")]
        self.assertEqual(plain(first.stdout), plain(second.stdout))

    def test_bad_override(self):
        done = run("-t", "-c", self.good(), "-o", "limits.in_flihgt=3")
        self.assertEqual(done.returncode, 2)
        self.assertIn("in_flihgt", done.stderr.decode())

    def test_override_in_the_running_daemon(self):
        daemon = self.daemon(self.cse(ok), argv=(
            "-o", "limits.max_message=1k"))
        ws = self.connect(daemon)
        ws.send_text(" " * 1025)
        self.assertEqual(ws.close_received(), 1009)

    def test_open_mode_is_said_aloud(self):
        daemon = self.daemon(self.cse(ok))
        self.assertRegex(daemon.log_text(), r"(?i)warn.*open|"
                                            r"open.*warn")
