"""Runs one scenario with each of its allocations failing in turn, and judges
what became of the daemon and its clients."""

import collections
import os
import random
import signal
import subprocess
import time

from harness import SANITIZER
from rig import ENDED, SCENARIOS, Answered, Failing, Lost, Rig
from shim import COUNT, ONE, SPAN
from wsclient import Silent

CRASHES = 6         # a scenario with that many is not continued

# Where a library ends the process, and nothing of ours can keep it: a function
# of ours, an exported one of the library, and why. Counted as excluded, never
# as passed.
UNAVOIDABLE = tuple(
    ("gateway_create", theirs, "at the start: " + why) for theirs, why in (
        ("uv_loop_init", "libuv's table of descriptors, in uv_loop_init()"),
        ("uv_async_init", "libuv's table of descriptors, in uv_async_init()"),
        ("uv_poll_start", "libuv's table of descriptors, in uv_poll_start()"),
        ("uv_queue_work", "the threads of libuv's pool, in uv_queue_work()")))

# Blocks that a library keeps to its end on purpose, by an exported function
# of their stack.
KEEPERS = {
    "_dl_allocate_tls",     # of threads that have ended, for the next ones
    "tzset",                # the zone
    "getaddrinfo",          # what nsswitch.conf and resolv.conf say
    "_IO_file_doallocate",  # buffers of stdin and stdout
}


class Verdict:
    """What one number, or one command, led to."""

    def __init__(self, kind, text=""):
        self.kind, self.text = kind, text


GOOD = {"served", "answered", "ended", "lost", "failed"}
MODES = {COUNT: "none", ONE: "only", SPAN: "from"}
SLOW = 1.5          # seconds; a scenario's own part, told where it took longer


class Report:
    def __init__(self, name):
        self.name = name
        self.allocations = 0
        self.stacks = 0         # that differ
        self.tried = 0          # numbers, alone
        self.visited = 0        # those at which something failed
        self.visited_stacks = 0
        self.paths = 0          # parts of stacks that are our program's
        self.visited_paths = 0
        self.spans = 0          # and with those after them
        self.slow = []
        self.outcomes = collections.Counter()
        self.places = collections.Counter()     # stacks that failed
        self.problems = []
        self.excluded = collections.Counter()
        self.seconds = 0

    def bad(self, kind, where, text, stack=()):
        """where: (mode, number), or None at the daemon's end."""
        self.outcomes[kind] += 1
        self.problems.append({
            "kind": kind, "stack": stack, "text": text,
            "where": f"{MODES[where[0]]} {where[1]}" if where else "end"})

    def data(self, names):
        """The same with names for addresses."""
        names.resolve({at for stack in self.places for path, at in stack
                       if path == ""})
        data = dict(vars(self), places=sorted(
            {ours_in(names.of(stack)) for stack in self.places}))
        data["problems"] = [dict(p, stack=names.of(p["stack"]))
                            for p in self.problems]
        return data


def ours_in(names):
    """Our nearest function."""
    return next((n for n in names if not n.endswith(")")), "?")


def outcome_of(play):
    """Lets the scenario go on to its end."""
    try:
        next(play, None)
        return Verdict("served")
    except Answered as e:
        return Verdict("answered", str(e))
    except Lost:
        return Verdict("lost")
    except Failing as e:
        if e.status in (1, 2) and e.said.strip():
            return Verdict("failed", e.said)
        return Verdict("crash", str(e))
    except (Silent, TimeoutError, subprocess.TimeoutExpired) as e:
        return Verdict("silent", str(e))
    except ENDED as e:
        return Verdict("ended", repr(e))
    except (AssertionError, OSError, KeyError, ValueError) as e:
        return Verdict("wrong", repr(e))


