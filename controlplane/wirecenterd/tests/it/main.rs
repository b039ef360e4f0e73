//! The controller through its front door: the real program, its unix socket and its disk.

mod access;
mod agent;
mod backup;
mod bad_input;
mod controller;
mod crash;
mod derived;
mod events;
mod graph;
mod idempotency;
mod limits;
mod listing;
mod objects;
mod openapi;
mod references;
mod secrets;
mod tls;
mod watching;
