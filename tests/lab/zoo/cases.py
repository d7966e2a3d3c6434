"""The zoo: every zone with what is wrong with it, what is asked and what must come of it. docs/zoo.md is made from this.

case(LABEL, WHAT, ASK..., tld=, more=, ARGUMENT=...) is a zone LABEL.TLD made by make.Spec with these arguments; `more` are other zones below it. WHAT says what is wrong; ""
with a healthy one. A zone that is broken has a healthy twin, LABEL-twin, made the same way and not broken: asked the same, it must give `twin`.

ask(NAME, TYPE, VERDICT, EDE, ...): NAME is below the zone unless it ends in a dot. VERDICT: "secure", "insecure" and "answer", "nodata" or "nxdomain"; or "servfail", "formerr". A
peer that says otherwise: unbound=, bind=, and `why`. cd: what comes with CD. cd_first: asked with CD before, so that
the reply is in the cache when it is validated."""

import spoil
from make import DAY, HOUR
from spoil import (as_algorithm, asked, code, denial, do, ds, ds_stripped, fields, nsec3, parent_do, resigned, rewrite, rsa_of_tag, signed_by, spoiled_nsec, trap,  # noqa: F401
                   without_owner)


class Ask:
    def __init__(self, name, kind, verdict, ede=None, twin=None, cd="answer", unbound=None, bind=None, why="", ttl=None, cd_first=False):
        self.cd_first = cd_first
        self.name, self.kind, self.verdict, self.ede, self.cd, self.why, self.ttl = name, kind, verdict, ede, cd, why, ttl
        self.twin = twin or ("secure answer" if verdict in ("servfail", "insecure answer") else verdict.replace("insecure", "secure"))
        self.peers = {"unbound": unbound or verdict, "bind": bind or verdict}


ask = Ask


class Case:
    def __init__(self, group, label, what, asks, tld, more, spec):
        self.group, self.label, self.what, self.asks, self.tld, self.more, self.spec = group, label, what, asks, tld, more, spec


# Why a peer says something else.
SIGNER = "the peers look for keys by the signer's name only; that a cut lies between signer and data (RFC 4035 section 5.3.1) they do not mind"
ONE_FAILURE = "BIND gives up a question after one verification that failed (its answer to KeyTrap), so the order of the records decides; Cairn tries up to eight"
MENDED = "what the records prove goes before the code, in Cairn and Unbound: servers that deny empty non-terminals so are too many; BIND refuses"
LIMIT_150 = "both peers' limit is 150 (Debian 12); RFC 9276 section 3.2 lets resolvers lower it, and Cairn's is 50"
RACE = "BIND says AD or not, depending on whether the denial was first fetched for a validation of its own"

CASES = []
GROUP = [""]


def group(text):
    GROUP[0] = text


def case(label, what, *asks, tld="nsec", more=(), **spec):
    CASES.append(Case(GROUP[0], label, what, asks, tld, more, spec))


WWW = ask("www", "A", "secure answer")
NX = ask("nope", "A", "secure nxdomain")
NODATA = ask("www", "MX", "secure nodata")


def refused(ede, name="www", kind="A", **more):
    return ask(name, kind, "servfail", ede, **more)


# ---- a healthy zone, and every algorithm ---------------------------------------------------------------------------------------------------

group("Healthy zones and algorithms")
for tld in ("nsec", "hashed", "optout"):
    case("good", "", WWW, NX, NODATA, ask("alias", "A", "secure answer"), ask("alias", "MX", "secure nodata"), ask("x.tree", "A", "secure nxdomain"),
         ask("host.tree", "A", "secure answer"), ask("tree", "DNAME", "secure answer"), ask("ent", "A", "secure nodata"), ask("x.ent", "A", "secure nxdomain"),
         ask("deep.ent", "TXT", "secure answer"), ask("a.wild", "A", "secure answer"), ask("b.a.wild", "A", "secure answer"), ask("a.wild", "MX", "secure nodata"),
         ask("b.wild", "A", "secure nodata"), ask("c.b.wild", "A", "secure nxdomain"), ask("a.walias", "A", "secure answer"), ask("a.walias", "MX", "secure nodata"),
         ask("", "SOA", "secure answer"), ask("", "NS", "secure answer"), ask("", "DNSKEY", "secure answer"), ask("", "DS", "secure answer"), ask("www", "DS", "secure nodata"),
         ask("", "A", "secure nodata"), ask("*.wild", "A", "secure answer"), ask("x.nope", "A", "secure nxdomain"),
         tld=tld, deny={"nsec": "nsec", "hashed": "nsec3", "optout": "nsec3"}[tld], signer={"nsec": "bind", "hashed": "ldns", "optout": "knot"}[tld])
for number, signer in ((5, "bind"), (7, "bind"), (8, "ldns"), (10, "knot"), (13, "knot"), (14, "bind"), (15, "ldns"), (16, "knot")):
    case("alg-%d" % number, "", WWW, NX, NODATA, alg=number, signer=signer, tld="hashed", deny="nsec" if number == 5 else "nsec3")
for number, name in ((1, "RSAMD5"), (3, "DSA"), (6, "DSA-NSEC3-SHA1"), (12, "ECC-GOST"), (200, "unassigned"), (253, "private")):
    case("alg-%d" % number, "only algorithm %d (%s), which nobody follows" % (number, name), ask("www", "A", "insecure answer", 1), ask("nope", "A", "insecure nxdomain", 1),
         brk=as_algorithm(number))
