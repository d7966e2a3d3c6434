"""What the lab's tests share: a namespace of their own, the lab's world in it, cairnd as a child, questions, and the count of what held.

A test begins with inside(): it starts itself again in new network, mount and process namespaces, whose processes all end with it. Then World() starts the servers,
Daemon() a cairnd with a configuration of the test's, ask() asks it."""

import asyncio
import ctypes
import importlib.machinery
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SLOW = float(os.environ.get("LAB_SLOW", "1"))  # sanitizer builds: times that a test allows are so much longer


def inside():
    """Goes on in namespaces of its own. As an ordinary user inside of a user namespace where it counts as root."""
    if os.environ.get("LAB_INSIDE") == "1":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    unshare = shutil.which("unshare") or sys.exit("unshare is not installed (./dev deps installs it)")
    flags = ["-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc"] + ([] if os.getuid() == 0 else ["-U", "-r"])
    os.environ["LAB_INSIDE"] = "1"
    os.execv(unshare, [unshare] + flags + [sys.executable, os.path.abspath(sys.argv[0])] + sys.argv[1:])


def program(variable, name):
    path = os.environ.get(variable) or os.path.join(os.environ.get("CAIRN_BUILD") or os.path.join(TOP, "build"), name)
    return path if os.access(path, os.X_OK) else sys.exit("%s is not there (./dev build makes it; %s names another)" % (path, variable))


def cairnd():
    return program("CAIRND", "cairnd")


def cairnctl():
    return program("CAIRNCTL", "cairnctl")


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Score:
    """Counts what held. A failed check is named at once; the last line is what the stages read."""

    def __init__(self):
        self.good = self.bad = 0

    def check(self, held, what, more=""):
        if held:
            self.good += 1
        else:
            self.bad += 1
            print("FAIL %s%s" % (what, "\n     " + str(more).rstrip().replace("\n", "\n     ") if str(more) else ""), flush=True)
        return bool(held)

    def equal(self, got, expected, what):
        return self.check(got == expected, what, "expected %r, got %r" % (expected, got))

    def end(self):
        print("%d passed, %d failed" % (self.good, self.bad))
        return 1 if self.bad or not self.good else 0


class Folder:
    """A folder for one test's files, gone at its end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="cairn-lab-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def at(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text):
        with open(self.at(name), "w") as f:
            f.write(text)
        return self.at(name)


class World:
    """The servers of the lab (tests/lab/lab), started in the namespace we are in."""

    def __init__(self, folder):
        loader = importlib.machinery.SourceFileLoader("lab", os.path.join(HERE, "lab"))
        self.lab = importlib.util.module_from_spec(importlib.util.spec_from_loader("lab", loader))
        loader.exec_module(self.lab)
        self.lab.STATE = folder.at("world")
        self.lab.enter = lambda argv: argv  # we are there
        os.mkdir(self.lab.STATE)
        self.prepare(self.lab)
        self.lab.start_world()

    def prepare(self, lab):
        """For worlds that differ from the lab's: changes `lab` before its servers are started."""

    def pids(self):
        with open(os.path.join(self.lab.STATE, "servers.pids")) as f:
            return [int(x) for x in f.read().split()]

    def down(self):
        """All servers end: what is asked now only the cache can answer."""
        for pid in self.pids():
            self.lab.end(pid)


class Daemon:
    """One cairnd. Ends by stop() or kill(); `log` is what it has said so far. anchors: root-anchors:, none because the lab's root is not signed."""

    ADDRESS, PORT = "127.0.0.1", 5335

    def __init__(self, folder, server="", clauses="", name="cairnd", env=None, before=None, wait=True, anchors="none"):
        self.folder, self.name = folder, name
        self.control = folder.at(name + ".ctl")
        self.conf = folder.write(name + ".conf", """server:
	interface: %s@%d
	username: ""
	chroot: ""
	directory: "%s"
	pidfile: ""
	use-syslog: no
	verbosity: 2
	log-servfail: yes
	root-anchors: %s
%s
remote-control:
	control-enable: yes
	control-interface: "%s"
	control-use-cert: no
%s""" % (self.ADDRESS, self.PORT, folder.path, anchors, server, self.control, clauses))
        self.log_path = folder.at(name + ".log")
        self.env, self.before = env, before
        self.process = None
        self.start(wait)

    def start(self, wait=True):
        def prepare():
            die_with_parent()
            if self.before:
                self.before()
        self.log_from = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen([cairnd(), "-d", "-p", "-c", self.conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=dict(os.environ, **(self.env or {})), preexec_fn=prepare)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit("cairnd has ended with status %s\n%s" % (self.process.returncode, self.log()))
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
                if s.connect_ex((self.ADDRESS, self.PORT)) == 0:
                    return
            time.sleep(0.01)
        raise SystemExit("cairnd does not listen\n" + self.log())

    def log(self, all_of_it=False):
        with open(self.log_path, errors="replace") as f:
            f.seek(0 if all_of_it else self.log_from)
            return f.read()

    def wait_log(self, text, seconds=10):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if text in self.log():
                return True
            time.sleep(0.02)
        return False

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=15):
        """SIGTERM; gives the exit status, None when it had to be killed."""
        self.signal(signal.SIGTERM)
        return self.ended(seconds)

    def ended(self, seconds=15):
        try:
            return self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ctl(self, *words, lines=None, json=False):
        """cairnctl: (status, output)."""
        argv = [cairnctl(), "-s", self.control] + (["--json"] if json else []) + list(words)
        p = subprocess.run(argv, input=lines if lines is not None else "", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * SLOW, text=True)
        return p.returncode, p.stdout


