//! Every field that is known by name: one table, from which come the constants below and the setters of [`Match`].
//!
//! A row has a constant, the setter and where the field can have one (in the specification or in Open vSwitch, which
//! has masks of ports too) the setter with a mask, the type of values, the number in the class, and what a match must say
//! before it.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{
    CtState, Field, FieldInfo, Ipv6ExtHdr, Match, Prerequisite, TcpFlags, Value, table::field_table,
};
use crate::{
    Dscp, Ecn, ExperimenterId, FlowLabel, Mac, MplsLabel, MplsTc, PbbIsid, PortNo, VlanPcp, VlanVid,
};

field_table! {
    /// OpenFlow 1.3.5, section 7.2.3.7, table 12 (`OFPXMC_OPENFLOW_BASIC`).
    0x8000, 0 => {
        /// Where the packet came in, or what a packet-out says.
        IN_PORT in_port: PortNo = 0, Nothing;
        /// The physical port under a logical one.
        IN_PHY_PORT in_phy_port: PortNo = 1, InPort;
        /// What tables have written for later ones.
        METADATA metadata / metadata_masked: u64 = 2, Nothing;
        ETH_DST eth_dst / eth_dst_masked: Mac = 3, Nothing;
        ETH_SRC eth_src / eth_src_masked: Mac = 4, Nothing;
        /// After VLAN tags.
        ETH_TYPE eth_type: u16 = 5, Nothing;
        /// The VLAN of the outermost tag; see [`crate::Match::tagged`] and [`crate::Match::untagged`] too.
        VLAN_VID vlan_vid / vlan_vid_masked: VlanVid = 6, Nothing;
        VLAN_PCP vlan_pcp: VlanPcp = 7, Vlan;
        IP_DSCP ip_dscp: Dscp = 8, Ip;
        IP_ECN ip_ecn: Ecn = 9, Ip;
        IP_PROTO ip_proto: u8 = 10, Ip;
        IPV4_SRC ipv4_src / ipv4_src_masked: Ipv4Addr = 11, Ipv4;
        IPV4_DST ipv4_dst / ipv4_dst_masked: Ipv4Addr = 12, Ipv4;
        TCP_SRC tcp_src / tcp_src_masked: u16 = 13, Tcp;
        TCP_DST tcp_dst / tcp_dst_masked: u16 = 14, Tcp;
        UDP_SRC udp_src / udp_src_masked: u16 = 15, Udp;
        UDP_DST udp_dst / udp_dst_masked: u16 = 16, Udp;
        SCTP_SRC sctp_src / sctp_src_masked: u16 = 17, Sctp;
        SCTP_DST sctp_dst / sctp_dst_masked: u16 = 18, Sctp;
        ICMPV4_TYPE icmpv4_type: u8 = 19, Icmpv4;
        ICMPV4_CODE icmpv4_code: u8 = 20, Icmpv4;
        ARP_OP arp_op: u16 = 21, Arp;
        ARP_SPA arp_spa / arp_spa_masked: Ipv4Addr = 22, Arp;
        ARP_TPA arp_tpa / arp_tpa_masked: Ipv4Addr = 23, Arp;
        ARP_SHA arp_sha / arp_sha_masked: Mac = 24, Arp;
        ARP_THA arp_tha / arp_tha_masked: Mac = 25, Arp;
        IPV6_SRC ipv6_src / ipv6_src_masked: Ipv6Addr = 26, Ipv6;
        IPV6_DST ipv6_dst / ipv6_dst_masked: Ipv6Addr = 27, Ipv6;
        IPV6_FLABEL ipv6_flabel / ipv6_flabel_masked: FlowLabel = 28, Ipv6;
        ICMPV6_TYPE icmpv6_type: u8 = 29, Icmpv6;
        ICMPV6_CODE icmpv6_code: u8 = 30, Icmpv6;
        IPV6_ND_TARGET ipv6_nd_target / ipv6_nd_target_masked: Ipv6Addr = 31, Nd;
        IPV6_ND_SLL ipv6_nd_sll: Mac = 32, NdSolicitation;
        IPV6_ND_TLL ipv6_nd_tll: Mac = 33, NdAdvertisement;
        MPLS_LABEL mpls_label: MplsLabel = 34, Mpls;
        MPLS_TC mpls_tc: MplsTc = 35, Mpls;
        /// Whether it is the bottom of the stack.
        MPLS_BOS mpls_bos: bool = 36, Mpls;
        PBB_ISID pbb_isid / pbb_isid_masked: PbbIsid = 37, Pbb;
        TUNNEL_ID tunnel_id / tunnel_id_masked: u64 = 38, Nothing;
        IPV6_EXTHDR ipv6_exthdr / ipv6_exthdr_masked: Ipv6ExtHdr = 39, Ipv6;
        /// Use customer address, of a backbone bridge; OpenFlow 1.4.
        PBB_UCA pbb_uca: bool = 41, Pbb;
        /// OpenFlow 1.5; Open vSwitch has it in every version, as [`NXM_TCP_FLAGS`] too.
        TCP_FLAGS tcp_flags / tcp_flags_masked: TcpFlags = 42, Tcp;
        /// The output port of the action set; OpenFlow 1.5.
        ACTSET_OUTPUT actset_output: PortNo = 43, Nothing;
        /// The name space (16 bits) and the type of the packet's first header; OpenFlow 1.5.
        PACKET_TYPE packet_type: u32 = 44, Nothing;
    }
    /// Open vSwitch, ovs-fields(7): fields that are older than OpenFlow's extensible match (`OFPXMC_NXM_0`).
    0x0000, 0 => {
        NXM_IN_PORT nxm_in_port: u16 = 0, Nothing;
        NXM_ETH_DST nxm_eth_dst / nxm_eth_dst_masked: Mac = 1, Nothing;
        NXM_ETH_SRC nxm_eth_src / nxm_eth_src_masked: Mac = 2, Nothing;
        NXM_ETH_TYPE nxm_eth_type: u16 = 3, Nothing;
        /// The tag's control information; 0x1000 is set where there is a tag.
        NXM_VLAN_TCI nxm_vlan_tci / nxm_vlan_tci_masked: u16 = 4, Nothing;
        NXM_IP_TOS nxm_ip_tos: u8 = 5, Ip;
        NXM_IP_PROTO nxm_ip_proto: u8 = 6, Ip;
        NXM_IP_SRC nxm_ip_src / nxm_ip_src_masked: Ipv4Addr = 7, Ipv4;
        NXM_IP_DST nxm_ip_dst / nxm_ip_dst_masked: Ipv4Addr = 8, Ipv4;
        NXM_TCP_SRC nxm_tcp_src / nxm_tcp_src_masked: u16 = 9, Tcp;
        NXM_TCP_DST nxm_tcp_dst / nxm_tcp_dst_masked: u16 = 10, Tcp;
        NXM_UDP_SRC nxm_udp_src / nxm_udp_src_masked: u16 = 11, Udp;
        NXM_UDP_DST nxm_udp_dst / nxm_udp_dst_masked: u16 = 12, Udp;
        NXM_ICMP_TYPE nxm_icmp_type: u8 = 13, Icmpv4;
        NXM_ICMP_CODE nxm_icmp_code: u8 = 14, Icmpv4;
        NXM_ARP_OP nxm_arp_op: u16 = 15, Arp;
        NXM_ARP_SPA nxm_arp_spa / nxm_arp_spa_masked: Ipv4Addr = 16, Arp;
        NXM_ARP_TPA nxm_arp_tpa / nxm_arp_tpa_masked: Ipv4Addr = 17, Arp;
    }
    /// Open vSwitch, ovs-fields(7) (`OFPXMC_NXM_1`); for options of tunnels see [`Match::tun_metadata`].
    0x0001, 0 => {
        REG0 reg0 / reg0_masked: u32 = 0, Nothing;
        REG1 reg1 / reg1_masked: u32 = 1, Nothing;
        REG2 reg2 / reg2_masked: u32 = 2, Nothing;
        REG3 reg3 / reg3_masked: u32 = 3, Nothing;
        REG4 reg4 / reg4_masked: u32 = 4, Nothing;
        REG5 reg5 / reg5_masked: u32 = 5, Nothing;
        REG6 reg6 / reg6_masked: u32 = 6, Nothing;
        REG7 reg7 / reg7_masked: u32 = 7, Nothing;
        REG8 reg8 / reg8_masked: u32 = 8, Nothing;
        REG9 reg9 / reg9_masked: u32 = 9, Nothing;
        REG10 reg10 / reg10_masked: u32 = 10, Nothing;
        REG11 reg11 / reg11_masked: u32 = 11, Nothing;
        REG12 reg12 / reg12_masked: u32 = 12, Nothing;
        REG13 reg13 / reg13_masked: u32 = 13, Nothing;
        REG14 reg14 / reg14_masked: u32 = 14, Nothing;
        REG15 reg15 / reg15_masked: u32 = 15, Nothing;
        NXM_TUN_ID nxm_tun_id / nxm_tun_id_masked: u64 = 16, Nothing;
        NXM_ARP_SHA nxm_arp_sha / nxm_arp_sha_masked: Mac = 17, Arp;
        NXM_ARP_THA nxm_arp_tha / nxm_arp_tha_masked: Mac = 18, Arp;
        NXM_IPV6_SRC nxm_ipv6_src / nxm_ipv6_src_masked: Ipv6Addr = 19, Ipv6;
        NXM_IPV6_DST nxm_ipv6_dst / nxm_ipv6_dst_masked: Ipv6Addr = 20, Ipv6;
        NXM_ICMPV6_TYPE nxm_icmpv6_type: u8 = 21, Icmpv6;
        NXM_ICMPV6_CODE nxm_icmpv6_code: u8 = 22, Icmpv6;
        NXM_ND_TARGET nxm_nd_target / nxm_nd_target_masked: Ipv6Addr = 23, Nd;
        NXM_ND_SLL nxm_nd_sll / nxm_nd_sll_masked: Mac = 24, NdSolicitation;
        NXM_ND_TLL nxm_nd_tll / nxm_nd_tll_masked: Mac = 25, NdAdvertisement;
        /// Bit 0: a fragment; bit 1: a fragment that is not the first.
        IP_FRAG ip_frag / ip_frag_masked: u8 = 26, Ip;
        NXM_IPV6_LABEL nxm_ipv6_label / nxm_ipv6_label_masked: FlowLabel = 27, Ipv6;
        NXM_IP_ECN nxm_ip_ecn: Ecn = 28, Ip;
        IP_TTL ip_ttl: u8 = 29, Ip;
        MPLS_TTL mpls_ttl: u8 = 30, Mpls;
        TUN_IPV4_SRC tun_ipv4_src / tun_ipv4_src_masked: Ipv4Addr = 31, Nothing;
        TUN_IPV4_DST tun_ipv4_dst / tun_ipv4_dst_masked: Ipv4Addr = 32, Nothing;
        PKT_MARK pkt_mark / pkt_mark_masked: u32 = 33, Nothing;
        NXM_TCP_FLAGS nxm_tcp_flags / nxm_tcp_flags_masked: TcpFlags = 34, Tcp;
        /// The number of a conjunction that is met (ovs-fields(7), "Conjunctive Match Fields").
        CONJ_ID conj_id: u32 = 37, Nothing;
        TUN_GBP_ID tun_gbp_id / tun_gbp_id_masked: u16 = 38, Nothing;
        TUN_GBP_FLAGS tun_gbp_flags / tun_gbp_flags_masked: u8 = 39, Nothing;
        TUN_FLAGS tun_flags / tun_flags_masked: u16 = 104, Nothing;
        CT_STATE ct_state / ct_state_masked: CtState = 105, Nothing;
        CT_ZONE ct_zone: u16 = 106, Nothing;
        CT_MARK ct_mark / ct_mark_masked: u32 = 107, Nothing;
        CT_LABEL ct_label / ct_label_masked: u128 = 108, Nothing;
        TUN_IPV6_SRC tun_ipv6_src / tun_ipv6_src_masked: Ipv6Addr = 109, Nothing;
        TUN_IPV6_DST tun_ipv6_dst / tun_ipv6_dst_masked: Ipv6Addr = 110, Nothing;
        XXREG0 xxreg0 / xxreg0_masked: u128 = 111, Nothing;
        XXREG1 xxreg1 / xxreg1_masked: u128 = 112, Nothing;
        XXREG2 xxreg2 / xxreg2_masked: u128 = 113, Nothing;
        XXREG3 xxreg3 / xxreg3_masked: u128 = 114, Nothing;
        /// Of the packet that began the connection, as the following are.
        CT_NW_PROTO ct_nw_proto: u8 = 119, Ct;
        CT_NW_SRC ct_nw_src / ct_nw_src_masked: Ipv4Addr = 120, CtIpv4;
        CT_NW_DST ct_nw_dst / ct_nw_dst_masked: Ipv4Addr = 121, CtIpv4;
        CT_IPV6_SRC ct_ipv6_src / ct_ipv6_src_masked: Ipv6Addr = 122, CtIpv6;
        CT_IPV6_DST ct_ipv6_dst / ct_ipv6_dst_masked: Ipv6Addr = 123, CtIpv6;
        CT_TP_SRC ct_tp_src / ct_tp_src_masked: u16 = 124, CtPorts;
        CT_TP_DST ct_tp_dst / ct_tp_dst_masked: u16 = 125, CtPorts;
    }
    /// The registers two by two (`OFPXMC_PACKET_REGS` of OpenFlow 1.5).
    0x8001, 0 => {
        XREG0 xreg0 / xreg0_masked: u64 = 0, Nothing;
        XREG1 xreg1 / xreg1_masked: u64 = 1, Nothing;
        XREG2 xreg2 / xreg2_masked: u64 = 2, Nothing;
        XREG3 xreg3 / xreg3_masked: u64 = 3, Nothing;
        XREG4 xreg4 / xreg4_masked: u64 = 4, Nothing;
        XREG5 xreg5 / xreg5_masked: u64 = 5, Nothing;
        XREG6 xreg6 / xreg6_masked: u64 = 6, Nothing;
        XREG7 xreg7 / xreg7_masked: u64 = 7, Nothing;
    }
    /// Extensions of the ONF for OpenFlow 1.3 (EXT-109, EXT-233).
    0xffff, 0x4f4e_4600 => {
        /// As it was before OpenFlow 1.5.
        ONF_TCP_FLAGS onf_tcp_flags / onf_tcp_flags_masked: TcpFlags = 42, Tcp;
        /// As it was before OpenFlow 1.5.
        ONF_ACTSET_OUTPUT onf_actset_output: PortNo = 43, Nothing;
    }
    /// The network service header, in Open vSwitch.
    0xffff, 0x005a_d650 => {
        NSH_FLAGS nsh_flags / nsh_flags_masked: u8 = 1, Nsh;
        NSH_MDTYPE nsh_mdtype: u8 = 2, Nsh;
        NSH_NP nsh_np: u8 = 3, Nsh;
        NSH_SPI nsh_spi: u32 = 4, Nsh;
        NSH_SI nsh_si: u8 = 5, Nsh;
        NSH_C1 nsh_c1 / nsh_c1_masked: u32 = 6, Nsh;
        NSH_C2 nsh_c2 / nsh_c2_masked: u32 = 7, Nsh;
        NSH_C3 nsh_c3 / nsh_c3_masked: u32 = 8, Nsh;
        NSH_C4 nsh_c4 / nsh_c4_masked: u32 = 9, Nsh;
        NSH_TTL nsh_ttl: u8 = 10, Nsh;
    }
}

/// The registers of 32 bits by their numbers.
pub const REG: [Field<u32>; 16] =
    [REG0, REG1, REG2, REG3, REG4, REG5, REG6, REG7, REG8, REG9, REG10, REG11, REG12, REG13, REG14, REG15];

/// The registers of 64 bits by their numbers.
pub const XREG: [Field<u64>; 8] = [XREG0, XREG1, XREG2, XREG3, XREG4, XREG5, XREG6, XREG7];

/// The registers of 128 bits by their numbers.
pub const XXREG: [Field<u128>; 4] = [XXREG0, XXREG1, XXREG2, XXREG3];
