//! Problems of a file: what was found, what was expected, where, and what a person can do.

use serde::{Deserialize, Serialize};

use crate::card::mask_cards;
use crate::kind::{Kind, Verdict};

/// Whether a problem holds the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Holds the whole report.
    Error,
    /// Informs a person and holds nothing.
    Note,
}

/// One problem of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub kind: Kind,
    /// Whether it holds the report.
    pub severity: Severity,
    /// Line of a text file or row of a sheet, counted from 1; absent when the problem is the whole file's.
    pub row: Option<u64>,
    /// Name of the column or element as the file has it.
    pub column: Option<String>,
    /// A sentence for a person: found, expected, what to do.
    pub message: String,
}

impl Problem {
    /// An error about the whole file. Card numbers in the message are masked.
    pub fn error(kind: Kind, message: impl Into<String>) -> Self {
        let message = mask_cards(&message.into()).into_owned();
        Problem { kind, severity: Severity::Error, row: None, column: None, message }
    }

    /// A note about the whole file.
    pub fn note(kind: Kind, message: impl Into<String>) -> Self {
        Problem { severity: Severity::Note, ..Problem::error(kind, message) }
    }

    /// The same problem at a row.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// The same problem in a column.
    #[must_use]
    pub fn in_column(mut self, column: &str) -> Self {
        self.column = Some(mask_cards(column).into_owned());
        self
    }
}

/// Of problems that are alike, a folding list keeps this many.
const ALIKE_MAX: usize = 3;

/// A list of problems of bounded length: the first ones are kept and the rest are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    /// Number of problems found when the list was full.
    beyond_limit: u64,
    limit: usize,
    /// Of a folding list: what is kept of each likeness.
    alike: Option<Vec<Alike>>,
}

/// Problems of one kind, severity and column.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alike {
    kept: usize,
    /// Place of the last one that is kept, and the length of its own message.
    last: usize,
    message_bytes: usize,
    /// Number of those that are counted in its message.
    more: u64,
}

impl Default for Problems {
    fn default() -> Self {
        Problems::with_limit(1_000)
    }
}

impl Problems {
    /// An empty list that keeps at most `limit` problems.
    pub fn with_limit(limit: usize) -> Self {
        Problems { list: Vec::new(), beyond_limit: 0, limit, alike: None }
    }

    /// An empty list that keeps the first few of problems that are alike, and counts the others in the message of the
    /// last one kept: one cause often shows in many rows.
    ///
    /// Problems are alike when their kind, severity and column are the same; what differs from a total never is.
    pub fn folding(limit: usize) -> Self {
        Problems { alike: Some(Vec::new()), ..Problems::with_limit(limit) }
    }

    /// Adds a problem, or counts it when the list is full.
    ///
    /// The first error is always kept, even when the list is full of notes, since it decides the verdict.
    pub fn push(&mut self, problem: Problem) {
        if self.list.last() == Some(&problem) {
            // Two checks found the same problem.
            return;
        }
        if self.folds(&problem) {
            return;
        }
        let decides = problem.severity == Severity::Error && self.first_error().is_none();
        if self.list.len() < self.limit || decides {
            self.list.push(problem);
        } else {
            self.beyond_limit += 1;
        }
    }

    /// Counts the problem in the message of one like it when enough of them are kept.
    fn folds(&mut self, problem: &Problem) -> bool {
        let full = self.list.len() >= self.limit;
        let Problems { list, alike: Some(alike), .. } = self else { return false };
        if problem.column.is_none() && problem.kind == Kind::ControlTotal {
            // Each total is a fact of its own.
            return false;
        }
        let is_like = |known: &Problem| {
            (known.kind, known.severity) == (problem.kind, problem.severity) && known.column == problem.column
        };
        let known = alike.iter_mut().find(|alike| list.get(alike.last).is_some_and(is_like));
        match known {
            Some(known) if known.kept >= ALIKE_MAX => {
                known.more += 1;
                if let Some(last) = list.get_mut(known.last) {
                    last.message.truncate(known.message_bytes);
                    let rows = if known.more == 1 { "row" } else { "rows" };
                    last.message.push_str(&format!(" … and {} more {rows} like it", known.more));
                }
                true
            }
            _ if full => false,
            Some(known) => {
                *known =
                    Alike { kept: known.kept + 1, last: list.len(), message_bytes: problem.message.len(), more: 0 };
                false
            }
            None => {
                alike.push(Alike { kept: 1, last: list.len(), message_bytes: problem.message.len(), more: 0 });
                false
            }
        }
    }

    /// Number of all problems found, kept or not.
    pub fn count(&self) -> u64 {
        let folded: u64 = self.alike.iter().flatten().map(|alike| alike.more).sum();
        self.list.len() as u64 + self.beyond_limit + folded
    }

    /// Counts problems that were found and are not in the list.
    pub fn count_beyond_limit(&mut self, more: u64) {
        self.beyond_limit += more;
    }

