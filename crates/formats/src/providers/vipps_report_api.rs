//! Vipps MobilePay: a page of the Report API v2 as JSON, of the ledger of funds or of the ledger of fees.
//!
//! Described at developer.vippsmobilepay.com (Report API). Amounts are in minor units, signed as they move the balance.
//! - Each entry states the balance before and after it, and all of a page follow one another.
//! - A page has the end of its period only when it says neither that there is more nor to try later.
//! - Funds and fees are files of their own, and so are days: no file closes a payout alone. Its entries wait until those of
//!   other files complete it.
//! - The ledger settles one sales unit, which is assumed: its number stands in the recipient of each payment.
//! - The API names no day of payout: it is taken for the day on which the payout was made, which is assumed.
//! - Names, phone numbers and messages of private persons are never read.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use serde::Deserialize;
use settlement::{
    Control, Currency, Kind, LedgerEntry, LedgerEntryKind, LedgerPayout, MerchantNumber, Problem, Proof, Provider,
    Sink, WaitingEntries, WaitingReason, mask_cards,
};

use super::vipps_details_entries::{write, zone_of};
use super::vipps_details_words::waiting_message;
use crate::assemble::WAITING_ENTRIES_MAX;
use crate::collect::Collector;
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::json::read_page;
use crate::read::shown::{shown_code, shown_id, shown_word};

const PROVIDER: &Provider = &Provider::VIPPS;
const ADVICE: &str = "Fetch the report again and do not edit it";

pub(crate) const FORMAT: Format = Format {
    id: "vipps-report-api-json-v2",
    provider: PROVIDER,
    family: "vipps-settlement",
    payment_products: PROVIDER.products,
    file_types: &["json"],
    proof: Proof::Exact,
    surety: Surety::Documented,
    source: "https://developer.vippsmobilepay.com/docs/APIs/report-api/",
    detect,
    columns: &[],
    write_entries: Some(write),
    parse,
};

fn detect(head: &Head) -> bool {
    let text = head.text().trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    let is_page = text.contains("\"items\"") && ["\"hasMore\"", "\"tryLater\""].iter().any(|key| text.contains(key));
    text.starts_with('{') && (text.contains("\"entryType\"") || is_page)
}

/// An entry as the API gives it; fields that are not read may come and go.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    psp_reference: String,
    time: String,
    ledger_date: String,
    entry_type: String,
    #[serde(default)]
    reference: Option<String>,
    currency: String,
    amount: i64,
    balance_before: i64,
    balance_after: i64,
    #[serde(default)]
    recipient_handle: Option<String>,
}

/// Which of the two ledgers a page is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Funds,
    Fees,
}

/// What an entry is, and whose ledger has such entries; `None` for types that nobody knows, or that both have.
fn type_of(item: &Item) -> (Option<LedgerEntryKind>, Option<Topic>) {
    match item.entry_type.as_str() {
        "capture" => (Some(LedgerEntryKind::Capture), Some(Topic::Funds)),
        "refund" => (Some(LedgerEntryKind::Refund), Some(Topic::Funds)),
        "payout-scheduled" | "scheduled-for-payout" => (Some(LedgerEntryKind::Payout), Some(Topic::Funds)),
        "capture-fee" => (Some(LedgerEntryKind::TransactionFee), Some(Topic::Fees)),
        "fees-invoiced" => (None, Some(Topic::Fees)),
        // Taken out of the funds, it settles what the ledger of fees has come to.
        "fees-retained" if item.amount > 0 => (None, Some(Topic::Fees)),
        "fees-retained" => (Some(LedgerEntryKind::Fees), Some(Topic::Funds)),
        _ => (None, None),
    }
}

fn parse(input: &mut dyn ReadSeek, limits: &Limits, sink: &mut dyn Sink) -> Result<Control, Failure> {
    let mut page = Page::new(Collector::new(sink, limits));
    let read = read_page(input, limits, &mut |number, item| page.take(number, item));
    let ended = read.and_then(|end| {
        if end.has_more || end.try_later {
            let what = if end.has_more { "there are more pages" } else { "its period is not closed yet" };
            let message = format!("Found a page that says that {what}, expected all of its days. {ADVICE}");
            return Err(Problem::error(Kind::Truncated, message).into());
        }
        page.end()
    });
    page.collector.finish(ended)
}

/// An item whose texts are read; the sales unit may be named by a later one.
struct Read {
    item: Item,
    kind: LedgerEntryKind,
    booked_on: Date,
    time: DateTime,
    payout: Option<LedgerPayout>,
}

struct Page<'s> {
    collector: Collector<'s>,
    entries: Vec<Read>,
    merchant_number: Option<MerchantNumber>,
    topic: Option<Topic>,
    currency: Option<Currency>,
    /// What the balance before the next entry may be; two where an entry did not fit, so that it is told once.
    balances_minor: Vec<i64>,
    /// Its entries, known or not.
    count: u64,
    unknown_type: Option<(String, u32)>,
}

