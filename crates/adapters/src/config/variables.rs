//! The variables of an environment, read one by one, with everything that is wrong with them.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{BadConfig, is_loopback};

/// Variables by name, and what was found to be wrong so far.
pub(super) struct Variables<'a> {
    all: &'a BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(all: &'a BTreeMap<String, String>) -> Self {
        Variables { all, wrong: Vec::new() }
    }

    /// The value of a variable. An empty variable is not set.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.all.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same as an owned text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// The value of a variable as `read` takes it; an error is kept.
    pub(super) fn read<T, E: Display>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        match read(self.get(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(format!("{name}: {error}"));
                None
            }
        }
    }

    /// An address over HTTPS, or over HTTP on this machine.
    pub(super) fn address(&mut self, name: &str, expected: &str) -> Option<String> {
        self.read(name, |url| {
            let is_safe = url.starts_with("https://") || is_loopback(url);
            if is_safe { Ok(url.to_owned()) } else { Err(format!("expected {expected}")) }
        })
    }

    /// Keeps that something is wrong.
    pub(super) fn wrong(&mut self, what: String) {
        self.wrong.push(what);
    }

    /// The configuration, if nothing was wrong.
    pub(super) fn end<T>(self, config: T) -> Result<T, BadConfig> {
        if self.wrong.is_empty() { Ok(config) } else { Err(BadConfig(self.wrong)) }
    }
}
