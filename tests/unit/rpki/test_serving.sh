#!/bin/sh
# cairn-rpki's services as others see them: HTTP by Python's client, metrics by Prometheus' parser where it is installed, RTR over TLS by libssl, a certificate that changes at SIGHUP,
# certificates of routers, and TCP signed by MD5.
set -u
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
command -v openssl >/dev/null || { echo "no openssl"; exit 77; }
dir=$(mktemp -d) || exit 99
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$dir"' EXIT

certificate() { # name, alternative name
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/$1.key" -out "$dir/csr" -subj "/CN=$1" 2>/dev/null &&
		printf 'subjectAltName=%s\n' "$2" >"$dir/ext" &&
		openssl x509 -req -in "$dir/csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -set_serial "$3" -out "$dir/$1.pem" -days 2 -extfile "$dir/ext" 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/ca.key" -out "$dir/ca.pem" -subj /CN=ca -days 2 2>/dev/null || exit 99
certificate server IP:127.0.0.1 2 && certificate second IP:127.0.0.1 3 && certificate router IP:127.0.0.1 4 && certificate stranger IP:192.0.2.1 5 || exit 99
cat >"$dir/s.json" <<'END'
{ "slurmVersion": 1, "validationOutputFilters": { "prefixFilters": [], "bgpsecFilters": [] },
  "locallyAddedAssertions": { "prefixAssertions": [ { "asn": 64496, "prefix": "192.0.2.0/24" }, { "asn": 1, "prefix": "2001:db8::/32" } ], "bgpsecAssertions": [] } }
END
cp "$dir/server.pem" "$dir/now.pem" && cp "$dir/server.key" "$dir/now.key" || exit 99
printf 'sesame\n' >"$dir/secret"
ports=$(python3 -c 'import socket
s = [socket.socket() for _ in range(3)]
for x in s: x.bind(("127.0.0.1", 0))
print(*(x.getsockname()[1] for x in s))') || exit 99
# shellcheck disable=SC2086 # three of them
set -- $ports
conf() {
	printf 'rpki:\n\tusername: ""\n\tcache-dir: "%s/cache"\n\tslurm: "%s/s.json"\n\thttp-interface: 127.0.0.1@%s\n\tcontrol-interface: "%s/ctl"\nrtr:\n\tinterface: 127.0.0.1@%s\n\ttls-interface: 127.0.0.1@%s\n\tclient-metrics: yes\n' \
		"$dir" "$dir" "$http" "$dir" "$rtr" "$tls"
	printf '\ttls-certificate: "%s/now.pem"\n\ttls-key: "%s/now.key"\n%s' "$dir" "$dir" "$1"
}
http=$1 rtr=$2 tls=$3
md5=
python3 -c 'import socket, struct
s = socket.socket()
s.setsockopt(6, 14, struct.pack("=HH4s120xBBHI80s", 2, 0, bytes(4), 0, 0, 1, 0, b"x"))' 2>/dev/null && md5="	tcp-md5: 127.0.0.2/32 \"$dir/secret\"
"
conf "$md5" >"$dir/c.conf"
conf "$md5	tls-client-ca: \"$dir/ca.pem\"
" >"$dir/clients.conf"
"$CAIRN_BUILD/cairn-rpki" -d -c "$dir/c.conf" >"$dir/log" 2>&1 &
pid=$!
timeout 60 python3 - "$dir" "$pid" "$http" "$rtr" "$tls" "$md5" <<'END'
import http.client, json, os, shutil, signal, socket, ssl, struct, sys, time
d, pid, web, rtr, tls, md5 = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), sys.argv[6]
wrong = []
def check(what, holds):
    if not holds:
        wrong.append(what)
        print("wrong:", what)
def get(path, **fields):
    c = http.client.HTTPConnection("127.0.0.1", web, timeout=10)
    c.request("GET", path, headers=fields)
    r = c.getresponse()
    return r.status, r.read().decode(), r
for _ in range(200):
    try:
        if get("/json")[0] == 200:
            break
    except OSError:
        pass
    time.sleep(0.05)

status, text, r = get("/json")
check("json", status == 200 and [x["asn"] for x in json.loads(text)["roas"]] == ["AS64496", "AS1"])
check("304", get("/json", **{"If-None-Match": r.getheader("ETag")})[0] == 304)
def control(line):
    c = socket.socket(socket.AF_UNIX)
    c.settimeout(10)
    c.connect(d + "/ctl")
    c.sendall(b"UBCT1 " + line.encode() + b"\n")
    said = b""
    while True:
        more = c.recv(65536)
        if not more:
            return said.decode()
        said += more
check("the control socket's mode", os.stat(d + "/ctl").st_mode & 0o7777 == 0o660)
check("control: status", "2 VRPs (1 IPv4, 1 IPv6)" in control("status") and json.loads(control("--json status"))["payloads"]["vrps4"]["contributed"] == 1)
check("control: routers", control("routers") == "no router is connected\n" and json.loads(control("--json routers")) == [])
check("control: verbosity", control("verbosity 2") == "ok\n" and control("verbosity 0") == "ok\n" and control("verbosity x").startswith("error "))
check("control: unknown", control("fly").startswith("error unknown command 'fly'"))
good = open(d + "/c.conf").read()
open(d + "/c.conf", "w").write(good + "nonsense\n")
check("control: reload of nonsense", control("reload").startswith("error the configuration cannot be used"))
open(d + "/c.conf", "w").write(good)
check("control: reload", control("reload") == "ok\n")
check("select", len(json.loads(get("/json?select-asn=1")[1])["roas"]) == 1)
check("validity", json.loads(get("/api/v1/validity/AS64496/192.0.2.0/24")[1])["validated_route"]["validity"]["state"] == "valid")
check("status", json.loads(get("/api/v1/status")[1])["payload"]["routeOriginsIPv6"]["final"] == 1)
check("page", "<h1>cairn-rpki</h1>" in get("/status", Accept="text/html")[1])
check("nothing", get("/nothing")[0] == 404)
metrics = get("/metrics")[1]
check("metrics", "\nroutinator_vrps_final 2\n" in metrics)
try:
    from prometheus_client.parser import text_string_to_metric_families
    check("the metrics' form", len(list(text_string_to_metric_families(metrics))) > 50)
except ImportError:
    print("metrics: not looked at by Prometheus' parser, which is not installed")

def sync(s):
    s.sendall(bytes([1, 2, 0, 0, 0, 0, 0, 8]))
    got = b""
    while len(got) < 8 + 20 + 32 + 24:
        more = s.recv(4096)
        if not more:
            break
        got += more
    return len(got)
def over_tls(who=None):
    c = ssl.create_default_context(cafile=d + "/ca.pem")
    if who:
        c.load_cert_chain(d + "/" + who + ".pem", d + "/" + who + ".key")
    with c.wrap_socket(socket.create_connection(("127.0.0.1", tls), 10), server_hostname="127.0.0.1") as s:
        serial = s.getpeercert()["serialNumber"]
        return sync(s), serial
def refused(who=None):
    try:
        return over_tls(who)[0] == 0
    except OSError:
        return True
def until(what, test):
    for _ in range(200):
        try:
            if test():
                return
        except OSError:
            pass
        time.sleep(0.05)
    check(what, False)
check("RTR over TLS", over_tls() == (84, "02"))
shutil.copy(d + "/second.pem", d + "/now.pem")
shutil.copy(d + "/second.key", d + "/now.key")
os.kill(pid, signal.SIGHUP)
until("another certificate", lambda: over_tls() == (84, "03"))
with open(d + "/now.pem", "w") as f:
    f.write("damaged\n")
os.kill(pid, signal.SIGHUP)
until("what is wrong with a certificate is told", lambda: "certificate" in open(d + "/log").read())
check("the old certificate stays", over_tls() == (84, "03"))
shutil.copy(d + "/second.pem", d + "/now.pem")
os.rename(d + "/clients.conf", d + "/c.conf")
os.kill(pid, signal.SIGHUP)
until("routers without a certificate are refused", refused)
check("a certificate of another address is refused", refused("stranger"))
check("a router with its certificate", over_tls("router") == (84, "03"))

def signed(key):
    s = socket.socket()
    s.settimeout(0.5 if key != b"sesame" else 10)
    s.bind(("127.0.0.2", 0))
    if key:
        s.setsockopt(6, 14, struct.pack("=HH4s120xBBHI80s", 2, 0, socket.inet_aton("127.0.0.1"), 0, 0, len(key), 0, key))
    s.connect(("127.0.0.1", rtr))
    return sync(s)
def gets_nothing(key):
    try:
        return signed(key) == 0
    except OSError:
        return True
check("from elsewhere nothing need be signed", sync(socket.create_connection(("127.0.0.1", rtr), 10)) == 84)
held = socket.create_connection(("127.0.0.1", rtr), 10)
check("all data", sync(held) == 84)
c = json.loads(get("/api/v1/status")[1])["rtr"]["clients"]["127.0.0.1"]
check("a router in the status", (c["connections"], c["serial"] is None, c["resetQueries"], c["read"], c["written"]) == (1, False, 1, 8, 84) and c["updated"] == c["lastReset"])
check("a router in the metrics", '\nroutinator_rtr_client_written_bytes{addr="127.0.0.1"} 84\n' in get("/metrics")[1])
if md5:
    check("signed TCP", signed(b"sesame") == 84)
    check("TCP signed with another key", gets_nothing(b"another"))
    check("TCP that is not signed", gets_nothing(None))
else:
    print("TCP-MD5: this kernel has none")
sys.exit(1 if wrong else 0)
END
result=$?
kill -TERM "$pid"
wait "$pid" || result=1
pid=
[ "$result" = 0 ] || cat "$dir/log"
exit "$result"
