"""cairn-rpki's processes are killed, one after the other, while a router is connected and a run is under way.

usage: process_kill.py CAIRN_RPKI LOCATOR DIR       in a network of its own; LOCATOR is a trust anchor locator, whose key is used

The trust anchor's server takes connections and never says a word, so a run lasts as long as it may. The router has its data from what was kept of an earlier start. Whoever is killed: one
line in the log says so, the process comes back, and the router keeps connection, session and data, but where it was the serving process; then it goes on from its serial.
"""
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

PROGRAM, LOCATOR, DIR = sys.argv[1:4]
SECONDS = 15
passed = failed = 0

SLURM = """{ "slurmVersion": 1, "validationOutputFilters": { "prefixFilters": [], "bgpsecFilters": [] },
  "locallyAddedAssertions": { "prefixAssertions": [ { "asn": 64496, "prefix": "192.0.2.0/24" } ], "bgpsecAssertions": [] } }"""


def check(what, good):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print("wrong:", what, flush=True)
    return good


def wait_for(what, condition):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if condition():
            return check(what, True)
        time.sleep(0.02)
    return check(what, False)


def silent_server():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(100)
    return s


class Daemon:
    """cairn-rpki with its log, of which it tells what was said since it was looked at last."""

    all = []

    def __init__(self, extra):
        self.all.append(self)
        with open(DIR + "/c.conf", "w", encoding="ascii") as f:
            f.write(f'rpki:\n\tusername: ""\n\tslurm: "{DIR}/s.json"\n\tcache-dir: "{DIR}/cache"\n\tconnect-timeout: 600\n\tdubious-hosts: yes\n{extra}'
                    f'rtr:\n\tinterface: "{DIR}/rtr"\n')
        self.log = open(DIR + "/log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([PROGRAM, "-d", "-v", "-c", DIR + "/c.conf"], stdout=subprocess.DEVNULL, stderr=self.log)

    def said(self, pattern):
        with open(DIR + "/log", encoding="utf-8", errors="replace") as f:
            return re.findall(pattern, f.read())

    def pids(self, role):
        return [int(p) for p in self.said(rf"{role} runs as process (\d+)")]

    def ready(self, role):
        return len(self.said(rf"cairn-rpki-{role}\[\d+\] info: in its sandbox"))

    def end(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "none"


class Router:
    def __init__(self):
        self.session = self.serial = None
        self.connect()

    def connect(self):
        end = time.monotonic() + SECONDS
        while True:
            self.s = socket.socket(socket.AF_UNIX)
            self.s.settimeout(SECONDS)
            try:
                self.s.connect(DIR + "/rtr")
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def pdu(self):
        head = b""
        while len(head) < 8:
            head += self.s.recv(8 - len(head)) or b"\xff" * 8
        _, kind, field, n = struct.unpack("!BBHI", head[:8])
        body = b""
        while kind != 255 and len(body) < n - 8:
            body += self.s.recv(n - 8 - len(body)) or b"\xff" * n
        return kind, field, body

    def ask(self):
        """Kinds of the PDUs of an answer, Notifies apart."""
        if self.session is None:
            self.s.sendall(struct.pack("!BBHI", 2, 2, 0, 8))
        else:
            self.s.sendall(struct.pack("!BBHI", 2, 1, self.session, 12) + self.serial)
        kinds = []
        while not kinds or kinds[-1] not in (7, 8, 10, 255):
            kind, field, body = self.pdu()
            if kind != 0:
                kinds.append(kind)
            if kind == 7:
                self.session, self.serial = field, body[:4]
        return kinds


def kill_one(d, router, role, sig):
    name = f"{role}, {sig.name}"
    lines = rf"{role} was killed by signal {sig.value} "
    before, starts, ready = len(d.said(lines)), len(d.pids(role)), d.ready(role)
    os.kill(d.pids(role)[-1], sig)
    wait_for(name + ": it comes back", lambda: len(d.pids(role)) > starts and d.ready(role) > ready)
    check(name + ": one line", len(d.said(lines)) == before + 1)
    if role == "serve":
        check(name + ": the connection ends", router.pdu()[0] == 255)
        router.connect()
    check(name + ": the router goes on", router.ask() == [3, 7])


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def main():
    with open(DIR + "/s.json", "w", encoding="ascii") as f:
        f.write(SLURM)
    d = Daemon("")
    check("data at first", Router().ask() == [3, 4, 7])
    check("an orderly end", d.end() == 0)

    server = silent_server()
    with open(LOCATOR, encoding="ascii") as f:
        key = f.read().split("\n\n", 1)[1]
    with open(DIR + "/a.tal", "w", encoding="ascii") as f:
        f.write(f"https://localhost:{server.getsockname()[1]}/a.cer\n\n{key}")
    d = Daemon(f'\ttal: "{DIR}/a.tal"\n')
    router = Router()
    check("data from before", router.ask() == [3, 4, 7])
    wait_for("all are there", lambda: all(d.ready(r) == 1 for r in ("engine", "fetch", "rsync", "serve")))
    for role in ("fetch", "rsync", "serve", "engine"):
        for sig in (signal.SIGKILL, signal.SIGSEGV):
            kill_one(d, router, role, sig)
    check("a first crash leaves the store", not os.path.exists(DIR + "/cache/data.mdb.bad") and not d.said("set aside"))
    kill_one(d, router, "engine", signal.SIGSEGV)
    wait_for("a second one does not", lambda: len(d.said("is set aside, and everything is fetched anew")) == 1)
    check("the old store is kept", any(n.endswith(".bad") for n in os.listdir(DIR + "/cache")))

    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))
    starts = len(d.pids("engine"))
    os.kill(d.process.pid, signal.SIGHUP)
    wait_for("SIGHUP: the engine starts anew", lambda: len(d.pids("engine")) > starts)
    check("SIGHUP: the router stays", router.ask() == [3, 7])
    os.kill(d.process.pid, signal.SIGUSR1)
    check("SIGUSR1: the router stays", router.ask() == [3, 7])
    everybody = [d.pids(r)[-1] for r in ("engine", "fetch", "rsync", "serve")]
    check("the monitor is killed", d.end(signal.SIGKILL) == -9)
    wait_for("all go with it", lambda: all(gone(p) for p in everybody))

    with open(DIR + "/a.tal", "w", encoding="ascii") as f:
        f.write(f"https://localhost:{nobody.getsockname()[1]}/a.cer\n\n{key}")
    d = Daemon(f'\ttal: "{DIR}/a.tal"\n')
    wait_for("a run that finds no trust anchor", lambda: d.said("no trust anchor is usable"))
    check("takes nothing from routers", Router().ask() == [3, 4, 7])
    check("an orderly end", d.end() == 0)
    shutil.rmtree(DIR + "/cache")
    with open(DIR + "/s.json", "w", encoding="ascii") as f:
        f.write(SLURM.replace('{ "asn": 64496, "prefix": "192.0.2.0/24" }', ""))
    d = Daemon(f'\ttal: "{DIR}/a.tal"\n')
    wait_for("and again", lambda: d.said("no trust anchor is usable"))
    check("there is no data where nothing is known", Router().ask() == [10])
    check("an orderly end at last", d.end() == 0)


try:
    main()
except OSError as e:
    check(f"no {type(e).__name__}: {e}", False)
finally:
    for one in Daemon.all:
        one.process.kill()
if failed:
    with open(DIR + "/log", encoding="utf-8") as last:
        print(last.read())
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
