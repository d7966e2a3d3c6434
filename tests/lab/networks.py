"""Networks of several autonomous systems on one machine: each a network namespace with a BIRD router of its own, joined to a transit's by a pair of interfaces. They speak BGP to it, and
what they learn goes to their kernels' tables: who announces a prefix gets its packets.

To be used from within kit.inside(). The namespace that we are in becomes one of the networks (`home`), so that whatever the test starts as usual is in it."""

import os
import shutil
import subprocess
import time

import kit

BIRD = """router id {id};
log "{log}" all;
protocol device {{ }}
{statics}
protocol kernel {{ ipv4 {{ import none; export filter {{ if source != RTS_BGP then reject; {source} accept; }}; }}; }}
{peers}
"""
STATIC = "protocol static {name} {{ {state} ipv4; {routes} }}\n"
PEER = """protocol bgp {name} {{
	local {ours} as {as_ours}; neighbor {theirs} as {as_theirs}; strict bind yes;
	connect delay time 1; connect retry time 1; error wait time 1, 2; {more}
	ipv4 {{ import all; export all; {channel} }};
}}
"""


def find(program):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not path:
        raise SystemExit("%s is not installed (./dev deps installs it)" % program)
    return path


def until(what, held, seconds=30):
    """What held() gives when that is true."""
    end = time.monotonic() + seconds * kit.SLOW
    while True:
        got = held()
        if got:
            return got
        if time.monotonic() > end:
            raise SystemExit("in vain: " + what)
        time.sleep(0.02)


def run(argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


class Network:
    """One autonomous system. announces: its prefixes; withholds: name -> prefixes that announce(name) and withdraw(name) are for; addresses: of its hosts."""

    def __init__(self, folder, name, number, announces, addresses, withholds=None, here=False):
        self.folder, self.name, self.number, self.announces, self.addresses, self.withholds = folder, name, number, announces, addresses, withholds or {}
        self.peers, self.inside = "", []
        if not here:
            self.holder = self.child(["unshare", "-n", "sleep", "infinity"])
            mine = os.readlink("/proc/self/ns/net")
            until("a network namespace", lambda: os.readlink("/proc/%d/ns/net" % self.holder.pid) != mine)
            self.inside = ["nsenter", "-t", str(self.holder.pid), "-n", "--"]
        self.sh("echo 1 >/proc/sys/net/ipv4/ip_forward; ip link set lo up; " + "".join("ip addr add %s/32 dev lo;" % a for a in addresses))

    def sh(self, script):
        run(self.inside + ["sh", "-ec", script])

    def child(self, argv, log=os.devnull):
        with open(log, "a") as f:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=f, stderr=f, preexec_fn=kit.die_with_parent)

    def start(self, argv, name):
        """A program inside; its output in NAME.log."""
        return self.child(self.inside + [find(argv[0])] + argv[1:], self.folder.at(name + ".log"))

    def peer(self, name, ours, other, theirs, more="", channel=""):
        self.peers += PEER.format(name=name, ours=ours, as_ours=self.number, theirs=theirs, as_theirs=other, more=more, channel=channel)

    def route(self):
        """Starts the router; all of its peers are known by now."""
        statics = [("own", "", self.announces)] + [(n, "disabled;", p) for n, p in self.withholds.items()]
        conf = BIRD.format(id=self.addresses[0], log=self.folder.at(self.name + ".bird.log"), peers=self.peers, source="krt_prefsrc = %s;" % self.addresses[0],
                           statics="".join(STATIC.format(name=n, state=s, routes=" ".join("route %s unreachable;" % x for x in p)) for n, s, p in statics))
        self.control = self.folder.at(self.name + ".bird.ctl")
        self.start(["bird", "-f", "-c", self.folder.write(self.name + ".bird.conf", conf), "-s", self.control], self.name + ".bird")
        until(self.name + "'s router", lambda: os.path.exists(self.control))

    def birdc(self, *words):
        return run([find("birdc"), "-s", self.control] + list(words))

    def announce(self, name):
        self.birdc("enable", name)

    def withdraw(self, name):
        self.birdc("disable", name)

    def path_to(self, address):
        """(prefix, AS path) of the route that packets to the address take, None without one."""
        prefix, path = None, ""
        for line in self.birdc("show", "route", "for", address, "all").splitlines():
            if prefix is None and "/" in line.split(" ")[0]:
                prefix = line.split(" ")[0]
            if line.strip().startswith("BGP.as_path:"):
                path = line.split(":")[1].strip()
                break
        return prefix and (prefix, path)


def join(transit, network, number):
    """A line between the two; number: of the line."""
    up, down, name = "10.64.%d.0" % number, "10.64.%d.1" % number, "to_" + network.name
    pid = network.holder.pid if network.inside else os.getpid()
    run(transit.inside + ["ip", "link", "add", name, "type", "veth", "peer", "name", "net0", "netns", str(pid)])
    transit.sh("ip addr add %s/31 dev %s; ip link set %s up" % (up, name, name))
    network.sh("ip addr add %s/31 dev net0; ip link set net0 up" % down)
    transit.peer(name, up, network.number, down)
    network.peer("transit", down, transit.number, up)


def nsd(network, name, address, zones):
    """NSD in the network; zones: name -> file's text."""
    folder, conf = network.folder, ""
    for zone, text in zones.items():
        conf += 'zone:\n\tname: "%s"\n\tzonefile: "%s"\n' % (zone, folder.write("%s-%s.zone" % (name, zone.strip(".") or "root"), text))
    conf = ('server:\n\tusername: ""\n\tchroot: ""\n\tdatabase: ""\n\tserver-count: 1\n\tip-address: %s\n\tpidfile: "%s"\n\tzonelistfile: "%s"\n\txfrdfile: "%s"\n\txfrdir: "%s"\n'
            'remote-control:\n\tcontrol-enable: no\n' % (address, folder.at(name + ".pid"), folder.at(name + ".list"), folder.at(name + ".xfrd"), folder.path)) + conf
    return network.start(["nsd", "-d", "-c", folder.write(name + ".conf", conf)], name)


def sign(folder, zone, text):
    """The zone signed, and its DS record, both as text."""
    path = folder.write("signed-" + (zone.strip(".") or "root"), "$ORIGIN %s\n%s" % (zone, text))
    key = subprocess.run([find("ldns-keygen"), "-a", "ECDSAP256SHA256", "-k", zone], cwd=folder.path, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    subprocess.run([find("ldns-signzone"), "-o", zone, "-f", path + ".out", path, folder.at(key)], cwd=folder.path, check=True)
    with open(path + ".out") as signed, open(folder.at(key + ".ds")) as ds:
        return signed.read(), ds.read()
