"""Zones made with real signers: keys and signatures by BIND's, ldns's or Knot's tools, at this moment; then changed by hand where a case wants it.

A Spec says what zone to make, make_world() makes them from the deepest up to the root, each parent with the DS records of its children. A Zone is a signed zone that can be
broken: drop(), unsign(), flip(), put(), resign() and what the cases make of them. sign() makes any signature one likes, right or wrong, with the zone's own private keys."""

import base64
import concurrent.futures
import hashlib
import os
import struct
import subprocess
import time
import zlib

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils

IN = dns.rdataclass.IN
DNSKEY, RRSIG, DS, NSEC, NSEC3 = (dns.rdatatype.from_text(t) for t in ("DNSKEY", "RRSIG", "DS", "NSEC", "NSEC3"))
HOUR, DAY = 3600, 86400
SERVERS = {"root": "192.0.2.1", "tld": "192.0.2.2", "knot": "192.0.2.3", "nsd": "192.0.2.4", "python": "192.0.2.5"}
ALGORITHMS = {5: "RSASHA1", 7: "NSEC3RSASHA1", 8: "RSASHA256", 10: "RSASHA512", 13: "ECDSAP256SHA256", 14: "ECDSAP384SHA384", 15: "ED25519", 16: "ED448"}
LDNS_NAMES = {7: "RSASHA1_NSEC3"}
SIGNERS = ("bind", "ldns", "knot")

CONTENT = """
mail	A	198.51.100.25
www	A	198.51.100.80
www	TXT	"a host"
alias	CNAME	www
host.other	A	198.51.100.82
tree	DNAME	other
deep.ent	TXT	"below an empty non-terminal"
*.wild	A	198.51.100.83
b.wild	TXT	"closer than the wildcard"
*.walias	CNAME	www
"""


class Spec:
    """A zone to be made. What makes it ill is `brk`, `ds`, `dates`, `parent_brk` and `edit`; without them it is healthy."""

    def __init__(self, name, signer=None, alg=13, bits=1024, deny="nsec", iterations=0, salt="", csk=False, signed=True, server=None, content=CONTENT, extra="",
                 ttl=300, ns=None, anchor=False, keys=None, brk=None, ds="auto", dates=None, parent_brk=None, edit=None, also_alg=None):
        self.name = dns.name.from_text(name)
        self.signer = signer or SIGNERS[zlib.crc32(name.encode()) % 3]
        self.alg, self.bits, self.deny, self.iterations, self.salt, self.csk, self.signed = alg, bits, deny, iterations, salt, csk, signed
        self.also_alg, self.keys = also_alg, keys
        self.server = "python" if edit and server is None else server or ("nsd" if self.signer == "bind" else "knot")
        self.content, self.extra, self.ttl, self.ns, self.anchor = content, extra, ttl, ns, anchor
        self.brk, self.ds, self.dates, self.parent_brk, self.edit = brk, ds, dates, parent_brk, edit

    def made(self):
        if not self.signed:
            return "unsigned"
        deny = {"nsec": "NSEC", "nsec3": "NSEC3", "optout": "NSEC3 opt-out"}[self.deny]
        return "%s %s, %s" % (self.signer, self.alg if self.also_alg is None else "%d+%d" % (self.alg, self.also_alg), deny)


# ---- keys ----------------------------------------------------------------------------------------------------------------------------------

def number(octets):
    return int.from_bytes(base64.b64decode(octets), "big")


def private_key(path):
    """From BIND's and ldns's form, or PEM as Knot has it."""
    with open(path, "rb") as f:
        text = f.read()
    if path.endswith(".pem"):
        return serialization.load_pem_private_key(text, None)
    field = dict(line.split(b": ", 1) for line in text.splitlines() if b": " in line)
    alg = int(field[b"Algorithm"].split()[0])
    if alg in (13, 14):
        return ec.derive_private_key(number(field[b"PrivateKey"]), ec.SECP256R1() if alg == 13 else ec.SECP384R1())
    if alg in (15, 16):
        return (ed25519.Ed25519PrivateKey if alg == 15 else ed448.Ed448PrivateKey).from_private_bytes(base64.b64decode(field[b"PrivateKey"]))
    n, e, d, p, q, dp, dq, qi = (number(field[k]) for k in (b"Modulus", b"PublicExponent", b"PrivateExponent", b"Prime1", b"Prime2", b"Exponent1", b"Exponent2", b"Coefficient"))
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, rsa.RSAPublicNumbers(e, n)).private_key()


