//! What a simulated world starts with: accounts, uploads and what Dintero knows, and what must come of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use pipeline::current::accounts::{AddMerchant, add_merchant};
use pipeline::posting::post::set_posting;
use pipeline::{Packing, Ports, StepError};
use settlement::{AccountId, SettlementEvent, TransactionEventKind};
use store::keys::{Key, LandingKey};
use store::memory::{MemoryObjects, MemoryState};

use crate::generate::{Line, Report, Seed, Settlement, portal_csv, xml};
use crate::recipients;
use crate::watch::{EventName, Watch, name_of};
use crate::world::{SECRET_MARK, World};
use sandbox::{Fault, MadeEvent, MadeTransaction, RequestKind, Sandbox};

/// An object that arrived.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Where it lies.
    pub landing: LandingKey,
    /// Its version.
    pub version: String,
    /// It arrives when every upload of an earlier phase has ended.
    pub phase: u8,
    /// The states in which its report may end, by the words of [`store::ReportState`].
    pub ends: &'static [&'static str],
}

/// A world before the first step, and what must come of it.
#[derive(Debug)]
pub struct Scenario {
    /// The world before the first step.
    pub world: World,
    /// What arrives, in order.
    pub uploads: Vec<Upload>,
    /// The accounts.
    pub accounts: Vec<AccountId>,
    /// The settlement events that Dintero must have in the end.
    pub events: BTreeMap<EventName, [i64; 4]>,
    /// The corrected report that a person releases, if any.
    pub correction: Option<Correction>,
    /// What each settlement of the first reports pays, by its id.
    pub paid: BTreeMap<String, Paid>,
    /// Transactions that Dintero refuses to settle.
    pub refused: BTreeSet<String>,
    /// Transactions that Dintero lists late: a new sale, and a refund of an old one.
    pub late: Vec<MadeTransaction>,
}

/// A report that changes known settlements and that a person releases.
#[derive(Debug, Clone)]
pub struct Correction {
    /// The upload, with the states in which its report may end once it is released.
    pub upload: Upload,
    /// Its settlement events that are new or have other amounts than before.
    pub events: BTreeMap<EventName, [i64; 4]>,
    /// What its settlements pay from then on.
    pub paid: BTreeMap<String, Paid>,
}

/// What a settlement pays: the day of payout, the number of lines, and the net in minor units.
pub type Paid = (Date, u64, i64);

/// The time at which every world begins.
pub(crate) fn beginning() -> Timestamp {
    Timestamp::from_second(1_793_512_800).unwrap_or_default()
}

/// Capture, refund and fee of one settlement, by transaction.
type Sums = BTreeMap<String, (i64, i64, i64)>;

/// Builds a scenario.
struct Builder {
    sandbox: Sandbox,
    allowed: BTreeMap<EventName, [i64; 4]>,
    transactions: BTreeMap<String, MadeTransaction>,
    refused: BTreeSet<String>,
}

/// Begins the orders of sales that Dintero does not know.
const UNKNOWN: &str = "UKJENT";

/// Begins the orders of sales that Dintero refuses to settle.
const REFUSED: &str = "AVVIST";

/// Ends the orders of sales that the first report leaves out.
const LEFT_OUT: &str = "GLEMT";

/// How large the scenario is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Sales in the first settlement: more than a hundred need more than one batch.
    pub sales: u64,
    /// Whether the first report and its correction are the only uploads.
    pub alone: bool,
    /// Whether a person releases the corrected report.
    pub is_released: bool,
}

impl Scenario {
    /// The settlement events that Dintero must have in the end.
    pub(crate) fn expected(&self, is_corrected: bool) -> BTreeSet<EventName> {
        let correction =
            self.correction.iter().filter(|_| is_corrected).flat_map(|correction| correction.events.keys());
        self.events.keys().chain(correction).cloned().collect()
    }

    /// What a settlement pays in the end.
    pub(crate) fn paid(&self, settlement: &str, is_corrected: bool) -> Option<&Paid> {
        let correction = self.correction.as_ref().filter(|_| is_corrected);
        correction.and_then(|correction| correction.paid.get(settlement)).or_else(|| self.paid.get(settlement))
    }

