//! The records of the state: what each holds and where it lies.
//!
//! | record | partition, sort | the question it answers |
//! |---|---|---|
//! | account | `ACCOUNT#<account>`, `ACCOUNT` | whose merchant numbers, which zone |
//! | accounts | `ACCOUNTS`, `<account>` | which accounts there are |
//! | merchant | `MERCHANT#<provider>#<number>`, `MERCHANT` | which account a merchant number belongs to |
//! | object | `OBJECT#<key>#<version>`, `OBJECT` | which report an upload was |
//! | refused message | `REFUSED#<hash>`, `MESSAGE` | what arrived that names no object, or one where no report may lie |
//! | report | `REPORT#<report>`, `<account>` | what became of a report |
//! | report's settlements | `REPORT#<report>`, `<account>#<number>` | which settlements a report brought |
//! | settlement | `SETTLEMENT#<account>`, `<provider>/<merchant>/<id>/<currency>` | which versions a settlement has |
//! | notice | `NOTICE#<account>`, `<provider>/<merchant>/<id>/<currency>` | what a balance report says of a settlement |
//! | outbox | `OUTBOX#<account>`, `<provider>/<merchant>/<id>/<currency>` | what of a settlement is posted, and what is not |
//! | batch | `BATCH#<account>`, `<provider>/<merchant>/<id>/<currency>/<batch>` | how far each settlement event has come |
//! | sync | `SYNC#<account>`, `TRANSACTIONS` | how far the mirror of transactions reaches |
//! | match | `MATCH#<account>`, `REPORT#<report>` or `LAST` | what the lines of a report were matched with; what is in no settlement |
//! | dirty days | `DIRTY#<account>`, `<day>`, `SETTLEMENT#…` or `REPORT#…` | which days of payouts the lake has to build again |
//! | lake's builder | `LAKE#<account>`, `LEASE` | who builds the lake right now |
//! | lake's day | `LAKE#<account>`, `DAY#<day>` | what the lake holds of a day: objects, sums by month, payouts |
//! | lake | `LAKE#<account>`, `BUILT` | what the bridge and the exports were last made of |
//! | held report | `HELD#<account>`, `<report>` | which reports of an account were ever held, and when |
//! | recipient | `RECIPIENT#<account>`, `<address>` | who is told of an account by mail, and whether they confirmed |
//! | mail | `MAIL#<account>`, `<mail>` | what a mail was about, whom it went to, and how far it has come |
//! | trace | `TRACE#<mail>`, `MAIL` | what the service that sends says of a mail |
//! | digests | `DIGEST#<account>`, `<address>/<rhythm>` | which digest a recipient had last |
//! | month summary | `SUMMARY#<account>`, `<month>` | which revisions a month's summary has, and where they lie |
//! | switch | `SWITCH`, `POSTING` | whether all posting is stopped |
//! | journal | `JOURNAL#<subject>`, `<time>#<revision>` | what happened to a report or settlement, and why |

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use settlement::{
    Account, AccountId, Currency, Kind, PayoutNotice, ReportId, SettleKey, Settlement, SettlementHash, hexadecimal,
};
use sha2::{Digest, Sha256};

use crate::StepError;
use crate::ports::{Expect, Item, Ports, Put, Query, State, TRANSACT_WRITES_MAX};

/// Version of all layouts here.
pub const ITEM_SCHEMA: u32 = 1;

/// Where a record lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Partition key.
    pub partition: String,
    /// Sort key.
    pub sort: String,
}