case("rsa-512", "", WWW, alg=8, bits=512, signer="ldns")
case("rsa-1024", "", WWW, alg=8, signer="knot")
case("rsa-4096", "", WWW, alg=8, bits=4096, signer="ldns")
case("rsa-e33", "", WWW, signer="ldns", alg=8, keys=spoil.exponent(33))
case("rsa-e64", "", ask("www", "A", "secure answer", bind="servfail", why="BIND verifies with exponents of up to 35 bits"), signer="ldns", alg=8, keys=spoil.exponent(64))
case("rsa-e96", "RSA keys with an exponent of 96 bits: more than is verified with", refused(9, unbound="secure answer", why="libcrypto would verify with it for keys this small; Cairn's limit is 64 bits, for verification must stay cheap"), signer="ldns", alg=8, keys=spoil.exponent(96))
case("two-algs", "", WWW, NX, alg=8, also_alg=13, signer="bind")
case("two-algs-one-bad", "signed by algorithms 8 and 13, all signatures of 8 spoilt: one way that holds is enough", ask("www", "A", "secure answer", bind="servfail|secure answer", why=ONE_FAILURE), alg=8, also_alg=13, signer="bind",
     brk=lambda z: z.every(lambda owner, covered, rd: spoil.flipped(rd) if int(rd.algorithm) == 8 else rd))
case("two-algs-one-unsigned", "DS and keys of algorithms 8 and 13, signatures of 13 only (RFC 6840 section 5.11)", WWW, alg=8, also_alg=13, signer="bind",
     brk=lambda z: [z.set_sigs(n, c, [rd for rd in z.sigs(n, c) if int(rd.algorithm) == 13])
                    for n, c in [(n, rds.covers) for n, rds in z.signatures()]])
case("csk", "", WWW, NX, csk=True, signer="bind")
case("many-keys", "", WWW, ask("", "DNSKEY", "secure answer"), signer="ldns", brk=spoil.more_keys(30))
case("tiny", "", ask("", "SOA", "secure answer"), ask("nope", "A", "secure nxdomain"), ask("", "A", "secure nodata"), content="", ns=[("ns.good.nsec.", None)], signer="ldns", server="nsd")
case("tiny3", "", ask("", "SOA", "secure answer"), ask("nope", "A", "secure nxdomain"), ask("", "A", "secure nodata"), content="", ns=[("ns.good.nsec.", None)], signer="ldns",
     server="nsd", deny="nsec3", tld="hashed")

TYPES = (("mx", "MX", "10 Mail.Example."), ("srv", "SRV", "1 2 443 WWW.Example."), ("naptr", "NAPTR", '10 20 "S" "SIP+D2U" "" _SIP._UDP.Example.'), ("ptr", "PTR", "Host.EXAMPLE."),
         ("rp", "RP", "Who.Example. Text.Example."), ("afsdb", "AFSDB", "1 Afs.Example."), ("kx", "KX", "1 Kx.Example."), ("dname", "DNAME", "Tree.Example."), ("caa", "CAA", '0 issue "CA.example"'),
         ("tlsa", "TLSA", "3 1 1 " + "ab" * 32), ("sshfp", "SSHFP", "4 2 " + "cd" * 32), ("https", "HTTPS", '1 www.example. alpn="h2"'), ("svcb", "SVCB", "0 alias.example."),
         ("loc", "LOC", "51 30 12.748 N 0 7 39.612 W 0m"), ("hinfo", "HINFO", '"CPU" "OS"'), ("uri", "URI", '10 1 "https://Example/"'), ("other", "TYPE65280", "\\# 3 abcdef"))
BIG = "".join("big\tTXT\t\"%d%s\"\n" % (i, "x" * 200) for i in range(12)) + "".join("many\tA\t198.51.100.%d\n" % ((i * 37) % 256) for i in range(60))
for signer in ("bind", "ldns", "knot"):
    case("types-" + signer, "", *[ask(name, kind, "secure answer") for name, kind, _ in TYPES], ask("big", "TXT", "secure answer"), ask("many", "A", "secure answer"), signer=signer,
         extra="".join("%s\t%s\t%s\n" % t for t in TYPES) + BIG)

case("top", "", ask(".", "SOA", "secure answer"), ask(".", "DNSKEY", "secure answer"), ask(".", "NS", "secure answer"), ask("nope.", "A", "secure nxdomain"), ask("x.y.nope.", "A", "secure nxdomain"),
     ask("nsec.", "DS", "secure answer"), ask("hashed.", "NS", "secure answer"), ask("optout.", "SOA", "secure answer"), ask("www.zzz.nsec.", "A", "secure nxdomain"),
     ask("www.zzz.hashed.", "A", "secure nxdomain"), ask("www.zzz.optout.", "A", "insecure nxdomain"), ask("optout.", "TXT", "secure nodata"))
case("meta", "", ask("www", "NSEC", "secure answer"), ask("", "NSEC", "secure answer"), ask("www", "RRSIG", "insecure answer", bind="secure answer|insecure answer", why="signatures are not signed (RFC 4035 section 2.2), so nobody can say that they are all there"), ask("www", "TYPE128", "formerr", 30))
case("meta3", "", ask("", "NSEC3PARAM", "secure answer"), ask("www", "NSEC", "secure nodata"), ask("www", "NSEC3", "secure nodata"), tld="hashed", deny="nsec3")
ODD = "we\\.ird\tTXT\t\"a dot\"\n\\000\\001\tTXT\t\"octets\"\n\\255\tTXT\t\"high\"\n\\032\tTXT\t\"blank\"\nUPPER\tTXT\t\"case\"\na.*.star\tTXT\t\"below a star\"\nx\\@y\tTXT\t\"at\"\n"
for deny, tld in (("nsec", "nsec"), ("nsec3", "hashed")):
    case("odd-names", "", *[ask(n, "TXT", "secure answer") for n in ("we\\.ird", "\\000\\001", "\\255", "\\032", "upper", "uPPer", "a.*.star", "x\\@y")],
         *[ask(n, "A", "secure nxdomain") for n in ("\\000", "\\001", "\\254", "\\255\\000", "\\031", "[", "weird", "ird", "z.\\032")], ask("*.star", "A", "secure nodata"), ask("b.star", "A", "secure nodata"), ask("UPPER", "A", "secure nodata"),
         extra=ODD, deny=deny, tld=tld, signer="bind")
case("ttl-0", "", WWW, NX, NODATA, ask("www.c", "A", "secure answer"), ask("nope.c", "A", "secure nxdomain"), ask("c", "DS", "secure answer"), ttl=0, more=[("c", {"ttl": 0})], signer="knot")

