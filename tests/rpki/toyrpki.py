"""A little RPKI that this script signs: CAs with their CRLs, manifests and ROAs (RFC 6487, 6488, 9286, 9582), for tests that must break it at will. Keys are made anew each time."""

import hashlib
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SEQUENCE, SET, INTEGER, BITS, OCTETS, NULL, OID = 0x30, 0x31, 0x02, 0x03, 0x04, 0x05, 0x06
DAY = 86400


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 128:
        return bytes((tag, n)) + body
    length = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes((tag, 128 + len(length))) + length + body


def seq(*parts):
    return tlv(SEQUENCE, *parts)


def num(n):
    return tlv(INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(text):
    first, second, *rest = (int(x) for x in text.split("."))
    out = bytes((first * 40 + second,))
    for n in rest:
        part = [n & 127]
        while n > 127:
            n >>= 7
            part.append(n & 127 | 128)
        out += bytes(reversed(part))
    return tlv(OID, out)


def text_of(s):
    return tlv(0x13, s.encode())


def uri(s):
    return tlv(0x86, s.encode())


def when(at, general=False):
    """As certificates have it: UTCTime until 2049."""
    t = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(at))
    return tlv(0x18, t.encode()) if general or t >= "2050" else tlv(0x17, t[2:].encode())


def bits(octets, unused=0):
    return tlv(BITS, bytes((unused,)), octets)


SHA256_RSA = seq(oid("1.2.840.113549.1.1.11"), tlv(NULL))
SHA256 = oid("2.16.840.1.101.3.4.2.1")
ROA, MANIFEST = "1.2.840.113549.1.9.16.1.24", "1.2.840.113549.1.9.16.1.26"
PKIX = "1.3.6.1.5.5.7."


def prefix_bits(prefix):
    """192.0.2.0/24 as an IPAddress of RFC 3779."""
    address, _, length = prefix.partition("/")
    length = int(length)
    return bits(bytes(int(x) for x in address.split("."))[:(length + 7) // 8], -length % 8)


def extension(name, value, critical=False):
    return seq(oid(name), tlv(0x01, b"\xff") if critical else b"", tlv(OCTETS, value))


def access(*pairs):
    return seq(*(seq(oid(PKIX + "48." + method), uri(where)) for method, where in pairs))


class Key:
    def __init__(self):
        self.key = rsa.generate_private_key(65537, 2048)
        public = self.key.public_key()
        self.spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.ski = hashlib.sha1(public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)).digest()

    def sign(self, octets):
        return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())

    def frame(self, tbs):
        return seq(tbs, SHA256_RSA, bits(self.sign(tbs)))


def name_of(ski):
    return seq(tlv(SET, seq(oid("2.5.4.3"), text_of(ski.hex()))))


