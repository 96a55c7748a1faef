//! Uploads that are overwritten, out of order, cut off as a whole, or leased without time.

use tests::generate::structured_csv;

use super::*;

fn format_of(outcome: &Outcome) -> &'static str {
    outcome.judgement.format.unwrap().id
}

/// T08: a name that is used twice is two versions, each read as what it was; the same money again is a duplicate, other
/// money a conflict.
#[tokio::test]
async fn an_overwritten_object_is_read_version_by_version() {
    let first = sample(14);
    let mut other = first.clone();
    other.settlements[0].lines[0].capture_minor += 100;
    for (second, expected) in [
        (structured_csv(&first), (Verdict::Duplicate, None)),
        (structured_csv(&other), (Verdict::Quarantined, Some(Kind::SettlementConflict))),
    ] {
        let world = World::with_merchant().await;
        let before = world.upload("a.csv", &portal_csv(&first)).await;
        let after = world.upload("a.csv", &second).await;
        assert_ne!(before.version, after.version);
        // The first is read when the second lies over it already.
        let taken = parse::run(&world.app.ports, &before).await.unwrap();
        assert_eq!((taken.verdict, format_of(&taken)), (Verdict::Accepted, "vipps-portal-csv"));
        let taken = parse::run(&world.app.ports, &after).await.unwrap();
        assert_eq!((taken.verdict, taken.judgement.kind()), expected);
        assert_eq!(format_of(&taken), "vipps-structured-csv");
    }
}

/// T09: an older upload behind a newer one leaves the same records as in order.
#[tokio::test]
async fn the_order_of_uploads_does_not_show_in_the_records() {
    let (first, mut second) = (sample(15), sample(16));
    second.settlements.iter_mut().for_each(|settlement| settlement.id += 10);
    let mut found = Vec::new();
    for is_in_order in [true, false] {
        let world = World::with_merchant().await;
        let mut commands =
            vec![world.upload("a.csv", &portal_csv(&first)).await, world.upload("a.csv", &portal_csv(&second)).await];
        if !is_in_order {
            commands.reverse();
        }
        let mut reports = Vec::new();
        for command in &commands {
            let taken = parse::run(&world.app.ports, command).await.unwrap();
            assert_eq!(taken.verdict, Verdict::Accepted);
            reports.push(id(&taken));
        }
        reports.sort_unstable();
        found.push(world.records(&reports).await);
    }
    assert!(found[0].len() >= 10);
    assert_eq!(found[0], found[1]);
}

/// T15: a report of more settlements than a transaction writes counts as a whole or not at all.
#[tokio::test]
async fn a_large_report_that_is_cut_off_before_its_commit_counts_for_nothing() {
    let content = report(&mut Seed(17), 150, 2);
    let counted = Disturbed::by(Script::quiet());
    let probe = World::with_merchant().await;
    let command = probe.upload("a.csv", &portal_csv(&content)).await;
    parse::run(&counted.ports(&probe.app.ports), &command).await.unwrap();
    for behind_it in [1, 2, 3] {
        let world = World::with_merchant().await;
        let command = world.upload("a.csv", &portal_csv(&content)).await;
        let plan = Disturbed::by(Script::at([(counted.calls() - behind_it, Mode::Before)]));
        parse::run(&plan.ports(&world.app.ports), &command).await.unwrap_err();
        let report = world.report_of(&command).await;
        assert!(matches!(world.report_item(report).await.state, ReportState::Claimed { .. }));
        let (account, scratch) = (world.account.clone(), world.app.scratch.clone());
        let reconcile = WriteReports { account, report, scratch };
        assert!(matches!(
            dintero_report::write_reports(&world.app.ports, &reconcile).await,
            Err(StepError::NotCommitted(_))
        ));
        let later = ParseReport { now: command.now + SignedDuration::from_hours(1), ..command };
        let taken = parse::run(&world.app.ports, &later).await.unwrap();
        assert_eq!((taken.verdict, taken.settlements.len()), (Verdict::Accepted, 150));
        assert!(taken.settlements.iter().all(|settlement| settlement.version == Some(1)));
    }
}

/// T17: a lease ends by itself, at its time and not before; one without any time left holds nobody up.
#[tokio::test]
async fn a_lease_ends_at_its_time() {
    for (lease, waits) in [(SignedDuration::ZERO, 0), (SignedDuration::from_mins(15), 900)] {
        let world = World::with_merchant().await;
        let command = ParseReport { lease, ..world.upload("a.csv", &portal_csv(&sample(18))).await };
        let plan = Disturbed::by(Script::at([(3, Mode::Before)]));
        parse::run(&plan.ports(&world.app.ports), &command).await.unwrap_err();
        let at = |seconds| ParseReport { now: command.now + SignedDuration::from_secs(seconds), ..command.clone() };
        if waits > 0 {
            let busy = parse::run(&world.app.ports, &at(waits - 1)).await;
            assert!(matches!(busy, Err(StepError::Busy { .. })));
        }
        assert_eq!(parse::run(&world.app.ports, &at(waits)).await.unwrap().verdict, Verdict::Accepted);
    }
}
