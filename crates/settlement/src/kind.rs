//! Every way a file can be wrong, and what becomes of a report that is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What becomes of a report as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Proved; flows on.
    Accepted,
    /// Recognised, but it cannot be trusted; held whole.
    Quarantined,
    /// Not a readable report of its provider; held whole.
    Rejected,
    /// The same content has been taken in before; nothing happens.
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
        /// What is wrong with a file, as a word that programs and people share.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Kind] = &[$(Kind::$name,)*];

            /// The word itself, as in `ControlTotal`.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$name => stringify!($name),)* }
            }

            /// What an error of this kind makes of the report.
            pub fn verdict(self) -> Verdict {
                match self { $(Kind::$name => Verdict::$verdict,)* }
            }
        }
    };
}

kinds! {
    /// The bytes are not text in an encoding the format allows.
    Encoding => Rejected,
    /// A control character stands where an id or an amount belongs.
    ControlCharacter => Quarantined,
    /// The file or its number of rows is beyond the limit.
    TooLarge => Rejected,
    /// A field or row is beyond the limit.
    FieldTooLarge => Quarantined,
    /// The file ends before its own layout says it may.
    Truncated => Quarantined,
    /// The file has no bytes or no content.
    Empty => Rejected,
    /// The object was gone before it could be read.
    Missing => Rejected,
    /// Reading the file has ended the process again and again.
    Crashed => Quarantined,
    /// No format claims the file.
    UnknownLayout => Rejected,
    /// More than one format claims the file.
    AmbiguousLayout => Rejected,
    /// The file is of another provider than the place it was put in.
    WrongProvider => Rejected,
    /// The file holds a merchant number of another account.
    TenantMismatch => Rejected,
    /// The file holds a merchant number that no account has.
    MerchantUnknown => Quarantined,
    /// A column that the format needs is not in the header.
    HeaderMissingColumn => Quarantined,
    /// A column stands twice in the header.
    HeaderDuplicate => Quarantined,
    /// A column that the format does not know.
    HeaderUnknownColumn => Quarantined,
    /// A row does not have the shape that the header promises.
    RowShape => Quarantined,
    /// A text holds the number of a payment card; it is masked, and where it names a settlement it holds the file.
    CardNumber => Quarantined,
    /// An id is not of its form.
    Identifier => Quarantined,
    /// A row type that the format does not know.
    UnknownRowType => Quarantined,
    /// A cell is not an amount.
    Amount => Quarantined,
    /// An amount can be read in two ways.
    AmountAmbiguous => Quarantined,
    /// An amount has more decimals than its currency.
    AmountPrecision => Quarantined,
    /// An amount or a sum is beyond the limit.
    AmountOverflow => Quarantined,
    /// The amounts of one row do not add up.
    RowArithmetic => Quarantined,
    /// The rows do not add up to what the file states.
    ControlTotal => Quarantined,
    /// One settlement has amounts in several currencies.
    CurrencyMixed => Quarantined,
    /// A currency code that ISO 4217 does not list.
    CurrencyUnknown => Quarantined,
    /// A transaction or settlement stands twice where it may stand once.
    DuplicateTransaction => Quarantined,
    /// A settlement that is known already comes again with other content.
    SettlementConflict => Quarantined,
    /// A second document contradicts the report.
    SecondDocument => Quarantined,
    /// The bank's statement contradicts the report.
    BankMismatch => Quarantined,
    /// The XML has a document type declaration.
    XmlDtd => Rejected,
    /// The XML is deeper or larger than the limit.
    XmlLimits => Rejected,
    /// The XML is not well-formed.
    XmlMalformed => Rejected,
    /// An element is missing, repeated or unknown.
    XmlUnexpected => Quarantined,
    /// An archive or workbook inflates far beyond its size.
    ArchiveBomb => Rejected,
    /// An archive or workbook is beyond a limit.
    ArchiveLimits => Rejected,
    /// An archive or workbook has an entry that must not be opened.
    ArchiveUnsafe => Rejected,
    /// An archive or workbook cannot be unpacked.
    ArchiveMalformed => Rejected,
    /// A cell that should hold data holds a formula.
    FormulaCell => Quarantined,
    /// The JSON is deeper or larger than the limit.
    JsonLimits => Rejected,
    /// The JSON is not well-formed.
    JsonMalformed => Rejected,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
