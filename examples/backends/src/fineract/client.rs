//! A Fineract client: its fields, its life cycle, and its JSON.

use chrono::{Datelike, NaiveDate};
use serde_json::{Map, Value, json};

use super::accounts::Account;

pub(super) const OFFICE: &str = "Head Office";

/// Where a client stands; the numbers and codes are Fineract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Active,
    Closed,
    Rejected,
    Withdrawn,
}

impl Status {
    fn json(self) -> Value {
        let (id, code, value) = match self {
            Status::Pending => (100, "clientStatusType.pending", "Pending"),
            Status::Active => (300, "clientStatusType.active", "Active"),
            Status::Closed => (600, "clientStatusType.closed", "Closed"),
            Status::Rejected => (700, "clientStatusType.rejected", "Rejected"),
            Status::Withdrawn => (800, "clientStatusType.withdraw", "Withdrawn"),
        };
        json!({"id": id, "code": code, "value": value})
    }
}

/// What a request may set, and an update may change one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Profile {
    pub legal_form: i64,
    pub firstname: Option<String>,
    pub middlename: Option<String>,
    pub lastname: Option<String>,
    pub fullname: Option<String>,
    pub mobile_no: Option<String>,
    pub email_address: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub non_person: Option<Value>,
}

impl Profile {
    fn display_name(&self) -> String {
        match &self.fullname {
            Some(fullname) => fullname.clone(),
            None => [&self.firstname, &self.middlename, &self.lastname]
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    fn fields(&self) -> Map<String, Value> {
        let texts = [
            ("firstname", &self.firstname),
            ("middlename", &self.middlename),
            ("lastname", &self.lastname),
            ("fullname", &self.fullname),
            ("mobileNo", &self.mobile_no),
            ("emailAddress", &self.email_address),
        ];
        let mut fields: Map<String, Value> =
            texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?)))).collect();
        if let Some(date) = self.date_of_birth {
            fields.insert("dateOfBirth".to_owned(), days(date));
        }
        if let Some(details) = &self.non_person {
            fields.insert("clientNonPersonDetails".to_owned(), details.clone());
        }
        fields.insert("legalFormId".to_owned(), json!(self.legal_form));
        fields
    }

    /// What an update from `self` to `to` changed, as Fineract answers it.
    pub fn changes(&self, to: &Profile) -> Map<String, Value> {
        let (old, new) = (self.fields(), to.fields());
        let removed = old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name.clone(), Value::Null));
        let set = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
        set.map(|(name, value)| (name.clone(), value.clone())).chain(removed).collect()
    }
}

/// One client.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub id: usize,
    pub external_id: Option<String>,
    pub office_id: i64,
    pub profile: Profile,
    pub status: Status,
    pub submitted_on: NaiveDate,
    pub activated_on: Option<NaiveDate>,
    pub closed_on: Option<NaiveDate>,
    pub accounts: Vec<Account>,
}

impl Client {
    /// As `GET /clients/{id}` answers it.
    pub fn json(&self) -> Value {
        let mut fields = self.profile.fields();
        fields.remove("legalFormId");
        let legal_form = match self.profile.legal_form {
            2 => json!({"id": 2, "code": "legalFormType.entity", "value": "Entity"}),
            _ => json!({"id": 1, "code": "legalFormType.person", "value": "Person"}),
        };
        let mut timeline = json!({"submittedOnDate": days(self.submitted_on), "submittedByUsername": "mifos"});
        if let (Some(date), Some(timeline)) = (self.activated_on, timeline.as_object_mut()) {
            timeline.insert("activatedOnDate".to_owned(), days(date));
            fields.insert("activationDate".to_owned(), days(date));
        }
        if let (Some(date), Some(timeline)) = (self.closed_on, timeline.as_object_mut()) {
            timeline.insert("closedOnDate".to_owned(), days(date));
        }
        let own = json!({
            "id": self.id, "accountNo": format!("{:09}", self.id), "externalId": self.external_id,
            "status": self.status.json(), "subStatus": {"active": false, "mandatory": false},
            "active": self.status == Status::Active, "displayName": self.profile.display_name(),
            "officeId": self.office_id, "officeName": OFFICE, "isStaff": false, "legalForm": legal_form,
            "timeline": timeline, "groups": [],
        });
        if let Value::Object(own) = own {
            fields.extend(own);
        }
        Value::Object(fields)
    }

    /// As `GET /clients/{id}/accounts` answers it: a list that is empty is left out.
    pub fn accounts_json(&self) -> Value {
        if self.accounts.is_empty() {
            return json!({});
        }
        json!({"savingsAccounts": self.accounts.iter().map(Account::json).collect::<Vec<_>>()})
    }

    /// What a command answers.
    pub fn receipt(&self) -> Map<String, Value> {
        let receipt = json!({"officeId": self.office_id, "clientId": self.id, "resourceId": self.id,
                             "resourceExternalId": self.external_id});
        match receipt {
            Value::Object(receipt) => receipt,
            _ => Map::new(),
        }
    }
}

/// A date as Fineract writes it.
pub(super) fn days(date: NaiveDate) -> Value {
    json!([date.year(), date.month(), date.day()])
}
