//! One measured figure, as people and as programs read it.

use serde::Serialize;

/// A measured figure: the median of `n` rounds with their spread.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    #[serde(rename = "figure")]
    pub name: String,
    pub value: f64,
    pub min: f64,
    pub max: f64,
    pub unit: &'static str,
    pub n: usize,
}

impl Figure {
    /// The median and the spread of `samples`, of which there must be one at least.
    pub(crate) fn of(name: impl Into<String>, unit: &'static str, mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let (n, middle) = (samples.len(), samples.len() / 2);
        let value =
            if n % 2 == 1 { samples[middle] } else { f64::midpoint(samples[middle - 1], samples[middle]) };
        Self { name: name.into(), value, min: samples[0], max: samples[n - 1], unit, n }
    }
}
