//! The actions: the thirteen of the specification, and what the product adds, which begins with `CX`.

use std::fmt;

macro_rules! actions {
    ($($code:ident $name:literal,)+) => {
        /// What a member asks to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $name] $code,)+
        }

        impl Action {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// The code, as it stands in policies, journal and problems.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)+ }
            }

            /// The name, for people.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)+ }
            }
        }
    };
}

actions! {
    CL001 "List clients",
    CL002 "View client details",
    CL003 "Create client",
    CL004 "Update client profile",
    CL005 "Archive client",
    CL006 "List client accounts",
    CL007 "Client device list",
    CL008 "Toggle client favourites",
    CL009 "Search clients",
    CL010 "(Un)lock client device",
    CL011 "Transfer client device",
    CL012 "(De)activate client device",
    CL013 "Reset device PIN",
    CX001 "View client history",
    CX002 "List client documents",
    CX003 "Hand in a client document",
    CX004 "Decide a client review",
    CX010 "Follow events",
    CX020 "View the supervisor tree",
    CX021 "View adapters",
    CX022 "Reload an adapter",
    CX030 "View parked deliveries",
    CX031 "Retry or discard parked deliveries",
    CX040 "View policies",
    CX041 "Explain a decision",
}

impl Action {
    /// The action with that code, in capitals.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == code)
    }

    /// Whether it touches what belongs to no single organisation, so that only members of the operating one may.
    #[must_use]
    pub fn is_operation(self) -> bool {
        self >= Self::CX020
    }

    /// Whether it answers with many clients: a condition about the client then narrows the rows, not the action.
    #[must_use]
    pub const fn is_listing(self) -> bool {
        matches!(self, Self::CL001 | Self::CL009)
    }

    /// Its place in [`Action::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Action;

    #[test]
    fn codes_are_read_back_and_keep_their_place() {
        for (index, action) in Action::ALL.iter().enumerate() {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
            assert_eq!(action.index(), index);
            let operation = action.as_str() >= "CX020";
            assert_eq!(action.is_operation(), operation, "{action}");
        }
        assert_eq!(Action::parse("cl001"), None);
    }
}
