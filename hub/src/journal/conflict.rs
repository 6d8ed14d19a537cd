//! The pause between a conflict and the next try.
//!
//! An append is judged against entries that are not durable yet, and whoever decides anew reads a state that has not folded
//! them: at once, it would only come to the same conflict.

use std::time::Duration;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(1);
/// Doublings after which a pause grows no more.
const DOUBLINGS: u32 = 6;

/// Waits until what the `round`th conflict (0 for the first) was with has had time to become durable and be folded.
pub async fn pause(round: u32) {
    tokio::time::sleep(FIRST * 2_u32.pow(round.min(DOUBLINGS))).await;
}
