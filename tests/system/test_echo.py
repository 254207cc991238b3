"""ws-echo: the gateway's own WebSocket code against other people's clients,
without primitives in between."""

import asyncio
import hashlib
import subprocess

from harness import (HERE, Case, free_port, needs_node_ws, node_env, program,
                     within)
from wsclient import BINARY, PING, PONG, TEXT, WebSocket, fragments, frame

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 65537, 1 << 20]


def filler(size, text):
    """Not constant, so that a lost or doubled block shows."""
    seed = hashlib.sha256(str(size).encode()).hexdigest().encode()
    plain = (seed * (size // len(seed) + 1))[:size]
    return plain if text else bytes(b ^ 0xa5 for b in plain)


class Echo(Case):
    seconds = 30

    def setUp(self):
        self.port = free_port()
        self.echo = self.start(
            [program("ws-echo"), "--listen", f"127.0.0.1:{self.port}",
             "--max-message", str(2 << 20)], ("127.0.0.1", self.port))

    def raw(self):
        ws = WebSocket(("127.0.0.1", self.port), subprotocol=None)
        self.addCleanup(ws.drop)
        return ws

    def recv(self, ws):
        """(opcode, payload) of the next message, whole."""
        opcode, message = None, b""
        while True:
            first, payload = ws.recv_frame()
            if first & 0x0f not in (0, TEXT, BINARY):
                continue
            opcode = opcode or first & 0x0f
            message += payload
            if first & 0x80:
                return opcode, message

    def test_raw_sizes(self):
        ws = self.raw()
        for size in SIZES:
            for opcode in (TEXT, BINARY):
                payload = filler(size, opcode == TEXT)
                ws.send_frame(opcode, payload)
                got = self.recv(ws)
                self.assertTrue(got == (opcode, payload), f"{size} {opcode}")
        self.assertEqual(ws.close(), 1000)

    def test_fragments_with_pings(self):
        ws = self.raw()
        for size in (125, 65536, 1 << 20):
            payload = filler(size, True)
            parts = fragments(TEXT, payload, max(1, size // 50))
            ws.send(frame(PING, b"p").join(parts))
            pongs, message = 0, b""
            while True:
                first, piece = ws.recv_frame()
                if first & 0x0f == PONG:
                    self.assertEqual(piece, b"p")
                    pongs += 1
                    continue
                message += piece
                if first & 0x80:
                    break
            self.assertTrue(message == payload, size)
            self.assertEqual(pongs, len(parts) - 1)

    def test_python_websockets(self):
        try:
            import websockets
        except ImportError:
            self.skipTest("python's websockets is not installed")

        async def talk():
            async with websockets.connect(f"ws://127.0.0.1:{self.port}/",
                                          max_size=None) as ws:
                for size in SIZES:
                    for text in (True, False):
                        payload = filler(size, text)
                        said = payload.decode() if text else payload
                        await ws.send(said)
                        self.assertTrue(await ws.recv() == said, size)
                        # an iterable goes out as fragments
                        if size:
                            cut = size // 2
                            await ws.send(iter([said[:cut], said[cut:]]))
                            await (await ws.ping())
                            self.assertTrue(await ws.recv() == said, size)

        asyncio.run(talk())

    @within(60)
    def test_node_ws(self):
        node = needs_node_ws(self)
        done = subprocess.run(
            [node, f"{HERE}/echo_node.js", f"ws://127.0.0.1:{self.port}/",
             *map(str, SIZES)],
            env=node_env(), capture_output=True, timeout=50)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(done.stdout.decode().strip(),
                         f"{len(SIZES) * 3} echoed")
