"""Client of DNS over QUIC (RFC 9250) by another hand: dnspython over aioquic.

    dnspython.py ADDRESS QUIC_PORT DNS_PORT CERTIFICATE

Prints a line for each reply over QUIC that equals the one without it, octet for octet but for the
ID, and for each rule of a connection that holds. Any other outcome is an error.
"""

import asyncio
import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.quic
import dns.rcode
import ssl
import sys
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted

ADDRESS, QUIC_PORT, DNS_PORT, CERTIFICATE = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
SERVER_NAME = "dns.example"
# Seconds that a reply may take.
PATIENCE = 10
# Error codes (RFC 9250 section 4.3).
DOQ_PROTOCOL_ERROR = 2
# Size of early data in a ticket that allows it (RFC 9001 section 4.6.1).
EARLY_DATA = 0xFFFFFFFF


def query(name, rtype, subnet=None, edns=True):
    options = [dns.edns.ECSOption(subnet, 24)] if subnet else []
    return dns.message.make_query(name, rtype, use_edns=0 if edns else -1, payload=1232, options=options)


QUESTIONS = {
    "an address": lambda: query("www.cdn.example.", "A"),
    "without EDNS": lambda: query("www.cdn.example.", "A", edns=False),
    "a subnet in the west": lambda: query("www.cdn.example.", "A", "192.0.2.0"),
    "a subnet in the east": lambda: query("www.cdn.example.", "A", "203.0.113.0"),
    "no such name": lambda: query("none.cdn.example.", "A"),
    "no such type": lambda: query("www.cdn.example.", "AAAA"),
    "no zone": lambda: query("other.test.", "A"),
    "a large answer": lambda: query("large.cdn.example.", "TXT"),
}


def plain(message):
    """The reply over UDP, or over TCP where UDP has no room for it."""
    reply, is_tcp = dns.query.udp_with_fallback(message, ADDRESS, PATIENCE, DNS_PORT)
    return reply, "TCP" if is_tcp else "UDP"


def compare(what, reply, message):
    """Prints a reply over QUIC, which has the ID 0 and is otherwise the plain one."""
    expected, transport = plain(message)
    assert reply.wire[:2] == b"\0\0", f"{what}: ID {reply.id}"
    assert reply.wire[2:] == expected.wire[2:], f"{what}:\n{reply}\nover {transport}:\n{expected}"
    records = [str(record) for rrset in reply.answer for record in rrset]
    shown = " ".join(records) if len(records) < 2 else f"{len(records)} records"
    scopes = [f"scope {option.scopelen}" for option in reply.options if option.otype == dns.edns.ECS]
    words = [dns.rcode.to_text(reply.rcode()), shown, *scopes]
    print(f"{what}: {' '.join(word for word in words if word)}, as over {transport}")


def questions():
    """Questions by dnspython on one connection: one by one, then all at once, a stream each."""
    with dns.quic.SyncQuicManager(verify_mode=CERTIFICATE, server_name=SERVER_NAME) as manager:
        connection = manager.connect(ADDRESS, QUIC_PORT)
        for what, make in QUESTIONS.items():
            reply = dns.query.quic(make(), ADDRESS, PATIENCE, QUIC_PORT, connection=connection)
            compare(what, reply, make())
        streams = []
        for what, make in QUESTIONS.items():
            message = make()
            message.id = 0
            stream = connection.make_stream(PATIENCE)
            stream.send(message.to_wire(), True)
            streams.append((what, stream, message))
        for what, stream, message in reversed(streams):
            with stream:
                compare(f"{what}, at once", dns.message.from_wire(stream.receive(PATIENCE)), message)


class Client(QuicConnectionProtocol):
    """A connection of aioquic, which keeps what has happened to it."""

    def __init__(self, *arguments, **words):
        super().__init__(*arguments, **words)
        self.seen = {}

    def quic_event_received(self, event):
        self.seen[type(event)] = event
        super().quic_event_received(event)

    async def ask(self, message):
        """Sends a message on a stream of its own; the reply behind its length, or nothing."""
        reader, writer = await self.create_stream()
        octets = message.to_wire()
        writer.write(len(octets).to_bytes(2, "big") + octets)
        writer.write_eof()
        return await reader.read()


def client(ticket=None, tickets=None):
    configuration = QuicConfiguration(
        alpn_protocols=["doq"], server_name=SERVER_NAME, verify_mode=ssl.CERT_REQUIRED, session_ticket=ticket
    )
    configuration.load_verify_locations(cafile=CERTIFICATE)
    handler = None if tickets is None else tickets.append
    return connect(
        ADDRESS, QUIC_PORT, configuration=configuration, create_protocol=Client, session_ticket_handler=handler
    )


async def breach():
    """An ID other than 0 is a breach of the rules (RFC 9250 section 4.2.1)."""
    async with client() as connection:
        message = query("www.cdn.example.", "A")
        message.id = 1
        assert await connection.ask(message) == b"", "an ID is answered"
        await connection.wait_closed()
        ended = connection.seen[ConnectionTerminated]
        assert ended.error_code == DOQ_PROTOCOL_ERROR, ended
        print("an ID: DOQ_PROTOCOL_ERROR")


async def resumption():
    """A ticket resumes a session, without early data, also where the client pretends a leave."""
    tickets = []
    message = query("www.cdn.example.", "A")
    message.id = 0
    async with client(tickets=tickets) as connection:
        first = await connection.ask(message)
        assert not connection.seen[HandshakeCompleted].session_resumed
    assert tickets and all(not ticket.max_early_data_size for ticket in tickets), tickets
    tickets[0].max_early_data_size = EARLY_DATA
    async with client(ticket=tickets[0]) as connection:
        assert await connection.ask(message) == first, "another answer"
        handshake = connection.seen[HandshakeCompleted]
        assert handshake.session_resumed and not handshake.early_data_accepted, handshake
        print("a ticket: resumed, without early data")


async def rules():
    for rule in breach, resumption:
        await asyncio.wait_for(rule(), PATIENCE)


questions()
asyncio.run(rules())
