"""Notifications for those who are away: held, stored or rejected."""

import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from http.client import HTTPException

from harness import SANITIZED, eventually, within
from reverse import Later, ReverseCase, call, con_of, sgn
from wsclient import Gone


class OfflineCase(ReverseCase):
    def away(self, daemon, fr="Cmeter7"):
        """An AE that has registered and left; its point of access."""
        ws, poa = self.online(daemon, fr)
        ws.drop()
        self.assertTrue(eventually(
            lambda: daemon.log_text().count("event=offline") > 0))
        return poa

    def storing(self, where=None, **options):
        options.setdefault("notify", {})["offline"] = "store"
        if where:
            options.setdefault("gateway", {})["state_dir"] = where
        return self.gateway(**options)

    def take(self, ws, count):
        """The next notifications, each answered."""
        got = []
        for _ in range(count):
            prim = ws.recv_prim()
            got.append(con_of(prim))
            self.answer(ws, prim)
        return got


class Offline(OfflineCase):
    def test_reject(self):
        poa = self.away(self.gateway(notify={"offline": "reject",
                                             "timeout": "20s"}))
        answer = call(poa, sgn())
        self.assertEqual((answer.status, answer.rsc), (404, 5103))
        self.assertEqual(call(poa, sgn(nev={"net": 7})).rsc, 5103)

    def test_hold_until_the_deadline(self):
        poa = self.away(self.gateway(notify={"timeout": "200ms"}))
        self.assertEqual(call(poa, sgn()).rsc, 5103)

    def test_hold_until_it_is_back(self):
        daemon = self.gateway(notify={"timeout": "20s"},
                              gateway={"workers": 3})
        poa = self.away(daemon)
        laters = []
        for i in range(8):
            laters.append(Later(poa, sgn(str(i))))
        # a CSE that is told of the deadline has sent the rest
        self.assertEqual(call(poa, sgn("late"), X_M2M_RET="200").rsc, 5103)
        ws = self.back(daemon)
        self.assertEqual(sorted(self.take(ws, 8)),
                         [str(i) for i in range(8)])
        for later in laters:
            self.assertEqual(later.result().rsc, 2000)

    def test_max_held(self):
        daemon = self.gateway(notify={"timeout": "20s", "max_held": "16k"})
        poa = self.away(daemon)
        laters = [Later(poa, sgn("x" * 3000)) for _ in range(8)]
        full = eventually(lambda: [x for x in laters if x.got])
        self.assertEqual(full[0].got.rsc, 5103)
        self.assertIn("too many", full[0].got.pc["m2m:dbg"])
        daemon.kill()
        daemon.ended = True

    def test_store(self):
        daemon = self.storing()
        poa = self.away(daemon)
        for i in range(50):
            answer = call(poa, sgn(str(i)))
            self.assertEqual((answer.status, answer.rsc), (200, 2000))
            self.assertEqual(answer.body, b"")
        ws = self.back(daemon)
        self.assertEqual(self.take(ws, 50), [str(i) for i in range(50)])
        later = Later(poa, sgn("live"))
        self.assertEqual(self.take(ws, 1), ["live"])
        self.assertEqual(later.result().rsc, 2000)

    def test_larger_than_any_session_takes(self):
        """It is refused, or given up; what comes behind it is not."""
        with tempfile.TemporaryDirectory() as where:
            daemon = self.storing(where)
            poa = self.away(daemon)
            self.assertEqual(call(poa, sgn("x" * 20000)).rsc, 2000)
            self.assertEqual(call(poa, sgn("1")).rsc, 2000)
            self.end_process(daemon)
            notify = {"listen": poa.split("/")[2]}
            daemon = self.storing(where, limits={"max_queue": "16k"},
                                  notify=notify)
            large = {"body": sgn("x" * 14000), "fr": "/id-in/C" + "x" * 3000}
            self.assertEqual(call(poa, **large).rsc, 5103)
            self.assertEqual(call(poa, sgn("2")).rsc, 2000)
            ws = self.back(daemon)
            self.assertEqual(self.take(ws, 2), ["1", "2"])
            self.assertEqual(call(poa, **large).rsc, 5103)
            self.assertIn("event=inbox_too_large", daemon.log_text())

    def test_window_of_one(self):
        daemon = self.storing()
        poa = self.away(daemon)
        for i in range(3):
            call(poa, sgn(str(i)))
        ws = self.back(daemon)
        first = ws.recv_prim()
        self.assertEqual(ws.ask(op=2, to="x", fr="Cmeter7", rqi="y",
                                rvi="3")["rqi"], "y")  # nothing between
        self.answer(ws, first, 4000)    # any answer is one
        self.assertEqual(self.take(ws, 2), ["1", "2"])

    def test_what_comes_meanwhile_queues_up(self):
        daemon = self.storing()
        poa = self.away(daemon)
        call(poa, sgn("0"))
        ws = self.back(daemon)
        first = ws.recv_prim()
        for i in range(1, 5):
            self.assertEqual(call(poa, sgn(str(i))).rsc, 2000)
        self.answer(ws, first)
        self.assertEqual(self.take(ws, 4), ["1", "2", "3", "4"])

    def test_again_when_it_was_not_answered(self):
        daemon = self.storing()
        poa = self.away(daemon)
        call(poa, sgn("a"))
        call(poa, sgn("b"))
        ws = self.back(daemon)
        ws.recv_prim()
        ws.drop()
        self.assertEqual(self.take(self.back(daemon), 2), ["a", "b"])

    def test_lost_on_its_way_is_stored(self):
        daemon = self.storing(notify={"timeout": "20s"})
        ws, poa = self.online(daemon)
        later = Later(poa, sgn("a"))
        ws.recv_prim()
        ws.drop()
        self.assertEqual(later.result().rsc, 2000)
        self.assertEqual(self.take(self.back(daemon), 1), ["a"])

    def test_what_is_never_stored(self):
        daemon = self.storing(notify={"timeout": "200ms"})
        poa = self.away(daemon)
        self.assertEqual(call(poa, sgn(vrq=True)).rsc, 5103)
        blocking = sgn()
        blocking["m2m:sgn"]["nev"]["net"] = 7
        self.assertEqual(call(poa, blocking).rsc, 5103)
        self.assertEqual(call(poa, {"m2m:seci": {}}).rsc, 5103)
        for body in (sgn(), {"m2m:agn": {"m2m:sgn": [{}]}},
                     {"m2m:rsp": {"rsc": 2000, "rqi": "r"}}):
            self.assertEqual(call(poa, body).rsc, 2000)

    def test_latest_only(self):
        daemon = self.storing()
        poa = self.away(daemon)
        for i in range(4):
            call(poa, sgn(f"a{i}", "/id-in/suba"), X_M2M_EC="4")
            call(poa, sgn(f"b{i}", "/id-in/subb"))
        ws = self.back(daemon)
        self.assertEqual(self.take(ws, 5), ["b0", "b1", "b2", "a3", "b3"])

    def test_bounds(self):
        for overflow, rsc, kept in (("oldest", 2000, ["2", "3", "4"]),
                                    ("refuse", 5103, ["0", "1", "2"])):
            daemon = self.storing(inbox={"max_count": 3,
                                         "overflow": overflow})
            poa = self.away(daemon)
            for i in range(5):
                want = rsc if i >= 3 else 2000
                self.assertEqual(call(poa, sgn(str(i))).rsc, want)
            self.assertEqual(self.take(self.back(daemon), 3), kept)

    def test_expiry(self):
        daemon = self.storing()
        poa = self.away(daemon)
        call(poa, sgn("gone"), X_M2M_RET="300")
        call(poa, sgn("kept"), X_M2M_RET="60000")
        # the sweep's clock is the wall's: its end is awaited, not guessed
        until = time.time() + 0.4
        self.assertTrue(eventually(lambda: time.time() > until))
        self.assertEqual(self.take(self.back(daemon), 1), ["kept"])

    def test_expiry_beyond_any_date(self):
        """Added to the present it would wrap, and be long past."""
        far = {"X_M2M_RET": "P584942417Y", "X_M2M_RST": "P584942417Y"}
        daemon = self.storing()
        poa = self.away(daemon)
        self.assertEqual(call(poa, sgn("kept"), **far).rsc, 2000)
        ws = self.back(daemon)
        got = ws.recv_prim()
        self.assertEqual((con_of(got), got["rqet"], got["rset"]),
                         ("kept", "99991231T235959,999",
                          "99991231T235959,999"))
        self.answer(ws, got)

    def test_nothing_is_kept_for_who_has_deregistered(self):
        daemon = self.storing()
        poa = self.away(daemon)
        call(poa, sgn("old"))
        ws = self.connect(daemon)
        self.assertEqual(ws.ask(op=4, to="Cmeter7", fr="Cmeter7", rqi="d",
                                rvi="3")["rsc"], 2002)
        self.register(ws)
        later = Later(self.registrar.poa["Cmeter7"][0], sgn("new"))
        self.assertEqual(self.take(ws, 1), ["new"])
        self.assertEqual(later.result().rsc, 2000)

    def test_nothing_is_kept_for_a_new_one_of_the_same_id(self):
        daemon = self.storing()
        poa = self.away(daemon)
        call(poa, sgn("old"))
        ws = self.connect(daemon)   # the CSE had forgotten the first one
        self.register(ws)
        later = Later(self.registrar.poa["Cmeter7"][0], sgn("new"))
        self.assertEqual(self.take(ws, 1), ["new"])
        self.assertEqual(later.result().rsc, 2000)

    def test_survives_a_restart(self):
        with tempfile.TemporaryDirectory(prefix="m2mwsd-") as where:
            daemon = self.storing(where)
            poa = self.away(daemon)
            for i in range(10):
                call(poa, sgn(str(i)))
            daemon.ended = True
            daemon.kill()
            daemon = self.storing(where)
            self.assertEqual(self.take(self.back(daemon), 10),
                             [str(i) for i in range(10)])