    /// The states in which the report of an upload may end.
    pub(crate) fn ends_of<'a>(&'a self, upload: &'a Upload) -> &'a [&'static str] {
        let correction = self.correction.as_ref().map(|correction| &correction.upload);
        correction.filter(|correction| correction.landing == upload.landing).map_or(upload.ends, |upload| upload.ends)
    }

    /// The scenario of every run. The first account gets a report with a large and a small settlement, the same content in
    /// another layout, a corrected report, and one whose sums are wrong. The second account gets two reports under one name,
    /// the second with sales that Dintero does not know or refuses to settle, and a report of the first account.
    ///
    /// # Errors
    /// When the world cannot be set up, which is an error of the scenario.
    pub async fn canonical(seed: u64, size: Size) -> Result<Self, StepError> {
        let mut seed = Seed(seed);
        let account = |id: &str| id.parse::<AccountId>().map_err(|error| StepError::Refused(error.to_string()));
        let (first, second) = (account("T00000001")?, account("T00000002")?);
        let mut builder = Builder {
            sandbox: Sandbox::default(),
            allowed: BTreeMap::new(),
            transactions: BTreeMap::new(),
            refused: BTreeSet::new(),
        };
        for account in [&first, &second] {
            builder.sandbox.add_client(account, &format!("client-{account}"), &format!("{SECRET_MARK}-{account}"));
        }
        let large = sales_and_refunds(&mut seed, 1, size.sales);
        let mut small = sales_and_refunds(&mut seed, 2, 2);
        // A refund of a sale that was paid out in the settlement before.
        if let (Some(sale), Some(last)) = (large.lines.first(), small.lines.last_mut()) {
            last.order.clone_from(&sale.order);
        }
        let report = Report { merchant: 123_456, settlements: vec![large, small] };
        let other = Report { merchant: 654_321, settlements: vec![sales_and_refunds(&mut seed, 3, 3)] };
        let odd = Report { merchant: 654_321, settlements: partly_unknown(&mut seed) };
        builder.pays(&first, &report);
        if !size.alone {
            builder.pays(&second, &other);
            builder.pays(&second, &odd);
        }
        let corrected = corrected(&report);
        let paid = [&report, &other, &odd].into_iter().flat_map(paid_by).collect();
        let corrected_events = builder.corrects(&first, &corrected, size.is_released);
        let wrong = String::from_utf8_lossy(&xml(&Report { merchant: 123_456, settlements: vec![unpaid(&mut seed)] }))
            .replace("<SettledAmount>", "<SettledAmount>1");
        let Builder { mut sandbox, allowed, transactions, refused } = builder;
        for transaction in &refused {
            sandbox.disturb(RequestKind::SettlementEvents, Fault::RefuseTransaction(transaction.clone()));
        }
        transactions.into_values().for_each(|transaction| sandbox.add_transaction(transaction));
        let watch = Watch::new(&allowed);
        let mut world = World::new(beginning(), sandbox, watch);
        let (mut uploads, mut correction) = (Vec::new(), None);
        let either: &[&str] = &["COMMITTED", "DUPLICATE"];
        for (account, name, phase, bytes, ends) in [
            (&first, "a.csv", 1, portal_csv(&report), either),
            (&second, "b.csv", 1, portal_csv(&other), &["COMMITTED"]),
            // Another report under the same name, stored before anybody has read the first.
            (&second, "b.csv", 1, portal_csv(&odd), &["COMMITTED"]),
            (&first, "c.xml", 1, xml(&report), either),
            (&first, "d.csv", 2, portal_csv(&corrected), &["QUARANTINED(SettlementConflict)"]),
            (&first, "e.xml", 1, wrong.into_bytes(), &["QUARANTINED(ControlTotal)"]),
            (&second, "f.csv", 1, wrong_account(&report), &["REJECTED(TenantMismatch)"]),
        ] {
            let is_correction = name == "d.csv" && size.is_released;
            if size.alone && name != "a.csv" && !is_correction {
                continue;
            }
            let landing = LandingKey::new(account.clone(), "vipps", name)
                .map_err(|error| StepError::Refused(error.to_string()))?;
            let object = world.objects.put_version(&Key::Landing(landing.clone()), bytes);
            let upload = Upload { landing, version: object.version, phase, ends };
            if is_correction {
                let (events, paid) = (corrected_events.clone(), paid_by(&corrected).collect());
                let upload = Upload { ends: &["COMMITTED"], ..upload.clone() };
                correction = Some(Correction { upload, events, paid });
            }
            uploads.push(upload);
        }
        world.state = registered(&first, &second).await?;
        let late = if size.alone { Vec::new() } else { listed_late(&first) };
        let accounts = vec![first, second];
        Ok(Scenario { world, uploads, accounts, events: allowed, correction, paid, refused, late })
    }
}

