//! What must hold of the lines of every report there could be, once they lie in Parquet.

use std::fs::File;
use std::io::Cursor;

use formats::Limits;
use pipeline::intake::judge::judge;
use proptest::prelude::*;
use settlement::mask_cards;
use tables::{LineTable, Packing, TableOwner, read_lines};
use tests::generate::{Seed, report, xml};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn lines_come_back_from_parquet_as_they_went_in(seed in any::<u64>(), large in any::<bool>()) {
        let mut seed = Seed(seed);
        // Large enough, at times, for several batches of lines.
        let lines_max = if large { 9_000 } else { 30 };
        let report = report(&mut seed, 3, lines_max);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines.parquet");
        let owner = TableOwner {
            account_id: "T00000001".into(),
            provider: "vipps".into(),
            format: "vipps-portal-csv".into(),
            report_id: "0".repeat(64),
            zone: "Europe/Oslo".into(),
        };
        let bytes = xml(&report);
        let judgement = judge("a.xml", &mut Cursor::new(&bytes), &Limits::default(), None, |_| {
            LineTable::create(File::create(&path)?, owner, Packing::None)
        }).unwrap();
        prop_assert!(!judgement.problems.has_errors());
        let mut read = read_lines(File::open(&path).unwrap()).unwrap();
        for settlement in &report.settlements {
            for line in &settlement.lines {
                let found = read.next().unwrap().unwrap();
                prop_assert_eq!(found.settlement_id, settlement.id.to_string());
                prop_assert_eq!(found.provider_transaction_id, Some(line.transaction.to_string()));
                // One order in many thousands looks like the number of a card.
                let order = mask_cards(&line.order).into_owned();
                prop_assert_eq!(found.order_reference, Some(order).filter(|order| !order.is_empty()));
                prop_assert_eq!(found.terms.capture_minor, line.capture_minor);
                prop_assert_eq!(found.terms.refund_minor, line.refund_minor);
                prop_assert_eq!(found.terms.fee_minor, line.fee_minor);
                prop_assert_eq!(found.captured_on, Some(line.captured_on));
                prop_assert_eq!(found.provider_date, Some(line.captured_on));
            }
        }
        prop_assert!(read.next().is_none());
    }
}
