//! The structure that the README promises, held against the files.

mod imports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each crate may know of the others.
const ALLOWED: &[(&str, &[&str])] = &[
    ("settlement", &[]),
    ("fixtures", &["settlement"]),
    ("formats", &["settlement"]),
    ("tables", &["settlement"]),
    ("matching", &["settlement"]),
    ("documents", &["settlement"]),
    ("dintero", &["settlement"]),
    ("store", &["settlement", "dintero"]),
    ("pipeline", &["settlement", "formats", "tables", "matching", "documents", "dintero", "store"]),
    ("sandbox", &["settlement", "dintero", "store"]),
    ("simulation", &["settlement", "fixtures", "formats", "tables", "dintero", "store", "pipeline", "sandbox"]),
    ("adapters", &["settlement", "dintero", "store", "pipeline"]),
    (
        "cli",
        &[
            "settlement",
            "formats",
            "tables",
            "matching",
            "documents",
            "dintero",
            "store",
            "pipeline",
            "sandbox",
            "adapters",
        ],
    ),
];

/// Crates that compute and nothing else, with what they may never use.
const PURE: &[&str] = &["settlement", "formats", "tables", "matching", "documents", "dintero", "store", "simulation"];
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("settlement", &["arrow", "parquet", "tokio", "rusqlite", "quick-xml", "serde_json"]),
    ("formats", &["arrow", "parquet", "tokio", "rusqlite", "tempfile"]),
    ("tables", &["tokio", "rusqlite"]),
    ("matching", &["arrow", "parquet", "tokio", "rusqlite", "serde_json", "tempfile"]),
    ("documents", &["arrow", "parquet", "tokio", "rusqlite", "tempfile"]),
    ("dintero", &["reqwest", "hyper", "tokio", "rusqlite", "arrow", "parquet", "tempfile"]),
    ("store", &["aws", "lambda", "reqwest", "hyper", "tokio", "rusqlite", "arrow", "parquet", "tempfile"]),
    ("simulation", &["reqwest", "hyper", "tokio", "rusqlite", "tempfile"]),
    ("pipeline", &["rusqlite", "clap", "indicatif", "aws", "reqwest", "hyper", "lambda", "opentelemetry", "tracing"]),
];

const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The crates that a crate's manifest depends on, tests left out.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
    let (_, section) = manifest.split_once("[dependencies]").unwrap();
    let section = section.split("\n[").next().unwrap();
    section
        .lines()
        .filter_map(|line| Some(line.split(['.', ' ', '=']).next()?.to_owned()))
        .filter(|n| !n.is_empty())
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn crates_know_only_what_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    for name in crates.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the list of crates"));
        for dependency in dependencies(&name).iter().filter(|dependency| allowed.contains_key(dependency.as_str())) {
            assert!(may.contains(&dependency.as_str()), "{name} may not depend on {dependency}");
        }
    }
    for (name, forbidden) in FORBIDDEN {
        for dependency in dependencies(name) {
            let found = forbidden.iter().any(|word| dependency.starts_with(word));
            assert!(!found, "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn pure_crates_forbid_panics_floats_and_the_outside_world() {
    for name in PURE {
        let folder = root().join("crates").join(name);
        let lib = std::fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        for lint in ["unwrap_used", "expect_used", "panic", "indexing_slicing", "float_arithmetic"] {
            assert!(lib.contains(&format!("clippy::{lint}")), "{name} does not deny clippy::{lint}");
        }
        let clippy = std::fs::read_to_string(folder.join("clippy.toml")).unwrap();
        for method in ["std::env::var", "std::time::SystemTime::now", "jiff::Timestamp::now"] {
            assert!(clippy.contains(method), "{name} does not disallow {method}");
        }
    }
}

/// The sources of all crates, and what each says, without the tests at its end.
fn crate_sources() -> Vec<(String, String)> {
    let paths = sources(&root().join("crates")).into_iter().filter(|path| path.iter().any(|name| name == "src"));
    let text = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
        (path.strip_prefix(root()).unwrap().display().to_string(), text)
    };
    paths.map(text).collect()
}

/// Partitions and sort keys are spelt in one place. The world of the tests reads all records of a state by their
/// partitions, whatever code wrote them.
#[test]
fn places_are_written_by_records_alone() {
    let mut found = Vec::new();
    for (path, text) in crate_sources() {
        if path.starts_with("crates/store/src/records/") || path.starts_with("crates/simulation/") {
            continue;
        }
        let spelt = |line: &&str| {
            let words = line.split('"').skip(1).step_by(2);
            words.filter_map(|word| word.split_once('#')).any(|(partition, _)| {
                let name = partition.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(partition);
                name.len() > 2
                    && name.chars().all(|c| c.is_ascii_uppercase() || (partition != name && c.is_ascii_lowercase()))
            })
        };
        found.extend(text.lines().filter(spelt).map(|line| format!("{path}: {}", line.trim())));
    }
    assert!(found.is_empty(), "only crates/store/src/records spells where records lie:\n{}", found.join("\n"));
}

/// Records are read page by page in one place; adapters, and the world of the tests around one, pass a query on.
#[test]
fn one_pager_reads_the_records_of_a_query() {
    let reads = |text: &str| {
        let called = |rest: &str| rest.trim_start().starts_with(".query(");
        text.split("state").skip(1).any(called)
    };
    let mut readers: Vec<_> =
        crate_sources().into_iter().filter(|(_, text)| reads(text)).map(|(path, _)| path).collect();
    readers.sort();
    assert_eq!(readers, ["crates/simulation/src/world.rs", "crates/store/src/place.rs"]);
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let folders = [root().join("crates"), root().join("functions"), root().join("tests")];
    for path in folders.iter().flat_map(|folder| sources(folder)) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines, expected at most {LINES_MAX}", path.display());
    }
}