# ---- DS and DNSKEY -------------------------------------------------------------------------------------------------------------------------

group("DS and DNSKEY")
case("ds-sha1", "", WWW, ds=ds({"digest": 1}))
case("ds-sha384", "", WWW, ds=ds({"digest": 4}))
case("digest-200", "only a DS of an unknown digest type", ask("www", "A", "insecure answer", 2), ds=ds({"digest": 200}))
case("digest-gost", "only a DS of digest type 3 (GOST), which nobody follows", ask("www", "A", "insecure answer", 2), ds=ds({"digest": 3}))
case("digest-200-and-good", "a DS of an unknown digest type beside a good one", WWW, ds=ds({"digest": 200}, {}))
case("alg-200-and-good", "a DS of an unknown algorithm beside a good one", WWW, ds=ds({"alg": 200}, {}))
case("sha1-bad-beside-sha256", "a wrong SHA-1 DS beside a right SHA-256 one: SHA-1 does not count", WWW, ds=ds({"digest": 1, "spoil": True}, {}))
case("sha256-bad-beside-sha1", "a right SHA-1 DS beside a wrong SHA-256 one: SHA-1 does not count (RFC 4509 section 3)", refused(9, unbound="secure answer",
     why="Unbound follows any DS unless harden-algo-downgrade is set"), ds=ds({"digest": 1}, {"spoil": True}))
case("sha1-beside-digest-200", "a SHA-1 DS beside one of an unknown digest type", WWW, ds=ds({"digest": 1}, {"digest": 200}))
case("ds-absent-key", "the DS is of a key that is not there", refused(9), ds=spoil.ds_absent)
case("ds-spoilt", "the digest of the DS is wrong", refused(9), ds=ds({"spoil": True}))
case("ds-wrong-alg", "the DS says algorithm 8, the key is of 13", refused(9), ds=ds({"alg": 8}))
case("ds-wrong-tag", "the DS has another key tag", refused(9), ds=ds({"tag": 1}))
case("ds-absent-and-good", "a DS of a key that is not there yet beside a good one", WWW, ds=lambda z: spoil.ds_absent(z) + ds({})(z))
case("ds-many-misses", "forty wrong DS of the key's tag and a right one: more than are tried", refused(9, unbound="secure answer", bind="secure answer",
     why="Cairn computes eight digests in vain for a set of keys, no more"), ds=spoil.ds_misses(40))
case("ds-expired", "the signature of the DS RRset has expired", refused(7), parent_brk=spoil.ds_expired)
case("ds-one-of-many", "seven wrong DS of the key's tag and a right one", WWW, ds=spoil.ds_misses(6))
case("not-zone-key", "the key without the zone flag", refused(11), csk=True, signer="bind", brk=spoil.rekey(flags=1))
case("protocol-2", "the key's protocol is 2", refused(9), csk=True, signer="bind", brk=spoil.rekey(protocol=2))
case("revoked", "the only key-signing key is revoked", refused(9, unbound="secure answer", why="Unbound does not look at the flag outside of RFC 5011; its section 2.1 says that such a key validates nothing"), brk=spoil.rekey(flags=0x181))
case("ksk-silent", "the key-signing key does not sign the keys, only the other one does", refused(9), brk=spoil.ksk_silent)
case("no-ksk", "the key that the DS names has been taken out; the other one signs all", refused(9), brk=spoil.without_ksk)
case("no-dnskey", "no DNSKEY RRset", refused(9), ask("", "DNSKEY", "servfail", 9, cd="nodata"), brk=do(("drop", "", "DNSKEY")), server="nsd")
case("dnskey-unsigned", "the DNSKEY RRset without signature", refused(10), ask("", "DNSKEY", "servfail", 10), brk=do(("unsign", "", "DNSKEY")), server="nsd")
case("dnskey-spoilt", "the signature of the DNSKEY RRset is spoilt", refused(6), brk=do(("flip", "", "DNSKEY")))
case("dnskey-expired", "the signature of the DNSKEY RRset has expired", refused(7), brk=resigned("", "DNSKEY", inception=-30 * DAY, expiration=-10 * DAY))
case("key-malformed", "a key of the wrong length, of which the DS is", refused(9), brk=spoil.strange_key(lambda z: b"\x01" * 63, True))
case("key-off-curve", "a key that is no point of the curve, of which the DS is", refused(9), brk=spoil.strange_key(lambda z: b"\x01" * 64, True))
case("key-malformed-beside", "a key of the wrong length beside the good ones", WWW, brk=spoil.strange_key(lambda z: b"\x01" * 63, False))
case("key-alg-200-beside", "a key of an unknown algorithm beside the good ones", WWW, brk=spoil.strange_key(lambda z: b"\x01" * 32, False, 200))
case("many-keys-70", "seventy keys more than needed", refused(6, unbound="secure answer", bind="secure answer", why="Cairn takes up to 64 keys of a zone"), brk=spoil.more_keys(70))
case("ds-of-unsigned", "a DS for a zone that is not signed", refused(9, twin="insecure answer"), signed=False, ds=lambda z: [spoil.ds_of(z.apex, z.new_key(257).rd)])
case("below-unknown", "a signed zone with its DS below one of an unknown algorithm", ask("www.c", "A", "insecure answer", 1), brk=as_algorithm(200), more=[("c", {})])
case("below-spoilt", "a signed zone with its DS below one whose keys do not verify", refused(6, "www.c"), brk=do(("flip", "", "DNSKEY")), more=[("c", {"server": "nsd"})], server="knot")
case("dnskey-one-bad", "two signatures of the DNSKEY RRset, one by the key-signing key, a bad one by the other", WWW, brk=spoil.second_bad)
case("ds-unsigned", "the DS RRset has no signature", refused(10), parent_brk=parent_do("unsign", "DS"))
case("ds-signature-spoilt", "the signature of the DS RRset is spoilt", refused(6), ask("", "DS", "servfail", 6), parent_brk=parent_do("flip", "DS"))
case("same-tag", "two zone-signing keys with the same tag, the second one signs", ask("www", "A", "secure answer", bind="servfail|secure answer", why=ONE_FAILURE), brk=spoil.twins_in_tag)

