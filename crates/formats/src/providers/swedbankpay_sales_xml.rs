//! Swedbank Pay (PayEx): the transaction list as XML, version 2 and version 1 of before 2023.
//!
//! Everything stands in attributes: a summary per part of the merchant, then the rows of each currency.

use settlement::{Control, Currency, Kind, Problem, Proof, Provider, Sink};

use super::swedbankpay_sales::{
    ADVICE, FAMILY, Fields, PROVIDER, ROW_V1_XML, ROW_V2, SOURCE, SUMMARY_V1_XML, SUMMARY_V2, SalesList,
};
use crate::failure::{Failure, ReadSeek};
use crate::format::{Format, Surety};
use crate::head::Head;
use crate::limits::Limits;
use crate::read::amount::looks_like_amount;
use crate::read::field::{Cell, Column};
use crate::read::shown::{shown_head, shown_name};
use crate::read::text::TextEncoding;
use crate::read::xml::{Foreign, Step, Vocabulary, XmlReader, root_name, root_namespace};

pub(crate) const VERSION_2: Format = Format {
    id: "swedbankpay-sales-xml-v2",
    provider: PROVIDER,
    family: FAMILY,
    payment_products: Provider::SWEDBANK_PAY.products,
    file_types: &["xml"],
    proof: Proof::GrossOnly,
    surety: Surety::Measured,
    source: SOURCE,
    detect: |head| claims(head, &V2),
    columns: &[],
    write_entries: None,
    parse: |input, limits, sink| parse(input, limits, sink, &V2),
};

pub(crate) const VERSION_1: Format = Format {
    id: "swedbankpay-sales-xml-v1",
    detect: |head| claims(head, &V1),
    parse: |input, limits, sink| parse(input, limits, sink, &V1),
    ..VERSION_2
};

/// Names of attributes that are remembered; each is looked for at every row.
const UNKNOWN_MAX: usize = 64;

/// What the elements and attributes of one version are called.
struct Version {
    vocabulary: Vocabulary,
    root: &'static str,
    /// Attributes of the root: number of the list, its day, its number of rows.
    head: [&'static str; 3],
    known_in_root: &'static [&'static str],
    summary: &'static str,
    currency: &'static str,
    /// Attribute of a currency that names it.
    currency_name: &'static str,
    service_type: &'static str,
    service: &'static str,
    service_columns: &'static [Column],
    row: &'static str,
    row_columns: &'static [Column],
}

const V2: Version = Version {
    vocabulary: Vocabulary {
        namespaces: &["http://www.payex.com/xml/SalesAccountedTransactions%5B2.0%5D.xsd"],
        foreign: Foreign::Refused,
    },
    root: "SalesAccountedTransactions",
    head: ["AccountingNo", "AccountingDate", "TotalNoOfTransactions"],
    known_in_root: &["ContractingParty", "Version", "ExternalMerchantId"],
    summary: "Summary",
    currency: "Currency",
    currency_name: "Currency",
    service_type: "ServiceType",
    service: "Service",
    service_columns: SUMMARY_V2,
    row: "Transaction",
    row_columns: ROW_V2,
};

const V1: Version = Version {
    vocabulary: Vocabulary {
        namespaces: &["http://www.payex.com/xml/SalesAccountedTransactions.xsd"],
        foreign: Foreign::Refused,
    },
    root: "SALES",
    head: ["AccountingNo", "", ""],
    known_in_root: &[],
    summary: "SUMMARY",
    currency: "CURRENCY",
    currency_name: "Name",
    service_type: "SERVICETYPE",
    service: "SERVICE",
    service_columns: SUMMARY_V1_XML,
    row: "TRAN",
    row_columns: ROW_V1_XML,
};

fn claims(head: &Head, version: &Version) -> bool {
    let known = |namespace: String| version.vocabulary.namespaces.contains(&namespace.as_str());
    root_name(head.text()).as_deref() == Some(version.root) && root_namespace(head.text()).is_some_and(known)
}

