"""What the benches have in common: processes on a core, what they cost by the
kernel's accounting, and tables of it."""
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

READY_SECONDS = 10


class Failure(Exception):
    pass


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def read(path):
    with open(path) as f:
        return f.read()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cores():
    """The server's core and the load's; the same if there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[1 % len(allowed)]


# Processes

def tree(pid):
    """The process and all below it: nginx's worker is a child."""
    pids = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        for child in read(f"/proc/{pid}/task/{task}/children").split():
            pids += tree(int(child))
    return pids


def cpu(pid):
    """Run time and run delay in ns, user and system time in ticks."""
    ran = delayed = user = system = 0
    for p in tree(pid):
        for task in os.listdir(f"/proc/{p}/task"):
            fields = read(f"/proc/{p}/task/{task}/schedstat").split()
            ran += int(fields[0])
            delayed += int(fields[1])
        # the name before ")" may hold blanks; utime and stime are 14 and 15
        fields = read(f"/proc/{p}/stat").rpartition(")")[2].split()
        user += int(fields[11])
        system += int(fields[12])
    return ran, delayed, user, system


def threads(pid):
    """Run time in ns of each thread of a process."""
    return {task: int(read(f"/proc/{pid}/task/{task}/schedstat").split()[0])
            for task in os.listdir(f"/proc/{pid}/task")}


def memory(pid):
    """Proportional set size of all its processes, in bytes."""
    kib = 0
    for p in tree(pid):
        for line in read(f"/proc/{p}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                kib += int(line.split()[1])
    return kib * 1024


def stop(proc):
    if proc.poll() is not None:
        return
    pids = tree(proc.pid)
    proc.terminate()
    try:
        proc.wait(5)
        return
    except subprocess.TimeoutExpired:
        pass
    for p in reversed(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(p, signal.SIGKILL)
    proc.wait()


def start(stack, command, on, log):
    """A process on those cores, in a session of its own: Ctrl-C is for us."""
    with open(log, "ab") as out:
        proc = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, on))
    stack.callback(stop, proc)
    return proc


def wait_ready(proc, port, log):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and proc.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.02)
    with open(log, errors="replace") as f:
        tail = f.read()[-2000:]
    raise Failure(f"{proc.args[0]} does not listen on port {port}:\n{tail}")


def lines(path):
    with open(path, "rb") as f:
        return sum(block.count(b"\n")
                   for block in iter(lambda: f.read(1 << 20), b""))


def parse(line):
    return {k: float(v) for k, v in
            (pair.split("=") for pair in line.split())}


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


# The report

def median(results, key):
    return statistics.median(r[key] for r in results)


def spread(results):
    """Half the distance from the least to the greatest, in per cent."""
    totals = [r["total"] for r in results]
    return 50 * (max(totals) - min(totals)) / statistics.median(totals)


def print_table(rows, markdown):
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    words = sum(1 for cell in rows[1] if not cell[0].isdigit())
    for i, row in enumerate(rows):
        cells = [cell.rjust(w) if cell[0].isdigit() or cell == "-" or j >= words
                 else cell.ljust(w)
                 for j, (cell, w) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |" if markdown
              else "  ".join(cells).rstrip())
        if markdown and i == 0:
            print("|" + "|".join(" --- " for _ in row) + "|")
    print()
