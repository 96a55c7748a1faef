//! What others read from the lake: DuckDB through the SQL that comes with it, and pyarrow.

use std::path::Path;
use std::process::Command;

use pipeline::lake;
use serde_json::{Value, json};
use settlement::Terms;
use tests::lake::World;
use tests::python::python;

use super::racing::{taken_and_built, truth};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// What DuckDB and pyarrow find.
async fn read(world: &World) -> Value {
    let folder = world.on_disk().await;
    let script = root().join("tests/it/lake/read.py");
    let output = Command::new(python()).arg(script).arg(folder).arg(root().join("infra/duckdb.sql")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn minor(terms: &Terms) -> Vec<Value> {
    terms.named().iter().map(|(_, minor)| json!(minor)).collect()
}

#[tokio::test]
async fn others_read_the_lake_to_the_ore() {
    let world = taken_and_built(32, tables::Packing::Zstd).await;
    let found = read(&world).await;
    let truth = truth(&world).await;
    let settlement = |net_twice: bool| {
        truth.iter().map(move |((merchant, id, currency), (day, lines, sums))| {
            let (day, net) = (day.to_string(), sums.net_minor().unwrap());
            let mut row = vec![json!(merchant), json!(id), json!(currency), json!(day), json!(day[..7]), json!(lines)];
            row.extend(minor(sums));
            row.push(json!(net));
            row.extend(net_twice.then(|| json!(net)));
            Value::Array(row)
        })
    };
    let (with_net, rows): (Vec<Value>, Vec<Value>) = (settlement(true).collect(), settlement(false).collect());
    assert_eq!(found["duckdb"].as_array().unwrap(), &with_net);
    assert_eq!(found["pyarrow"].as_array().unwrap(), &with_net);
    assert_eq!(found["settlement"].as_array().unwrap(), &rows);
    assert_eq!(found["fees"], found["fees_of_lines"]);

    let figures = lake::month_figures(&world.ports, &world.account).await.unwrap();
    let products = figures.iter().filter(|group| group.group.payment_product.is_some()).count();
    assert!(figures.len() >= 5 && products >= 2, "{} groups", figures.len());
    let (mut bridge, mut summary) = (Vec::new(), Vec::new());
    for group in &figures {
        for row in &group.months {
            let matching::Group { provider, currency, payment_product } = &group.group;
            let name =
                [json!(row.month.to_string()), json!(provider), json!(payment_product), json!(currency.to_string())];
            let mut cells = name.to_vec();
            cells.push(json!(row.opening_minor));
            cells.extend(minor(&row.happened));
            cells.extend(minor(&row.paid));
            cells.extend([row.carried_minor, row.paid_out_minor, row.closing_minor].map(|minor| json!(minor)));
            cells.extend([row.invoiced_fee_minor, row.invoiced_fee_vat_minor].map(|minor| json!(minor)));
            bridge.push(Value::Array(cells));
            if row.paid != Terms::default() {
                let mut cells = name.to_vec();
                cells.extend(minor(&row.paid));
                cells.extend([json!(row.carried_minor), json!(row.paid_out_minor)]);
                summary.push(Value::Array(cells));
            }
        }
    }
    let sorted = |rows: &Value| {
        let mut rows: Vec<String> = rows.as_array().unwrap().iter().map(Value::to_string).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&found["bridge"]), sorted(&Value::Array(bridge)));
    assert_eq!(sorted(&found["summary"]), sorted(&Value::Array(summary)));

    let count = |of: &str, name: &str| found[of][name].as_u64().unwrap();
    for (export, view) in [("settlement_line", "settlement_line_version"), ("settlement", "settlement_version")] {
        assert!(count("exports", export) > count("views", export));
        assert_eq!(count("exports", export), count("views", view));
    }
    for name in ["match", "fee_summary", "month_bridge", "data_dictionary"] {
        assert!(count("views", name) > 0);
        assert_eq!(count("exports", name), count("views", name));
    }
    let columns: usize = tables::TABLES.iter().map(|table| table.columns.len()).sum();
    assert_eq!(count("views", "data_dictionary"), columns as u64);
    assert_eq!(count("views", "fact_settlement_line"), count("views", "settlement_line"));
    assert_eq!(count("views", "fact_payout"), truth.len() as u64);
    for dimension in ["dim_payment_method", "dim_date", "dim_store"] {
        assert!(count("views", dimension) > 1, "{dimension}");
    }
}

/// What is made of the schemas lies in the repository as it is made.
#[test]
fn dictionary_and_sql_are_made_of_the_schemas() {
    for (file, expected) in
        [("infra/data-dictionary.md", tables::data_dictionary_page()), ("infra/athena.sql", tables::athena_sql())]
    {
        let path = root().join(file);
        if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
            std::fs::write(&path, &expected).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == expected, "{file} is not as the schemas say; make it anew with INSTA_UPDATE=always");
    }
    // As somebody reads it who knows nothing of how it was made.
    let sql = std::fs::read_to_string(root().join("infra/athena.sql")).unwrap();
    for table in tables::TABLES.iter().filter(|table| table.name != "data_dictionary") {
        let (_, rest) = sql.split_once(&format!(".`{}` (", table.name)).unwrap();
        let (columns, _) = rest.split_once("\n)").unwrap();
        let names: Vec<&str> = columns.split(",\n").map(|line| line.split('`').nth(1).unwrap()).collect();
        let expected: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(names, expected);
    }
}

/// A file of every version that was ever released stays readable.
#[test]
fn files_of_released_versions_stay_readable() {
    for version in [1] {
        let folder = root().join(format!("tests/tables/v{version}"));
        for table in [&tables::SETTLEMENT_LINE, &tables::MATCH, &tables::SETTLEMENT] {
            let file = std::fs::File::open(folder.join(format!("{}.parquet", table.name))).unwrap();
            let mut copy = tables::TableStream::create(Vec::new(), table, tables::Packing::None).unwrap();
            copy.append(file).unwrap();
            let (bytes, rows) = copy.close().unwrap();
            assert!(rows > 0 && !bytes.is_empty(), "{}", table.name);
        }
        let lines = std::fs::File::open(folder.join("settlement_line.parquet")).unwrap();
        let lines: Vec<_> = tables::read_lines(lines).unwrap().map(Result::unwrap).collect();
        assert_eq!((lines.len(), lines[0].settlement_id.as_str()), (4, "2000461"));
        let matches = std::fs::File::open(folder.join("match.parquet")).unwrap();
        let rows: Vec<_> = tables::read_matches(matches).unwrap().map(Result::unwrap).collect();
        assert_eq!((rows.len(), rows[0].settlement_id.as_str()), (4, "2000461"));
    }
}