class FullDisk(OfflineCase):
    def small_disk(self):
        if os.geteuid() != 0:
            self.skipTest("mounting needs root")
        where = tempfile.mkdtemp(prefix="m2mwsd-")
        self.addCleanup(os.rmdir, where)
        self.mount(where, "size=1m")
        self.addCleanup(subprocess.run, ["umount", where], check=True)
        return where

    def mount(self, where, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs",
                        where], check=True)

    def test_full_disk(self):
        """What was accepted arrives once there is room again; nothing else is
        accepted, and nobody else notices."""
        where = self.small_disk()
        daemon = self.storing(where)
        poa = self.away(daemon)
        accepted = [n for n in range(400) if
                    call(poa, sgn(str(n), note="x" * 4000)).rsc == 2000]
        self.assertTrue(0 < len(accepted) < 400)
        other = self.connect(daemon)
        self.register(other, "Cother")      # the disk takes it later, or not
        later = Later(self.registrar.poa["Cother"][0], sgn("live"))
        self.assertEqual(self.take(other, 1), ["live"])
        self.assertEqual(later.result().rsc, 2000)
        ws = self.back(daemon)
        got = self.take(ws, 1)              # which cannot be removed yet
        self.mount(where, "remount,size=16m")
        got += self.take(ws, len(accepted) - 1)
        self.assertEqual(got, [str(n) for n in accepted])
        ws.drop()
        self.assertTrue(eventually(
            lambda: daemon.log_text().count("event=offline") > 1))
        self.assertEqual(call(poa, sgn("new")).rsc, 2000)


