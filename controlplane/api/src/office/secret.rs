//! The rules of secrets.

use xos_model::{Object, SecretSpec};

use super::{Admission, Rejection, admission::Managed};

impl Managed for SecretSpec {
    fn admit(
        _: &mut Admission<'_, '_>,
        _: Option<&Object<Self>>,
        _: &mut Object<Self>,
    ) -> Result<(), Rejection> {
        // Fail closed: nothing secret is written in the clear.
        Err(Rejection::conflict("/spec/data", "this controller has no key to seal secrets with"))
    }
}
