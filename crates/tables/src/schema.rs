//! The schemas of the tables, version 1. Add nullable columns at the end; never rename or retype one.
//!
//! Each column has its meaning beside its type: the schemas, the data dictionary and the SQL come from this one list.

mod lake;
mod month_summary;
mod report;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

pub use self::lake::{DATA_DICTIONARY, FEE_SUMMARY, MONTH_BRIDGE};
pub use self::month_summary::MONTH_SUMMARY;
pub use self::report::{MATCH, SETTLEMENT, SETTLEMENT_LINE};

/// Version of all schemas here, stored in every row.
pub const SCHEMA_VERSION: i32 = 1;

/// Decimals of amounts that are shown to people, beside the exact minor units.
pub(crate) const SHOWN_SCALE: i8 = 2;
pub(crate) const SHOWN_PRECISION: u8 = 18;

/// All tables of the lake, the large ones first.
pub const TABLES: [&Table; 6] = [&SETTLEMENT_LINE, &MATCH, &SETTLEMENT, &FEE_SUMMARY, &MONTH_BRIDGE, &DATA_DICTIONARY];

/// A table with all that a reader must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name, in keys and queries.
    pub name: &'static str,
    /// What a row is.
    pub meaning: &'static str,
    /// Its columns in order.
    pub columns: &'static [Column],
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Whether a cell may be empty.
    pub is_nullable: bool,
    /// The unit of its numbers; empty where they are no quantity.
    pub unit: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
    /// The first version of the schemas with this column.
    pub since_version: i32,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// UTF-8.
    Text,
    /// Yes or no.
    Flag,
    /// A small number.
    Int8,
    /// A number.
    Int32,
    /// A large number.
    Int64,
    /// A day of the calendar.
    Day,
    /// A point in time, in microseconds.
    Instant,
    /// An amount with two decimals, for people.
    Amount,
}

impl ColumnKind {
    /// The type in Arrow, and so in Parquet.
    pub fn arrow(self) -> DataType {
        match self {
            ColumnKind::Text => DataType::Utf8,
            ColumnKind::Flag => DataType::Boolean,
            ColumnKind::Int8 => DataType::Int8,
            ColumnKind::Int32 => DataType::Int32,
            ColumnKind::Int64 => DataType::Int64,
            ColumnKind::Day => DataType::Date32,
            ColumnKind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ColumnKind::Amount => DataType::Decimal128(SHOWN_PRECISION, SHOWN_SCALE),
        }
    }

    /// The type in Athena's SQL.
    pub fn athena(self) -> &'static str {
        match self {
            ColumnKind::Text => "string",
            ColumnKind::Flag => "boolean",
            ColumnKind::Int8 => "tinyint",
            ColumnKind::Int32 => "int",
            ColumnKind::Int64 => "bigint",
            ColumnKind::Day => "date",
            ColumnKind::Instant => "timestamp",
            ColumnKind::Amount => "decimal(18,2)",
        }
    }

    /// The type as a data dictionary names it: that of standard SQL.
    pub fn sql(self) -> &'static str {
        match self {
            ColumnKind::Text => "VARCHAR",
            ColumnKind::Flag => "BOOLEAN",
            ColumnKind::Int8 => "TINYINT",
            ColumnKind::Int32 => "INTEGER",
            ColumnKind::Int64 => "BIGINT",
            ColumnKind::Day => "DATE",
            ColumnKind::Instant => "TIMESTAMP WITH TIME ZONE",
            ColumnKind::Amount => "DECIMAL(18,2)",
        }
    }
}

impl Table {
    /// Its Arrow schema.
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &Column| Field::new(column.name, column.kind.arrow(), column.is_nullable);
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<Field>>()))
    }
}

impl Column {
    const fn required(name: &'static str, kind: ColumnKind, meaning: &'static str) -> Self {
        Column { name, kind, is_nullable: false, unit: "", meaning, since_version: 1 }
    }

