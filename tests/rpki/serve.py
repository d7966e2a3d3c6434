"""What a repository is served by, in a network and mount namespace of one's own: HTTPS on port 443 with a certification authority made for it, rsync on port 873, and names that lead there."""

import http.server
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time


def openssl(where, *words):
    subprocess.run(("openssl",) + words, check=True, cwd=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates(where, *hosts):
    """ca.pem, and server.pem with its key."""
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(where, "req", "-x509", *ec, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.pem")
    openssl(where, "req", *ec, "-subj", "/CN=x", "-keyout", "server.key", "-out", "server.csr")
    with open(os.path.join(where, "ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=" + ",".join("DNS:" + h for h in hosts) + "\n")
    openssl(where, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", "server.pem")


def low_ports():
    """Anybody may listen on them."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w", encoding="ascii") as f:
        f.write("0")


def names(where, *hosts):
    """They lead to this machine, and anybody may listen on low ports."""
    with open("/etc/hosts", encoding="ascii") as f:
        known = f.read()
    with open(os.path.join(where, "hosts"), "w", encoding="ascii") as f:
        f.write(known + "\n" + "".join(f"127.0.0.1 {h}\n" for h in hosts))
    subprocess.run(["mount", "--bind", os.path.join(where, "hosts"), "/etc/hosts"], check=True)
    low_ports()


class Handler(http.server.BaseHTTPRequestHandler):
    """What asks is answered by a subclass' do_GET()."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def https(where, handler, certificate="server", port=443):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(where, certificate + ".pem"), os.path.join(where, certificate + ".key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()


def rsync(where, modules):
    """A daemon that listens. modules: {name: folder}"""
    with open(os.path.join(where, "rsyncd.conf"), "w", encoding="ascii") as f:
        f.write("use chroot = no\nreverse lookup = no\nuid = 0\ngid = 0\n")
        for name, folder in sorted(modules.items()):
            f.write(f"[{name}]\n\tpath = {folder}\n\tread only = yes\n")
    daemon = subprocess.Popen(["rsync", "--daemon", "--no-detach", "--address=127.0.0.1", f"--config={where}/rsyncd.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", 873), timeout=1).close()
            return daemon
        except OSError:
            time.sleep(0.02)
    daemon.kill()
    raise SystemExit("rsync does not listen on port 873")


def in_scratch(main, *words):
    """Ends the program with what main(FOLDER, *words) says; threads of its servers do not keep it."""
    scratch = tempfile.mkdtemp(prefix="cairn-rpki-")
    try:
        code = main(scratch, *words)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    os._exit(code)
