use std::convert::Infallible;

use jiff::civil::date;
use settlement::{LineKind, ReportId, SettleKey, Terms};

use super::*;
use crate::month_summary::{self, Change, Difference, DifferenceOf, Figures, FiguresOf, MonthContent, MonthSummary};
use crate::testing::{head, line};
use crate::{Breakdown, DinteroReport};

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
    let id = MailId::of(&"T00000001".parse().unwrap(), "month", "2026-10-01", 1, &to().address, language);
    let (from, to) = (Mailbox::from("avstem@example.no".parse::<Address>().unwrap()), to());
    let at = Timestamp::from_second(1_793_512_800).unwrap();
    let mail = Mail { id: &id, at, from: &from, reply_to: None, to: &to, written, attachments: &[], stop: None };
    assert_eq!(mail.bytes().unwrap(), mail.bytes().unwrap());
    String::from_utf8(mail.bytes().unwrap()).unwrap()
}

/// T39: what is held, unknown or without a transaction stands in a line of its own, and in no sum.
#[test]
fn a_month_shows_what_is_open_in_lines_of_its_own_and_its_sums_leave_it_out() {
    let (merchant, to) = (name(), to());
    for language in Language::ALL {
        let written = MonthMail(&month(1)).written(&reader(language, &merchant, &to));
        let (text, page) = (text::write(&written.letter), html::write(&written.letter));
        let month = &language.labels().month;
        // A cell goes on below itself; its amounts stand behind.
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

/// What a report itself says of a line is told beside what it was matched with, the first lines by name and the others counted.
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
        let told = text.lines().filter(|line| line.contains(labels.kinds.chargeback) && line.contains(&amount)).count();
        assert_eq!(told, 9, "{text}");
        assert!(text.contains(&filled(language.words().more, &[("{count}", "2")])), "{text}");
    }
}

/// T38, T58: words of others never make a header, and markup is shown as text.
#[test]
fn hostile_words_stay_in_their_place() {
    let hostile = "Butikk\r\nBcc: dieb@example.no\r\n\r\n<script>alert(1)</script> \u{202e}gnp.exe 🛒";
    let merchant = HeaderText::cleaned(&hostile.repeat(9));
    let to = to();
    for language in Language::ALL {
        let reader = reader(language, &merchant, &to);
        let held = HeldMail { file: hostile, provider: "<i>x</i>", kind: None }.written(&reader);
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
fn an_id_is_made_of_whom_and_what_about_and_never_of_words() {
    let id = |account: &str, purpose, about, revision, to: &str, language| {
        MailId::of(&account.parse().unwrap(), purpose, about, revision, &to.parse().unwrap(), language)
    };
    let one = id("T00000001", "payout", "a", 1, "a@example.no", Language::Nb);
    assert_eq!(one, id("T00000001", "payout", "a", 1, "A@example.no", Language::Nb));
    for other in [
        id("T00000002", "payout", "a", 1, "a@example.no", Language::Nb),
        id("T00000001", "payouta", "", 1, "a@example.no", Language::Nb),
        id("T00000001", "payout", "a", 2, "a@example.no", Language::Nb),
        id("T00000001", "payout", "a", 1, "b@example.no", Language::Nb),
        id("T00000001", "payout", "a", 1, "a@example.no", Language::Sv),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn one_click_is_offered_only_where_it_is_safe() {
    let (merchant, to, from) = (name(), to(), Mailbox::from("avstem@example.no".parse::<Address>().unwrap()));
    let written = MonthMail(&month(1)).written(&reader(Language::En, &merchant, &to));
    let id = MailId::of(&"T00000001".parse().unwrap(), "month", "", 1, &to.address, Language::En);
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
        let id = MailId::of(&"T00000001".parse().unwrap(), "month", "", 1, &to.address, Language::En);
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