# ---- signatures ----------------------------------------------------------------------------------------------------------------------------

group("Signatures")
case("expired", "all signatures expired ten days ago", refused(7), refused(7, "", "DNSKEY"), dates=(-30 * DAY, -10 * DAY))
case("expired-a", "the signature of www A expired ten days ago", refused(7), ask("www", "TXT", "secure answer"), brk=resigned("www", "A", inception=-30 * DAY, expiration=-10 * DAY))
case("expired-skew", "the signature of www A expired half an hour ago, which is within val-sig-skew-min", ask("www", "A", "secure answer", bind="servfail",
     why="BIND allows for no clock that is wrong"), brk=resigned("www", "A", inception=-30 * DAY, expiration=-1800))
case("not-yet", "all signatures begin in ten days", refused(8), brk=spoil.late)
case("not-yet-a", "the signature of www A begins in ten days", refused(8), brk=resigned("www", "A", inception=10 * DAY, expiration=30 * DAY))
case("dates-crossed", "the signature of www A expires before it begins", refused(25), brk=resigned("www", "A", inception=-HOUR, expiration=-2 * DAY))
case("unsigned-a", "www A without signature", refused(10), ask("mail", "A", "secure answer"), brk=do(("unsign", "www", "A")))
case("unsigned-cname", "alias CNAME without signature", refused(10, "alias"), brk=do(("unsign", "alias", "CNAME")))
case("unsigned-dname", "tree DNAME without signature", refused(10, "host.tree"), brk=do(("unsign", "tree", "DNAME")))
case("unsigned-wildcard", "*.wild A without signature", refused(10, "a.wild"), brk=do(("unsign", "*.wild", "A")))
case("unsigned-soa", "the SOA without signature, in a denial", refused(10, "nope", cd="nxdomain", twin="secure nxdomain"), brk=do(("unsign", "", "SOA")))
case("unsigned-nsec", "NSEC without signatures", refused(10, "nope", cd="nxdomain", twin="secure nxdomain"), refused(10, "www", "MX", cd="nodata", twin="secure nodata"),
     edit=spoil.proofs_unsigned)
case("unsigned-nsec3", "NSEC3 without signatures", refused(10, "nope", cd="nxdomain", twin="secure nxdomain"), refused(10, "www", "MX", cd="nodata", twin="secure nodata"),
     edit=spoil.proofs_unsigned, tld="hashed", deny="nsec3")
case("unsigned-ns", "the NS RRset without signature", WWW, refused(10, "", "NS"), brk=do(("unsign", "", "NS")))
case("spoilt-ns-address", "the address of the zone's name server is spoilt in the zone, and right in the glue", ask("www", "A", "secure answer", unbound="secure answer|servfail",
     why="once Unbound has found the address bogus, it has no server left for the zone"), refused(6, "ns"), brk=do(("flip", "ns", "A")))
case("expired-beside", "an expired signature beside a good one", ask("www", "A", "secure answer", bind="servfail|secure answer", why=ONE_FAILURE), brk=spoil.expired_beside)
case("short-life", "the signature of www A ends in half an hour, its TTL is a day", ask("www", "A", "secure answer", ttl=5400), brk=spoil.short_life)
case("spoilt-a", "a bit of the signature of www A is wrong", refused(6), ask("www", "TXT", "secure answer"), brk=do(("flip", "www", "A")))
case("spoilt-nsec", "a bit of the signature of an NSEC is wrong", refused(6, "www", "MX", cd="nodata", twin="secure nodata"), brk=do(("flip", "www", "NSEC")))
case("spoilt-data", "www A is another address than was signed", refused(6), brk=lambda z: z.put("www", "A", "198.51.100.66"))
case("more-data", "www A has an address more than was signed", refused(6), brk=lambda z: z.put("www", "A", "198.51.100.80", "198.51.100.66"))
case("original-ttl", "the original TTL in the signature is another one", refused(6), brk=fields("www", "A", original_ttl=299))
case("long-ttl", "the TTL is above the signed one: it is cut", ask("www", "A", "secure answer", ttl=60), brk=spoil.long_ttl)
case("labels-more", "the signature says more labels than the owner has", refused(6), brk=fields("www", "A", labels=4))
case("labels-fewer", "the signature says fewer labels, as if *.APEX had been signed, and so it is: no proof that www does not exist", refused(6), brk=resigned("www", "A", labels=2))
case("labels-below-signer", "the signature says fewer labels than its signer's name has, and is made so", refused(6), brk=resigned("www", "A", labels=1))
case("by-parent", "www A is signed by the parent", refused(6, unbound="secure answer", bind="secure answer", why=SIGNER), parent_brk=signed_by("parent"))
case("by-sibling", "www A is signed by another zone of the same parent", refused(6), parent_brk=signed_by("good.nsec."))
case("by-child", "www A is signed by a child", refused(6), parent_brk=signed_by("c"), more=[("c", {})])
case("by-unknown-key", "www A is signed by a key that is not in the zone", refused(9), brk=lambda z: z.resign("www", "A", key=z.new_key()))
case("by-other-tag", "the signature of www A has another key tag", refused(9), brk=fields("www", "A", key_tag=1))
case("sig-alg-other", "the signature of www A says algorithm 15, of which the zone has no key", refused(9), brk=fields("www", "A", algorithm=15))
case("strange-sigs", "six signatures of unknown keys beside the good one", WWW, brk=spoil.more_sigs(6, True))
case("bad-sigs", "four bad signatures beside the good one", ask("www", "A", "secure answer", bind="servfail|secure answer", why=ONE_FAILURE), brk=spoil.more_sigs(4, False))
case("capitals", "the server gives owner names and signers in capitals, which is as good", ask("www", "A", "secure answer"), NX, edit=spoil.shout)
case("capitals3", "the same with the hashes of NSEC3", ask("nope", "A", "secure nxdomain"), NODATA, edit=spoil.shout, tld="hashed", deny="nsec3")
case("capital-targets", "names in the data are in capitals, and signed in small letters", ask("alias", "A", "secure answer"), brk=lambda z: z.put("alias", "CNAME", "WWW"), server="nsd")