impl<'s> Page<'s> {
    fn new(collector: Collector<'s>) -> Self {
        let (merchant_number, topic, currency, balances_minor) = (None, None, None, Vec::new());
        Page {
            collector,
            entries: Vec::new(),
            merchant_number,
            topic,
            currency,
            balances_minor,
            count: 0,
            unknown_type: None,
        }
    }

    fn take(&mut self, number: u32, item: Item) -> Result<(), Failure> {
        self.count += 1;
        if self.count > WAITING_ENTRIES_MAX as u64 {
            let message =
                format!("Found more than {WAITING_ENTRIES_MAX} entries. Ask for the report in shorter periods");
            return Err(Problem::error(Kind::TooLarge, message).into());
        }
        let taken = self.entry(number, item);
        self.collector.recover(taken)
    }

    fn entry(&mut self, number: u32, item: Item) -> Result<(), Failure> {
        let bad =
            |kind, message: String| Problem::error(kind, format!("{message}. {ADVICE}")).at_row(u64::from(number));
        let currency: Currency = item.currency.parse().map_err(|_| {
            bad(Kind::CurrencyUnknown, format!("Found {}, expected the code of a currency", shown_code(&item.currency)))
        })?;
        if *self.currency.get_or_insert(currency) != currency {
            return Err(bad(Kind::CurrencyMixed, "Found a second currency in one ledger".to_owned()).into());
        }
        self.follow(&item).map_err(|message| bad(Kind::RowArithmetic, message))?;
        let (kind, topic) = type_of(&item);
        if let Some(topic) = topic
            && *self.topic.get_or_insert(topic) != topic
        {
            let message = "Found entries of funds and of fees in one file, expected one ledger a file".to_owned();
            return Err(bad(Kind::RowShape, message).into());
        }
        self.owner(&item).map_err(|message| bad(Kind::Identifier, message))?;
        if kind.is_none() && topic.is_none() && self.unknown_type.is_none() {
            self.unknown_type = Some((item.entry_type.clone(), number));
        }
        // What settles the fees themselves moves no money of the merchant.
        if kind.is_none() && (topic == Some(Topic::Fees) || self.topic == Some(Topic::Fees)) {
            return Ok(());
        }
        let kind = kind.unwrap_or(LedgerEntryKind::Unknown);
        signs(&item, kind).map_err(|expected| bad(Kind::Amount, expected.to_owned()))?;
        let booked_on: Date = item.ledger_date.parse().map_err(|_| {
            bad(Kind::Identifier, "Found no day in ledgerDate, expected one as in 2026-12-31".to_owned())
        })?;
        let time = time_of(&item.time).ok_or_else(|| {
            bad(Kind::Identifier, "Found no time, expected one as in 2026-12-31T23:59:59Z".to_owned())
        })?;
        let zone = zone_of(currency)
            .ok_or_else(|| bad(Kind::CurrencyUnknown, format!("Found {currency}, whose country is not known")))?;
        let time = zone.to_datetime(time);
        let payout = match kind {
            LedgerEntryKind::Payout => Some(payout_of(&item, time.date()).ok_or_else(|| {
                bad(Kind::Identifier, "Found a payout without its number in pspReference".to_owned())
            })?),
            _ => None,
        };
        if kind != LedgerEntryKind::Payout && !is_word(&item.psp_reference) && kind != LedgerEntryKind::Unknown {
            let message = format!("Found {} as pspReference, expected an id", shown_id(&item.psp_reference));
            return Err(bad(Kind::Identifier, message).into());
        }
        self.entries.push(Read { item, kind, booked_on, time, payout });
        Ok(())
    }

    /// The balance goes on from the entry before, and by the amount.
    fn follow(&mut self, item: &Item) -> Result<(), String> {
        if item.balance_before.checked_add(item.amount) != Some(item.balance_after) {
            self.balances_minor = vec![item.balance_after, item.balance_before.saturating_add(item.amount)];
            return Err("Found a balance after the entry that is not the one before it and its amount".to_owned());
        }
        let fits = self.balances_minor.is_empty() || self.balances_minor.contains(&item.balance_before);
        let expected = self.balances_minor.first().map(|before| before.saturating_add(item.amount));
        self.balances_minor = std::iter::once(item.balance_after).chain(expected.filter(|_| !fits)).collect();
        match fits {
            true => Ok(()),
            false => {
                Err("Found a balance before the entry that the entry before it does not leave: entries are missing"
                    .into())
            }
        }
    }

