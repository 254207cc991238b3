"""Two network namespaces of this process's own with a wire between them. They
have no names and end with the process, so nothing is left behind."""

import ctypes
import os
import subprocess

from harness import needs_program

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    if getattr(LIBC, function)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


class Wire:
    """The calling thread, and what it starts, moves to the near end; sockets
    stay where they were made. GATEWAY is the near end's address."""

    GATEWAY, CLIENT = "10.91.7.1", "10.91.7.2"

    def __init__(self, case):
        if os.geteuid() != 0:
            case.skipTest("network namespaces need root")
        self.ip = needs_program(case, "ip")
        self.iptables = needs_program(case, "iptables")
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        case.addCleanup(os.close, home)
        try:
            self.far = self.unshare(case, home)
            self.near = self.unshare(case, home)
        except PermissionError as e:
            case.skipTest(f"no network namespaces here: {e}")
        self.run(self.ip, "link", "set", "lo", "up")
        self.run(self.ip, "link", "add", "near", "type", "veth", "peer",
                 "name", "far", "netns", f"/proc/{os.getpid()}/fd/{self.far}")
        self.set_up("near", self.GATEWAY)
        with self.at_far_end():
            self.set_up("far", self.CLIENT)

    def unshare(self, case, home):
        call("unshare", CLONE_NEWNET)
        case.addCleanup(call, "setns", home, CLONE_NEWNET)
        fd = os.open("/proc/self/ns/net", os.O_RDONLY)
        case.addCleanup(os.close, fd)
        return fd

    def run(self, *argv):
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: {done.stderr}")

    def set_up(self, name, address):
        self.run(self.ip, "addr", "add", address + "/30", "dev", name)
        self.run(self.ip, "link", "set", name, "up")

    def at_far_end(self):
        return Elsewhere(self.far, self.near)

    def cut(self):
        """Nothing passes any more, and nobody is told."""
        for chain, way in (("INPUT", "-i"), ("OUTPUT", "-o")):
            self.run(self.iptables, "-A", chain, way, "near", "-j", "DROP")

    def mend(self):
        self.run(self.iptables, "-F")


class Elsewhere:
    def __init__(self, there, back):
        self.there, self.back = there, back

    def __enter__(self):
        call("setns", self.there, CLONE_NEWNET)

    def __exit__(self, *_):
        call("setns", self.back, CLONE_NEWNET)