/// A state with both accounts, their merchant numbers and their recipients.
async fn registered(first: &AccountId, second: &AccountId) -> Result<MemoryState, StepError> {
    let state = Arc::new(MemoryState::default());
    let ports = Ports { objects: Arc::new(MemoryObjects::default()), state: state.clone(), packing: Packing::None };
    for (account, number) in [(first, "123456"), (second, "654321")] {
        let (provider, number, now) = ("vipps".to_owned(), number.to_owned(), beginning());
        add_merchant(&ports, &AddMerchant { account: account.clone(), provider, number, now }).await?;
        set_posting(&ports, account, true, beginning()).await?;
    }
    recipients::add(&ports, [first, second], beginning()).await?;
    Ok(MemoryState::clone(&state))
}

/// The same report with another fee in every settlement; the last settlement is paid a day later and has one more sale.
fn corrected(report: &Report) -> Report {
    let mut report = report.clone();
    for settlement in &mut report.settlements {
        settlement.lines.iter_mut().take(1).for_each(|line| line.fee_minor += 100);
    }
    if let Some(last) = report.settlements.last_mut() {
        last.payout_on = last.payout_on.tomorrow().unwrap_or(last.payout_on);
        let left_out = last.lines.first().cloned().map(|line| Line {
            transaction: line.transaction + 50_000,
            order: format!("{}-{LEFT_OUT}", line.order),
            ..line
        });
        last.lines.extend(left_out);
    }
    report
}

/// What each settlement pays.
fn paid_by(report: &Report) -> impl Iterator<Item = (String, Paid)> {
    report.settlements.iter().map(|settlement| {
        let (capture, refund, fee) = settlement.sums();
        (settlement.id.to_string(), (settlement.payout_on, settlement.lines.len() as u64, capture + refund - fee))
    })
}

/// Transactions that no report settles.
fn listed_late(account: &AccountId) -> Vec<MadeTransaction> {
    let before = |hours| beginning().saturating_sub(SignedDuration::from_hours(hours)).unwrap_or_default();
    let event = |kind, minor, hours| MadeEvent::new(kind, minor, before(hours));
    let made = |order: &str| MadeTransaction::new(&format!("{account}.{order}"), order, "vipps", "NOK", 70_000);
    vec![
        made("SENT1").with(event(TransactionEventKind::Capture, 70_000, 1)),
        made("SENT2").with(event(TransactionEventKind::Capture, 70_000, 60 * 24)).with(event(
            TransactionEventKind::Refund,
            30_000,
            1,
        )),
    ]
}

/// The first settlement of the report as a file of its own, for upload under another account.
fn wrong_account(report: &Report) -> Vec<u8> {
    let mut report = report.clone();
    report.settlements.truncate(1);
    portal_csv(&report)
}

/// A settlement of sales, each with its own order; the last one is refunded in part.
fn sales_and_refunds(seed: &mut Seed, number: u64, sales: u64) -> Settlement {
    let payout_on = date(2026, 11, 2);
    let line = |place: u64, order: String, capture_minor: i64, refund_minor: i64, fee_minor: i64| Line {
        transaction: 5_600_000_000 + number * 100_000 + place,
        order,
        captured_on: date(2026, 10, 30),
        capture_minor,
        refund_minor,
        fee_minor,
    };
    let order = |place: u64| format!("BUTIKK-{number}-{place:04}");
    let mut lines = Vec::new();
    for place in 0..sales {
        let amount = 1_000 + i64::try_from(seed.below(500_000)).unwrap_or_default();
        lines.push(line(place, order(place), amount, 0, amount * 175 / 10_000));
    }
    let refunded = -100 - i64::try_from(seed.below(800)).unwrap_or_default();
    lines.push(line(sales, order(sales.saturating_sub(1)), 0, refunded, 0));
    Settlement { id: 2_000_000 + number, payout_on, lines }
}