# ---- wildcards -----------------------------------------------------------------------------------------------------------------------------

group("Wildcards")
case("wild-apex", "", ask("any", "A", "secure answer"), ask("www", "A", "secure answer"), ask("any", "MX", "secure nodata"), extra="*\tA\t198.51.100.99\n")
for deny, tld in (("nsec", "nsec"), ("nsec3", "hashed")):
    with_ = {"deny": deny, "tld": tld}
    case("wild-unproven-" + deny, "an expanded wildcard without the proof that nothing is closer", refused(6, "a.wild"), edit=spoil.without_proofs, **with_)
    case("wild-alias-unproven-" + deny, "an expanded CNAME wildcard without the proof", refused(6, "a.walias"), edit=spoil.without_proofs, **with_)
    case("wild-nodata-unproven-" + deny, "NODATA from a wildcard without any proof", refused(12, "a.wild", "MX", cd="nodata", twin="secure nodata"), edit=spoil.without_proofs, **with_)
case("wild-wrong-gap", "an expanded wildcard with an NSEC of another gap", refused(6, "a.wild"),
     edit=lambda z, q, r: [spoil.without_proofs(z, q, r), r.authority.extend(spoil.rrsets(z, "mail", "NSEC")) if asked(z, q, "a.wild") else None, r][2])
case("wild-over-existing", "the wildcard's data for a name that exists, with the NSEC of that name", refused(6, "b.wild", twin="secure nodata"),
     edit=lambda z, q, r: over_existing(z, q, r))
case("wild-denied", "NXDOMAIN for a name that a wildcard matches: the wildcard is not denied", refused(6, "a.wild", cd="nxdomain"),
     edit=denial("NXDOMAIN", "a.wild", None, ("*.wild", "NSEC"), ("", "NSEC")))
case("wild-replayed", "a wildcard of a level above: \"*.APEX\" given for a name below one that exists", refused(6, "x.deep.ent", twin="secure nxdomain"), extra="*\tA\t198.51.100.99\n",
     edit=lambda z, q, r: replayed(z, q, r))


def expanded(z, q, wildcard):
    """The wildcard's A set as an expansion to the name asked for."""
    return [spoil.dns.rrset.from_rdata_list(q.question[0].name, rs.ttl, list(rs)) for rs in spoil.rrsets(z, wildcard, "A")]


def over_existing(z, q, r):
    if asked(z, q, "b.wild", "A"):
        r.answer, r.authority = expanded(z, q, "*.wild"), spoil.rrsets(z, "b.wild", "NSEC")
    return r


def replayed(z, q, r):
    if asked(z, q, "x.deep.ent", "A"):
        r.set_rcode(0)
        r.answer, r.authority = expanded(z, q, "*"), spoil.rrsets(z, "deep.ent", "NSEC")
    return r


# ---- denial by NSEC ------------------------------------------------------------------------------------------------------------------------

group("Denial of existence: NSEC")


def no(name="nope", kind="A", ede=6, cd="nxdomain", twin="secure nxdomain", **more):
    return refused(ede, name, kind, cd=cd, twin=twin, **more)


def not_there(name="www", kind="MX", ede=6, **more):
    return refused(ede, name, kind, cd="nodata", twin=more.pop("twin", "secure nodata"), **more)


case("nx-no-nsec", "NXDOMAIN without any NSEC", no(ede=12), edit=spoil.without_proofs)
case("nodata-no-nsec", "NODATA without any NSEC", not_there(ede=12), edit=spoil.without_proofs)
case("nx-no-cover", "NXDOMAIN with the NSEC for the wildcard only", no(), edit=denial("NXDOMAIN", "nope", None, ("", "NSEC")))
case("nx-no-wildcard", "NXDOMAIN with the NSEC for the name only: no word of the wildcard", no(), edit=denial("NXDOMAIN", "nope", None, ("mail", "NSEC")))
case("nodata-has-type", "NODATA with an NSEC that has the type", not_there("www", "A", twin="secure answer"), edit=denial("NOERROR", "www", "A", ("www", "NSEC")))
case("nodata-has-cname", "NODATA with an NSEC that has CNAME", not_there("alias", "A", twin="secure answer"), edit=denial("NOERROR", "alias", "A", ("alias", "NSEC")))
case("nodata-of-other", "NODATA with the NSEC of another name", not_there("www", "A", twin="secure answer"), edit=denial("NOERROR", "www", "A", ("mail", "NSEC")))
case("nx-as-nodata", "NODATA for a name that does not exist, with the proof of that", refused(6, "nope", cd="nodata", twin="secure nxdomain"), edit=code("NOERROR"))
case("nodata-as-nx", "NXDOMAIN for a name that exists, with the proof of NODATA", ask("www", "MX", "secure nodata", bind="servfail", why=MENDED, cd_first=True), edit=code("NXDOMAIN"))
case("ent-as-nx", "NXDOMAIN for an empty non-terminal, with the NSEC that shows it", ask("ent", "A", "secure nodata", bind="servfail", why=MENDED, cd_first=True),
     edit=denial("NXDOMAIN", "ent", None, ("alias", "NSEC"), ("", "NSEC")))
case("nsec-parent-side", "a name below a cut denied by the parent's NSEC of the cut", no("x.c", "A", twin="secure nxdomain"), more=[("c", {"server": "knot"})],
     edit=lambda z, q, r: denial("NXDOMAIN", "x.c", None, ("c", "NSEC"), ("", "NSEC"))(z, q, denial("NOERROR", "c", None, ("c", "NSEC"))(z, q, r)))
case("nsec-dname", "a name below a DNAME denied by the NSEC of the DNAME", no("host.tree", "A", twin="secure answer"),
     edit=denial("NXDOMAIN", "host.tree", None, ("tree", "NSEC"), ("", "NSEC")))
