"""What an attack is: who attacks, what for how long, which limit must bite.
A class below Attack that has a title is a row of the table."""

import json
import os
import signal
import sys
import traceback

from swarm import SOURCES, Peer, Swarm, WebSocketPeer, text


class Attack:
    title = None
    options = {}        # of the daemon, by section
    seconds = 6
    kind = Peer         # who attacks,
    peers = 1000        # how many at a time,
    target = "address"  # and what, by its name in Field
    sources = SOURCES   # addresses that they come from
    limits = ()         # counters; one of them must not be zero
    stalls = False      # honest requests cannot be answered: no latency
    refusals = False    # honest requests may be answered with a no
    cse = None          # url of another CSE than the embedded one

    def prepare(self, field):
        """In the driver, before anything is measured."""

    def attack(self, swarm, field):
        """In the attackers' process."""
        swarm.open(self.peers, self.kind, getattr(field, self.target))
        swarm.run()

    def during(self, field):
        """In the driver, while the attack runs."""

    def check(self, field, log):
        """Complaints, when all is over."""
        return []

    def finish(self, field):
        """Gives back what prepare() took."""


def all_attacks(below=Attack):
    for kind in below.__subclasses__():
        if kind.title:
            yield kind
        yield from all_attacks(kind)


HONEST_NICE, ATTACKERS_NICE = -10, 5


def share(nice):
    """Of the processors, for this session: where the kernel makes a group of
    each, nice(2) only counts within that."""
    for name in ("/proc/self/autogroup", None):
        try:
            if name is None:
                os.setpriority(os.PRIO_PROCESS, 0, nice)
                continue
            with open(name, "w") as out:
                out.write(str(nice))
        except (FileNotFoundError, PermissionError):
            pass


class Attackers:
    """The process of the attackers: there from the start, so that the quiet
    before the attack has as many processes, and of low priority, so that it
    takes no time from the honest ones by being there."""

    def __init__(self, attack, field):
        self.answer, tell = os.pipe()
        wait, self.go = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.close(self.answer)
            os.close(self.go)
            self.be_child(attack, field, wait, tell)
        os.close(tell)
        os.close(wait)

    def be_child(self, attack, field, wait, tell):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        status = 1
        try:
            share(ATTACKERS_NICE)
            if os.read(wait, 1):
                swarm = Swarm(attack.seconds, attack.sources)
                attack.attack(swarm, field)
                os.write(tell, json.dumps({
                    "connections": swarm.connections, "octets": swarm.octets,
                    "octets_in": swarm.octets_in,
                    **swarm.notes}).encode() + b"\n")
                os.read(wait, 1)
                swarm.close()
            status = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(status)

    def start(self):
        os.write(self.go, b"g")

    def result(self):
        """What it cost them; waits until the attack is over."""
        said = b""
        while not said.endswith(b"\n"):
            piece = os.read(self.answer, 65536)
            if not piece:
                raise AssertionError("the attackers' process died")
            said += piece
        return json.loads(said)

    def end(self):
        """They close all they have; the rest of the group is killed."""
        os.close(self.go)
        os.waitpid(self.pid, 0)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(self.answer)


def prim(**members):
    return text(json.dumps(members).encode())


class Entity(WebSocketPeer):
    """Registers an AE, then begin()."""

    ids = 0

    def ready(self):
        Entity.ids += 1
        self.me = f"Cevil{os.getpid()}x{Entity.ids}"
        self.registered = False
        self.rqi = 0
        self.say(self.registration(self.me))

    def registration(self, me, **members):
        return prim(op=1, to="cse-in", fr=me, rqi="reg", rvi="3", ty=2, rcn=0,
                    pc={"m2m:ae": dict({"rn": me[1:], "api": "N1", "rr": True,
                                        "srv": ["3"]}, **members)})

    def message(self, data):
        if not self.registered:
            self.registered = True
            self.begin()
        else:
            self.said(data)

    def ask(self, op, to, **members):
        self.rqi += 1
        self.say(prim(op=op, to=to, fr=self.me, rqi=str(self.rqi), rvi="3",
                      **members))

    def begin(self):
        """It is registered."""

    def said(self, data):
        """Octets that came after that."""

    def more(self):
        if self.registered:
            self.flood()

    def wants_room(self):
        return self.upgraded and self.registered and \
            type(self).flood is not Entity.flood

    def flood(self):
        """There is room to say more."""
