//! Who is owed something and when it is due, for each adapter: derived from the records, so that nobody has to look through them.
//!
//! A lane is a client or a device, by its reference. The fold is the only writer; the links of `sync` take what is due.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::delivery::Adapter;

/// The lanes of every adapter.
#[derive(Debug, Default)]
pub struct Lanes {
    adapters: HashMap<Adapter, AdapterLanes>,
}

/// The lanes of one adapter.
#[derive(Debug, Default)]
struct AdapterLanes {
    times: Mutex<Times>,
    wake: Notify,
}

/// When a lane wants to be looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// Something is owed, and due then.
    pub due: Option<DateTime<Utc>>,
    /// Nothing is owed, but will be then.
    pub later: Option<DateTime<Utc>>,
    /// Something is owed and not set aside, since then: it may wait for a repetition, or for its turn.
    pub since: Option<DateTime<Utc>>,
    /// Something is set aside.
    pub parked: bool,
}

/// Lanes in the order of a moment, in milliseconds since the epoch.
#[derive(Debug, Default)]
struct Ordered {
    by_time: BTreeSet<(i64, Arc<str>)>,
    of_lane: HashMap<Arc<str>, i64>,
}

#[derive(Debug, Default)]
struct Times {
    due: Ordered,
    later: Ordered,
    since: Ordered,
    /// Lanes with a delivery that was set aside.
    parked: HashSet<Arc<str>>,
}

impl Lanes {
    /// Empty lanes for these adapters.
    #[must_use]
    pub fn new(configured: &[Adapter]) -> Self {
        Self { adapters: configured.iter().map(|adapter| (*adapter, AdapterLanes::default())).collect() }
    }

    /// Says when a lane wants to be looked at, from now on.
    pub fn set(&self, adapter: Adapter, lane: &str, plan: Plan) {
        let Some(lanes) = self.adapters.get(&adapter) else { return };
        lanes.times.lock().set(lane, plan);
        if plan.due.is_some() {
            lanes.wake.notify_one();
        }
    }

    /// At most `most` lanes that are due at `now` and not in `busy`, earliest first.
    #[must_use]
    pub fn due(&self, adapter: Adapter, now: DateTime<Utc>, most: usize, busy: &HashSet<Arc<str>>) -> Vec<Arc<str>> {
        let Some(lanes) = self.adapters.get(&adapter) else { return Vec::new() };
        let now = now.timestamp_millis();
        let times = lanes.times.lock();
        let due = times.due.until(now).chain(times.later.until(now));
        due.filter(|lane| !busy.contains(*lane)).take(most).cloned().collect()
    }

    /// When the next lane is due that is not due at `now`.
    #[must_use]
    pub fn next_after(&self, adapter: Adapter, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let times = self.adapters.get(&adapter)?.times.lock();
        let after = now.timestamp_millis().saturating_add(1);
        let next = times.due.from(after).into_iter().chain(times.later.from(after)).min()?;
        DateTime::from_timestamp_millis(next)
    }

    /// How many lanes are owed something, how many have something set aside, and since when the oldest delivery
    /// is owed that was not set aside.
    #[must_use]
    pub fn totals(&self, adapter: Adapter) -> (usize, usize, Option<DateTime<Utc>>) {
        let Some(lanes) = self.adapters.get(&adapter) else { return (0, 0, None) };
        let times = lanes.times.lock();
        let oldest = times.since.by_time.first().and_then(|(at, _)| DateTime::from_timestamp_millis(*at));
        (times.due.of_lane.len(), times.parked.len(), oldest)
    }

    /// The lanes with something set aside.
    #[must_use]
    pub fn parked(&self, adapter: Adapter) -> Vec<Arc<str>> {
        let Some(lanes) = self.adapters.get(&adapter) else { return Vec::new() };
        let mut parked: Vec<_> = lanes.times.lock().parked.iter().cloned().collect();
        parked.sort();
        parked
    }

    /// Waits until a lane of the adapter was set; one that was set before the call counts.
    pub async fn changed(&self, adapter: Adapter) {
        match self.adapters.get(&adapter) {
            Some(lanes) => lanes.wake.notified().await,
            None => std::future::pending().await,
        }
    }
}

impl Ordered {
    fn set(&mut self, lane: &Arc<str>, at: Option<DateTime<Utc>>) {
        if let Some(before) = self.of_lane.remove(lane) {
            self.by_time.remove(&(before, lane.clone()));
        }
        if let Some(at) = at.map(|at| at.timestamp_millis()) {
            self.of_lane.insert(lane.clone(), at);
            self.by_time.insert((at, lane.clone()));
        }
    }

    fn until(&self, now: i64) -> impl Iterator<Item = &Arc<str>> {
        self.by_time.iter().take_while(move |(at, _)| *at <= now).map(|(_, lane)| lane)
    }

    fn from(&self, after: i64) -> Option<i64> {
        self.by_time.range((after, Arc::from(""))..).next().map(|(at, _)| *at)
    }
}

impl Times {
    fn set(&mut self, lane: &str, plan: Plan) {
        let known = |ordered: &Ordered| ordered.of_lane.get_key_value(lane).map(|(key, _)| key.clone());
        let known = known(&self.due).or_else(|| known(&self.later)).or_else(|| known(&self.since));
        let lane = known.unwrap_or_else(|| Arc::from(lane));
        self.due.set(&lane, plan.due);
        self.later.set(&lane, plan.later.filter(|_| plan.due.is_none()));
        self.since.set(&lane, plan.since);
        if plan.parked {
            self.parked.insert(lane);
        } else {
            self.parked.remove(&lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap_or_default()
    }

    fn due(seconds: i64) -> Plan {
        Plan { due: Some(at(seconds)), ..Plan::default() }
    }

    #[test]
    fn a_lane_is_due_once_and_at_its_newest_time() {
        let lanes = Lanes::new(&[Adapter::Crm]);
        lanes.set(Adapter::Crm, "CL-1", due(10));
        lanes.set(Adapter::Crm, "CL-2", due(5));
        lanes.set(Adapter::Crm, "CL-1", due(3));
        let due = lanes.due(Adapter::Crm, at(6), 9, &HashSet::new());
        assert_eq!(due.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["CL-1", "CL-2"]);
        lanes.set(Adapter::Crm, "CL-1", Plan::default());
        assert_eq!(lanes.totals(Adapter::Crm).0, 1);
    }

    #[test]
    fn a_lane_that_waits_for_a_repetition_is_as_old_as_what_it_is_owed() {
        let lanes = Lanes::new(&[Adapter::Crm]);
        let repeated = |since| Plan { since: Some(at(since)), ..due(90) };
        lanes.set(Adapter::Crm, "CL-1", repeated(7));
        lanes.set(Adapter::Crm, "CL-2", repeated(8));
        assert_eq!(lanes.totals(Adapter::Crm), (2, 0, Some(at(7))));
        lanes.set(Adapter::Crm, "CL-1", Plan { parked: true, ..Plan::default() });
        assert_eq!(lanes.totals(Adapter::Crm), (1, 1, Some(at(8))));
    }

    #[test]
    fn a_busy_lane_is_passed_over() {
        let lanes = Lanes::new(&[Adapter::Crm]);
        lanes.set(Adapter::Crm, "CL-1", due(1));
        let busy = HashSet::from([Arc::from("CL-1")]);
        assert!(lanes.due(Adapter::Crm, at(2), 9, &busy).is_empty());
    }
}
