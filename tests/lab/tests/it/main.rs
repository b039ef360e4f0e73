//! The lab on the real kernel. Needs root, iproute2, udhcpc and isc-dhcp-client; fails without.

mod frames;
mod life;
mod support;
