//! Clients that a link is asked to look at again. It outlives the link: whoever takes from it holds nothing meanwhile, so that a
//! link whose thread hangs keeps nothing from the next.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Hints that may wait; more are left out, since a hint is only a reason to look sooner.
const HINTS: usize = 1_000;

/// The hints that wait for one link.
#[derive(Default)]
pub struct Inbox {
    waiting: Mutex<VecDeque<String>>,
    given: Notify,
}

impl Inbox {
    /// Gives a client's reference, which waits once however often it is given; `false` where too many wait already.
    pub fn give(&self, client: String) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.contains(&client) {
            return true;
        }
        let room = waiting.len() < HINTS;
        if room {
            waiting.push_back(client);
        }
        drop(waiting);
        // Everybody is woken: one of them may be a link that hangs.
        self.given.notify_waiters();
        room
    }

    /// The next of them. Dropping this loses nothing.
    pub async fn next(&self) -> String {
        loop {
            let given = self.given.notified();
            let next = self.waiting.lock().pop_front();
            if let Some(client) = next {
                return client;
            }
            given.await;
        }
    }
}
