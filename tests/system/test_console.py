"""The console in a browser, as an operator uses it."""

import os
import tempfile

from devtools import Browser
from harness import eventually, free_port, needs_program
from test_admin import AdminCase
from test_credentials import hash_of

HOSTILE = '<img src=x onerror="document.title=1">'
SECRET = "~~~secret"     # not the same in base64 and base64url
CTRL = 2        # as the DevTools protocol counts modifiers


class Files(AdminCase):
    def test_off(self):
        self.start()
        self.assertEqual(self.get("/")[0], 404)
        self.assertEqual(self.get("/console/overview.js")[0], 404)

    def test_types(self):
        self.start(admin={"console": "yes"})
        for path, kind, begins in (
                ("/", "text/html; charset=utf-8", "<!DOCTYPE html>\n"),
                ("/?a=b", "text/html; charset=utf-8", "<!DOCTYPE html>\n"),
                ("/console/console.css", "text/css; charset=utf-8", ":root"),
                ("/console/dom.js", "text/javascript; charset=utf-8", "//"),
                ("/console/overview.js", "text/javascript; charset=utf-8",
                 "//"),
                ("/console/workbench.js", "text/javascript; charset=utf-8",
                 "//")):
            status, text = self.get(path)
            self.assertEqual((status, text[:len(begins)]), (200, begins))
            self.assertEqual(self.headers(path)["Content-Type"], kind)
            self.assertIn("script-src 'self';",
                          self.headers(path)["Content-Security-Policy"])
        for path in ("/console", "/console/", "/console/index.html",
                     "/console/../console.css", "/console/%2e%2e%2fMakefile",
                     "//"):
            self.assertEqual(self.get(path)[0], 404, path)
        self.assertEqual(self.get("/", "POST")[0], 405)

    def test_a_name_of_somebody_else(self):
        """DNS rebinding: a page of evil.example is led to 127.0.0.1."""
        self.start(admin={"console": "yes"})
        for host, want in (("127.0.0.1:1", 200), ("localhost", 200),
                           ("LOCALHOST:8181", 200), ("[::1]:8181", 200),
                           ("evil.example", 403), ("evil.example:8181", 403),
                           ("127.0.0.1.evil.example", 403),
                           ("localhost.evil.example", 403)):
            for path in ("/", "/api/sessions", "/metrics"):
                self.assertEqual(self.get(path, host=host)[0], want, host)

    def test_behind_a_name(self):
        self.start(admin={"console": "anywhere"})
        self.assertEqual(self.get("/", host="gw.example")[0], 200)


class ConsoleCase(AdminCase):
    under_sanitizers = False
    seconds = 90

    def folder(self):
        where = tempfile.TemporaryDirectory(prefix="m2mwsd-")
        self.addCleanup(where.cleanup)
        return where.name

    def open(self, view="", notify=(), **options):
        """A gateway with the embedded CSE behind it, and the page."""
        chromium = needs_program(self, "chromium", "chromium-browser")
        port = free_port()
        self.gateway = self.start(
            f"http://127.0.0.1:{port}", upstream={"cse_id": "/id-in"},
            store={"path": ":memory:", "http_listen": f"127.0.0.1:{port}"},
            notify=dict({"listen": f"127.0.0.1:{free_port()}"},
                        **dict(notify)),
            admin={"console": "yes"}, **options)
        self.browser = Browser(chromium)
        self.addCleanup(self.browser.close)
        self.browser.open(f"http://127.0.0.1:{self.port}/{view}")
        self.sees("document.readyState === 'complete' && "
                  "!!document.querySelector('#url')?.value")

    def sees(self, expression):
        self.assertTrue(
            eventually(lambda: self.browser.value(expression), every=0.1),
            expression)

    def text(self, selector):
        return self.browser.value(
            f"document.querySelector({selector!r})?.innerText ?? ''")

    def sees_text(self, selector, text):
        self.assertTrue(eventually(lambda: text in self.text(selector),
                                   every=0.1),
                        f"{text} in {self.text(selector)}")

    def assert_clean(self):
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual(self.browser.value("document.title"),
                         "m2mwsd console")
        self.assertEqual(self.browser.value(
            "document.querySelectorAll('main img').length"), 0)

    # ---- by keyboard ----

    def walk_to(self, id, text=None):
        """Tab, until the field of that id, or the button of that text, has
        the focus."""
        for _ in range(60):
            self.browser.tab()
            here = self.browser.value(
                "[document.activeElement.id, document.activeElement.innerText,"
                " document.activeElement.checkVisibility()]")
            if id == here[0] if id else text == here[1]:
                self.assertTrue(here[2])
                return
        self.fail(f"no way to {id or text}")

    def write(self, id, text):
        """Over what the field holds: Tab selects that of an input."""
        self.walk_to(id)
        self.browser.type(text)

    def answers(self):
        return self.browser.value(
            "[...document.querySelectorAll('.entry.answer .what')].map("
            "(e) => Number(e.innerText.slice(0, 4))).reverse()")

    def send_template(self, name, rsc):
        count = len(self.answers())
        self.walk_to(None, name)
        self.browser.enter()
        self.assertEqual(
            self.browser.value("document.activeElement.id"), "send")
        self.browser.enter()
        self.assertTrue(eventually(lambda: len(self.answers()) > count,
                                   every=0.1), self.text("#log"))
        self.assertEqual(self.answers()[-1], rsc, self.text("#log"))


