#!/usr/bin/python3
"""cairn-rpki against a little RPKI in which repositories lie, break off and go back: after each fault the VRPs of a run that remembers and of one that does not, and that all is well again.

    faults.py PROGRAM           in a network and mount namespace of its own (tests/stages/ci/67-rpki-faults). The last line is "N passed, N failed"."""

import base64
import gzip
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid

import serve
from toyrpki import CA, DAY

PROGRAM = sys.argv[1]
NAMESPACE = 'xmlns="http://www.ripe.net/rpki/rrdp" version="1"'
passed = failed = 0
seen = []  # what was asked for: (host, path)


def check(good, what, detail=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f"failed: {what}: {detail}", flush=True)


def sha(octets):
    return hashlib.sha256(octets).hexdigest()


class Handler(serve.Handler):
    def do_GET(self):
        host = self.headers.get("Host", "").partition(":")[0]
        repository = Repository.all.get(host)
        page = repository.pages.get(self.path) if repository else None
        seen.append((host, self.path))
        if page is None:
            self.answer(404)
        elif callable(page):
            page(self)
        elif self.headers.get("If-None-Match") == f'"{sha(page)}"':
            self.answer(304)
        else:
            self.answer(200, page, ETag=f'"{sha(page)}"')


def publish_element(uri, octets, replaces=None):
    known = f' hash="{replaces}"' if replaces else ""
    return f'<publish uri="{uri}"{known}>{base64.b64encode(octets).decode()}</publish>\n'


class Repository:
    """What a host publishes: by RRDP, with a few deltas, and by rsync."""

    all = {}
    stamp = int(time.time()) - DAY

    def __init__(self, where, host, *cas):
        self.all[host] = self
        self.host, self.cas, self.folder = host, cas, os.path.join(where, "rsync", host)
        self.pages, self.objects = {}, {}
        self.session, self.serial, self.deltas = str(uuid.uuid4()), 0, []

    def uri(self, path):
        return f"https://{self.host}{path}"

    def sign(self, spoil=lambda files: None):
        """All objects anew. spoil: as in CA.point(), for the first CA's point."""
        ret = {}
        for ca in self.cas:
            ret.update(ca.point(spoil if ca is self.cas[0] else lambda files: None))
            if ca.parent is None:
                ret[ca.dir[:-1] + ".cer"] = ca.own()
        return ret

    def file(self, kind, body):
        return f'<{kind} {NAMESPACE} session_id="{self.session}" serial="{self.serial}">\n{body}</{kind}>\n'.encode()

    def delta(self, before, after):
        body = ""
        for uri, octets in after.items():
            if before.get(uri) != octets:
                body += publish_element(uri, octets, sha(before[uri]) if uri in before else None)
        for uri in before.keys() - after.keys():
            body += f'<withdraw uri="{uri}" hash="{sha(before[uri])}"/>\n'
        return self.file("delta", body)

    def notify(self, snapshot=None, path=None, prolog=""):
        """Writes the notification; with another hash or place of the snapshot if so asked."""
        path = path or self.uri(f"/{self.session}/{self.serial}/snapshot.xml")
        body = f'<snapshot uri="{path}" hash="{sha(snapshot or self.snapshot)}"/>\n'
        for serial, where, digest in self.deltas:
            body += f'<delta serial="{serial}" uri="{self.uri(where)}" hash="{digest}"/>\n'
        self.pages["/notification.xml"] = prolog.encode() + self.file("notification", body)

    def by_rsync(self, objects):
        """The folder that rsync serves, with times that tell files of one length apart."""
        shutil.rmtree(self.folder, ignore_errors=True)
        Repository.stamp += 1
        for uri, octets in objects.items():
            path = os.path.join(self.folder, uri.split("/", 4)[4])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(octets)
            os.utime(path, (Repository.stamp, Repository.stamp))

    def publish(self, objects=None, by_rsync=None):
        """objects: what all get, None: what is sound; by_rsync: what rsync has in its place."""
        objects = self.sign() if objects is None else objects
        self.serial += 1
        base = f"/{self.session}/{self.serial}"
        self.snapshot = self.file("snapshot", "".join(publish_element(u, o) for u, o in objects.items()))
        self.pages[base + "/snapshot.xml"] = self.snapshot
        if self.serial > 1:
            delta = self.delta(self.objects, objects)
            self.pages[base + "/delta.xml"] = delta
            self.deltas = self.deltas[-5:] + [(self.serial, base + "/delta.xml", sha(delta))]
        self.objects = objects
        self.by_rsync(objects if by_rsync is None else by_rsync)
        self.notify()

    def begin(self):
        self.session, self.serial, self.deltas, self.objects = str(uuid.uuid4()), 0, [], {}


