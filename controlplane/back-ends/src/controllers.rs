//! Controllers, synchronized like everything else: what is applied is a back end of the Controller's name.

use std::time::Duration;

use synchronizer::{
    Control, Declaration, Failure, Item, Journal, Kind, Limits, Outcome, Plugin, Relation, Retry,
};
use xos_model::{AnyObject, Controller, KindName};

use crate::{Given, OpenSecret, Plugins};

/// What the synchronizer calls the back end of the Controllers themselves.
pub const BACK_END: &str = "controllers";

/// Builds the back ends that Controllers ask for, and takes them away.
pub struct Controllers {
    plugins: Plugins,
    open_secret: OpenSecret,
    control: Control<AnyObject>,
    /// Names of back ends that are no Controller's.
    taken: Vec<&'static str>,
}

impl Controllers {
    /// `others`: the names of back ends that are not made from Controllers.
    pub fn new(
        plugins: Plugins,
        open_secret: OpenSecret,
        control: Control<AnyObject>,
        others: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let taken = others.into_iter().chain([BACK_END]).collect();
        Self { plugins, open_secret, control, taken }
    }

    async fn build(&self, controller: &Controller) -> Outcome {
        let name = controller.name().as_str();
        if self.taken.contains(&name) {
            let message =
                format!("metadata.name: the office itself has a back end {name}; choose another name");
            return Outcome::Untouched(Failure { message, retry: Retry::OnChange });
        }
        let given = Given { controller, open_secret: &self.open_secret };
        let done = match self.plugins.make(&given) {
            Ok(plugin) => self.control.replace(name, plugin).await.map(|()| Outcome::done()),
            Err(unsuitable) => {
                // What it was before is not wanted any more, either.
                let failure = Failure { message: unsuitable.to_string(), retry: Retry::OnChange };
                self.control.remove(name).await.map(|()| Outcome::Failed(failure))
            }
        };
        done.unwrap_or_else(|stopped| Outcome::failed(stopped.to_string()))
    }
}

impl Plugin<AnyObject> for Controllers {
    fn declare(&self) -> Declaration {
        let (controller, secret) = (Kind::of(KindName::Controller), Kind::of(KindName::Secret));
        let credentials = Relation::new(controller, "credentials", secret).derived();
        Declaration {
            // Also those of plug-ins of which no Controller is there: what is for one waits for it.
            relations: [credentials].into_iter().chain(self.plugins.relations().iter().copied()).collect(),
            journal: Journal::Volatile,
            limits: Limits { timeout: Duration::from_mins(1), ..Limits::default() },
            // What is behind it can only be taken down through it.
            lingering: vec![controller],
            ..Declaration::new([controller])
        }
    }

    async fn apply(&self, item: &Item<AnyObject>) -> Outcome {
        match item.body.as_deref() {
            Some(AnyObject::Controller(controller)) => self.build(controller).await,
            _ => Outcome::failed(format!("{} is no Controller", item.operation.key)),
        }
    }

    async fn remove(&self, item: &Item<AnyObject>) -> Outcome {
        let name = item.operation.key.name.as_str();
        if self.taken.contains(&name) {
            return Outcome::done();
        }
        match self.control.remove(name).await {
            Ok(()) => Outcome::done(),
            Err(stopped) => Outcome::failed(stopped.to_string()),
        }
    }
}
