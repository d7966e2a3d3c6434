"""Ways to break a zone after it has been signed (functions of a Zone, for Spec.brk), and ways to spoil what a server says (functions of zone, query and reply, for Spec.edit)."""

import os

import dns.flags
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.rrset
import make
from make import DAY, DNSKEY, DS, IN, NSEC, NSEC3, RRSIG, Key, dnskey, ds_of, flipped, public_octets, tag_of

PROOFS = (NSEC, NSEC3)
TYPES = dns.rdatatype.from_text


def do(*calls):
    """do(("drop", "www", "A"), ...): these methods of the zone, in turn."""
    def brk(z):
        for method, *args in calls:
            getattr(z, method)(*args)
    return brk


# ---- keys, algorithms and DS records -------------------------------------------------------------------------------------------------------

def as_algorithm(number):
    """Keys, signatures and DS say that they are of this algorithm."""
    def brk(z):
        z.keys[:] = [Key(k.rd.replace(algorithm=number), path=k.path, private=k.made) for k in z.keys]
        z.put("", "DNSKEY", *[k.rd for k in z.keys])
        z.every(lambda owner, covered, rd: rd.replace(algorithm=number))
        z.ds = [ds_of(z.apex, k.rd) for k in z.keys if k.rd.flags & 1]
    return brk


def ds(*made):
    """The DS set: of the (first) key-signing key, with these fields of ds_of() changed."""
    return lambda z: [ds_of(z.apex, z.ksk.rd, **fields) for fields in made]


def ds_absent(z):
    return [ds_of(z.apex, z.new_key(257).rd)]


def ds_misses(count):
    """Digests of the key's tag and algorithm that are none of it, and the true one last."""
    def made(z):
        true = ds_of(z.apex, z.ksk.rd)
        return [true.replace(digest=bytes([i + 1]) + true.digest[1:]) for i in range(count)] + [true]
    return made


def rekey(flags=None, protocol=3, alg=None):
    """The key-signing key with other flags or protocol, as if it had always been so: it signs, the DS names it."""
    def brk(z):
        old = z.ksk
        new = Key(dnskey(old.rd.flags if flags is None else flags, alg or old.alg, old.rd.key, protocol), private=old.private)
        z.set_keys([new] + [k for k in z.keys if k is not old], [new], ds=[new])
        if old is z.zsk:
            z.every(lambda owner, covered, rd: z.sign(owner, z.data.find_rdataset(owner, covered), key=new), lambda covered: covered != DNSKEY)
    return brk


def ksk_silent(z):
    z.resign("", "DNSKEY", key=z.zsk)


def without_ksk(z):
    z.set_keys([z.zsk], [z.zsk])


def resign_with(z, key):
    z.every(lambda owner, covered, rd: z.sign(owner, z.data.find_rdataset(owner, covered), key=key), lambda covered: covered != DNSKEY)


def twins_in_tag(z):
    """Two zone-signing keys of one tag; the second one has signed."""
    seen = {}
    while True:
        key = z.new_key()
        if key.tag in seen:
            break
        seen[key.tag] = key
    z.set_keys([seen[key.tag], key, z.ksk], [z.ksk])
    resign_with(z, key)


def rsa_of_tag(tag):
    """An RSA key that nobody has the private part of, with that tag."""
    public = b"\x03\x01\x00\x01" + b"\xc1" + os.urandom(127)
    for _ in range(100):
        rd = dnskey(256, 8, public)
        public = public[:-4] + ((int.from_bytes(public[-4:-2], "big") + tag - tag_of(rd)) & 0xffff).to_bytes(2, "big") + public[-2:]
        if tag_of(dnskey(256, 8, public)) == tag:
            return dnskey(256, 8, public)
        public = b"\x03\x01\x00\x01" + b"\xc1" + os.urandom(127)
    raise SystemExit("no key of tag %d" % tag)


