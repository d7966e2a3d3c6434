#!/bin/sh
# cairn-rpki as a process: output files, mistakes told by place, exit statuses, a router on a Unix socket that follows a change, and an orderly end.
set -u
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
dir=$(mktemp -d) || exit 99
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
fail=0
wrong() { echo "wrong: $*"; fail=1; }

slurm() { # the AS number of the first assertion
	cat <<END
{ "slurmVersion": 1, "validationOutputFilters": { "prefixFilters": [], "bgpsecFilters": [] },
  "locallyAddedAssertions": { "prefixAssertions": [ { "asn": $1, "prefix": "192.0.2.0/24" },
  { "asn": 1, "prefix": "198.51.100.0/24" }, { "asn": 2, "prefix": "198.51.100.0/24" } ], "bgpsecAssertions": [] } }
END
}
conf() { # what rtr: has besides
	printf 'rpki:\n\tusername: ""\n\tcache-dir: "%s/cache"\n\tslurm: "%s/s.json"\n\toutput-csv: "%s/out/vrps.csv"\nrtr:\n%s\n' "$dir" "$dir" "$dir" "$1" >"$dir/c.conf"
}
once() { # expected status
	timeout 20 "$CAIRN_BUILD/cairn-rpki" --once -c "$dir/c.conf" >"$dir/log" 2>&1
	status=$?
	[ "$status" = "$1" ] || { wrong "status $status, expected $1"; cat "$dir/log"; }
}

conf ""
slurm 64496 >"$dir/s.json"
once 0
[ "$(cat "$dir/out/vrps.csv")" = "ASN,IP Prefix,Max Length,Trust Anchor
AS64496,192.0.2.0/24,24,N/A
AS1,198.51.100.0/24,24,N/A
AS2,198.51.100.0/24,24,N/A" ] || wrong "vrps.csv"
slurm -1 >"$dir/s.json"
once 2
grep -q 's.json: locallyAddedAssertions.prefixAssertions\[0\].asn: found -1' "$dir/log" || wrong "the place of a mistake"
slurm 64496 >"$dir/s.json"
conf '	expire: 600'
once 2
grep -q 'expire: 600, expected more than refresh: 3600' "$dir/log" || wrong "timers"
printf 'rpki:\n\tusername: ""\n' >"$dir/c.conf"
once 2
grep -q 'nothing to serve' "$dir/log" || wrong "nothing to serve"

conf "	interface: \"$dir/rtr\""
"$CAIRN_BUILD/cairn-rpki" -d -c "$dir/c.conf" >"$dir/log" 2>&1 &
pid=$!
slurm 64497 >"$dir/new.json"
timeout 60 python3 - "$dir" <<'END' || wrong "the router"
import os, socket, struct, sys, time
d = sys.argv[1]
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
for _ in range(200):
    try:
        s.connect(d + "/rtr")
        break
    except OSError:
        time.sleep(0.05)
def pdu():
    head = b""
    while len(head) < 8:
        head += s.recv(8 - len(head)) or sys.exit("closed")
    version, kind, field, n = struct.unpack("!BBHI", head)
    body = b""
    while len(body) < n - 8:
        body += s.recv(n - 8 - len(body)) or sys.exit("closed")
    return kind, field, body
s.sendall(struct.pack("!BBHI", 2, 2, 0, 8))
answer = [pdu() for _ in range(5)]
assert [a[0] for a in answer] == [3, 4, 4, 4, 7], answer
assert answer[3][2][8:] == struct.pack("!I", 64496)
session, serial = answer[4][1], answer[4][2][:4]
os.rename(d + "/new.json", d + "/s.json")
kind, field, body = pdu()
assert (kind, field) == (0, session)
s.sendall(struct.pack("!BBHI", 2, 1, session, 12) + serial)
answer = [pdu() for _ in range(4)]
assert [(a[0], a[2][:1]) for a in answer[1:3]] == [(4, b"\1"), (4, b"\0")], answer
with open(d + "/was", "wb") as was:
    was.write(struct.pack("!H", session) + serial)
END
kill -TERM "$pid"
wait "$pid"
status=$?
pid=
[ "$status" = 0 ] || { wrong "status $status at the end"; cat "$dir/log"; }
[ ! -e "$dir/rtr" ] || wrong "the socket is still there"

# After a restart the router goes on with session and serial, and gets what changed since the one before.
slurm 64498 >"$dir/s.json"
"$CAIRN_BUILD/cairn-rpki" -d -c "$dir/c.conf" >"$dir/log" 2>&1 &
pid=$!
timeout 60 python3 - "$dir" <<'END' || { wrong "the router after a restart"; cat "$dir/log"; }
import socket, struct, sys, time
d = sys.argv[1]
was = open(d + "/was", "rb").read()
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
for _ in range(200):
    try:
        s.connect(d + "/rtr")
        break
    except OSError:
        time.sleep(0.05)
s.sendall(struct.pack("!BB", 2, 1) + was[:2] + struct.pack("!I", 12) + was[2:])
seen = b""
while len(seen) < 8 + 20 + 20 + 24:
    seen += s.recv(1000) or sys.exit("closed")
assert seen[:4] == struct.pack("!BB", 2, 3) + was[:2], seen
assert seen[9] == seen[29] == 4 and seen[16] == 1 and seen[36] == 0 and seen[49] == 7, seen
assert struct.unpack("!I", seen[56:60])[0] == struct.unpack("!I", was[2:6])[0] + 2, seen
END
kill -TERM "$pid"
wait "$pid"
pid=
exit "$fail"
