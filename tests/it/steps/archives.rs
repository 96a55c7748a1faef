//! An archive of several reports: each is a report of its own, whatever the others are.

use pipeline::intake::parse::{self, Outcome, ParseReport};
use settlement::Verdict;
use store::ReportState;
use tests::generate::{Seed, portal_csv, report, xml};
use tests::workbook::archive;

use super::{World, id};

/// An archive of two reports that are good and one that is none.
fn three(first: u64) -> Vec<u8> {
    let (one, mut two) = (report(&mut Seed(first), 1, 5), report(&mut Seed(first + 1), 1, 5));
    two.settlements[0].id += 1;
    archive([("a.csv", portal_csv(&one)), ("folder/b.xml", xml(&two)), ("c.txt", b"no report".to_vec())])
}

async fn made(world: &World, command: &ParseReport, outcome: &Outcome) -> Vec<(String, Outcome)> {
    let mut all = Vec::new();
    for made in &outcome.uploads {
        let (landing, version) = (made.landing.clone(), made.version.clone());
        let name = landing.name.clone();
        let command = ParseReport { landing, version, ..command.clone() };
        all.push((name, parse::run(&world.app.ports, &command).await.unwrap()));
    }
    all
}

fn verdicts(made: &[(String, Outcome)]) -> Vec<(&str, Verdict)> {
    made.iter().map(|(name, outcome)| (name.as_str(), outcome.verdict)).collect()
}

#[tokio::test]
async fn each_report_of_an_archive_is_judged_alone_and_once() {
    let world = World::with_merchant().await;
    let command = world.upload("oppgjør.zip", &three(1)).await;
    let outcome = parse::run(&world.app.ports, &command).await.unwrap();
    assert_eq!((outcome.verdict, outcome.settlements.len()), (Verdict::Accepted, 0));
    assert_eq!(world.report_item(id(&outcome)).await.state, ReportState::Unpacked { reports: 3 });
    let first = made(&world, &command, &outcome).await;
    assert_eq!(
        verdicts(&first),
        [
            ("oppgjør.zip!a.csv", Verdict::Accepted),
            ("oppgjør.zip!folder!b.xml", Verdict::Accepted),
            ("oppgjør.zip!c.txt", Verdict::Rejected),
        ]
    );
    // The same archive again, under its own name or another, has no second effect.
    for name in ["oppgjør.zip", "again.zip"] {
        let command = world.upload(name, &three(1)).await;
        let again = parse::run(&world.app.ports, &command).await.unwrap();
        assert_eq!(again.verdict, Verdict::Duplicate);
        let again = made(&world, &command, &again).await;
        assert_eq!(
            again.iter().map(|(_, outcome)| outcome.verdict).collect::<Vec<_>>(),
            [Verdict::Duplicate, Verdict::Duplicate, Verdict::Rejected]
        );
    }
    // Another archive with the same names is read as what it is.
    let command = world.upload("oppgjør.zip", &three(7)).await;
    let other = parse::run(&world.app.ports, &command).await.unwrap();
    let other = made(&world, &command, &other).await;
    assert!(
        other.iter().zip(&first).all(|((_, one), (_, other))| one.report != other.report
            || one.report.is_none()
            || one.verdict == Verdict::Rejected),
        "{:?}",
        verdicts(&other)
    );
}

#[tokio::test]
async fn an_archive_with_a_damaged_report_is_held_whole() {
    let world = World::with_merchant().await;
    let mut bytes = three(1);
    let at = bytes.len() / 3;
    bytes[at] ^= 1;
    let outcome = world.take("a.zip", &bytes).await;
    assert_eq!((outcome.verdict, outcome.uploads.len()), (Verdict::Rejected, 0));
}
