//! Which file of a crate imports which: between layers upward alone, and never in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{root, sources};

/// The folders of `pipeline`, the lowest first. Each may import those before it.
const LAYERS: &[&str] =
    &["current", "intake", "transactions", "matching", "reports", "posting", "lake", "months", "mail", "operate"];

/// What every folder of `pipeline` may import; these import nothing but each other.
const BASE: &[&str] = &["error", "messages", "ports"];

/// What outbound adapters import beside the store: the file, and what. Spans go with what is sent.
const SPANS: &[(&str, &str)] = &[("traced.rs", "crate::traces"), ("queue/sqs.rs", "crate::traces")];

/// A module that is a file, by the names on the way to it; the crate itself is empty.
type Module = Vec<String>;

/// The text of a file without comments, strings and the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The module that a file is, below the folder of sources.
fn module_of(file: &Path, folder: &Path) -> Module {
    let path = file.strip_prefix(folder).unwrap().with_extension("");
    let names: Vec<String> = path.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    if names == ["lib"] || names == ["main"] { Vec::new() } else { names }
}

/// The paths that an import or an expression names: all that begin with `crate`, `super` or `self`, trees spread out.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':' && c != '$') {
                spread(&code[at..], &[], &mut found);
            }
        }
    }
    found
}

/// Adds the paths of a tree such as `crate::a::{b, c::D}` at the beginning of the text, and gives what comes after it.
fn spread<'a>(text: &'a str, before: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = before.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                let after = spread(rest, &path, found).trim_start();
                let after = after.strip_prefix(',').unwrap_or(after).trim_start();
                rest = if after.len() == rest.len() { "" } else { after };
            }
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(rest.len());
        if end > 0 {
            path.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(after) => rest = after,
            None => break,
        }
    }
    found.push(path);
    // The name that an import gets here.
    match rest.trim_start().strip_prefix("as ") {
        Some(name) => name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => rest,
    }
}

/// The imports of every file of a crate: from which module to which.
struct Imports(BTreeMap<Module, BTreeSet<Module>>);

impl Imports {
    fn of(name: &str) -> Self {
        let folder = root().join("crates").join(name).join("src");
        let files = sources(&folder).into_iter().map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (module_of(&path, &folder), code(&text))
        });
        Imports::read(&files.collect())
    }

    fn read(files: &BTreeMap<Module, String>) -> Self {
        let exports = exports(files.get(&Vec::new()).map_or("", String::as_str));
        let imports = files.iter().map(|(module, code)| {
            let named = paths(code).into_iter().filter_map(|path| resolve(module, &path, files, &exports));
            (module.clone(), named.filter(|other| other != module).collect())
        });
        Imports(imports.collect())
    }

    /// Every circle of files: each of them is reached from each other one. A module and its own children are one thing.
    fn circles(&self) -> Vec<Vec<String>> {
        let related = |one: &Module, other: &Module| one.starts_with(other) || other.starts_with(one);
        let reach = |start: &Module| {
            let (mut seen, mut due) = (BTreeSet::new(), vec![start]);
            while let Some(module) = due.pop() {
                let next = self.0.get(module).into_iter().flatten().filter(|next| !related(module, next));
                due.extend(next.filter(|next| seen.insert((*next).clone())));
            }
            seen
        };
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            self.0.keys().map(|module| (module, reach(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, others) in &reached {
            if others.contains(*module) {
                let circle =
                    others.iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*module)));
                circles.insert(circle.map(|module| module.join("/")).collect::<Vec<_>>());
            }
        }
        circles.into_iter().collect()
    }
}

/// What a crate's root gives another name: by that name, the path to it.
fn exports(code: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("pub use ") {
        spread(&code[at + "pub use ".len()..], &[], &mut found);
    }
    found.into_iter().filter_map(|path| Some((path.last()?.clone(), path))).collect()
}

