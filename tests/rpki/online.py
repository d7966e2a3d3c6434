#!/usr/bin/python3
"""cairn-rpki online, against servers of this script: the RIPE pilot's real objects over RRDP and over rsync, with faults between.

    online.py DATA PROGRAM      DATA: a folder with rpki-monitoring/. In a network and mount namespace of its own (tests/stages/ci/67-rpki-online). The last line is "N passed, N failed"."""

import base64
import gzip
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import serve

DATA, PROGRAM = sys.argv[1:3]
HOST = "localcert.ripe.net"
AT = 1691132400
PILOT = os.path.join(DATA, "rpki-monitoring", "rrdp", "pilot")
passed = failed = 0
seen = []
broken = set()
notification = gzip.open(os.path.join(PILOT, "notification.xml.gz")).read()
snapshot = open(os.path.join(PILOT, "snapshot.xml.gz"), "rb").read()
snapshot_path = re.search(rb'<snapshot uri="https://[^/]*(/[^"]*)"', notification).group(1).decode()


def check(good, what, detail=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f"failed: {what}: {detail}")


class Handler(serve.Handler):
    anchor = b""

    def do_GET(self):
        seen.append(self.path)
        if self.path in broken:
            self.answer(503)
        elif self.path == "/ta/ripe-ncc-pilot.cer":
            self.answer(200, Handler.anchor)
        elif self.path == "/rrdp/notification.xml":
            if self.headers.get("If-None-Match") == '"one"':
                self.answer(304, ETag='"one"')
            else:
                self.answer(200, notification, ETag='"one"')
        elif self.path == snapshot_path:
            self.answer(200, snapshot, Content_Encoding="gzip")
        else:
            self.answer(404)


def unpack(folder):
    """The snapshot as rsync would lay it out; returns the names of its modules."""
    modules = set()
    for _, element in ElementTree.iterparse(gzip.open(os.path.join(PILOT, "snapshot.xml.gz"))):
        if not element.tag.endswith("publish"):
            continue
        host, _, rest = element.get("uri")[len("rsync://"):].partition("/")
        modules.add(rest.split("/")[0])
        path = os.path.join(folder, host, rest)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(element.text))
    return modules


def vrps(path):
    with open(path, encoding="ascii") as f:
        return {tuple(line.strip().split(",")[:3]) for line in f if line.startswith("AS") and not line.startswith("ASN")}