def public_octets(private):
    """The public key field of a DNSKEY."""
    public = private.public_key()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]
    if isinstance(private, rsa.RSAPrivateKey):
        n = public.public_numbers()
        e = n.e.to_bytes((n.e.bit_length() + 7) // 8, "big")
        return bytes([len(e)]) + e + n.n.to_bytes((n.n.bit_length() + 7) // 8, "big")
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def dnskey(flags, alg, public, protocol=3):
    return dns.rdata.from_wire(IN, DNSKEY, struct.pack("!HBB", flags, protocol, alg) + public, 0, 4 + len(public))


def tag_of(rd):
    octets = rd.to_wire()
    total = sum(octets[0::2]) * 256 + sum(octets[1::2])
    return (total + (total >> 16)) & 0xffff


class Key:
    def __init__(self, rd, path=None, private=None):
        self.rd, self.path, self.made = rd, path, private
        self.tag, self.alg = tag_of(rd), int(rd.algorithm)

    @property
    def private(self):
        if self.made is None:
            self.made = private_key(self.path)
        return self.made

    def sign(self, data, alg=None):
        alg = alg or self.alg
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256() if self.private.curve.key_size == 256 else hashes.SHA384())))
            size = self.private.curve.key_size // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, padding.PKCS1v15(), {8: hashes.SHA256(), 10: hashes.SHA512()}.get(alg, hashes.SHA1()))
        return self.private.sign(data)


def ds_of(owner, rd, digest=2, tag=None, alg=None, spoil=False):
    octets = owner.canonicalize().to_wire() + rd.to_wire()
    made = {1: hashlib.sha1, 2: hashlib.sha256, 4: hashlib.sha384}.get(digest, hashlib.sha256)(octets).digest()
    made = bytes([made[0] ^ 1]) + made[1:] if spoil else made
    return dns.rdata.from_text(IN, DS, "%d %d %d %s" % (tag_of(rd) if tag is None else tag, alg or int(rd.algorithm), digest, made.hex()))


# ---- a signed zone -------------------------------------------------------------------------------------------------------------------------

