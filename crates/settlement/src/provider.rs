//! The table of providers: what is known of each, in one place.

use crate::currency::Currency;

/// A provider that pays settlements out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The word in object keys, record keys and commands, as in `swedbankpay`.
    pub id: &'static str,
    /// The name that people know it by, as in `Swedbank Pay`.
    pub name: &'static str,
    /// The payment products that it pays out, in Dintero's names: what stands before the dot of `payex.creditcard`.
    pub products: &'static [&'static str],
    /// Whether it also pays out products of other providers, so that a product excludes no transaction.
    pub pays_others: bool,
    /// The form of its merchant numbers.
    pub merchant_number: IdForm,
    /// The currencies that its files write with other decimals than ISO 4217 lists.
    pub exponents: &'static [(Currency, u8)],
    /// Whether each capture and refund has an id of its own, so that an id in two settlements is a line paid twice.
    pub id_per_line: bool,
}

/// The form of a merchant number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdForm {
    /// Digits without leading zeros, as in `123456`.
    Digits,
    /// One capital letter and then digits, as in `R4321`.
    LetterAndDigits,
    /// Not known; every [`MerchantNumber`](crate::MerchantNumber) has this form.
    Any,
}

impl IdForm {
    /// Whether `id` has this form.
    pub fn fits(self, id: &str) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            IdForm::Digits => digits(id) && (id == "0" || !id.starts_with('0')),
            IdForm::LetterAndDigits => id.strip_prefix(|c: char| c.is_ascii_uppercase()).is_some_and(digits),
            IdForm::Any => true,
        }
    }

    /// The form in words, to follow "expected".
    pub fn expected(self) -> &'static str {
        match self {
            IdForm::Digits => "digits without leading zeros, as in 123456",
            IdForm::LetterAndDigits => "a capital letter and digits, as in R4321",
            IdForm::Any => "the merchant number as the provider's files write it",
        }
    }
}

/// Every provider, in order of ids.
pub const PROVIDERS: &[Provider] = &[
    Provider::BAMBORA,
    Provider::KLARNA,
    Provider::PAYOUT,
    Provider::SWEDBANK_PAY,
    Provider::SWISH,
    Provider::VIPPS,
    Provider::WALLEY,
];

/// What most providers have in common.
const COMMON: Provider = Provider {
    id: "",
    name: "",
    products: &[],
    pays_others: false,
    merchant_number: IdForm::Any,
    exponents: &[],
    id_per_line: false,
};

impl Provider {
    /// Bambora.
    pub const BAMBORA: Provider = Provider { id: "bambora", name: "Bambora", products: &["bambora"], ..COMMON };
    /// Klarna.
    pub const KLARNA: Provider = Provider { id: "klarna", name: "Klarna", products: &["klarna"], ..COMMON };
    /// Dintero's own payout. The id of a line is the transaction's: a capture and its refunds share it.
    pub const PAYOUT: Provider =
        Provider { id: "payout", name: "Dintero", products: &["dintero_psp"], pays_others: true, ..COMMON };
    /// Swedbank Pay, which was PayEx.
    pub const SWEDBANK_PAY: Provider = Provider {
        id: "swedbankpay",
        name: "Swedbank Pay",
        products: &["payex"],
        merchant_number: IdForm::LetterAndDigits,
        id_per_line: true,
        ..COMMON
    };
    /// Swish.
    pub const SWISH: Provider =
        Provider { id: "swish", name: "Swish", products: &["swish"], id_per_line: true, ..COMMON };
    /// Vipps MobilePay.
    pub const VIPPS: Provider = Provider {
        id: "vipps",
        name: "Vipps",
        products: &["vipps"],
        merchant_number: IdForm::Digits,
        id_per_line: true,
        ..COMMON
    };
    /// Walley, which was Collector.
    pub const WALLEY: Provider = Provider { id: "walley", name: "Walley", products: &["collector"], ..COMMON };

    /// The provider with that id; `None` when the table has none.
    pub fn of(id: &str) -> Option<&'static Provider> {
        PROVIDERS.iter().find(|provider| provider.id == id)
    }

    /// The provider that pays out a payment product; `None` when no provider of the table does.
    pub fn paying(payment_product: &str) -> Option<&'static Provider> {
        let family = product_family(payment_product);
        PROVIDERS.iter().find(|provider| provider.products.contains(&family))
    }

    /// Whether it may pay out a payment product. An empty product is not known and excludes nothing.
    pub fn pays(&self, payment_product: &str) -> bool {
        self.pays_others || payment_product.is_empty() || self.products.contains(&product_family(payment_product))
    }

    /// Decimals of `currency` in its files.
    pub fn exponent(&self, currency: Currency) -> u8 {
        let own = self.exponents.iter().find(|(of, _)| *of == currency);
        own.map_or_else(|| currency.exponent(), |(_, exponent)| *exponent)
    }
}

