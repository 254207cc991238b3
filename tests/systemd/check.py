"""What scripts/check-systemd runs in its container, beside the service."""

import json
import os
import pwd
import re
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wsclient import WebSocket  # noqa: E402

EXPOSURE = 1.1


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def property_of(name):
    return run("systemctl", "show", "-P", name, "m2mwsd").strip()


def connect(token, seconds=20):
    """A WebSocket, once the daemon listens."""
    tls = ssl.create_default_context(cafile="/etc/m2mwsd/cert.pem")
    until = time.monotonic() + seconds
    while True:
        try:
            return WebSocket(("127.0.0.1", 8180), tls=tls, headers=[
                f"Authorization: Bearer {token}"])
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def ask(ws, rsc, **members):
    """Requests of the CSE that come first are answered."""
    ws.send_prim(**{"fr": "Cunit", "rvi": "3", **members})
    while True:
        got = ws.recv_prim()
        if "rsc" in got:
            assert got["rsc"] == rsc, got
            return got
        ws.send_prim(rsc=2000, rqi=got["rqi"], rvi="3")


def credential():
    """A new token in the file that the user m2mwsd cannot read."""
    said = run("m2mwsd", "--hash-token")
    line = re.search(r"^token = .*$", said, re.M)[0]
    path = "/etc/m2mwsd/originators"
    with open(path, "w") as out:
        out.write(f"[credential \"unit\"]\n{line}\n"
                  "originators = Cunit\nadministrators = CAdmin\n")
    os.chmod(path, 0o600)
    return "unit." + re.search(r"NAME\.(\S+)", said)[1]


def check_process():
    """Whose it is, and what it may still do."""
    pid = property_of("MainPID")
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":\t", 1) for line in status)
    user = pwd.getpwnam("m2mwsd")
    assert fields["Uid"].split() == [str(user.pw_uid)] * 4, fields["Uid"]
    for name in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
        assert int(fields[name], 16) == 0, (name, fields[name])
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Seccomp"].strip() == "2"
    with open(f"/proc/{pid}/limits") as limits:
        files = re.search(r"Max open files +(\d+) +(\d+)", limits.read())
    assert files[1] == files[2], files[0]
    for path in "key.pem", "originators":
        assert os.stat(f"/etc/m2mwsd/{path}").st_mode & 0o077 == 0, path
    return f"uid {user.pw_uid}, no capabilities, seccomp, {files[1]} files"


def check_exposure():
    said = run("systemd-analyze", "--no-pager", "security",
               f"--threshold={round(EXPOSURE * 10)}", "m2mwsd")
    return re.search(r"Overall exposure level.*?: (\S+)", said)[1]


def serve(token):
    """Resources, a verification and a notification by the notify endpoint."""
    ws = connect(token)
    ask(ws, 2001, op=1, to="cse-in", rqi="1", ty=2, pc={"m2m:ae": {
        "rn": "unit", "api": "Nunit", "rr": True, "srv": ["3"]}})
    ask(ws, 2001, op=1, to="cse-in/unit", rqi="2", ty=3, pc={
        "m2m:cnt": {"rn": "box"}})
    ask(ws, 2001, op=1, to="cse-in/unit/box", rqi="3", ty=23, pc={
        "m2m:sub": {"nu": ["Cunit"], "enc": {"net": [3]}}})
    ws.send_prim(op=1, to="cse-in/unit/box", fr="Cunit", rqi="4", rvi="3",
                 ty=4, pc={"m2m:cin": {"con": "x" * 100000}})
    got = [ws.recv_prim() for _ in range(2)]
    sgn, = [p["pc"]["m2m:sgn"] for p in got if "op" in p]
    assert sgn["nev"]["rep"]["m2m:cin"]["cs"] == 100000
    ws.drop()


def serve_again(token):
    ws = connect(token)
    got = ask(ws, 2000, op=2, to="cse-in/unit/box/la", rqi="5")
    assert len(got["pc"]["m2m:cin"]["con"]) == 100000
    ws.drop()


def reload(token):
    """Serves the next certificate of the same key."""
    with open("/check/next.pem") as text:
        pem = text.read()
    with open("/etc/m2mwsd/cert.pem", "w") as out:
        out.write(pem)
    pid = property_of("MainPID")
    run("systemctl", "reload", "m2mwsd")
    until = time.monotonic() + 20
    while True:
        try:
            ws = connect(token)
            if ws.sock.getpeercert(True) == ssl.PEM_cert_to_DER_cert(pem):
                ws.drop()
                break
        except ssl.SSLError:
            pass    # the one before, which is not trusted any more
        if time.monotonic() > until:
            raise AssertionError("the certificate stayed")
        time.sleep(0.05)
    assert property_of("MainPID") == pid


def journal(token):
    """Every key is a field that the journal can be asked for."""
    os.makedirs("/etc/m2mwsd/conf.d", exist_ok=True)
    with open("/etc/m2mwsd/conf.d/journal.conf", "w") as out:
        out.write("[log]\nformat = journal\n")
    run("systemctl", "restart", "m2mwsd")
    ws = connect(token)
    ask(ws, 2000, op=2, to="cse-in/unit", rqi="journal-1")
    ws.drop()
    until = time.monotonic() + 20
    while True:
        said = run("journalctl", "--no-pager", "-o", "json",
                   "_SYSTEMD_UNIT=m2mwsd.service",
                   "M2MWSD_RQI=journal-1").split("\n")[0]
        if said.startswith("{"):
            break
        if time.monotonic() > until:
            raise AssertionError("nothing is in the journal")
        time.sleep(0.05)
    entry = json.loads(said)
    for key, value in (("M2MWSD_EVENT", "primitive"), ("PRIORITY", "6"),
                       ("M2MWSD_ORIGINATOR", "Cunit"), ("M2MWSD_RSC", "2000"),
                       ("SYSLOG_IDENTIFIER", "m2mwsd")):
        assert entry.get(key) == value, (key, entry)
    os.unlink("/etc/m2mwsd/conf.d/journal.conf")
    run("systemctl", "restart", "m2mwsd")
    return f"{sum(key.startswith('M2MWSD_') for key in entry)} fields"


def say(what, result):
    print(f"ok    {what}" + (f": {result}" if result else ""), flush=True)


def main():
    token = credential()
    run("systemctl", "restart", "m2mwsd")
    say("served over wss:, key by LoadCredential", serve(token))
    say("process", check_process())
    run("systemctl", "restart", "m2mwsd")
    say("restarted, the store is there", serve_again(token))
    say("reloaded, another certificate", reload(token))
    say("journal", journal(token))
    say("exposure", check_exposure())
    said = run("systemd-analyze", "verify", "--man=no", "m2mwsd.service")
    assert not said, said
    say("verified", "")
    run("systemctl", "stop", "m2mwsd")
    assert property_of("Result") == "success", property_of("Result")
    log = run("journalctl", "--no-pager", "-o", "cat", "-u", "m2mwsd")
    assert log.count("event=end status=0") >= 2, log
    assert not re.search("EPERM|not permitted|SIGSYS", log), log
    say("stopped", run("systemctl", "--version").split("\n")[0])


if __name__ == "__main__":
    try:
        main()
    except Exception:
        subprocess.run(["journalctl", "--no-pager", "-n", "40", "-u",
                        "m2mwsd"])
        raise