class Overview(ConsoleCase):
    def test_sessions_come_and_go(self):
        self.open()
        self.sees_text("#health", "serving")
        self.sees_text("#tiles li", "Sessions\n0")
        self.assertEqual(self.text("#sessions-empty"), "Nobody is connected.")
        client = self.connect(self.gateway)
        self.assertEqual(client.ask(op=1, to="cse-in", ty=2, fr="Cmeter",
                                    rqi="1", rvi="3", pc={"m2m:ae": {
                                        "rn": "meter", "api": "N", "rr": True,
                                        "srv": ["3"]}})["rsc"], 2001)
        self.sees_text("#tiles li", "Sessions\n1")
        self.sees_text("#sessions tbody", "/id-in/Cmeter")
        self.sees_text("#cse", "of")
        client.ask_text("{")
        self.sees_text("#refusals", "malformed")
        client.close()
        self.sees_text("#tiles li", "Sessions\n0")
        self.assert_clean()

    def test_what_is_stored(self):
        self.open(gateway={"state_dir": self.folder()},
                  notify={"offline": "store"})
        client = self.connect(self.gateway)
        for number, (to, ty, pc) in enumerate((
                ("cse-in", 2, {"m2m:ae": {"rn": "meter", "api": "N",
                                          "rr": True, "srv": ["3"]}}),
                ("cse-in/meter", 3, {"m2m:cnt": {"rn": "data"}}),
                ("cse-in/meter/data", 23, {"m2m:sub": {
                    "nu": ["Cmeter"], "enc": {"net": [3]}}}))):
            self.assertEqual(self.ask(client, op=1, to=to, ty=ty, fr="Cmeter",
                                      rqi=str(number), pc=pc)["rsc"], 2001)
        client.close()
        other = self.connect(self.gateway)
        self.assertEqual(self.ask(
            other, op=1, to="cse-in/meter/data", ty=4, fr="CAdmin", rqi="9",
            pc={"m2m:cin": {"con": "1"}})["rsc"], 2001)
        self.sees_text("#inbox tbody", "/id-in/Cmeter")
        self.assert_clean()

    def ask(self, client, **primitive):
        """What it is asked in between is answered."""
        client.send_prim(rvi="3", **primitive)
        while True:
            prim = client.recv_prim()
            if "rsc" in prim:
                return prim
            client.send_prim(rsc=2000, rqi=prim["rqi"], rvi="3")

    def test_upstreams(self):
        """One of two is down, which is seen as soon as it is asked."""
        self.open(**{'upstream "spare"': {
            "url": f"http://127.0.0.1:{free_port()}", "cse_id": "/id-in"}})
        self.sees_text("#cse", "spare")
        client = self.connect(self.gateway)
        for number in range(8):
            self.assertEqual(self.ask(client, op=2, to="cse-in", fr="CAdmin",
                                      rqi=str(number))["rsc"], 2000)
        self.sees_text("#cse", "0 pending, 1 failed")
        self.assert_clean()

    def test_the_gateway_ends(self):
        self.open()
        self.sees_text("#health", "serving")
        self.end_process(self.gateway)
        self.sees_text("#health", "no answer")


