//! What all parsers share: gathering lines into batches and sums, and proving the file once it is read.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::civil::Date;
use settlement::{
    Control, Currency, Held, Kind, LedgerEntry, Line, LineBatch, Problem, Problems, Settlement, SettlementHead, Sink,
    TermSums, WaitingEntries, mask_cards, prove,
};

use crate::failure::Failure;
use crate::limits::Limits;
use crate::read::field::Cell;
use crate::read::shown::{is_blank, shown_id};

/// Takes settlements and lines from a parser and passes them to the sink; ends in proof or in problems.
pub(crate) struct Collector<'s> {
    sink: &'s mut dyn Sink,
    limits: &'s Limits,
    pub(crate) problems: Problems,
    settlements: Vec<Settlement>,
    sums: Vec<(u64, TermSums)>,
    by_name: HashMap<String, u32>,
    name: String,
    batch: LineBatch,
    lines: u64,
    /// Rows that could not be read, whose money is in no sum.
    rows_lost: u64,
    compares_totals: bool,
    /// Of a ledger: the entries that are in none of its settlements.
    pub(crate) waiting: Vec<WaitingEntries>,
    /// Those entries.
    pub(crate) entries: Vec<LedgerEntry>,
}

/// A settlement as a parser announces it: its ids are texts of the file.
pub(crate) struct Announced<'a> {
    pub(crate) merchant_number: &'a str,
    pub(crate) settlement_id: &'a str,
    pub(crate) currency: Currency,
    /// Decimals of the currency in the file.
    pub(crate) exponent: u8,
    pub(crate) payout_on: Date,
    /// The row that names it.
    pub(crate) row: u32,
}

impl Announced<'_> {
    /// The head of the settlement, with ids that are safe in keys and paths.
    fn head(&self) -> Result<SettlementHead, Problem> {
        let bad = |text: &str| {
            let expected = "an id of letters, digits, '-', '_' and '.'";
            let found = shown_id(text);
            let message = format!("Found {found}, expected {expected}. Ask the provider for the report again");
            Problem::error(Kind::Identifier, message).at_row(u64::from(self.row))
        };
        Ok(SettlementHead {
            merchant_number: self.merchant_number.parse().map_err(|_| bad(self.merchant_number))?,
            settlement_id: self.settlement_id.parse().map_err(|_| bad(self.settlement_id))?,
            currency: self.currency,
            exponent: self.exponent,
            payout_on: self.payout_on,
        })
    }
}

