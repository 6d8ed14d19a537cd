//! What a hub with many clients takes when nobody asks, and how long it takes to start.

use std::time::Duration;

use hub::startup::data::state_in;

use crate::data;
use crate::report::Row;
use crate::servers::Server;

const CLIENTS: u64 = 100_000;
const MEMORY_MIB: f64 = 350.0;
const START_SECONDS: f64 = 5.0;
const REBUILD_SECONDS: f64 = 15.0;
/// Until what the start has left behind it is given back.
const SETTLE: Duration = Duration::from_secs(5);

pub fn at_rest() -> Vec<Row> {
    let folder = data::folder();
    data::filled(folder.path(), CLIENTS);
    let with_state = Server::hub(folder.path(), None);
    std::thread::sleep(SETTLE);
    let (memory, start) = (with_state.resident_mib(), with_state.started_in);
    with_state.stop();
    std::fs::remove_dir_all(state_in(folder.path())).unwrap();
    let rebuilt = Server::hub(folder.path(), None);
    std::thread::sleep(SETTLE);
    let (rebuilt_memory, rebuild) = (rebuilt.resident_mib(), rebuilt.started_in);
    rebuilt.stop();
    vec![
        Row::most("resident with 100,000 clients, idle", "MiB", memory, MEMORY_MIB),
        Row::most("the same, after the state was made again", "MiB", rebuilt_memory, MEMORY_MIB),
        Row::most("start with the state there", "s", start.as_secs_f64(), START_SECONDS),
        Row::most("start without it", "s", rebuild.as_secs_f64(), REBUILD_SECONDS),
    ]
}
