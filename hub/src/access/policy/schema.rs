//! What conditions may speak of: the organisation, the role at hand, the member and the client.

use super::recalled::Recalled;
use crate::access::caller::Caller;
use crate::domain::filter::{Attribute, Attributes, Dialect, Known, Schema, Type, Value};

/// How many different subscriptions conditions may name.
const MAX_APPS: usize = 1000;

/// An attribute that a condition may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// `org.id`
    Org,
    /// `org.apps.<name>`, by its place in [`PolicySchema::apps`].
    App(u16),
    /// `role`: the role that the condition is asked for.
    Role,
    /// `member.id`
    Member,
    /// `member.roles`
    MemberRoles,
    /// `member.clients`: those of the token, and those whose `assignedTo` names the member.
    MemberClients,
    /// `{client}`
    Target,
    /// `client.<attribute>`
    Client(Attribute),
}

/// The attributes of conditions; collects the subscriptions that they name.
#[derive(Debug, Default)]
pub(super) struct PolicySchema {
    pub(super) apps: Vec<String>,
}

impl PolicySchema {
    fn app(&mut self, name: &str) -> Option<Subject> {
        if name.is_empty() || name.contains('.') || self.apps.len() >= MAX_APPS {
            return None;
        }
        let known = self.apps.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.apps.push(name.to_owned());
            self.apps.len() - 1
        });
        u16::try_from(index).ok().map(Subject::App)
    }

    /// The path of an attribute, for people.
    pub(super) fn path(&self, subject: Subject) -> String {
        match subject {
            Subject::Org => "org.id".to_owned(),
            Subject::App(index) => format!("org.apps.{}", self.apps.get(usize::from(index)).map_or("", String::as_str)),
            Subject::Role => "role".to_owned(),
            Subject::Member => "member.id".to_owned(),
            Subject::MemberRoles => "member.roles".to_owned(),
            Subject::MemberClients => "member.clients".to_owned(),
            Subject::Target => "{client}".to_owned(),
            Subject::Client(attribute) => format!("client.{}", attribute.path()),
        }
    }
}

fn client(known: Known<Attribute>) -> Known<Subject> {
    Known { attribute: Subject::Client(known.attribute), of: known.of, many: known.many }
}

impl Schema for PolicySchema {
    type Attribute = Subject;

    fn dialect(&self) -> Dialect {
        Dialect::Policy
    }

    fn resolve(&mut self, path: &str) -> Option<Known<Subject>> {
        let lower = path.to_ascii_lowercase();
        let (attribute, many) = match lower.as_str() {
            "org.id" => (Subject::Org, false),
            "role" => (Subject::Role, false),
            "member.id" => (Subject::Member, false),
            "member.roles" => (Subject::MemberRoles, true),
            "member.clients" => (Subject::MemberClients, true),
            _ => {
                if lower.starts_with("org.apps.") {
                    return Some(Known { attribute: self.app(path.get(9..)?)?, of: Type::Exact, many: false });
                }
                // Whether a client is starred depends on who looks; rights do not.
                let attribute = Attribute::at(lower.strip_prefix("client.")?)?;
                return (attribute != Attribute::Starred).then(|| client(attribute.known()));
            }
        };
        Some(Known { attribute, of: Type::Exact, many })
    }

    fn below(&self, attribute: Subject) -> Vec<Known<Subject>> {
        match attribute {
            Subject::Client(attribute) => attribute.below().map(|below| client(below.known())).collect(),
            _ => Vec::new(),
        }
    }

    fn variable(&self, name: &str) -> Option<Subject> {
        (name == "client").then_some(Subject::Target)
    }

    fn accepted(&self) -> String {
        let clients = Attribute::ALL.iter().filter(|attribute| **attribute != Attribute::Starred);
        let clients: Vec<String> = clients.map(|attribute| format!("client.{}", attribute.path())).collect();
        format!("org.id, org.apps.<name>, role, member.id, member.roles, member.clients, {}", clients.join(", "))
    }
}

impl Subject {
    /// Whether it speaks of the client that is acted on.
    pub(super) const fn is_of_client(self) -> bool {
        matches!(self, Self::Client(_) | Self::Target | Self::MemberClients)
    }
}

