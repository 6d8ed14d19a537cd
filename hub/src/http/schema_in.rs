//! The documents that come in, as the contract describes them. They are read by `domain::validate`, which knows more
//! than a schema can say; what is here must not promise less strictness than that.
//! The patterns keep control characters (C0, DEL, C1) out, and white space from the beginning.
#![allow(dead_code, reason = "they are described, never made")]

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::parked::ParkedFilter;

/// A client as callers write it.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ClientInput {
    /// A business.
    Corporate(Box<CorporateClient>),
    /// A person.
    Individual(Box<IndividualClient>),
}

/// A label.
#[derive(Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 40, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
pub struct Tag(String);

/// A member's id.
#[derive(Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 255, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
pub struct MemberId(String);

macro_rules! client_input {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
                pub struct $name {
            $($(#[$field_doc])* $field: $type,)*
            /// An e-mail address.
            #[schema(format = "email", max_length = 254, example = "ops@meridian.example")]
            email: Option<String>,
            /// A number valid for its country, E.164.
            #[schema(pattern = r"^\+[1-9][0-9]{6,14}$", example = "+442079460000")]
            phone: Option<String>,
            /// The postal address.
            address: Option<AddressInput>,
            /// The market segment.
            #[schema(min_length = 1, max_length = 40, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$", example = "sme")]
            segment: Option<String>,
            /// A known language, BCP 47.
            #[schema(max_length = 35, example = "en")]
            language: Option<String>,
            /// Labels.
            #[schema(max_items = 50, example = json!(["priority"]))]
            tags: Option<Vec<Tag>>,
            /// The members who look after the client; only RP001 may change them.
            #[schema(max_items = 50, example = json!(["m-204"]))]
            assigned_to: Option<Vec<MemberId>>,
            /// The caller's own reference, unique in the organisation, never to be changed.
            #[schema(min_length = 1, max_length = 100, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
            external_reference: Option<String>,
            /// `active` or `suspended`, to move between the two (CL004); ignored by CL003.
            #[schema(example = "active")]
            status: Option<crate::domain::client::Status>,
            /// Why the status changes.
            #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
            status_reason: Option<String>,
        }
    };
}

client_input! {
    /// A business as callers write it.
    CorporateClient {
        /// `corporate`.
        #[schema(pattern = "^corporate$", example = "corporate")]
        kind: String,
        /// The display name.
        #[schema(min_length = 1, max_length = 200, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$", example = "Meridian Freight Ltd")]
        name: String,
        /// What only a business has.
        corporate: CorporateInput,
    }
}

client_input! {
    /// A person as callers write it.
    IndividualClient {
        /// `individual`.
        #[schema(pattern = "^individual$", example = "individual")]
        kind: String,
        /// Made of the two names; when sent, it must equal them joined with a space.
        #[schema(read_only)]
        name: Option<String>,
        /// What only a person has.
        individual: IndividualInput,
    }
}

/// What only a business has.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CorporateInput {
    /// The registered name.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "Meridian Freight Limited"
    )]
    legal_name: String,
    /// The number in the companies' register.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "08123456"
    )]
    registration_number: String,
    /// Legal Entity Identifier (ISO 17442), with the right check digits.
    #[schema(pattern = "^[0-9A-Z]{18}[0-9]{2}$", example = "5493001KJTIIGC8Y1R12")]
    lei: Option<String>,
    /// Tax or VAT number.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "GB123456789"
    )]
    tax_id: Option<String>,
    /// ISIC or NACE digits.
    #[schema(pattern = "^[0-9]{2,6}$", example = "4941")]
    industry: Option<String>,
    /// When it was registered; not in the future.
    incorporated_on: Option<NaiveDate>,
    /// People to speak to.
    #[schema(max_items = 50)]
    contacts: Option<Vec<ContactInput>>,
}

/// A person to speak to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContactInput {
    /// The person's name.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    name: String,
    /// For example `signatory`.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "signatory"
    )]
    role: Option<String>,
    /// An e-mail address.
    #[schema(format = "email", max_length = 254)]
    email: Option<String>,
    /// A number valid for its country, E.164.
    #[schema(pattern = r"^\+[1-9][0-9]{6,14}$")]
    phone: Option<String>,
}

