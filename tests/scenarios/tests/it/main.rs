//! The rules of the house, and scenarios of a whole office.

mod debian12;
mod faults;
mod first_subscriber;
mod house;
mod nat_log;
mod office;