class Zone:
    def __init__(self, spec, data, keys):
        self.spec, self.apex, self.data, self.keys = spec, spec.name, data, keys
        self.world = None
        self.ds = []
        if spec.signed:
            self.ksks = [k for k in keys if k.rd.flags & 1] or keys
            self.zsks = [k for k in keys if not k.rd.flags & 1] or keys
            self.ds = [ds_of(self.apex, k.rd) for k in self.ksks]

    ksk = property(lambda self: self.ksks[0])
    zsk = property(lambda self: self.zsks[0])

    def name(self, label):
        if isinstance(label, dns.name.Name):
            return label
        return self.apex if label in ("", "@") else dns.name.from_text(label, self.apex)

    def get(self, label, kind):
        return self.data.find_rdataset(self.name(label), kind)

    def sigs(self, label, kind):
        return self.data.find_rdataset(self.name(label), RRSIG, dns.rdatatype.from_text(kind) if isinstance(kind, str) else kind)

    def unsign(self, label, kind):
        self.data.delete_rdataset(self.name(label), RRSIG, kind)

    def drop(self, label, kind):
        self.get(label, kind)
        self.data.delete_rdataset(self.name(label), kind)
        self.unsign(label, kind)

    def set_sigs(self, label, kind, sigs):
        old = self.sigs(label, kind)
        self.data.replace_rdataset(self.name(label), dns.rdataset.from_rdata_list(old.ttl, sigs))

    def signatures(self):
        """Every (owner, RRSIG rdataset): one for each type that is covered."""
        return [(node, rds) for node, rds in self.data.iterate_rdatasets() if rds.rdtype == RRSIG]

    def every(self, change, only=lambda kind: True):
        """Each signature of the zone through change(owner, covered, rdata)."""
        for node, rds in self.signatures():
            if not only(rds.covers):
                continue
            self.set_sigs(node, rds.covers, [change(node, rds.covers, rd) for rd in rds])

    def flip(self, label, kind, alg=None):
        self.set_sigs(label, kind, [flipped(rd) if alg in (None, int(rd.algorithm)) else rd for rd in self.sigs(label, kind)])

    def put(self, label, kind, *texts, ttl=None):
        rds = [dns.rdata.from_text(IN, kind, t, origin=self.apex, relativize=False) if isinstance(t, str) else t for t in texts]
        self.data.replace_rdataset(self.name(label), dns.rdataset.from_rdata_list(self.spec.ttl if ttl is None else ttl, rds))

    def sign(self, owner, rds, key=None, ttl=None, labels=None, alg=None, tag=None, signer=None, inception=None, expiration=None, kind=None, claim_labels=None):
        """An RRSIG over the rdataset. Fields as they should be, unless told: `labels` is signed and shapes the signed owner, `claim_labels` only shows."""
        owner, now = self.name(owner), int(time.time())
        key = key or (self.ksk if rds.rdtype == DNSKEY else self.zsk)
        natural = len(owner.labels) - 1 - (owner.labels[0] == b"*")
        labels = natural if labels is None else labels
        ttl = rds.ttl if ttl is None else ttl
        signed_as = owner if labels >= natural else dns.name.Name((b"*",) + owner.labels[-labels - 1:])

        def fields(shown):
            return struct.pack("!HBBIIIH", kind or rds.rdtype, alg or key.alg, shown, ttl, now + DAY * 7 if expiration is None else expiration,
                               now - HOUR if inception is None else inception, key.tag if tag is None else tag)
        who = signer or self.apex
        data = fields(labels) + who.canonicalize().to_wire()
        for octets in sorted(rd.to_digestable() for rd in rds):
            data += signed_as.canonicalize().to_wire() + struct.pack("!HHIH", rds.rdtype, IN, ttl, len(octets)) + octets
        wire = fields(labels if claim_labels is None else claim_labels) + who.to_wire() + key.sign(data)
        return dns.rdata.from_wire(IN, RRSIG, wire, 0, len(wire))

    def resign(self, label, kind, **fields):
        rds = self.get(label, kind)
        self.data.replace_rdataset(self.name(label), dns.rdataset.from_rdata_list(rds.ttl, [self.sign(label, rds, **fields)]))

    def set_keys(self, keys, by, ds=None):
        """Another DNSKEY RRset (struct Key each), signed by `by`; the DS set as for `ds`."""
        rds = dns.rdataset.from_rdata_list(self.spec.ttl, [k.rd for k in keys])
        self.data.replace_rdataset(self.apex, rds)
        self.data.replace_rdataset(self.apex, dns.rdataset.from_rdata_list(self.spec.ttl, [self.sign("", rds, key=k) for k in by]))
        if ds is not None:
            self.ds = [ds_of(self.apex, k.rd) for k in ds]

    def resign_all(self, by=None, **fields):
        """Everything that was signed, signed anew by hand."""
        for node, rds in self.signatures():
            covered = self.data.find_rdataset(node, rds.covers)
            self.data.replace_rdataset(node, dns.rdataset.from_rdata_list(rds.ttl, [self.sign(node, covered, key=by, **fields)]))

    def nsec3_name(self, label):
        param = self.get("", "NSEC3PARAM")[0]
        return dns.name.from_text(dns.dnssec.nsec3_hash(self.name(label), param.salt.hex(), param.iterations, 1), self.apex)

    def new_key(self, flags=256, alg=13):
        private = {13: lambda: ec.generate_private_key(ec.SECP256R1()), 8: lambda: rsa.generate_private_key(65537, 1024)}[alg]()
        return Key(dnskey(flags, alg, public_octets(private)), private=private)

    def text(self):
        return self.data.to_text(relativize=False, sorted=True, nl="\n")


