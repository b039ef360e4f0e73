//! The codec held against itself and against what others make of the same bytes.

mod arbitrary;
mod limits;
mod ofp_print;
mod os_ken;
mod ovs;
mod properties;
mod samples;
mod tools;
mod tshark;
