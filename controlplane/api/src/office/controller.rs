//! Controllers: of the plug-ins that there are, and not in the place of one of the office's own back ends.

use xos_model::{ControllerSpec, Object};

use super::{Admission, Rejection, admission::Managed};

/// What a Controller can be, and cannot.
#[derive(Clone, Debug, Default)]
pub(crate) struct BackEnds {
    plugins: Vec<&'static str>,
    taken: Vec<&'static str>,
}

impl BackEnds {
    pub(super) fn new(
        plugins: impl IntoIterator<Item = &'static str>,
        taken: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self { plugins: plugins.into_iter().collect(), taken: taken.into_iter().collect() }
    }
}

impl Managed for ControllerSpec {
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&Object<Self>>,
        new: &mut Object<Self>,
    ) -> Result<(), Rejection> {
        let Some(BackEnds { plugins, taken }) = admission.back_ends else { return Ok(()) };
        let (name, plugin) = (new.name(), &new.spec.plugin);
        if old.is_none() && taken.contains(&name.as_str()) {
            let detail = format!("the office itself has a back end {name}; choose another name");
            return Err(Rejection::fault("/metadata/name", detail));
        }
        // One from another version of the office can still be changed otherwise.
        let kept = old.is_some_and(|old| old.spec.plugin == *plugin);
        if !kept && !plugins.contains(&plugin.as_str()) {
            let detail = format!("there is no plug-in {plugin}; there are: {}", plugins.join(", "));
            return Err(Rejection::fault("/spec/plugin", detail));
        }
        Ok(())
    }
}