class Rpki:
    """A cairn-rpki that serves what `vrps`, pairs of AS number and prefix, says."""

    def __init__(self, folder, name, port, vrps):
        self.folder, self.name = folder, name
        os.makedirs(folder.at(name + "-tals"), exist_ok=True)
        self.serve(vrps)
        self.conf = folder.write(name + ".conf", 'rpki:\n\tusername: ""\n\ttal-dir: "%s"\n\tcache-dir: "%s"\n\tslurm: "%s"\nrtr:\n\tinterface: 127.0.0.1@%d\n' % (
            folder.at(name + "-tals"), folder.at(name + "-cache"), folder.at(name + ".slurm"), port))
        self.start()

    def serve(self, vrps):
        text = json.dumps({"slurmVersion": 1, "validationOutputFilters": {"prefixFilters": [], "bgpsecFilters": []}, "locallyAddedAssertions": {
            "prefixAssertions": [{"asn": a, "prefix": p} for a, p in vrps], "bgpsecAssertions": []}})
        os.rename(self.folder.write(self.name + ".new", text), self.folder.at(self.name + ".slurm"))

    def start(self):
        with open(self.folder.at(self.name + ".log"), "a") as log:
            self.process = subprocess.Popen([program("CAIRN_RPKI", "cairn-rpki"), "-d", "-c", self.conf], stdout=log, stderr=log, preexec_fn=die_with_parent)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20 * SLOW)


def ask(name, rdtype="A", tcp=False, timeout=6, address=Daemon.ADDRESS, port=Daemon.PORT, **edns):
    """The reply as a dns.message.Message, or None when none came in time."""
    q = dns.message.make_query(name, rdtype, use_edns=0, **edns)
    try:
        return (dns.query.tcp if tcp else dns.query.udp)(q, address, timeout * SLOW, port)
    except (dns.exception.Timeout, OSError):
        return None


def rcode(reply):
    return "none" if reply is None else dns.rcode.to_text(reply.rcode())


def answer(reply):
    """The answer section's data, sorted; owner names and TTLs left out."""
    return [] if reply is None else sorted(rd.to_text() for rs in reply.answer for rd in rs)


def ttl(reply):
    return None if reply is None or not reply.answer else min(rs.ttl for rs in reply.answer)


# ---- many questions ------------------------------------------------------------------------------------------------------------------------

class Asker(asyncio.DatagramProtocol):
    """Questions over one UDP socket, as many at a time as the caller lets wait. A question is the octets of a message; its ID is replaced."""

    def __init__(self):
        self.waiting, self.number, self.late = {}, 0, 0

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

    def datagram_received(self, data, addr):
        future = self.waiting.pop(int.from_bytes(data[:2], "big"), None)
        if future is None:
            self.late += 1
        elif not future.done():
            future.set_result(data)

    def error_received(self, exc):
        pass

    async def ask(self, question, timeout):
        """The reply's octets, or None."""
        while True:
            self.number = (self.number + 1) & 0xffff
            if self.number not in self.waiting:
                break
        number, future = self.number, asyncio.get_running_loop().create_future()
        self.waiting[number] = future
        self.transport.sendto(number.to_bytes(2, "big") + question[2:])
        try:
            return await asyncio.wait_for(future, timeout)
        except asyncio.TimeoutError:
            self.waiting.pop(number, None)
            return None


async def ask_all(questions, window=64, timeout=10, tries=1, address=Daemon.ADDRESS, port=Daemon.PORT):
    """Replies (octets, None without one) in the order of the questions."""
    transport, asker = await asyncio.get_running_loop().create_datagram_endpoint(Asker, remote_addr=(address, port))
    replies, numbered = [None] * len(questions), iter(enumerate(questions))

    async def one_after_another():
        for i, q in numbered:
            for _ in range(tries):
                replies[i] = await asker.ask(q, timeout * SLOW)
                if replies[i] is not None:
                    break
    try:
        await asyncio.gather(*(one_after_another() for _ in range(window)))
    finally:
        transport.close()
    return replies


def wire(name, rdtype="A", **edns):
    return dns.message.make_query(name, rdtype, use_edns=edns.pop("use_edns", 0), **edns).to_wire()
