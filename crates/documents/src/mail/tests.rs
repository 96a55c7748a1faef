use std::convert::Infallible;

use jiff::civil::date;
use settlement::{Currency, Kind, LineKind, ReportId, Rhythm, SettleKey, Terms};

use super::*;
use crate::breakdown::Breakdown;
use crate::dintero_report::DinteroReport;
use crate::month_summary::{self, Change, Difference, DifferenceOf, Figures, FiguresOf, MonthContent, MonthSummary};
use crate::testing::{head, line};

const WORDS_WITHOUT_MARKS: [&str; 2] = ["{", "}"];

fn name() -> HeaderText {
    HeaderText::new("Butikk AS").unwrap()
}

fn to() -> Mailbox {
    Mailbox { name: Some(name()), address: "regnskap@example.no".parse().unwrap() }
}

fn reader<'a>(language: Language, merchant: &'a HeaderText, to: &'a Mailbox) -> Reader<'a> {
    Reader {
        merchant,
        address: &to.address,
        language,
        is_inbox: false,
        attached: &[],
        left_out: &[],
        backoffice: None,
        stop: None,
    }
}

fn month(revision: u32) -> MonthSummary {
    let sums =
        Terms { capture_minor: 10_000, refund_minor: -1_000, fee_minor: 175, fee_vat_minor: 44, ..Terms::default() };
    let figures = |payment_product: &str, currency: &str| Figures {
        provider: "vipps".into(),
        of: FiguresOf::Product,
        payment_product: Some(payment_product.into()),
        currency: currency.parse().unwrap(),
        exponent: 2,
        lines: 3,
        sums,
        invoiced_minor: 0,
        carried_minor: 0,
        paid_out_minor: 8_781,
    };
    let apart = |kind, reference: &str, state: &str, amount_minor: Option<i64>| month_summary::Apart {
        kind,
        provider: "vipps".into(),
        reference: reference.into(),
        merchant_number: None,
        day: None,
        state: state.into(),
        count: Some(3),
        currency: Some(Currency::NOK),
        exponent: 2,
        amount_minor,
    };
    let difference = Difference {
        of: DifferenceOf::Payout,
        change: Change::Changed,
        provider: "vipps".into(),
        subject: "2000461".into(),
        merchant_number: None,
        day: Some(date(2026, 10, 30)),
        term: "paid_out".into(),
        state: String::new(),
        currency: Some(Currency::NOK),
        exponent: 2,
        before_minor: Some(100),
        after_minor: Some(8_781),
        version: Some(2),
    };
    MonthSummary {
        account: "T00000001".parse().unwrap(),
        name: "Butikk AS".into(),
        month: "2026-10".parse().unwrap(),
        zone: "Europe/Oslo".into(),
        revision,
        content: MonthContent {
            figures: vec![figures("vipps", "NOK"), figures("payex", "SEK")],
            apart: vec![
                apart(month_summary::ApartKind::HeldReport, "oktober <b>.csv", "QUARANTINED(ControlTotal)", None),
                apart(month_summary::ApartKind::Unmatched, "2000461", "transaction_unknown", Some(-4_912)),
                apart(month_summary::ApartKind::Event, "2000462", "UNKNOWN", Some(77)),
            ],
            ..MonthContent::default()
        },
        differences: if revision > 1 { vec![difference] } else { Vec::new() },
    }
}

fn message(written: &Written, language: Language) -> String {
    let id = MailId::of(&"T00000001".parse().unwrap(), "month", "2026-10-01", 1, &to().address, language.tag());
    let (from, to) = (Mailbox::from("avstem@example.no".parse::<Address>().unwrap()), to());
    let at = Timestamp::from_second(1_793_512_800).unwrap();
    let mail = Mail { id: &id, at, from: &from, reply_to: None, to: &to, written, attachments: &[], stop: None };
    assert_eq!(mail.bytes().unwrap(), mail.bytes().unwrap());
    String::from_utf8(mail.bytes().unwrap()).unwrap()
}

