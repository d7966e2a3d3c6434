"""A name server that spoils replies: it asks the real server of the zone, hands the reply to the zone's edit(zone, query, reply), and answers with what comes back.

edit() may change the reply, or give another one; None means silence. `behind` is the real server's address."""

import socket
import socketserver
import threading

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode


def answer(octets, zones, behind, room):
    query = dns.message.from_wire(octets)
    name = query.question[0].name
    while name not in zones and name.labels != (b"",):
        name = name.parent()
    reply = dns.query.tcp(query, behind, timeout=5)
    if name in zones:
        reply = zones[name].spec.edit(zones[name], query, reply)
    if reply is None:
        return None
    try:
        return reply.to_wire(max_size=room(query))
    except dns.exception.TooBig:
        short = dns.message.make_response(query)
        short.flags |= dns.flags.TC | dns.flags.AA
        return short.to_wire()


class Server:
    """Threads of this process at `address`, port 53, UDP and TCP."""

    def __init__(self, address, behind, zones):
        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                octets, s = self.request
                made = answer(octets, zones, behind, lambda query: max(query.payload, 512) if query.edns >= 0 else 512)
                if made is not None:
                    s.sendto(made, self.client_address)

        class Stream(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(10)
                f = self.request.makefile("rb")
                while True:
                    try:
                        size = f.read(2)
                        octets = f.read(int.from_bytes(size, "big")) if len(size) == 2 else b""
                        made = answer(octets, zones, behind, lambda query: 65535) if octets else None
                        if made is None:
                            return
                        self.request.sendall(len(made).to_bytes(2, "big") + made)
                    except OSError:
                        return

        class Quiet:
            daemon_threads = allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                """A question that cannot be answered is not."""

        class Datagrams(Quiet, socketserver.ThreadingUDPServer):
            pass

        class Streams(Quiet, socketserver.ThreadingTCPServer):
            pass
        for kind, handler in ((Datagrams, Datagram), (Streams, Stream)):
            s = kind((address, 53), handler)
            if kind is Datagrams:
                s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
