use std::collections::BTreeSet;

use super::*;
use crate::term::{NET, TERMS};

fn texts(language: Language) -> Vec<String> {
    // The quoted words of the debug text are all labels, whichever there are.
    let text = format!("{:?}", language.labels());
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_language_has_every_label_in_words_of_its_own() {
    let english: BTreeSet<String> = texts(Language::En).into_iter().collect();
    for language in Language::ALL {
        let texts = texts(language);
        assert!(texts.iter().all(|text| !text.is_empty() && text.trim() == text), "{texts:?}");
        let as_english = texts.iter().filter(|text| english.contains(*text)).count();
        assert!(language == Language::En || as_english < 9, "{as_english} labels of {language:?} are English");
    }
}

#[test]
fn what_is_filled_in_has_its_place_in_every_language() {
    for language in Language::ALL {
        let labels = language.labels();
        for proof in [labels.proof_agrees, labels.proof_agrees_carried, labels.proof_differs] {
            assert!(proof.contains("{lines}") && proof.contains("{difference}"), "{proof}");
        }
        let month = &labels.month;
        for (words, places) in [
            (month.proof_payouts, ["{currency}", "{payouts}", "{lines}", "{difference}"].as_slice()),
            (month.proof_bridge, &["{currency}", "{amount}", "{difference}"]),
            (month.revision_from, &["{version}"]),
            (month.differences, &["{before}"]),
        ] {
            assert!(places.iter().all(|place| words.contains(place)), "{words}");
        }
        assert!(labels.proof_unstated.contains("{lines}") && labels.corrected.contains("{version}"));
        assert!(labels.page_of.contains("{page}"));
    }
}

#[test]
fn sheets_and_columns_have_names_that_a_workbook_takes() {
    for language in Language::ALL {
        let labels = language.labels();
        let payouts = format!("{} NOK", labels.month.payouts);
        let months = [labels.summary, labels.month.bridge, &payouts, labels.deviations, labels.month.change];
        assert_eq!(BTreeSet::from(months).len(), months.len(), "{months:?}");
        let sheets = [labels.summary, labels.per_method, labels.transactions, labels.deviations];
        assert_eq!(BTreeSet::from(sheets).len(), sheets.len(), "{sheets:?}");
        let sheets = sheets.into_iter().chain(months);
        for name in sheets {
            assert!(name.chars().count() <= 28 && !name.contains([':', '\\', '/', '?', '*', '[', ']', '\'']), "{name}");
        }
        // A formula names these columns: `TableColumn::new` leaves full stops out, other signs would need quoting.
        let terms = TERMS.iter().chain([&NET]).map(|term| (term.name)(labels));
        for name in terms.chain([labels.invoiced_apart, labels.month.carried, labels.paid_out]) {
            assert!(name.chars().all(|sign| sign.is_alphabetic() || sign == ' ' || sign == '.'), "{name}");
        }
    }
}

#[test]
fn an_account_names_its_language_with_or_without_a_country() {
    for (tag, language) in [
        ("nb", Language::Nb),
        ("no", Language::Nb),
        ("nn-NO", Language::Nb),
        ("sv-SE", Language::Sv),
        ("da_DK", Language::Da),
        ("FI", Language::Fi),
        ("en-GB", Language::En),
        ("de", Language::En),
        ("", Language::En),
    ] {
        assert_eq!(Language::of(tag), language, "{tag:?}");
    }
    for language in Language::ALL {
        assert_eq!(Language::of(language.tag()), language);
    }
}
