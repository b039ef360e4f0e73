//! Orders and hands out the work of offices of 1,600, 16,000 and 100,000 objects, and says how long that takes.

fn main() {
    for objects in [1_600, 16_000, 100_000] {
        let office = synchronizer::office(objects, 7);
        for _ in 0..5 {
            let figures = synchronizer::bench(&office, 7);
            println!(
                "{objects:>7} objects, {:>7} edges, {:>6} calls: ordered in {:>7.2} ms, handed out in {:>7.2} ms, {} ns each",
                figures.edges,
                figures.calls,
                figures.order.as_secs_f64() * 1e3,
                figures.dispatch.as_secs_f64() * 1e3,
                figures.ns_per_object(),
            );
        }
    }
}