impl Place {
    pub(crate) fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Place { partition: partition.into(), sort: sort.into() }
    }

    /// The account's record.
    pub fn account(id: &AccountId) -> Self {
        Place::new(format!("ACCOUNT#{id}"), "ACCOUNT")
    }

    /// The record of who owns a merchant number.
    pub fn merchant(provider: &str, number: &str) -> Self {
        Place::new(format!("MERCHANT#{provider}#{number}"), "MERCHANT")
    }

    /// The record of an uploaded object.
    pub fn object(key: &str, version: &str) -> Self {
        Place::new(format!("OBJECT#{key}#{version}"), "OBJECT")
    }

    /// The record of a message that was refused, named by the hash of its text: nothing of the text is in a key.
    pub fn refused(text: &str) -> Self {
        Place::new(format!("REFUSED#{}", hexadecimal(&Sha256::digest(text))), "MESSAGE")
    }

    /// The record of a report of an account.
    pub fn report(report: ReportId, account: &AccountId) -> Self {
        Place::new(format!("REPORT#{report}"), account.as_str())
    }

    /// The record of the report's settlement of that number.
    pub fn report_settlement(report: ReportId, account: &AccountId, number: usize) -> Self {
        Place::new(format!("REPORT#{report}"), format!("{account}#{number:06}"))
    }

    /// The record of a settlement.
    pub fn settlement(key: &SettleKey) -> Self {
        Place::new(format!("SETTLEMENT#{}", key.account_id), sort_of(key))
    }

    /// The record of a settlement's payout notice.
    pub fn notice(key: &SettleKey) -> Self {
        Place::new(format!("NOTICE#{}", key.account_id), sort_of(key))
    }

    /// The record of what of a settlement is posted.
    pub fn outbox(key: &SettleKey) -> Self {
        Place::new(format!("OUTBOX#{}", key.account_id), sort_of(key))
    }

    /// The record of a batch of a settlement's events.
    pub fn batch(key: &SettleKey, batch: &str) -> Self {
        Place::new(format!("BATCH#{}", key.account_id), format!("{}/{batch}", sort_of(key)))
    }

    /// How far the mirror of an account's transactions reaches.
    pub fn sync(account: &AccountId) -> Self {
        Place::new(format!("SYNC#{account}"), "TRANSACTIONS")
    }

    /// The last matching of all of an account's lines.
    pub fn matching(account: &AccountId) -> Self {
        Place::new(format!("MATCH#{account}"), "LAST")
    }

    /// The record of what the lines of a report were matched with.
    pub fn matches(report: ReportId, account: &AccountId) -> Self {
        Place::new(format!("MATCH#{account}"), format!("REPORT#{report}"))
    }

    /// Whether what was paid out on a day has changed since the lake was built.
    pub fn dirty(account: &AccountId, payout_on: Date) -> Self {
        Place::new(format!("DIRTY#{account}"), payout_on.to_string())
    }

    /// Whether what was paid out on the days of a settlement has changed since the lake was built.
    pub fn dirty_settlement(key: &SettleKey) -> Self {
        Place::new(format!("DIRTY#{}", key.account_id), format!("SETTLEMENT#{}", sort_of(key)))
    }

    /// The same for all settlements of a report.
    pub fn dirty_report(report: ReportId, account: &AccountId) -> Self {
        Place::new(format!("DIRTY#{account}"), format!("REPORT#{report}"))
    }

    /// Who builds the lake.
    pub fn lake_lease(account: &AccountId) -> Self {
        Place::new(format!("LAKE#{account}"), "LEASE")
    }

    /// What the lake holds of a day.
    pub fn lake_day(account: &AccountId, payout_on: Date) -> Self {
        Place::new(format!("LAKE#{account}"), format!("DAY#{payout_on}"))
    }

    /// What was last made of all days of the lake.
    pub fn lake_built(account: &AccountId) -> Self {
        Place::new(format!("LAKE#{account}"), "BUILT")
    }

    /// The one switch that stops all posting.
    pub fn switch() -> Self {
        Place::new("SWITCH", "POSTING")
    }

    /// Reads the record with its revision.
    ///
    /// # Errors
    /// When the state cannot answer or the record is not of its layout.
    pub async fn read<T: DeserializeOwned>(&self, state: &dyn State) -> Result<Option<(T, u64)>, StepError> {
        let item = state.get(&self.partition, &self.sort).await?;
        item.map(|item| Ok((decode(&item)?, item.revision))).transpose()
    }

    /// A write of the record.
    pub fn put(&self, body: &impl Serialize, expect: Expect) -> Put {
        // The bodies are plain structures with string keys, which always serialise.
        let body = serde_json::to_value(body).unwrap_or_default();
        Put { partition: self.partition.clone(), sort: self.sort.clone(), schema: ITEM_SCHEMA, body, expect }
    }
}

fn sort_of(key: &SettleKey) -> String {
    let SettleKey { provider, merchant_number, settlement_id, currency, .. } = key;
    format!("{provider}/{merchant_number}/{settlement_id}/{currency}")
}

