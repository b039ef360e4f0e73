"""What `measure.rs` measures, done by os-ken: reads a kind of work and a number of seconds, writes a rate."""

import sys
import time

from os_ken.ofproto import ofproto_protocol, ofproto_v1_3 as ofp, ofproto_v1_3_parser as parser

DATAPATH = ofproto_protocol.ProtocolDesc(version=4)
BATCH = 100


def address(number):
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def flow_mod(number):
    match = parser.OFPMatch(in_port=1, eth_type=0x0800, ipv4_dst=address(number), ip_proto=6, tcp_dst=80)
    actions = [
        parser.OFPActionSetField(eth_dst="02:00:00:00:00:01"),
        parser.OFPActionDecNwTtl(),
        parser.OFPActionOutput(2),
    ]
    instructions = [parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, actions)]
    message = parser.OFPFlowMod(
        DATAPATH,
        cookie=number,
        priority=100,
        match=match,
        instructions=instructions,
        out_port=ofp.OFPP_ANY,
        out_group=ofp.OFPG_ANY,
    )
    message.xid = number & 0xFFFFFFFF
    message.serialize()
    return message.buf


PACKET_IN = bytes.fromhex(
    "040a007200000001ffffffff0040010300000000000000070001000c80000004000000010000000000005a5a"
) + b"\x5a" * 62
PACKET_IN = PACKET_IN[:2] + len(PACKET_IN).to_bytes(2, "big") + PACKET_IN[4:]


def packet_in(number):
    message = parser.msg_parser(DATAPATH, 4, ofp.OFPT_PACKET_IN, len(PACKET_IN), 1, PACKET_IN)
    assert len(message.data) == 64
    return message


WORK = {"encode_flow_mod": flow_mod, "decode_packet_in": packet_in}


def rate(work, span):
    done = 0
    begun, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - begun < span:
        for number in range(BATCH):
            work(done + number)
        done += BATCH
    return done / (time.process_time() - cpu)


for line in sys.stdin:
    name, span = line.split()
    print(rate(WORK[name], float(span)), flush=True)