class Rig:
    """A trust anchor; below it CA a (the victim), with CA c below that in the same repository, and CA b, each with a ROA or two. a's repository is where faults strike."""

    def __init__(self, where):
        self.where = where
        self.anchor = CA("ta", "t.rpki.test", ["10.0.0.0/8"])
        self.a = CA("a", "a.rpki.test", ["10.1.0.0/16", "10.8.0.0/16"], self.anchor)
        self.b = CA("b", "b.rpki.test", ["10.3.0.0/16"], self.anchor)
        self.c = CA("c", "a.rpki.test", ["10.1.128.0/17"], self.a)
        self.c.roas["one.roa"] = (64500, "10.1.128.0/20", 20)
        self.b.roas["one.roa"] = (64501, "10.3.0.0/16", 24)
        self.a.roas.update({"one.roa": (64502, "10.1.0.0/20", 24), "two.roa": (64503, "10.8.0.0/20", 20)})
        self.victim = Repository(where, "a.rpki.test", self.a, self.c)
        self.others = [Repository(where, "t.rpki.test", self.anchor), Repository(where, "b.rpki.test", self.b)]
        self.step = 0
        for r in (*self.others, self.victim):
            r.publish()
        with open(os.path.join(where, "ta.tal"), "w", encoding="ascii") as f:
            f.write(f"https://t.rpki.test/ta.cer\nrsync://t.rpki.test/t/ta.cer\n\n{base64.b64encode(self.anchor.key.spki).decode()}\n")
        self.others[0].pages["/ta.cer"] = self.anchor.own()

    def change(self):
        """The victim and the CA below it say something else."""
        self.step += 1
        self.a.roas["one.roa"] = (65000 + self.step, "10.1.0.0/20", 24)
        self.a.roas[f"{self.step}.roa"] = (64502, f"10.8.{16 + self.step}.0/24", 24)
        self.a.roas.pop(f"{self.step - 2}.roa", None)
        self.c.roas["one.roa"] = (65000 + self.step, "10.1.128.0/20", 20)

    def evil(self):
        """What must not be believed: all is signed well, and says too much. The CA goes on from the number that it had."""
        self.a.roas["evil.roa"] = (666, "10.1.64.0/20", 20)
        ret = self.victim.sign()
        del self.a.roas["evil.roa"]
        return ret

    def vrps(self):
        return self.anchor.vrps()

    def run(self, cache, options="", status=0, at=None, kill=None):
        """A run; returns the VRPs, what was asked of the victim's host, and what was said. kill: a path (its end), at whose request it is killed."""
        conf, out = os.path.join(self.where, "conf"), os.path.join(self.where, "out.csv")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f'rpki:\n\tusername: ""\n\ttal: "{self.where}/ta.tal"\n\tcache-dir: "{self.where}/{cache}"\n\ttls-ca-bundle: "{self.where}/ca.pem"\n\toutput-csv: "{out}"\n{options}')
        if os.path.exists(out):
            os.unlink(out)
        seen.clear()
        words = [PROGRAM, "-c", conf, "--once"] + (["--at", str(at)] if at else [])
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True) as p:
            if kill:
                self.kill_at(kill, p.pid)
            try:
                said, _ = p.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                said, _ = p.communicate()
                said += "\nNO END"
        if kill:
            check(p.returncode == -signal.SIGKILL, f"killed: {p.returncode}", said)
        else:
            check(p.returncode == status, f"exit status {p.returncode}", said)
        got = set()
        if os.path.exists(out):
            with open(out, encoding="ascii") as f:
                got = {tuple(line.split(",")[:3]) for line in f if re.match("AS[0-9]", line)}
        asked = {os.path.basename(path).partition(".")[0] for host, path in list(seen) if host == self.victim.host}
        return got, asked, said

    def kill_at(self, end, pid):
        """Once somebody asks for it, the run is killed, and gets half of it."""
        path = next(p for p in self.victim.pages if p.endswith(end))
        page = self.victim.pages[path]

        def answer(handler):
            self.victim.pages[path] = page
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(page)))
            handler.end_headers()
            handler.wfile.write(page[:len(page) // 2])
            os.killpg(pid, signal.SIGKILL)

        self.victim.pages[path] = answer

    def fault(self, name, strike, kept=None, fresh=None, says="", asked=None, options="", at=None):
        """strike publishes what the victim has become. kept, fresh: the VRPs of a run with what was fetched before and of one without (None: all of them); asked: what the former asks for."""
        begun = time.monotonic()
        self.change()
        strike(self.victim)
        for which, want in (("kept", kept), ("empty", fresh)):
            if which == "empty":
                shutil.rmtree(os.path.join(self.where, "empty"), ignore_errors=True)
            want = self.vrps() if want is None else want() if callable(want) else want
            got, files, said = self.run(which, options, at=at)
            check(got == want, f"{name}: {which}", f"more {sorted(got - want)}, less {sorted(want - got)}\n{said}")
            check(says in said, f"{name}: {which}: a line that says {says}", said)
            if which == "kept" and asked is not None:
                check(files == asked, f"{name}: asks for {sorted(asked)}", f"{sorted(files)}\n{said}")
        self.heal(name)
        print(f"{name}: {time.monotonic() - begun:.1f} s", flush=True)

    def heal(self, name):
        self.change()
        self.victim.publish()
        got, _, said = self.run("kept")
        check(got == self.vrps(), f"{name}: healed", f"more {sorted(got - self.vrps())}, less {sorted(self.vrps() - got)}\n{said}")


BY_DELTA, BY_SNAPSHOT = {"notification", "delta"}, {"notification", "snapshot"}


def transport(rig):
    """RRDP that cannot be followed: deltas give way to the snapshot, and that to rsync. What must not be believed has a ROA of its own."""
    v = rig.victim

    def delta_hash(v):
        before = v.objects
        bad = v.delta(before, rig.evil())
        v.publish()
        v.pages[v.deltas[-1][1]] = bad

    def delta_gap(v):
        v.publish()
        rig.change()
        v.publish()
        del v.deltas[-2]
        v.notify()

    def session_reset(v):
        v.begin()
        v.publish()

    def serial_back(v):
        v.serial, v.deltas = max(v.serial - 4, 0), []
        v.publish()
        v.deltas = []
        v.notify()

    def changed_after_the_fact(v):
        serial, path, _ = v.deltas[-1]
        v.pages[path] += b"\n"
        v.deltas[-1] = (serial, path, sha(v.pages[path]))
        v.publish()

    def withdraws_what_nobody_has(v):
        v.publish()
        serial, path, _ = v.deltas[-1]
        v.pages[path] = v.pages[path].replace(b"</delta>", f'<withdraw uri="rsync://{v.host}/a/a/none.roa" hash="{sha(b"")}"/></delta>'.encode())
        v.deltas[-1] = (serial, path, sha(v.pages[path]))
        v.notify()

    def replaces_something_else(v):
        v.publish()
        serial, path, _ = v.deltas[-1]
        v.pages[path] = re.sub(rb'hash="[0-9a-f]{64}"', f'hash="{sha(b"else")}"'.encode(), v.pages[path], count=1)
        v.deltas[-1] = (serial, path, sha(v.pages[path]))
        v.notify()

    rig.heal("the beginning")
    rig.fault("a delta", Repository.publish, asked=BY_DELTA)
    rig.fault("a delta of another hash", delta_hash, asked=BY_DELTA | BY_SNAPSHOT)
    rig.fault("a gap between serials", delta_gap, asked=BY_SNAPSHOT)
    rig.fault("a session reset", session_reset, asked=BY_SNAPSHOT)
    for _ in range(3):
        rig.heal("deltas again")
    rig.fault("a serial that goes back", serial_back, asked=BY_SNAPSHOT)
    rig.fault("a delta changed after the fact", changed_after_the_fact, asked=BY_SNAPSHOT)
    rig.fault("a delta that withdraws what nobody has", withdraws_what_nobody_has, asked=BY_DELTA | BY_SNAPSHOT)
    rig.fault("a delta that replaces something else", replaces_something_else, asked=BY_DELTA | BY_SNAPSHOT)

    def by_rsync(spoil):
        """The snapshot has what must not be believed, and is spoilt; rsync is sound."""
        def strike(v):
            evil = rig.evil()
            v.begin()
            v.publish(evil, v.sign())
            spoil(v)
        return strike

    def snapshot_path():
        return f"/{v.session}/{v.serial}/snapshot.xml"

    def snapshot_hash(v):
        v.pages[snapshot_path()] += b"\n"

    def document_type(v):
        v.notify(prolog='<!DOCTYPE notification [ <!ENTITY a "aaaaaaaa"> ]>\n')

    def bomb(v):
        big = v.snapshot.replace(b"</snapshot>", b" " * (16 << 20) + b"</snapshot>")
        packed = gzip.compress(big, 6)
        v.notify(snapshot=big)
        v.pages[snapshot_path()] = lambda handler: handler.answer(200, packed, Content_Encoding="gzip")

    def redirect(v):
        rig.others[1].pages["/moved.xml"] = v.pages["/notification.xml"]
        v.pages["/notification.xml"] = lambda handler: handler.answer(302, Location="https://b.rpki.test/moved.xml")

    def other_origin(v):
        rig.others[1].pages["/snapshot.xml"] = v.snapshot
        v.notify(path="https://b.rpki.test/snapshot.xml")

    def drip(v):
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(v.snapshot)))
            handler.end_headers()
            for octet in v.snapshot:
                handler.wfile.write(bytes((octet,)))
                if over.wait(0.05):
                    break
        over = threading.Event()
        v.pages[snapshot_path()] = answer

    rig.fault("a snapshot of another hash", by_rsync(snapshot_hash), says="the hash is not the one that was announced")
    rig.fault("a document type", by_rsync(document_type), asked={"notification"})
    rig.fault("gzip that expands beyond all bounds", by_rsync(bomb), options="\tsnapshot-size: 1m\n")
    rig.fault("a redirect to another origin", by_rsync(redirect), asked={"notification"})
    rig.fault("a snapshot of another origin", by_rsync(other_origin), says="of another origin (RFC 9674)", asked={"notification"})
    check(not [s for s in seen if s[0] == "b.rpki.test" and s[1] in ("/snapshot.xml", "/moved.xml")], "nobody asks another origin", seen)
    rig.fault("a server that drips", by_rsync(drip), options="\ttransfer-timeout: 1\n")