    /// The problems kept, in the order found.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Number of problems that were found and not kept.
    pub fn beyond_limit(&self) -> u64 {
        self.beyond_limit
    }

    /// The first error, which names the verdict.
    pub fn first_error(&self) -> Option<&Problem> {
        self.list.iter().find(|problem| problem.severity == Severity::Error)
    }

    /// Whether any error was found.
    pub fn has_errors(&self) -> bool {
        self.first_error().is_some()
    }

    /// The verdict on the report: accepted without errors, else the verdict of the first error's kind.
    pub fn verdict(&self) -> Verdict {
        self.first_error().map_or(Verdict::Accepted, |problem| problem.kind.verdict())
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        let mut problems = Problems::default();
        problems.push(problem);
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_beyond_the_limit_are_counted() {
        let mut problems = Problems::with_limit(2);
        for row in 1..=5 {
            problems.push(Problem::error(Kind::Amount, "bad").at_row(row));
        }
        assert_eq!(problems.list().len(), 2);
        assert_eq!(problems.beyond_limit(), 3);
    }

    #[test]
    fn the_first_error_is_kept_when_the_list_is_full_of_notes() {
        let mut problems = Problems::with_limit(1);
        problems.push(Problem::note(Kind::HeaderUnknownColumn, "new"));
        problems.push(Problem::error(Kind::ControlTotal, "off"));
        assert_eq!(problems.verdict(), Verdict::Quarantined);
        assert_eq!(problems.first_error().map(|p| p.kind), Some(Kind::ControlTotal));
    }

    #[test]
    fn a_problem_says_where_it_is_and_shows_no_card_number() {
        let problem = Problem::error(Kind::Amount, "Found 4111111111111111").at_row(7).in_column("4111111111111111");
        assert_eq!((problem.message.as_str(), problem.row), ("Found 411111******1111", Some(7)));
        assert_eq!((problem.column.as_deref(), problem.severity), (Some("411111******1111"), Severity::Error));
        let note = Problem::note(Kind::HeaderUnknownColumn, "new");
        assert_eq!(
            (note.severity, note.kind, note.row, note.column),
            (Severity::Note, Kind::HeaderUnknownColumn, None, None)
        );
    }

    #[test]
    fn the_same_problem_twice_in_a_row_is_kept_once() {
        let mut problems = Problems::default();
        for row in [1, 1, 2, 1] {
            problems.push(Problem::error(Kind::Amount, "bad").at_row(row));
        }
        assert_eq!((problems.list().len(), problems.beyond_limit()), (3, 0));
        problems.count_beyond_limit(4);
        problems.count_beyond_limit(1);
        assert_eq!((problems.list().len(), problems.beyond_limit()), (3, 5));
    }

    #[test]
    fn a_folding_list_counts_what_is_like_what_it_has() {
        let mut problems = Problems::folding(100);
        for row in 1..=24 {
            problems.push(Problem::error(Kind::Amount, format!("bad {row}")).at_row(row).in_column("Netto"));
            problems.push(Problem::error(Kind::Amount, format!("bad {row}")).at_row(row).in_column("Brutto"));
        }
        problems.push(Problem::note(Kind::Amount, "a note").in_column("Netto"));
        let messages: Vec<&str> = problems.list().iter().map(|problem| problem.message.as_str()).collect();
        let last = "bad 3 … and 21 more rows like it";
        assert_eq!(messages, ["bad 1", "bad 1", "bad 2", "bad 2", last, last, "a note"]);
        assert_eq!((problems.count(), problems.beyond_limit()), (49, 0));
        let mut full = Problems::folding(2);
        for row in 1..=5 {
            full.push(Problem::error(Kind::Amount, "bad").at_row(row));
        }
        assert_eq!((full.list().len(), full.beyond_limit(), full.count()), (2, 3, 5));
    }

    #[test]
    fn the_first_error_decides_the_verdict() {
        let mut problems = Problems::default();
        assert_eq!((problems.verdict(), problems.has_errors()), (Verdict::Accepted, false));
        problems.push(Problem::note(Kind::Empty, "a note decides nothing"));
        assert_eq!((problems.verdict(), problems.has_errors()), (Verdict::Accepted, false));
        problems.push(Problem::error(Kind::Amount, "bad"));
        problems.push(Problem::error(Kind::Encoding, "worse"));
        assert_eq!((problems.verdict(), problems.has_errors()), (Verdict::Quarantined, true));
        let one = Problems::from(Problem::error(Kind::Encoding, "bad"));
        assert_eq!((one.verdict(), one.list().len()), (Verdict::Rejected, 1));
    }

    #[test]
    fn after_the_first_error_a_full_list_keeps_no_more() {
        let mut problems = Problems::with_limit(1);
        for row in 1..=3 {
            problems.push(Problem::error(Kind::Amount, "bad").at_row(row));
        }
        assert_eq!((problems.list().len(), problems.beyond_limit()), (1, 2));
        assert_eq!(problems.first_error().and_then(|problem| problem.row), Some(1));
    }
}
