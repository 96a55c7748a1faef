//! Writes the mirror of the transactions that `generate-report LINES` settles: `generate-mirror LINES HOME`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use settlement::{AccountId, Currency, Transaction, TransactionEvent, TransactionEventKind, TransactionStatus};
use tables::Packing;
use tests::generate::{LINES_PER_SETTLEMENT, Line, many_settlements};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let lines: u64 = arguments.next().ok_or("no number of lines")?.parse()?;
    let home = PathBuf::from(arguments.next().ok_or("no home")?);
    let account: AccountId = "T00000001".parse()?;
    let folder = home.join("mirror").join(account.as_str());
    fs::create_dir_all(&folder)?;
    let mut days: BTreeMap<Date, Vec<Transaction>> = BTreeMap::new();
    for settlement in many_settlements(lines, LINES_PER_SETTLEMENT) {
        let mut paid: BTreeMap<String, (Date, Transaction)> = BTreeMap::new();
        for line in &settlement.lines {
            let order = if line.order.is_empty() { line.transaction.to_string() } else { line.order.clone() };
            let (_, known) = paid.entry(order).or_insert_with_key(|order| (line.captured_on, transaction(order, line)));
            if line.refund_minor != 0 && known.events.is_empty() {
                // What is given back was captured once, in a settlement that is not here.
                let captured =
                    Line { capture_minor: -line.refund_minor, refund_minor: 0, transaction: 0, ..line.clone() };
                known.events.push(event(&captured)?);
            }
            known.events.push(event(line)?);
        }
        for (captured_on, transaction) in paid.into_values() {
            days.entry(captured_on).or_default().push(transaction);
        }
    }
    for (day, mut transactions) in days {
        transactions.sort_by(|a, b| a.id.cmp(&b.id));
        let rows: Vec<&Transaction> = transactions.iter().collect();
        tables::write_transactions(
            File::create(folder.join(format!("{day}.parquet")))?,
            &account,
            &rows,
            Packing::Zstd,
        )?;
    }
    Ok(())
}

fn transaction(order: &str, line: &Line) -> Transaction {
    Transaction {
        id: format!("T00000001.{:0>22}", line.transaction),
        merchant_reference: order.to_owned(),
        merchant_reference_2: None,
        status: TransactionStatus::Captured,
        payment_product: "vipps".to_owned(),
        payment_product_type: "vipps".to_owned(),
        currency: Currency::NOK,
        amount_minor: line.capture_minor,
        payout_destination_id: None,
        store_id: None,
        keys: BTreeMap::from([("vipps:transaction.orderId".to_owned(), order.to_owned())]),
        events: Vec::new(),
        settlement_events: Vec::new(),
        settlement_status: None,
    }
}

fn event(line: &Line) -> Result<TransactionEvent, jiff::Error> {
    let (kind, amount_minor) = match line.refund_minor {
        0 => (TransactionEventKind::Capture, line.capture_minor),
        refund => (TransactionEventKind::Refund, -refund),
    };
    Ok(TransactionEvent {
        kind,
        amount_minor,
        success: true,
        at: Some(line.captured_on.at(11, 0, 0, 0).to_zoned(TimeZone::UTC)?.timestamp()),
        reference: None,
        keys: BTreeMap::from([("vipps:transactionInfo.transactionId".to_owned(), line.transaction.to_string())]),
        settlement_events: Vec::new(),
    })
}