def objects(rig):
    """Objects that are not right: a point that fails goes on with its last good state where that is known, and others never suffer."""
    a, c = rig.a, rig.c

    def former():
        return before | c.vrps() | rig.b.vrps()

    def without_victim():
        return rig.vrps() - a.vrps()

    def less(*vrps):
        return lambda: rig.vrps() - set(vrps)

    def told(asn, prefix, longest):
        return (f"AS{asn}", prefix, str(longest))

    def gone(name):
        """Where a point's file goes missing, or changes unlisted."""
        def strike(how):
            def publish(v):
                files = v.sign()
                if how is None:
                    del files[a.dir + name]
                else:
                    files[a.dir + name] = how(files[a.dir + name])
                v.publish(files)
            return publish
        return strike

    def listed(name, how):
        """The same, and the manifest knows it."""
        def spoil(files):
            files[name] = how(files[name])
        return lambda v: v.publish(v.sign(spoil))

    def expired(v):
        until, a.until = a.until, a.now - 1800
        v.publish()
        a.until = until

    def replay(v):
        number, a.number = a.number, a.number - 4
        v.publish()
        a.number = number

    points = (("a manifest that is cut short", gone("a.mft")(lambda o: o[:len(o) // 2])),
              ("no manifest", gone("a.mft")(None)),
              ("a file of the manifest is missing", gone("two.roa")(None)),
              ("a file of another hash", gone("two.roa")(lambda o: o + b"\0")),
              ("a CRL of garbage", listed("a.crl", lambda o: b"garbage" * 20)),
              ("a manifest that has expired", expired))
    for name, strike in points:
        before = a.own_vrps()
        rig.fault(name, strike, former, without_victim)
    before = a.own_vrps()
    rig.fault("a manifest number that goes back", replay, former)
    rig.fault("a ROA with a wrong signature", listed("two.roa", lambda o: o[:-1] + bytes((o[-1] ^ 1,))), *[less(told(64503, "10.8.0.0/20", 20))] * 2)

    def revoke(v):
        a.revoke("two.roa")
        v.publish()
        a.revoked.clear()

    rig.fault("a ROA that is revoked", revoke, *[less(told(64503, "10.8.0.0/20", 20))] * 2)

    def overclaim(v):
        sound, c.resources = (c.resources, c.made.pop("")), ["10.1.128.0/17", "10.4.0.0/16"]
        v.publish()
        c.resources, c.made[""] = sound

    rig.fault("a CA that claims what it was not given", overclaim, *[lambda: rig.vrps() - c.vrps()] * 2)
    all_before = rig.vrps()
    rig.fault("a server that is gone", lambda v: v.pages.clear(), all_before, without_victim, options="\trsync: no\n")


def killed(rig):
    """A kill -9 while something comes in leaves what was there, or all that is new; and the next run finds everything."""
    for end in ("/notification.xml", "/delta.xml", "/snapshot.xml") * 2:
        rig.change()
        if end == "/snapshot.xml":
            rig.victim.begin()
        rig.victim.pages.clear()
        rig.victim.publish()
        rig.run("kept", kill=end)
        got, _, said = rig.run("kept")
        check(got == rig.vrps(), f"killed at {end}", f"{sorted(got ^ rig.vrps())}\n{said}")
        check(f"{end[1:].partition('.')[0]}" in " ".join(p for _, p in seen), f"killed at {end}: asked for again", said)


def main(where):
    hosts = ("t.rpki.test", "a.rpki.test", "b.rpki.test")
    serve.certificates(where, *hosts)
    serve.names(where, *hosts)
    rig = Rig(where)
    serve.https(where, Handler)
    daemon = serve.rsync(where, {host.partition(".")[0]: os.path.join(where, "rsync", host) for host in hosts})
    try:
        transport(rig)
        objects(rig)
        killed(rig)
    finally:
        daemon.terminate()
        daemon.wait()
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    serve.in_scratch(main)