/// T39: what is held, unknown or not matched is in a row of its own, and in no sum.
#[test]
fn a_month_shows_what_is_open_in_lines_of_its_own_and_its_sums_leave_it_out() {
    let (merchant, to) = (name(), to());
    for language in Language::ALL {
        let written = MonthMail(&month(1)).written(&reader(language, &merchant, &to));
        let (text, page) = (text::write(&written.letter), html::write(&written.letter));
        let month = &language.labels().month;
        // A long cell continues on the next line; amounts follow in other columns.
        let first_column = text.lines().map(|line| line.chars().take(70).collect::<String>().trim().to_owned());
        let whole = first_column.collect::<Vec<_>>().join(" ");
        for open in [month.held_report, month.unmatched, month.event, month.event_unknown, month.reasons.sums] {
            assert!(whole.contains(open) && page.contains(&open.replace('\'', "&#39;")), "{language:?} {open}");
        }
        let amount = |minor| language.locale().amount(minor, 2);
        assert!(text.contains(&amount(-4_912)) && text.contains(&amount(8_781)), "{text}");
        assert!(!text.contains(&amount(8_781 - 4_912)), "{text}");
        assert!(page.contains("oktober &lt;b&gt;.csv") && !page.contains("<b>"), "{page}");
        for mark in WORDS_WITHOUT_MARKS {
            assert!(!text.contains(mark) && !written.subject.as_str().contains(mark), "{text}");
        }
    }
}

#[test]
fn a_later_revision_says_that_it_replaces_and_what_has_changed() {
    let (merchant, to) = (name(), to());
    for language in Language::ALL {
        let written = MonthMail(&month(2)).written(&reader(language, &merchant, &to));
        let text = text::write(&written.letter);
        assert!(written.subject.as_str().contains("(v2)"), "{}", written.subject);
        let words = language.words();
        assert!(text.contains(&filled(words.revision_replaces, &[("{version}", "2")])), "{text}");
        assert!(text.contains(words.changes) && text.contains(&language.locale().amount(100, 2)), "{text}");
        assert!(!MonthMail(&month(1)).written(&reader(language, &merchant, &to)).subject.as_str().contains("(v"));
    }
}

/// Lines that deviate by the report alone are in the mail: the first by name, the others counted.
#[test]
fn a_payout_tells_of_chargebacks_and_of_lines_that_nobody_can_find() {
    let sale = Terms { capture_minor: 99_900, ..Terms::default() };
    let back = Terms { chargeback_minor: -12_345, ..Terms::default() };
    let mut lines = vec![line(1, LineKind::Sale, sale, Some("A-1")), line(2, LineKind::Sale, sale, None)];
    lines.extend((3..14).map(|row| line(row, LineKind::Chargeback, back, Some("A-1"))));
    let breakdown = Breakdown::of(lines.into_iter().map(Ok::<_, Infallible>)).unwrap();
    let settlement = settlement::Settlement::new(head());
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let (merchant, to, report) = (name(), to(), ReportId::from_sha256([7; 32]));
    for language in Language::ALL {
        let report =
            DinteroReport { key: &key, settlement: &settlement, version: 1, report, breakdown: &breakdown, language };
        let text = text::write(&PayoutMail { report, matched: None }.written(&reader(language, &merchant, &to)).letter);
        let labels = language.labels();
        assert!(text.contains(labels.deviations) && text.contains(labels.without_reference), "{text}");
        let amount = language.locale().amount(-12_345, 2);
        let named =
            text.lines().filter(|line| line.contains(labels.kinds.chargeback) && line.contains(&amount)).count();
        assert_eq!(named, 9, "{text}");
        assert!(text.contains(&filled(language.words().more, &[("{count}", "2")])), "{text}");
    }
}

