"""Chromium without a screen, led by the DevTools protocol over two pipes."""

import base64
import fcntl
import json
import os
import select
import subprocess
import tempfile
import time

from browser import FLAGS


def high(fd):
    """A copy that no dup2() to 3 or 4 runs over."""
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return copy


class Browser:
    """A browser with one page. What the page complains about, scripts that
    threw and requests that failed or were forbidden among it, is kept."""

    def __init__(self, chromium):
        self.complaints, self.answers, self.count = [], {}, 0
        self.unread, self.session = b"", None
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        from_us, to_browser = map(high, os.pipe())
        to_us, from_browser = map(high, os.pipe())
        self.read_fd, self.write_fd = to_us, to_browser

        def place_pipes():
            os.dup2(from_us, 3)
            os.dup2(from_browser, 4)

        self.popen = subprocess.Popen(
            [chromium, *FLAGS, "--remote-debugging-pipe", "--lang=en-GB",
             f"--user-data-dir={self.profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, pass_fds=(3, 4),
            preexec_fn=place_pipes,
            env=dict(os.environ, HOME=self.profile.name))
        os.close(from_us)
        os.close(from_browser)
        self.attach()

    def close(self):
        self.popen.terminate()
        self.popen.wait()
        os.close(self.read_fd)
        os.close(self.write_fd)
        self.profile.cleanup()

    # ---- the protocol ----

    def read_message(self, until):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.read_fd], [], [],
                                        max(0, until - time.monotonic()))
            data = os.read(self.read_fd, 1 << 20) if ready else b""
            if not data:
                raise AssertionError("the browser says nothing")
            self.unread += data
        one, _, self.unread = self.unread.partition(b"\0")
        return json.loads(one)

    def call(self, method, **params):
        self.count += 1
        request = {"id": self.count, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(request).encode() + b"\0")
        until = time.monotonic() + 30
        while True:
            said = self.read_message(until)
            if said.get("id") == self.count:
                break
            self.on_event(said)
        if "error" in said:
            raise AssertionError(f"{method}: {said['error']}")
        return said["result"]

    def on_event(self, said):
        params = said.get("params", {})
        if said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"])
        elif said.get("method") == "Log.entryAdded":
            self.complaints.append(params["entry"])
        elif (said.get("method") == "Runtime.consoleAPICalled" and
              params["type"] in ("error", "warning", "assert")):
            self.complaints.append(params["args"])

    def attach(self):
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=target["targetId"])["sessionId"]
        for domain in ("Runtime", "Log", "Page"):
            self.call(domain + ".enable")

    # ---- what a person does ----

    def open(self, url):
        said = self.call("Page.navigate", url=url)
        if "errorText" in said:
            raise AssertionError(said["errorText"])

    def value(self, expression):
        """Of an expression in the page; a promise is awaited."""
        said = self.call("Runtime.evaluate", expression=expression,
                         returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in said:
            raise AssertionError(said["exceptionDetails"])
        return said["result"].get("value")

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, code=0, text="", modifiers=0):
        more = {"key": key, "code": key, "windowsVirtualKeyCode": code,
                "modifiers": modifiers}
        if text:
            more["text"] = text
        self.call("Input.dispatchKeyEvent", type="keyDown", **more)
        more.pop("text", None)
        self.call("Input.dispatchKeyEvent", type="keyUp", **more)

    def click(self, x, y):
        for what in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=what, x=x, y=y,
                      button="left", clickCount=1)

    def tab(self):
        self.press("Tab", 9)

    def enter(self, modifiers=0):
        self.press("Enter", 13, "\r", modifiers)

    # ---- what a person sees ----

    def screen(self, width, height, dark=False, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=scale, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{
            "name": "prefers-color-scheme",
            "value": "dark" if dark else "light"}])

    def screenshot(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(
                self.call("Page.captureScreenshot")["data"]))
