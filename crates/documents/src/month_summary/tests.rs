use jiff::civil::date;
use serde_json::Value;
use settlement::{Currency, Fees, Terms};

use super::*;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn payout(id: &str, code: &str, exponent: u8, sums: Terms, fees: Fees, payout_minor: i64) -> MonthPayout {
    MonthPayout {
        payout_on: date(2026, 10, 5),
        provider: "vipps".into(),
        merchant_number: "123456".into(),
        settlement_id: id.into(),
        version: 1,
        bank_reference: Some("=1+1".into()),
        bank_account: Some("7891".into()),
        currency: currency(code),
        exponent,
        lines: 4,
        sums,
        fees,
        opening_minor: -700,
        closing_minor: 0,
        payout_minor,
    }
}

/// Every term that a line may have.
const SUMS: Terms = Terms {
    capture_minor: 100_000,
    refund_minor: -20_000,
    fee_minor: 1_500,
    fee_vat_minor: 375,
    chargeback_minor: -3_000,
    reserve_minor: -5_000,
    adjustment_minor: 40,
};

/// Fees and their tax, which are invoiced.
const INVOICED: i64 = 1_875;

/// Every term, fees that are invoiced, a balance that is carried, and a currency without decimals.
fn content() -> MonthContent {
    let isk = Terms { capture_minor: 5_000, ..Terms::default() };
    let net = SUMS.net_minor().unwrap();
    let opening = payout("2000461", "NOK", 2, SUMS, Fees::Invoiced, net + INVOICED - 700);
    let of_isk_payout = payout("2000462", "ISK", 0, isk, Fees::Deducted, 5_000);
    MonthContent {
        figures: figures(net, isk),
        payouts: vec![opening, MonthPayout { opening_minor: 0, ..of_isk_payout }],
        bridge: bridges(net, isk),
        in_transit: in_transit(),
        apart: vec![apart("=cmd()", 711)],
    }
}

fn figures(net: i64, isk: Terms) -> Vec<Figures> {
    let figures = Figures {
        provider: "vipps".into(),
        of: FiguresOf::Product,
        payment_product: Some("vipps".into()),
        currency: currency("NOK"),
        exponent: 2,
        lines: 4,
        sums: SUMS,
        invoiced_minor: INVOICED,
        carried_minor: 0,
        paid_out_minor: net + INVOICED,
    };
    let carried = Figures {
        of: FiguresOf::Carried,
        payment_product: None,
        lines: 0,
        sums: Terms::default(),
        invoiced_minor: 0,
        carried_minor: -700,
        paid_out_minor: -700,
        ..figures.clone()
    };
    let of_isk = Figures {
        currency: currency("ISK"),
        exponent: 0,
        lines: 4,
        sums: isk,
        invoiced_minor: 0,
        carried_minor: 0,
        paid_out_minor: 5_000,
        ..figures.clone()
    };
    vec![of_isk, figures, carried]
}

fn bridges(net: i64, isk: Terms) -> Vec<MonthBridge> {
    let taken = Terms { fee_minor: 0, fee_vat_minor: 0, ..SUMS };
    let bridge = MonthBridge {
        provider: "vipps".into(),
        payment_product: Some("vipps".into()),
        currency: currency("NOK"),
        exponent: 2,
        opening_minor: 1_000,
        happened: taken,
        paid_out_minor: net + INVOICED,
        closing_minor: 1_000,
        invoiced_minor: INVOICED,
    };
    let balance = MonthBridge {
        payment_product: None,
        opening_minor: 0,
        happened: Terms::default(),
        paid_out_minor: -700,
        closing_minor: 700,
        invoiced_minor: 0,
        ..bridge.clone()
    };
    let bridge_of_isk = MonthBridge {
        currency: currency("ISK"),
        exponent: 0,
        opening_minor: 0,
        happened: isk,
        paid_out_minor: 5_000,
        closing_minor: 0,
        invoiced_minor: 0,
        ..bridge.clone()
    };
    vec![bridge_of_isk, bridge, balance]
}

fn in_transit() -> Vec<InTransit> {
    let later = InTransit {
        provider: "vipps".into(),
        payment_product: Some("vipps".into()),
        currency: currency("NOK"),
        exponent: 2,
        state: TransitState::PaidLater,
        payout_on: Some(date(2026, 11, 2)),
        merchant_number: Some("123456".into()),
        settlements: vec!["2000470".into()],
        amount_minor: 1_000,
    };
    let with_provider = InTransit {
        payment_product: None,
        state: TransitState::Balance,
        payout_on: None,
        merchant_number: None,
        settlements: Vec::new(),
        amount_minor: 700,
        ..later.clone()
    };
    vec![later, with_provider]
}

