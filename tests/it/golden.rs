//! Every fixture has its reviewed verdict beside it, and is claimed by its own format only.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use formats::{FORMATS, Limits, Opened, REFUSED, open};
use settlement::Proof;
use tests::verdicts::{golden, judged};

pub(crate) fn fixtures() -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let format = folder.file_name().into_string().unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|ending| ending != "snap" && ending != "new") {
                found.push((format.clone(), file));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_fixture_has_its_verdict() {
    for (format, path) in fixtures() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = golden(&judged(name, &std::fs::read(&path).unwrap()));
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path(path.parent().unwrap());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_input_file(Path::new("tests/reports").join(&format).join(name));
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

#[test]
fn no_verdict_is_left_without_its_fixture() {
    let names: BTreeSet<PathBuf> = fixtures().into_iter().map(|(_, path)| path).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports");
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|ending| ending == "snap") {
                assert!(names.contains(&file.with_extension("")), "{} has no fixture", file.display());
            }
        }
    }
}

/// The claim matrix: every fixture against every format.
#[test]
fn a_fixture_is_claimed_by_its_own_format_and_no_other() {
    for (own, path) in fixtures() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut bytes = Cursor::new(std::fs::read(&path).unwrap());
        let opened = open(name, &mut bytes, &Limits::default());
        // What is of no format by its name or its bytes may look like one all the same.
        let disguised = own == "no-format";
        let Ok(Opened { head, .. }) = opened else {
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
        let own = fixtures().into_iter().filter(|(own, _)| own == format.id);
        let judgements =
            own.map(|(_, path)| judged(path.file_name().unwrap().to_str().unwrap(), &std::fs::read(&path).unwrap()));
        let proved = judgements.filter(|judgement| !judgement.problems.has_errors());
        let shows_both = proved.flat_map(|judgement| judgement.settlements).any(|settlement| {
            let fee = settlement.sums.fee_minor > 0 || format.proof == Proof::GrossOnly;
            settlement.sums.refund_minor < 0 && fee
        });
        assert!(shows_both, "{} has no accepted fixture with a refund and a fee", format.id);
    }
}
