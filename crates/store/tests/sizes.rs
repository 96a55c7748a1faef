//! How large the records with lists can become, held against `ITEM_BYTES_MAX`.

#![expect(clippy::disallowed_methods, reason = "a test reads and writes files of the crate")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use serde::Serialize;
use settlement::{Account, Currency, Fees, ReportId, SettleKey, Terms};
use store::{
    BatchItem, BuiltItem, ChangedEvent, DayItem, DayPayout, DaySum, EVENTS_MAX, EventState, ITEM_BYTES_MAX, MatchItem,
    MatchingItem, OutboxItem, PlannedEvent, SettlementItem, SettlementVersion, SumOf, SummaryItem, SummaryRevision,
    TraceItem, UnmatchedLine, UnsettledSum,
};

/// Bytes of one widest entry of a list, how many of them fit into a record that has nothing else, and what bounds the list
/// today. `nothing` means that a record may outgrow the store: refusing it comes once these lists lie in records of their own.
const TABLE: &str = include_str!("sizes.txt");

const SIZES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sizes.txt");

/// Ids of merchants and settlements have at most 64 characters, the longest provider of the table eleven.
fn key() -> SettleKey {
    SettleKey {
        account_id: "T00000001".parse().unwrap(),
        provider: "swedbankpay".parse().unwrap(),
        merchant_number: "m".repeat(64).parse().unwrap(),
        settlement_id: "s".repeat(64).parse().unwrap(),
        currency: Currency::NOK,
    }
}

fn report() -> ReportId {
    ReportId::from_sha256([255; 32])
}

fn hash() -> String {
    "f".repeat(64)
}

fn day() -> Date {
    date(2026, 12, 31)
}

fn time() -> Timestamp {
    "2026-12-31T23:59:59.999999999Z".parse().unwrap()
}

/// The number of most digits.
const WIDE: i64 = i64::MIN;

fn terms() -> Terms {
    Terms {
        capture_minor: WIDE,
        refund_minor: WIDE,
        fee_minor: WIDE,
        fee_vat_minor: WIDE,
        chargeback_minor: WIDE,
        reserve_minor: WIDE,
        adjustment_minor: WIDE,
    }
}

fn event() -> PlannedEvent {
    let event = serde_json::json!({
        "settlement_id": "s".repeat(64), "provider_reference": "s".repeat(64), "event_correlation_id": "c".repeat(64),
        "amount_minor": WIDE, "capture_minor": WIDE, "refund_minor": WIDE, "fee_minor": WIDE,
    });
    PlannedEvent {
        id: hash(),
        transaction: "t".repeat(33),
        event: serde_json::from_value(event).unwrap(),
        lines: u64::MAX,
        state: EventState::Unknown { until: time(), why: "w".repeat(200) },
    }
}

fn batch(entries: usize) -> BatchItem {
    let events = vec![event(); entries];
    let pairs = events.iter().map(|event| (event.transaction.as_str(), &event.event));
    let body = dintero::body(pairs, dintero::Signs::Signed);
    let settlement = key();
    BatchItem {
        settlement,
        version: u32::MAX,
        events: events.clone(),
        attempt: u32::MAX,
        lease_until: Some(time()),
        not_before: Some(time()),
        body: Some(body),
    }
}

fn outbox(unmatched: usize, changed: usize, batches: usize) -> OutboxItem {
    let line =
        UnmatchedLine { line_no: WIDE, order_reference: Some("o".repeat(100)), net_minor: WIDE, why: "w".repeat(200) };
    let event = ChangedEvent { transaction: "t".repeat(33), before_minor: WIDE, now_minor: WIDE };
    OutboxItem {
        settlement: key(),
        version: u32::MAX,
        batches: vec![hash(); batches],
        lines_minor: WIDE,
        events_minor: WIDE,
        not_postable_minor: WIDE,
        unmatched_minor: WIDE,
        unmatched_lines: u64::MAX,
        unmatched: vec![line; unmatched],
        changed: vec![event; changed],
    }
}

fn lake_day(sums: usize, payouts: usize) -> DayItem {
    let of = SumOf {
        provider: "swedbankpay".into(),
        merchant_number: "m".repeat(64),
        payment_product: Some("p".repeat(32)),
        state: Some("transaction_unknown".into()),
        currency: Currency::NOK,
        fees: Fees::Deducted,
        month: day(),
        is_paid: false,
    };
    let payout = DayPayout {
        provider: "swedbankpay".into(),
        currency: Currency::NOK,
        opening_minor: WIDE,
        closing_minor: WIDE,
        payout_minor: WIDE,
    };
    DayItem {
        sums: vec![DaySum { of, lines: u64::MAX, terms: terms() }; sums],
        payouts: vec![payout; payouts],
        ..DayItem::default()
    }
}

fn matches(entries: usize) -> MatchItem {
    MatchItem {
        report: report(),
        digest: hash(),
        settlements: vec![key(); entries],
        added_lines: u64::MAX,
        payout_days: BTreeSet::new(),
        states: BTreeMap::new(),
    }
}

fn matching(entries: usize) -> MatchingItem {
    let waiting = UnsettledSum {
        provider: "swedbankpay".into(),
        currency: Currency::NOK,
        payment_product: "p".repeat(32),
        month: day(),
        capture_minor: WIDE,
        refund_minor: WIDE,
        events: u64::MAX,
    };
    MatchingItem { waiting: vec![waiting; entries] }
}