fn parse(
    input: &mut dyn ReadSeek,
    limits: &Limits,
    sink: &mut dyn Sink,
    version: &'static Version,
) -> Result<Control, Failure> {
    let encoding = TextEncoding::of_xml(input)?;
    let xml = XmlReader::new(input, encoding, version.vocabulary, limits);
    let mut report = Report { xml, version, list: SalesList::new(sink, limits), unknown: Vec::new(), opened: false };
    let ended = report.read();
    report.list.finish(ended)
}

struct Report<'s, R: std::io::Read> {
    xml: XmlReader<R>,
    version: &'static Version,
    list: SalesList<'s>,
    /// Attributes that the format does not know, and whether one of their values has held the file.
    unknown: Vec<(String, bool)>,
    opened: bool,
}

/// The attributes of the element that the reader stands at.
struct Element<'x, R: std::io::Read> {
    xml: &'x XmlReader<R>,
    columns: &'static [Column],
}

impl<R: std::io::Read> Fields for Element<'_, R> {
    fn cell(&self, column: usize) -> Cell<'_> {
        let name = self.columns.get(column).map_or("", |column| column.name);
        Cell::of_text(self.xml.attribute(name).unwrap_or_default(), self.xml.row(), name)
    }
}

impl<'s, R: std::io::Read> Report<'s, R> {
    fn read(&mut self) -> Result<(), Failure> {
        self.xml.next()?;
        if self.xml.name() != self.version.root {
            let message = format!("Found root element {}, expected {}", shown_name(self.xml.name()), self.version.root);
            return Err(self.xml.problem(Kind::XmlUnexpected, &message).into());
        }
        self.head()?;
        while self.next()? == Step::Start {
            if self.xml.name() == self.version.summary && !self.opened {
                self.each_currency(Self::services)?;
            } else if self.xml.name() == self.version.currency {
                self.open_settlements()?;
                self.rows()?;
            } else {
                self.unexpected()?;
            }
        }
        self.open_settlements()?;
        match self.xml.next()? {
            Step::Eof => Ok(()),
            _ => Err(self.xml.problem(Kind::XmlMalformed, "Found more after the root element").into()),
        }
    }

    fn head(&mut self) -> Result<(), Failure> {
        let [number, date, rows] = self.version.head;
        let row = self.xml.row();
        let cell = |name| Cell::of_text(self.xml.attribute(name).unwrap_or_default(), row, name);
        let stated = |name: &'static str| (!name.is_empty()).then(|| cell(name));
        self.list.head(cell(number), stated(date), stated(rows))?;
        let known: Vec<&str> = self.version.head.iter().chain(self.version.known_in_root).copied().collect();
        self.watch_unknown(|name| known.contains(&name))
    }

    /// The next step; text between elements holds the file, since none belongs there.
    fn next(&mut self) -> Result<Step, Failure> {
        let step = self.xml.next()?;
        if !self.xml.text_before().trim().is_empty() {
            let problem =
                self.xml.problem(Kind::XmlUnexpected, "Found text between elements, expected attributes only");
            self.list.collector.problems.push(problem);
        }
        Ok(step)
    }

    /// An element where it does not belong: named, and passed over to find what else is wrong.
    fn unexpected(&mut self) -> Result<(), Failure> {
        let message = format!("Found element {} where it does not belong", shown_name(self.xml.name()));
        self.list.collector.problems.push(self.xml.problem(Kind::XmlUnexpected, &message));
        self.xml.skip()
    }

    fn open_settlements(&mut self) -> Result<(), Failure> {
        if self.opened {
            return Ok(());
        }
        self.opened = true;
        self.list.open_settlements()
    }

    /// The currency that the element names.
    fn currency(&self) -> Result<Currency, Problem> {
        let name = self.version.currency_name;
        Cell::of_text(self.xml.attribute(name).unwrap_or_default(), self.xml.row(), name).currency()
    }

    fn each_currency(&mut self, inside: fn(&mut Self, Currency) -> Result<(), Failure>) -> Result<(), Failure> {
        while self.next()? == Step::Start {
            if self.xml.name() == self.version.currency {
                let currency = self.currency()?;
                inside(self, currency)?;
            } else {
                self.unexpected()?;
            }
        }
        Ok(())
    }

