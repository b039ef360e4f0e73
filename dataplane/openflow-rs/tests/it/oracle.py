"""What os-ken makes of OpenFlow messages; called by the tests beside it.

`encode` writes every message that os-ken can make, and which of its classes none of them is of.
`reserialise` reads messages and writes what os-ken makes of each after it has taken it apart.
Both speak JSON, a line for each message.
"""

import json
import os
import signal
import sys
from struct import pack

from os_ken import tests
from os_ken.ofproto import nicira_ext, ofproto_parser, ofproto_protocol, ofproto_v1_3, ofproto_v1_3_parser

VERSION = 4
DATAPATH = ofproto_protocol.ProtocolDesc(version=VERSION)
OFP = ofproto_v1_3
PARSER = ofproto_v1_3_parser
SEEN = set()
# Of CPU time, so that other work on the machine does not count.
PATIENCE_S = 0.2


def give_up(number, frame):
    raise TimeoutError("no end")


signal.signal(signal.SIGPROF, give_up)


def emit(name, version, data):
    print(json.dumps({"name": name, "version": version, "hex": bytes(data).hex()}))


def see(value):
    """Notes the names of all classes in a message's description."""
    if isinstance(value, dict):
        for key, inner in value.items():
            SEEN.add(key)
            see(inner)
    elif isinstance(value, list):
        for inner in value:
            see(inner)


def made(name, message, xid=7):
    message.set_xid(xid)
    message.serialize()
    see(message.to_jsondict())
    emit(name, VERSION, message.buf)


def captured():
    """The messages that os-ken's own tests take apart: from itself, from Open vSwitch and from others."""
    root = os.path.join(os.path.dirname(tests.__file__), "packet_data")
    for folder, version in (("of13", 4), ("of14", 5), ("of15", 6)):
        for file in sorted(os.listdir(os.path.join(root, folder))):
            if file.endswith(".packet"):
                with open(os.path.join(root, folder, file), "rb") as packet:
                    emit(f"{folder}/{file}", version, packet.read())


def described():
    """The messages that os-ken's own tests have descriptions of, where it can write them."""
    root = os.path.join(os.path.dirname(tests.__file__), "unit", "ofproto", "json", "of13")
    for file in sorted(os.listdir(root)):
        if not file.endswith(".packet.json"):
            continue
        with open(os.path.join(root, file)) as text:
            description = json.load(text)
        see(description)
        (key,) = description
        xid = description[key].pop("xid", 0)
        message = ofproto_parser.ofp_msg_from_jsondict(DATAPATH, description)
        if serialises(message):
            message.set_xid(xid)
            message.serialize()
            emit(f"json/{file}", VERSION, message.buf)


def serialises(message):
    inherited = type(message)._serialize_body is ofproto_parser.MsgBase._serialize_body
    return not inherited or message.cls_msg_type in EMPTY


EMPTY = {
    OFP.OFPT_FEATURES_REQUEST,
    OFP.OFPT_GET_CONFIG_REQUEST,
    OFP.OFPT_BARRIER_REQUEST,
    OFP.OFPT_BARRIER_REPLY,
    OFP.OFPT_GET_ASYNC_REQUEST,
}


def flow(match=None, instructions=(), **rest):
    return PARSER.OFPFlowMod(DATAPATH, match=match or PARSER.OFPMatch(), instructions=list(instructions), **rest)


def apply(*actions):
    return PARSER.OFPInstructionActions(OFP.OFPIT_APPLY_ACTIONS, list(actions))


def value_of(kind):
    """A value for a field, and a mask, by what its type takes."""
    name = kind.__name__ if isinstance(kind, type) else type(kind).__name__
    if "MacAddr" in name:
        return "02:00:00:00:00:01", "ff:ff:ff:00:00:00"
    if "IPv4" in name:
        return "192.0.2.0", "255.255.255.0"
    if "IPv6" in name:
        return "2001:db8::", "ffff:ffff::"
    return 1, 1