class NothingLost(ReverseCase):
    """The daemon is killed while it stores and while it delivers: whatever
    the CSE got a 2000 for arrives, in order."""

    ENTITIES = 100
    EACH = 30 if SANITIZED else 100
    KILLS = 10

    def start_daemon(self, where):
        listen = getattr(self, "listen", None)
        notify = {"offline": "store", "timeout": "20s"}
        if listen:
            notify["listen"] = listen
        daemon = self.gateway(gateway={"state_dir": where}, notify=notify)
        self.listen = daemon.notify_url.split("/")[2]
        return daemon

    def kill(self, daemon):
        daemon.ended = True
        daemon.signal(signal.SIGKILL)
        daemon.wait(5)

    def store(self, where, poas):
        """One CSE thread sends to all entities in turn; a number it got no
        2000 for is not sent again."""
        accepted = {me: [] for me in poas}
        unknown = {me: set() for me in poas}
        work = [(me, n) for n in range(self.EACH) for me in poas]
        slices = len(work) // self.KILLS
        at = 0
        for life in range(self.KILLS):
            daemon = self.start_daemon(where)
            last = life == self.KILLS - 1
            share = work[at:] if last else work[at:at + slices]
            killer = None
            if not last:
                killer = threading.Timer(random.uniform(0.05, 0.5),
                                         self.kill, [daemon])
                killer.start()
            for me, n in share:
                at += 1
                try:
                    if call(poas[me], sgn(f"{n}")).rsc == 2000:
                        accepted[me].append(n)
                except (OSError, HTTPException):
                    unknown[me].add(n)
                    self.assertIsNotNone(daemon.wait(5))
                    break
            if killer:
                killer.join()
            if not last and daemon.alive():
                self.kill(daemon)
        return daemon, accepted, unknown

    @within(280)
    def test_killed_while_storing_and_delivering(self):
        with tempfile.TemporaryDirectory(prefix="m2mwsd-") as where:
            daemon = self.start_daemon(where)
            poas = {}
            for i in range(self.ENTITIES):
                ws, poas[f"C{i}"] = self.online(daemon, f"C{i}")
                ws.drop()
            self.assertTrue(eventually(
                lambda: daemon.log_text().count("event=offline") ==
                self.ENTITIES))
            self.kill(daemon)
            daemon, accepted, unknown = self.store(where, poas)
            total = sum(map(len, accepted.values()))
            self.assertGreater(total, self.ENTITIES * self.EACH // 3)
            seen = {me: [] for me in poas}
            lives = 0
            while any(accepted[me] and
                      (not seen[me] or seen[me][-1] != accepted[me][-1])
                      for me in poas):
                lives += 1
                self.assertLess(lives, 40)
                stop = total // self.KILLS if lives <= self.KILLS else None
                self.deliver(daemon, poas, seen, accepted, stop)
                if stop is not None:
                    self.kill(daemon)
                    daemon = self.start_daemon(where)
            copies = sum(map(len, seen.values())) - total
            for me, got in seen.items():
                once = [n for i, n in enumerate(got)
                        if (i == 0 or got[i - 1] != n) and
                        n not in unknown[me]]
                self.assertEqual(once, accepted[me], me)
            self.note(f"{total} accepted, {copies} came twice, "
                      f"{self.KILLS} kills while storing, {lives - 1} while "
                      "delivering")

    def deliver(self, daemon, poas, seen, accepted, stop):
        """Each entity takes what it can, until `stop` have been taken."""
        taken = 0
        for me in poas:
            if not accepted[me] or (seen[me] and
                                    seen[me][-1] == accepted[me][-1]):
                continue
            ws = self.back(daemon, me)
            while not seen[me] or seen[me][-1] != accepted[me][-1]:
                prim = ws.recv_prim()
                seen[me].append(int(con_of(prim)))
                self.answer(ws, prim)
                taken += 1
                if stop is not None and taken >= stop:
                    return
            # the last answer is on the disk before the next request's
            ws.ask(op=2, to=me, fr=me, rqi="z", rvi="3")
            ws.drop()