    /// Takes the sales unit that an entry names.
    fn owner(&mut self, item: &Item) -> Result<(), String> {
        let handle = item.recipient_handle.as_deref().unwrap_or_default();
        let text = item.reference.as_deref().unwrap_or_default();
        let in_payout =
            text.split_once("Vippsnr ").filter(|_| item.psp_reference.contains('-')).map(|(_, number)| number);
        let Some(number) = handle.split_once(':').map(|(_, number)| number).or(in_payout) else { return Ok(()) };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let found = number.parse::<MerchantNumber>().ok().filter(|_| is_number);
        let found = found.ok_or_else(|| "Found a recipient that is no number of a sales unit".to_owned())?;
        match &self.merchant_number {
            Some(known) if *known != found => {
                Err(format!("Found sales units {known} and {found} in one ledger, expected one"))
            }
            _ => {
                self.merchant_number = Some(found);
                Ok(())
            }
        }
    }

    /// Gives all entries to the sales unit of the file, and notes that they wait.
    fn end(&mut self) -> Result<(), Failure> {
        if self.collector.problems.has_errors() {
            self.collector.compare_no_totals();
            return Ok(());
        }
        if let Some((word, row)) = self.unknown_type.take() {
            let word = shown_word(&word);
            let message = format!(
                "Found {word} that is no known type of an entry: it and what comes after it are in no settlement. Ask for \
                 the format to be extended"
            );
            self.collector.problems.push(Problem::note(Kind::UnknownRowType, message).at_row(u64::from(row)));
        }
        let entries = std::mem::take(&mut self.entries);
        let Some(currency) = self.currency.filter(|_| !entries.is_empty()) else { return Ok(()) };
        let number = self.merchant_number.clone().ok_or_else(|| {
            let message = format!("Found no entry that names the sales unit in recipientHandle. {ADVICE}");
            Problem::error(Kind::Identifier, message)
        })?;
        let entries: Vec<LedgerEntry> = entries.into_iter().map(|read| read.entry(&number, currency)).collect();
        let Some(first) = entries.first() else { return Ok(()) };
        let days = || entries.iter().map(|entry| entry.booked_on);
        let sum: i128 = entries.iter().map(|entry| i128::from(entry.amount_minor)).sum();
        let waiting = WaitingEntries {
            merchant_number: number,
            currency,
            exponent: first.exponent,
            reason: if self.topic == Some(Topic::Fees) { WaitingReason::Payout } else { WaitingReason::Fees },
            entries: entries.len() as u64,
            sum_minor: i64::try_from(sum).unwrap_or(i64::MAX),
            opening_minor: first.balance_before_minor().unwrap_or(i64::MAX),
            from: days().min().unwrap_or(first.booked_on),
            to: days().max().unwrap_or(first.booked_on),
        };
        self.collector.problems.push(Problem::note(Kind::ControlTotal, waiting_message(&waiting, true)));
        self.collector.waiting.push(waiting);
        self.collector.entries = entries;
        Ok(())
    }
}

impl Read {
    fn entry(self, number: &MerchantNumber, currency: Currency) -> LedgerEntry {
        let Read { item, kind, booked_on, time, payout } = self;
        let text = |text: &str| mask_cards(&text.chars().filter(|c| !c.is_control()).collect::<String>()).into_owned();
        LedgerEntry {
            merchant_number: number.clone(),
            currency,
            exponent: PROVIDER.exponent(currency),
            kind,
            provider_kind: text(&item.entry_type),
            time,
            booked_on,
            amount_minor: item.amount,
            balance_minor: item.balance_after,
            fee_minor: None,
            // The number of a payout stands in it, and is no card.
            transaction_id: if payout.is_some() { item.psp_reference } else { text(&item.psp_reference) },
            order_reference: text(item.reference.as_deref().unwrap_or_default()),
            method: String::new(),
            payout,
        }
    }
}

/// A capture adds to the balance; a refund and a payout take from it.
fn signs(item: &Item, kind: LedgerEntryKind) -> Result<(), &'static str> {
    match kind {
        LedgerEntryKind::Capture if item.amount < 0 => Err("Found a negative capture"),
        LedgerEntryKind::Refund if item.amount > 0 => Err("Found a positive refund"),
        LedgerEntryKind::Payout if item.amount > 0 => Err("Found a positive payout"),
        _ => Ok(()),
    }
}

/// A time with its offset, which may stand without a colon.
fn time_of(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()?.to_timestamp().ok())
}

/// `<ledger>-<number>` names a payout.
fn payout_of(item: &Item, paid_on: Date) -> Option<LedgerPayout> {
    let (ledger, number) = item.psp_reference.rsplit_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    let settlement_id = Some(number).filter(|_| is_number(ledger) && is_number(number))?.parse().ok()?;
    Some(LedgerPayout { settlement_id, paid_on, account: None })
}

fn is_word(text: &str) -> bool {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= 64 && text.bytes().all(in_word)
}
