//! Mails read by Python's parser: one recipient, the figures of the state, the files as they are stored, and inert words.

use std::fs;

use pipeline::current::accounts::{self, AccountSettings};
use pipeline::intake::release::{self, ReleaseReport};
use pipeline::months::{self, Summarise, Summarised};
use serde_json::{Value, json};
use settlement::{HeaderText, ReportId, Verdict};
use store::{Query, Release, SettlementItem};

use super::*;

/// What Python makes of every mail that left.
fn read_back(world: &World) -> Vec<Value> {
    tests::mails::read(&world.service.inner, world.scratch.path())
}

/// The figures of the state, signed towards the merchant, in the order that people are shown them.
async fn figures(world: &World) -> Vec<i64> {
    let items = store::all(&*world.ports.state, Query::all(format!("SETTLEMENT#{}", world.account))).await.unwrap();
    let item: SettlementItem = store::decode(&items[0]).unwrap();
    let settlement = &item.versions.last().unwrap().settlement;
    let sums = settlement.sums;
    let payout = settlement.payout_minor.unwrap();
    vec![
        sums.capture_minor,
        sums.refund_minor,
        -sums.fee_minor,
        -sums.fee_vat_minor,
        settlement.net_minor().unwrap(),
        payout,
    ]
}

/// SHA-256 of what lies under a key.
fn hash_of(world: &World, key: &str) -> String {
    let path = world.scratch.path().join("stored");
    fs::write(&path, &world.objects.newest(key).unwrap()[..]).unwrap();
    pipeline::report_id_of(&mut fs::File::open(&path).unwrap()).unwrap().to_string()
}

#[tokio::test]
async fn the_mail_of_a_payout_has_the_figures_of_the_state_and_the_stored_documents() {
    let world = World::new().await;
    let named = AccountSettings { name: HeaderText::new("Ærlig & Sønn AS 🛒").ok(), ..AccountSettings::default() };
    accounts::set(&world.ports, &world.account, &named, world.clock.now()).await.unwrap();
    world.told("regnskap@example.no", RecipientKind::Person, &[Rhythm::EachPayout]).await;
    world.told("bilag@example.no", RecipientKind::Inbox, &[Rhythm::EachPayout]).await;
    world.take("vipps", "a.csv", portal_csv(&report(vec![settlement(1, 4)]))).await;
    world.send().await;
    let mails = read_back(&world);
    assert_eq!(mails.len(), 2);
    let figures = figures(&world).await;
    for mail in &mails {
        let balance: Vec<(String, i64)> = serde_json::from_value(mail["balance"].clone()).unwrap();
        assert_eq!(balance.iter().map(|(_, minor)| *minor).collect::<Vec<_>>(), figures);
        let subject = mail["subject"].as_str().unwrap();
        assert_eq!(subject, "Ærlig & Sønn AS 🛒 – Vipps utbetaling 2. nov. 2026 – 4 851,66 NOK (2000001)");
        assert_eq!(mail["headers"].as_array().unwrap().len(), 11, "{}", mail["headers"]);
        assert!(mail["shown"].as_str().unwrap().contains("4 linjer, sum = utbetalt. Differanse 0,00"));
        let is_person = mail["to"] == json!(["regnskap@example.no"]);
        let forms: &[&str] = if is_person { &["pdf", "xlsx"] } else { &["pdf"] };
        let attachments = mail["attachments"].as_array().unwrap();
        assert_eq!(attachments.len(), forms.len());
        for (attachment, form) in attachments.iter().zip(forms) {
            assert_eq!(attachment["name"], format!("2026-11-02_vipps_2000001_NOK.{form}"));
            let key = format!("reports/T00000001/vipps/123456/2000001-NOK/v1/dintero-report.{form}");
            assert_eq!(attachment["sha256"], hash_of(&world, &key), "{form}");
        }
        let plain = mail["plain"].as_str().unwrap();
        assert_eq!(plain.contains("Du får denne e-posten fordi"), is_person, "{plain}");
    }
}

