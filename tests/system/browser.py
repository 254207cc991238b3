"""Chromium without a screen: opens a page of ours and waits for its result."""

import http.server
import json
import os
import queue
import subprocess
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--disable-extensions",
         "--disable-dev-shm-usage"]


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(404)
        else:
            self.reply(*page)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply("text/plain", b"thanks")
        self.server.results.put(json.loads(body))

    def log_message(self, *_):
        pass


def page(script):
    """A page that runs an async function body and posts what it returns."""
    return f"""<!DOCTYPE html><meta charset="utf-8"><script src="/round.js">
</script><script src="/listen.js"></script><script>
(async () => {{ {script} }})().then(
	(value) => ({{ value }}),
	(error) => ({{ error: String(error) }})
).then((said) => fetch("/result", {{
	method: "POST", body: JSON.stringify(said) }}));
</script>""".encode()


def run_page(chromium, script, seconds=60, pages=()):
    """What script returned; raises when it threw or said nothing. pages: more
    of them, by path."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.results = queue.Queue()
    server.pages = {"/": ("text/html", page(script)), **dict(pages)}
    for name in ("round.js", "listen.js"):
        with open(os.path.join(HERE, name), "rb") as f:
            server.pages["/" + name] = ("text/javascript", f.read())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [chromium, *FLAGS, f"--user-data-dir={profile}", url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=profile))
        try:
            said = server.results.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError("the page said nothing") from None
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()
            server.server_close()
    if "error" in said:
        raise AssertionError(said["error"])
    return said["value"]
