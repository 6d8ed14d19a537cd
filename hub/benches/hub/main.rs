//! What the hub costs beside what it is made of. Every number is taken beside its floor, in turns, in one run, since
//! the machine is never the same twice; the ratios count. `make bench` runs all of it; `make bench ONLY="reads journal"`
//! some.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]

mod adapter;
mod attack;
mod data;
mod decision;
mod floor;
mod journal;
mod languages;
mod load;
mod memory;
mod report;
mod requests;
mod servers;
mod sync;

use report::Row;

/// As the hub has it: the floor is the same process set-up.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Measure = fn() -> Vec<Row>;

const MEASURES: [(&str, Measure); 9] = [
    ("reads", || vec![requests::reads()]),
    ("writes", || vec![requests::writes()]),
    ("journal", journal::alone),
    ("adapter", || vec![adapter::call()]),
    ("languages", languages::calls),
    ("attack", attack::beside),
    ("memory", memory::at_rest),
    ("sync", sync::delivery),
    ("decision", || [decision::permit(), decision::crowd()].into_iter().chain(decision::reloads()).collect()),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [floor, kind, folder] = arguments.as_slice()
        && floor == "floor"
    {
        return floor::serve(kind, folder.as_ref());
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let mut rows = Vec::new();
    for (name, measure) in MEASURES.iter().filter(|(name, _)| wanted(name)) {
        println!("measuring: {name}");
        rows.extend(measure());
    }
    report::print(&rows);
}