def fields():
    """Every field, with a mask and without."""
    for field in OFP.oxm_types:
        value, mask = value_of(field.type)
        made(f"field/{field.name}", flow(PARSER.OFPMatch(**{field.name: value})))
        made(f"field/{field.name}/masked", flow(PARSER.OFPMatch(**{field.name: (value, mask)})))


def actions():
    ofp, p = OFP, PARSER
    yield p.OFPActionOutput(3, 0xFFFF)
    yield p.OFPActionGroup(7)
    yield p.OFPActionSetQueue(2)
    yield p.OFPActionSetMplsTtl(64)
    yield p.OFPActionDecMplsTtl()
    yield p.OFPActionSetNwTtl(64)
    yield p.OFPActionDecNwTtl()
    yield p.OFPActionCopyTtlOut()
    yield p.OFPActionCopyTtlIn()
    yield p.OFPActionPushVlan(0x88A8)
    yield p.OFPActionPushMpls(0x8847)
    yield p.OFPActionPopVlan()
    yield p.OFPActionPopMpls(0x0800)
    yield p.OFPActionPushPbb(0x88E7)
    yield p.OFPActionPopPbb()
    yield p.OFPActionSetField(eth_src="02:00:00:00:00:01")
    yield p.OFPActionSetField(ipv6_dst="2001:db8::1")
    yield p.OFPActionExperimenterUnknown(0x01020304, bytes(range(16)))
    yield p.NXActionSetTunnel(tun_id=9)
    yield p.NXActionSetTunnel64(tun_id=1 << 40)
    yield p.NXActionPopQueue()
    yield p.NXActionRegMove(src_field="reg0", dst_field="reg1", n_bits=16, src_ofs=4, dst_ofs=8)
    yield p.NXActionRegLoad(ofs_nbits=4 << 6 | 7, dst="reg3", value=0x5A)
    yield p.NXActionRegLoad2(dst="tun_ipv4_src", value="192.0.2.1")
    yield p.NXActionRegLoad2(dst="tun_ipv4_src", value="192.0.2.0", mask="255.255.255.0")
    yield p.NXActionNote(note=[1, 2, 3, 4, 5, 6])
    yield p.NXActionMultipath(
        fields=nicira_ext.NX_HASH_FIELDS_SYMMETRIC_L4,
        basis=1024,
        algorithm=nicira_ext.NX_MP_ALG_HRW,
        max_link=5,
        arg=0,
        ofs_nbits=4 << 6 | 27,
        dst="reg2",
    )
    yield p.NXActionBundle(
        algorithm=nicira_ext.NX_BD_ALG_HRW,
        fields=nicira_ext.NX_HASH_FIELDS_ETH_SRC,
        basis=0,
        slave_type=0x00000002,
        n_slaves=2,
        ofs_nbits=0,
        dst=0,
        slaves=[2, 3],
    )
    yield p.NXActionBundleLoad(
        algorithm=nicira_ext.NX_BD_ALG_HRW,
        fields=nicira_ext.NX_HASH_FIELDS_ETH_SRC,
        basis=0,
        slave_type=0x00000002,
        n_slaves=2,
        ofs_nbits=4 << 6 | 27,
        dst="reg0",
        slaves=[2, 3],
    )
    yield p.NXActionResubmit(in_port=8)
    yield p.NXActionResubmitTable(in_port=0xFFF8, table_id=10)
    yield p.NXActionOutputReg(ofs_nbits=4 << 6 | 27, src="reg0", max_len=1024)
    yield p.NXActionOutputReg2(ofs_nbits=4 << 6 | 27, src="reg0", max_len=1024)
    yield p.NXActionLearn(
        table_id=10,
        specs=[
            p.NXFlowSpecMatch(src=0x800, dst=("eth_type_nxm", 0), n_bits=16),
            p.NXFlowSpecMatch(src=("reg1", 1), dst=("reg2", 3), n_bits=5),
            p.NXFlowSpecLoad(src=5, dst=("reg4", 3), n_bits=9),
            p.NXFlowSpecLoad(src=("reg1", 1), dst=("reg2", 3), n_bits=5),
            p.NXFlowSpecOutput(src=("reg6", 3), dst="", n_bits=5),
        ],
        idle_timeout=180,
        hard_timeout=300,
        priority=1,
        cookie=0x64,
        flags=ofp.OFPFF_SEND_FLOW_REM,
        fin_idle_timeout=180,
        fin_hard_timeout=300,
    )
    yield p.NXActionExit()
    yield p.NXActionFinTimeout(fin_idle_timeout=30, fin_hard_timeout=60)
    yield p.NXActionController(max_len=1024, controller_id=1, reason=ofp.OFPR_INVALID_TTL)
    yield p.NXActionController2(max_len=1024, controller_id=1, reason=1, userdata=[1, 2, 3, 4], pause=True)
    yield p.NXActionDecTtlCntIds(cnt_ids=[1, 2, 3])
    yield p.NXActionStackPush(field="reg2", start=0, end=5)
    yield p.NXActionStackPop(field="reg2", start=0, end=5)
    yield p.NXActionSample(probability=3, collector_set_id=1, obs_domain_id=2, obs_point_id=3)
    yield p.NXActionConjunction(clause=1, n_clauses=2, id_=7)
    yield p.NXActionCT(
        flags=1,
        zone_src="reg0",
        zone_ofs_nbits=0 << 6 | 15,
        recirc_table=4,
        alg=0,
        # os-ken pads an action inside of another only if it is the last.
        actions=[
            p.OFPActionSetField(ct_mark=5),
            p.NXActionNAT(
                flags=1,
                range_ipv4_min="192.0.2.1",
                range_ipv4_max="192.0.2.9",
                range_proto_min=1024,
                range_proto_max=2048,
            ),
        ],
    )
    yield p.NXActionCT(flags=0, zone_src="", zone_ofs_nbits=9, recirc_table=255, alg=21, actions=[])
    yield p.NXActionCT(
        flags=1,
        zone_src="",
        zone_ofs_nbits=0,
        recirc_table=255,
        alg=0,
        actions=[p.NXActionNAT(flags=2, range_ipv6_min="2001:db8::1", range_ipv6_max="2001:db8::9")],
    )
    yield p.NXActionCTClear()
    yield p.NXActionOutputTrunc(port=8080, max_len=1024)
    # These are for OpenFlow 1.0, or this crate keeps them whole.
    yield p.NXActionSetQueue(queue_id=10)
    yield p.NXActionDecTtl()
    yield p.NXActionPushMpls(ethertype=0x8847)
    yield p.NXActionPopMpls(ethertype=0x0800)
    yield p.NXActionSetMplsTtl(ttl=64)
    yield p.NXActionDecMplsTtl()
    yield p.NXActionSetMplsLabel(label=10)
    yield p.NXActionSetMplsTc(tc=2)
    yield p.NXActionSample2(
        probability=3, collector_set_id=1, obs_domain_id=2, obs_point_id=3, sampling_port=8080
    )
    yield p.NXActionEncapEther()
    yield p.NXActionDecNshTtl()