fn settlement(entries: usize) -> SettlementItem {
    let head = settlement::SettlementHead {
        merchant_number: key().merchant_number,
        settlement_id: key().settlement_id,
        currency: Currency::NOK,
        exponent: 2,
        payout_on: day(),
    };
    let hash: settlement::SettlementHash = hash().try_into().unwrap();
    let mut proved = settlement::Settlement::new(head);
    proved.organisation_number = Some("999999999".into());
    (proved.period_from, proved.period_to, proved.sums) = (Some(day()), Some(day()), terms());
    (proved.lines, proved.opening_minor, proved.closing_minor) = (u64::MAX, WIDE, WIDE);
    (proved.payout_minor, proved.hash) = (Some(WIDE), Some(hash));
    (proved.bank_account, proved.bank_reference) = (Some("1234".into()), Some("b".repeat(140)));
    proved.stated = settlement::StatedTotals {
        row: Some(u64::MAX),
        lines: Some(u64::MAX),
        capture_minor: Some(WIDE),
        refund_minor: Some(WIDE),
        gross_minor: Some(WIDE),
        fee_minor: Some(WIDE),
        net_minor: Some(WIDE),
    };
    let version =
        SettlementVersion { version: u32::MAX, report: report(), format: "f".repeat(32), hash, settlement: proved };
    SettlementItem { versions: vec![version; entries] }
}

fn summary(entries: usize) -> SummaryItem {
    let revision = SummaryRevision {
        revision: u32::MAX,
        content: hash(),
        edition: "e".repeat(12),
        language: "nb".into(),
        changes_payouts: false,
        made_at: time(),
    };
    SummaryItem { revisions: vec![revision; entries] }
}

/// Mails are spelt as JSON here: their parts come from many crates.
fn mail(payouts: usize, held: usize) -> serde_json::Value {
    serde_json::json!({
        "subject": "s".repeat(200), "payouts": vec![(key(), u32::MAX); payouts], "held": vec![report(); held],
    })
}

fn trace(entries: usize) -> TraceItem {
    use store::MailEvent::{Bounced, Complained, Delivered, Rejected, Sent};
    let events: BTreeMap<_, _> = [Sent, Delivered, Rejected, Bounced, Complained].map(|event| (event, time())).into();
    TraceItem { messages: (0..entries).map(|number| (format!("{number:060}"), events.clone())).collect() }
}

fn account(entries: usize) -> Account {
    let mut account = Account::new("T00000001".parse().unwrap());
    let numbers = (0..entries).map(|number| format!("{number:064}").parse().unwrap()).collect();
    account.merchant_numbers.insert("swedbankpay".parse().unwrap(), numbers);
    account
}

fn built(entries: usize) -> BuiltItem {
    let month = |number: usize| date(1, 1, 1) + jiff::Span::new().months(i64::try_from(number).unwrap());
    BuiltItem { bridge_months: (0..entries).map(month).collect(), ..BuiltItem::default() }
}

fn bytes(record: &impl Serialize) -> usize {
    serde_json::to_string(record).unwrap().len()
}

/// A row of the table: one entry costs what the second one adds to a record.
fn row<T: Serialize>(name: &str, bound: &str, record: impl Fn(usize) -> T) -> String {
    let [none, one, two] = [0, 1, 2].map(|entries| bytes(&record(entries)));
    let each = two - one;
    format!("{name:<32}{each:>6}{:>9}  {bound}\n", (ITEM_BYTES_MAX - none) / each)
}

fn table() -> String {
    [
        format!("{:<32}{:>6}{:>9}  {}\n", "record and list", "bytes", "fit", "bound today"),
        row("account, merchant numbers", "nothing", account),
        row("settlement, versions", "nothing", settlement),
        row("outbox, batches", "nothing: one for 100 events, and those of each version", |n| outbox(0, 0, n)),
        row("outbox, unmatched lines", "100", |n| outbox(n, 0, 0)),
        row("outbox, changed events", "nothing: the events of a settlement", |n| outbox(0, n, 0)),
        row("batch, events with their body", "100", batch),
        row("match, settlements", "100000, the settlements of a report", matches),
        row("matching, waiting", "nothing: months, providers, products and currencies", matching),
        row("day of the lake, sums", "nothing: months, merchant numbers, products and states", |n| lake_day(n, 0)),
        row("day of the lake, payouts", "providers and currencies", |n| lake_day(0, n)),
        row("lake, months", "months", built),
        row("mail, payouts", "nothing: the settlements of a digest", |n| mail(n, 0)),
        row("mail, held reports", "nothing: the held reports of a digest", |n| mail(0, n)),
        row("trace, ids", "how often a mail is sent", trace),
        row("month summary, revisions", "nothing", summary),
    ]
    .concat()
}

/// `UPDATE=1 cargo test -p store` writes the table after a change of a record.
#[test]
fn the_widest_entries_are_as_large_as_the_table_says() {
    let found = table();
    println!("{found}");
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(SIZES, found).unwrap();
    }
    assert_eq!(found, TABLE);
}

#[test]
fn a_full_batch_and_the_shown_lines_of_an_outbox_fit() {
    for (name, bytes) in [("batch", bytes(&batch(EVENTS_MAX))), ("outbox", bytes(&outbox(100, 0, 0)))] {
        println!("{name}: {bytes} bytes at most");
        assert!(bytes <= ITEM_BYTES_MAX, "{name} has {bytes} bytes");
    }
}
