//! Savings accounts as a client's summary shows them.

use chrono::NaiveDate;
use rand::RngExt;
use serde_json::{Number, Value, json};

use crate::chance;

use super::client::days;

/// Products, with the currency and its name.
const PRODUCTS: [(&str, &str, &str, &str); 3] = [
    ("Current Account", "CUR", "GBP", "Pound Sterling"),
    ("Savings Account", "SAV", "GBP", "Pound Sterling"),
    ("Euro Account", "EUR", "EUR", "Euro"),
];

/// One savings account.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub id: u64,
    product: usize,
    /// The balance in hundredths of the currency.
    pub hundredths: i64,
    opened_on: NaiveDate,
}

/// The one or two accounts that are opened for an activated client; about one in four is empty.
pub(super) fn open(seed: u64, reference: &str, opened_on: NaiveDate, last_id: &mut u64) -> Vec<Account> {
    let mut chance = chance::about(seed, "fineract.accounts", reference);
    let number = chance.random_range(1..=2);
    let first = chance.random_range(0..PRODUCTS.len());
    (0..number)
        .map(|n| {
            *last_id += 1;
            let hundredths = if chance.random_ratio(1, 4) { 0 } else { chance.random_range(100..500_000_000) };
            Account { id: *last_id, product: (first + n) % PRODUCTS.len(), hundredths, opened_on }
        })
        .collect()
}

impl Account {
    /// As in a client's account summary.
    pub fn json(&self) -> Value {
        let (name, short, currency, currency_name) = PRODUCTS.get(self.product).copied().unwrap_or(("", "", "", ""));
        // Exact enough: no balance here has more than 15 digits.
        let balance = Number::from_f64(self.hundredths as f64 / 100.0);
        json!({
            "id": self.id, "accountNo": format!("{:09}", self.id), "productId": self.product + 1,
            "productName": name, "shortProductName": short,
            "status": {"id": 300, "code": "savingsAccountStatusType.active", "value": "Active",
                       "submittedAndPendingApproval": false, "approved": false, "rejected": false,
                       "withdrawnByApplicant": false, "active": true, "closed": false,
                       "prematureClosed": false, "transferInProgress": false, "transferOnHold": false, "matured": false},
            "currency": {"code": currency, "name": currency_name, "decimalPlaces": 2, "inMultiplesOf": 1,
                         "displaySymbol": currency, "nameCode": format!("currency.{currency}"),
                         "displayLabel": format!("{currency_name} ({currency})")},
            "accountBalance": balance,
            "accountType": {"id": 1, "code": "accountType.individual", "value": "Individual"},
            "depositType": {"id": 100, "code": "depositAccountType.savingsDeposit", "value": "Savings"},
            "timeline": {"submittedOnDate": days(self.opened_on), "approvedOnDate": days(self.opened_on),
                         "activatedOnDate": days(self.opened_on)},
        })
    }
}
