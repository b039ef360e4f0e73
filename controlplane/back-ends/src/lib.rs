//! What a Controller puts to work.
//!
//! ```text
//! Controller, its Secret ──► Controllers (a plug-in itself) ── the plug-in of that name, built ──► synchronizer
//!                               │                                                                      │ back end NAME
//!                               └── what is wrong with it, in words ──► its status       Services ◄────┤
//!                                                                       that name it, and their Tenants
//! ```
//!
//! [`Plugins`] knows the plug-ins by name. [`http`] is the one for every service that is not a part of the controller, in
//! whatever language: its documentation is the protocol.

mod controllers;
pub mod http;
mod plugins;

pub use controllers::{BACK_END, Controllers};
pub use plugins::{Given, Make, OpenSecret, Plugins, Unsuitable};
