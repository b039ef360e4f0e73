//! Routes of the kernel and of the office, and what the maps are to say.

mod cases;
mod cases6;
mod model;
mod properties;

use std::net::{IpAddr, Ipv4Addr};

use super::super::*;

fn gateway(host: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, host).into()
}

fn hop(host: u8, ifindex: u32) -> KernelHop {
    KernelHop { gateway: Some(gateway(host)), ifindex, weight: 1 }
}