/// T36 of one settlement: a corrected report that is released is told as what replaces the first mail, which stays.
#[tokio::test]
async fn a_released_correction_is_told_as_what_replaces() {
    let world = World::with_payout(2).await;
    world.send().await;
    let mut corrected = settlement(1, 2);
    corrected.lines[0].capture_minor += 100;
    let gone = world.take("vipps", "b.csv", portal_csv(&report(vec![corrected.clone()]))).await;
    assert_eq!(gone.outcome.verdict, Verdict::Quarantined);
    world.send().await;
    let held = world.items().await.into_iter().filter(|item| item.subject.starts_with("AVVIK: ")).count();
    assert_eq!(held, 1, "the conflict is told as a deviation");
    let release = Release { by: "regnskap".into(), why: "rettet av Vipps".into() };
    let (account, now): (_, Timestamp) = (world.account.clone(), world.clock.now());
    let report_id: ReportId = gone.outcome.report.unwrap();
    release::run(&world.ports, &ReleaseReport { account, report: report_id, release, now }).await.unwrap();
    let gone = world.take("vipps", "b.csv", portal_csv(&report(vec![corrected]))).await;
    assert_eq!(gone.outcome.verdict, Verdict::Accepted);
    world.send().await;
    let mails = read_back(&world);
    let last = &mails[2];
    assert!(last["subject"].as_str().unwrap().starts_with("RETTET (v2): T00000001 – Vipps"), "{}", last["subject"]);
    assert!(last["plain"].as_str().unwrap().contains("erstatter alt vi har sendt"), "{}", last["plain"]);
    assert_eq!(last["attachments"][0]["name"], "2026-11-02_vipps_2000001_NOK_v2.pdf");
    let balance: Vec<(String, i64)> = serde_json::from_value(last["balance"].clone()).unwrap();
    assert_eq!(balance.iter().map(|(_, minor)| *minor).collect::<Vec<_>>(), figures(&world).await);
    assert_eq!((mails.len(), world.send().await.mails.len()), (3, 0));
}

/// T36: a month is told with the files of its summary, and again when what was paid out in it is another sum.
#[tokio::test]
async fn a_month_is_told_as_it_is_summarised_and_again_when_its_payouts_change() {
    let world = World::new().await;
    world.told("bilag@example.no", RecipientKind::Inbox, &[Rhythm::Monthly]).await;
    world.take("vipps", "a.csv", portal_csv(&report(vec![settlement(1, 2)]))).await;
    world.clock.set("2026-12-01T05:00:00Z".parse().unwrap());
    assert_eq!(world.send().await.mails.len(), 0, "no month is summarised yet");
    let before = summarised(&world).await;
    let november = in_november(&before);
    assert_eq!(november.summary.revision, 1);
    assert_eq!((world.send().await.mails.len(), world.send().await.mails.len()), (before.len(), 0));
    assert!(summarised(&world).await.is_empty(), "nothing has changed");
    world.take("vipps", "late.csv", portal_csv(&report(vec![settlement(2, 3)]))).await;
    let late = summarised(&world).await;
    assert!(late.len() > 1, "what was sold before November was in transit longer");
    assert_eq!(world.send().await.mails.len(), 1, "what was paid out in other months is the same");
    let mails = read_back(&world);
    let mails: Vec<&Value> =
        mails.iter().filter(|mail| mail["subject"].as_str().unwrap().contains("november 2026")).collect();
    let [first, second] = mails[..] else { panic!("{mails:?}") };
    let summaries = [november, in_november(&late)];
    for ((mail, Summarised { summary, files, .. }), corrected) in
        [first, second].into_iter().zip(summaries).zip([false, true])
    {
        assert_eq!(mail["subject"].as_str().unwrap().starts_with("RETTET (v2): "), corrected, "{}", mail["subject"]);
        let balance: Vec<(String, i64)> = serde_json::from_value(mail["balance"].clone()).unwrap();
        let paid_out: i64 = summary.content.payouts.iter().map(|payout| payout.payout_minor).sum();
        assert_eq!(balance.last().unwrap().1, paid_out);
        let stored = files.iter().find(|key| key.to_string().ends_with(".pdf")).unwrap();
        assert_eq!(mail["attachments"].as_array().unwrap().len(), 1);
        assert_eq!(mail["attachments"][0]["sha256"], hash_of(&world, &stored.to_string()));
    }
    assert!(second["plain"].as_str().unwrap().contains("2000002"), "{}", second["plain"]);
}

fn in_november(months: &[Summarised]) -> &Summarised {
    months.iter().find(|one| one.summary.month.to_string() == "2026-11").unwrap()
}

async fn summarised(world: &World) -> Vec<Summarised> {
    let (account, scratch) = (world.account.clone(), world.scratch.path().to_owned());
    let command = Summarise { account, month: None, now: world.clock.now(), lease: LEASE, scratch };
    months::run(&world.ports, &command).await.unwrap()
}