def trap(keys, signatures, good):
    """So many keys of one tag, so many bad signatures by it over www A; and the good one, or not."""
    def brk(z):
        z.set_keys([Key(rsa_of_tag(z.zsk.tag)) for _ in range(keys - 1)] + [z.zsk, z.ksk], [z.ksk])
        true = z.sigs("www", "A")[0]
        z.set_sigs("www", "A", [true.replace(signature=true.signature[:-1] + bytes([true.signature[-1] ^ (i + 1)])) for i in range(signatures)] + ([true] if good else []))
    return brk


def strange_key(public, vouched, alg=13):
    """One key more, of these octets; vouched: the DS is of it."""
    def brk(z):
        key = Key(dnskey(257, alg, public(z)))
        z.set_keys(z.keys + [key], [z.ksk], ds=[key] if vouched else None)
    return brk


def more_keys(count):
    return lambda z: z.set_keys(z.keys + [z.new_key() for _ in range(count)], [z.ksk])


def more_sigs(count, strange):
    """Signatures over www A that do not verify: by keys that are not there, or by the zone's own."""
    def brk(z):
        true = z.sigs("www", "A")[0]
        if strange:
            other = [true.replace(key_tag=(true.key_tag + 1 + i) & 0xffff) for i in range(count)]
        else:
            other = [true.replace(signature=true.signature[:-1] + bytes([true.signature[-1] ^ (i + 1)])) for i in range(count)]
        z.set_sigs("www", "A", other + [true])
    return brk


def exponent(bits):
    """ldns's keys with an RSA exponent of so many bits (two of them set), made by OpenSSL."""
    def keys(spec, where):
        names = []
        for role in ("k", "z"):
            while True:
                e = (1 << (bits - 1)) + int.from_bytes(os.urandom(2), "big") * 2 + 1
                try:
                    make.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-pkeyopt", "rsa_keygen_pubexp:%d" % e, "-out", role + ".pem"], where)
                    break
                except SystemExit:
                    continue
            private = make.private_key(os.path.join(where, role + ".pem"))
            rd = dnskey(257 if role == "k" else 256, 8, public_octets(private))
            n = private.private_numbers()
            fields = zip(("Modulus", "PublicExponent", "PrivateExponent", "Prime1", "Prime2", "Exponent1", "Exponent2", "Coefficient"),
                         (n.public_numbers.n, n.public_numbers.e, n.d, n.p, n.q, n.dmp1, n.dmq1, n.iqmp))
            name = "K%s+008+%05d" % (spec.name, tag_of(rd))
            with open(os.path.join(where, name + ".private"), "w") as f:
                f.write("Private-key-format: v1.2\nAlgorithm: 8 (RSASHA256)\n")
                for field, value in fields:
                    f.write("%s: %s\n" % (field, make.base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()))
            with open(os.path.join(where, name + ".key"), "w") as f:
                f.write("%s IN DNSKEY %s\n" % (spec.name, rd.to_text()))
            names.append(name)
        return names
    return keys


# ---- signatures ----------------------------------------------------------------------------------------------------------------------------

def fields(label, kind, **changed):
    """Fields of the signatures changed, and nothing else."""
    return lambda z: z.set_sigs(label, kind, [flipped(rd, **changed) for rd in z.sigs(label, kind)])


def resigned(label, kind, **how):
    """A valid signature but for what `how` says (arguments of Zone.sign; inception and expiration relative to now)."""
    def brk(z):
        now = int(make.time.time())
        z.resign(label, kind, **{k: now + v if k in ("inception", "expiration") else v for k, v in how.items()})
    return brk


def signed_by(other, label="www", kind="A"):
    """For Spec.parent_brk: signed by another zone's key, in that zone's name. other: "parent", a child, or a zone's full name."""
    def brk(parent, child):
        strange = parent if other == "parent" else child.world[child.name(other)]
        child.resign(label, kind, key=strange.zsk, signer=strange.apex)
    return brk


def ds_expired(parent, child):
    now = int(make.time.time())
    parent.resign(child.apex, "DS", inception=now - 30 * DAY, expiration=now - 10 * DAY)


def parent_do(method, kind):
    """For Spec.parent_brk: this method of the parent, on the set of that type at the child's name."""
    return lambda parent, child: getattr(parent, method)(child.apex, kind)


