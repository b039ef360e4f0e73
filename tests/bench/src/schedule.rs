//! How fast the synchronizer orders and hands out the work of a whole office. XOS 4.0.4 took 50 s for 1,600 objects.

use synchronizer::{bench, office};

use crate::figure::Figure;

const SIZES: [(&str, usize); 3] = [("1.6k", 1_600), ("16k", 16_000), ("100k", 100_000)];
const ROUNDS: u64 = 5;

pub(crate) fn run() -> Vec<Figure> {
    let mut samples = SIZES.map(|_| Vec::new());
    for round in 0..ROUNDS {
        for ((_, objects), samples) in SIZES.iter().zip(&mut samples) {
            let figures = bench(&office(*objects, round), round);
            samples.push((figures.order + figures.dispatch).as_secs_f64() * 1000.0);
        }
    }
    let figure = |((size, _), samples)| Figure::of(format!("sync.schedule_ms.{size}"), "ms", samples);
    SIZES.into_iter().zip(samples).map(figure).collect()
}