/// The body of a record.
///
/// # Errors
/// When it is of a newer layout or not readable.
pub fn decode<T: DeserializeOwned>(item: &Item) -> Result<T, StepError> {
    let place = || format!("{} {}", item.partition, item.sort);
    if item.schema > ITEM_SCHEMA {
        let reason = format!("its layout is version {}, this program knows {ITEM_SCHEMA}", item.schema);
        return Err(StepError::Item { item: place(), reason });
    }
    T::deserialize(&item.body).map_err(|error| StepError::Item { item: place(), reason: error.to_string() })
}

/// Which account owns a merchant number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantItem {
    /// The owner.
    pub account: AccountId,
}

/// Which report an uploaded object was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectItem {
    /// The report; absent when the object was gone or unusable before it could be read.
    pub report: Option<ReportId>,
    /// What was wrong with the object itself.
    pub kind: Option<Kind>,
}

/// How far a report has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportState {
    /// A worker reads it.
    Claimed {
        /// Until then no other worker may.
        lease_until: Timestamp,
    },
    /// Accepted; its settlements count.
    Committed,
    /// All its settlements were known with the same content.
    Duplicate,
    /// Held: recognised, not trusted.
    Quarantined {
        /// The first error's kind.
        kind: Kind,
    },
    /// Held: not a readable report.
    Rejected {
        /// The first error's kind.
        kind: Kind,
    },
    /// Given up after repeated attempts that never came to an end.
    Crashed,
    /// A person let a conflicting report through; it is to be read again.
    Released,
}

impl ReportState {
    /// The word for people.
    pub fn word(&self) -> String {
        match self {
            ReportState::Claimed { .. } => "CLAIMED".into(),
            ReportState::Committed => "COMMITTED".into(),
            ReportState::Duplicate => "DUPLICATE".into(),
            ReportState::Quarantined { kind } => format!("QUARANTINED({kind})"),
            ReportState::Rejected { kind } => format!("REJECTED({kind})"),
            ReportState::Crashed => "CRASHED".into(),
            ReportState::Released => "RELEASED".into(),
        }
    }
}

/// Who let a held report through, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The person.
    pub by: String,
    /// The reason.
    pub why: String,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportItem {
    /// The report.
    pub report: ReportId,
    /// The account it was sent to.
    pub account: AccountId,
    /// How far it has come.
    #[serde(flatten)]
    pub state: ReportState,
    /// How often it was claimed since it last came to an end.
    pub attempts: u32,
    /// Key of the object it was read from, bucket first.
    pub object_key: String,
    /// Version of that object.
    pub object_version: String,
    /// File name as uploaded.
    pub name: String,
    /// The provider it was sent as.
    pub provider: String,
    /// Size of the file.
    pub size_bytes: u64,
    /// The format it was read as.
    pub format: Option<String>,
    /// Version of the parser that judged it.
    pub parser_version: String,
    /// Number of errors and notes.
    pub problems: u64,
    /// The first error, in words.
    pub first_problem: Option<String>,
    /// The release that lets it replace known settlements.
    pub release: Option<Release>,
}

/// A settlement that a report brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportSettlementItem {
    /// The settlement.
    pub key: SettleKey,
    /// The version that the report is; absent when the settlement was known already with the same content.
    pub version: Option<u32>,
}

/// All versions of a settlement; the last that belongs to a committed report counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementItem {
    /// From the first on.
    pub versions: Vec<SettlementVersion>,
}

/// One version of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementVersion {
    /// Counts from 1.
    pub version: u32,
    /// The report that brought it.
    pub report: ReportId,
    /// The format of that report.
    pub format: String,
    /// Hash of its content.
    pub hash: SettlementHash,
    /// What was proved.
    pub settlement: Settlement,
}

/// What a balance report says of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeItem {
    /// Its figures.
    pub notice: PayoutNotice,
    /// SHA-256 of the document they were read from.
    pub evidence: ReportId,
    /// Who read them.
    pub by: String,
}

/// How far the mirror of an account's transactions reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncItem {
    /// Captures and refunds from here on are in the mirror.
    pub from: Timestamp,
    /// And until here.
    pub until: Timestamp,
}