fn apart(reference: &str, amount_minor: i64) -> Apart {
    Apart {
        kind: ApartKind::Event,
        provider: "vipps".into(),
        reference: reference.into(),
        merchant_number: None,
        day: Some(date(2026, 10, 5)),
        state: "UNKNOWN".into(),
        count: Some(2),
        currency: Some(currency("NOK")),
        exponent: 2,
        amount_minor: Some(amount_minor),
    }
}

fn summary() -> MonthSummary {
    MonthSummary {
        account: "T00000001".parse().unwrap(),
        name: "Eksempelbutikken AS".into(),
        month: "2026-10".parse().unwrap(),
        zone: "Europe/Oslo".into(),
        revision: 1,
        content: content(),
        differences: Vec::new(),
    }
}

fn written(summary: &MonthSummary, form: SummaryForm, language: Language) -> Result<Vec<u8>, DocumentError> {
    let mut out = Vec::new();
    summary.write(form, language, &mut out).map(|()| out)
}

#[test]
fn the_same_month_is_the_same_bytes_in_every_form_and_language() {
    for (form, language) in SummaryForm::ALL.into_iter().flat_map(|form| Language::ALL.map(|l| (form, l))) {
        let (one, other) = (written(&summary(), form, language).unwrap(), written(&summary(), form, language).unwrap());
        assert!(!one.is_empty() && one == other, "{form:?} {language:?}");
    }
}

#[test]
fn json_is_read_back_as_what_was_written() {
    let summary = summary().followed_by(MonthContent::default(), "Ny AS".into(), "UTC".into());
    assert!(summary.differences.len() > 10 && summary.revision == 2);
    let json = written(&summary, SummaryForm::Json, Language::Nb).unwrap();
    assert_eq!(MonthSummary::read(&json).unwrap(), summary);
    assert!(matches!(MonthSummary::read(b"{}"), Err(DocumentError::Json(_))));
}

/// The places of all amounts below a part of the content.
fn amounts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| amounts(value, &format!("{at}/{name}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, item)| amounts(item, &format!("{at}/{place}"), found));
        }
        Value::Number(_) if at.ends_with("_minor") => found.push(at.to_owned()),
        _ => {}
    }
}

#[test]
fn one_minor_unit_too_much_anywhere_is_written_in_no_form() {
    let whole = serde_json::to_value(content()).unwrap();
    let mut places = Vec::new();
    ["figures", "payouts", "bridge", "in_transit"]
        .iter()
        .for_each(|part| amounts(&whole[part], &format!("/{part}"), &mut places));
    // What is invoiced on the way is for information: nothing is summed with it.
    places.retain(|place| !(place.starts_with("/bridge") && place.ends_with("/invoiced_minor")));
    assert!(places.len() > 60, "{}", places.len());
    for place in places {
        let mut off = whole.clone();
        let amount = off.pointer_mut(&place).unwrap();
        *amount = (amount.as_i64().unwrap() + 1).into();
        let content: MonthContent = serde_json::from_value(off).unwrap();
        let summary = MonthSummary { content, ..summary() };
        for form in SummaryForm::ALL {
            let refused = written(&summary, form, Language::En);
            assert!(matches!(refused, Err(DocumentError::Month { .. })), "{place} is written as {form:?}");
        }
    }
}

#[test]
fn sums_beyond_any_amount_are_refused_and_no_panic() {
    let mut content = content();
    content.figures[0].sums.capture_minor = i64::MAX;
    content.figures[1].sums.capture_minor = i64::MAX;
    content.bridge[0].happened.fee_minor = i64::MIN;
    let summary = MonthSummary { content, ..summary() };
    let refused = written(&summary, SummaryForm::Csv, Language::Nb);
    assert!(matches!(refused, Err(DocumentError::Month { .. } | DocumentError::NotCountable { .. })), "{refused:?}");
}