fn held<'a>(file: &'a str, kind: Option<Kind>, settlements: &'a [HeldPayout]) -> HeldMail<'a> {
    let report = ReportId::from_sha256([7; 32]);
    let settlement_count = settlements.len() as u64 + 3;
    HeldMail { report, file, provider: "vipps", kind, settlements, settlement_count }
}

/// Whoever reads it knows which payout waits, and by which word to name the report.
#[test]
fn a_held_report_is_told_with_its_payouts_and_what_was_before() {
    let (merchant, to) = (HeaderText::cleaned("Butikk AS"), to());
    let payout = HeldPayout {
        merchant_number: "123456".parse().unwrap(),
        settlement_id: "2000464".parse().unwrap(),
        payout_on: jiff::civil::date(2026, 10, 26),
        lines: 2,
        currency: Currency::NOK,
        exponent: 2,
        payout_minor: Some(44_212),
        payout_before_minor: Some(44_301),
    };
    for language in Language::ALL {
        let reader = reader(language, &merchant, &to);
        let settlements = [payout.clone()];
        let of_conflict =
            text::write(&held("a.csv", Some(Kind::SettlementConflict), &settlements).written(&reader).letter);
        for expected in ["070707070707", "123456/2000464", "2026", "44", "3"] {
            assert!(of_conflict.contains(expected), "{expected} is not in {of_conflict}");
        }
        let words = language.words();
        assert!(of_conflict.contains(words.held_changes) && !of_conflict.contains(words.held_nothing), "{of_conflict}");
        let of_sum = text::write(&held("a.csv", Some(Kind::ControlTotal), &[]).written(&reader).letter);
        assert!(of_sum.contains(words.held_nothing) && !of_sum.contains(words.held_changes), "{of_sum}");
    }
}

/// T38, T58: text from outside never makes a header, and markup is shown as text.
#[test]
fn hostile_words_stay_in_their_place() {
    let hostile = "Butikk\r\nBcc: dieb@example.no\r\n\r\n<script>alert(1)</script> \u{202e}gnp.exe 🛒";
    let merchant = HeaderText::cleaned(&hostile.repeat(9));
    let to = to();
    for language in Language::ALL {
        let reader = reader(language, &merchant, &to);
        let held = held(hostile, None, &[]).written(&reader);
        let message = message(&held, language);
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert_eq!(head.lines().filter(|line| line.starts_with("To:")).count(), 1);
        let page = html::write(&held.letter);
        assert!(!page.contains("<script") && !page.contains("<i>") && !page.contains('\u{202e}'), "{page}");
        assert!(page.contains("&lt;script&gt;"), "{page}");
        let text = text::write(&held.letter);
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }
}

#[test]
fn one_click_is_offered_only_where_it_is_safe() {
    let (merchant, to, from) = (name(), to(), Mailbox::from("avstem@example.no".parse::<Address>().unwrap()));
    let written = MonthMail(&month(1)).written(&reader(Language::En, &merchant, &to));
    let id = MailId::of(&"T00000001".parse().unwrap(), "month", "", 1, &to.address, "en");
    for (stop, one_click) in
        [(Some("https://example.no/stop"), true), (Some("http://localhost/stop"), false), (None, false)]
    {
        let stop: Option<WebAddress> = stop.map(|stop| stop.parse().unwrap());
        let at = Timestamp::UNIX_EPOCH;
        let mail = Mail {
            id: &id,
            at,
            from: &from,
            reply_to: None,
            to: &to,
            written: &written,
            attachments: &[],
            stop: stop.as_ref(),
        };
        let bytes = String::from_utf8(mail.bytes().unwrap()).unwrap();
        assert!(bytes.contains("\r\nList-Unsubscribe: <"), "{bytes}");
        assert_eq!(bytes.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), one_click);
        assert!(
            bytes.contains("\r\nAuto-Submitted: auto-generated\r\n")
                && bytes.contains(&format!("X-Avstem-Mail-Id: {id}"))
        );
    }
}