class Workbench(ConsoleCase):
    def test_by_keyboard(self):
        """From the top of the page to a notification."""
        self.open()
        self.walk_to(None, "Workbench")
        self.browser.enter()
        self.sees("document.activeElement.innerText === 'Workbench'")
        self.write("originator", "Ckeys")
        for name in ("Register AE", "Container", "Subscription"):
            self.send_template(name, 2001)
        other = self.connect(self.gateway)
        self.assertEqual(other.ask(
            op=1, to="cse-in/keys/data", ty=4, fr="CAdmin", rqi="1", rvi="3",
            pc={"m2m:cin": {"con": "1.50e1"}})["rsc"], 2001)
        self.sees_text(".entry.notification", "1.50e1")
        self.sees_text(".entry.reply", "2000 OK")
        self.assertTrue(eventually(lambda: self.metrics()[
            ("m2mwsd_delivery_ends_total", "answered")] == 1))
        self.send_template("Retrieve", 2000)
        self.send_template("Discovery", 2000)
        self.send_template("Delete AE", 2002)
        self.walk_to("connect")
        self.browser.enter()
        self.sees_text("#state", "not connected")
        self.assertEqual(self.text(".entry strong"), "Closed")
        self.assert_clean()

    def test_hostile_names(self):
        """Of the originator, in content, in what others are called."""
        self.open("#workbench")
        self.write("originator", HOSTILE)
        self.walk_to("target")
        self.browser.type(f"cse-in/{HOSTILE}")
        self.walk_to("content")
        self.browser.type('{"m2m:cin":{"con":"%s"}}' %
                          HOSTILE.replace('"', '\\"'))
        self.browser.enter(CTRL)
        self.sees("document.querySelectorAll('.entry.answer').length === 1")
        self.assertIn(HOSTILE, self.text(".entry.request .what"))
        self.assertIn(HOSTILE.replace('"', '\\"'),
                      self.text(".entry.request pre"))
        self.assert_clean()

    def test_a_hostile_notification(self):
        self.open("#workbench")
        self.write("originator", "Cvictim")
        for name in ("Register AE", "Container", "Subscription"):
            self.send_template(name, 2001)
        other = self.connect(self.gateway)
        self.assertEqual(other.ask(
            op=1, to="cse-in/victim/data", ty=4, fr="CAdmin", rqi="1",
            rvi="3", pc={"m2m:cin": {"con": HOSTILE, "lbl": [
                "<script>document.title=2</script>"]}})["rsc"], 2001)
        self.sees_text(".entry.notification", "<img src=x onerror=")
        self.assertIn("<script>", self.text(".entry.notification pre"))
        self.assert_clean()

    def test_numbers_stay_as_they_are(self):
        self.open("#workbench")
        self.write("target", "cse-in")
        self.walk_to("others")
        self.browser.type('{"x":{}}')
        self.walk_to("content")
        self.browser.type('{"a":[1.10,-0,12345678901234567890,"\\u00e9"]}')
        self.browser.enter(CTRL)
        self.sees("document.querySelectorAll('.entry.request').length === 1")
        shown = self.text(".entry.request pre")
        for token in ("1.10", "-0", "12345678901234567890", '"\\u00e9"',
                      '"x": {}'):
            self.assertIn(token, shown)

    def test_mistakes_are_told(self):
        self.open("#workbench")
        for id, text in (("others", "[1]"), ("content", "{")):
            self.walk_to(id)
            self.browser.type(text)
            self.browser.enter(CTRL if id == "content" else 0)
            self.sees_text("#mistake", ":")
            self.assertEqual(self.browser.value(
                "[document.activeElement.id, document.activeElement."
                "getAttribute('aria-invalid')]"), [id, "true"])
            self.browser.value(f"document.querySelector('#{id}').value = ''")
        self.write("url", "ftp://x")
        self.walk_to("connect")
        self.browser.enter()
        self.sees_text("#mistake", "URL")
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual(self.text("#log"), "")

    def test_a_token(self):
        """It gets to where the gateway looks for it."""
        file = os.path.join(self.folder(), "originators")
        with open(file, "w") as out:
            out.write('[credential "bench"]\noriginators = Cbench\n'
                      f"token = {hash_of(SECRET)}\n")
        os.chmod(file, 0o600)
        self.open("#workbench", auth={"mode": "credential",
                                      "originators_file": file})
        self.walk_to("connect")
        self.browser.enter()
        self.sees_text("#log", "Not connected")
        self.browser.complaints.clear()     # a refused handshake is one
        self.write("token", "bench." + SECRET)
        self.walk_to("connect")
        self.browser.enter()
        self.sees_text("#state", "connected, oneM2M.json")
        self.browser.value("location.hash = ''")
        self.sees_text("#sessions tbody", "bench")
        self.assert_clean()