/// T39: what is held, not exact or unknown stands in lines of its own, and no sum has it in it.
#[tokio::test]
async fn a_digest_shows_held_reports_and_what_is_not_exact_beside_its_sums() {
    let world = World::new().await;
    world.clock.set("2026-11-01T12:00:00Z".parse().unwrap());
    world.told("regnskap@example.no", RecipientKind::Person, &[Rhythm::Daily]).await;
    world.told("bilag@example.no", RecipientKind::Inbox, &[Rhythm::Daily]).await;
    world.take("vipps", "a.csv", portal_csv(&report(vec![settlement(1, 3), settlement(2, 2)]))).await;
    let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/reports");
    let list = fs::read(format!("{reports}/swedbankpay-sales-xml-v2/basic.xml")).unwrap();
    let gone = world.take("swedbankpay", "liste.xml", list).await;
    let number = &gone.outcome.judgement.settlements[0].head.merchant_number;
    let (provider, number, now) = ("swedbankpay".to_owned(), number.clone(), world.clock.now());
    add_merchant(
        &world.ports,
        &AddMerchant { account: world.account.clone(), provider, number: number.to_string(), now },
    )
    .await
    .unwrap();
    let list = fs::read(format!("{reports}/swedbankpay-sales-xml-v2/basic.xml")).unwrap();
    world.take("swedbankpay", "liste.xml", list).await;
    let wrong =
        String::from_utf8(portal_csv(&report(vec![settlement(3, 1)]))).unwrap().replacen("1234,50", "1234,51", 1);
    assert_eq!(world.take("vipps", "feil <b>.csv", wrong.into_bytes()).await.outcome.verdict, Verdict::Quarantined);
    world.clock.set("2026-11-03T05:00:00Z".parse().unwrap());
    world.send().await;
    let mails = read_back(&world);
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        let (shown, subject) = (mail["shown"].as_str().unwrap(), mail["subject"].as_str().unwrap());
        // Sales less fees of both settlements, to the minor unit: 3 × 1234,50 + 0,03 and 2 × 1234,50 + 0,01, less 5 × 21,60.
        assert!(subject.ends_with("– 6 064,54 NOK"), "{subject}");
        assert!(shown.contains("6\u{a0}064,54\u{a0}NOK"), "{shown}");
        let is_person = mail["to"] == json!(["regnskap@example.no"]);
        for word in [
            "Rapport som er holdt tilbake",
            "feil <b>.csv",
            "Beløpene stemmer ikke (",
            "ikke er avstemt",
            "Swedbank Pay",
        ] {
            assert_eq!(shown.contains(word), is_person, "{word}: {shown}");
        }
        assert!(
            !shown.contains("2000003") && !shown.contains("1234,51") && !shown.contains("1\u{a0}234,51"),
            "{shown}"
        );
    }
}

/// T38, T58: one recipient, no header of others, and markup that is text.
#[tokio::test]
async fn hostile_names_make_neither_headers_nor_markup() {
    let hostile = "x\r\nBcc: dieb@example.no";
    assert!(HeaderText::new(hostile).is_err() && HeaderText::new(&"å".repeat(300)).is_err());
    let world = World::new().await;
    // A record that was written by something else.
    let place = store::Place::account(&world.account);
    let (account, revision) = place.read::<settlement::Account>(&*world.ports.state).await.unwrap().unwrap();
    let name = format!("{hostile}\r\n\r\n<img src=x onerror=alert(1)> 🛒 {}", "navn ".repeat(60));
    let account = settlement::Account { name: Some(name), ..account };
    let put = place.put(&account, store::Expect::Revision(revision)).unwrap();
    world.ports.state.put_if(&put).await.unwrap();
    world.told("regnskap@example.no", RecipientKind::Person, &[Rhythm::EachPayout]).await;
    let mut odd = settlement(1, 2);
    odd.lines[0].order = "<script>alert(1)</script>".into();
    world.take("vipps", "a.csv", portal_csv(&report(vec![odd]))).await;
    world.take("vipps", "<img src=x onerror=alert(1)>.csv", b"no report".to_vec()).await;
    world.send().await;
    let mails = read_back(&world);
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert_eq!(mail["to"], json!(["regnskap@example.no"]));
        let headers: Vec<&str> =
            mail["headers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!(!headers.contains(&"bcc") && !headers.contains(&"cc"), "{headers:?}");
        let attributes: Vec<&str> =
            mail["attributes"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!(!attributes.iter().any(|name| name.starts_with("on") || *name == "src"), "{attributes:?}");
        assert_eq!(mail["links"], json!([]));
        assert!(mail["shown"].as_str().unwrap().contains("<img src=x onerror=alert(1)>"), "{}", mail["shown"]);
        assert!(mail["subject"].as_str().unwrap().chars().count() <= 200);
    }
}

#[tokio::test]
async fn what_is_too_large_is_left_out_and_named_with_its_place() {
    let world = World::with_payout(3).await;
    let mailing = Mailing {
        bytes_max: 200_000,
        backoffice: Some("https://example.no/backoffice".parse().unwrap()),
        stop: Some("https://example.no/stop".parse().unwrap()),
        ..world.mailing()
    };
    mail::run(&world.ports, &mailing, &world.command()).await.unwrap();
    let mail = &read_back(&world)[0];
    assert_eq!(mail["attachments"], json!([]));
    let plain = mail["plain"].as_str().unwrap();
    let place = "2026-11-02_vipps_2000001_NOK.pdf: reports/T00000001/vipps/123456/2000001-NOK/v1/dintero-report.pdf";
    assert!(plain.contains("For stort til å legges ved") && plain.contains(place), "{plain}");
    let id = mail["values"]["X-Avstem-Mail-Id"].as_str().unwrap();
    let links = [json!("https://example.no/backoffice"), json!(format!("https://example.no/stop?mail={id}"))];
    assert_eq!(mail["links"], json!(links));
    assert_eq!(mail["values"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
}