def run(where, cache, what, options="", status=0):
    """A run; returns what it found and said. It may write nothing to its cache but what a cache has."""
    conf, out = os.path.join(where, "conf"), os.path.join(where, "out.csv")
    with open(conf, "w", encoding="ascii") as f:
        f.write(f'rpki:\n\tusername: ""\n\ttal: "{PILOT}/ripe-pilot.tal"\n\tcache-dir: "{where}/{cache}"\n\ttls-ca-bundle: "{where}/ca.pem"\n\toutput-csv: "{out}"\n{options}')
    if os.path.exists(out):
        os.unlink(out)
    seen.clear()
    try:
        p = subprocess.run([PROGRAM, "-c", conf, "--once", "--at", str(AT)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
    except subprocess.TimeoutExpired:
        check(False, what, "no end")
        return set(), ""
    check(p.returncode == status, f"{what}: exit status", f"{p.returncode}\n{p.stdout}")
    got = vrps(out) if os.path.exists(out) else set()
    print(f"{what}: {len(got)} VRPs", flush=True)
    return got, p.stdout


def main(where):
    expected = vrps(os.path.join(DATA, "rpki-monitoring", "expected", "pilot.csv"))
    tree = os.path.join(where, "tree")
    serve.certificates(where, HOST)
    modules = unpack(tree)
    anchor = next(os.path.join(d, f) for d, _, names in os.walk(tree) for f in names if f == "ripe-ncc-pilot.cer")
    with open(anchor, "rb") as f:
        Handler.anchor = f.read()
    serve.names(where, HOST)
    serve.https(where, Handler)
    daemon = serve.rsync(where, {m: os.path.join(tree, HOST, m) for m in modules})
    try:
        walk(where, expected)
    finally:
        daemon.terminate()
        daemon.wait()
    print(f"{passed} passed, {failed} failed")
    return failed != 0


def daemon_once(where, until, what, options="", done=lambda: True):
    """The daemon until it has logged this and done that; returns what it said."""
    conf, log = os.path.join(where, "conf"), os.path.join(where, "log")
    with open(conf, "w", encoding="ascii") as f:
        f.write(f'rpki:\n\tusername: ""\n\ttal: "{PILOT}/ripe-pilot.tal"\n\tcache-dir: "{where}/guard"\n\ttls-ca-bundle: "{where}/ca.pem"\n{options}rtr:\n\tinterface: "{where}/rtr"\n')
    with open(log, "w", encoding="utf-8") as out:
        p = subprocess.Popen([PROGRAM, "-d", "-c", conf, "--at", str(AT)], stdout=out, stderr=out)
    for _ in range(600):
        with open(log, encoding="utf-8") as f:
            said = f.read()
        if until in said and done() or p.poll() is not None:
            break
        time.sleep(0.1)
    p.terminate()
    check(p.wait(timeout=20) == 0, f"{what}: exit status", said)
    check(until in said, what, said)
    return said


def command(where, *words):
    p = subprocess.run([PROGRAM, words[0], "-c", os.path.join(where, "conf"), *words[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return p.returncode, p.stdout


def operator(where, verb):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(os.path.join(where, "control"))
        s.sendall(f"UBCT1 {verb}\n".encode())
        return b"".join(iter(lambda: s.recv(65536), b"")).decode()


def loss_guard(where, expected):
    """All data are lost, and nothing answers: routers keep what they had, and there is an alarm. Files say what was found."""
    asn, prefix, _ = next(v for v in sorted(expected) if v[0] != "AS0")
    daemon_once(where, "782 VRPs", "a daemon")
    os.unlink(os.path.join(where, "guard", "objects.mdb"))
    broken.update({"/ta/ripe-ncc-pilot.cer", "/rrdp/notification.xml"})
    said = daemon_once(where, "loss guard: ripe-pilot: 782 of 782 payloads", "a daemon that has lost its data", f'\trsync: no\n\toutput-csv: "{where}/found.csv"\n',
                       lambda: "ALARM" in command(where, "status")[1])
    check("782 VRPs as of" in said, "routers go on", said)
    check(not os.path.exists(os.path.join(where, "found.csv")), "no file says that there is nothing")
    status, said = command(where, "status")
    check("ALARM" in said and "782 payloads kept by the loss guard" in said, "the status has an alarm", said)
    status, said = command(where, "validate", asn, prefix)
    check(status == 0 and f"{prefix} {asn}: valid" in said, "what is served has them", said)
    broken.clear()


def failures_are_kept(where):
    """A repository fails; the next daemon knows that it has. Who asks the daemon itself hears how old the table is, whatever time it is said to be."""
    broken.add("/rrdp/notification.xml")
    told_itself = set()

    def done(times):
        told_itself.add("s old" in operator(where, "status"))
        return True in told_itself and f'"failures":{times},' in command(where, "status", "--json")[1]

    for times in (1, 2):
        said = daemon_once(where, "1 of them not reached", "a repository fails", f'\trsync: no\n\tcontrol-interface: "{where}/control"\n', lambda: done(times))
        status, told = command(where, "status", "--json")
        check(f'"failures":{times},' in told, f"{times} times in a row", f"{status} {told}\n{said}")
    check(True in told_itself, "the daemon tells of its table")
    broken.clear()


def objects_in_words(where):
    """Files beside one another, whose issuers are in the store alone. A CRL names none: the manifest beside it does."""
    some = os.path.join(where, "some")
    os.mkdir(some)
    crl = next(os.path.join(d, f) for d, _, names in os.walk(os.path.join(where, "tree", HOST, "repository", "DEFAULT")) for f in sorted(names) if f.endswith(".crl"))
    for kind in ("crl", "mft"):
        shutil.copy(crl[:-3] + kind, some)
    path = os.path.join(some, os.path.basename(crl))
    for name in (path, path[:-3] + "mft", "rsync://" + crl[len(os.path.join(where, "tree", "")):]):
        status, said = command(where, "inspect", "--at", str(AT), name)
        check(status == 0 and "chain: good" in said and "ripe-ncc-pilot: valid, a trust anchor" in said, f"{name} in words", said)
    os.unlink(path[:-3] + "mft")
    status, said = command(where, "inspect", "--at", str(AT), path)
    check(status == 0 and "chain: absent" in said, "a CRL whose issuer is not known", said)
    status, said = command(where, "validate", "--offline", "--at", "2036-01-01T00:00:00Z", "AS1", "192.0.2.0/24")
    check(status == 0 and "ripe-pilot: the trust anchor is not usable as of 2036-01-01T00:00:00Z" in said, "why nothing is found", said)


def walk(where, expected):
    got, said = run(where, "cache", "the pilot over RRDP")
    check(got == expected and snapshot_path in seen, "the pilot over RRDP", said)
    check("ripe-pilot: 1 manifests are missing, 0 manifests and 0 CRLs are out of date" in said, "what is missing is counted", said)
    objects_in_words(where)
    got, said = run(where, "cache", "again")
    check(got == expected and snapshot_path not in seen, "what has not changed is not fetched again", said)
    got, said = run(where, "by-rsync", "the pilot over rsync", "\trrdp: no\n")
    check(got == expected and not [p for p in seen if p.startswith("/rrdp")], "the pilot over rsync", f"{seen} {said}")
    broken.add("/rrdp/notification.xml")
    got, said = run(where, "fallback", "rsync where RRDP fails")
    check(got == expected and said.count(HOST + "/rrdp/notification.xml: ") == 1, "rsync where RRDP fails, and one line that says so", said)
    got, said = run(where, "fallback", "no rsync either", "\trsync: no\n")
    check(got == expected, "what was fetched before serves", said)
    broken.add("/ta/ripe-ncc-pilot.cer")
    got, said = run(where, "cache", "nothing answers", "\trsync: no\n")
    check(got == expected, "what was fetched before serves, the trust anchor's certificate too", said)
    got, said = run(where, "empty", "nothing answers, and nothing was fetched", "\trsync: no\n", status=1)
    check(not got and "NOT USABLE" in said, "nothing is nothing", said)
    broken.clear()
    loss_guard(where, expected)
    failures_are_kept(where)
    with open(os.path.join(where, "cache", "objects.mdb"), "r+b") as f:
        f.write(b"\0" * 8192)
    got, said = run(where, "cache", "a damaged store")
    check(got == expected and "set aside" in said, "a store that cannot be read is set aside", said)


if __name__ == "__main__":
    serve.in_scratch(main)
