//! The kinds of problems that a file can have, and the verdict that each leads to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The decision on a report as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It is proved and goes on to the next steps.
    Accepted,
    /// It is recognised but cannot be trusted; the whole report is held.
    Quarantined,
    /// It is not a readable report of its provider; the whole report is held.
    Rejected,
    /// The same content was accepted before; nothing happens.
    Duplicate,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Accepted => "ACCEPTED",
            Verdict::Quarantined => "QUARANTINED",
            Verdict::Rejected => "REJECTED",
            Verdict::Duplicate => "DUPLICATE",
        })
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident => $verdict:ident,)*) => {
        /// What is wrong with a file, as a word for programs and people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The word itself, as in `ControlTotal`.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$name => stringify!($name),)* }
            }

            /// The verdict on a report with an error of this kind.
            pub fn verdict(self) -> Verdict {
                match self { $(Kind::$name => Verdict::$verdict,)* }
            }
        }
    };
}

kinds! {
    /// The bytes are not text in an encoding that the format allows.
    Encoding => Rejected,
    /// An id or an amount contains a control character.
    ControlCharacter => Quarantined,
    /// The file, or its number of rows, exceeds the limit.
    TooLarge => Rejected,
    /// A field or row exceeds the limit.
    FieldTooLarge => Quarantined,
    /// The file ends before its layout allows it to end.
    Truncated => Quarantined,
    /// The file has no bytes, or no settlement.
    Empty => Rejected,
    /// The object was deleted before it was read.
    Missing => Rejected,
    /// The process ended each time it read the file.
    Crashed => Quarantined,
    /// No format claims the file.
    UnknownLayout => Rejected,
    /// More than one format claims the file.
    AmbiguousLayout => Rejected,
    /// The file was uploaded under the key of another provider.
    WrongProvider => Rejected,
    /// The file has a merchant number of another account.
    TenantMismatch => Rejected,
    /// The file has a merchant number that no account has.
    MerchantUnknown => Quarantined,
    /// A column that the format needs is not in the header.
    HeaderMissingColumn => Quarantined,
    /// The header has a column twice.
    HeaderDuplicate => Quarantined,
    /// The header has a column that the format does not know.
    HeaderUnknownColumn => Quarantined,
    /// A row does not have the cells that the header names.
    RowShape => Quarantined,
    /// A text contains the number of a payment card, which is masked. An id of a merchant or settlement with such a
    /// number holds the report.
    CardNumber => Quarantined,
    /// An id does not have the form that it must have.
    Identifier => Quarantined,
    /// A row has a type that the format does not know.
    UnknownRowType => Quarantined,
    /// A cell is not an amount.
    Amount => Quarantined,
    /// An amount can be read in two ways.
    AmountAmbiguous => Quarantined,
    /// An amount has more decimals than its currency.
    AmountPrecision => Quarantined,
    /// An amount or a sum exceeds the limit.
    AmountOverflow => Quarantined,
    /// The amounts of one row do not add up.
    RowArithmetic => Quarantined,
    /// The rows do not add up to what the file states.
    ControlTotal => Quarantined,
    /// One settlement has amounts in several currencies.
    CurrencyMixed => Quarantined,
    /// A currency code is not an active one of ISO 4217.
    CurrencyUnknown => Quarantined,
    /// A transaction or settlement is listed twice.
    DuplicateTransaction => Quarantined,
    /// A known settlement arrives again with other content.
    SettlementConflict => Quarantined,
    /// A second document contradicts the report.
    SecondDocument => Quarantined,
    /// The bank's statement contradicts the report.
    BankMismatch => Quarantined,
    /// The XML has a document type declaration.
    XmlDtd => Rejected,
    /// The XML exceeds a limit of depth or size.
    XmlLimits => Rejected,
    /// The XML is not well-formed.
    XmlMalformed => Rejected,
    /// An element is missing, repeated or unknown.
    XmlUnexpected => Quarantined,
    /// An archive or workbook inflates to far more than its size.
    ArchiveBomb => Rejected,
    /// An archive or workbook exceeds a limit.
    ArchiveLimits => Rejected,
    /// An archive or workbook has an entry that is unsafe to open.
    ArchiveUnsafe => Rejected,
    /// An archive or workbook cannot be unpacked.
    ArchiveMalformed => Rejected,
    /// A cell that must hold data holds a formula.
    FormulaCell => Quarantined,
    /// The JSON exceeds a limit of depth or size.
    JsonLimits => Rejected,
    /// The JSON is not well-formed.
    JsonMalformed => Rejected,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_listed_once_with_its_stored_word() {
        for (place, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, place, "{kind}");
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{}\"", kind.as_str()));
        }
        assert_eq!(format!("{:<14}|{}", Kind::ControlTotal, Kind::XmlDtd), "ControlTotal  |XmlDtd");
    }

    #[test]
    fn a_file_of_which_nothing_can_be_trusted_is_rejected_and_any_other_is_quarantined() {
        use Kind::*;
        let rejected = [
            Encoding,
            TooLarge,
            Empty,
            Missing,
            UnknownLayout,
            AmbiguousLayout,
            WrongProvider,
            TenantMismatch,
            XmlDtd,
            XmlLimits,
            XmlMalformed,
            ArchiveBomb,
            ArchiveLimits,
            ArchiveUnsafe,
            ArchiveMalformed,
            JsonLimits,
            JsonMalformed,
        ];
        for kind in Kind::ALL {
            let expected = if rejected.contains(kind) { Verdict::Rejected } else { Verdict::Quarantined };
            assert_eq!(kind.verdict(), expected, "{kind}");
        }
    }

    #[test]
    fn verdicts_have_stored_words() {
        for (verdict, word) in [
            (Verdict::Accepted, "ACCEPTED"),
            (Verdict::Quarantined, "QUARANTINED"),
            (Verdict::Rejected, "REJECTED"),
            (Verdict::Duplicate, "DUPLICATE"),
        ] {
            assert_eq!((format!("{verdict}"), format!("{verdict:>12}").trim_start()), (word.to_owned(), word));
            assert_eq!(format!("{verdict:>12}").len(), 12);
            assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{word}\""));
        }
    }
}