def instructions():
    p = PARSER
    yield p.OFPInstructionGotoTable(3)
    yield p.OFPInstructionWriteMetadata(5, 0xFF)
    yield p.OFPInstructionActions(OFP.OFPIT_WRITE_ACTIONS, [p.OFPActionOutput(1)])
    yield p.OFPInstructionActions(OFP.OFPIT_CLEAR_ACTIONS, [])
    yield p.OFPInstructionMeter(9)


def messages():
    ofp, p, dp = OFP, PARSER, DATAPATH
    yield p.OFPHello(dp, elements=[p.OFPHelloElemVersionBitmap([4, 5, 6])])
    yield p.OFPErrorMsg(dp, type_=ofp.OFPET_BAD_MATCH, code=ofp.OFPBMC_BAD_PREREQ, data=b"request")
    yield p.OFPErrorMsg(dp, type_=0xFFFF, exp_type=2300, experimenter=0x4F4E4600, data=b"request")
    yield p.OFPQueueGetConfigRequest(dp, ofp.OFPP_ANY)
    yield p.OFPGetAsyncRequest(dp)
    yield p.OFPTableFeaturesStatsRequest(dp, 0, [])
    for command in (ofp.OFPGC_ADD, ofp.OFPGC_MODIFY, ofp.OFPGC_DELETE):
        for kind in (ofp.OFPGT_ALL, ofp.OFPGT_SELECT, ofp.OFPGT_INDIRECT, ofp.OFPGT_FF):
            bucket = p.OFPBucket(2, 3, 4, [p.OFPActionOutput(5)])
            yield p.OFPGroupMod(dp, command, kind, 9, [bucket])
    bands = [
        p.OFPMeterBandDrop(100, 10),
        p.OFPMeterBandDscpRemark(100, 10, 1),
        p.OFPMeterBandExperimenter(100, 10, 99),
    ]
    yield p.OFPMeterMod(dp, ofp.OFPMC_MODIFY, ofp.OFPMF_KBPS | ofp.OFPMF_BURST, 7, bands)
    for control in range(8):
        yield p.ONFBundleCtrlMsg(dp, 7, control, ofp.ONF_BF_ATOMIC | ofp.ONF_BF_ORDERED, [])
    yield p.ONFBundleAddMsg(dp, 7, ofp.ONF_BF_ATOMIC, flow(), [])
    yield p.NXTSetPacketInFormatMsg(dp, 2)
    match = p.OFPMatch(in_port=1)
    yield p.ONFFlowMonitorStatsRequest(dp, 0, [p.ONFFlowMonitorRequest(1, 0, match=match, out_port=2, table_id=3)])


