"""The other end of failmalloc.c: says which allocation fails, and reads what
the program keeps. The layout here is that of its struct control."""

import bisect
import mmap
import os
import re
import struct
import subprocess
import tempfile

OFF, COUNT, ONE, SPAN = range(4)

FRAMES, BLOCK_FRAMES, SLOTS, MODULES, NAME = 24, 10, 1 << 17, 32, 120
NUMBERS = 1 << 16
FIELDS = ("mode", "at", "span_ns", "count", "failed", "until_ns", "live",
          "untracked", "module_count")
OFFSET = {name: 8 * i for i, name in enumerate(FIELDS)}
FRAMES_AT = 8 * len(FIELDS)
VICTIM_AT = FRAMES_AT + 8 * FRAMES
MODULES_AT = VICTIM_AT + 8 * BLOCK_FRAMES
STACKS_AT = MODULES_AT + MODULES * (8 + NAME)
OURS_AT = STACKS_AT + 4 * NUMBERS
BLOCKS_AT = OURS_AT + 4 * NUMBERS
BLOCK = struct.Struct(f"={2 + BLOCK_FRAMES}Q")
SIZE = BLOCKS_AT + SLOTS * BLOCK.size


class Shim:
    """One per process under test; env() is what that is started with."""

    def __init__(self, library, plain=False):
        self.file = tempfile.NamedTemporaryFile(prefix="failmalloc-")
        self.file.truncate(SIZE)
        self.map = mmap.mmap(self.file.fileno(), SIZE)
        self.env = {"LD_PRELOAD": library, "FAILMALLOC": self.file.name}
        if plain:
            self.env["FAILMALLOC_PLAIN"] = "1"

    def get(self, name):
        return struct.unpack_from("=Q", self.map, OFFSET[name])[0]

    def put(self, name, value):
        struct.pack_into("=Q", self.map, OFFSET[name], value)

    def arm(self, mode, at=0, span_ms=30):
        for name, value in (("at", at), ("span_ns", span_ms * 1000000),
                            ("count", 0), ("failed", 0), ("until_ns", 0),
                            ("mode", mode)):
            self.put(name, value)

    def disarm(self):
        self.put("mode", OFF)

    def stack(self):
        """Of the first that failed, innermost first."""
        return self.places(struct.unpack_from(f"={FRAMES}Q", self.map,
                                              FRAMES_AT))

    def victim(self):
        """Who had made the block that was misused."""
        return self.places(struct.unpack_from(f"={BLOCK_FRAMES}Q", self.map,
                                              VICTIM_AT))

    def stacks(self):
        """Of each number (hash of its stack, hash of our part of that)."""
        form = f"={min(self.get('count'), NUMBERS)}I"
        return list(zip(struct.unpack_from(form, self.map, STACKS_AT),
                        struct.unpack_from(form, self.map, OURS_AT)))

    def modules(self):
        """[(base, path)]; an empty path is the program itself."""
        out = []
        for i in range(self.get("module_count")):
            base, name = struct.unpack_from(f"=Q{NAME}s", self.map,
                                            MODULES_AT + i * (8 + NAME))
            out.append((base, name.split(b"\0")[0].decode()))
        return sorted(out)

    def places(self, frames):
        """((path, offset), ...), the same in every process; the path of the
        program itself is empty. Without the shim's own."""
        modules, out = self.modules(), []
        for address in frames:
            at = bisect.bisect_right(modules, (address, "\xff")) - 1
            if address and at >= 0 and "failmalloc" not in modules[at][1]:
                out.append((modules[at][1], address - modules[at][0]))
        return tuple(out)

    def blocks(self):
        """[(size, stack)] of what is allocated."""
        return [(b[1], self.places(b[2:]))
                for b in BLOCK.iter_unpack(self.map[BLOCKS_AT:]) if b[0]]

    def close(self):
        self.map.close()
        self.file.close()


class Names:
    """From places in files to functions. Of our program those that were
    inlined as well, of a library the exported name before the address."""

    def __init__(self, program):
        self.program = program
        self.ours = {}
        self.exports = {}

    def of(self, stack):
        """One text per function, innermost first: "name file:line" of ours,
        "name (library)" of others."""
        self.resolve({at for path, at in stack if path == ""})
        out = []
        for path, at in stack:
            out += self.ours[at] if path == "" else [self.export(path, at)]
        return out

    def is_in(self, stack, functions):
        """One of these exported functions is in it."""
        return any(self.export(path, at).split(" ")[0] in functions
                   for path, at in stack if path)

    def resolve(self, offsets):
        new = sorted(offsets - self.ours.keys())
        if not new:
            return
        # the call is before the address to which it returns
        asked = subprocess.run(
            ["addr2line", "-e", self.program, "-f", "-i", "-a",
             *[hex(at - 1) for at in new]],
            capture_output=True, text=True, check=True)
        for part in re.split(r"^(?=0x[0-9a-f]+$)", asked.stdout, flags=re.M):
            lines = part.split("\n")
            if not part:
                continue
            at = int(lines[0], 16) + 1
            self.ours[at] = [
                f"{name} {os.path.basename(place).split(' ')[0]}"
                for name, place in zip(lines[1::2], lines[2::2])]

    def export(self, path, at):
        if path not in self.exports:
            self.exports[path] = self.read_exports(path)
        addresses, names = self.exports[path]
        i = bisect.bisect_right(addresses, at - 1) - 1
        library = os.path.basename(path).split(".so")[0]
        return f"{names[i] if i >= 0 else '?'} ({library})"

    def read_exports(self, path):
        if not os.path.exists(path):    # the vdso
            return [], []
        said = subprocess.run(["nm", "-D", "--defined-only", path],
                              capture_output=True, text=True)
        rows = sorted((int(m[1], 16), m[2].split("@")[0]) for m in re.finditer(
            r"^([0-9a-f]+) [TtWwi] (\S+)$", said.stdout, re.M))
        return [r[0] for r in rows], [r[1] for r in rows]
