//! Every form of the summary, read by programs that nobody here wrote and summed anew.

use std::fs;
use std::path::Path;
use std::process::Command;

use documents::{Language, MonthSummary, SummaryForm};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::lake::World;
use tests::python::python;

use super::{AFTER_OCTOBER, generated, summarised, take_all};

/// The forms in a folder in one language, with the table as it was written.
fn write(folder: &Path, summary: &MonthSummary, language: Language, table: &[u8]) {
    for form in SummaryForm::ALL {
        let mut file = fs::File::create(folder.join(format!("month-summary.{}", form.extension()))).unwrap();
        summary.write(form, language, &mut file).unwrap();
    }
    fs::write(folder.join("month-summary.parquet"), table).unwrap();
    fs::write(folder.join("language"), language.tag()).unwrap();
}

fn read_back(folders: &[TempDir]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/read_summary.py");
    let read = Command::new(python()).arg(script).args(folders.iter().map(TempDir::path)).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let answers = String::from_utf8(read.stdout).unwrap();
    answers.lines().map(|answer| serde_json::from_str(answer).unwrap()).collect()
}

/// What was paid out, how many payouts, and what was in transit at both ends, by currency.
fn told(summary: &MonthSummary) -> Value {
    let mut told = json!({});
    let content = &summary.content;
    let add = |told: &mut Value, currency: String, name: &str, minor: i64| {
        let before = told[&currency][name].as_i64().unwrap_or(0);
        told[currency][name] = json!(before + minor);
    };
    for payout in &content.payouts {
        let currency = payout.currency.to_string();
        add(&mut told, currency.clone(), "paid_out", payout.payout_minor);
        add(&mut told, currency, "payouts", 1);
    }
    for row in &content.bridge {
        add(&mut told, row.currency.to_string(), "opening", row.opening_minor);
        add(&mut told, row.currency.to_string(), "closing", row.closing_minor);
    }
    told
}

#[tokio::test]
async fn every_form_in_every_language_comes_to_the_same_in_readers_of_others() {
    let (world, all) = (World::default(), generated(61));
    take_all(&world, &all).await;
    let first = summarised(&world, "2026-10", AFTER_OCTOBER).await;
    let later = crate::lake::paid_on(&mut tests::generate::Seed(62), 900, 5, jiff::civil::date(2026, 10, 31));
    let (name, bytes) = super::file(900, 123_456, "NOK", &later);
    world.take(&world.ports, &name, &bytes).await;
    let made = summarised(&world, "2026-10", "2026-11-02T06:00:00Z").await;
    let summary = &made.summary;
    assert!(summary.revision == 2 && !summary.differences.is_empty() && first.summary.revision == 1);
    let objects = world.all_objects("reports/T00000001/months/").await;
    let of = |extension: &str| {
        let key = made.files.iter().find(|key| key.to_string().ends_with(&format!("summary.{extension}"))).unwrap();
        objects[&key.to_string()].clone()
    };
    let table = of("parquet");
    let folders: Vec<TempDir> = Language::ALL.iter().map(|_| TempDir::new().unwrap()).collect();
    for (language, folder) in Language::ALL.into_iter().zip(&folders) {
        write(folder.path(), summary, language, &table);
    }
    // What was stored is what is written here in the account's language.
    for form in SummaryForm::ALL {
        let here = fs::read(folders[0].path().join(format!("month-summary.{}", form.extension()))).unwrap();
        assert!(of(form.extension()) == here, "{form:?}");
    }
    let expected = told(summary);
    assert_eq!(expected.as_object().unwrap().len(), 3);
    for (found, language) in read_back(&folders).into_iter().zip(Language::ALL) {
        for form in ["csv", "json", "parquet", "xlsx", "semicolon.csv", "pdf"] {
            assert_eq!(found[form], expected, "{form} {language:?}");
        }
        assert_eq!(found["records"], json!(summary.records().unwrap().len()), "{language:?}");
        assert!(found["pages"].as_u64().unwrap() >= 3 && found["sheets"].as_u64().unwrap() == 7, "{found}");
    }
    paper_can_be_searched(&folders[0], summary);
}

/// Page numbers, and what is apart and otherwise, by another reader of PDF.
fn paper_can_be_searched(folder: &TempDir, summary: &MonthSummary) {
    let paper = folder.path().join("month-summary.pdf");
    let Ok(read) = Command::new("pdftotext").arg("-layout").arg(&paper).arg("-").output() else {
        eprintln!("pdftotext is not here: the text of a PDF was read by pypdf alone");
        return;
    };
    let text = String::from_utf8(read.stdout).unwrap().replace('\u{a0}', " ");
    let pages = text.matches('\u{c}').count();
    for page in 1..=pages {
        assert!(text.contains(&format!("Side {page} av {pages}")), "{page}\n{text}");
    }
    for expected in [
        "Månedsoppsummering oktober 2026",
        "2, erstatter alle tidligere",
        "Hva som er endret siden versjon 1",
        "Ikke funnet hos Dintero",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    for payout in &summary.content.payouts {
        assert!(text.contains(&payout.settlement_id), "{}", payout.settlement_id);
    }
}

/// A file of every version of the table stays readable.
#[test]
fn the_table_of_version_one_stays_readable() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tables/v1/month_summary.parquet");
    let mut copy = tables::TableStream::create(Vec::new(), &tables::MONTH_SUMMARY, tables::Packing::None).unwrap();
    copy.append(fs::File::open(path).unwrap()).unwrap();
    let (bytes, rows) = copy.close().unwrap();
    assert!(rows > 10 && !bytes.is_empty());
}