#[test]
fn files_are_named_in_ascii_and_measured_as_they_are_sent() {
    assert_eq!(FileName::of("2026-11-03_vipps_Ærø/..\r\n\"x\".pdf").as_str(), "2026-11-03_vipps_-r--..---x-.pdf");
    for size in [0, 1, 57, 58, 1_000, 100_000] {
        let attachment = Attachment { name: FileName::of("a"), content_type: "application/pdf", bytes: vec![7; size] };
        let (merchant, to, from) = (name(), to(), Mailbox::from("avstem@example.no".parse::<Address>().unwrap()));
        let written = MonthMail(&month(1)).written(&reader(Language::En, &merchant, &to));
        let id = MailId::of(&"T00000001".parse().unwrap(), "month", "", 1, &to.address, "en");
        let files = [attachment];
        let at = Timestamp::UNIX_EPOCH;
        let mail = |attachments| {
            Mail { id: &id, at, from: &from, reply_to: None, to: &to, written: &written, attachments, stop: None }
                .bytes()
                .unwrap()
                .len()
        };
        let added = u64::try_from(mail(&files) - mail(&[])).unwrap();
        let encoded = encoded_bytes(u64::try_from(size).unwrap());
        assert!(added >= encoded && added < encoded + 600, "{size}: {added} {encoded}");
    }
}

/// A sum beyond the range of `i64` is said in words, never as zero or another amount.
#[test]
fn amounts_beyond_i64_are_said_in_words() {
    let (merchant, to) = (name(), to());
    let sums = Terms { fee_minor: i64::MAX, fee_vat_minor: 1, ..Terms::default() };
    let payout = DigestPayout {
        provider: "vipps".into(),
        settlement_id: "2000461".into(),
        version: 1,
        payout_on: date(2026, 10, 30),
        bank_reference: None,
        currency: Currency::NOK,
        exponent: 2,
        sums,
        fees: settlement::Fees::Deducted,
        payout_minor: i64::MAX,
    };
    let payouts = [payout.clone(), payout];
    let mut summary = month(1);
    summary.content.figures.iter_mut().for_each(|row| (row.sums, row.paid_out_minor) = (sums, i64::MAX));
    summary.content.figures.push(summary.content.figures[0].clone());
    for language in Language::ALL {
        let reader = reader(language, &merchant, &to);
        let words = language.labels().not_countable;
        let digest = DigestMail { rhythm: Rhythm::Daily, until: date(2026, 11, 1), payouts: &payouts, apart: &[] };
        let digest = digest.written(&reader);
        assert!(digest.subject.as_str().contains(words), "{}", digest.subject);
        // Fees of each row and both sums of the total.
        assert_eq!(text::write(&digest.letter).matches(words).count(), 4 + 1, "{}", text::write(&digest.letter));
        let mail = text::write(&MonthMail(&summary).written(&reader).letter);
        assert!(mail.matches(words).count() >= 5, "{mail}");
    }
}

#[test]
fn days_are_a_range_without_saying_a_month_twice() {
    let [first, last, later] = [date(2026, 10, 5), date(2026, 10, 20), date(2026, 11, 2)];
    for (language, month, months, day) in [
        (Language::Nb, "5.–20. okt. 2026", "5. okt. 2026 – 2. nov. 2026", "5. okt. 2026"),
        (Language::Sv, "5–20 okt. 2026", "5 okt. 2026 – 2 nov. 2026", "5 okt. 2026"),
        (Language::En, "5–20 Oct 2026", "5 Oct 2026 – 2 Nov 2026", "5 Oct 2026"),
    ] {
        let words = language.words();
        assert_eq!([words.days(first, last), words.days(first, later), words.days(first, first)], [month, months, day]);
    }
}

