#!/usr/bin/python3
"""cairnd as a process: starts, answers, reads its configuration again, keeps its cache over a restart, and ends as it should.

Runs the program named by CAIRND or $CAIRN_BUILD/cairnd on 127.0.0.1, with local data only: nothing leaves the machine. Needs no privileges.
"""
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

CAIRND = os.environ.get("CAIRND") or os.path.join(os.environ.get("CAIRN_BUILD", "."), "cairnd")
LIMIT = 20.0 * float(os.environ.get("CAIRN_TEST_SLOW", "1"))        # seconds that anything may take


def free_port():
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket() as t:
            u.bind(("127.0.0.1", 0))
            try:
                t.bind(u.getsockname())
                return u.getsockname()[1]
            except OSError:
                continue


def question(name, rrtype=1, ident=0x1234):
    wire = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"
    return struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + wire + struct.pack(">HH", rrtype, 1)


def ask(port, name, tcp=False):
    """(rcode, answers, last four octets) or None when there was no reply."""
    q = question(name)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
            s.settimeout(2)
            s.connect(("127.0.0.1", port))
            s.send((struct.pack(">H", len(q)) if tcp else b"") + q)
            r = s.recv(4096)
    except OSError:
        return None
    r = r[2:] if tcp else r
    return r[3] & 15, struct.unpack(">H", r[6:8])[0], r[-4:]


class Daemon:
    def __init__(self, folder, more="", foreground=True):
        self.folder, self.port, self.more = folder, free_port(), more
        self.conf = os.path.join(folder, "cairn.conf")
        self.log = os.path.join(folder, "log")
        self.write("1.2.3.4")
        words = [CAIRND, "-c", self.conf] + (["-d"] if foreground else [])
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(words, stderr=log, stdout=log)

    def write(self, address, broken=""):
        with open(self.conf, "w") as f:
            f.write('server:\n interface: 127.0.0.1@%d\n username: ""\n use-syslog: no\n num-threads: 2\n local-zone: "here.example." static\n'
                    ' local-data: "a.here.example. A %s"\n%s%s' % (self.port, address, self.more, broken))

    def logged(self):
        with open(self.log) as f:
            return f.read()

    def until(self, what, why):
        end = time.monotonic() + LIMIT
        while not what():
            if time.monotonic() > end:
                raise AssertionError("%s\n%s" % (why, self.logged()))
            time.sleep(0.01)

    def starts(self):
        self.until(lambda: ask(self.port, "a.here.example") is not None, "it does not answer")

    def ends(self, status=0):
        self.process.send_signal(signal.SIGTERM)
        got = self.process.wait(LIMIT)
        assert got == status, "ended with %d\n%s" % (got, self.logged())


def answers_and_ends(folder):
    d = Daemon(folder)
    d.starts()
    assert ask(d.port, "a.here.example") == (0, 1, bytes([1, 2, 3, 4]))
    assert ask(d.port, "a.here.example", tcp=True) == (0, 1, bytes([1, 2, 3, 4]))
    assert ask(d.port, "b.here.example")[0] == 3
    d.ends()
    assert ask(d.port, "a.here.example") is None


def reads_its_configuration_again(folder):
    d = Daemon(folder)
    d.starts()
    d.write("9.9.9.9")
    d.process.send_signal(signal.SIGHUP)
    d.until(lambda: ask(d.port, "a.here.example") == (0, 1, bytes([9, 9, 9, 9])), "the change is not seen")
    d.write("8.8.8.8", " no-such-option: 1\n")
    d.process.send_signal(signal.SIGHUP)
    d.until(lambda: "nothing was changed" in d.logged(), "the error is not said")
    assert "no-such-option" in d.logged()
    assert ask(d.port, "a.here.example") == (0, 1, bytes([9, 9, 9, 9]))
    d.ends()


def listens_elsewhere_after_a_reload(folder):
    d = Daemon(folder)
    d.starts()
    old, d.port = d.port, free_port()
    d.write("1.2.3.4")
    d.process.send_signal(signal.SIGHUP)
    d.starts()
    d.until(lambda: ask(old, "a.here.example") is None, "the old port still answers")
    d.ends()


def refuses_to_start_without_its_address(folder):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        d = Daemon(folder)
        d.process.kill()
        d.process.wait()
        s.bind(("127.0.0.1", d.port))
        with open(d.log, "w") as log:
            d.process = subprocess.Popen([CAIRND, "-d", "-c", d.conf], stderr=log)
        assert d.process.wait(LIMIT) == 1
        assert "cannot listen" in d.logged()


