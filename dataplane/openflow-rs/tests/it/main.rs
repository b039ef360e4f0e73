//! The codec held against itself and against what others make of the same bytes.

mod ofp_print;
mod os_ken;
mod samples;
mod tools;