#[test]
fn a_weekly_digest_names_the_days_of_its_payouts() {
    let (merchant, to) = (name(), to());
    let payout = |payout_on| DigestPayout {
        provider: "vipps".into(),
        settlement_id: "2000461".into(),
        version: 1,
        payout_on,
        bank_reference: None,
        currency: Currency::NOK,
        exponent: 2,
        sums: Terms { capture_minor: 10_000, fee_minor: 175, fee_vat_minor: 44, ..Terms::default() },
        fees: settlement::Fees::Deducted,
        payout_minor: 9_781,
    };
    let payouts = [payout(date(2026, 10, 5)), payout(date(2026, 10, 20))];
    let mail = |payouts| {
        let until = date(2026, 10, 25);
        DigestMail { rhythm: Rhythm::Weekly, until, payouts, apart: &[] }.written(&reader(Language::En, &merchant, &to))
    };
    let both = mail(&payouts);
    assert_eq!(both.subject.as_str(), "Butikk AS – payouts 5–20 Oct 2026 – 195.62 NOK");
    let text = text::write(&both.letter);
    assert!(text.contains("2 payouts") && text.contains("Fees incl. VAT") && text.contains("-2.19"), "{text}");
    assert!(text::write(&mail(&payouts[..1]).letter).contains("1 payout,"));
    assert_eq!(mail(&[]).subject.as_str(), "DEVIATION: Butikk AS – payouts 25 Oct 2026 – 0");
}

#[test]
fn a_code_follows_a_link_or_stands_alone() {
    let (merchant, to) = (name(), to());
    let link: WebAddress = "https://example.no/confirm".parse().unwrap();
    for language in Language::ALL {
        let mail = |link| Confirmation { token: "ABC", link }.written(&reader(language, &merchant, &to));
        let words = language.words();
        let [with, alone] = [mail(Some(&link)), mail(None)].map(|written| text::write(&written.letter));
        assert!(with.contains(words.confirmation_code) && with.contains("https://example.no/confirm"), "{with}");
        assert!(alone.contains(words.confirmation_code_alone) && !alone.contains(words.confirmation_code), "{alone}");
    }
}

/// What the bank statement says is not known where the provider does not tell it, and a payout below zero is a debt.
#[test]
fn a_payout_mail_guesses_no_reference_and_says_a_debt_without_a_sign() {
    let sums = Terms { refund_minor: -50_000, ..Terms::default() };
    let lines = vec![line(1, LineKind::Refund, sums, Some("A-1"))];
    let breakdown = Breakdown::of(lines.into_iter().map(Ok::<_, Infallible>)).unwrap();
    let settlement =
        settlement::Settlement { lines: 1, sums, payout_minor: Some(-50_000), ..settlement::Settlement::new(head()) };
    let key = SettleKey::new(&"T00000001".parse().unwrap(), &"vipps".parse().unwrap(), &settlement.head);
    let (merchant, to, report) = (name(), to(), ReportId::from_sha256([7; 32]));
    let seen = |state: &str, net_minor: i64| LineToSee {
        line_no: 1,
        order_reference: None,
        net_minor: Some(net_minor),
        state: state.to_owned(),
    };
    let mut matched = Matched::default();
    matched.add("status_forbids", || seen("status_forbids", -50_000));
    matched.add("status_forbids", || seen("status_forbids", 50_000));
    let report = DinteroReport {
        key: &key,
        settlement: &settlement,
        version: 1,
        report,
        breakdown: &breakdown,
        language: Language::En,
    };
    let mail = PayoutMail { report, matched: Some(&matched) }.written(&reader(Language::En, &merchant, &to));
    let text = text::write(&mail.letter);
    let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(row("Bank statement reference").ends_with("not stated"), "{text}");
    assert!(row("Owed to the provider  ").ends_with(" 500.00"), "{text}");
    assert!(text.contains("Check: 1 line, sum = paid out. Difference 0.00"), "{text}");
    assert!(text.contains("Refund not at Dintero") && text.contains("Not captured at Dintero"), "{text}");
}