    /// The services of one currency, in their types.
    fn services(&mut self, currency: Currency) -> Result<(), Failure> {
        while self.next()? == Step::Start {
            if self.xml.name() != self.version.service_type {
                self.unexpected()?;
                continue;
            }
            while self.next()? == Step::Start {
                if self.xml.name() != self.version.service {
                    self.unexpected()?;
                    continue;
                }
                self.take(self.version.service_columns, |list, element| list.service(element, Some(currency)))?;
            }
        }
        Ok(())
    }

    /// The rows of one currency.
    fn rows(&mut self) -> Result<(), Failure> {
        let currency = self.currency()?;
        let sum = Cell::of_text(self.xml.attribute("Sum").unwrap_or_default(), self.xml.row(), "Sum");
        let taken = self.list.currency_sum(sum, currency);
        self.list.collector.recover(taken)?;
        while self.next()? == Step::Start {
            if self.xml.name() != self.version.row {
                self.unexpected()?;
                continue;
            }
            self.take(self.version.row_columns, |list, element| list.row(element, Some(currency)))?;
        }
        Ok(())
    }

    /// Takes an element that says all in its attributes, and goes to its end.
    fn take(
        &mut self,
        columns: &'static [Column],
        take: impl FnOnce(&mut SalesList<'s>, &Element<'_, R>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let taken = match self.missing(columns) {
            Some(problem) => Err(problem.into()),
            None => take(&mut self.list, &Element { xml: &self.xml, columns }),
        };
        self.list.collector.recover(taken)?;
        self.watch_unknown(|name| columns.iter().any(|column| column.name == name))?;
        self.ends_here()
    }

    /// Goes to the end of an element that holds nothing but its attributes.
    fn ends_here(&mut self) -> Result<(), Failure> {
        while self.next()? == Step::Start {
            self.unexpected()?;
        }
        Ok(())
    }

    fn missing(&self, columns: &[Column]) -> Option<Problem> {
        let missing = columns.iter().find(|column| column.required && self.xml.attribute(column.name).is_none())?;
        let message = format!("Found {} without its {}", self.xml.name(), missing.name);
        Some(self.xml.problem(Kind::XmlUnexpected, &message).in_column(missing.name))
    }

    /// An attribute that nobody knows is noted once, and holds the file when it turns out to carry money.
    fn watch_unknown(&mut self, known: impl Fn(&str) -> bool) -> Result<(), Failure> {
        if self.unknown.len() > UNKNOWN_MAX {
            let message = format!("Found more than {UNKNOWN_MAX} attributes that the format does not know");
            return Err(self.xml.problem(Kind::XmlLimits, &message).into());
        }
        let row = u64::from(self.xml.row());
        let unknown = |name: &str| !known(name) && !self.xml.is_for_validators(name);
        for (name, value) in self.xml.attributes().filter(|(name, _)| unknown(name)) {
            let place = self.unknown.iter().position(|(seen, _)| seen == name).unwrap_or_else(|| {
                let message = "Found an attribute that the format does not know; it is not used";
                let note =
                    Problem::note(Kind::HeaderUnknownColumn, message).at_row(row).in_column(&shown_head(name, 0));
                self.list.collector.problems.push(note);
                self.unknown.push((name.to_owned(), false));
                self.unknown.len() - 1
            });
            let Some((_, holds)) = self.unknown.get_mut(place).filter(|(_, holds)| !holds) else { continue };
            if looks_like_amount(value) || value.parse::<Currency>().is_ok() {
                *holds = true;
                let message = format!(
                    "Found money in an attribute that the format does not know: it may belong to the payout. {ADVICE}"
                );
                let problem = Problem::error(Kind::HeaderUnknownColumn, message);
                self.list.collector.problems.push(problem.at_row(row).in_column(&shown_head(name, 0)));
            }
        }
        Ok(())
    }
}
