//! Row digests sorted on disk: their merge finds repeated transactions and computes the hash of each settlement.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use settlement::{
    CanonicalRow, Currency, DIGESTS_TOGETHER, LineBatch, RowDigest, RowDigester, Sealed, Settlement, SettlementHash,
    SettlementHasher, SettlementHead, Sink, SinkError,
};

use crate::error::TableError;

/// The most rows of a run, 32 MiB, which is sorted in memory and then written to disk.
pub const RUN_ROWS: usize = 1024 * 1024;
/// The most repeated transactions that are listed; further ones are counted.
const REPEATED_MAX: usize = 1_000;
const ENTRY_BYTES: usize = 32;

/// One row, ordered by settlement, then transaction, then content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    settlement: u32,
    digest: RowDigest,
    row: u32,
}

/// Gathers the digests of a report's lines in bounded memory.
#[derive(Debug)]
pub struct Digests {
    currencies: Vec<Currency>,
    run: Vec<Entry>,
    run_rows: usize,
    spilled: Vec<File>,
    digester: RowDigester,
}

impl Default for Digests {
    fn default() -> Self {
        Digests::with_run_rows(RUN_ROWS)
    }
}

impl Digests {
    /// Digests of which at most `run_rows` are in memory; the others are on disk.
    pub fn with_run_rows(run_rows: usize) -> Self {
        Digests {
            currencies: Vec::new(),
            run: Vec::new(),
            run_rows,
            spilled: Vec::new(),
            digester: RowDigester::default(),
        }
    }

