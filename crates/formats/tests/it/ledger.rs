//! The report of a ledger: whatever is changed in one cell, no other money is accepted.

use std::collections::BTreeMap;

use fixtures::files;

use crate::judged::judged;

/// The sums of each settlement, by merchant and id; days and ids of lines are guarded by nothing.
type Sums = BTreeMap<(String, String), Vec<String>>;

fn sums(bytes: &[u8]) -> Option<Sums> {
    let judged = judged("a.csv", bytes);
    if judged.problems.has_errors() {
        return None;
    }
    let settlements = judged.settlements.iter().map(|settlement| {
        let head = &settlement.head;
        let mut sums =
            vec![format!("{:?} {:?}", settlement.payout_minor, settlement.fees), settlement.lines.to_string()];
        sums.extend(settlement.sums.named().map(|(_, minor)| minor.to_string()));
        ((head.merchant_number.to_string(), head.settlement_id.to_string()), sums)
    });
    Some(settlements.collect())
}

const FILES: &[&str] = &[
    "fee-given-back.csv",
    "invoiced-fees.csv",
    "three-units.csv",
    "carried-balance.csv",
    "waiting.csv",
    "begins-within.csv",
    "ids-in-one-column.csv",
];

/// What a cell is changed to: each of these, another number, and what stands in the other cells of the column.
const VALUES: &[&str] = &[
    "",
    "0.00",
    "1.00",
    "-1.00",
    "0",
    "-5.25",
    "100.00",
    "300.00",
    "2026-11-01",
    "2026-11-03",
    "2026-11-02 09:00:00",
    "2026-11-04 00:00:01",
    "Belastning",
    "Refusjon",
    "Refund",
    "Gebyrer fratrukket",
    "Utbetaling planlagt",
    "Korreksjon",
    "NOK",
    "EUR",
    "1",
    "123457",
];

fn changed(cell: &str) -> Vec<String> {
    let digits = cell.char_indices().filter(|(_, c)| c.is_ascii_digit());
    let others = digits.map(|(place, digit)| {
        let next = char::from_digit((digit.to_digit(10).unwrap() + 1) % 10, 10).unwrap();
        format!("{}{next}{}", &cell[..place], &cell[place + 1..])
    });
    let negated = cell.strip_prefix('-').map_or_else(|| format!("-{cell}"), str::to_owned);
    others.chain([negated]).chain(VALUES.iter().map(|value| (*value).to_owned())).collect()
}

#[test]
fn a_report_with_one_cell_changed_is_held_or_accepts_no_other_sum() {
    let mut tried = 0;
    for name in FILES {
        let text = String::from_utf8(files::read(&format!("vipps-details-csv/{name}"))).unwrap();
        assert!(!text.contains('"'), "{name}");
        let rows: Vec<Vec<String>> = text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let whole = sums(text.as_bytes()).unwrap();
        for (row, column) in (1..rows.len()).flat_map(|row| (0..rows[row].len()).map(move |column| (row, column))) {
            for value in changed(&rows[row][column]) {
                let mut rows = rows.clone();
                rows[row][column].clone_from(&value);
                let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
                tried += 1;
                let Some(found) = sums((lines.join("\n") + "\n").as_bytes()) else { continue };
                for ((merchant, id), sums) in found {
                    let what = || format!("{name}: row {row}, {} as {value:?}: {sums:?}", rows[0][column]);
                    // A payout number that stands in one cell alone is guarded by nothing.
                    let same = whole.iter().any(|((_, _), known)| *known == sums);
                    let known = whole.get(&(merchant, id));
                    assert!(known.map_or(same, |known| *known == sums), "{}", what());
                }
            }
        }
    }
    assert!(tried > 10_000, "{tried} files were tried");
}

#[test]
fn a_row_left_out_twice_or_moved_accepts_no_other_sum() {
    for name in FILES {
        let text = String::from_utf8(files::read(&format!("vipps-details-csv/{name}"))).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let whole = sums(text.as_bytes()).unwrap();
        let check = |lines: &[&str], what: &str| {
            for (name, sums) in sums((lines.join("\n") + "\n").as_bytes()).unwrap_or_default() {
                assert_eq!(whole.get(&name), Some(&sums), "{what}");
            }
        };
        for row in 1..lines.len() {
            let mut without = lines.clone();
            without.remove(row);
            check(&without, &format!("{name} without {row}"));
            for to in 1..lines.len() {
                let mut twice = lines.clone();
                twice.insert(to, lines[row]);
                check(&twice, &format!("{name} with {row} again at {to}"));
                let mut moved = lines.clone();
                let line = moved.remove(row);
                moved.insert(to.min(moved.len()), line);
                let bytes = moved.join("\n") + "\n";
                assert_eq!(sums(bytes.as_bytes()).as_ref(), Some(&whole), "{name} with {row} moved to {to}");
            }
        }
    }
}

/// Hash of each settlement, by merchant and id.
fn hashes(bytes: &[u8]) -> BTreeMap<(String, String), String> {
    let judged = judged("a.csv", bytes);
    assert!(!judged.problems.has_errors(), "{:?}", judged.problems.list());
    let named = judged.settlements.iter().map(|settlement| {
        let name = (settlement.head.merchant_number.to_string(), settlement.head.settlement_id.to_string());
        (name, settlement.hash.unwrap().to_string())
    });
    named.collect()
}

/// Downloads overlap, and each begins and ends where it likes.
#[test]
fn any_part_of_a_report_says_the_same_of_each_payout_that_is_whole_in_it() {
    for name in FILES.iter().chain(&["english.csv"]) {
        let text = String::from_utf8(files::read(&format!("vipps-details-csv/{name}"))).unwrap();
        let text = text.replace("\"MELDING-KANARI\n99 88 77 66, \"\"takk\"\"\"", "MELDING-KANARI");
        let lines: Vec<&str> = text.lines().collect();
        let whole = hashes(text.as_bytes());
        for (from, to) in (1..lines.len()).flat_map(|from| (from..=lines.len()).map(move |to| (from, to))) {
            let part = [&lines[..1], &lines[from..to]].concat().join("\n") + "\n";
            for (payout, hash) in hashes(part.as_bytes()) {
                assert_eq!(whole.get(&payout), Some(&hash), "{name} from {from} to {to}");
            }
        }
    }
}
