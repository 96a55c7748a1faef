//! A sandbox with a few transactions of an example shop, the same that its example reports settle.

use jiff::Timestamp;
use settlement::{AccountId, TransactionEventKind};

use crate::{MadeEvent, MadeTransaction, Sandbox};

/// Id of the example shop's API client.
pub const CLIENT_ID: &str = "example-client";
/// The client's secret, which is none.
pub const CLIENT_SECRET: &str = "example-secret";

/// When and what: microseconds since 1970, øre, and the provider's number of what was done.
type Done = (i64, i64, &'static str);

struct Sale {
    unique: &'static str,
    order: &'static str,
    /// The provider's number of the merchant.
    merchant: &'static str,
    captured: Done,
    refunded: Option<Done>,
}

const VIPPS: &[Sale] = &[
    Sale {
        unique: "4BUTIKK1001aaaaaaaaaaa",
        order: "BUTIKK-1001",
        merchant: "123456",
        captured: (1_790_933_411_005_000, 34_900, "5629900761"),
        refunded: Some((1_791_019_811_005_000, 34_900, "5629900763")),
    },
    Sale {
        unique: "4BUTIKK1002bbbbbbbbbbb",
        order: "BUTIKK-1002",
        merchant: "123456",
        captured: (1_790_978_399_999_000, 129_900, "5629900762"),
        refunded: Some((1_791_624_600_000_000, 29_900, "5629911802")),
    },
    Sale {
        unique: "4BUTIKK1003ccccccccccc",
        order: "BUTIKK-1003",
        merchant: "123456",
        captured: (1_791_538_200_000_000, 89_900, "5629911801"),
        refunded: Some((1_792_143_000_000_000, 15_000, "5629933103")),
    },
    Sale {
        unique: "4BUTIKK1010fffffffffff",
        order: "BUTIKK-1010",
        merchant: "123456",
        captured: (1_792_051_200_000_000, 19_900, "5629933101"),
        refunded: None,
    },
    Sale {
        unique: "4BUTIKK1011ggggggggggg",
        order: "BUTIKK-1011",
        merchant: "123456",
        captured: (1_792_141_200_000_000, 45_000, "5629933102"),
        refunded: None,
    },
    // No settlement brings this one.
    Sale {
        unique: "4BUTIKK1007kkkkkkkkkkk",
        order: "BUTIKK-1007",
        merchant: "123456",
        captured: (1_791_461_100_000_000, 24_900, "5629911799"),
        refunded: None,
    },
    Sale {
        unique: "4NETT88hhhhhhhhhhhhhhh",
        order: "NETT-88",
        merchant: "222333",
        captured: (1_792_143_011_005_000, 59_900, "5629922001"),
        refunded: Some((1_792_315_811_005_000, 10_000, "5629922003")),
    },
    Sale {
        unique: "4NETT89iiiiiiiiiiiiiii",
        order: "NETT-89",
        merchant: "222333",
        captured: (1_792_229_411_005_000, 32_060, "5629922002"),
        refunded: None,
    },
];

const SWEDBANK_PAY: &[Sale] = &[
    Sale {
        unique: "4A1001dddddddddddddddd",
        order: "A-1001",
        merchant: "R4321",
        captured: (1_791_202_725_000_000, 149_500, "10728489593"),
        refunded: None,
    },
    Sale {
        unique: "4A1002eeeeeeeeeeeeeeee",
        order: "A-1002",
        merchant: "R4321",
        captured: (1_791_202_728_000_000, 62_050, "10728489609"),
        refunded: None,
    },
    // Its line names no number of it, and the order was typed otherwise.
    Sale {
        unique: "4A1003llllllllllllllll",
        order: "a 1003",
        merchant: "R4321",
        captured: (1_791_202_731_000_000, 32_300, "10728489700"),
        refunded: None,
    },
    Sale {
        unique: "4A0877jjjjjjjjjjjjjjjj",
        order: "A-0877",
        merchant: "R4321",
        captured: (1_790_933_411_000_000, 12_025, "14226800001"),
        refunded: Some((1_791_403_637_000_000, 12_025, "14226864952")),
    },
];

/// The sandbox of the example shop, of that account.
pub fn sandbox(account: &AccountId) -> Sandbox {
    let mut sandbox = Sandbox::default();
    sandbox.add_client(account, CLIENT_ID, CLIENT_SECRET);
    transactions(account).into_iter().for_each(|transaction| sandbox.add_transaction(transaction));
    sandbox
}

/// The transactions of the example shop, of that account.
pub fn transactions(account: &AccountId) -> Vec<MadeTransaction> {
    let vipps = VIPPS.iter().map(|sale| {
        sale.transaction(account, "vipps", "NOK", "vipps:transactionInfo.transactionId")
            .known_as("vipps:transaction.orderId", sale.order)
            .known_as("vipps:merchantInfo.merchantSerialNumber", sale.merchant)
    });
    let swedbank_pay = SWEDBANK_PAY.iter().map(|sale| {
        sale.transaction(account, "payex.creditcard", "SEK", "payex:transaction:number")
            .known_as("payex:payment:payee_info:payee_id", sale.merchant)
    });
    vipps.chain(swedbank_pay).collect()
}

impl Sale {
    fn transaction(&self, account: &AccountId, product: &str, currency: &str, number: &str) -> MadeTransaction {
        let event = |kind, (at, minor, done): Done| {
            let at = Timestamp::from_microsecond(at).unwrap_or_default();
            MadeEvent::new(kind, minor, at).known_as(number, done)
        };
        let (at, minor, _) = self.captured;
        let id = format!("{account}.{}", self.unique);
        let made = MadeTransaction::new(&id, self.order, product, currency, minor)
            .with(MadeEvent::new(
                TransactionEventKind::Authorize,
                minor,
                Timestamp::from_microsecond(at).unwrap_or_default(),
            ))
            .with(event(TransactionEventKind::Capture, self.captured));
        match self.refunded {
            Some(refunded) => made.with(event(TransactionEventKind::Refund, refunded)),
            None => made,
        }
    }
}

#[cfg(test)]
mod tests {
    use dintero::{Api, Hosts};

    use super::*;

    #[test]
    fn the_example_is_whole() {
        let account: AccountId = "T00000001".parse().unwrap();
        let api = Api::new(Hosts::default(), account.clone());
        let transactions = transactions(&account);
        assert!(transactions.iter().all(|transaction| api.owns(&transaction.id) && transaction.id.len() == 32));
        let first = &transactions[0].events[1];
        assert_eq!(first.at, "2026-10-02T11:30:11.005+02:00".parse().unwrap());
        let refund = &transactions[1].events[2];
        assert_eq!(refund.at, "2026-10-10T11:30:00+02:00".parse().unwrap());
        assert_eq!(transactions[VIPPS.len()].events[1].at, "2026-10-05T14:18:45+02:00".parse().unwrap());
        assert_eq!(sandbox(&account).settlement_events().count(), 0);
    }
}
