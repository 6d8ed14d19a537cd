//! Accounts: savings (current, fixed and recurring ones among them) and loans, as a client's summary has them.

use adapter_kit::types::Disposition;
use adapter_kit::{Session, below};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Account;
use crate::fineract::{Tenant, success};

/// ISO 4217's code for no currency: older Fineracts leave it out of a loan's summary.
const NO_CURRENCY: &str = "XXX";
const DEFAULT_DECIMALS: usize = 2;
const MOST_DECIMALS: usize = 6;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Summary {
    savings_accounts: Vec<Savings>,
    loan_accounts: Vec<Loan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Savings {
    id: u64,
    status: Named,
    currency: Option<Currency>,
    account_balance: Option<Box<RawValue>>,
    available_balance: Option<Box<RawValue>>,
    deposit_type: Option<Named>,
    #[serde(default)]
    timeline: Timeline,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Loan {
    id: u64,
    status: Named,
    currency: Option<Currency>,
    loan_balance: Option<Box<RawValue>>,
    #[serde(default)]
    timeline: Timeline,
}

#[derive(Deserialize)]
struct Named {
    id: u32,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Currency {
    code: String,
    decimal_places: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Timeline {
    activated_on_date: Option<(i32, u32, u32)>,
    actual_disbursement_date: Option<(i32, u32, u32)>,
}

/// The client's accounts as they are now.
pub fn list(session: &Session<'_>, external_id: &str) -> Result<Vec<Account>, Disposition> {
    let tenant = Tenant::read(session.settings())?;
    let answer = success(session.send(tenant.get(below(&["clients", external_id, "accounts"])?))?)?;
    let summary: Summary = answer.json()?;
    let savings = summary.savings_accounts.into_iter().map(of_savings);
    let accounts: Option<Vec<Account>> = savings.chain(summary.loan_accounts.into_iter().map(of_loan)).collect();
    accounts.ok_or_else(|| answer.nonsense("a balance is not a number"))
}

/// Fineract numbers savings and loans apart, so the kind is part of the id.
fn of_savings(savings: Savings) -> Option<Account> {
    let (currency, decimals) = currency(savings.currency);
    Some(Account {
        id: format!("savings-{}", savings.id),
        account_type: deposit_type(savings.deposit_type.map(|named| named.id)).to_owned(),
        balance: money(savings.account_balance.as_deref(), decimals)?,
        available: match savings.available_balance {
            Some(available) => Some(money(Some(&available), decimals)?),
            None => None,
        },
        currency,
        status: words(&savings.status.value),
        iban: None,
        opened_on: savings.timeline.activated_on_date.and_then(date),
    })
}

fn of_loan(loan: Loan) -> Option<Account> {
    let (currency, decimals) = currency(loan.currency);
    Some(Account {
        id: format!("loan-{}", loan.id),
        account_type: "loan".to_owned(),
        balance: money(loan.loan_balance.as_deref(), decimals)?,
        available: None,
        currency,
        status: words(&loan.status.value),
        iban: None,
        opened_on: loan.timeline.actual_disbursement_date.and_then(date),
    })
}

fn currency(currency: Option<Currency>) -> (String, usize) {
    match currency {
        Some(currency) => (currency.code, currency.decimal_places.unwrap_or(DEFAULT_DECIMALS).min(MOST_DECIMALS)),
        None => (NO_CURRENCY.to_owned(), DEFAULT_DECIMALS),
    }
}

/// Fineract's `depositAccountType`.
fn deposit_type(id: Option<u32>) -> &'static str {
    match id {
        Some(200) => "fixed-deposit",
        Some(300) => "recurring-deposit",
        Some(400) => "current",
        _ => "savings",
    }
}

/// `Submitted and pending approval` → `submitted-and-pending-approval`.
fn words(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

fn date((year, month, day): (i32, u32, u32)) -> Option<String> {
    NaiveDate::from_ymd_opt(year, month, day).map(|date| date.to_string())
}

/// A JSON number as a decimal with at least the currency's places: its own digits, never through a float. Fineract leaves a
/// balance of an account without movements out, or writes null.
fn money(number: Option<&RawValue>, decimals: usize) -> Option<String> {
    let text = match number.map(RawValue::get) {
        None | Some("null") => "0",
        Some(text) => text,
    };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() && decimals == 0 { "" } else { "." };
    let sign = if whole.bytes().chain(fraction.bytes()).all(|digit| digit == b'0') { "" } else { sign };
    Some(format!("{sign}{whole}{dot}{fraction:0<decimals$}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use adapter_kit::testing::Script;
    use serde_json::{Value, json};

    use super::*;

    fn listed(body: Value) -> Result<Vec<Account>, Disposition> {
        list(&Session::new(&Script::new().answer(200, body)), "4711")
    }

    fn amount(text: &str, decimals: usize) -> Option<String> {
        money(Some(&RawValue::from_string(text.to_owned()).unwrap()), decimals)
    }

    #[test]
    fn savings_and_loans_are_listed() {
        let body = json!({
            "savingsAccounts": [{
                "id": 1, "accountNo": "000000001", "productName": "Euro", "status": {"id": 300, "value": "Active"},
                "currency": {"code": "EUR", "decimalPlaces": 2}, "accountBalance": 1234.5, "availableBalance": 1200,
                "depositType": {"id": 100, "value": "Savings"}, "timeline": {"activatedOnDate": [2024, 3, 9]}}],
            "loanAccounts": [{"id": 1, "status": {"id": 100, "value": "Submitted and pending approval"}}],
        });
        let accounts = listed(body).unwrap();
        let savings = Account {
            id: "savings-1".into(),
            account_type: "savings".into(),
            currency: "EUR".into(),
            balance: "1234.50".into(),
            available: Some("1200.00".into()),
            status: "active".into(),
            iban: None,
            opened_on: Some("2024-03-09".into()),
        };
        let loan = Account {
            id: "loan-1".into(),
            account_type: "loan".into(),
            currency: "XXX".into(),
            balance: "0.00".into(),
            available: None,
            status: "submitted-and-pending-approval".into(),
            iban: None,
            opened_on: None,
        };
        assert_eq!(accounts, [savings, loan]);
    }

    #[test]
    fn a_client_without_accounts_has_none() {
        assert_eq!(listed(json!({})).unwrap(), []);
    }

    #[test]
    fn money_keeps_its_digits() {
        assert_eq!(amount("123456789012345678.10", 2).as_deref(), Some("123456789012345678.10"));
        assert_eq!(amount("-0.070000", 2).as_deref(), Some("-0.07"));
        assert_eq!(amount("5", 0).as_deref(), Some("5"));
        assert_eq!(amount("5.125", 2).as_deref(), Some("5.125"));
        assert_eq!(amount("-0.0", 2).as_deref(), Some("0.00"));
        assert_eq!(money(None, 2).as_deref(), Some("0.00"));
    }

    #[test]
    fn a_balance_that_is_no_number_is_not_guessed() {
        for text in ["\"12\"", "true", "1e3", "{}"] {
            assert_eq!(amount(text, 2), None);
        }
        let account = json!({"id": 1, "status": {"id": 300}, "accountBalance": "much"});
        assert!(matches!(listed(json!({"savingsAccounts": [account]})), Err(Disposition::Retry(_))));
    }

    #[test]
    fn an_unknown_client_is_rejected() {
        let script = Script::new().answer(404, json!({"userMessageGlobalisationCode": "error.msg.resource.not.found"}));
        assert!(matches!(list(&Session::new(&script), "9"), Err(Disposition::Reject(_))));
    }
}