def says_what_is_wrong(folder):
    d = Daemon(folder, " access-control: 300.0.0.0/8 allow\n port: x\n")
    assert d.process.wait(LIMIT) == 1
    assert "access-control" in d.logged() and "port" in d.logged()
    p = subprocess.run([CAIRND, "--check-config", d.conf], stdout=subprocess.PIPE, text=True)
    assert p.returncode == 1 and "2 errors" in p.stdout, p.stdout
    assert subprocess.run([CAIRND, "--version"], stdout=subprocess.PIPE, text=True).stdout.startswith("cairnd ")
    assert subprocess.run([CAIRND, "--no-such"], stderr=subprocess.DEVNULL).returncode == 2


def keeps_a_snapshot(folder):
    path = os.path.join(folder, "snap")
    d = Daemon(folder, ' cache-snapshot: "%s"\n' % path)
    d.starts()
    d.ends()
    assert os.path.isfile(path) and os.stat(path).st_mode & 0o077 == 0
    d = Daemon(folder, ' cache-snapshot: "%s"\n' % path)
    d.until(lambda: "entries read" in d.logged(), "the snapshot is not read")
    d.process.kill()                                                # no orderly end: the old file stays good
    d.process.wait()
    with open(path, "r+b") as f:
        f.write(b"not a snapshot")
    d = Daemon(folder, ' cache-snapshot: "%s"\n' % path)
    d.starts()
    d.until(lambda: "not a snapshot" in d.logged(), "nothing is said of a file that is none")
    d.ends()
    assert os.path.isfile(path + ".bad")


