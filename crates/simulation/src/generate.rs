//! Reports made from a seed, in every layout that can say the same.
#![allow(clippy::expect_used, reason = "writing to memory does not fail")]

use std::io::{self, Write};

use jiff::ToSpan;
use jiff::civil::{Date, date};
use settlement::MajorUnits;

/// Settlements of one merchant.
#[derive(Debug, Clone)]
pub struct Report {
    /// The provider's number of the merchant.
    pub merchant: u64,
    /// In the order of the file.
    pub settlements: Vec<Settlement>,
}

/// One settlement, net of fees.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Its id.
    pub id: u64,
    /// The day of the payout.
    pub payout_on: Date,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A sale, or a refund when `refund_minor` is below zero.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "as in settlement::Line")]
pub struct Line {
    pub transaction: u64,
    pub order: String,
    pub captured_on: Date,
    pub capture_minor: i64,
    pub refund_minor: i64,
    pub fee_minor: i64,
}

/// A sequence of numbers that a seed decides (SplitMix64).
#[derive(Debug, Clone)]
pub struct Seed(pub u64);

impl Seed {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }
}

/// A settlement with `lines` lines: 4 % refunds without fee, fees of about 1.75 %, and no order in 40 %, which are
/// payments to a number and carry a name and a message.
pub fn settlement(seed: &mut Seed, number: u64, lines: u64) -> Settlement {
    let payout_on = date(2026, 1, 5).saturating_add((number as i64 % 300).days());
    let lines = (0..lines)
        .map(|line| {
            let amount = 100 + seed.below(500_000) as i64;
            let refund = seed.below(100) < 4;
            let order = match seed.below(10) {
                0..=3 => String::new(),
                4..=7 => format!("BUTIKK-2026-{:09}", seed.below(1_000_000_000)),
                _ => format!("{:016x}-{:08x}", seed.draw(), seed.below(1 << 32)),
            };
            Line {
                transaction: 5_600_000_000 + number * 100_000 + line,
                order,
                captured_on: payout_on.saturating_sub((1 + seed.below(3) as i64).days()),
                capture_minor: if refund { 0 } else { amount },
                refund_minor: if refund { -amount } else { 0 },
                fee_minor: if refund { 0 } else { amount * 175 / 10_000 },
            }
        })
        .collect();
    Settlement { id: 2_000_000 + number, payout_on, lines }
}

/// A report of `settlements` settlements with up to `lines_max` lines each.
pub fn report(seed: &mut Seed, settlements: u64, lines_max: u64) -> Report {
    let settlements = (1..=settlements)
        .map(|number| {
            let lines = 1 + seed.below(lines_max);
            settlement(seed, number, lines)
        })
        .collect();
    Report { merchant: 123_456, settlements }
}

impl Settlement {
    /// Captures, refunds and fees of all lines, in minor units.
    pub fn sums(&self) -> (i64, i64, i64) {
        self.lines.iter().fold((0, 0, 0), |(capture, refund, fee), line| {
            (capture + line.capture_minor, refund + line.refund_minor, fee + line.fee_minor)
        })
    }
}

/// An amount in major units, with a dot.
pub fn dot(minor: i64) -> String {
    MajorUnits::new(minor, 2).to_string()
}

fn comma(minor: i64) -> String {
    dot(minor).replace('.', ",")
}

/// A day as Norwegian reports write it.
pub fn norwegian(date: Date) -> String {
    date.strftime("%d.%m.%Y").to_string()
}

/// Lines of each settlement of a large report, about.
pub const LINES_PER_SETTLEMENT: u64 = 500;

/// The settlements of a large report, the same every time.
pub fn many_settlements(lines: u64, lines_each: u64) -> impl Iterator<Item = Settlement> {
    let mut seed = Seed(20_261_121);
    (0..lines.div_ceil(lines_each))
        .map(move |number| settlement(&mut seed, number, lines_each.min(lines - number * lines_each)))
}

