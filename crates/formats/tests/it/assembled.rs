//! Files of one ledger in parts: in whatever order they come, the same payouts are taken.

use std::collections::BTreeMap;
use std::fmt::Write;

use fixtures::files;
use fixtures::generate::Seed;
use formats::{Run, assemble};
use jiff::civil::{Date, DateTime, date};
use proptest::prelude::*;
use settlement::{Fees, MajorUnits, PaidDays, Proof, Settlement, WaitingReason};

use crate::judged::{Judged, judged};

/// What an account knows of a ledger after some files.
#[derive(Debug, Default, PartialEq)]
struct Known {
    runs: Vec<Run>,
    paid: Vec<PaidDays>,
    settlements: BTreeMap<String, Settlement>,
}

impl Known {
    /// Takes a file, and each payout that is put together with it as a file of its own.
    fn take(&mut self, bytes: &[u8]) {
        let judged = judged("a.csv", bytes);
        assert!(!judged.problems.has_errors(), "{:?}\n{}", judged.problems.list(), String::from_utf8_lossy(bytes));
        self.take_judged(judged);
    }

    /// Takes a report of the API.
    fn take_json(&mut self, name: &str) {
        let judged = judged(name, &files::read(&format!("vipps-report-api-json-v2/{name}")));
        assert!(!judged.problems.has_errors(), "{name}: {:?}", judged.problems.list());
        self.take_judged(judged);
    }

    fn take_judged(&mut self, judged: Judged) {
        let Judged { format, settlements, entries, .. } = judged;
        for settlement in settlements {
            self.paid.push(PaidDays { from: settlement.period_from.unwrap(), to: settlement.period_to.unwrap() });
            let id = settlement.head.settlement_id.to_string();
            let known = self.settlements.entry(id).or_insert_with(|| settlement.clone());
            assert_eq!(comparable(known), comparable(&settlement));
        }
        let assembly = assemble(std::mem::take(&mut self.runs), entries, &self.paid);
        self.runs = assembly.runs;
        for payout in assembly.payouts {
            let (name, bytes) = format.unwrap().write_payout(&payout.entries).unwrap().unwrap();
            self.take(&bytes);
            let id = &payout.entries.last().unwrap().payout.as_ref().unwrap().settlement_id;
            assert!(self.settlements.contains_key(id.as_str()), "{name} is no payout that can be proved");
        }
    }

    /// What must not depend on the order: the money of each settlement, and what waits.
    fn end(self) -> (Vec<String>, Vec<Waits>) {
        let waiting = assemble(self.runs, Vec::new(), &self.paid).waiting;
        let waiting = waiting.iter().map(|w| (w.reason, w.entries, w.sum_minor, w.from, w.to)).collect();
        (self.settlements.values().map(comparable).collect(), waiting)
    }
}

/// Reason, entries, their sum, and their first and last booking day.
type Waits = (WaitingReason, u64, i64, Date, Date);

/// A settlement without the rows that name it.
fn comparable(settlement: &Settlement) -> String {
    let Settlement { head, lines, sums, opening_minor, closing_minor, fees, payout_minor, proof, hash, .. } =
        settlement;
    format!("{head:?} {lines} {sums:?} {opening_minor} {closing_minor} {fees:?} {payout_minor:?} {proof:?} {hash:?}")
}

const HEAD: &str = "MSN/Vippsnummer,Tidspunkt,Bokføringsdato,Type,Beløp,Balanse,Gebyr,Nettobeløp,Valuta,PSP-referanse,\
                    Ordre-ID/Referanse,Utbetalingsnummer,Bankkonto for utbetaling,Planlagt utbetalingsdato,Kundens navn";

/// Writes the rows of a ledger while its balance runs on.
struct Ledger {
    rows: Vec<String>,
    /// Rows before which no file begins: it would have the payout of a day and not what stands before it of the next.
    never_first: Vec<usize>,
    balance_minor: i64,
    transactions: u32,
    payouts: u32,
}

impl Ledger {
    fn row(&mut self, time: DateTime, booked_on: Date, word: &str, amount_minor: i64, rest: [&str; 7]) {
        self.balance_minor += amount_minor;
        let [fee, net, transaction, order, payout, account, paid_on] = rest;
        let (amount, balance) = (MajorUnits::new(amount_minor, 2), MajorUnits::new(self.balance_minor, 2));
        let time = time.strftime("%Y-%m-%d %H:%M:%S");
        self.rows.push(format!(
            "123456,{time},{booked_on},{word},{amount},{balance},{fee},{net},NOK,{transaction},{order},{payout},{account},\
             {paid_on},En person"
        ));
    }

