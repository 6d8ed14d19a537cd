//! What goes wrong, and what the contract makes of it: a table, and pure.

use serde::Serialize;

/// Seconds in every `Retry-After`.
pub const RETRY_AFTER_S: u64 = 7;

/// A disturbance of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// No answer until the hub gives up.
    TimeOut,
    /// The connection is reset; nothing was done.
    Reset,
    /// The request takes effect, and the connection is reset.
    LostAnswer,
    /// 429 with `Retry-After`.
    TooMany,
    /// 503 with `Retry-After`.
    Unavailable,
    /// 500.
    Failing,
    /// 401.
    Unauthorized,
    /// 422.
    Invalid,
    /// 200 with a page of HTML.
    Html,
    /// The right answer, cut in the middle.
    Cut,
    /// More than the hub takes.
    Huge,
    /// 302 to a host that is no endpoint.
    Redirect,
}

/// When it goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// An earlier request of the call has had an effect.
    pub earlier: bool,
    /// The request has one.
    pub writes: bool,
}

/// What is right then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Outcomes, by the names of the contract; `ok` is an answer.
    pub outcomes: &'static [&'static str],
    /// A `retry` has to hand the wait on that was asked for.
    pub after: bool,
    /// What the vendor should look at where it is not so.
    pub look_at: &'static str,
}

const LOST: &str = "the request may have had an effect and its answer is lost: only `unknown` says so; `retry`, \
                    `reject` and `unavailable` promise that nothing happened";
const EARLIER: &str = "an earlier request of this call had an effect, so that no later failure may be called harmless";
const HARMLESS: &str = "nothing had an effect, and it may work later: `retry` or `unavailable`; with `reject` the client \
                        is set aside for good";
const UNREAD: &str = "the write was taken and its answer can't be read: `unknown`, or a receipt where nothing of the answer \
                      is needed";
const FOREIGN: &str = "a page says nothing of the write, which may have stopped at whoever shows the page: `unknown`; a \
                       receipt only for an answer that the outside system gives";
const SENSE: &str = "the answer makes no sense and nothing follows from it, least of all that nothing was found: \
                     `retry`, or `unavailable`";

impl Fault {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::TimeOut,
        Self::Reset,
        Self::LostAnswer,
        Self::TooMany,
        Self::Unavailable,
        Self::Failing,
        Self::Unauthorized,
        Self::Invalid,
        Self::Html,
        Self::Cut,
        Self::Huge,
        Self::Redirect,
    ];

    /// What it is called in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimeOut => "time-out",
            Self::Reset => "reset",
            Self::LostAnswer => "lost-answer",
            Self::TooMany => "429 with Retry-After",
            Self::Unavailable => "503 with Retry-After",
            Self::Failing => "500",
            Self::Unauthorized => "401",
            Self::Invalid => "422",
            Self::Html => "a page of HTML",
            Self::Cut => "an answer cut short",
            Self::Huge => "a huge answer",
            Self::Redirect => "a redirect elsewhere",
        }
    }

    /// Whether the request reaches the outside system first.
    #[must_use]
    pub const fn takes_effect(self) -> bool {
        matches!(self, Self::LostAnswer | Self::Cut)
    }

    /// Whether nothing follows from the answer of a read, so that no write may follow either.
    #[must_use]
    pub const fn blinds(self) -> bool {
        !matches!(self, Self::Redirect)
    }

    /// Whether it can be tried on a request.
    #[must_use]
    pub const fn fits(self, moment: Moment) -> bool {
        match self {
            Self::LostAnswer => moment.writes,
            _ => true,
        }
    }

    /// What the contract makes of it.
    #[must_use]
    pub const fn expected(self, moment: Moment) -> Expected {
        match self {
            Self::TimeOut | Self::Reset | Self::LostAnswer | Self::Failing => lost(moment, &HARMLESS_OUTCOMES),
            Self::Huge => lost(moment, &["retry", "unavailable", "unknown", "reject"]),
            Self::TooMany | Self::Unavailable => busy(matches!(self, Self::TooMany), moment),
            Self::Unauthorized | Self::Invalid => refused(matches!(self, Self::Invalid), moment),
            Self::Html => nonsense(moment, &["unknown"], FOREIGN),
            Self::Cut => nonsense(moment, &["ok", "unknown"], UNREAD),
            Self::Redirect => plain(
                &["unavailable", "retry", "reject", "unknown", "unauthorized"],
                "a redirect is an answer and no success; it is never followed",
            ),
        }
    }
}

const HARMLESS_OUTCOMES: [&str; 3] = ["retry", "unavailable", "unknown"];

const fn plain(outcomes: &'static [&'static str], look_at: &'static str) -> Expected {
    Expected { outcomes, after: false, look_at }
}

/// There is no answer that could be read, and the request may have been done.
const fn lost(moment: Moment, where_harmless: &'static [&'static str]) -> Expected {
    match moment {
        Moment { writes: true, .. } => plain(&["unknown"], LOST),
        Moment { earlier: true, .. } => plain(&["unknown"], EARLIER),
        _ => plain(where_harmless, HARMLESS),
    }
}

/// The outside system says that it has done nothing, and until when.
const fn busy(too_many: bool, moment: Moment) -> Expected {
    if moment.earlier {
        return plain(&["unknown"], EARLIER);
    }
    let look_at = "the outside system has done nothing and asks to be left alone for a while: `retry` with `after-ms` \
                   from `Retry-After`";
    let outcomes: &'static [&'static str] = if too_many { &["retry"] } else { &HARMLESS_OUTCOMES };
    Expected { outcomes, after: true, look_at }
}

/// The outside system refuses the credentials or the input.
const fn refused(invalid: bool, moment: Moment) -> Expected {
    match (invalid, moment) {
        (false, Moment { earlier: true, .. }) => plain(&["unauthorized", "unknown"], EARLIER),
        (false, _) => plain(&["unauthorized"], "401 is about the hub's credentials: `unauthorized`"),
        (true, Moment { writes: true, .. }) => plain(
            &["reject", "unknown"],
            "422 never gets better by repeating it: `reject`, with the field where the answer names one",
        ),
        (true, _) => plain(
            &["reject", "unavailable", "unknown"],
            "422 never gets better by repeating it: `reject`, or `unavailable` where the settings are wrong",
        ),
    }
}

/// There is an answer, and it can't be read.
const fn nonsense(moment: Moment, of_a_write: &'static [&'static str], look_at: &'static str) -> Expected {
    match moment {
        Moment { writes: true, .. } => plain(of_a_write, look_at),
        Moment { earlier: true, .. } => plain(&["unknown"], EARLIER),
        _ => plain(&HARMLESS_OUTCOMES, SENSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_may_have_had_an_effect_may_be_called_harmless() {
        for fault in [Fault::TimeOut, Fault::Reset, Fault::LostAnswer, Fault::Failing, Fault::Huge] {
            for moment in [Moment { earlier: true, writes: false }, Moment { earlier: false, writes: true }] {
                assert_eq!(fault.expected(moment).outcomes, ["unknown"], "{fault:?} {moment:?}");
            }
        }
    }

    #[test]
    fn an_answer_is_right_only_where_a_write_was_taken() {
        for fault in Fault::ALL {
            for (earlier, writes) in [(false, false), (true, false), (false, true), (true, true)] {
                let right = fault.expected(Moment { earlier, writes }).outcomes.contains(&"ok");
                assert_eq!(right, writes && fault == Fault::Cut, "{fault:?}");
            }
        }
    }
}