/// A function wires and serves; what it does lies where a test reaches it.
#[test]
fn functions_are_thin_and_say_what_they_need() {
    for folder in std::fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap().path()) {
        let main = std::fs::read_to_string(folder.join("src/main.rs")).unwrap();
        assert!(main.lines().count() <= 60 && sources(&folder).len() == 1, "{}", folder.display());
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        for row in ["| trigger |", "| environment |", "| permissions |", "| a retry |"] {
            assert!(readme.contains(row), "{}: README.md lacks {row:?}", folder.display());
        }
    }
}

/// The build for one machine has nothing of AWS in it.
#[test]
fn aws_is_there_only_where_it_is_asked_for() {
    let manifest = std::fs::read_to_string(root().join("crates/adapters/Cargo.toml")).unwrap();
    assert!(!manifest.contains("\ndefault ="), "adapters has default features");
    for line in manifest.lines().filter(|line| line.starts_with("aws") && !line.starts_with("aws = [")) {
        assert!(line.contains("optional = true"), "{line}");
    }
    let cli = std::fs::read_to_string(root().join("crates/cli/Cargo.toml")).unwrap();
    assert!(!cli.contains("\ndefault ="), "the command line has default features");
    let asked: Vec<&str> = cli.lines().filter(|line| line.contains("aws")).collect();
    assert_eq!(asked, ["aws = [\"adapters/aws\"]"], "the command line asks for AWS otherwise than by its feature");
}

#[test]
fn every_provider_file_is_registered_in_order() {
    let folder = root().join("crates/formats/src/providers");
    let registry = std::fs::read_to_string(root().join("crates/formats/src/providers.rs")).unwrap();
    for path in sources(&folder) {
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let constants =
            text.lines().filter_map(|line| line.strip_prefix("pub(crate) const ")?.split_once(": Format ="));
        let lines = constants.map(|(name, _)| format!("    {module}::{name},")).chain([format!("mod {module};")]);
        for line in lines {
            assert!(registry.contains(&line), "providers.rs lacks the line {line:?}");
        }
    }
    let ids: Vec<&str> = formats::FORMATS.iter().map(|format| format.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    for format in formats::FORMATS {
        assert!(format.id.starts_with(format.provider.id), "{} does not begin with its provider", format.id);
        let fixtures = root().join("tests/reports").join(format.id);
        assert!(fixtures.is_dir(), "{} has no fixtures in {}", format.id, fixtures.display());
    }
}

/// What a provider is called, pays out and is matched by comes from one table.
#[test]
fn every_format_is_of_a_provider_of_the_table() {
    for format in formats::FORMATS {
        let provider = settlement::Provider::of(format.provider.id);
        let provider = provider.unwrap_or_else(|| panic!("{}: no provider {:?}", format.id, format.provider));
        assert_eq!(format.payment_products, provider.products, "{}", format.id);
        let matched = matching::PROVIDER_KEYS.iter().any(|keys| keys.provider == provider);
        assert!(matched, "{} has no row of keys to match its lines by", provider.id);
        let name = documents::provider_name(provider.id);
        assert!(name == provider.name && name != provider.id, "{} has no name for people", provider.id);
    }
}

/// The words in which a pattern with braces, as a shell knows it, ends.
fn expanded(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let (choices, after) = rest.split_once('}').unwrap();
    choices.split(',').flat_map(|choice| expanded(&format!("{before}{choice}{after}"))).collect()
}

#[test]
fn the_table_of_cases_names_tests_and_fixtures_that_exist() {
    let text = std::fs::read_to_string(root().join("tests/README.md")).unwrap();
    let code: String = [root().join("crates"), root().join("tests")]
        .iter()
        .flat_map(|folder| sources(folder))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let reports = root().join("tests/reports");
    let folders: Vec<PathBuf> = std::fs::read_dir(&reports).unwrap().map(|entry| entry.unwrap().path()).collect();
    let cases = text.lines().filter(|line| line.starts_with("| T"));
    for name in cases.flat_map(|line| line.split('`').skip(1).step_by(2)).flat_map(expanded) {
        if let Some((_, test)) = name.split_once("::") {
            assert!(code.contains(&format!("fn {test}(")), "there is no test {name}");
        } else if name.contains('.') && !name.ends_with(".*") {
            let found = reports.join(&name).is_file() || folders.iter().any(|folder| folder.join(&name).is_file());
            assert!(found, "there is no fixture {name}");
        }
    }
}