/// What only a person has.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IndividualInput {
    /// Given names.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "Ada"
    )]
    given_name: String,
    /// Family name.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "Byron"
    )]
    family_name: String,
    /// In the past, and not before 1900.
    #[schema(example = "1990-12-10")]
    date_of_birth: NaiveDate,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$", example = "GB")]
    nationality: String,
    /// The number in the register of persons of `nationality`.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "QQ123456C"
    )]
    national_id: String,
}

/// A postal address.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressInput {
    /// Street and number.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    line1: Option<String>,
    /// More of the same.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    line2: Option<String>,
    /// City or town.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "London"
    )]
    city: Option<String>,
    /// State, county or region.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    region: Option<String>,
    /// Postal code.
    #[schema(
        min_length = 1,
        max_length = 40,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "EC1A 1BB"
    )]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$", example = "GB")]
    country: Option<String>,
}

/// CL005.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveRequest {
    /// Why.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// CL008.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StarRequest {
    /// To set it; left out it toggles.
    starred: Option<bool>,
}

/// CL010.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LockRequest {
    /// Which device.
    #[schema(example = "DV-01JD3ZB2W6M8C4H0R7TQ5X9KVN")]
    device: String,
    /// Lock or unlock.
    locked: bool,
    /// Why.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// CL011.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferRequest {
    /// Which device.
    #[schema(example = "DV-01JD3ZB2W6M8C4H0R7TQ5X9KVN")]
    device: String,
    /// The client that owns it.
    #[schema(example = "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE")]
    from: String,
    /// The client that is to own it.
    #[schema(example = "CL-01JD3Z9Q0V3C6Y8A5M1E7N4TKD")]
    to: String,
    /// Why.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// CL012.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateRequest {
    /// Which device.
    #[schema(example = "DV-01JD3ZB2W6M8C4H0R7TQ5X9KVN")]
    device: String,
    /// Activate or deactivate.
    active: bool,
    /// Why.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// CL013.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPinRequest {
    /// Which device.
    #[schema(example = "DV-01JD3ZB2W6M8C4H0R7TQ5X9KVN")]
    device: String,
    /// Why.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// CX004.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// Approve or reject.
    decision: ReviewDecision,
    /// Why.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// CX031 on one delivery.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// Why; to discard needs one.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
}

/// CX031 on all that match.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecisionsRequest {
    /// Which deliveries; an empty one means all of them.
    filter: ParkedFilter,
    /// Why; to discard needs one, unless it is a dry run.
    #[schema(max_length = 500, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    reason: Option<String>,
    /// Only say what would be met.
    dry_run: Option<bool>,
}

/// CX022.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReloadRequest {
    /// The digest of a component that may do more than the one that is loaded.
    #[schema(
        pattern = "^sha256:[0-9a-f]{64}$",
        example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    confirm: Option<String>,
    /// Only ask the component beside the one that is loaded, for so many calls of functions that read.
    #[schema(minimum = 1, maximum = 100_000, example = 20)]
    shadow: Option<u32>,
}

/// CX041.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainRequest {
    /// The member's id.
    #[schema(example = "m-204")]
    member: String,
    /// The member's organisation.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "demo")]
    org: String,
    /// The member's roles.
    #[schema(max_items = 200, example = json!(["RP002"]))]
    roles: Option<Vec<String>>,
    /// The references that the token assigns to the member.
    #[schema(max_items = 200)]
    clients: Option<Vec<String>>,
    /// How the organisation's Backoffice subscription stands; left out it is active.
    #[schema(example = "active")]
    subscription: Option<String>,
    /// What the member would do.
    #[schema(example = "CL004")]
    action: String,
    /// To which client.
    #[schema(example = "CL-01JD3Z8M5Q4T7N2V9XKB6R0WYE")]
    client: Option<String>,
    /// Whom a client that is not there would be assigned to.
    #[schema(max_items = 200)]
    assigned_to: Option<Vec<String>>,
}

/// What a review may decide.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReviewDecision {
    /// The client passes.
    Approve,
    /// The client is refused.
    Reject,
}

/// CX003.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentForm {
    /// For example `passport`.
    #[serde(rename = "type")]
    #[schema(
        min_length = 1,
        max_length = 60,
        pattern = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "passport"
    )]
    document_type: String,
    /// PDF, JPEG or PNG, 20 MiB at most.
    #[schema(content_media_type = "application/octet-stream", value_type = String, format = Binary)]
    file: Vec<u8>,
}
