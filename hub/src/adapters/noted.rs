//! What the newest call of a task did, for whoever writes it down: the task that calls hears of it, and nobody else.

use std::cell::RefCell;
use std::future::Future;

use crate::domain::delivery::CallDone;

tokio::task_local! {
    static NEWEST: RefCell<Option<CallDone>>;
}

/// Does the work, and answers with what the newest call to an adapter within it did; nothing where none began.
pub async fn noting<F: Future>(work: F) -> (F::Output, Option<CallDone>) {
    NEWEST
        .scope(RefCell::default(), async {
            let output = work.await;
            (output, NEWEST.with(RefCell::take))
        })
        .await
}

/// A call has ended.
pub fn note(done: impl FnOnce() -> CallDone) {
    // Where nobody listens, nothing is made.
    let _ = NEWEST.try_with(|newest| newest.replace(Some(done())));
}
