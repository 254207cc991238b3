"""tests/examples at work: each registers, reports, listens and leaves, at what
scripts/run starts, while somebody else switches its lamp on."""

import json
import os
import subprocess
import sys
import threading

from browser import run_page
from harness import (HERE, Case, Process, free_port, needs_node_ws,
                     needs_program, node_env, program, wait_listening)
from wsclient import WebSocket

ROOT = os.path.join(HERE, "..", "..")
EXAMPLES = os.path.join(HERE, "..", "examples")
SAID = ["registered Clamp", "reported off", "listening", "heard on", "gone"]
WARNINGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion",
            "-Werror"]

# What whoever switches the lamp on says; the page says it by a WebSocket, too.
SWITCH_ON = {"op": 1, "to": "cse-in/lamp/switch", "fr": "CAdmin", "rqi": "1",
             "rvi": "3", "ty": 4, "pc": {"m2m:cin": {"con": "on"}}}

PAGE = """
	const frame = document.createElement("iframe");
	const said = () => frame.contentDocument?.getElementById("log")
		?.textContent || "";
	const until = async (text) => {
		while (!said().includes(text))
			await new Promise((again) => setTimeout(again, 20));
	};

	frame.src = "/lamp.html?url=" + encodeURIComponent(URL_OF_IT);
	document.documentElement.append(frame);
	await until("listening");
	const other = new WebSocket(URL_OF_IT, "oneM2M.json");
	other.onopen = () => other.send(JSON.stringify(SWITCH_ON));
	await until("gone");
	const lamp = frame.contentDocument.getElementById("lamp");
	return { said: said(), lamp: lamp.className };
"""


class Examples(Case):
    seconds = 60

    def setUp(self):
        super().setUp()
        self.port, cse, notify, admin = (free_port() for _ in range(4))
        self.address = ("127.0.0.1", self.port)
        self.url = f"ws://127.0.0.1:{self.port}/"
        daemon = Process([
            program("m2mwsd"), "-c", os.path.join(ROOT, "conf/demo.conf"),
            "-o", f"listener.demo.listen=127.0.0.1:{self.port}",
            "-o", f"upstream.cse.url=http://127.0.0.1:{cse}",
            "-o", f"store.http_listen=127.0.0.1:{cse}",
            "-o", f"notify.listen=127.0.0.1:{notify}",
            "-o", f"admin.listen=127.0.0.1:{admin}"])
        self.addCleanup(self.end_process, daemon)
        wait_listening(daemon, self.address)

    def switch_on(self):
        with WebSocket(self.address) as ws:
            answer = ws.ask(**SWITCH_ON)
        self.assertEqual(answer["rsc"], 2001, answer)

    def run_lamp(self, *argv, env=None):
        """Twice: nothing of the first is in the way of the second."""
        for _ in range(2):
            lamp = subprocess.Popen(argv, stdin=subprocess.DEVNULL, env=env,
                                    stdout=subprocess.PIPE, text=True,
                                    stderr=subprocess.STDOUT)
            killer = threading.Timer(20, lamp.kill)
            killer.start()
            said = []
            for line in lamp.stdout:
                said.append(line.rstrip("\n"))
                if said[-1] == "listening":
                    self.switch_on()
            lamp.stdout.close()
            status = lamp.wait()
            killer.cancel()
            self.assertEqual(said, SAID)
            self.assertEqual(status, 0)

    def test_python(self):
        try:
            import websockets   # noqa: F401
        except ImportError:
            self.skipTest("python3-websockets is not installed")
        self.run_lamp(sys.executable, "-B", f"{EXAMPLES}/lamp.py", self.url)

    def test_node(self):
        node = needs_node_ws(self)
        self.run_lamp(node, f"{EXAMPLES}/lamp.js", self.url, env=node_env())

    def test_small_device(self):
        cc = needs_program(self, "cc", "gcc")
        lamp = os.path.join(os.environ["TMPDIR"], "lamp")
        subprocess.run([cc, *WARNINGS, "-o", lamp, f"{EXAMPLES}/lamp.c"],
                       check=True)
        self.run_lamp(lamp, "127.0.0.1", str(self.port))

    def test_browser(self):
        chromium = needs_program(self, "chromium", "chromium-browser")
        with open(f"{EXAMPLES}/lamp.html", "rb") as file:
            pages = {"/lamp.html": ("text/html", file.read())}
        script = PAGE.replace("URL_OF_IT", json.dumps(self.url)).replace(
            "SWITCH_ON", json.dumps(SWITCH_ON))
        got = run_page(chromium, script, pages=pages)
        self.assertEqual(got["said"].split("\n"), [*SAID, ""])
        self.assertEqual(got["lamp"], "on")
