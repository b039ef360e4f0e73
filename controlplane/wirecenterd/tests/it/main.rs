//! The controller through its front door: the real program, its unix socket and its disk.

mod access;
mod agent;
mod backup;
mod bad_input;
mod campaign;
mod controller;
mod crash;
mod derived;
mod events;
mod everything;
mod fake_node;
mod folder;
mod graph;
mod happened;
mod idempotency;
mod limits;
mod listing;
mod objects;
mod openapi;
mod plans;
mod references;
mod secrets;
mod tls;
mod volume_service;
mod volumes;
mod watching;
