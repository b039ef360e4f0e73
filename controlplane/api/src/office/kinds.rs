//! Kinds to which only the rules of all apply.

use xos_model::TenantSpec;

use super::admission::Managed;

impl Managed for TenantSpec {}
