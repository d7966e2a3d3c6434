"""An HTTPS server with the pilot's notification and snapshot, a proxy before it, and rrdp_get against both (tests/stages/ci/65-rrdp-https).

usage: rrdp_https.py RRDP_GET PILOT_FOLDER SCRATCH_FOLDER
"""
import base64
import gzip
import os
import re
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "rpki"))
import serve  # noqa: E402

GET, PILOT, DIR = sys.argv[1:4]
HOST = "localcert.ripe.net"
URI = f"https://{HOST}/rrdp/notification.xml"
notification = gzip.open(f"{PILOT}/notification.xml.gz").read()
snapshot_gz = open(f"{PILOT}/snapshot.xml.gz", "rb").read()
snapshot_path = re.search(rb'<snapshot uri="https://[^/]*(/[^"]*)"', notification).group(1).decode()
objects = [base64.b64decode(t) for t in re.findall(rb"<publish [^>]*>([^<]*)<", gzip.decompress(snapshot_gz))]
EXPECTED = f"serial 11486 objects {len(objects)} octets {sum(map(len, objects))} "


def certificates():
    for name in ("ca", "foreign"):
        serve.openssl(DIR, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    for name, alt, ca in (("good", HOST, "ca"), ("other", "other.example", "ca"), ("strange", HOST, "foreign")):
        with open(f"{DIR}/{name}.ext", "w", encoding="ascii") as f:
            f.write(f"subjectAltName=DNS:{alt}\n")
        serve.openssl(DIR, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        serve.openssl(DIR, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")


class Handler(serve.Handler):
    mode = "good"
    connections = 0

    def setup(self):
        Handler.connections += 1
        super().setup()

    def do_GET(self):
        if self.path == "/rrdp/notification.xml":
            if self.headers.get("If-None-Match") == '"one"':
                self.answer(304, ETag='"one"')
            else:
                self.answer(200, notification, ETag='"one"')
        elif self.path != snapshot_path:
            self.answer(404)
        elif Handler.mode == "damaged":
            self.answer(200, gzip.decompress(snapshot_gz)[:-10] + b"0123456789")
        elif Handler.mode == "bomb":
            self.answer(200, gzip.compress(bytes(3 << 20), 9) * 800, Content_Encoding="gzip")
        elif Handler.mode == "redirect":
            self.answer(302, Location="https://other.example/")
        else:
            self.answer(200, snapshot_gz, Content_Encoding="gzip")


def copy(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def proxy(listener, seen):
    while True:
        a, _ = listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += a.recv(4096)
        seen.append(head.split(b"\r\n")[0].decode())
        b = socket.create_connection(("127.0.0.1", 443))
        a.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for x, y in ((a, b), (b, a)):
            threading.Thread(target=copy, args=(x, y), daemon=True).start()


def get(uri, *more, bundle="ca"):
    p = subprocess.run([GET, uri, "127.0.0.1", f"{DIR}/{bundle}.pem", *more], capture_output=True, text=True, timeout=60, check=False)
    return p.returncode, p.stdout + p.stderr


wrong = passed = 0


def check(name, good, told):
    global wrong, passed
    if good:
        passed += 1
    else:
        wrong += 1
        print(f"{name}: {told}")


serve.low_ports()
certificates()
serve.https(DIR, Handler, "good", 443)
serve.https(DIR, Handler, "other", 444)
serve.https(DIR, Handler, "strange", 445)
code, told = get(URI)
check("a repository", code == 0 and f"snapshot {EXPECTED}" in told and f"unchanged {EXPECTED}" in told, told)
check("one connection", Handler.connections == 1, f"{Handler.connections} connections")
seen = []
listener = socket.create_server(("127.0.0.1", 3128))
threading.Thread(target=proxy, args=(listener, seen), daemon=True).start()
code, told = get(URI, "127.0.0.1@3128")
check("by a proxy", code == 0 and f"snapshot {EXPECTED}" in told and seen == [f"CONNECT {HOST}:443 HTTP/1.1"], f"{told} {seen}")
code, told = get(URI.replace("/rrdp", ":444/rrdp"))
check("a certificate of another name", code == 1 and "hostname mismatch" in told, told)
code, told = get(URI.replace("/rrdp", ":445/rrdp"))
check("a certificate of an unknown authority", code == 1 and "certificate: " in told, told)
code, told = get(URI, bundle="foreign")
check("another bundle", code == 1 and "certificate: " in told, told)
code, told = get(URI.replace(".ripe.net", ".ripe.net:446"))
check("nobody listens", code == 1 and "nobody listens" in told, told)
code, told = get(URI.replace("notification", "none"))
check("no such file", code == 1 and "HTTP status 404" in told, told)
for mode, words in (("damaged", "the hash is not"), ("bomb", "coding is broken"), ("redirect", "another origin")):
    Handler.mode = mode
    code, told = get(URI)
    check(mode, code == 1 and words in told, told)
print(f"{passed} passed, {wrong} failed")
os._exit(wrong != 0)
