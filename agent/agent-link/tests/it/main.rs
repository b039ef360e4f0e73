//! The contract between both ends, over TLS on loopback: histories, each of which must end with the agent holding
//! exactly what the table says.

mod fakes;
mod histories;
mod identity;
mod random;
mod scale;