    fn payment(&mut self, time: DateTime, booked_on: Date, amount_minor: i64, fee_minor: i64) {
        self.transactions += 1;
        let word = if amount_minor < 0 { "Refusjon" } else { "Belastning" };
        let (fee, net) = (MajorUnits::new(-fee_minor, 2), MajorUnits::new(amount_minor - fee_minor, 2));
        let (transaction, order) = (format!("57{:08}", self.transactions), format!("BUTIKK-{}", self.transactions));
        let rest = [&fee.to_string(), &net.to_string(), transaction.as_str(), &order, "", "", ""];
        self.row(time, booked_on, word, amount_minor, rest);
    }

    fn payout(&mut self, time: DateTime, booked_on: Date, amount_minor: i64) {
        self.payouts += 1;
        let number = 2_000_460 + self.payouts;
        let (transaction, order) = (format!("480001-{number}"), format!("Utb. {number} Vippsnr 123456"));
        let paid_on = booked_on.tomorrow().unwrap().to_string();
        let rest = ["", "", &transaction, &order, &number.to_string(), "NO34 7005 0279 3", &paid_on];
        self.row(time, booked_on, "Utbetaling planlagt", -amount_minor, rest);
    }
}

/// The rows of a made-up ledger of some days: refunds with the fee given back, days without a payout, payouts that leave
/// something, and sales of a new day before the payout of the last one.
fn ledger(seed: &mut Seed) -> Ledger {
    let mut ledger =
        Ledger { rows: Vec::new(), never_first: Vec::new(), balance_minor: 0, transactions: 0, payouts: 0 };
    let mut booked_on = date(2026, 10, 1);
    let mut early_fees_minor = 0;
    for _ in 0..3 + seed.below(8) {
        let mut fees_minor = std::mem::take(&mut early_fees_minor);
        for number in 0..1 + seed.below(5) {
            let refunds = number > 1 && seed.below(4) == 0;
            let amount_minor = 100 + 100 * seed.below(90) as i64;
            let (amount_minor, fee_minor) =
                if refunds { (-100, -2) } else { (amount_minor, 1 + seed.below(300) as i64 * amount_minor / 10_000) };
            fees_minor += fee_minor;
            ledger.payment(booked_on.at(9 + number as i8, 30, 0, 0), booked_on, amount_minor, fee_minor);
        }
        let next_day = booked_on.tomorrow().unwrap();
        ledger.row(
            next_day.at(0, 25, 59, 0),
            booked_on,
            "Gebyrer fratrukket",
            -fees_minor,
            ["", "", "480001-1", "", "", "", ""],
        );
        if seed.below(3) > 0 && ledger.balance_minor > 100 {
            let kept_minor = if seed.below(4) == 0 { 100 } else { 0 };
            let paid_minor = ledger.balance_minor - kept_minor;
            if seed.below(3) == 0 {
                early_fees_minor = 5;
                ledger.payment(next_day.at(0, 26, 30, 0), next_day, 200, 5);
                ledger.never_first.push(ledger.rows.len());
            }
            ledger.payout(next_day.at(0, 27, 0, 0), booked_on, paid_minor);
        }
        booked_on = if early_fees_minor > 0 || seed.below(3) > 0 { next_day } else { next_day.tomorrow().unwrap() };
    }
    if early_fees_minor > 0 {
        ledger.payment(booked_on.at(12, 0, 0, 0), booked_on, 300, 1);
    }
    ledger
}

fn file(rows: &[String]) -> Vec<u8> {
    let mut text = format!("{HEAD}\n");
    rows.iter().for_each(|row| writeln!(text, "{row}").unwrap());
    text.into_bytes()
}

/// The rows cut into parts that overlap or meet, some of them twice, in a random order.
fn parts(ledger: &Ledger, seed: &mut Seed) -> Vec<Vec<u8>> {
    let Ledger { rows, never_first, .. } = ledger;
    let begin = |row: usize| if never_first.contains(&row) { row - 1 } else { row };
    let mut parts = Vec::new();
    let mut from = 0;
    let day = |row: usize| rows[row].split(',').nth(2).unwrap().parse::<Date>().unwrap();
    while from < rows.len() {
        let to = (from + 1 + seed.below(9) as usize).min(rows.len());
        // Files may meet between two days; else they have a row in common.
        let meets = from > 0 && day(from) == day(from - 1).tomorrow().unwrap();
        let shared = usize::from(!meets) + seed.below(4) as usize;
        let mut part = rows[begin(from.saturating_sub(shared))..to].to_vec();
        // Some people sort their files.
        if seed.below(4) == 0 {
            part.reverse();
        }
        parts.push(file(&part));
        from = to;
    }
    for _ in 0..seed.below(3) {
        let again = parts[seed.below(parts.len() as u64) as usize].clone();
        parts.push(again);
    }
    for place in (1..parts.len()).rev() {
        parts.swap(place, seed.below(place as u64 + 1) as usize);
    }
    parts
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn parts_in_any_order_end_as_the_whole_file(seed in any::<u64>()) {
        let mut seed = Seed(seed);
        let ledger = ledger(&mut seed);
        let mut whole = Known::default();
        whole.take(&file(&ledger.rows));
        let mut known = Known::default();
        for part in parts(&ledger, &mut seed) {
            known.take(&part);
        }
        prop_assert_eq!(known.end(), whole.end());
    }

    /// Money that one file states otherwise than the others is in no settlement.
    #[test]
    fn an_amount_changed_in_one_part_makes_no_other_settlement(seed in any::<u64>()) {
        let mut seed = Seed(seed);
        let ledger = ledger(&mut seed);
        let mut whole = Known::default();
        whole.take(&file(&ledger.rows));
        let mut parts = parts(&ledger, &mut seed);
        let place = seed.below(parts.len() as u64) as usize;
        parts[place] = with_an_amount_changed(&parts[place], &mut seed);
        let mut known = Known::default();
        for part in parts {
            let judged = judged("a.csv", &part);
            if !judged.problems.has_errors() {
                known.take_judged(judged);
            }
        }
        for (id, settlement) in &known.settlements {
            prop_assert_eq!(whole.settlements.get(id).map(comparable), Some(comparable(settlement)));
        }
    }
}