/// The client that is acted on, as far as it is known.
#[derive(Clone, Copy, Default)]
pub(in crate::access) struct View<'a> {
    pub(in crate::access) reference: Option<&'a str>,
    pub(in crate::access) row: Option<&'a dyn Attributes<Attribute>>,
    /// Set where a recorded decision is made again.
    pub(super) recalled: Option<&'a Recalled<'a>>,
}

impl<'a> View<'a> {
    /// A client by its reference, and what is known of it.
    pub(in crate::access) const fn of(reference: Option<&'a str>, row: Option<&'a dyn Attributes<Attribute>>) -> Self {
        Self { reference, row, recalled: None }
    }

    /// A row of a list, which knows its reference.
    pub(in crate::access) fn row(row: &'a dyn Attributes<Attribute>) -> Self {
        let reference = match row.get(Attribute::Reference) {
            Value::Text(reference) => Some(reference),
            _ => None,
        };
        Self::of(reference, Some(row))
    }

    /// Whether the client's `assignedTo` names the member.
    fn is_assigned_to(self, member: &str) -> bool {
        self.row.is_some_and(|row| row.any(Attribute::AssignedTo, &mut |value| value == Value::Text(member)))
    }
}

/// What conditions are evaluated over.
pub(super) struct Scope<'a> {
    pub(super) caller: &'a Caller,
    pub(super) role: Option<&'a str>,
    pub(super) view: View<'a>,
    pub(super) schema: &'a PolicySchema,
}

impl Attributes<Subject> for Scope<'_> {
    fn get(&self, subject: Subject) -> Value<'_> {
        let found = match subject {
            Subject::Org => Some(self.caller.org()),
            Subject::Member => Some(self.caller.member()),
            Subject::Role => self.role,
            Subject::Target => self.view.reference,
            Subject::App(index) => self.schema.apps.get(usize::from(index)).and_then(|app| self.caller.app(app)),
            Subject::Client(attribute) => return self.view.row.map_or(Value::Missing, |row| row.get(attribute)),
            Subject::MemberRoles | Subject::MemberClients => None,
        };
        found.map_or(Value::Missing, Value::Text)
    }

    fn any(&self, subject: Subject, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        match subject {
            Subject::MemberRoles => self.caller.roles().iter().any(|role| test(Value::Text(role))),
            Subject::MemberClients => {
                self.view.recalled.into_iter().for_each(Recalled::looks_at_clients);
                let assigned = self.view.reference.filter(|_| self.view.is_assigned_to(self.caller.member()));
                let token = self.caller.clients().iter().map(String::as_str);
                token.chain(assigned).any(|client| test(Value::Text(client)))
            }
            Subject::Client(attribute) => self.view.row.is_some_and(|row| row.any(attribute, test)),
            _ => false,
        }
    }

    fn any_element(&self, subject: Subject, test: &mut dyn FnMut(&dyn Attributes<Subject>) -> bool) -> bool {
        let (Subject::Client(attribute), Some(row)) = (subject, self.view.row) else { return false };
        row.any_element(attribute, &mut |element| test(&Element(element)))
    }

    /// Of a client that is not there nothing is known: who may see it where something is absent must not learn that way
    /// that it exists.
    fn is_known(&self, subject: Subject) -> bool {
        self.view.row.is_some() || !matches!(subject, Subject::Client(_))
    }

    fn has(&self, subject: Subject, text: &str) -> Option<bool> {
        if subject != Subject::MemberClients {
            return None;
        }
        let is_target = self.view.reference == Some(text);
        if !is_target {
            self.view.recalled.into_iter().for_each(Recalled::looks_at_clients);
        }
        let assigned = || is_target && self.view.is_assigned_to(self.caller.member());
        Some(self.caller.has_client(text) || assigned())
    }
}

/// An element of one of the client's lists, such as a contact.
struct Element<'a>(&'a dyn Attributes<Attribute>);

impl Attributes<Subject> for Element<'_> {
    fn get(&self, subject: Subject) -> Value<'_> {
        if let Subject::Client(attribute) = subject { self.0.get(attribute) } else { Value::Missing }
    }

    fn any(&self, _subject: Subject, _test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        false
    }

    fn any_element(&self, _subject: Subject, _test: &mut dyn FnMut(&dyn Attributes<Subject>) -> bool) -> bool {
        false
    }
}
