//! Payout notices: with their list in either order, cut off at every call, wrong, and told twice.

use std::path::{Path, PathBuf};

use adapters::app::App;
use documents::ReportType;
use formats::Limits;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::notice::{self, NoticeCheck};
use pipeline::intake::notice::{AddNotice, add_notice};
use pipeline::intake::parse::{self, ParseReport};
use pipeline::reports::dintero_report::{self, WriteReports, WrittenReports};
use pipeline::{Ports, StepError};
use settlement::{AccountId, Fees, Kind, PayoutNotice, Proof, Verdict};
use simulation::{Disturbed, Mode, Script};
use store::keys::{Key, LandingKey};
use tempfile::TempDir;

const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/swedbankpay-sales-xml-v2/basic.xml");

/// An account in memory and the balance report of the list, as figures.
struct World {
    app: App,
    account: AccountId,
    now: Timestamp,
    scratch: TempDir,
}

impl World {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let app = App::in_memory(scratch.path()).unwrap();
        std::fs::write(scratch.path().join("balance.pdf"), "%PDF-1.4 made up").unwrap();
        let now = "2026-11-01T06:00:00Z".parse().unwrap();
        World { app, account: "T00000001".parse().unwrap(), now, scratch }
    }

    /// Fees of 56.00 and their tax of 14.01 on 2 318.25.
    fn notice(&self) -> PayoutNotice {
        let currency = "SEK".parse().unwrap();
        PayoutNotice {
            key: notice::key_of(&self.account, "swedbankpay", "R4321/R4321-0007", currency).unwrap(),
            exponent: 2,
            amount_minor: 231_825,
            fee_minor: 5_600,
            fee_vat_minor: 1_401,
            fees: Fees::Deducted,
            payout_minor: 224_824,
            elsewhere: Vec::new(),
        }
    }

    fn evidence(&self) -> PathBuf {
        self.scratch.path().join("balance.pdf")
    }

    async fn add(&self, ports: &Ports, notice: PayoutNotice) -> Result<NoticeCheck, StepError> {
        let (evidence, scratch) = (self.evidence(), self.app.scratch.clone());
        let command = AddNotice { notice, evidence, by: "regnskap".into(), now: self.now, scratch };
        add_notice(ports, &command).await.map(|(together, _)| together)
    }

    async fn upload(&self, file: &Path) -> ParseReport {
        let name = file.file_name().unwrap().to_str().unwrap();
        let landing = LandingKey::new(self.account.clone(), "swedbankpay", name).unwrap();
        let object = self.app.ports.objects.upload(&Key::Landing(landing.clone()), file).await.unwrap();
        ParseReport {
            landing,
            version: object.version,
            now: self.now,
            lease: SignedDuration::from_mins(15),
            scratch: self.app.scratch.clone(),
            limits: Limits::default(),
            adopts_merchants: true,
        }
    }

    /// Parses the list and reconciles it.
    async fn take(&self, file: &Path) -> WrittenReports {
        let outcome = parse::run(&self.app.ports, &self.upload(file).await).await.unwrap();
        assert!(matches!(outcome.verdict, Verdict::Accepted | Verdict::Duplicate), "{:?}", outcome.judgement.problems);
        let (account, scratch) = (self.account.clone(), self.app.scratch.clone());
        let command = WriteReports { account, report: outcome.report.unwrap(), scratch };
        dintero_report::write_reports(&self.app.ports, &command).await.unwrap()
    }

    async fn csv(&self, reconciled: &WrittenReports) -> String {
        let key = reconciled.written.iter().find(|key| key.to_string().ends_with(".csv")).expect("a CSV is written");
        let version = self.app.ports.objects.head(key).await.unwrap().unwrap().version;
        let mut bytes = Vec::new();
        self.app.ports.objects.fetch(key, &version, &mut bytes).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

#[tokio::test]
async fn a_list_and_its_notice_are_exact_whichever_comes_first() {
    let first_list = World::new();
    let alone = first_list.take(Path::new(LIST)).await;
    assert!(alone.written.is_empty(), "nothing flows on before fees and payout are known");
    assert!(matches!(alone.withheld.as_slice(), [(_, NoticeCheck::WaitsForNotice)]));
    let Ok(NoticeCheck::Agree(confirmed)) = first_list.add(&first_list.app.ports, first_list.notice()).await else {
        panic!("the notice agrees");
    };
    assert_eq!((confirmed.settlement.proof, confirmed.settlement.payout_minor), (Proof::Exact, Some(224_824)));
    let one = first_list.csv(&first_list.take(Path::new(LIST)).await).await;

    let first_notice = World::new();
    let waiting = first_notice.add(&first_notice.app.ports, first_notice.notice()).await.unwrap();
    assert_eq!(waiting, NoticeCheck::WaitsForList);
    let other = first_notice.csv(&first_notice.take(Path::new(LIST)).await).await;
    assert_eq!(one, other);
    assert!(one.contains("payout notice") || one.contains(",fee,"), "{one}");
    assert!(one.contains("2248.24") && one.contains("14.01"), "{one}");
}

#[tokio::test]
async fn a_notice_that_says_otherwise_holds_both_until_it_is_corrected() {
    let world = World::new();
    // One øre too much, and in itself right.
    let wrong = PayoutNotice { amount_minor: 231_826, payout_minor: 224_825, ..world.notice() };
    world.add(&world.app.ports, wrong).await.unwrap();
    let held = world.take(Path::new(LIST)).await;
    assert!(held.written.is_empty());
    let [(_, NoticeCheck::Disagree(problems))] = held.withheld.as_slice() else { panic!("{held:?}") };
    assert_eq!(problems[0].kind, Kind::SecondDocument);
    assert!(problems[0].message.contains("difference 0.01"), "{}", problems[0].message);

    let right = world.add(&world.app.ports, world.notice()).await.unwrap();
    assert!(matches!(right, NoticeCheck::Agree(_)), "{right:?}");
    assert_eq!(world.take(Path::new(LIST)).await.written.len(), ReportType::ALL.len());
    // What has made a settlement exact stays.
    let again = world.add(&world.app.ports, world.notice()).await.unwrap();
    assert!(matches!(again, NoticeCheck::Agree(_)));
    let other = PayoutNotice { fee_minor: 5_601, payout_minor: 224_823, ..world.notice() };
    assert!(matches!(world.add(&world.app.ports, other).await, Err(StepError::Refused(_))));
    // Figures that do not add up are no notice.
    let unbalanced = PayoutNotice { payout_minor: 224_825, ..world.notice() };
    let refused = world.add(&world.app.ports, unbalanced).await.unwrap_err().to_string();
    assert!(refused.contains("difference -0.01"), "{refused}");
}

#[tokio::test]
async fn methods_that_others_pay_out_are_left_out_of_the_amount() {
    let world = World::new();
    world.take(Path::new(LIST)).await;
    let notice = PayoutNotice { amount_minor: 211_550, payout_minor: 204_549, ..world.notice() };
    let missing = PayoutNotice { elsewhere: vec!["Swish Handel".into()], ..notice.clone() };
    let NoticeCheck::Disagree(problems) = world.add(&world.app.ports, missing).await.unwrap() else {
        panic!("no such method");
    };
    assert!(problems[0].message.contains("Swish Handel"));
    let right = PayoutNotice { elsewhere: vec!["Swish".into()], ..notice };
    assert!(matches!(world.add(&world.app.ports, right).await.unwrap(), NoticeCheck::Agree(_)));
    let csv = world.csv(&world.take(Path::new(LIST)).await).await;
    assert!(csv.contains("-202.75") && csv.contains("2045.49"), "{csv}");
}

/// Every call of every port is cut off once; a person tells the notice again and ends at the same place.
#[tokio::test]
async fn a_notice_that_is_cut_off_at_any_call_can_be_told_again() {
    let calls = {
        let (world, plan) = (World::new(), Disturbed::by(Script::quiet()));
        world.take(Path::new(LIST)).await;
        world.add(&plan.ports(&world.app.ports), world.notice()).await.unwrap();
        plan.calls()
    };
    assert!(calls >= 4, "{calls}");
    for at in 0..calls {
        for fault in [Mode::Before, Mode::After, Mode::Refused] {
            let world = World::new();
            world.take(Path::new(LIST)).await;
            let plan = Disturbed::by(Script::at([(at, fault.clone())]));
            if let Err(error) = world.add(&plan.ports(&world.app.ports), world.notice()).await {
                assert!(error.is_retryable(), "{fault:?} call {at}: {error}");
            }
            let told = world.add(&world.app.ports, world.notice()).await.unwrap();
            assert!(matches!(told, NoticeCheck::Agree(_)), "{fault:?} call {at}: {told:?}");
            assert_eq!(world.take(Path::new(LIST)).await.written.len(), ReportType::ALL.len());
        }
    }
}

/// The balance reports that Swedbank Pay publishes beside its lists; the figures are read from the PDFs by eye.
#[tokio::test]
async fn published_balance_reports_agree_with_their_lists() {
    let Some(samples) = std::env::var_os("AVSTEM_SAMPLES").map(PathBuf::from) else {
        println!("AVSTEM_SAMPLES is not set: nothing to hold against");
        return;
    };
    let folder = samples.join("swedbankpay");
    for (list, amount_minor, fee_minor, fee_vat_minor, payout_minor, elsewhere) in [
        ("R1234-0001-Redovisningsservice.xml", 12_495_000, 298_180, 74_546, 12_122_274, None),
        ("R1234-0001-Redovisningsservice.xlsx", 12_495_000, 298_180, 74_546, 12_122_274, None),
        ("transaktionsstatistik-redovisningsservice.xml", 8_733_400, 216_656, 54_165, 8_462_579, Some("SEB DD")),
    ] {
        let world = World::new();
        world.take(&folder.join(list)).await;
        let currency = "SEK".parse().unwrap();
        let notice = PayoutNotice {
            key: notice::key_of(&world.account, "swedbankpay", "R1234/R1234-0001", currency).unwrap(),
            amount_minor,
            fee_minor,
            fee_vat_minor,
            payout_minor,
            elsewhere: elsewhere.map(str::to_owned).into_iter().collect(),
            ..world.notice()
        };
        let NoticeCheck::Agree(confirmed) = world.add(&world.app.ports, notice).await.unwrap() else {
            panic!("{list} does not agree");
        };
        assert_eq!(confirmed.settlement.difference_minor(), Some(0), "{list}");
        assert_eq!(world.take(&folder.join(list)).await.written.len(), ReportType::ALL.len(), "{list}");
    }
}
