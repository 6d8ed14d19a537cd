//! What a call inherits from the request that caused it: the trace that its own requests belong to.
//!
//! Carried by the task, not by every signature: whoever handles a request wraps its future once.

use std::fmt;

use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// The context of calls to adapters.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallContext {
    /// The trace; none where it is left out.
    pub trace_parent: Option<TraceParent>,
}

impl CallContext {
    /// Runs a future whose calls to adapters have this context.
    pub fn scope<F: Future>(self, future: F) -> TaskLocalFuture<CallContext, F> {
        CURRENT.scope(self, future)
    }

    /// The context of the current task; an empty one outside any scope.
    pub fn current() -> Self {
        CURRENT.try_with(|context| *context).unwrap_or_default()
    }
}

/// A `traceparent` of version 00 (W3C Trace Context, section 3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    trace: [u8; 16],
    parent: [u8; 8],
    flags: u8,
}

impl TraceParent {
    /// Reads the header's value; nothing where it is malformed, which the standard says to ignore.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if version != "00" || parts.next().is_some() || ![trace, parent, flags].into_iter().all(lower) {
            return None;
        }
        let mut read = Self { trace: [0; 16], parent: [0; 8], flags: 0 };
        hex::decode_to_slice(trace, &mut read.trace).ok()?;
        hex::decode_to_slice(parent, &mut read.parent).ok()?;
        hex::decode_to_slice(flags, std::slice::from_mut(&mut read.flags)).ok()?;
        (read.trace != [0; 16] && read.parent != [0; 8]).then_some(read)
    }

    /// The value for a request of its own: the same trace, a new parent.
    pub fn child(self) -> String {
        let parent = rand::random::<u64>().max(1).to_be_bytes();
        Self { parent, ..self }.to_string()
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, parent) = (hex::encode(self.trace), hex::encode(self.parent));
        write!(f, "00-{trace}-{parent}-{:02x}", self.flags)
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_child_keeps_the_trace_and_has_a_parent_of_its_own() {
        let trace = TraceParent::parse(EXAMPLE).unwrap();
        assert_eq!(trace.to_string(), EXAMPLE);
        let child = trace.child();
        assert_ne!(child, EXAMPLE);
        assert!(child.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && child.ends_with("-01"));
        assert!(TraceParent::parse(&child).is_some());
    }

    #[test]
    fn malformed_ones_are_ignored() {
        for text in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(TraceParent::parse(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_scope_reaches_the_calls_within() {
        let context = CallContext { trace_parent: TraceParent::parse(EXAMPLE) };
        let seen = context.scope(async { CallContext::current().trace_parent }).await;
        assert_eq!(seen, context.trace_parent);
        assert_eq!(CallContext::current().trace_parent, None);
    }
}