/// What the lines of a report were matched with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchItem {
    /// The report.
    pub report: ReportId,
    /// SHA-256 of its table, which names it.
    pub digest: String,
    /// The settlements whose lines are in it: those of which this report is the version that counts.
    pub settlements: Vec<SettleKey>,
    /// How many lines their payout notices add.
    pub added_lines: u64,
    /// The days on which they were paid out.
    pub payout_days: BTreeSet<Date>,
    /// How many lines have each state.
    pub states: BTreeMap<String, u64>,
}

impl MatchItem {
    /// Whether no line is left open that may be matched once more is known.
    pub fn is_all_told(&self) -> bool {
        self.states.keys().all(|state| matches!(state.as_str(), "matched" | "not_a_transaction"))
    }
}

/// The last matching of all of an account's lines: each matching makes a new revision, so that no two are mixed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchingItem {
    /// What was captured or refunded and is in no settlement.
    pub waiting: Vec<Waiting>,
}

/// Captures and refunds of one month that are in no settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The provider that pays them out.
    pub provider: String,
    /// Currency.
    pub currency: Currency,
    /// Product that they were paid with.
    pub payment_product: String,
    /// First day of the month.
    pub month: Date,
    /// What was captured, in minor units.
    pub capture_minor: i64,
    /// What was refunded, in minor units, below zero.
    pub refund_minor: i64,
    /// How many captures and refunds they are.
    pub events: u64,
}

/// A day of payouts in the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirtyItem {
    /// Whether it has to be built again.
    pub is_dirty: bool,
}

/// Whether all posting is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchItem {
    /// Who stopped it; nobody when it goes on.
    pub stopped_by: Option<String>,
}

/// Marks a day of payouts to be built again: written together with what changes it.
pub fn mark_dirty(account: &AccountId, payout_on: Date) -> Put {
    Place::dirty(account, payout_on).put(&DirtyItem { is_dirty: true }, Expect::Any)
}

/// Marks all days of a settlement's versions in the same way.
pub fn mark_settlement_dirty(key: &SettleKey) -> Put {
    Place::dirty_settlement(key).put(&DirtyItem { is_dirty: true }, Expect::Any)
}

/// Marks all days of a report's settlements in the same way.
fn mark_report_dirty(report: ReportId, account: &AccountId) -> Put {
    Place::dirty_report(report, account).put(&DirtyItem { is_dirty: true }, Expect::Any)
}

/// Marks days that a report changes in the same way. When they are more than a transaction holds, one mark names the report,
/// which has listed its settlements before any of them counts.
pub fn mark_days_dirty(report: ReportId, account: &AccountId, days: BTreeSet<Date>) -> Vec<Put> {
    if days.len() > MARKED_DAYS_MAX {
        return vec![mark_report_dirty(report, account)];
    }
    days.into_iter().map(|day| mark_dirty(account, day)).collect()
}

/// More days than this are marked by their report: whoever marks them has writes of its own.
const MARKED_DAYS_MAX: usize = TRANSACT_WRITES_MAX - 10;

/// Where in a step something happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// It begins the step.
    #[default]
    First,
    /// It is on the way.
    Midway,
    /// It ends the step.
    Last,
    /// It comes behind the report's own steps.
    Posting,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalItem {
    /// When.
    pub at: Timestamp,
    /// Tells what came first at one time.
    #[serde(default)]
    pub order: Order,
    /// To what.
    pub subject: String,
    /// What, in words.
    pub what: String,
}

/// The journal entry of a transition that brings its record to `revision`, to be written together with it.
pub fn journal(subject: &Place, revision: u64, at: Timestamp, order: Order, what: String) -> Put {
    let subject = format!("{}#{}", subject.partition, subject.sort);
    let place = Place::new(format!("JOURNAL#{subject}"), format!("{at:.6}#{revision:08}"));
    place.put(&JournalItem { at, order, subject, what }, Expect::Any)
}

/// Reads an account.
///
/// # Errors
/// When the state cannot answer.
pub async fn account(state: &dyn State, id: &AccountId) -> Result<Account, StepError> {
    Ok(Place::account(id).read(state).await?.map_or_else(|| Account::new(id.clone()), |(account, _)| account))
}

/// All records of a query, page by page.
///
/// # Errors
/// When the state cannot answer.
pub async fn all(ports: &Ports, mut query: Query) -> Result<Vec<Item>, StepError> {
    let mut found = Vec::new();
    loop {
        let page = ports.state.query(&query).await?;
        found.extend(page.items);
        match page.cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(found),
        }
    }
}
