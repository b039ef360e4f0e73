//! What the controller says that a transaction would do, for reading before it is done.

mod text;

use serde::Deserialize;
use serde_json::{Value, json};
use xos_model::{Change, KindName};

use super::apply::locate;
use crate::{
    cli::Format,
    client::Client,
    failure::Failure,
    kinds::{Kind, Reference},
    manifest::Document,
    output, progress,
};

/// The answer to a dry run.
pub(super) struct Plan {
    counts: Vec<Counts>,
    objects: Vec<Planned>,
    digest: String,
    /// As it came.
    whole: Value,
}

#[derive(Deserialize)]
struct Counts {
    kind: KindName,
    create: usize,
    update: usize,
    delete: usize,
    unchanged: usize,
}

#[derive(Deserialize)]
struct Planned {
    kind: KindName,
    name: String,
    action: Action,
    /// Absent if it follows from what was asked for.
    operation: Option<usize>,
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Create,
    Update,
    Delete,
    Unchanged,
}

impl Planned {
    fn reference(&self) -> Reference {
        Reference { kind: Kind(self.kind), name: self.name.clone() }
    }
}

impl Plan {
    /// Asks what these operations would do; `documents` are what they are about, in the same order.
    pub(super) async fn of(
        client: &Client,
        documents: &[Document],
        operations: &[Value],
    ) -> Result<Self, Failure> {
        let what = format!("planning for {} objects", operations.len());
        let body = json!({"operations": operations});
        let asked = client.post("/api/v1/transactions?dryRun=All", &body);
        let answer = progress::during(&what, asked).await.map_err(|failure| locate(documents, failure))?;
        Self::read(answer)
    }

    fn read(whole: Value) -> Result<Self, Failure> {
        let failed = |error: serde_json::Error| Failure::Answer(format!("it is no plan: {error}"));
        let counts = Vec::deserialize(&whole["summary"]).map_err(failed)?;
        let objects = Vec::deserialize(&whole["objects"]).map_err(failed)?;
        let digest = String::deserialize(&whole["digest"]).map_err(failed)?;
        Ok(Self { counts, objects, digest, whole })
    }

    /// By which a transaction says that it is to do this and nothing else.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether nothing would change.
    pub(super) fn is_empty(&self) -> bool {
        self.changed().next().is_none()
    }

    fn changed(&self) -> impl Iterator<Item = &Planned> {
        self.objects.iter().filter(|one| one.action != Action::Unchanged)
    }

    /// Every difference, or the plan as data.
    pub(super) fn print(&self, format: Option<Format>) -> Result<(), Failure> {
        let text = match format {
            Some(Format::Json) => format!("{:#}\n", self.whole),
            Some(Format::Yaml) => output::yaml(&self.whole)?,
            Some(Format::Name) => self.changed().map(|one| one.reference().to_string() + "\n").collect(),
            Some(Format::Table | Format::Wide) => self.summary(),
            None => self.differences()?,
        };
        output::print(&text)
    }
}
