//! What all parsers share: gathering lines into batches and sums, and proving the file once it is read.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::civil::Date;
use settlement::{
    BadId, Control, Currency, Defect, Held, Kind, Line, LineBatch, Problem, Problems, Settlement, SettlementHead, Sink,
    TermSums, is_seeded, mask_cards, prove,
};

use crate::format::Failure;
use crate::limits::Limits;

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
        let bad = |error: BadId| {
            let message = format!("{error}. Ask the provider for the report again");
            Problem::error(Kind::Identifier, message).at_row(u64::from(self.row))
        };
        Ok(SettlementHead {
            merchant_number: self.merchant_number.parse().map_err(bad)?,
            settlement_id: self.settlement_id.parse().map_err(bad)?,
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
            problems: Problems::with_limit(limits.problems_max),
            settlements: Vec::new(),
            sums: Vec::new(),
            by_name: HashMap::new(),
            name: String::new(),
            batch: LineBatch::default(),
            lines: 0,
        }
    }

    /// Announces a settlement and gives its index.
    pub(crate) fn open(&mut self, announced: &Announced<'_>) -> Result<u32, Failure> {
        if self.settlements.len() >= self.limits.settlements_max {
            return Err(too_many("settlements", self.limits.settlements_max as u64).into());
        }
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

    /// The settlements announced so far.
    pub(crate) fn settlements(&self) -> &[Settlement] {
        &self.settlements
    }

    /// Number of lines taken so far.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// An announced settlement, to be told what the file states of it.
    pub(crate) fn settlement(&mut self, index: u32) -> Option<&mut Settlement> {
        self.settlements.get_mut(index as usize)
    }

    /// Keeps what is wrong with one row and lets the reader go on; only a limit that was met ends the reading.
    #[inline]
    pub(crate) fn recover(&mut self, taken: Result<(), Failure>) -> Result<(), Failure> {
        taken.or_else(|failure| self.pass_over(failure))
    }

    #[cold]
    fn pass_over(&mut self, failure: Failure) -> Result<(), Failure> {
        match failure {
            Failure::Held(held) if held.problems.list().iter().all(|p| p.kind != Kind::TooLarge) => {
                if !is_seeded(Defect::SkipsBadRows) {
                    held.problems.list().iter().for_each(|problem| self.problems.push(problem.clone()));
                }
                Ok(())
            }
            failure => Err(failure),
        }
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

    /// Ends a file whose reader came to the end, or gave up with `ended`.
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
            for problem in prove(settlement) {
                self.problems.push(problem);
            }
        }
        if self.settlements.is_empty() && !self.problems.has_errors() {
            let message = "Found no settlement in the file, expected at least one. Check the period of the report";
            self.problems.push(Problem::error(Kind::Empty, message));
        }
        if self.problems.has_errors() {
            return Err(self.held());
        }
        Ok(Control { settlements: self.settlements, notes: self.problems })
    }

    fn sum_up(&mut self) {
        for (settlement, (count, sums)) in self.settlements.iter_mut().zip(&self.sums) {
            settlement.lines = *count + u64::from(is_seeded(Defect::PayoutRowIsLine));
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
    use settlement::{Sealed, SinkError, Verdict};

    use super::*;

    /// Counts the settlements that are announced to it.
    #[derive(Default)]
    struct Count(usize);

    impl Sink for Count {
        fn open(&mut self, _: &SettlementHead) -> Result<(), SinkError> {
            self.0 += 1;
            Ok(())
        }

        fn lines(&mut self, _: &LineBatch) -> Result<(), SinkError> {
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

    /// The problem of a settlement with these ids; `None` when it is announced.
    fn problem(merchant_number: &str, settlement_id: &str) -> Option<Problem> {
        let (mut sink, limits) = (Count::default(), Limits::default());
        let opened = Collector::new(&mut sink, &limits).open(&announced(merchant_number, settlement_id));
        assert_eq!(sink.0, usize::from(opened.is_ok()), "a bad id goes no further");
        match opened {
            Ok(index) => {
                assert_eq!(index, 0);
                None
            }
            Err(Failure::Held(held)) => held.problems.first_error().cloned(),
            Err(failure) => panic!("{failure}"),
        }
    }

    #[test]
    fn an_id_that_is_unsafe_in_keys_or_paths_is_a_problem_of_its_row() {
        assert_eq!(problem("R4321", "R4321-0007"), None);
        let long = "7".repeat(300);
        for bad in ["../../x", "a/NOK", "..", "", "a\u{0}", "a\nb", "a\u{1b}[2J", " a", "å", &long] {
            for found in [problem(bad, "1"), problem("1", bad)] {
                let found = found.unwrap_or_else(|| panic!("{bad:?} is announced"));
                assert_eq!(
                    (found.kind, found.row, found.kind.verdict()),
                    (Kind::Identifier, Some(7), Verdict::Quarantined)
                );
                assert!(!found.message.chars().any(char::is_control), "{:?}", found.message);
                assert!(found.message.len() < 300, "{}", found.message);
            }
        }
    }

    #[test]
    fn a_card_number_names_no_settlement() {
        let found = problem("1", "4111111111111111").unwrap();
        assert_eq!((found.kind, found.message.contains("411111******1111")), (Kind::CardNumber, true));
    }
}
