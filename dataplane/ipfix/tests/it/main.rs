//! The exporter against decoders that know nothing of it: one of these tests' own, nfdump's and Wireshark's.

mod decode;
mod events;
mod nfcapd;
mod nfdump;
mod properties;
mod sender;
mod tshark;