/// The portal CSV's preamble and header, with 17 columns.
pub fn portal_head(out: &mut dyn Write) -> io::Result<()> {
    let none = ";".repeat(16);
    writeln!(out, "Oppgjørsrapport{none}")?;
    writeln!(out, "Bedriften;;Eksempelbutikken AS{}", ";".repeat(14))?;
    writeln!(out, "Organisasjonsnummer;;999999999{}", ";".repeat(14))?;
    writeln!(out, "Fra dato;;01.01.2026{}", ";".repeat(14))?;
    writeln!(out, "Til dato;;31.12.2026{}", ";".repeat(14))?;
    writeln!(out, "{none}\n{none}")?;
    writeln!(
        out,
        "Salgsdato;Salgssted;Vippsnummer;Produkt;Transaksjons-ID;Ordre-ID;Brutto;Gebyr;Netto;Transaksjonstype;\
         Oppgjørs-ID;Oppgjørsdato;Oppgjørssum;Oppgjørskonto;Fornavn;Etternavn;Melding"
    )
}

/// One settlement in the portal CSV.
pub fn portal_settlement(out: &mut dyn Write, merchant: u64, settlement: &Settlement, first: bool) -> io::Result<()> {
    if !first {
        writeln!(out, "{}", ";".repeat(16))?;
    }
    let (id, payout_on) = (settlement.id, norwegian(settlement.payout_on));
    for line in &settlement.lines {
        let gross = line.capture_minor + line.refund_minor;
        let kind = if line.refund_minor < 0 { "Refundering" } else { "Salg" };
        let product = if line.order.is_empty() { "Vipps Bedrift" } else { "Vipps Netthandel" };
        let person = match (line.order.is_empty(), line.transaction % 32) {
            (false, _) => ";;",
            (true, 0) => "KANARI Første;KANARI;\"Takk; \"\"på forskudd\"\" KANARI\"",
            (true, _) => "KANARI Første;KANARI;Melding til butikken KANARI æøå",
        };
        writeln!(
            out,
            "{};Eksempelbutikken;{merchant};{product};{};{};{};{};{};{kind};{id};{payout_on};;;{person}",
            norwegian(line.captured_on),
            line.transaction,
            line.order,
            comma(gross),
            comma(-line.fee_minor),
            comma(gross - line.fee_minor),
        )?;
    }
    let (capture, refund, fee) = settlement.sums();
    let payout = comma(capture + refund - fee);
    writeln!(out, "Til utbetaling netto;Eksempelbutikken;{merchant};;;;;;;;{id};{payout_on};{payout};01234567891;;;")
}

/// The report as portal CSV.
pub fn portal_csv(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    portal_head(&mut out).expect("memory");
    for (place, settlement) in report.settlements.iter().enumerate() {
        portal_settlement(&mut out, report.merchant, settlement, place == 0).expect("memory");
    }
    out
}

/// The report as XML 3.0.
pub fn xml(report: &Report) -> Vec<u8> {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <SettlementReport xmlns=\"http://vipps.no/xmlschema/SettlementReport-3.0.xsd\"><SettlementDetailsInfo>",
    );
    let merchant = report.merchant.to_string();
    let mut element = |name: &str, value: &str| out.push_str(&format!("<{name}>{value}</{name}>\n"));
    for (name, value) in [
        ("SaleUnitName", "Eksempelbutikken"),
        ("SerialNumber", merchant.as_str()),
        ("OrganizationName", "Eksempelbutikken AS"),
        ("OrganizationNumber", "999999999"),
        ("MainAddress", ""),
        ("MainAddressZipCode", "0001"),
        ("MainAddressCity", "Oslo"),
        ("MainAddressCountryCode", ""),
    ] {
        element(name, value);
    }
    out.push_str("<PaymentsInfo><ReportDateFrom>2026-01-01</ReportDateFrom><ReportDateTo>2026-12-31</ReportDateTo>");
    out.push_str("<SettlementCurrencyCode>NOK</SettlementCurrencyCode>");
    out.push_str("<SettlementAccountNum>01234567891</SettlementAccountNum>\n");
    for settlement in &report.settlements {
        out.push_str(&xml_settlement(settlement));
    }
    let count = report.settlements.len();
    out.push_str(&format!("<NumOfSettlements>{count}</NumOfSettlements></PaymentsInfo></SettlementDetailsInfo>"));
    out.push_str("<VippsInfo><Name>Vipps AS</Name></VippsInfo></SettlementReport>\n");
    out.into_bytes()
}

