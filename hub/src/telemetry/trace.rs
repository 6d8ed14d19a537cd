//! W3C Trace Context: the `traceparent` header.
//!
//! A header that is malformed is treated as absent, as the recommendation says; `tracestate` is not carried on.
//!
//! Within the hub a trace is carried by the task, not by every signature: whoever begins a piece of work wraps its future
//! once, and what is written or sent within belongs to that trace.

use std::fmt;

use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CURRENT: Option<TraceContext>;
}

/// The bits of `flags` that are defined: sampled, and random-trace-id (level 2).
const KNOWN_FLAGS: u8 = 0x03;
/// `00-<32>-<16>-<2>`.
const LENGTH: usize = 55;

/// Where in a trace something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// One id for the whole trace, not zero.
    pub trace_id: u128,
    /// The id of this step, not zero.
    pub span_id: u64,
    /// Bit 0: sampled.
    pub flags: u8,
}

impl TraceContext {
    /// A new trace, sampled.
    #[must_use]
    pub fn new() -> Self {
        Self { trace_id: rand::random_range(1..=u128::MAX), span_id: new_span_id(), flags: KNOWN_FLAGS }
    }

    /// The trace that the current task works for; none outside any scope.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|trace| *trace).ok().flatten()
    }

    /// Runs a future that works for `trace`.
    pub fn scope<F: Future>(trace: Option<Self>, future: F) -> TaskLocalFuture<Option<Self>, F> {
        CURRENT.scope(trace, future)
    }

    /// The same trace, one step further.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { trace_id: self.trace_id, span_id: new_span_id(), flags: self.flags & KNOWN_FLAGS }
    }

    /// Reads a `traceparent`; `None` where it is malformed.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (known, rest) = header.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let version = hex::<u8>(parts.next()?, 2)?;
        let trace_id = hex::<u128>(parts.next()?, 32)?;
        let span_id = hex::<u64>(parts.next()?, 16)?;
        let flags = hex::<u8>(parts.next()?, 2)?;
        let ends = rest.is_empty() || (version > 0 && rest.starts_with('-'));
        let valid = version != 0xff && trace_id != 0 && span_id != 0 && ends && parts.next().is_none();
        valid.then_some(Self { trace_id, span_id, flags })
    }

    /// The trace's id as 32 hexadecimal digits, for log lines.
    #[must_use]
    pub fn trace_id_hex(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl Default for TraceContext {
    fn default() -> Self {
        Self::new()
    }
}

/// The header's value.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        let (trace, span, flags) =
            (self.trace_id.to_be_bytes(), self.span_id.to_be_bytes(), [self.flags & KNOWN_FLAGS]);
        for (place, bytes) in [(3..35, &trace[..]), (36..52, &span), (53..LENGTH, &flags)] {
            let room = text.get_mut(place).unwrap_or_default();
            hex::encode_to_slice(bytes, room).map_err(|_| fmt::Error)?;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

fn new_span_id() -> u64 {
    rand::random_range(1..=u64::MAX)
}

/// Exactly `digits` lower-case hexadecimal digits.
fn hex<T: TryFrom<u128>>(text: &str, digits: usize) -> Option<T> {
    let lower = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let value = lower.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
    T::try_from(value).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_and_writes_the_recommendations_own_example() {
        let context = TraceContext::parse(SAMPLE).unwrap();
        assert_eq!(context.trace_id_hex(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((context.span_id, context.flags), (0x00f0_67aa_0ba9_02b7, 1));
        assert_eq!(context.to_string(), SAMPLE);
    }

    #[test]
    fn a_child_stays_in_the_trace() {
        let parent = TraceContext::parse(SAMPLE).unwrap();
        let child = parent.child();
        assert_eq!((child.trace_id, child.flags), (parent.trace_id, parent.flags));
        assert_ne!(child.span_id, parent.span_id);
    }

    #[tokio::test]
    async fn a_scope_reaches_what_is_done_within() {
        let context = TraceContext::parse(SAMPLE);
        let seen = TraceContext::scope(context, async { TraceContext::current() }).await;
        assert_eq!(seen, context);
        assert_eq!(TraceContext::current(), None);
    }

    #[test]
    fn a_later_version_may_be_longer() {
        assert!(TraceContext::parse(&SAMPLE.replacen("00", "cc", 1)).is_some());
        assert!(TraceContext::parse(&format!("{}-more", SAMPLE.replacen("00", "cc", 1))).is_some());
        assert!(TraceContext::parse(&format!("{SAMPLE}-more")).is_none());
        assert!(TraceContext::parse(&format!("{}more", SAMPLE.replacen("00", "cc", 1))).is_none());
    }

    #[test]
    fn what_is_malformed_is_absent() {
        for header in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_it(header in "(.{0,70}|00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})") {
            if let Some(context) = TraceContext::parse(&header) {
                prop_assert_eq!(TraceContext::parse(&context.to_string()).map(|c| c.trace_id), Some(context.trace_id));
            }
        }

        #[test]
        fn what_is_written_is_read_again(trace_id in 1..=u128::MAX, span_id in 1..=u64::MAX, flags in 0u8..=3) {
            let context = TraceContext { trace_id, span_id, flags };
            prop_assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        }
    }
}