/// A settlement with one sale that Dintero refuses and one that it does not know, and a settlement that it does not know.
fn partly_unknown(seed: &mut Seed) -> Vec<Settlement> {
    let mut partly = sales_and_refunds(seed, 4, 6);
    for (line, word) in partly.lines.iter_mut().zip([REFUSED, UNKNOWN]) {
        line.order = format!("{word}-4");
    }
    let mut none = sales_and_refunds(seed, 5, 1);
    none.lines.iter_mut().for_each(|line| line.order = format!("{UNKNOWN}-5"));
    vec![partly, none]
}

fn unpaid(seed: &mut Seed) -> Settlement {
    sales_and_refunds(seed, 9, 2)
}

impl Builder {
    /// Adds the transactions of a report to Dintero, and the settlement events that they must get.
    fn pays(&mut self, account: &AccountId, report: &Report) {
        let lines = report.settlements.iter().flat_map(|settlement| &settlement.lines);
        for line in lines.filter(|line| !line.order.starts_with(UNKNOWN)) {
            self.knows(account, line);
        }
        self.allowed.extend(events_of(account, report));
    }

    /// Adds the sales that only a corrected report has to Dintero; gives the events that it adds or changes.
    fn corrects(&mut self, account: &AccountId, report: &Report, is_released: bool) -> BTreeMap<EventName, [i64; 4]> {
        let lines = report.settlements.iter().flat_map(|settlement| &settlement.lines);
        for line in lines.filter(|line| is_released && line.order.ends_with(LEFT_OUT)) {
            self.knows(account, line);
        }
        let is_new = |(name, money): &(EventName, [i64; 4])| self.allowed.get(name) != Some(money);
        events_of(account, report).into_iter().filter(is_new).collect()
    }

    /// Adds the sale or refund of a line to Dintero.
    fn knows(&mut self, account: &AccountId, line: &Line) {
        let id = transaction_of(account, line);
        let at = line.captured_on.at(11, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        let at = at.map_or_else(|_| beginning(), |at| at.timestamp());
        let (kind, amount) = match line.refund_minor {
            0 => (TransactionEventKind::Capture, line.capture_minor),
            refund => (TransactionEventKind::Refund, -refund),
        };
        let event = MadeEvent::new(kind, amount, at.saturating_add(SignedDuration::from_mins(1)).unwrap_or(at))
            .known_as("vipps:transactionInfo.transactionId", &line.transaction.to_string());
        let known = self.transactions.remove(&id);
        let known = known.unwrap_or_else(|| MadeTransaction::new(&id, &line.order, "vipps", "NOK", amount));
        self.transactions.insert(id.clone(), known.with(event));
        if line.order.starts_with(REFUSED) {
            self.refused.insert(id);
        }
    }
}

fn transaction_of(account: &AccountId, line: &Line) -> String {
    format!("{account}.{}", line.order.replace('-', ""))
}

/// The settlement events that a report must bring, without sales that Dintero does not know or refuses to settle.
fn events_of(account: &AccountId, report: &Report) -> BTreeMap<EventName, [i64; 4]> {
    let mut events = BTreeMap::new();
    for settlement in &report.settlements {
        let mut sums = Sums::new();
        let is_settled = |line: &&Line| ![UNKNOWN, REFUSED].iter().any(|word| line.order.starts_with(word));
        for line in settlement.lines.iter().filter(is_settled) {
            let (capture, refund, fee) = sums.entry(transaction_of(account, line)).or_default();
            *capture += line.capture_minor;
            *refund -= line.refund_minor;
            *fee += line.fee_minor;
        }
        for (id, (capture_minor, refund_minor, fee_minor)) in sums {
            let event = SettlementEvent {
                settlement_id: settlement.id.to_string(),
                provider_reference: settlement.id.to_string(),
                event_correlation_id: None,
                amount_minor: capture_minor - refund_minor - fee_minor,
                capture_minor,
                refund_minor,
                fee_minor,
            };
            events.insert(name_of(&id, &event), event.money());
        }
    }
    events
}