def second_bad(z):
    keys = z.get("", "DNSKEY")
    z.set_sigs("", "DNSKEY", [flipped(z.sign("", keys, key=z.zsk)), z.sign("", keys, key=z.ksk)])


def expired_beside(z):
    rds, now = z.get("www", "A"), int(make.time.time())
    z.set_sigs("www", "A", [z.sign("www", rds, inception=now - 30 * DAY, expiration=now - 10 * DAY), z.sign("www", rds)])


def short_life(z):
    z.put("www", "A", *z.get("www", "A"), ttl=86400)
    z.resign("www", "A", expiration=int(make.time.time()) + 1800)


def long_ttl(z):
    """The RRset's TTL is above the one that was signed."""
    rds = z.get("www", "A")
    sig = z.sign("www", rds, ttl=60)
    z.put("www", "A", *rds, ttl=86400)
    z.data.replace_rdataset(z.name("www"), dns.rdataset.from_rdata_list(86400, [sig]))


# ---- replies -------------------------------------------------------------------------------------------------------------------------------

def sections(reply):
    return (reply.answer, reply.authority, reply.additional)


def drop(reply, unwanted):
    for section in sections(reply):
        section[:] = [rs for rs in section if not unwanted(rs)]


def is_type(rs, *kinds):
    return rs.rdtype in kinds or (rs.rdtype == RRSIG and rs.covers in kinds)


def strip(z, query, reply):
    """All that DNSSEC added, but keys and DS."""
    drop(reply, lambda rs: rs.rdtype == RRSIG or rs.rdtype in PROOFS)
    return reply


def without_proofs(z, query, reply):
    drop(reply, lambda rs: is_type(rs, *PROOFS))
    return reply


def proofs_unsigned(z, query, reply):
    drop(reply, lambda rs: rs.rdtype == RRSIG and rs.covers in PROOFS)
    return reply


def without_owner(label, kind):
    """The set of that type at that owner, and its signature, left out. label: a name below the apex, or a function of the zone."""
    def edit(z, query, reply):
        owner = label(z) if callable(label) else z.name(label)
        drop(reply, lambda rs: rs.name == owner and is_type(rs, TYPES(kind)))
        return reply
    return edit


def rrsets(z, label, kind):
    """A set of the zone with its signatures, as for a reply."""
    name = z.name(label)
    data, sigs = z.get(name, kind), z.sigs(name, kind)
    return [dns.rrset.from_rdata_list(name, data.ttl, list(data)), dns.rrset.from_rdata_list(name, sigs.ttl, list(sigs))]


def asked(z, query, label, kind=None):
    return query.question[0].name == z.name(label) and (kind is None or query.question[0].rdtype == TYPES(kind))


def denial(code, label, kind, *proofs):
    """That question is answered by a denial with these (owner, type) as its proof; owner: a label, or a function of the zone."""
    def edit(z, query, reply):
        if asked(z, query, label, kind):
            reply.set_rcode(dns.rcode.from_text(code))
            reply.flags |= dns.flags.AA
            reply.answer, reply.authority, reply.additional = [], rrsets(z, "", "SOA"), []
            for owner, proof in proofs:
                reply.authority += rrsets(z, owner(z) if callable(owner) else owner, proof)
        return reply
    return edit


def code(value):
    def edit(z, query, reply):
        if not reply.answer and any(rs.rdtype == TYPES("SOA") for rs in reply.authority) and query.question[0].name != z.apex:
            reply.set_rcode(dns.rcode.from_text(value))
        return reply
    return edit


def rewrite(kind, change):
    """Each set of that type in a reply goes through change(zone, name, rdata) -> (name, rdata) and is signed anew."""
    def edit(z, query, reply):
        for section in sections(reply):
            new = []
            for rs in section:
                if rs.rdtype == kind:
                    name, rds = rs.name, []
                    for rd in rs:
                        name, rd = change(z, rs.name, rd)
                        rds.append(rd)
                    made = dns.rrset.from_rdata_list(name, rs.ttl, rds)
                    new += [made, dns.rrset.from_rdata_list(name, rs.ttl, [z.sign(name, made)])]
                elif not is_type(rs, kind):
                    new.append(rs)
            section[:] = new
        return reply
    return edit


