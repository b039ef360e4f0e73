//! The rules of users and roles.

use xos_model::{Object, RoleSpec, UserSpec};

use crate::office::{Admission, Rejection, admission::Managed};

impl Managed for UserSpec {
    fn retire(admission: &mut Admission<'_, '_>, old: &Object<Self>) -> Result<(), Rejection> {
        admission.forget_credentials(old.name());
        Ok(())
    }
}

impl Managed for RoleSpec {
    /// The built-in roles are known by their names, and are not objects.
    fn admit(
        _: &mut Admission<'_, '_>,
        _: Option<&Object<Self>>,
        new: &mut Object<Self>,
    ) -> Result<(), Rejection> {
        if access_policy::is_built_in(new.name()) {
            let detail = format!("role {} is built in, and stays as it is", new.name());
            return Err(Rejection::conflict("/metadata/name", detail));
        }
        Ok(())
    }
}