    const fn optional(name: &'static str, kind: ColumnKind, meaning: &'static str) -> Self {
        Column { is_nullable: true, ..Column::required(name, kind, meaning) }
    }

    const fn in_unit(self, unit: &'static str) -> Self {
        Column { unit, ..self }
    }

    /// An amount in minor units.
    const fn minor(name: &'static str, meaning: &'static str) -> Self {
        Column::required(name, ColumnKind::Int64, meaning).in_unit("minor units")
    }
}

/// All tables: those of the lake, and the one beside each month summary.
pub fn all_tables() -> impl Iterator<Item = &'static Table> {
    TABLES.into_iter().chain([&MONTH_SUMMARY])
}

/// The data dictionary as a page for people.
pub fn data_dictionary_page() -> String {
    let mut page = String::from(
        "# The tables\n\nThose of the lake, and last the one that lies beside each month summary. Made of the schemas in `crates/tables/src/schema`; a test holds the two together. Money is `*_minor` in \
         minor units,\nexact, with the currency beside it. Columns are added at the end, and never renamed or retyped.\n",
    );
    for table in all_tables() {
        page.push_str(&format!(
            "\n## `{}`\n\n{}\n\n| column | type | empty | unit | meaning | since |\n|---|---|---|---|---|---|\n",
            table.name, table.meaning
        ));
        for column in table.columns {
            let Column { name, kind, is_nullable, unit, meaning, since_version } = column;
            let empty = if *is_nullable { "may be" } else { "never" };
            page.push_str(&format!("| `{name}` | {} | {empty} | {unit} | {meaning} | {since_version} |\n", kind.sql()));
        }
    }
    page
}

/// The SQL that creates the lake's tables of one account in Athena. The reader fills in `{{database}}` and `{{lake}}`, the
/// address of the account's lake.
pub fn athena_sql() -> String {
    let mut sql = String::from(
        "-- The lake of one account in Athena. Fill in {{database}} and {{lake}}, as in s3://bucket/v1/P12345678.\n\
         -- Made of the schemas in crates/tables/src/schema; a test holds the two together. Months are projected: neither a\n\
         -- crawler nor a repair is needed. Sum only rows where is_current, as the views of duckdb.sql do.\n",
    );
    for table in TABLES.iter().filter(|table| **table != &DATA_DICTIONARY) {
        let column = |column: &Column| format!("  `{}` {}", column.name, column.kind.athena());
        let columns: Vec<String> = table.columns.iter().map(column).collect();
        sql.push_str(&format!(
            "\nCREATE EXTERNAL TABLE IF NOT EXISTS `{{{{database}}}}`.`{name}` (\n{columns}\n)\n\
             PARTITIONED BY (`payout_month` string)\nSTORED AS PARQUET\nLOCATION '{{{{lake}}}}/{name}/'\nTBLPROPERTIES (\n  \
             'projection.enabled' = 'true',\n  'projection.payout_month.type' = 'date',\n  \
             'projection.payout_month.format' = 'yyyy-MM',\n  'projection.payout_month.range' = '2020-01,NOW+1YEARS',\n  \
             'projection.payout_month.interval' = '1',\n  'projection.payout_month.interval.unit' = 'MONTHS',\n  \
             'storage.location.template' = '{{{{lake}}}}/{name}/payout_month=${{payout_month}}'\n);\n",
            name = table.name,
            columns = columns.join(",\n"),
        ));
    }
    sql
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn columns_are_named_once_and_tell_what_they_mean() {
        for table in all_tables() {
            let names: BTreeSet<&str> = table.columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
            for Column { name, kind, unit, meaning, .. } in table.columns {
                assert!(meaning.len() > 10 && !meaning.contains('|'), "{}.{name} has no meaning", table.name);
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
                assert_eq!(name.ends_with("_minor"), *unit == "minor units", "{}.{name}", table.name);
                assert!(!name.ends_with("_minor") || *kind == ColumnKind::Int64, "{}.{name}", table.name);
            }
        }
    }
}