fn xml_settlement(settlement: &Settlement) -> String {
    let mut out = String::from("<SettlementInfo>");
    let mut element = |name: &str, value: &str| out.push_str(&format!("<{name}>{value}</{name}>"));
    element("SettlementDate", &settlement.payout_on.to_string());
    element("SettlementID", &settlement.id.to_string());
    element("SettlementCurrencyCode", "NOK");
    element("SettlementType", "Net");
    for line in &settlement.lines {
        let gross = line.capture_minor + line.refund_minor;
        let fields = [
            ("TransactionTime", format!("{}T12:00:00.000+01:00", line.captured_on)),
            ("TransactionCaptureAmount", dot(line.capture_minor)),
            ("TransactionRefundAmount", dot(line.refund_minor)),
            ("TransactionGrossAmount", dot(gross)),
            ("TransactionNetAmount", dot(gross - line.fee_minor)),
            ("TransactionFeeAmount", dot(line.fee_minor)),
            ("SettlementCurrencyCode", "NOK".to_owned()),
            ("TransactionID", line.transaction.to_string()),
            ("OrderID", line.order.clone()),
        ];
        let inner: String = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
        element("TransactionInfo", &inner);
    }
    let (capture, refund, fee) = settlement.sums();
    element("NumOfTransactions", &settlement.lines.len().to_string());
    element("CaptureSettlementAmount", &dot(capture));
    element("RefundSettlementAmount", &dot(refund));
    element("GrossSettlementAmount", &dot(capture + refund));
    element("NetSettlementAmount", &dot(capture + refund - fee));
    element("FeeSettlementAmount", &dot(fee));
    element("SettledAmount", &dot(capture + refund - fee));
    out.push_str("</SettlementInfo>\n");
    out
}

/// The report as structured CSV, with the refund outside of net.
pub fn structured_csv(report: &Report) -> Vec<u8> {
    let merchant = report.merchant;
    let mut out = String::from(
        "OrganizationNumber,MerchantName\n999999999,Eksempelbutikken AS\n\
         Name,VisitingAddress,Postbox,Zipno,Place,Country,CompanyNumber\nVipps AS,,,0001,Oslo,Norway,999999999\n\
         SettlementInfo,SalesUnitName,SaleUnitNumber,SettlementDate,SettlementID,SettlementAccount,Gross,Currency,Fee,\
         Refund,Net,NumberOfTransactions\n",
    );
    for settlement in &report.settlements {
        let (capture, refund, fee) = settlement.sums();
        out.push_str(&format!(
            "SettlementInfo,Eksempelbutikken,{merchant},{},{},01234567891,{},NOK,{},{},{},{}\n",
            norwegian(settlement.payout_on),
            settlement.id,
            dot(capture),
            dot(-fee),
            dot(refund),
            dot(capture - fee),
            settlement.lines.len()
        ));
    }
    out.push_str("FeeInfo,SettlementDate,SaleUnitName,SaleUnitNumber,FeeAccount,Fee,Currency\n");
    out.push_str(
        "TransactionInfo,SalesDate,SaleUnitName,SaleUnitNumber,TransactionId,SettlementId,OrderID,SettlementDate,Gross,\
         Currency,Fee,Refund,Net\n",
    );
    for settlement in &report.settlements {
        for line in &settlement.lines {
            out.push_str(&format!(
                "TransactionInfo,{},Eksempelbutikken,{merchant},{},{},{},{},{},NOK,{},{},{}\n",
                norwegian(line.captured_on),
                line.transaction,
                settlement.id,
                line.order,
                norwegian(settlement.payout_on),
                dot(line.capture_minor),
                dot(-line.fee_minor),
                dot(line.refund_minor),
                dot(line.capture_minor - line.fee_minor)
            ));
        }
    }
    out.into_bytes()
}