/// Decimals of `currency` in the files of the provider with that id.
///
/// Some providers write a currency with other decimals than ISO 4217 lists, as króna with two: see
/// [`Provider::exponents`]. Every other party, Dintero among them, writes those that ISO 4217 lists.
pub fn exponent(provider: &str, currency: Currency) -> u8 {
    Provider::of(provider).map_or_else(|| currency.exponent(), |provider| provider.exponent(currency))
}

/// What stands before the dot of a payment product: `payex` of `payex.creditcard`.
pub fn product_family(payment_product: &str) -> &str {
    payment_product.split('.').next().unwrap_or(payment_product)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn each_provider_is_listed_once_in_order_of_ids_with_a_name() {
        assert!(PROVIDERS.is_sorted_by(|one, next| one.id < next.id));
        for provider in PROVIDERS {
            assert!(provider.id.bytes().all(|byte| byte.is_ascii_lowercase()), "{provider:?}");
            assert!(provider.name.starts_with(|c: char| c.is_uppercase()), "{provider:?}");
            assert!(!provider.products.is_empty(), "{provider:?}");
            assert_eq!(Provider::of(provider.id), Some(provider));
        }
        assert_eq!((Provider::of("VIPPS"), Provider::of(""), Provider::of("netaxept")), (None, None, None));
    }

    #[test]
    fn a_product_has_one_provider() {
        let mut products: Vec<&str> = PROVIDERS.iter().flat_map(|provider| provider.products).copied().collect();
        products.sort_unstable();
        assert!(products.is_sorted_by(|one, next| one < next), "{products:?}");
        for (product, provider) in [
            ("payex", Some("swedbankpay")),
            ("payex.creditcard", Some("swedbankpay")),
            ("payex.vipps", Some("swedbankpay")),
            ("collector.invoice", Some("walley")),
            ("vipps", Some("vipps")),
            ("dintero_psp.creditcard", Some("payout")),
            ("netaxept", None),
            ("", None),
        ] {
            assert_eq!(Provider::paying(product).map(|provider| provider.id), provider, "{product}");
        }
    }

    #[test]
    fn a_provider_pays_its_own_products_and_payout_pays_all() {
        assert!(Provider::VIPPS.pays("vipps") && Provider::VIPPS.pays("") && !Provider::VIPPS.pays("payex.vipps"));
        assert!(Provider::PAYOUT.pays("swish") && Provider::PAYOUT.pays("dintero_psp.swish"));
        assert!(!Provider::WALLEY.pays("walley") && Provider::WALLEY.pays("collector.invoice"));
    }

    #[test]
    fn captures_and_refunds_have_ids_of_their_own_at_three_providers() {
        let with_ids = PROVIDERS.iter().filter(|provider| provider.id_per_line).map(|provider| provider.id);
        assert_eq!(with_ids.collect::<Vec<_>>(), ["swedbankpay", "swish", "vipps"]);
    }

    #[test]
    fn decimals_are_those_of_iso_4217_where_the_provider_has_no_others() {
        for (code, decimals) in [("NOK", 2), ("SEK", 2), ("JPY", 0), ("ISK", 0), ("KWD", 3)] {
            assert_eq!(exponent("vipps", currency(code)), decimals, "{code}");
            assert_eq!(exponent("dintero", currency(code)), decimals, "{code}");
        }
        let isk = Currency::ISK;
        let other = Provider { exponents: const { &[(Currency::ISK, 2)] }, ..Provider::VIPPS };
        assert_eq!((other.exponent(isk), other.exponent(currency("JPY"))), (2, 0));
    }

    #[test]
    fn merchant_numbers_have_their_forms() {
        for (form, good, bad) in [
            (IdForm::Digits, &["1", "0", "123456"][..], &["", "01", "R1", "1 ", "-1", "１"][..]),
            (IdForm::LetterAndDigits, &["R4321", "A0", "R01"], &["", "R", "4321", "r4321", "RR1", "R1-1", "Ø1"]),
            (IdForm::Any, &["", "R4321-x"], &[]),
        ] {
            assert!(good.iter().all(|id| form.fits(id)), "{form:?} of {good:?}");
            assert!(!bad.iter().any(|id| form.fits(id)), "{form:?} of {bad:?}");
        }
        for form in [IdForm::Digits, IdForm::LetterAndDigits] {
            // The example in the words is one.
            let (_, example) = form.expected().rsplit_once(' ').unwrap();
            assert!(form.fits(example), "{form:?}");
        }
    }
}
