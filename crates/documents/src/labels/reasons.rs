//! Why a report is held, in the words of one language: grouped by what a person can do, not by kind.

use settlement::Kind;

/// The reasons for which a report is held.
#[derive(Debug)]
pub(crate) struct Reasons {
    pub(crate) damaged: &'static str,
    pub(crate) limits: &'static str,
    pub(crate) layout: &'static str,
    pub(crate) place: &'static str,
    pub(crate) value: &'static str,
    pub(crate) sums: &'static str,
    pub(crate) twice: &'static str,
    pub(crate) changed: &'static str,
    pub(crate) contradicted: &'static str,
    pub(crate) card: &'static str,
    pub(crate) crashed: &'static str,
}

impl Reasons {
    /// `The amounts do not add up (ControlTotal)`: with the kind, since programs and manuals name it.
    pub(crate) fn text(&self, kind: Kind) -> String {
        format!("{} ({kind})", self.of(kind))
    }

    fn of(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Encoding
            | Kind::ControlCharacter
            | Kind::Truncated
            | Kind::Empty
            | Kind::Missing
            | Kind::XmlMalformed
            | Kind::JsonMalformed
            | Kind::ArchiveMalformed => self.damaged,
            Kind::TooLarge
            | Kind::FieldTooLarge
            | Kind::XmlDtd
            | Kind::XmlLimits
            | Kind::JsonLimits
            | Kind::ArchiveBomb
            | Kind::ArchiveLimits
            | Kind::ArchiveUnsafe => self.limits,
            Kind::UnknownLayout
            | Kind::AmbiguousLayout
            | Kind::HeaderMissingColumn
            | Kind::HeaderDuplicate
            | Kind::HeaderUnknownColumn
            | Kind::RowShape
            | Kind::UnknownRowType
            | Kind::XmlUnexpected
            | Kind::FormulaCell => self.layout,
            Kind::WrongProvider | Kind::TenantMismatch | Kind::MerchantUnknown => self.place,
            Kind::Identifier
            | Kind::Amount
            | Kind::AmountAmbiguous
            | Kind::AmountPrecision
            | Kind::AmountOverflow
            | Kind::CurrencyMixed
            | Kind::CurrencyUnknown => self.value,
            Kind::RowArithmetic | Kind::ControlTotal => self.sums,
            Kind::DuplicateTransaction => self.twice,
            Kind::SettlementConflict => self.changed,
            Kind::SecondDocument | Kind::BankMismatch => self.contradicted,
            Kind::CardNumber => self.card,
            Kind::Crashed => self.crashed,
        }
    }
}