def flipped(rd, **fields):
    fields = fields or {"signature": rd.signature[:-1] + bytes([rd.signature[-1] ^ 1])}
    return rd.replace(**fields)


# ---- the signers ---------------------------------------------------------------------------------------------------------------------------

def run(argv, where):
    p = subprocess.run(argv, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if p.returncode:
        raise SystemExit("%s: status %d\n%s%s" % (" ".join(argv), p.returncode, p.stdout, p.stderr))
    return p.stdout


def stamp(t):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(t))


class Maker:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def unsigned(self, spec, delegations):
        zone = spec.name.to_text()
        ns = spec.ns or [("ns", SERVERS[spec.server])]
        text = "$ORIGIN %s\n$TTL %d\n@\tSOA\tns hostmaster 1 3600 900 604800 %d\n" % (zone, spec.ttl, spec.ttl)
        text += "".join("@\tNS\t%s\n%s" % (n, "%s\tA\t%s\n" % (n, a) if a else "") for n, a in ns)
        return text + spec.content + spec.extra + delegations

    def make(self, spec, delegations=""):
        where = os.path.join(self.folder, spec.name.to_text().rstrip(".") or "root")
        os.makedirs(where)
        text = self.unsigned(spec, delegations)
        if not spec.signed:
            return Zone(spec, dns.zone.from_text(text, origin=spec.name, relativize=False), [])
        with open(os.path.join(where, "unsigned"), "w") as f:
            f.write(text)
        now = int(time.time())
        dates = [now + x for x in spec.dates or (-HOUR, 7 * DAY)]
        keys = getattr(self, spec.signer)(spec, where, dates)
        data = dns.zone.from_file(os.path.join(where, "signed"), origin=spec.name, relativize=False)
        published = data.find_rdataset(spec.name, DNSKEY)
        return Zone(spec, data, [Key(rd, path=keys[rd.to_wire()]) for rd in published if rd.to_wire() in keys])

    @staticmethod
    def key_files(where):
        """{rdata: private key's file} of BIND's and ldns's key files."""
        found = {}
        for name in sorted(os.listdir(where)):
            if name.endswith(".key"):
                with open(os.path.join(where, name)) as f:
                    words = next(line for line in f if not line.startswith(";")).split(";")[0].split()
                rd = dns.rdata.from_text(IN, DNSKEY, " ".join(words[words.index("DNSKEY") + 1:]))
                found[rd.to_wire()] = os.path.join(where, name[:-4] + ".private")
        return found

    @staticmethod
    def roles(spec):
        return [(alg, role) for alg in [spec.alg] + ([spec.also_alg] if spec.also_alg else []) for role in (["k"] if spec.csk else ["k", "z"])]

    def bind(self, spec, where, dates):
        zone = spec.name.to_text()
        for alg, role in self.roles(spec):
            bits = ["-b", str(spec.bits)] if alg < 13 else []
            run(["dnssec-keygen", "-q", "-a", ALGORITHMS[alg]] + bits + (["-f", "KSK"] if role == "k" else []) + [zone], where)
        deny = [] if spec.deny == "nsec" else ["-3", spec.salt or "-", "-H", str(spec.iterations)] + (["-A"] if spec.deny == "optout" else [])
        run(["dnssec-signzone", "-q", "-S", "-P", "-n", "1", "-x", "-s", stamp(dates[0]), "-e", stamp(dates[1]), "-o", zone, "-f", "signed"] + deny
            + (["-z"] if spec.csk else []) + ["unsigned"], where)
        return self.key_files(where)

    def ldns(self, spec, where, dates):
        names = []
        if spec.keys:
            names = spec.keys(spec, where)
        else:
            for alg, role in self.roles(spec):
                bits = ["-b", str(spec.bits)] if alg < 13 else []
                names.append(run(["ldns-keygen", "-a", LDNS_NAMES.get(alg, ALGORITHMS[alg])] + bits + (["-k"] if role == "k" else []) + [spec.name.to_text()], where).strip())
        deny = [] if spec.deny == "nsec" else ["-n", "-t", str(spec.iterations)] + (["-s", spec.salt] if spec.salt else []) + (["-p"] if spec.deny == "optout" else [])
        run(["ldns-signzone", "-i", stamp(dates[0]), "-e", stamp(dates[1]), "-o", spec.name.to_text(), "-f", "signed"] + deny + ["unsigned"] + names, where)
        return self.key_files(where)

    def knot(self, spec, where, dates):
        zone = spec.name.to_text()
        deny = "" if spec.deny == "nsec" else "    nsec3: on\n    nsec3-iterations: %d\n    nsec3-salt-length: %d\n    nsec3-opt-out: %s\n" % (
            spec.iterations, len(spec.salt) // 2, "on" if spec.deny == "optout" else "off")
        with open(os.path.join(where, "knot.conf"), "w") as f:
            f.write("database:\n    storage: %s\npolicy:\n  - id: p\n    algorithm: %s\n%s    single-type-signing: %s\n%s    rrsig-lifetime: %d\n    rrsig-refresh: 3600\n    propagation-delay: 1\n    dnskey-ttl: %d\n"
                    "    zone-max-ttl: %d\nzone:\n  - domain: %s\n    file: %s/unsigned\n    dnssec-signing: on\n    dnssec-policy: p\n    journal-content: none\n" % (
                        where, {7: "rsasha1-nsec3-sha1"}.get(spec.alg, ALGORITHMS[spec.alg].lower()), "    ksk-size: %d\n    zsk-size: %d\n" % (spec.bits, spec.bits) if spec.alg < 13 else "",
                        "on" if spec.csk else "off", deny, dates[1] - dates[0], spec.ttl, spec.ttl, zone, where))
        os.mkdir(os.path.join(where, "out"))
        argv = ["kzonesign", "-c", "knot.conf", "-o", os.path.join(where, "out")]
        run(argv + (["-t", str(dates[0])] if spec.dates else []) + [zone], where)
        os.rename(os.path.join(where, "out", "unsigned"), os.path.join(where, "signed"))
        published = dns.zone.from_file(os.path.join(where, "signed"), origin=spec.name, relativize=False).find_rdataset(spec.name, DNSKEY)
        found, keys = {}, os.path.join(where, "keys", "keys")
        publics = {public_octets(private_key(os.path.join(keys, name))): os.path.join(keys, name) for name in os.listdir(keys)}
        for rd in published:
            if rd.key in publics:
                found[rd.to_wire()] = publics[rd.key]
        return found


# ---- a tree of zones -----------------------------------------------------------------------------------------------------------------------

def delegation(parent, zone):
    """The records of a cut, in the parent."""
    out = ""
    for n, a in zone.spec.ns or [("ns", SERVERS[zone.spec.server])]:
        host = dns.name.from_text(n, zone.apex)
        out += "%s\tNS\t%s\n" % (zone.apex, host)
        if a:
            out += "%s\tA\t%s\n" % (host, a)
    return out + "".join("%s\tDS\t%s\n" % (zone.apex, d.to_text()) for d in zone.ds)


def make_world(folder, specs):
    """{name: Zone}, made from the deepest up."""
    maker, zones = Maker(folder), {}
    names = {s.name for s in specs}

    def parent(name):
        name = name.parent()
        while name not in names:
            name = name.parent()
        return name

    def one(spec):
        children = [z for n, z in sorted(zones.items()) if n != dns.name.root and parent(n) == spec.name]
        zone = maker.make(spec, "".join(delegation(spec, z) for z in children))
        zone.world = zones
        for child in children:
            if child.spec.parent_brk:
                child.spec.parent_brk(zone, child)
        if spec.brk:
            spec.brk(zone)
        if callable(spec.ds):
            zone.ds = spec.ds(zone)
        elif spec.ds == "none":
            zone.ds = []
        return zone

    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        for depth in sorted({len(s.name.labels) for s in specs}, reverse=True):
            for zone in list(pool.map(one, [s for s in specs if len(s.name.labels) == depth])):
                zones[zone.apex] = zone
    for zone in zones.values():
        with open(os.path.join(folder, zone_file(zone.apex)), "w") as f:
            f.write(zone.text())
    return zones


def zone_file(name):
    return (name.to_text().rstrip(".") or "root") + ".zone"