/// The file that a path leads to; `None` outside the crate.
fn resolve(
    from: &Module,
    path: &[String],
    files: &BTreeMap<Module, String>,
    exports: &BTreeMap<String, Vec<String>>,
) -> Option<Module> {
    let mut module = from.clone();
    let mut names = path.iter();
    for name in names.by_ref() {
        match name.as_str() {
            "crate" => module.clear(),
            "super" => drop(module.pop()),
            "self" => {}
            _ if files.contains_key(&[module.as_slice(), std::slice::from_ref(name)].concat()) => {
                module.push(name.clone())
            }
            _ if module.is_empty() && exports.get(name).is_some_and(|path| path.len() > 1) => {
                return resolve(&Vec::new(), exports.get(name)?, files, &BTreeMap::new());
            }
            _ => break,
        }
    }
    files.contains_key(&module).then_some(module)
}

fn crates() -> Vec<String> {
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    let mut names: Vec<_> = crates.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut wrong = Vec::new();
    for name in crates() {
        let circles = Imports::of(&name).circles().into_iter();
        wrong.extend(circles.map(|circle| format!("{name}: {}", circle.join(", "))));
    }
    assert!(wrong.is_empty(), "these files import each other:\n{}", wrong.join("\n"));
}

#[test]
fn a_layer_of_the_pipeline_imports_lower_layers_alone() {
    let place = |name: &str| LAYERS.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    for (module, imports) in Imports::of("pipeline").0 {
        let Some(own) = module.first() else { continue };
        assert!(place(own).is_some() || BASE.contains(&own.as_str()), "{own} has no layer in the list");
        for other in imports.iter().filter_map(|import| import.first()).filter(|other| *other != own) {
            let may =
                BASE.contains(&other.as_str()) || place(own).zip(place(other)).is_some_and(|(own, other)| other < own);
            if !may {
                wrong.push(format!("{} imports {other}", module.join("/")));
            }
        }
    }
    assert!(wrong.is_empty(), "these files import a layer that is not below theirs:\n{}", wrong.join("\n"));
}

/// What stores, sends and queues knows the store and plain values, and no step.
#[test]
fn outbound_adapters_import_the_store_alone() {
    let folder = root().join("crates/adapters/src/outbound");
    let mut wrong = Vec::new();
    for path in sources(&folder).into_iter().chain([folder.with_extension("rs")]) {
        let code = code(&std::fs::read_to_string(&path).unwrap());
        for name in
            crates().iter().filter(|name| !["store", "settlement", "dintero", "adapters"].contains(&name.as_str()))
        {
            if code.contains(&format!("use {name}::")) || code.contains(&format!(" {name}::")) {
                wrong.push(format!("{} imports {name}", path.display()));
            }
        }
        let own = paths(&code).into_iter().filter(|path| path.first().is_some_and(|name| name == "crate"));
        wrong.extend(
            own.filter(|names| names.get(1).is_none_or(|name| name != "outbound"))
                .map(|names| format!("{} imports {}", path.display(), names.join("::"))),
        );
    }
    let known =
        |found: &String| SPANS.iter().any(|(file, what)| found.ends_with(&format!("outbound/{file} imports {what}")));
    wrong.retain(|found| !known(found));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_and_circles_are_found() {
    let files = |files: &[(&str, &str)]| -> Imports {
        let module = |name: &str| name.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Imports::read(&files.iter().map(|(name, text)| (module(name), code(text))).collect())
    };
    let circle = files(&[
        ("", "mod a;\nmod b;\nmod c;\npub use b::deep::Thing;"),
        ("a", "use crate::{c::{Some, other as another}, Thing};"),
        ("b", "mod deep;"),
        ("b/deep", "use super::super::c;"),
        ("c", "// use crate::b;\nfn f() { crate::a::f() }"),
    ]);
    assert_eq!(
        circle.0[&vec!["a".to_owned()]].iter().map(|module| module.join("/")).collect::<Vec<_>>(),
        ["b/deep", "c"]
    );
    assert_eq!(circle.circles(), [["a", "b/deep", "c"]]);
    let none = files(&[
        ("", "mod a; mod b;"),
        ("a", "mod child;\nuse self::child::f;\nuse crate::b::g;"),
        ("a/child", "use super::Own;"),
        ("b", "#[cfg(test)]\nmod tests {\n    use crate::a::f;\n}"),
    ]);
    assert_eq!(none.circles(), Vec::<Vec<String>>::new());
}
