//! Which attributes a filter may name, and of which type they are.

use std::fmt;

use super::expression::Named;

/// Of which type an attribute is, which decides what it may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text, compared without case and by NFC.
    Text,
    /// Text in which every byte counts, such as an organisation's id.
    Exact,
    /// True or false.
    Bool,
    /// A date or a moment, compared as instants.
    Instant,
    /// Has attributes of its own: it can only be present.
    Complex,
}

/// An attribute that a schema knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known<A> {
    /// Which one.
    pub attribute: A,
    /// Its type.
    pub of: Type,
    /// Whether it has several values.
    pub many: bool,
}

/// Who writes the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A caller of the API: RFC 7644, and `contain` for `co`.
    Api,
    /// A policy: also bare words as strings, `{client}`, and `contain` on a list as membership.
    Policy,
}

/// The attributes that a parser accepts.
pub trait Schema {
    /// How they are told apart.
    type Attribute: Copy + PartialEq;

    /// The dialect that goes with them.
    fn dialect(&self) -> Dialect;

    /// The attribute at `path`, whose case makes no difference.
    fn resolve(&mut self, path: &str) -> Option<Known<Self::Attribute>>;

    /// The attributes directly below a complex one.
    fn below(&self, attribute: Self::Attribute) -> Vec<Known<Self::Attribute>>;

    /// What `{name}` stands for.
    fn variable(&self, name: &str) -> Option<Self::Attribute>;

    /// The accepted paths, for an error.
    fn accepted(&self) -> String;
}

macro_rules! attributes {
    ($($variant:ident $path:literal $of:ident $many:literal,)+) => {
        /// An attribute of a client that filters may name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Attribute {
            $(#[doc = concat!("`", $path, "`")] $variant,)+
        }

        impl Attribute {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As it is written.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => $path,)+ }
            }

            /// What is known of it.
            #[must_use]
            pub const fn known(self) -> Known<Self> {
                match self {
                    $(Self::$variant => Known { attribute: self, of: Type::$of, many: $many },)+
                }
            }
        }
    };
}

attributes! {
    Reference "reference" Text false,
    Name "name" Text false,
    Kind "kind" Text false,
    Status "status" Text false,
    Email "email" Text false,
    Phone "phone" Text false,
    Segment "segment" Text false,
    Language "language" Text false,
    Tags "tags" Text true,
    AssignedTo "assignedTo" Text true,
    Starred "starred" Bool false,
    ExternalReference "externalReference" Text false,
    KycStatus "kyc.status" Text false,
    Address "address" Complex false,
    Line1 "address.line1" Text false,
    Line2 "address.line2" Text false,
    City "address.city" Text false,
    Region "address.region" Text false,
    PostalCode "address.postalCode" Text false,
    Country "address.country" Text false,
    Corporate "corporate" Complex false,
    LegalName "corporate.legalName" Text false,
    RegistrationNumber "corporate.registrationNumber" Text false,
    Lei "corporate.lei" Text false,
    TaxId "corporate.taxId" Text false,
    Industry "corporate.industry" Text false,
    IncorporatedOn "corporate.incorporatedOn" Instant false,
    Contacts "corporate.contacts" Complex true,
    ContactName "corporate.contacts.name" Text true,
    ContactRole "corporate.contacts.role" Text true,
    ContactEmail "corporate.contacts.email" Text true,
    ContactPhone "corporate.contacts.phone" Text true,
    Individual "individual" Complex false,
    GivenName "individual.givenName" Text false,
    FamilyName "individual.familyName" Text false,
    DateOfBirth "individual.dateOfBirth" Instant false,
    Nationality "individual.nationality" Text false,
    NationalId "individual.nationalId" Text false,
    CreatedAt "createdAt" Instant false,
    UpdatedAt "updatedAt" Instant false,
}

impl Attribute {
    /// The attribute at `path`, whose case makes no difference (RFC 7644, section 3.4.2.2).
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.path().eq_ignore_ascii_case(path))
    }

    /// The simple attributes below a complex one.
    pub fn below(self) -> impl Iterator<Item = Self> {
        let inside = move |path: &str| path.strip_prefix(self.path()).is_some_and(|rest| rest.starts_with('.'));
        let all = Self::ALL.iter().copied();
        all.filter(move |known| inside(known.path()) && known.known().of != Type::Complex)
    }
}

impl Named for Attribute {
    fn write(self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self.path())
    }
}

/// A client's attributes, as callers of the API may name them.
pub(super) struct ClientSchema;

impl Schema for ClientSchema {
    type Attribute = Attribute;

    fn dialect(&self) -> Dialect {
        Dialect::Api
    }

    fn resolve(&mut self, path: &str) -> Option<Known<Attribute>> {
        Attribute::at(path).map(Attribute::known)
    }

    fn below(&self, attribute: Attribute) -> Vec<Known<Attribute>> {
        attribute.below().map(Attribute::known).collect()
    }

    fn variable(&self, _name: &str) -> Option<Attribute> {
        None
    }

    fn accepted(&self) -> String {
        let paths: Vec<&str> = Attribute::ALL.iter().map(|known| known.path()).collect();
        paths.join(", ")
    }
}