impl<'s> Collector<'s> {
    pub(crate) fn new(sink: &'s mut dyn Sink, limits: &'s Limits) -> Self {
        Collector {
            sink,
            limits,
            problems: Problems::folding(limits.problems_max),
            settlements: Vec::new(),
            sums: Vec::new(),
            by_name: HashMap::new(),
            name: String::new(),
            batch: LineBatch::default(),
            lines: 0,
            rows_lost: 0,
            compares_totals: true,
            waiting: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Announces a settlement and gives its index.
    pub(crate) fn open(&mut self, announced: &Announced<'_>) -> Result<u32, Failure> {
        self.has_room(self.settlements.len())?;
        for id in [announced.merchant_number, announced.settlement_id] {
            if let Cow::Owned(masked) = mask_cards(id) {
                let message = format!("Found {masked:?}, the number of a payment card, where a settlement is named");
                return Err(Problem::error(Kind::CardNumber, message).into());
            }
        }
        let head = announced.head()?;
        let index = u32::try_from(self.settlements.len()).unwrap_or(u32::MAX);
        self.sink.open(&head)?;
        self.spell_name(&head.merchant_number, &head.settlement_id, head.currency);
        self.by_name.insert(self.name.clone(), index);
        self.settlements.push(Settlement::new(head));
        self.sums.push((0, TermSums::default()));
        Ok(index)
    }

    /// Whether one more settlement may come after `count`.
    pub(crate) fn has_room(&self, count: usize) -> Result<(), Problem> {
        let most = self.limits.settlements_max;
        if count >= most { Err(too_many("settlements", most as u64)) } else { Ok(()) }
    }

    /// The settlement of that merchant, id and currency, when it was announced.
    pub(crate) fn find(&mut self, merchant_number: &str, settlement_id: &str, currency: Currency) -> Option<u32> {
        self.spell_name(merchant_number, settlement_id, currency);
        self.by_name.get(&self.name).copied()
    }

    fn spell_name(&mut self, merchant_number: &str, settlement_id: &str, currency: Currency) {
        self.name.clear();
        for part in [currency.as_str(), merchant_number, "\0", settlement_id] {
            self.name.push_str(part);
        }
    }

    /// An organisation number in any way of writing, as `NO 987 654 325 MVA`; what is none is noted, since it decides
    /// nothing.
    pub(crate) fn organisation_number(&mut self, cell: Cell<'_>) -> Option<String> {
        let text: String = cell.text.chars().filter(|c| !is_blank(*c) && !matches!(c, '.' | '-')).collect();
        let number = text.strip_prefix("NO").unwrap_or(&text);
        let number = number.strip_suffix("MVA").unwrap_or(number);
        if (1..=19).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(number.to_owned());
        }
        if !text.is_empty() {
            let message = "Found no organisation number where one stands; it is not used";
            let note = Problem::note(Kind::Identifier, message).at_row(u64::from(cell.row)).in_column(cell.column);
            self.problems.push(note);
        }
        None
    }

    /// The settlements announced so far.
    pub(crate) fn settlements(&self) -> &[Settlement] {
        &self.settlements
    }

    /// Number of lines taken so far.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// An announced settlement, to be filled with what the file states of it.
    pub(crate) fn settlement(&mut self, index: u32) -> Option<&mut Settlement> {
        self.settlements.get_mut(index as usize)
    }

    /// Keeps the problems of one row and lets the reader go on; a limit that is exceeded ends the reading.
    #[inline]
    pub(crate) fn recover(&mut self, taken: Result<(), Failure>) -> Result<(), Failure> {
        taken.or_else(|failure| self.pass_over(failure))
    }

    #[cold]
    fn pass_over(&mut self, failure: Failure) -> Result<(), Failure> {
        match failure {
            Failure::Held(held) if held.problems.list().iter().all(|p| p.kind != Kind::TooLarge) => {
                held.problems.list().iter().for_each(|problem| self.problems.push(problem.clone()));
                self.rows_lost += 1;
                Ok(())
            }
            failure => Err(failure),
        }
    }

    /// Counts a row whose problem is known and whose money is in no sum.
    pub(crate) fn lose_row(&mut self) {
        self.rows_lost += 1;
    }

    /// Whether a row could not be read, so that no total can be compared.
    pub(crate) fn has_lost_rows(&self) -> bool {
        self.rows_lost > 0
    }

    /// Leaves the stated totals uncompared: something that they need could not be read, and its problem is known.
    pub(crate) fn compare_no_totals(&mut self) {
        self.compares_totals = false;
    }

    /// Counts and keeps one line, without the numbers of payment cards that its texts may hold.
    #[inline]
    pub(crate) fn add(&mut self, line: &Line<'_>) -> Result<(), Failure> {
        let texts = [
            line.provider_transaction_id,
            line.original_reference,
            line.order_reference,
            line.correlation_id,
            line.provider_method,
            line.provider_kind,
            line.store_id,
            line.payout_destination_id,
        ];
        if texts.iter().all(|text| matches!(mask_cards(text), Cow::Borrowed(_))) {
            return self.keep(line);
        }
        let message = "Found the number of a payment card; only its first six and last four digits are kept";
        self.problems.push(Problem::note(Kind::CardNumber, message).at_row(u64::from(line.row)));
        let [a, b, c, d, e, f, g, h] = texts.map(mask_cards);
        self.keep(&Line {
            provider_transaction_id: &a,
            original_reference: &b,
            order_reference: &c,
            correlation_id: &d,
            provider_method: &e,
            provider_kind: &f,
            store_id: &g,
            payout_destination_id: &h,
            ..*line
        })
    }

    #[inline]
    fn keep(&mut self, line: &Line<'_>) -> Result<(), Failure> {
        if let Some((count, sums)) = self.sums.get_mut(line.settlement as usize) {
            *count += 1;
            sums.add(&line.terms);
        }
        self.lines += 1;
        self.batch.push(line);
        if self.batch.is_full() {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.lines > self.limits.lines_max {
            return Err(too_many("lines", self.limits.lines_max).into());
        }
        self.sink.lines(&self.batch)?;
        self.batch.clear();
        Ok(())
    }

    /// Ends the file: proves it when its reader reached the end, and adds the problem that ended it otherwise.
    pub(crate) fn finish(mut self, ended: Result<(), Failure>) -> Result<Control, Failure> {
        match ended.and_then(|()| self.flush()) {
            Ok(()) => self.prove(),
            Err(Failure::Held(held)) => {
                for problem in held.problems.list() {
                    self.problems.push(problem.clone());
                }
                self.sum_up();
                Err(self.held())
            }
            Err(failure) => Err(failure),
        }
    }

    fn prove(mut self) -> Result<Control, Failure> {
        self.sum_up();
        let sealed = self.sink.seal(&self.settlements)?;
        for (first, repeated) in &sealed.repeated {
            let message = format!(
                "Found the transaction of row {first} again, expected each transaction once. \
                 Ask the provider for the report again"
            );
            self.problems.push(Problem::error(Kind::DuplicateTransaction, message).at_row(u64::from(*repeated)));
        }
        self.problems.count_beyond_limit(sealed.repeated_beyond_limit);
        for (settlement, hash) in self.settlements.iter_mut().zip(sealed.hashes) {
            settlement.hash = Some(hash);
            let differences = prove(settlement);
            // That a total lacks the money of rows that could not be read only follows from them.
            for problem in differences.into_iter().filter(|_| self.compares_totals && self.rows_lost == 0) {
                self.problems.push(problem);
            }
        }
        if self.rows_lost > 0 && self.compares_totals {
            let message = match self.rows_lost {
                1 => "The totals were not compared, since a row could not be read".to_owned(),
                rows => format!("The totals were not compared, since {rows} rows could not be read"),
            };
            self.problems.push(Problem::note(Kind::ControlTotal, message));
        }
        if self.settlements.is_empty() && self.waiting.is_empty() && !self.problems.has_errors() {
            let message = "Found no settlement in the report: its period has none";
            self.problems.push(Problem::note(Kind::Empty, message));
        }
        if self.problems.has_errors() {
            return Err(self.held());
        }
        let Collector { settlements, problems: notes, waiting, entries, .. } = self;
        Ok(Control { settlements, notes, waiting, entries })
    }

    fn sum_up(&mut self) {
        for (settlement, (count, sums)) in self.settlements.iter_mut().zip(&self.sums) {
            settlement.lines = *count;
            match sums.terms() {
                Some(terms) => settlement.sums = terms,
                None => {
                    let message = format!("The lines of {} sum to more than can be counted", settlement.name());
                    self.problems.push(Problem::error(Kind::AmountOverflow, message));
                }
            }
        }
    }

    fn held(self) -> Failure {
        Failure::Held(Box::new(Held { problems: self.problems, settlements: self.settlements }))
    }
}

fn too_many(what: &str, limit: u64) -> Problem {
    let message = format!("Found more than {limit} {what}, expected fewer. Ask for the report in shorter periods");
    Problem::error(Kind::TooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use settlement::{LineBatch, Sealed, SinkError};

    /// Counts what it is handed.
    #[derive(Default)]
    struct Counts {
        settlements: usize,
        lines: usize,
    }

    impl Sink for Counts {
        fn open(&mut self, _: &SettlementHead) -> Result<(), SinkError> {
            self.settlements += 1;
            Ok(())
        }

        fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError> {
            self.lines += batch.len();
            Ok(())
        }

        fn seal(&mut self, _: &[Settlement]) -> Result<Sealed, SinkError> {
            Ok(Sealed::default())
        }
    }

    fn announced<'a>(merchant_number: &'a str, settlement_id: &'a str) -> Announced<'a> {
        let payout_on = jiff::civil::date(2026, 10, 30);
        Announced { merchant_number, settlement_id, currency: Currency::NOK, exponent: 2, payout_on, row: 7 }
    }

    fn kind_of(failure: &Failure) -> Option<Kind> {
        match failure {
            Failure::Held(held) => held.problems.first_error().map(|problem| problem.kind),
            _ => None,
        }
    }

    #[test]
    fn ids_that_are_unsafe_in_keys_and_paths_announce_no_settlement() {
        let (mut sink, limits) = (Counts::default(), Limits::default());
        let longest = "a".repeat(64);
        for good in ["1", "123456", "R4321-0007", "a.b_c-D", &longest] {
            for (merchant_number, settlement_id) in [(good, "1"), ("1", good)] {
                let announced = announced(merchant_number, settlement_id);
                Collector::new(&mut sink, &limits).open(&announced).unwrap();
            }
        }
        assert_eq!(sink.settlements, 10);
        let (longer, long) = ("a".repeat(65), "1".repeat(300));
        let bad =
            ["", ".", "..", "../../x", "-1", "_1", ".1", "a/NOK", "a\\b", "a b", "a\u{1}", "1\n", "æ", "a#b", "a%2fb"];
        for bad in bad.into_iter().chain([longer.as_str(), long.as_str()]) {
            for (merchant_number, settlement_id) in [(bad, "1"), ("1", bad)] {
                let announced = announced(merchant_number, settlement_id);
                let failure = Collector::new(&mut sink, &limits).open(&announced).unwrap_err();
                assert_eq!(kind_of(&failure), Some(Kind::Identifier), "{bad:?}");
            }
        }
        assert_eq!(sink.settlements, 10);
    }

    /// Keeps the batches it is handed.
    #[derive(Default)]
    struct Batches(Vec<LineBatch>);

    impl Sink for Batches {
        fn open(&mut self, _: &SettlementHead) -> Result<(), SinkError> {
            Ok(())
        }

        fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError> {
            self.0.push(batch.clone());
            Ok(())
        }

        fn seal(&mut self, _: &[Settlement]) -> Result<Sealed, SinkError> {
            Ok(Sealed::default())
        }
    }

    fn line<'a>(texts: [&'a str; 8]) -> Line<'a> {
        let [id, original, order, correlation, method, kind, store, destination] = texts;
        Line {
            settlement: 0,
            row: 7,
            kind: settlement::LineKind::Sale,
            terms: settlement::Terms { capture_minor: 100, ..settlement::Terms::default() },
            provider_transaction_id: id,
            original_reference: original,
            order_reference: order,
            correlation_id: correlation,
            provider_method: method,
            provider_kind: kind,
            store_id: store,
            payout_destination_id: destination,
            captured_at_us: Some(1),
            provider_date: None,
        }
    }