case("next-outside", "the next name of an NSEC lies outside of the zone", no("zzz"), brk=lambda z: spoiled_nsec("www", "zzzz.nsec. A TXT RRSIG NSEC")(z),
     edit=denial("NXDOMAIN", "zzz", None, ("www", "NSEC"), ("", "NSEC")))
case("next-before", "the next name of an NSEC that is not the last sorts before its owner", no("nope"), brk=spoiled_nsec("mail", "alias A RRSIG NSEC"),
     edit=denial("NXDOMAIN", "nope", None, ("mail", "NSEC"), ("", "NSEC")))
case("nx-by-parent", "the zone's servers deny a name with the parent's NSEC of the cut", no("www", "A", ede=12, twin="secure answer"), edit=lambda z, q, r: by_parent_nsec(z, q, r))
case("nx-by-sibling", "a name denied with another zone's NSEC", no(ede=12), edit=lambda z, q, r: by_sibling_nsec(z, q, r))
case("compact", "", ask("www", "A", "secure answer"), ask("nope", "A", "secure nodata"), ask("www", "MX", "secure nodata"), ask("ent", "A", "secure nodata"), edit=spoil.compact)


def by_parent_nsec(z, q, r):
    parent = z.world[z.apex.parent()]
    r = denial("NXDOMAIN", "www", None)(z, q, r)
    if asked(z, q, "www"):
        r.authority += spoil.rrsets(parent, z.apex, "NSEC") + spoil.rrsets(parent, "", "NSEC")
    return r


def by_sibling_nsec(z, q, r):
    other = z.world[z.name("good.nsec.")]
    r = denial("NXDOMAIN", "nope", None)(z, q, r)
    if asked(z, q, "nope"):
        r.authority += spoil.rrsets(other, "mail", "NSEC") + spoil.rrsets(other, "", "NSEC")
    return r


# ---- denial by NSEC3 -----------------------------------------------------------------------------------------------------------------------

group("Denial of existence: NSEC3")
THREE = {"tld": "hashed", "deny": "nsec3"}
case("nx-no-nsec3", "NXDOMAIN without any NSEC3", no(ede=12), edit=spoil.without_proofs, **THREE)
case("nodata-no-nsec3", "NODATA without any NSEC3", not_there(ede=12), edit=spoil.without_proofs, **THREE)
case("nsec3-no-encloser", "NXDOMAIN without the NSEC3 of the closest encloser", no("nope.ent"), edit=without_owner(lambda z: z.nsec3_name("ent"), "NSEC3"), **THREE)
case("nsec3-no-closer", "NXDOMAIN with closest encloser and wildcard, and without the next closer name", no("nope.ent"), **THREE,
     edit=lambda z, q, r: without_owner(lambda z: cover(z, "nope.ent"), "NSEC3")(z, q, r))
case("nsec3-no-wildcard", "NXDOMAIN without a word of the wildcard", no("nope.ent"), **THREE, edit=lambda z, q, r: without_owner(lambda z: cover(z, "*.ent"), "NSEC3")(z, q, r))
case("nsec3-has-type", "NODATA with an NSEC3 that has the type", not_there("www", "A", twin="secure answer"), **THREE,
     edit=denial("NOERROR", "www", "A", (lambda z: z.nsec3_name("www"), "NSEC3")))
case("nsec3-has-cname", "NODATA with an NSEC3 that has CNAME", not_there("alias", "A", twin="secure answer"), **THREE,
     edit=denial("NOERROR", "alias", "A", (lambda z: z.nsec3_name("alias"), "NSEC3")))
for iterations in (0, 50, 51, 150, 500, 2500):
    verdict, e = ("insecure", 27) if iterations > 50 else ("secure", None)
    said = ["secure " + w if 50 < iterations <= 150 else None for w in ("nxdomain", "nodata")]
    case("iterations-%d" % iterations, "" if e is None else "NSEC3 with %d iterations, above 50" % iterations, WWW, ask("nope", "A", verdict + " nxdomain", e, twin="-", unbound=said[0], bind=said[0], why=LIMIT_150 if said[0] else ""),
         ask("www", "MX", verdict + " nodata", e, twin="-", unbound=said[1], bind=said[1], why=LIMIT_150 if said[0] else ""), **THREE, iterations=iterations, salt="aabbccdd", signer="ldns")
case("nsec3-hash-2", "NSEC3 of an unknown hash", no(), edit=nsec3(algorithm=2), **THREE)
case("nsec3-flag-2", "NSEC3 with an unknown flag", no(bind="secure nxdomain", why="BIND takes such records; RFC 5155 section 8.2 says that they are to be ignored"), edit=nsec3(flags=2), **THREE)
case("nsec3-salts", "NSEC3 with different salts in one proof", no(), edit=spoil.one_salt_differs, **THREE)
case("nsec3-long-salt", "", NX, NODATA, salt="5a" * 255, signer="bind", **THREE)
case("nsec3-deeper", "NSEC3 whose owners are not directly below the zone", no(), edit=rewrite(spoil.NSEC3, spoil.below), **THREE)
case("nsec3-many-labels", "", ask("a." * 30 + "nope", "A", "secure nxdomain"), iterations=50, salt="aabbccdd", signer="ldns", **THREE)
case("nsec3-parent-side", "a name below a cut denied with the parent's NSEC3 of the cut as closest encloser", no("x.c", "A", twin="secure nxdomain"), more=[("c", {"server": "knot"})],
     edit=lambda z, q, r: denial("NXDOMAIN", "x.c", None, *[((lambda n: lambda z: n)(n), "NSEC3") for n in sorted({z.nsec3_name("c"), cover(z, "x.c"), cover(z, "*.c")})])(
         z, q, denial("NOERROR", "c", None, (lambda z: z.nsec3_name("c"), "NSEC3"))(z, q, r)), **THREE)
case("wild-iterations-51", "an expanded wildcard with NSEC3 of 51 iterations as its proof", ask("a.wild", "A", "insecure answer", 27, unbound="secure answer", bind="secure answer", why=LIMIT_150),
     iterations=51, signer="ldns", **THREE)
