"""A name server on loopback that answers from zone files in memory, looked at for each question, over UDP and TCP."""

import socketserver
import struct
import threading
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

_TRIES = 50


class NameServer:
    """``zones``: name without final dot to zone file."""

    def __init__(self, zones: Mapping[str, str]) -> None:
        self.zones = zones
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, plug = self.request
                plug.sendto(outer.answer(wire), self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                (length,) = struct.unpack("!H", self.request.recv(2))
                wire = outer.answer(self.request.recv(length))
                self.request.sendall(struct.pack("!H", len(wire)) + wire)

        self.udp, self.tcp = _on_one_port(Udp, Tcp)
        self.port = self.udp.server_address[1]
        self.threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in (self.udp, self.tcp)]
        for thread in self.threads:
            thread.start()

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()
        for thread in self.threads:
            thread.join()

    def answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        (question,) = query.question
        zone = self._zone(question.name)
        if zone is None:
            reply.set_rcode(dns.rcode.REFUSED)
            return reply.to_wire()
        reply.flags |= dns.flags.AA
        found = zone.get_rdataset(question.name, question.rdtype)
        if found:
            reply.answer.append(dns.rrset.from_rdata_list(question.name, found.ttl, list(found)))
        elif zone.get_node(question.name) is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()

    def _zone(self, name: dns.name.Name) -> dns.zone.Zone | None:
        for zone, text in dict(self.zones).items():
            if name.is_subdomain(dns.name.from_text(zone)):
                return dns.zone.from_text(text, origin=f"{zone}.", relativize=False)
        return None


def _on_one_port(
    udp: type[socketserver.BaseRequestHandler], tcp: type[socketserver.BaseRequestHandler]
) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
    """A port that is free for UDP may be taken for TCP, by whatever runs beside: then another one."""
    for _ in range(_TRIES):
        asked = socketserver.ThreadingUDPServer(("127.0.0.1", 0), udp)
        try:
            return asked, socketserver.ThreadingTCPServer(asked.server_address, tcp)
        except OSError:
            asked.server_close()
    raise AssertionError("no port of this machine is free for both UDP and TCP")
