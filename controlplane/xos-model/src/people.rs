//! People, what they may do, what they see, and what nobody may see.

mod role;
mod role_binding;
mod secret;
mod user;
mod verb;
mod view;

pub use role::{KindSet, Role, RoleRule, RoleSpec, RoleStatus, VerbSet};
pub use role_binding::{RoleBinding, RoleBindingSpec, RoleBindingStatus, Scope};
pub use secret::{Secret, SecretData, SecretKey, SecretKeyError, SecretSpec, SecretStatus, SecretText};
pub use user::{User, UserSpec, UserStatus};
pub use verb::{Verb, VerbError};
pub use view::{View, ViewSpec, ViewStatus, ViewType};