def classes():
    """The names of all classes whose objects can be a part of a message."""
    bases = (
        ofproto_parser.MsgBase,
        PARSER.OFPAction,
        PARSER.OFPInstruction,
        PARSER.OFPMeterBand,
        PARSER.OFPQueuePropHeader,
        PARSER.OFPTableFeatureProp,
    )
    for name, value in vars(PARSER).items():
        if isinstance(value, type) and issubclass(value, bases) and value not in bases:
            yield name


def encode():
    captured()
    described()
    fields()
    for number, action in enumerate(actions()):
        made(f"action/{number:02}/{type(action).__name__}", flow(instructions=[apply(action)]))
    for instruction in instructions():
        made(f"instruction/{instruction.type}", flow(instructions=[instruction]))
    for number, message in enumerate(messages()):
        made(f"message/{number:02}/{type(message).__name__}", message)
    print(json.dumps({"unseen": sorted(set(classes()) - SEEN)}))


def match_bytes(match):
    buf = bytearray()
    match.serialize(buf, 0)
    return bytes(buf)


def parts_bytes(parts):
    """What os-ken can write of a message: instructions, buckets, bands."""
    buf = bytearray()
    for part in parts:
        part.serialize(buf, len(buf))
    return bytes(buf)


def port_bytes(port):
    _, hw_addr, name, *rest = port
    return pack(OFP.OFP_PORT_PACK_STR, port.port_no, mac_bytes(hw_addr), as_bytes(name), *rest)


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def desc_bytes(desc):
    return pack(OFP.OFP_DESC_PACK_STR, *map(as_bytes, desc))


def flow_bytes(flow):
    body = match_bytes(flow.match) + parts_bytes(flow.instructions)
    return (
        pack(
            OFP.OFP_FLOW_STATS_0_PACK_STR,
            OFP.OFP_FLOW_STATS_0_SIZE + len(body),
            flow.table_id,
            flow.duration_sec,
            flow.duration_nsec,
            flow.priority,
            flow.idle_timeout,
            flow.hard_timeout,
            flow.flags,
            flow.cookie,
            flow.packet_count,
            flow.byte_count,
        )
        + body
    )