case("own-optout", "", ask("a.wild", "A", "insecure answer"), ask("ent", "A", "secure nodata"), ask("a.wild", "MX", "insecure nodata"), ask("nope", "A", "insecure nxdomain"), ask("www.c", "A", "insecure answer"), ask("c", "DS", "insecure nodata"), ask("www", "MX", "secure nodata"),
     tld="hashed", deny="optout", signer="bind", more=[("c", {"signed": False})])


def cover(z, label):
    """The owner of the NSEC3 record whose span the hash of that name is in."""
    target = z.nsec3_name(label)
    owners = sorted(n for n, _ in z.data.iterate_rdatasets(spoil.NSEC3))
    return max([n for n in owners if n < target], default=owners[-1])


# ---- cuts ----------------------------------------------------------------------------------------------------------------------------------

group("Cuts, insecure and secure")
for tld in ("nsec", "hashed", "optout"):
    e = "insecure" if tld == "optout" else "secure"
    case("plain", "", ask("www", "A", "insecure answer"), ask("nope", "A", "insecure nxdomain"), ask("", "DS", e + " nodata"), signed=False, tld=tld)
    case("island", "", ask("www", "A", "insecure answer"), ask("", "DNSKEY", "insecure answer"),
         ask("", "DS", e + " nodata", bind=None if tld == "optout" else "secure nodata|insecure nodata", why="" if tld == "optout" else RACE), ds="none", tld=tld)
case("anchored", "", ask("www.c", "A", "secure answer"), ask("www", "A", "insecure answer"), ask("nope.c", "A", "secure nxdomain"), signed=False, more=[("c", {"anchor": True, "ds": "none"})])
case("cut-unproven-nsec", "an unsigned delegation without the NSEC that proves it", refused(6, "www.c", twin="insecure answer"), more=[("c", {"signed": False, "server": "knot"})],
     server="nsd", brk=do(("drop", "c", "NSEC")))
case("cut-unproven-nsec3", "an unsigned delegation without the NSEC3 that proves it", refused(6, "www.c", twin="insecure answer"), more=[("c", {"signed": False, "server": "knot"})],
     server="nsd", tld="hashed", deny="nsec3", brk=lambda z: z.drop(z.nsec3_name("c"), "NSEC3"))
case("ds-stripped", "the DS RRset is left out by the parent's server", refused(12, "www.c"), refused(12, "c", "DS", cd="nodata"), edit=ds_stripped(), more=[("c", {"server": "knot"})])
case("ds-stripped-replay", "the DS RRset is left out, with the NSEC of another, unsigned delegation", refused(6, "www.c"), edit=ds_stripped(("d", "NSEC")),
     more=[("c", {"server": "knot"}), ("d", {"signed": False, "server": "knot"})])
case("ds-stripped-apex", "the DS RRset is left out, with the NSEC of the apex", refused(6, "www.c"), edit=ds_stripped(("", "NSEC")), more=[("c", {"server": "knot"})])
case("ds-stripped-optout", "the DS RRset is left out, with an opt-out NSEC3 that spans other names", refused(6, "www.c"), tld="hashed", deny="optout", more=[("c", {"server": "knot"})],
     edit=ds_stripped((lambda z: z.nsec3_name(""), "NSEC3"), (lambda z: next_but_one(z, "c"), "NSEC3")))
case("same-server-unsigned", "", ask("www.c", "A", "insecure answer"), ask("c", "DS", "secure nodata"), ask("www", "A", "secure answer"), server="nsd",
     more=[("c", {"signed": False, "server": "nsd"})])
case("same-server-signed", "", ask("www.c", "A", "secure answer"), ask("c", "DS", "secure answer"), ask("nope.c", "A", "secure nxdomain"), server="nsd", more=[("c", {"server": "nsd"})])
case("same-server-island", "", ask("www.c", "A", "insecure answer"), ask("c", "DS", "secure nodata", bind="secure nodata|insecure nodata", why=RACE), server="nsd",
     more=[("c", {"server": "nsd", "ds": "none"})])
case("same-server-tld", "", ask("www", "A", "secure answer"), ask("", "DS", "secure answer"), server="tld", tld="hashed")
case("same-server-tld-plain", "", ask("www", "A", "insecure answer"), ask("", "DS", "secure nodata"), server="tld", signed=False, tld="hashed")
case("two-cuts", "", ask("www.d.c", "A", "secure answer"), ask("d.c", "DS", "secure answer"), ask("nope.d.c", "A", "secure nxdomain"), server="nsd",
     more=[("c", {"server": "nsd"}), ("d.c", {"server": "nsd"})])
case("two-cuts-gap", "", ask("www.d.c", "A", "insecure answer"), ask("d.c", "DS", "insecure answer"), server="nsd", more=[("c", {"server": "nsd", "signed": False}), ("d.c", {"server": "nsd"})])
case("two-cuts-island", "", ask("www.d.c", "A", "insecure answer"), ask("www.c", "A", "insecure answer"), server="knot",
     more=[("c", {"server": "knot", "ds": "none"}), ("d.c", {"server": "knot", "signer": "bind"})])
case("deep-cut", "", ask("www.c.empty", "A", "secure answer"), ask("empty", "A", "secure nodata"), ask("empty", "DS", "secure nodata"), server="nsd", more=[("c.empty", {"server": "nsd"})])
case("deep-cut-plain", "", ask("www.c.empty", "A", "insecure answer"), ask("c.empty", "DS", "secure nodata"), server="knot", more=[("c.empty", {"server": "knot", "signed": False})])
case("stripped", "the server takes all signatures and proofs out of its replies", refused(10), no(ede=10), refused(10, "", "DNSKEY"), edit=spoil.strip)
case("stripped-by-one", "one of two servers takes all signatures out", WWW, NX, NODATA, edit=spoil.strip, server="nsd", ns=[("ns1", "192.0.2.5"), ("ns2", "192.0.2.4")])
case("spoilt-by-one", "one of two servers gives www A another address", WWW, server="nsd", ns=[("ns1", "192.0.2.5"), ("ns2", "192.0.2.4")],
     edit=lambda z, q, r: another_address(z, q, r))