def logs_as_it_is_told(folder):
    line = r"^%%s cairnd\[%d%%s\] %%s: 127\.0\.0\.1@\d+ a\.here\.example\. A IN%%s$"
    told = r" NOERROR 0\.000000 1 48"
    d = Daemon(folder, " log-queries: yes\n log-replies: yes\n")
    d.starts()
    line = line % d.process.pid

    def says(*words):
        ask(d.port, "a.here.example")
        return re.search(line % words, d.logged(), re.M)

    d.until(lambda: says(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "", "notice", told), "the line for a reply is another")
    d.more += " log-time-iso: no\n log-tag-queryreply: yes\n log-thread-id: yes\n log-destaddr: yes\n"
    d.write("1.2.3.4")
    d.process.send_signal(signal.SIGHUP)
    d.until(lambda: says(r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d", r":\d+", "query", ""), "the line for a question is another")
    threads = set(os.listdir("/proc/%d/task" % d.process.pid))
    assert set(re.findall(r"\[%d:(\d+)\] query" % d.process.pid, d.logged())) <= threads - {str(d.process.pid)}, "the line is of no worker"
    for tcp in (False, True):
        ask(d.port, "a.here.example", tcp)
        d.until(lambda: says(r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d", r":\d+", "reply", told + r" on %s 127\.0\.0\.1 %d" % ("tcp" if tcp else "udp", d.port)),
                "the line for a reply is another")
    d.more += " log-time-ascii: no\n log-thread-id: no\n"
    d.write("1.2.3.4")
    d.process.send_signal(signal.SIGHUP)
    d.until(lambda: says(r"\[\d{10}\]", "", "query", ""), "the line has another time")
    d.ends()


def control(path, verb):
    """What the control socket says, as a dictionary of values."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(LIMIT)
        s.connect(path)
        s.sendall(b"UBCT1 " + verb.encode() + b"\n")
        text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    return dict(x.split("=", 1) for x in text.splitlines() if "=" in x)


def tells_statistics(folder):
    path = os.path.join(folder, "ctl")
    remote = 'remote-control:\n control-enable: yes\n control-interface: "%s"\n' % path
    d = Daemon(folder, remote)
    d.starts()
    first = control(path, "stats")
    asked = int(first["total.num.queries"])
    kinds = [x for x in first if re.match(r"num\.query\.(type|class|opcode)\.", x)]
    assert asked > 0 and first["num.query.type.A"] == first["num.query.class.IN"] == first["num.query.opcode.QUERY"] == str(asked), first
    assert len(kinds) == 3, "kinds of questions that nobody asked are told: %s" % kinds
    assert "num.answer.rcode.REFUSED" in first and "num.answer.rcode.nodata" not in first and "mem.cache.rrset" in first, first
    assert control(path, "stats_noreset")["total.num.queries"] == "0", "stats does not set to zero"

    control(path, "set_option statistics-inhibit-zero: no")
    ask(d.port, "a.here.example")
    all_of_it = control(path, "stats_noreset")
    assert all_of_it["num.query.type.MX"] == all_of_it["num.query.class.CH"] == all_of_it["num.query.opcode.NOTIFY"] == all_of_it["num.answer.rcode.nodata"] == "0", all_of_it
    control(path, "set_option extended-statistics: no")
    few = control(path, "stats_noreset")
    assert {x.split(".")[0].rstrip("01") for x in few} == {"thread", "total", "time"}, sorted(few)

    control(path, "set_option statistics-cumulative: yes")
    assert control(path, "stats")["total.num.queries"] == few["total.num.queries"] != "0", "they are not cumulative"
    control(path, "set_option statistics-interval: 1")
    d.until(lambda: len(re.findall(r" info: server stats for thread [01]: \d+ queries, \d+ answers from cache, 0 recursions, ", d.logged())) >= 2,
            "they are not in the log")
    control(path, "set_option statistics-cumulative: no")
    d.until(lambda: control(path, "stats_noreset")["total.num.queries"] == "0", "what is logged does not begin anew")
    control(path, "set_option log-thread-id: yes")      # the log, too, is another at once
    d.until(lambda: re.search(r"cairnd\[%d:%d\] info: server stats" % (d.process.pid, d.process.pid), d.logged()), "the option has no effect on the log")
    d.ends()


def drops_what_waited(folder):
    """sock-queue-timeout, which comes with a reload. One socket: its questions go to one thread, in their order."""
    d = Daemon(folder)
    d.starts()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(LIMIT)
        s.connect(("127.0.0.1", d.port))

        def reply(*idents):
            for i in idents:
                s.send(question("a.here.example", ident=i))
            return s.recv(4096)

        def first_after_a_stop():
            d.process.send_signal(signal.SIGSTOP)
            try:
                assert os.WIFSTOPPED(os.waitpid(d.process.pid, os.WUNTRACED)[1]), "it ends"     # all its threads have stopped
                s.send(question("a.here.example", ident=1))
                time.sleep(1.1)                                     # longer than the option lets a question wait
            finally:
                d.process.send_signal(signal.SIGCONT)
            return struct.unpack(">H", reply(2)[:2])[0]

        d.more = " sock-queue-timeout: 1\n"
        d.write("9.9.9.9")
        d.process.send_signal(signal.SIGHUP)
        d.until(lambda: reply(3)[-4:] == bytes([9, 9, 9, 9]), "the change is not seen")
        for _ in range(4):                                          # the system begins to note arrivals when it finds the time
            first = first_after_a_stop()
            if first == 2:
                break
            s.recv(4096)
        assert first == 2, "what waited is answered"
    d.ends()


def goes_to_the_background(folder):
    pid_file = os.path.join(folder, "pid")
    d = Daemon(folder, ' do-daemonize: yes\n pidfile: "%s"\n logfile: "%s"\n' % (pid_file, os.path.join(folder, "own.log")), foreground=False)
    assert d.process.wait(LIMIT) == 0, d.logged()
    assert ask(d.port, "a.here.example") == (0, 1, bytes([1, 2, 3, 4]))     # it answers when the start returns
    with open(pid_file) as f:
        pid = int(f.read())
    os.kill(pid, signal.SIGTERM)
    d.until(lambda: not os.path.exists(pid_file), "the pid file stays")
    d = Daemon(folder, ' do-daemonize: yes\n local-zone: x nonsense\n', foreground=False)
    assert d.process.wait(LIMIT) == 1


def main():
    cases = [answers_and_ends, reads_its_configuration_again, listens_elsewhere_after_a_reload, refuses_to_start_without_its_address,
             says_what_is_wrong, keeps_a_snapshot, logs_as_it_is_told, tells_statistics, drops_what_waited, goes_to_the_background]
    chosen = [c for c in cases if not sys.argv[1:] or c.__name__ in sys.argv[1:]]
    failed = 0
    for case in chosen:
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(folder)
                print("ok   %s" % case.__name__)
            except AssertionError as e:
                failed += 1
                print("FAIL %s: %s" % (re.sub("_", " ", case.__name__), e))
    print("%d cases, %d failed" % (len(chosen), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