def group_bytes(group):
    counters = b"".join(pack("!QQ", each.packet_count, each.byte_count) for each in group.bucket_stats)
    length = OFP.OFP_GROUP_STATS_SIZE + len(counters)
    times = (group.duration_sec, group.duration_nsec)
    counts = (group.ref_count, group.packet_count, group.byte_count)
    return pack(OFP.OFP_GROUP_STATS_PACK_STR, length, group.group_id, *counts, *times) + counters


def group_desc_bytes(group):
    buckets = parts_bytes(group.buckets)
    length = OFP.OFP_GROUP_DESC_STATS_SIZE + len(buckets)
    return pack(OFP.OFP_GROUP_DESC_STATS_PACK_STR, length, group.type, group.group_id) + buckets


def group_features_bytes(features):
    flat = (features.types, features.capabilities, *features.max_groups, *features.actions)
    return pack(OFP.OFP_GROUP_FEATURES_PACK_STR, *flat)


def meter_bytes(meter):
    bands = b"".join(pack("!QQ", each.packet_band_count, each.byte_band_count) for each in meter.band_stats)
    length = OFP.OFP_METER_STATS_SIZE + len(bands)
    counts = (meter.flow_count, meter.packet_in_count, meter.byte_in_count)
    times = (meter.duration_sec, meter.duration_nsec)
    return pack(OFP.OFP_METER_STATS_PACK_STR, meter.meter_id, length, *counts, *times) + bands


def meter_config_bytes(meter):
    bands = parts_bytes(meter.bands)
    length = OFP.OFP_METER_CONFIG_SIZE + len(bands)
    return pack(OFP.OFP_METER_CONFIG_PACK_STR, length, meter.flags, meter.meter_id) + bands


def experimenter_bytes(body):
    return pack("!II", body.experimenter, body.exp_type) + bytes(body.data)


def flat(layout):
    return lambda values: pack(layout, *values)


MULTIPART = {
    OFP.OFPMP_DESC: desc_bytes,
    OFP.OFPMP_FLOW: flow_bytes,
    OFP.OFPMP_AGGREGATE: flat(OFP.OFP_AGGREGATE_STATS_REPLY_PACK_STR),
    OFP.OFPMP_TABLE: flat(OFP.OFP_TABLE_STATS_PACK_STR),
    OFP.OFPMP_PORT_STATS: flat(OFP.OFP_PORT_STATS_PACK_STR),
    OFP.OFPMP_QUEUE: flat(OFP.OFP_QUEUE_STATS_PACK_STR),
    OFP.OFPMP_GROUP: group_bytes,
    OFP.OFPMP_GROUP_DESC: group_desc_bytes,
    OFP.OFPMP_GROUP_FEATURES: group_features_bytes,
    OFP.OFPMP_METER: meter_bytes,
    OFP.OFPMP_METER_CONFIG: meter_config_bytes,
    OFP.OFPMP_METER_FEATURES: lambda features: pack(
        OFP.OFP_METER_FEATURES_PACK_STR,
        features.max_meter,
        features.band_types,
        features.capabilities,
        features.max_bands,
        features.max_color,
    ),
    OFP.OFPMP_TABLE_FEATURES: lambda table: bytes(table.serialize()),
    OFP.OFPMP_PORT_DESC: port_bytes,
    OFP.OFPMP_EXPERIMENTER: experimenter_bytes,
}


def multipart_bytes(reply):
    bodies = reply.body if isinstance(reply.body, list) else [reply.body]
    written = b"".join(MULTIPART[reply.type](body) for body in bodies)
    return pack(OFP.OFP_MULTIPART_REPLY_PACK_STR, reply.type, reply.flags) + written


def queue_bytes(queue):
    properties = b"".join(
        pack(OFP.OFP_QUEUE_PROP_HEADER_PACK_STR, each.property, OFP.OFP_QUEUE_PROP_MIN_RATE_SIZE)
        + pack(OFP.OFP_QUEUE_PROP_MIN_RATE_PACK_STR, each.rate)
        for each in queue.properties
    )
    length = OFP.OFP_PACKET_QUEUE_SIZE + len(properties)
    return pack(OFP.OFP_PACKET_QUEUE_PACK_STR, queue.queue_id, queue.port, length) + properties