    #[test]
    fn a_card_number_is_masked_in_any_text_and_the_other_texts_stay() {
        const CARD: &str = "4111111111111111";
        let plain = ["a", "b", "c", "d", "e", "f", "g", "h"];
        for masked in 0..plain.len() {
            let (mut sink, limits) = (Batches::default(), Limits::default());
            let mut collector = Collector::new(&mut sink, &limits);
            collector.open(&announced("1", "1")).unwrap();
            let mut texts = plain;
            texts[masked] = CARD;
            collector.add(&line(texts)).unwrap();
            let notes: Vec<_> = collector.problems.list().iter().map(|note| (note.kind, note.row)).collect();
            assert_eq!(notes, [(Kind::CardNumber, Some(7))]);
            collector.finish(Ok(())).unwrap();
            let batch = &sink.0[0];
            let columns = [
                &batch.provider_transaction_id,
                &batch.original_reference,
                &batch.order_reference,
                &batch.correlation_id,
                &batch.provider_method,
                &batch.provider_kind,
                &batch.store_id,
                &batch.payout_destination_id,
            ];
            for (place, column) in columns.into_iter().enumerate() {
                let expected = if place == masked { "411111******1111" } else { plain[place] };
                assert_eq!(column.text(), expected, "{masked}");
            }
            assert_eq!((batch.row[0], batch.captured_at_us[0], batch.terms[0].capture_minor), (7, Some(1), 100));
        }
    }

    #[test]
    fn a_card_number_names_no_settlement() {
        for (merchant_number, settlement_id) in [("4111111111111111", "1"), ("1", "4111111111111111")] {
            let (mut sink, limits) = (Counts::default(), Limits::default());
            let failure =
                Collector::new(&mut sink, &limits).open(&announced(merchant_number, settlement_id)).unwrap_err();
            assert_eq!((kind_of(&failure), sink.settlements), (Some(Kind::CardNumber), 0));
        }
    }
}
