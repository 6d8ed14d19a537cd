//! What changes a Fineract client: create, update, and the commands of its life cycle.

use chrono::{NaiveDate, Utc};
use serde_json::{Map, Value, json};

use crate::call::Call;

use super::client::{Client, Profile, Status};
use super::errors::{ParameterError, Refusal};
use super::input::Body;
use super::lifecycle::Command;
use super::{Fineract, State, accounts};

const CREATE_PARAMETERS: [&str; 26] = [
    "familyMembers",
    "address",
    "locale",
    "dateFormat",
    "groupId",
    "accountNo",
    "externalId",
    "mobileNo",
    "emailAddress",
    "firstname",
    "middlename",
    "lastname",
    "fullname",
    "officeId",
    "active",
    "activationDate",
    "staffId",
    "submittedOnDate",
    "savingsProductId",
    "dateOfBirth",
    "genderId",
    "clientTypeId",
    "clientClassificationId",
    "clientNonPersonDetails",
    "legalFormId",
    "isStaff",
];
const UPDATE_PARAMETERS: [&str; 20] = [
    "locale",
    "dateFormat",
    "accountNo",
    "externalId",
    "mobileNo",
    "emailAddress",
    "firstname",
    "middlename",
    "lastname",
    "fullname",
    "active",
    "activationDate",
    "submittedOnDate",
    "savingsProductId",
    "dateOfBirth",
    "genderId",
    "clientTypeId",
    "clientClassificationId",
    "clientNonPersonDetails",
    "legalFormId",
];

impl Fineract {
    pub(super) fn create(&self, state: &mut State, call: &Call, mut body: Body) -> Result<Value, Refusal> {
        body.only(&CREATE_PARAMETERS);
        let office_id = body.required_id("officeId");
        let active = body.required_flag("active");
        body.required_id("legalFormId");
        let mut profile = Profile::default();
        merge(&mut profile, &mut body);
        check_name(&profile, &mut body);
        let today = Utc::now().date_naive();
        let activated_on = active.then(|| body.required_date("activationDate"));
        let submitted_on = body.date("submittedOnDate");
        let submitted_on = submitted_on.unwrap_or(activated_on.map_or(today, |on| on.min(today)));
        check_dates(&mut body, submitted_on, activated_on, today);
        let external_id = body.text("externalId", 100);
        body.done()?;
        if let Some(taken) = external_id.as_deref().filter(|id| state.by_external_id.contains_key(*id)) {
            return Err(Refusal::duplicate("externalId", taken));
        }
        let at = state.clients.len();
        let client = Client {
            id: at + 1,
            external_id,
            office_id,
            profile,
            status: Status::Pending,
            submitted_on,
            activated_on: None,
            closed_on: None,
            accounts: Vec::new(),
        };
        self.effect("client.created", &client, call, true);
        let receipt = client.receipt();
        if let Some(external_id) = &client.external_id {
            state.by_external_id.insert(external_id.clone(), at);
        }
        state.clients.push(client);
        if let Some(on) = activated_on {
            self.transition(state, call, at, (Command::Activate, Status::Active, on));
        }
        Ok(Value::Object(receipt))
    }

    pub(super) fn update(
        &self,
        state: &mut State,
        call: &Call,
        path: &[&str],
        mut body: Body,
    ) -> Result<Value, Refusal> {
        let (at, rest) = state.target(path)?;
        if !rest.is_empty() {
            return Err(Refusal::no_route());
        }
        let client = state.client(at)?;
        body.only(&UPDATE_PARAMETERS);
        let mut profile = client.profile.clone();
        merge(&mut profile, &mut body);
        check_name(&profile, &mut body);
        let external_id = body.text("externalId", 100).or_else(|| client.external_id.clone());
        body.done()?;
        let mut changes = client.profile.changes(&profile);
        if external_id != client.external_id {
            if let Some(taken) = external_id.as_deref().filter(|id| state.by_external_id.contains_key(*id)) {
                return Err(Refusal::duplicate("externalId", taken));
            }
            changes.insert("externalId".to_owned(), json!(external_id));
        }
        Ok(self.apply(state, call, at, Update { profile, external_id, changes }))
    }

    fn apply(&self, state: &mut State, call: &Call, at: usize, update: Update) -> Value {
        let State { clients, by_external_id, .. } = state;
        let Some(client) = clients.get_mut(at) else {
            return Value::Null;
        };
        if update.external_id != client.external_id {
            if let Some(old) = &client.external_id {
                by_external_id.remove(old);
            }
            by_external_id.extend(update.external_id.clone().map(|id| (id, at)));
            client.external_id = update.external_id;
        }
        client.profile = update.profile;
        self.effect("client.updated", client, call, !update.changes.is_empty());
        let mut receipt = client.receipt();
        receipt.insert("changes".to_owned(), Value::Object(update.changes));
        Value::Object(receipt)
    }