/// Funds and fees are files of their own: whichever comes last completes the payout, and a file that comes again adds nothing.
#[test]
fn funds_and_fees_of_the_api_come_to_one_payout_in_any_order() {
    let mut found = Vec::new();
    for order in [["funds.json", "fees.json", "funds.json"], ["fees.json", "fees.json", "funds.json"]] {
        let mut known = Known::default();
        known.take_json(order[0]);
        assert!(known.settlements.is_empty() && !known.runs.is_empty(), "{order:?}");
        known.take_json(order[1]);
        known.take_json(order[2]);
        let [settlement] = known.settlements.values().collect::<Vec<_>>()[..] else {
            panic!("{:?}", known.settlements)
        };
        let sums = settlement.sums;
        assert_eq!((sums.capture_minor, sums.refund_minor, sums.fee_minor), (40_000, -10_000, 700), "{order:?}");
        assert_eq!(
            (settlement.payout_minor, settlement.proof, settlement.fees),
            (Some(29_300), Proof::Exact, Fees::Deducted)
        );
        found.push(comparable(settlement));
        assert_eq!(known.end().1, []);
    }
    assert_eq!(found[0], found[1]);
}

/// Without its fees a payout would be proved by its gross alone.
#[test]
fn funds_without_their_fees_wait_and_say_what_for() {
    let mut known = Known::default();
    known.take_json("funds.json");
    let (settlements, waiting) = known.end();
    assert_eq!(settlements, Vec::<String>::new());
    assert_eq!(waiting, [(WaitingReason::Fees, 4, 29_300, date(2026, 11, 2), date(2026, 11, 2))]);
}

/// Each number of each entry changed, in each of the two files.
#[test]
fn a_number_changed_in_funds_or_fees_makes_no_other_settlement() {
    let [funds, fees] = ["funds.json", "fees.json"]
        .map(|name| String::from_utf8(files::read(&format!("vipps-report-api-json-v2/{name}"))).unwrap());
    let taken = |funds: &str, fees: &str| {
        let mut known = Known::default();
        for file in [funds, fees].map(|text| judged("a.json", text.as_bytes())) {
            if !file.problems.has_errors() {
                known.take_judged(file);
            }
        }
        known.settlements.values().map(|settlement| (settlement.sums, settlement.payout_minor)).collect::<Vec<_>>()
    };
    let whole = taken(&funds, &fees);
    assert_eq!(whole.len(), 1);
    let mut tried = 0;
    for (is_funds, text) in [(true, &funds), (false, &fees)] {
        for (place, digit) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            let line = text[..place].rsplit('\n').next().unwrap();
            if !["amount", "balance"].iter().any(|field| line.contains(field)) {
                continue;
            }
            for other in ["1", "9", "00", "-1"].into_iter().filter(|other| *other != digit.to_string()) {
                let changed = format!("{}{other}{}", &text[..place], &text[place + 1..]);
                let found = if is_funds { taken(&changed, &fees) } else { taken(&funds, &changed) };
                assert!(found.is_empty() || found == whole, "{changed}");
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

/// The file with another amount, balance, fee or net in one row.
fn with_an_amount_changed(file: &[u8], seed: &mut Seed) -> Vec<u8> {
    let text = String::from_utf8(file.to_vec()).unwrap();
    let mut rows: Vec<Vec<String>> = text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let row = 1 + seed.below(rows.len() as u64 - 1) as usize;
    let column = 4 + seed.below(4) as usize;
    let cell = &mut rows[row][column];
    *cell = if cell.is_empty() { "1.00".to_owned() } else { format!("{cell}1").replace(".", "").replace("-", "-1") };
    if cell.len() > 2 {
        cell.insert(cell.len() - 2, '.');
    }
    rows.iter().map(|row| row.join(",") + "\n").collect::<String>().into_bytes()
}
