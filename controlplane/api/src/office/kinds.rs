//! Kinds to which only the rules of all apply.

use xos_model::{
    DeploymentSpec, FlavorSpec, ImageSpec, NetworkTemplateSpec, RoleBindingSpec, SiteSpec, ViewSpec,
};

use super::admission::Managed;

macro_rules! plain {
    ($($spec:ident)*) => {
        $(impl Managed for $spec {})*
    };
}

plain! {
    DeploymentSpec FlavorSpec ImageSpec NetworkTemplateSpec RoleBindingSpec SiteSpec ViewSpec
}