    pub(super) fn command(
        &self,
        state: &mut State,
        call: &Call,
        path: &[&str],
        (command, mut body): (Command, Body),
    ) -> Result<Value, Refusal> {
        let (at, rest) = state.target(path)?;
        if !rest.is_empty() {
            return Err(Refusal::no_route());
        }
        let (date, reason) = command.parameters();
        body.only(&[&["locale", "dateFormat", date], reason.as_slice()].concat());
        let on = body.required_date(date);
        if let Some(reason) = reason {
            body.required_id(reason);
        }
        let client = state.client(at)?;
        let next = command.after(client.status)?;
        if command == Command::Activate {
            check_dates(&mut body, client.submitted_on, Some(on), Utc::now().date_naive());
        }
        body.done()?;
        if command == Command::Close && client.activated_on.is_some_and(|activated| on < activated) {
            let code = "error.msg.client.close.date.cannot.before.client.actvation.date";
            return Err(Refusal::rule(
                code.to_owned(),
                "The client closure date cannot be before its activation date.",
            ));
        }
        if command == Command::Close && state.open_accounts_block_close && !client.accounts.is_empty() {
            let message = "Client cannot be closed because of non-closed savings account.";
            return Err(Refusal::rule("error.msg.client.close.non-closed.savings.account".to_owned(), message));
        }
        self.transition(state, call, at, (command, next, on));
        state.client(at).map(Client::receipt).map(Value::Object)
    }

    fn transition(&self, state: &mut State, call: &Call, at: usize, (command, next, on): (Command, Status, NaiveDate)) {
        let State { clients, last_account, .. } = state;
        let Some(client) = clients.get_mut(at) else {
            return;
        };
        client.status = next;
        match command {
            Command::Activate => client.activated_on = Some(on),
            Command::Close => client.closed_on = Some(on),
            Command::Reject | Command::Withdraw | Command::Reactivate => {}
        }
        self.effect(command.effect(), client, call, true);
        if command == Command::Activate && client.accounts.is_empty() {
            let reference = client.external_id.clone().unwrap_or_else(|| client.id.to_string());
            client.accounts = accounts::open(self.seed, &reference, on, last_account);
        }
    }
}

struct Update {
    profile: Profile,
    external_id: Option<String>,
    changes: Map<String, Value>,
}

/// Neither date lies in the future, and nobody is activated before being submitted.
fn check_dates(body: &mut Body, submitted_on: NaiveDate, activated_on: Option<NaiveDate>, today: NaiveDate) {
    let mut fail = |code: &str, message: &str, parameter: &str| {
        body.fail(ParameterError::new(format!("error.msg.clients.{code}"), message, parameter));
    };
    if submitted_on > today {
        fail("submittedOnDate.in.the.future", "Submitted on date cannot be in the future.", "submittedOnDate");
    }
    if activated_on.is_some_and(|on| on > today) {
        fail("activationDate.in.the.future", "Activation date cannot be in the future.", "activationDate");
    }
    if activated_on.is_some_and(|on| on < submitted_on) {
        let message = "submitted date cannot be after the activation date";
        fail("submittedOnDate.after.activation.date", message, "submittedOnDate");
    }
}

/// Takes over what the body names: what is left out stays, `null` and blank text clear it.
fn merge(profile: &mut Profile, body: &mut Body) {
    let texts: [(&str, usize, &mut Option<String>); 6] = [
        ("firstname", 50, &mut profile.firstname),
        ("middlename", 50, &mut profile.middlename),
        ("lastname", 50, &mut profile.lastname),
        ("fullname", 160, &mut profile.fullname),
        ("mobileNo", 50, &mut profile.mobile_no),
        ("emailAddress", 150, &mut profile.email_address),
    ];
    for (name, longest, to) in texts {
        if body.has(name) {
            *to = body.text(name, longest);
        }
    }
    if body.has("dateOfBirth") {
        profile.date_of_birth = body.date("dateOfBirth");
        if profile.date_of_birth.is_some_and(|date| date >= Utc::now().date_naive()) {
            let code = "validation.msg.client.dateOfBirth.is.greater.than.date";
            body.fail(ParameterError::new(code, "The date of birth is not in the past.", "dateOfBirth"));
        }
    }
    if body.has("clientNonPersonDetails") {
        profile.non_person = body.raw("clientNonPersonDetails").cloned();
    }
    if let Some(form) = body.number("legalFormId") {
        if !(1..=2).contains(&form) {
            let code = "validation.msg.client.legalFormId.is.not.within.expected.range";
            body.fail(ParameterError::new(code, "The parameter `legalFormId` must be between 1 and 2.", "legalFormId"));
        }
        profile.legal_form = form;
    }
}

/// Either the full name or its parts, never both.
fn check_name(profile: &Profile, body: &mut Body) {
    let parts = profile.firstname.is_some() || profile.lastname.is_some() || profile.middlename.is_some();
    match (&profile.fullname, parts) {
        (None, false) => {
            let code = "validation.msg.client.id..no.name.details.passed";
            body.fail(ParameterError::new(code, "No name details were passed.", "id"));
        }
        (Some(_), true) => {
            let code = "validation.msg.client.fullname.cannot.be.used.with.individual.name.parts";
            body.fail(ParameterError::new(code, "The full name can't be used with the parts of a name.", "fullname"));
        }
        (None, true) => {
            for (name, part) in [("firstname", &profile.firstname), ("lastname", &profile.lastname)] {
                if part.is_none() {
                    body.fail(ParameterError::blank(name));
                }
            }
        }
        (Some(_), false) => {}
    }
}
