//! The synchronizer with a store and back ends in memory.

mod anchored;
mod anchors;
mod bulk;
mod clouds;
mod drift;
mod failures;
mod histories;
mod isolation;
mod order;
mod pending;
mod pure;
mod scale;
mod support;
mod tenancy;
mod values;