def another_address(z, q, r):
    r.answer = [spoil.dns.rrset.from_text(rs.name, rs.ttl, "IN", "A", "198.51.100.66") if rs.rdtype == 1 and asked(z, q, "www", "A") else rs for rs in r.answer]
    return r


def next_but_one(z, label):
    """The owner of an NSEC3 record that is neither of that name nor spans it, nor is the apex's."""
    return next(n for n in sorted(n for n, _ in z.data.iterate_rdatasets(spoil.NSEC3)) if n not in (z.nsec3_name(label), cover(z, label), z.nsec3_name("")))


# ---- aliases -------------------------------------------------------------------------------------------------------------------------------

group("Aliases")
CHAINS = "".join("%s\tCNAME\t%s\n" % x for x in (
    ("to-secure", "www.good.hashed."), ("to-insecure", "www.plain.nsec."), ("to-bogus", "www.spoilt-a.nsec."), ("to-nx", "nope.good.hashed."), ("to-nodata", "ent.good.nsec."),
    ("to-nx-bogus", "nope.nx-no-nsec.nsec."), ("to-wild", "a.wild.good.nsec."), ("to-insecure-nx", "nope.plain.hashed."), ("to-alias", "alias.good.optout."), ("to-island", "www.island.nsec.")))
case("chains", "", ask("to-secure", "A", "secure answer"), ask("to-insecure", "A", "insecure answer"), ask("to-bogus", "A", "servfail", 6), ask("to-nx", "A", "secure nxdomain"),
     ask("to-nodata", "A", "secure nodata"), ask("to-nx-bogus", "A", "servfail", 12, cd="nxdomain"), ask("to-wild", "A", "secure answer"), ask("to-insecure-nx", "A", "insecure nxdomain"),
     ask("to-alias", "A", "secure answer"), ask("to-island", "A", "insecure answer"), ask("to-bogus", "CNAME", "secure answer"), extra=CHAINS)
case("chains-plain", "", ask("to-secure", "A", "insecure answer"), ask("to-bogus", "A", "servfail", 6), ask("to-nx", "A", "insecure nxdomain"), extra=CHAINS, signed=False)
LONG = ".".join(["x" * 60] * 3)
case("dname-chains", "", ask("www.dn", "A", "secure answer"), ask("nope.dn", "A", "secure nxdomain"), ask("www.dnplain", "A", "insecure answer"), ask("www.dnbogus", "A", "servfail", 6),
     ask(".".join(["y" * 60] * 2) + ".dnlong", "A", "yxdomain"), ask("dn", "A", "secure nodata"),
     extra="dn\tDNAME\tgood.hashed.\ndnplain\tDNAME\tplain.nsec.\ndnbogus\tDNAME\tspoilt-a.nsec.\ndnlong\tDNAME\t%s.good.hashed.\n" % LONG)
case("dname-apex", "", ask("www", "A", "secure answer"), ask("nope", "A", "secure nxdomain"), content="@\tDNAME\tgood.nsec.\n", ns=[("ns.good.nsec.", None)], server="nsd")
case("dname-forged", "the CNAME beside a DNAME leads elsewhere than the DNAME says", ask("host.tree", "A", "secure answer"), edit=spoil.forged_cname)
case("dname-dropped", "the CNAME of a DNAME without the DNAME", refused(10, "host.tree"),
     edit=lambda z, q, r: [spoil.drop(r, lambda rs: spoil.is_type(rs, spoil.TYPES("DNAME"))), r][1])

# ---- what comes beside, and too much of it ---------------------------------------------------------------------------------------------------

group("Beside the answer, and too much of it")
case("junk-authority", "unsigned NS records in the authority section of an answer", WWW, edit=spoil.add("authority", "@ NS evil.example."))
case("junk-answer", "an unsigned set of another name in the answer section", WWW, edit=spoil.add("answer", "evil A 198.51.100.66"))
case("trap", "12 keys of one tag, 12 bad signatures by it, no good one", refused(6), alg=8, signer="ldns", brk=trap(12, 12, False))
case("trap-small", "three keys of one tag, a bad signature by it and a good one", ask("www", "A", "secure answer", bind="servfail|secure answer", why=ONE_FAILURE), alg=8, signer="ldns", brk=trap(3, 1, True))
case("trap-forty", "40 keys of one tag, 40 bad signatures by it, no good one", refused(6), alg=8, signer="ldns", brk=trap(40, 40, False))

# What went wrong in validators before, and which cases would tell.
GUARDS = (
    ("next names of NSEC outside of the zone (BIND CVE-2026-13321, and Unbound, Knot, PowerDNS in 2026)", ("next-outside", "next-before")),
    ("NSEC3 owners that are not directly below the signer (Unbound, BIND CVE-2026-10723)", ("nsec3-deeper",)),
    ("opt-out that hides a signed delegation, or passes for a proof", ("ds-stripped-optout", "own-optout")),
    ("signatures with fewer labels than their signer's name (Unbound CVE-2026-44690, BIND CVE-2026-11721, PowerDNS CVE-2026-52686)", ("labels-below-signer", "labels-fewer")),
    ("wildcards and aliases without their proof, wildcards replayed elsewhere (PowerDNS CVE-2026-52688, Unbound CVE-2026-46582)",
     ("wild-unproven-nsec", "wild-alias-unproven-nsec", "wild-over-existing", "wild-replayed", "wild-wrong-gap")),
    ("KeyTrap: many keys of one tag, many signatures, many digests (CVE-2023-50387)", ("trap", "trap-forty", "many-keys-70", "ds-many-misses", "bad-sigs")),
    ("NSEC3 exhaustion: iterations and labels (CVE-2023-50868, CVE-2026-42923, BIND CVE-2026-1519)", ("iterations-500", "iterations-2500", "nsec3-many-labels")),
    ("denials from the wrong side of a cut", ("nsec-parent-side", "nsec3-parent-side", "nx-by-parent", "nsec-dname")),
)
