//! How long a payout may take.

use std::collections::BTreeMap;

use jiff::civil::Date;
use settlement::{Transaction, product_family};

/// Days that a payout may take when nothing else is set for its product.
pub const DAYS_ALLOWED: u16 = 8;

/// How long a payout of one product may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Days after the capture or refund; the payout may be dated on the last of them.
    Days(u16),
    /// The product has no payout.
    NoPayout,
}

/// How long payouts may take, by payment product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedWaits {
    others: Wait,
    products: BTreeMap<String, Wait>,
}

impl Default for AllowedWaits {
    /// [`DAYS_ALLOWED`] for every product. Orders of no amount, wallets and payments outside Dintero have no payout.
    fn default() -> Self {
        let products = ["dintero", "external"].map(|product| (product.to_owned(), Wait::NoPayout));
        AllowedWaits { others: Wait::Days(DAYS_ALLOWED), products: products.into() }
    }
}

impl AllowedWaits {
    /// Sets how long payouts of a product may take: of one type as `payex.swish`, or of all types as `payex`.
    pub fn set(&mut self, product: &str, wait: Wait) {
        self.products.insert(product.to_owned(), wait);
    }

    /// Sets how long payouts of all other products may take.
    pub fn set_others(&mut self, wait: Wait) {
        self.others = wait;
    }

    /// How long a transaction's payout may take: as set for its product type, else for its product, else for all
    /// others.
    pub fn of(&self, transaction: &Transaction) -> Wait {
        let Transaction { payment_product, payment_product_type, .. } = transaction;
        let names = [payment_product_type.as_str(), payment_product.as_str(), product_family(payment_product)];
        names.into_iter().find_map(|name| self.products.get(name)).copied().unwrap_or(self.others)
    }

    /// The last day on which the payout of an event of that day is in time; `None` when there is no payout.
    pub(crate) fn due_on(&self, transaction: &Transaction, happened_on: Date) -> Option<Date> {
        match self.of(transaction) {
            Wait::Days(days) => Some(happened_on.saturating_add(jiff::Span::new().days(i64::from(days)))),
            Wait::NoPayout => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::transaction;

    #[test]
    fn what_is_set_for_a_type_comes_before_its_product_and_all_others() {
        let mut waits = AllowedWaits::default();
        let mut paid = transaction("a", 1, Vec::new());
        (paid.payment_product, paid.payment_product_type) = ("payex".into(), "payex.swish".into());
        assert_eq!(waits.of(&paid), Wait::Days(DAYS_ALLOWED));
        waits.set_others(Wait::Days(30));
        assert_eq!(waits.of(&paid), Wait::Days(30));
        waits.set("payex", Wait::Days(5));
        assert_eq!(waits.of(&paid), Wait::Days(5));
        waits.set("payex.swish", Wait::NoPayout);
        assert_eq!(waits.of(&paid), Wait::NoPayout);
        paid.payment_product = "dintero".into();
        paid.payment_product_type = "dintero.zero".into();
        assert_eq!(AllowedWaits::default().of(&paid), Wait::NoPayout);
    }
}