def nsec3(**changed):
    return rewrite(NSEC3, lambda z, name, rd: (name, rd.replace(**changed)))


def one_salt_differs(z, query, reply):
    first = []

    def change(z, name, rd):
        first.append(name)
        return name, rd.replace(salt=b"\x01") if len(first) == 1 else rd
    return rewrite(NSEC3, change)(z, query, reply)


def below(z, name, rd):
    """The NSEC3 record one label too deep."""
    return dns.name.Name(name.labels[:1] + (b"deeper",) + z.apex.labels), rd


def ds_stripped(*proofs):
    """The DS set of "c" is left out of referrals and denied, with these (owner, type) as a proof."""
    def edit(z, query, reply):
        cut = z.name("c")
        if query.question[0].name.is_subdomain(cut):
            had = any(rs.rdtype == DS for section in sections(reply) for rs in section)
            drop(reply, lambda rs: is_type(rs, DS))
            if had:
                if query.question[0].rdtype == DS:
                    reply.authority += rrsets(z, "", "SOA")
                for owner, kind in proofs:
                    reply.authority += rrsets(z, owner(z) if callable(owner) else owner, kind)
        return reply
    return edit


def shout(z, query, reply):
    """Owner names and signers in capitals."""
    for section in sections(reply):
        section[:] = [dns.rrset.from_rdata_list(upper(rs.name), rs.ttl, [rd.replace(signer=upper(rd.signer)) if rs.rdtype == RRSIG else rd for rd in rs]) for rs in section]
    return reply


def upper(name):
    return dns.name.Name([label.upper() for label in name.labels])


def add(section, *texts):
    """Records beside what was asked for, unsigned."""
    def edit(z, query, reply):
        for text in texts:
            owner, kind, data = text.split(None, 2)
            getattr(reply, section).append(dns.rrset.from_text(z.name(owner) if not owner.endswith(".") else dns.name.from_text(owner), 300, "IN", kind, data))
        return reply
    return edit


def forged_cname(z, query, reply):
    for i, rs in enumerate(reply.answer):
        if rs.rdtype == TYPES("CNAME"):
            reply.answer[i] = dns.rrset.from_text(rs.name, rs.ttl, "IN", "CNAME", "evil.example.")
    return reply


def compact(z, query, reply):
    """Compact denial (RFC 9824): nothing is denied but types; a name that is not there has the type NXNAME."""
    name = query.question[0].name
    if reply.answer or not any(is_type(rs, *PROOFS) for rs in reply.authority):
        return reply
    if any(rs.rdtype == TYPES("NS") for rs in reply.authority):
        return reply
    absent = reply.rcode() == dns.rcode.NXDOMAIN
    there = [dns.rdatatype.to_text(rds.rdtype) for rds in (z.data.get_node(name) or []) if rds.rdtype not in (RRSIG, NSEC)]
    types = ["RRSIG", "NSEC"] + (["TYPE128"] if absent else there)
    made = dns.rrset.from_text(name, 300, "IN", "NSEC", "\\000.%s %s" % (name, " ".join(types)))
    drop(reply, lambda rs: is_type(rs, *PROOFS))
    reply.set_rcode(dns.rcode.NOERROR)
    if query.ednsflags & dns.flags.DO:
        reply.authority += [made, dns.rrset.from_rdata_list(name, 300, [z.sign(name, made)])]
    return reply


def spoiled_nsec(label, text):
    """That owner's NSEC record says this, and is signed so."""
    def brk(z):
        z.put(label, "NSEC", text.replace("APEX", z.apex.to_text()))
        z.resign(label, "NSEC")
    return brk


def late(z):
    z.resign_all(inception=int(make.time.time()) + 10 * DAY, expiration=int(make.time.time()) + 20 * DAY)
