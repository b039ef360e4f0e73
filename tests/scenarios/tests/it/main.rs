//! The rules of the house, and scenarios of a whole office.

mod house;
