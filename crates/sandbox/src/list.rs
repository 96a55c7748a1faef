//! Lists of transactions and of settlements, a page at a time.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use settlement::{AccountId, TransactionEventKind};

use super::Sandbox;
use super::refusal::Refusal;

/// Most transactions that may be asked for by id.
const IDS_MAX: usize = 100;

/// Elements of a page when no number is asked for.
const LIMIT_DEFAULT: usize = 10;

/// A settlement in the list of an account; amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidSettlement {
    /// Its id.
    pub id: String,
    /// Who paid.
    pub provider: String,
    /// The provider's reference.
    pub provider_reference: String,
    /// The day of the payout; `None` while it is postponed.
    pub settled_on: Option<Date>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Code of its currency.
    pub currency: String,
    /// Amount, capture, refund and fee, as the list shows them.
    pub money: [i64; 4],
}

type Query = [(String, String)];

impl Sandbox {
    pub(super) fn list_transactions(&self, account: &AccountId, query: &Query) -> Result<Value, Refusal> {
        const TIMES: [&str; 4] = ["captured_at.gte", "captured_at.lte", "refunded_at.gte", "refunded_at.lte"];
        only_known(query, &[&["id", "limit", "starting_after"], TIMES.as_slice()].concat())?;
        let ids: Vec<&str> = all(query, "id").collect();
        if ids.len() > IDS_MAX {
            return Err(Refusal::bad(format!("id may be given {IDS_MAX} times")));
        }
        let limit = limit(query, 100)?;
        let [captured_from, captured_to, refunded_from, refunded_to] = TIMES.map(|name| time(query, name));
        let captured = (captured_from?, captured_to?);
        let refunded = (refunded_from?, refunded_to?);
        let mut own = self.transactions.iter().filter(|transaction| transaction.belongs_to(account));
        if let Some(after) = one(query, "starting_after")? {
            own.find(|transaction| transaction.id() == after)
                .ok_or_else(|| Refusal::bad("starting_after names no transaction"))?;
        }
        let asked = |times: (Option<Timestamp>, Option<Timestamp>)| times.0.is_some() || times.1.is_some();
        let page = own
            .filter(|transaction| ids.is_empty() || ids.contains(&transaction.id()))
            .filter(|transaction| {
                !asked(captured) || transaction.happened(TransactionEventKind::Capture, captured.0, captured.1)
            })
            .filter(|transaction| {
                !asked(refunded) || transaction.happened(TransactionEventKind::Refund, refunded.0, refunded.1)
            })
            .take(limit);
        Ok(Value::Array(page.map(|transaction| transaction.json()).collect()))
    }

    pub(super) fn list_settlements(&self, account: &AccountId, query: &Query) -> Result<Value, Refusal> {
        only_known(query, &["limit", "starting_after_id", "starting_after_date"])?;
        let limit = limit(query, 1_000)?;
        let mut own = self.settlements.iter().filter(|(owner, _)| owner == account).map(|(_, settlement)| settlement);
        match (one(query, "starting_after_id")?, one(query, "starting_after_date")?) {
            (None, None) => {}
            (Some(id), Some(date)) => {
                let is_it = |settlement: &PaidSettlement| settlement.id == id && settlement.cursor_date() == date;
                own.find(|settlement| is_it(settlement)).ok_or_else(|| Refusal::bad("invalid filters"))?;
            }
            _ => return Err(Refusal::bad("starting_after_id and starting_after_date go together")),
        }
        let page: Vec<&PaidSettlement> = own.by_ref().take(limit).collect();
        let mut body = json!({ "items": page.iter().map(|settlement| settlement.json()).collect::<Vec<Value>>() });
        let last = page.last().filter(|_| own.next().is_some());
        if let (Some(last), Value::Object(body)) = (last, &mut body) {
            let mut key = json!({ "id": last.id, "account_id": account, "created_at": last.created_at.to_string() });
            if let (Some(day), Value::Object(key)) = (last.settled_on, &mut key) {
                key.insert("settled_at".to_owned(), day.to_string().into());
            }
            body.insert("last_evaluated_key".to_owned(), key);
        }
        Ok(body)
    }
}

impl PaidSettlement {
    fn cursor_date(&self) -> String {
        self.settled_on.map_or_else(|| self.created_at.to_string(), |day| day.to_string())
    }

    fn json(&self) -> Value {
        let [amount, capture, refund, fee] = self.money;
        let mut body = json!({
            "id": self.id,
            "provider": self.provider,
            "provider_reference": self.provider_reference,
            "created_at": self.created_at.to_string(),
            "amounts": [
                { "amount": amount, "capture": capture, "refund": refund, "fee": fee, "currency": self.currency }
            ],
            "payment_status": if self.settled_on.is_some() { "paid" } else { "postponed" },
        });
        if let (Some(day), Value::Object(body)) = (self.settled_on, &mut body) {
            body.insert("settled_at".to_owned(), day.to_string().into());
        }
        body
    }
}

/// A filter that is not known would let through what nobody asked for.
fn only_known(query: &Query, known: &[&str]) -> Result<(), Refusal> {
    match query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(Refusal::bad(format!("The parameter {name} is not known"))),
        None => Ok(()),
    }
}

fn all<'a>(query: &'a Query, name: &'a str) -> impl Iterator<Item = &'a str> {
    query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn one<'a>(query: &'a Query, name: &'a str) -> Result<Option<&'a str>, Refusal> {
    let mut values = all(query, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Refusal::bad(format!("{name} may be given once"))),
    }
}

fn limit(query: &Query, most: usize) -> Result<usize, Refusal> {
    let Some(limit) = one(query, "limit")? else { return Ok(LIMIT_DEFAULT) };
    let limit = limit.parse().ok().filter(|limit| (1..=most).contains(limit));
    limit.ok_or_else(|| Refusal::bad(format!("limit must be 1 to {most}")))
}

/// A time; without a zone it is of UTC.
fn time(query: &Query, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let read = |text: &str| {
        let local =
            || text.contains('T').then(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()).flatten();
        let at = text.parse().ok().or_else(|| local().map(|zoned| zoned.timestamp()));
        at.ok_or_else(|| Refusal::bad(format!("{name} must be a time")))
    };
    one(query, name)?.map(read).transpose()
}