class CA:
    """A CA and what it publishes below rsync://HOST/MODULE/NAME/, where the module has the host's first label as its name. Nobody's child is a trust anchor: its certificate is in the module."""

    one_time = None  # the key of all EE certificates
    serial = 1

    def __init__(self, name, host, resources, parent=None):
        CA.one_time = CA.one_time or Key()
        self.name, self.host, self.resources, self.parent = name, host, resources, parent
        self.key = Key()
        self.dir = f"rsync://{host}/{host.partition('.')[0]}/{name}/"
        self.children, self.roas, self.revoked = [], {}, []
        self.number = 0
        self.made = {}      # what was signed once stays as it is
        self.now = int(time.time())
        self.until = self.now + 10 * DAY  # the next update of CRL and manifest
        if parent:
            parent.children.append(self)

    def certificate(self, by, key, resources, sia, ca):
        """resources: prefixes, or None for inherit; AS numbers are inherited, or all of them the trust anchor's."""
        anchor = by is self and ca
        CA.serial += 1
        serial = CA.serial
        ip = tlv(NULL) if resources is None else seq(*(prefix_bits(p) for p in resources))
        extensions = [extension("2.5.29.14", tlv(OCTETS, key.ski)),
                      extension("2.5.29.15", tlv(BITS, b"\x01\x06" if ca else b"\x07\x80"), True),
                      extension("2.5.29.32", seq(seq(oid(PKIX + "14.2"))), True),
                      extension(PKIX + "1.11", access(*sia)),
                      extension(PKIX + "1.7", seq(seq(tlv(OCTETS, b"\0\1"), ip)), True)]
        if ca:
            extensions.append(extension("2.5.29.19", seq(tlv(0x01, b"\xff")), True))
        if ca or resources is None:
            extensions.append(extension(PKIX + "1.8", seq(tlv(0xa0, seq(seq(num(0), num(0xffffffff))) if anchor else tlv(NULL))), True))
        if not anchor:
            extensions += [extension("2.5.29.35", seq(tlv(0x80, by.key.ski))),
                           extension("2.5.29.31", seq(seq(tlv(0xa0, tlv(0xa0, uri(by.dir + by.name + ".crl")))))),
                           extension(PKIX + "1.1", access(("2", by.dir[:-1] + ".cer")))]
        return serial, by.key.frame(seq(tlv(0xa0, num(2)), num(serial), SHA256_RSA, name_of(by.key.ski), seq(when(self.now - DAY), when(self.now + 300 * DAY)),
                                        name_of(key.ski), key.spki, tlv(0xa3, seq(*extensions))))

    def own(self):
        """Its own certificate."""
        if "" not in self.made:
            sia = (("5", self.dir), ("10", self.dir + self.name + ".mft"), ("13", f"https://{self.host}/notification.xml"))
            self.made[""] = self.certificate(self.parent or self, self.key, self.resources, sia, True)
        return self.made[""][1]

    def signed(self, name, kind, content, resources):
        """A signed object, and the serial number of its EE certificate."""
        key = CA.one_time
        serial, certificate = self.certificate(self, key, resources, (("11", self.dir + name),), False)
        attributes = [seq(oid("1.2.840.113549.1.9.3"), tlv(SET, oid(kind))), seq(oid("1.2.840.113549.1.9.4"), tlv(SET, tlv(OCTETS, hashlib.sha256(content).digest()))),
                      seq(oid("1.2.840.113549.1.9.5"), tlv(SET, when(self.now)))]
        attributes = b"".join(sorted(attributes))
        signer = seq(num(3), tlv(0x80, key.ski), seq(SHA256), tlv(0xa0, attributes), seq(oid("1.2.840.113549.1.1.1"), tlv(NULL)), tlv(OCTETS, key.sign(tlv(SET, attributes))))
        data = seq(num(3), tlv(SET, seq(SHA256)), seq(oid(kind), tlv(0xa0, tlv(OCTETS, content))), tlv(0xa0, certificate), tlv(SET, signer))
        return serial, seq(oid("1.2.840.113549.1.7.2"), tlv(0xa0, data))

    def updated(self):
        return self.now - 3600 + self.number

    def crl(self):
        revoked = seq(*(seq(num(s), when(self.now - DAY)) for s in sorted(self.revoked))) if self.revoked else b""
        return self.key.frame(seq(num(1), SHA256_RSA, name_of(self.key.ski), when(self.updated()), when(self.until), revoked,
                                  tlv(0xa0, seq(extension("2.5.29.35", seq(tlv(0x80, self.key.ski))), extension("2.5.29.20", num(self.number))))))

    def roa(self, name):
        asn, prefix, longest = self.roas[name]
        content = seq(num(asn), seq(seq(tlv(OCTETS, b"\0\1"), seq(seq(prefix_bits(prefix), num(longest))))))
        return self.signed(name, ROA, content, [prefix])

    def revoke(self, name):
        self.revoked.append(self.made[name][0])

    def point(self, spoil=lambda files: None):
        """Its publication point, with a new CRL and manifest: {URI: octets}. spoil changes the files before they are listed."""
        self.number += 1
        files = {f"{c.name}.cer": c.own() for c in self.children}
        for name, told in self.roas.items():
            if self.made.get((name, "told")) != told:
                self.made[name], self.made[name, "told"] = self.roa(name), told
            files[name] = self.made[name][1]
        files[self.name + ".crl"] = self.crl()
        spoil(files)
        listed = seq(*(seq(tlv(0x16, n.encode()), bits(hashlib.sha256(o).digest())) for n, o in sorted(files.items())))
        content = seq(num(self.number), when(self.updated(), True), when(self.until, True), SHA256, listed)
        name = self.name + ".mft"
        files[name] = self.signed(name, MANIFEST, content, None)[1]
        return {self.dir + n: o for n, o in files.items()}

    def own_vrps(self):
        return {(f"AS{a}", p, str(n)) for a, p, n in self.roas.values()}

    def vrps(self):
        """What it and those below it say."""
        return self.own_vrps().union(*(c.vrps() for c in self.children))
