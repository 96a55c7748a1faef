//! Every fixture has its reviewed verdict beside it, and is claimed by its own format only.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use fixtures::files::{self, Fixture};
use formats::{FORMATS, Limits, REFUSED, ReportFile, open};
use settlement::{LedgerEntryKind, Proof};

use crate::judged::judged;

#[test]
fn every_fixture_has_its_verdict() {
    for fixture in files::all() {
        let text = judged(&fixture.name, &fixture.bytes()).text();
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(fixture.path.parent().unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_input_file(Path::new("tests/reports").join(&fixture.format).join(&fixture.name));
        settings.bind(|| insta::assert_snapshot!(fixture.name.as_str(), text));
    }
}

#[test]
fn no_verdict_is_left_without_its_fixture() {
    let expected: BTreeSet<PathBuf> = files::all().iter().map(Fixture::verdict_path).collect();
    let found: BTreeSet<PathBuf> = files::verdict_paths().into_iter().collect();
    assert_eq!(found, expected);
}

/// The claim matrix: every fixture against every format.
#[test]
fn a_fixture_is_claimed_by_its_own_format_and_no_other() {
    for fixture in files::all() {
        let Fixture { format: own, name, .. } = &fixture;
        let mut bytes = Cursor::new(fixture.bytes());
        let opened = open(name, &mut bytes, &Limits::default());
        // What is of no format by its name or its bytes may look like one all the same.
        let disguised = own == "no-format";
        let Ok(ReportFile { head, .. }) = opened else {
            assert!(disguised, "{name} of {own} cannot be opened");
            continue;
        };
        for format in FORMATS {
            let claims = (format.detect)(&head);
            assert!(disguised || claims == (format.id == own), "{name} of {own}: {} says {claims}", format.id);
        }
        let refused = REFUSED.iter().any(|refused| (refused.detect)(&head));
        assert_eq!(refused, name == "vipps-version-2.xml", "{name}");
    }
}

#[test]
fn every_format_has_a_fixture_with_a_refund_and_a_fee_where_it_has_fees() {
    for format in FORMATS {
        let own = files::all().into_iter().filter(|fixture| fixture.format == format.id);
        let judged = own.map(|fixture| judged(&fixture.name, &fixture.bytes()));
        let proved: Vec<_> = judged.filter(|judged| !judged.problems.has_errors()).collect();
        // Entries whose payout is never in the same file are all that some formats have.
        let has = |kind| proved.iter().flat_map(|judged| &judged.entries).any(|entry| entry.kind == kind);
        let in_entries = has(LedgerEntryKind::Refund) && has(LedgerEntryKind::TransactionFee);
        let shows_both = in_entries
            || proved.iter().flat_map(|judged| &judged.settlements).any(|settlement| {
                let fee = settlement.sums.fee_minor > 0 || format.proof == Proof::GrossOnly;
                settlement.sums.refund_minor < 0 && fee
            });
        assert!(shows_both, "{} has no accepted fixture with a refund and a fee", format.id);
    }
}