    /// Begins a settlement.
    pub fn open(&mut self, head: &SettlementHead) {
        self.currencies.push(head.currency);
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// When a full run cannot be written to a temporary file.
    pub fn add(&mut self, batch: &LineBatch) -> Result<(), TableError> {
        if !self.run.is_empty() && self.run.len() + batch.len() > self.run_rows {
            self.spill()?;
        }
        let ids = batch.provider_transaction_id.iter().zip(batch.order_reference.iter());
        let money = batch.kind.iter().zip(&batch.terms);
        let rows = batch.settlement.iter().zip(money).zip(ids);
        let rows = rows.map(|((settlement, (kind, terms)), (id, order))| CanonicalRow {
            provider_transaction_id: id,
            kind: *kind,
            order_reference: order,
            currency: self.currencies.get(*settlement as usize).copied().unwrap_or(Currency::NOK),
            terms: *terms,
        });
        let mut places = batch.settlement.iter().zip(&batch.row);
        self.digester.digest(rows, |digest| {
            let entry = places.next().map(|(settlement, row)| Entry { settlement: *settlement, digest, row: *row });
            self.run.extend(entry);
        });
        Ok(())
    }

    fn spill(&mut self) -> Result<(), TableError> {
        sort(&mut self.run);
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for entry in &self.run {
            file.write_all(&entry.to_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.spilled.push(file);
        self.run.clear();
        Ok(())
    }

    /// Merges all runs into one hash per settlement and the list of repeated transactions.
    ///
    /// # Errors
    /// When a spilled run cannot be read back.
    pub fn seal(&mut self, settlements: &[Settlement]) -> Result<Sealed, TableError> {
        sort(&mut self.run);
        let mut merge = Merge::new(std::mem::take(&mut self.run), std::mem::take(&mut self.spilled))?;
        let mut hashers: Vec<SettlementHasher> = settlements
            .iter()
            .map(|settlement| SettlementHasher::new(settlement.head.currency, settlement.payout_minor))
            .collect();
        let mut sealed = Sealed::default();
        let mut before: Option<Entry> = None;
        let mut digests = Vec::with_capacity(DIGESTS_TOGETHER);
        while let Some(entry) = merge.next()? {
            if let Some(before) = before {
                if before.settlement != entry.settlement || digests.len() == DIGESTS_TOGETHER {
                    hash(&mut hashers, before.settlement, &mut digests);
                }
                if before.same_transaction(&entry) {
                    if sealed.repeated.len() < REPEATED_MAX {
                        sealed.repeated.push((before.row.min(entry.row), before.row.max(entry.row)));
                    } else {
                        sealed.repeated_beyond_limit += 1;
                    }
                }
            }
            digests.push(entry.digest);
            before = Some(entry);
        }
        if let Some(last) = before {
            hash(&mut hashers, last.settlement, &mut digests);
        }
        sealed.repeated.sort_unstable_by_key(|(_, repeated)| *repeated);
        sealed.hashes = hashers.into_iter().map(SettlementHasher::finish).collect::<Vec<SettlementHash>>();
        Ok(sealed)
    }
}

/// Adds digests to the hash of their settlement.
fn hash(hashers: &mut [SettlementHasher], settlement: u32, digests: &mut Vec<RowDigest>) {
    if let Some(hasher) = hashers.get_mut(settlement as usize) {
        hasher.rows(digests);
    }
    digests.clear();
}

/// Sorts a run. Most reports have one settlement after the other: each is then sorted by itself, within the cache.
fn sort(run: &mut [Entry]) {
    if run.is_sorted_by_key(|entry| entry.settlement) {
        // Entries of one settlement need no comparison of settlements.
        for settlement in run.chunk_by_mut(|a, b| a.settlement == b.settlement) {
            settlement.sort_unstable_by_key(|entry| entry.digest.transaction);
            for transaction in settlement.chunk_by_mut(|a, b| a.digest.transaction == b.digest.transaction) {
                transaction.sort_unstable();
            }
        }
    } else {
        run.sort_unstable();
    }
}

impl Entry {
    fn same_transaction(&self, other: &Entry) -> bool {
        self.settlement == other.settlement
            && self.digest.transaction == other.digest.transaction
            && self.digest.transaction != 0
    }

    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let parts = self
            .settlement
            .to_le_bytes()
            .into_iter()
            .chain(self.digest.transaction.to_le_bytes())
            .chain(self.digest.content.iter().flat_map(|half| half.to_le_bytes()))
            .chain(self.row.to_le_bytes());
        bytes.iter_mut().zip(parts).for_each(|(slot, byte)| *slot = byte);
        bytes
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let (settlement, rest) = bytes.split_first_chunk::<4>()?;
        let (transaction, rest) = rest.split_first_chunk::<8>()?;
        let (upper, rest) = rest.split_first_chunk::<8>()?;
        let (lower, rest) = rest.split_first_chunk::<8>()?;
        let (row, _) = rest.split_first_chunk::<4>()?;
        Some(Entry {
            settlement: u32::from_le_bytes(*settlement),
            digest: RowDigest {
                transaction: u64::from_le_bytes(*transaction),
                content: [u64::from_le_bytes(*upper), u64::from_le_bytes(*lower)],
            },
            row: u32::from_le_bytes(*row),
        })
    }
}

/// Sorted runs read side by side in ascending order; the run still in memory is the last of them.
struct Merge {
    files: Vec<BufReader<File>>,
    memory: std::vec::IntoIter<Entry>,
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl Merge {
    fn new(run: Vec<Entry>, spilled: Vec<File>) -> Result<Self, TableError> {
        let mut merge = Merge {
            files: spilled.into_iter().map(|file| BufReader::with_capacity(64 * 1024, file)).collect(),
            memory: run.into_iter(),
            heads: BinaryHeap::new(),
        };
        for (run, file) in merge.files.iter_mut().enumerate() {
            merge.heads.extend(read_entry(file)?.map(|entry| Reverse((entry, run))));
        }
        // A run in memory alone needs no merge.
        let memory = merge.files.len();
        if memory > 0 {
            merge.heads.extend(merge.memory.next().map(|entry| Reverse((entry, memory))));
        }
        Ok(merge)
    }

    fn next(&mut self) -> Result<Option<Entry>, TableError> {
        if self.files.is_empty() {
            return Ok(self.memory.next());
        }
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let Reverse((entry, run)) = *head;
        let next = match self.files.get_mut(run) {
            None => self.memory.next(),
            Some(file) => read_entry(file)?,
        };
        match next {
            Some(next) => *head = Reverse((next, run)),
            None => drop(PeekMut::pop(head)),
        }
        Ok(Some(entry))
    }
}

/// The next entry of a spilled run; `None` at its end.
fn read_entry(file: &mut BufReader<File>) -> Result<Option<Entry>, TableError> {
    let mut bytes = [0; ENTRY_BYTES];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Entry::from_bytes(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A sink that keeps digests only: enough to judge a file without storing its lines.
#[derive(Debug, Default)]
pub struct DigestSink(Digests);

impl Sink for DigestSink {
    fn open(&mut self, head: &SettlementHead) -> Result<(), SinkError> {
        self.0.open(head);
        Ok(())
    }

    fn lines(&mut self, batch: &LineBatch) -> Result<(), SinkError> {
        Ok(self.0.add(batch)?)
    }

    fn seal(&mut self, settlements: &[Settlement]) -> Result<Sealed, SinkError> {
        Ok(self.0.seal(settlements)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use settlement::{Line, LineKind, Terms};

    fn settlement(id: &str) -> Settlement {
        Settlement::new(SettlementHead {
            merchant_number: "123456".parse().unwrap(),
            settlement_id: id.parse().unwrap(),
            currency: Currency::NOK,
            exponent: 2,
            payout_on: jiff::civil::date(2026, 10, 30),
        })
    }

    fn line(settlement: u32, row: u32, terms: Terms) -> Line<'static> {
        Line {
            settlement,
            row,
            kind: LineKind::Sale,
            terms,
            provider_transaction_id: "",
            original_reference: "",
            order_reference: "",
            correlation_id: "",
            provider_method: "",
            provider_kind: "",
            store_id: "",
            payout_destination_id: "",
            captured_at_us: None,
            provider_date: None,
        }
    }

    fn seal(rows: &[(u32, &str, i64)], run_rows: usize) -> Sealed {
        let settlements = [settlement("1"), settlement("2")];
        let mut digests = Digests::with_run_rows(run_rows);
        settlements.iter().for_each(|settlement| digests.open(&settlement.head));
        for (row, (settlement, id, capture_minor)) in (1..).zip(rows) {
            let mut batch = LineBatch::default();
            let terms = Terms { capture_minor: *capture_minor, ..Terms::default() };
            batch.push(&Line { provider_transaction_id: id, ..line(*settlement, row, terms) });
            digests.add(&batch).unwrap();
            assert!(digests.run.len() <= run_rows);
        }
        digests.seal(&settlements).unwrap()
    }

    #[test]
    fn a_sink_of_digests_alone_seals_with_the_hash_of_each_settlement() {
        let (settlements, mut sink) = ([settlement("1"), settlement("2")], DigestSink::default());
        settlements.iter().for_each(|settlement| sink.open(&settlement.head).unwrap());
        let mut batch = LineBatch::default();
        for (row, (settlement, capture_minor)) in (1..).zip([(0, 100), (1, 200)]) {
            let terms = Terms { capture_minor, ..Terms::default() };
            batch.push(&Line { provider_transaction_id: "a", ..line(settlement, row, terms) });
        }
        sink.lines(&batch).unwrap();
        assert_eq!(sink.seal(&settlements).unwrap(), seal(&[(0, "a", 100), (1, "a", 200)], 100));
    }

    #[test]
    fn order_of_rows_and_size_of_runs_change_nothing() {
        let rows = [(0, "a", 1), (1, "b", 2), (0, "c", 3), (1, "d", 4), (0, "", 5), (0, "", 6), (0, "", 5)];
        let [mut turned, mut grouped] = [rows; 2];
        turned.reverse();
        grouped.sort_by_key(|(settlement, ..)| *settlement);
        let mut turned_groups = turned;
        turned_groups.sort_by_key(|(settlement, ..)| *settlement);
        let expected = seal(&rows, 100).hashes;
        for run_rows in [1, 2, 3, 7, 8] {
            for order in [rows, turned, grouped, turned_groups] {
                assert_eq!(seal(&order, run_rows).hashes, expected, "{run_rows} {order:?}");
            }
        }
        assert_ne!(expected[0], expected[1]);
    }

    #[test]
    fn a_hash_is_that_of_the_settlements_digests_in_ascending_order() {
        let ids: Vec<String> = (0..3 * DIGESTS_TOGETHER).map(|number| number.to_string()).collect();
        let rows: Vec<(u32, &str, i64)> = ids.iter().map(|id| (u32::from(id.len() == 1), id.as_str(), 7)).collect();
        let hash = |settlement: u32| {
            let rows = rows.iter().filter(|(of, ..)| *of == settlement).map(|(_, id, capture_minor)| CanonicalRow {
                provider_transaction_id: id,
                kind: LineKind::Sale,
                order_reference: "",
                currency: Currency::NOK,
                terms: Terms { capture_minor: *capture_minor, ..Terms::default() },
            });
            let mut digests = Vec::new();
            RowDigester::default().digest(rows, |digest| digests.push(digest));
            digests.sort_unstable();
            let mut hasher = SettlementHasher::new(Currency::NOK, None);
            hasher.rows(&digests);
            hasher.finish()
        };
        assert_eq!(seal(&rows, 100).hashes, [hash(0), hash(1)]);
    }

    #[test]
    fn equal_rows_without_an_id_count_by_their_number() {
        let one = seal(&[(0, "", 5)], 100).hashes;
        let two = seal(&[(0, "", 5), (0, "", 5)], 100);
        assert_ne!(one[0], two.hashes[0]);
        assert_eq!(two.repeated, []);
    }

    #[test]
    fn a_transaction_is_repeated_within_its_settlement_only_whatever_it_is_worth() {
        for run_rows in [1, 100] {
            let sealed = seal(&[(0, "a", 1), (1, "a", 1), (0, "b", 2), (0, "a", 7)], run_rows);
            assert_eq!(sealed.repeated, [(1, 4)], "{run_rows}");
        }
    }

    #[test]
    fn repetitions_beyond_the_limit_are_counted() {
        let rows = vec![(0, "a", 1); REPEATED_MAX + 11];
        let sealed = seal(&rows, 100);
        assert_eq!((sealed.repeated.len(), sealed.repeated_beyond_limit), (REPEATED_MAX, 10));
    }
}