class Torture:
    def __init__(self, name, budget, seed, limit=None):
        self.scenario = SCENARIOS[name]
        self.budget = budget
        self.random = random.Random(seed)
        self.limit = limit
        self.report = Report(name)
        self.rig = Rig(self.scenario)
        self.crashes = 0
        self.before = None      # (where, stack) of the last number

    # -- one time through

    def prepare(self, mode, at):
        """The scenario, about to go on with allocations failing."""
        play = self.scenario.play(self.rig)
        if not self.scenario.alone and not self.rig.daemon:
            self.rig.start()
        try:
            next(play)
        except Exception as e:
            if self.scenario.alone or not self.before:
                raise
            # the number before has left something behind
            self.refuses(*self.before, f"preparing the next one: {e!r}")
            self.before = None
            return self.prepare(mode, at)
        self.rig.armed = (mode, at)
        if self.rig.shim:
            self.rig.shim.arm(mode, at)
        return play

    def once(self, mode, at=0):
        """What came of it, with the shim disarmed again."""
        rig = self.rig
        if self.scenario.alone:
            rig.daemon = rig.shim = None
        try:
            play = self.prepare(mode, at)
            began = time.monotonic()
            verdict = outcome_of(play)
        finally:
            rig.armed = None
            if rig.shim:
                rig.shim.disarm()
            rig.drop_all()
        took = time.monotonic() - began
        if took > SLOW:
            self.report.slow.append(
                f"{MODES[mode]} {at}: {took:.1f} s, {verdict.kind}")
        return verdict

    # -- what is checked after it

    def crashed(self, where, stack, seconds=0):
        """True when the daemon is gone although nobody asked it to go."""
        daemon = self.rig.daemon
        if not daemon or daemon.wait(seconds) is None:
            return False
        log = daemon.log_text()
        self.rig.daemon = None
        if self.scenario.alone and daemon.popen.returncode == 1 and \
                "event=start_failed" in log:
            # after it had begun to listen
            self.report.outcomes["failed"] += 1
            return True
        tail = "\n".join(log.split("\n")[-8:])
        self.crash(where, f"status {daemon.popen.returncode}\n{tail}", stack)
        return True

    def crash(self, where, text, stack):
        why = unavoidable(self.rig.names.of(stack))
        if why:
            self.report.excluded[why] += 1
        else:
            victim = self.rig.shim.victim()
            if victim:
                text += "made by: " + ", ".join(self.rig.names.of(victim))
            self.report.bad("crash", where, text, stack)
            self.crashes += 1

    def serves_next(self, where, stack):
        try:
            self.scenario.probe(self.rig)
        except Exception as e:
            self.refuses(where, stack, repr(e))
        finally:
            self.rig.drop_all()

    def refuses(self, where, stack, text):
        self.rig.drop_all()
        # it may be about to end
        if not self.crashed(where, stack, 2):
            self.report.bad("refuses", where, text, stack)
            self.end(where, stack)

    def end(self, where=None, stack=()):
        """Ends the daemon; complains about how it did and what it kept."""
        rig, daemon = self.rig, self.rig.daemon
        if daemon is None:
            return
        rig.shim.disarm()
        # twice is at once
        if daemon.alive() and not getattr(daemon, "told", False):
            daemon.signal(signal.SIGTERM)
        status = daemon.wait(10)
        if status is None:
            os.kill(daemon.popen.pid, signal.SIGABRT)
            daemon.wait(10)
            self.report.bad("silent", where, "it does not end", stack)
            rig.daemon = None
        elif status != 0 or SANITIZER.search(daemon.log_text()):
            self.crashed(where, stack)
        else:
            self.count_leaks(where, stack)
            rig.daemon = None

    def count_leaks(self, where, failed):
        """Of a scenario that is alone it is known what had failed."""
        rig = self.rig
        kept = collections.Counter(
            stack for _, stack in rig.shim.blocks()
            if not rig.names.is_in(stack, KEEPERS))
        for stack, count in kept.items():
            text = f"{count} blocks"
            if failed:
                text += "; had failed: " + ours_in(rig.names.of(failed))
            self.report.bad("leak", where, text, stack)

    def judge(self, mode, at):
        """One number; False when the scenario does not get that far."""
        where = (mode, at)
        verdict = self.once(mode, at)
        failed = self.rig.shim.get("failed")
        stack = self.rig.shim.stack() if failed else ()
        self.report.tried += mode == ONE
        if failed:
            self.report.visited += mode == ONE
            self.report.spans += mode == SPAN
            self.report.places[stack] += 1
        self.before = (where, stack)
        if not self.scenario.alone and self.crashed(where, stack):
            return failed
        if verdict.kind == "crash":
            self.crash(where, verdict.text, stack)
        elif verdict.kind not in GOOD:
            self.report.bad(verdict.kind, where, verdict.text, stack)
        elif failed:
            self.report.outcomes[verdict.kind] += 1
        daemon = self.rig.daemon
        if daemon and daemon.alive():
            self.serves_next(where, stack)
        if self.scenario.alone and daemon:
            self.end(where, stack)
        elif self.scenario.alone and verdict.kind in GOOD:
            self.count_leaks(where, stack)      # it has ended by itself
        return failed

    # -- the whole of it

    def measure(self):
        """The stack of each allocation when none fails; the last time, when
        nothing is made for the first time any more."""
        stacks = ()
        for _ in range(1 if self.scenario.alone else 3):
            verdict = self.once(COUNT)
            stacks = self.rig.shim.stacks()
            self.report.allocations = self.rig.shim.get("count")
            if verdict.kind != "served":
                self.report.bad("wrong", (COUNT, 0),
                                f"{verdict.kind}: {verdict.text}")
            if self.scenario.alone and self.rig.daemon:
                self.end()
        self.report.stacks = len(set(stacks))
        self.report.paths = len({ours for _, ours in stacks})
        return stacks

    def order(self, stacks):
        """Numbers, first one of each path through our program, then one of
        each stack, then the others."""
        seen, rank = set(), {}
        numbers = list(range(len(stacks)))
        self.random.shuffle(numbers)
        for at in numbers:
            stack, ours = stacks[at]
            rank[at] = (ours in seen) + (stack in seen)
            seen |= {stack, ours}
        return sorted(numbers, key=rank.get)

    def sweep(self, mode, numbers, until, stacks=()):
        """Those there is time for; their stacks."""
        visited = set()
        for at in numbers:
            if time.monotonic() > until or self.crashes >= CRASHES:
                break
            self.judge(mode, at)
            if at < len(stacks):
                visited.add(stacks[at])
        return visited

    def sweep_beyond(self, at, until):
        """A failure may lead to more of them than there are without one."""
        while self.judge(ONE, at) and time.monotonic() < until:
            at += 1

    def run(self):
        began = time.monotonic()
        until = began + self.budget
        try:
            stacks = self.measure()
            numbers = self.order(stacks)
            spans = numbers[:16]
            if self.limit is not None:
                numbers, spans = numbers[:self.limit], spans[:self.limit // 8]
            visited = self.sweep(ONE, numbers, until, stacks)
            self.report.visited_stacks = len(visited)
            self.report.visited_paths = len({ours for _, ours in visited})
            if len(numbers) == len(stacks):
                self.sweep_beyond(len(stacks), until)
            self.sweep(SPAN, spans, until + self.budget * 0.2)
            self.end()
            self.report.seconds = time.monotonic() - began
            return self.report.data(self.rig.names)
        finally:
            self.rig.close()


def unavoidable(names):
    found = {n.split(" ")[0] for n in names}
    for ours, theirs, why in UNAVOIDABLE:
        if {ours, theirs} <= found:
            return why
    return None
