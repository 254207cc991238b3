"""What a crowd of peers needed is the system's again when they have gone."""

from harness import SANITIZED, Case, eventually
from wsclient import frame, TEXT

CROWD = 400
PIECE = 20000
SLACK_KB = 4096


def resident_kb(daemon):
    with open(f"/proc/{daemon.popen.pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise AssertionError("no VmRSS")


class Memory(Case):
    seconds = 60

    def crowd(self, daemon, octets):
        """In pieces, so that all grow at the same time, with others who come
        to stay between them."""
        clients = []
        for i in range(CROWD):
            clients.append(self.connect(daemon))
            if i % 20 == 0:
                self.connect(daemon).send(octets[:1000])
        for at in range(0, len(octets), PIECE):
            for client in clients:
                client.send(octets[at:at + PIECE])
        return clients

    def test_large_messages_that_did_not_end(self):
        octets = frame(TEXT, b" " * 200000, key=b"\0\0\0\0")[:120000]
        if SANITIZED:
            return  # it keeps what is freed
        daemon = self.daemon("http://127.0.0.1:1", gateway={"workers": 2})
        with self.connect(daemon) as client:
            client.ask_text("{")
        before = resident_kb(daemon)
        clients = self.crowd(daemon, octets)
        grown = eventually(
            lambda: resident_kb(daemon) > before + 40000)
        self.assertTrue(grown, "they need memory")
        for client in clients:
            client.drop()
        small = eventually(
            lambda: resident_kb(daemon) < before * 1.2 + SLACK_KB, 40, 0.2)
        self.assertTrue(
            small, f"{before} kB before, {resident_kb(daemon)} kB after")