def hello_bytes(hello):
    words = [sum(1 << version for version in element.versions) for element in hello.elements]
    return b"".join(pack("!HHI", OFP.OFPHET_VERSIONBITMAP, 8, word) for word in words)


# The values that os-ken has read, in its own layouts, for the messages that it has no serialiser of.
WRITERS = {
    OFP.OFPT_HELLO: hello_bytes,
    OFP.OFPT_FEATURES_REPLY: lambda m: pack(
        OFP.OFP_SWITCH_FEATURES_PACK_STR,
        m.datapath_id,
        m.n_buffers,
        m.n_tables,
        m.auxiliary_id,
        m.capabilities,
        0,
    ),
    OFP.OFPT_GET_CONFIG_REPLY: lambda m: pack(OFP.OFP_SWITCH_CONFIG_PACK_STR, m.flags, m.miss_send_len),
    OFP.OFPT_PACKET_IN: lambda m: pack(
        OFP.OFP_PACKET_IN_PACK_STR, m.buffer_id, m.total_len, m.reason, m.table_id, m.cookie
    )
    + match_bytes(m.match)
    + bytes(2)
    + bytes(m.data),
    OFP.OFPT_FLOW_REMOVED: lambda m: pack(
        OFP.OFP_FLOW_REMOVED_PACK_STR0,
        m.cookie,
        m.priority,
        m.reason,
        m.table_id,
        m.duration_sec,
        m.duration_nsec,
        m.idle_timeout,
        m.hard_timeout,
        m.packet_count,
        m.byte_count,
    )
    + match_bytes(m.match),
    OFP.OFPT_PORT_STATUS: lambda m: pack("!B7x", m.reason) + port_bytes(m.desc),
    OFP.OFPT_MULTIPART_REPLY: multipart_bytes,
    OFP.OFPT_QUEUE_GET_CONFIG_REPLY: lambda m: pack(OFP.OFP_QUEUE_GET_CONFIG_REPLY_PACK_STR, m.port)
    + b"".join(map(queue_bytes, m.queues)),
    OFP.OFPT_ROLE_REPLY: lambda m: pack(OFP.OFP_ROLE_REQUEST_PACK_STR, m.role, m.generation_id),
    OFP.OFPT_GET_ASYNC_REPLY: lambda m: pack(
        OFP.OFP_ASYNC_CONFIG_PACK_STR, *m.packet_in_mask, *m.port_status_mask, *m.flow_removed_mask
    ),
}


def written(message):
    body = WRITERS[message.msg_type](message)
    length = OFP.OFP_HEADER_SIZE + len(body)
    return pack(OFP.OFP_HEADER_PACK_STR, VERSION, message.msg_type, length, message.xid) + body


def reserialised(version, data):
    datapath = ofproto_protocol.ProtocolDesc(version=version)
    (header_version, kind, length, xid) = ofproto_parser.header(data)
    if kind not in datapath.ofproto_parser._MSG_PARSERS:
        return "no parser"
    message = datapath.ofproto_parser.msg_parser(datapath, header_version, kind, length, xid, data)
    if not serialises(message) and length > OFP.OFP_HEADER_SIZE:
        message.to_jsondict()
        return written(message).hex() if version == VERSION else "no serialiser"
    message.serialize()
    return bytes(message.buf).hex()


def reserialise():
    for line in sys.stdin:
        request = json.loads(line)
        # Of some messages os-ken reads the same bytes for ever.
        signal.setitimer(signal.ITIMER_PROF, PATIENCE_S)
        try:
            request["result"] = reserialised(request["version"], bytes.fromhex(request["hex"]))
        except Exception as error:  # Whatever it is, the test is told.
            request["result"] = f"{type(error).__name__}: {error}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        del request["hex"]
        print(json.dumps(request))


if __name__ == "__main__":
    {"encode": encode, "reserialise": reserialise}[sys.argv[1]]()
