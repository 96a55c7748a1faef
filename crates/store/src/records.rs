//! The records of the state, a file each: what a record holds, where it lies, and the question that it answers.

mod account;
mod backfill;
mod batch;
mod digest;
mod dirty;
mod held;
mod journal;
mod lake;
mod ledger;
mod mail;
mod matching;
mod merchant;
mod month_summary;
mod notice;
mod object;
mod outbox;
mod recipient;
mod refused;
mod report;
mod settlement;
mod switch;
mod sync;
mod trace;

pub use account::{ListedAccount, account, listed_account};
pub use backfill::{BackfillItem, TakenObject};
pub use batch::{BatchItem, EVENTS_MAX, EventState, PlannedEvent, batch_id, event_id};
pub use dirty::{DirtyItem, DirtyMark, dirty_mark, mark_days_dirty, mark_dirty, mark_settlement_dirty};
pub use held::{HELD_SETTLEMENTS_MAX, HeldItem, HeldSettlement, mark_held};
pub use journal::{JournalItem, Order, journal};
pub use lake::{BuiltItem, DayItem, DayPayout, DaySum, LeaseItem, SumOf, lake_day};
pub use ledger::{LedgerItem, PAID_RANGES_MAX, WAITING_SHOWN_MAX, ledger_owner};
pub use mail::{MailItem, MailState, Occasion, TRACE_WITHIN};
pub use matching::{MatchItem, MatchingItem, UnsettledSum};
pub use merchant::MerchantItem;
pub use month_summary::{SummaryItem, SummaryRevision, summarised_month};
pub use notice::NoticeItem;
pub use object::ObjectItem;
pub use outbox::{ChangedEvent, OutboxItem, UnmatchedLine};
pub use recipient::{RecipientItem, RecipientKind, TokenSecret};
pub use refused::RefusedItem;
pub use report::{Release, ReportItem, ReportSettlementItem, ReportState};
pub use settlement::{SettlementItem, SettlementVersion, settlement_key};
pub use switch::SwitchItem;
pub use sync::SyncItem;
pub use trace::{MailEvent, TraceItem, note_mail_event, sent_message_id};

use ::settlement::SettleKey;

/// A row of the table of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// What it is called.
    pub name: &'static str,
    /// Its partition and sort key.
    pub place: &'static str,
    /// The question that it answers.
    pub question: &'static str,
}

/// The table of records, one row a kind.
pub fn table() -> impl Iterator<Item = &'static Record> {
    [
        account::RECORDS,
        merchant::RECORDS,
        object::RECORDS,
        refused::RECORDS,
        report::RECORDS,
        settlement::RECORDS,
        notice::RECORDS,
        outbox::RECORDS,
        batch::RECORDS,
        sync::RECORDS,
        matching::RECORDS,
        ledger::RECORDS,
        dirty::RECORDS,
        lake::RECORDS,
        held::RECORDS,
        recipient::RECORDS,
        mail::RECORDS,
        trace::RECORDS,
        digest::RECORDS,
        month_summary::RECORDS,
        backfill::RECORDS,
        switch::RECORDS,
        journal::RECORDS,
    ]
    .into_iter()
    .flatten()
}

fn sort_of(key: &SettleKey) -> String {
    let SettleKey { provider, merchant_number, settlement_id, currency, .. } = key;
    format!("{provider}/{merchant_number}/{settlement_id}/{currency}")
}
