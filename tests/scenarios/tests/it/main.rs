//! The rules of the house, and scenarios of a whole office.

mod debian12;
mod devices;
mod faults;
mod firewall;
mod first_subscriber;
mod garden;
mod house;
mod ipv6;
mod nat;
mod nat_log;
mod office;
mod parental_control;
mod routes;
mod server;
mod traceroute;
mod voice;