#[test]
fn differences_are_what_was_and_what_is_and_nothing_else() {
    let before = summary();
    assert_eq!(before.followed_by(content(), before.name.clone(), before.zone.clone()).differences, []);
    let mut after = content();
    after.payouts[1].payout_minor += 5;
    after.payouts[1].sums.adjustment_minor += 5;
    after.payouts[1].version = 2;
    after.apart = vec![apart("=cmd()", 711), apart("2000470", 1)];
    after.in_transit.remove(0);
    let next = before.followed_by(after, before.name.clone(), before.zone.clone());
    let found: Vec<_> = next
        .differences
        .iter()
        .map(|d| (d.of, d.change, d.term.as_str(), d.subject.as_str(), d.before_minor, d.after_minor))
        .collect();
    assert_eq!(
        found,
        [
            (DifferenceOf::Payout, Change::Changed, "paid_out", "2000462", Some(5_000), Some(5_005)),
            (DifferenceOf::Payout, Change::Changed, "adjustment", "2000462", Some(0), Some(5)),
            (DifferenceOf::InTransit, Change::Gone, "amount", "2000470", Some(1_000), None),
            (DifferenceOf::Apart, Change::New, "event", "2000470", None, Some(1)),
        ]
    );
    assert!(next.changes_payouts() && next.revision == 2);
    let only_apart = MonthContent { apart: Vec::new(), ..content() };
    assert!(!before.followed_by(only_apart, before.name.clone(), before.zone.clone()).changes_payouts());
    // The same money in another version, or with another text at the bank, is a difference as well.
    let changes: [fn(&mut MonthPayout); 2] = [|payout| payout.version = 2, |payout| payout.bank_reference = None];
    for change in changes {
        let mut after = content();
        change(&mut after.payouts[0]);
        let next = before.followed_by(after, before.name.clone(), before.zone.clone());
        assert!(
            matches!(next.differences.as_slice(), [one] if one.of == DifferenceOf::Payout),
            "{:?}",
            next.differences
        );
    }
}

#[test]
fn text_of_others_is_inert_and_each_currency_has_its_decimals() {
    for form in [SummaryForm::Csv, SummaryForm::SemicolonCsv] {
        let text = String::from_utf8(written(&summary(), form, Language::Nb).unwrap()).unwrap();
        assert!(text.contains("\"'=cmd()\"") && text.contains("\"'=1+1\"") && !text.contains("\"="), "{text}");
        let (isk, nok) = if form == SummaryForm::Csv { (",5000,", ",1000.00,") } else { (";5000;", ";1000,00;") };
        assert!(text.contains(isk) && text.contains(nok), "{text}");
    }
}

#[test]
fn a_month_that_is_not_over_says_so() {
    let text = |revision| {
        let summary = MonthSummary { revision, ..summary() };
        String::from_utf8(written(&summary, SummaryForm::SemicolonCsv, Language::En).unwrap()).unwrap()
    };
    assert!(text(0).contains("the month is not over"));
    assert!(text(3).contains("\"3, replaces all earlier ones\"") && !text(3).contains("not over"));
}

#[test]
fn a_month_without_anything_is_a_document_all_the_same() {
    let empty = MonthSummary { content: MonthContent::default(), ..summary() };
    for form in SummaryForm::ALL {
        assert!(!written(&empty, form, Language::Fi).unwrap().is_empty());
    }
    let text = String::from_utf8(written(&empty, SummaryForm::SemicolonCsv, Language::En).unwrap()).unwrap();
    assert!(text.contains("Nothing to clear up."), "{text}");
}

/// Captures and refunds that leave the range of `i64` and cancel each other out: every row agrees, the sums cannot be counted.
#[test]
fn sums_beyond_i64_that_cancel_out_are_refused_and_never_shown_as_zero() {
    let sums = Terms { capture_minor: i64::MAX, refund_minor: -i64::MAX, ..Terms::default() };
    let figures = Figures { sums, invoiced_minor: 0, paid_out_minor: 0, ..figures(0, Terms::default()).remove(1) };
    let payout =
        MonthPayout { opening_minor: 0, lines: 8, ..payout("1", "NOK", 2, Terms::default(), Fees::Deducted, 0) };
    let content = MonthContent { figures: vec![figures.clone(), figures], payouts: vec![payout], ..Default::default() };
    let summary = MonthSummary { content, ..summary() };
    for form in SummaryForm::ALL {
        let refused = written(&summary, form, Language::Nb);
        assert!(matches!(refused, Err(DocumentError::NotCountable { .. })), "{form:?} {refused:?}");
    }
    assert!(matches!(summary.records(), Err(DocumentError::NotCountable { .. })));
}

/// Programs and spreadsheets read these files: a change of a byte must be a decision.
#[test]
fn csv_forms_are_the_bytes_that_they_were() {
    let content = MonthContent { apart: vec![apart("2000470", 1)], ..content() };
    let next = summary().followed_by(content, "Butikk \"AS\"".into(), "Europe/Oslo".into());
    for (form, expected) in [
        (SummaryForm::Csv, include_str!("../../tests/csv/month-summary.csv")),
        (SummaryForm::SemicolonCsv, include_str!("../../tests/csv/month-summary.semicolon.csv")),
    ] {
        assert_eq!(String::from_utf8(written(&next, form, Language::Nb).unwrap()).unwrap(), expected);
    }
}
