//! JSON in pages of items, read one item after the other by `serde_json`: numbers are whole, and no text of the file gets into
//! an error.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use settlement::{Kind, Problem};

use crate::failure::{Failure, ReadSeek};
use crate::limits::Limits;

/// What a page says besides its items.
#[derive(Debug, Default)]
pub(crate) struct PageEnd {
    /// Whether there are more pages.
    pub(crate) has_more: bool,
    /// Whether the provider has not closed the period.
    pub(crate) try_later: bool,
}

/// Hands each item of `{"items": [...], "hasMore": false, "tryLater": false}` to `take` with its number, from 1.
///
/// # Errors
/// When the file is no such page, is too large, or `take` fails.
pub(crate) fn read_page<T: DeserializeOwned>(
    input: &mut dyn ReadSeek,
    limits: &Limits,
    take: &mut dyn FnMut(u32, T) -> Result<(), Failure>,
) -> Result<PageEnd, Failure> {
    let size_bytes = input.seek(std::io::SeekFrom::End(0))?;
    if size_bytes > limits.json_bytes_max {
        let message = format!(
            "Found JSON of {size_bytes} bytes, expected at most {}. Ask for the report in shorter periods",
            limits.json_bytes_max
        );
        return Err(Problem::error(Kind::JsonLimits, message).into());
    }
    input.rewind()?;
    let mut text = Vec::new();
    input.read_to_end(&mut text)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let mut failed = None;
    let mut json = serde_json::Deserializer::from_slice(text);
    let page = Page { take, failed: &mut failed, item: PhantomData };
    let read = page.deserialize(&mut json).and_then(|end| json.end().map(|()| end));
    match (failed, read) {
        (Some(failure), _) => Err(failure),
        (None, Ok(end)) => Ok(end),
        (None, Err(error)) => Err(malformed(&error).into()),
    }
}

/// The place and manner of an error, without the words of the file that the error itself may hold.
fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let at = format!("at line {line}, column {column}");
    let advice = "Fetch the report again and do not edit it";
    if error.is_eof() {
        return Problem::error(Kind::Truncated, format!("Found JSON that ends {at}, before its end. {advice}"));
    }
    let found = match error.is_data() {
        true => format!(
            "Found JSON {at} that is not as described: a field is missing, is there twice, or is of another type"
        ),
        false => format!("Found text {at} that is no JSON"),
    };
    Problem::error(Kind::JsonMalformed, format!("{found}. {advice}"))
}

struct Page<'p, T> {
    take: &'p mut dyn FnMut(u32, T) -> Result<(), Failure>,
    failed: &'p mut Option<Failure>,
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Page<'_, T> {
    type Value = PageEnd;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PageEnd, D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[derive(Deserialize, PartialEq, Eq)]
enum Field {
    #[serde(rename = "items")]
    Items,
    #[serde(rename = "hasMore")]
    HasMore,
    #[serde(rename = "tryLater")]
    TryLater,
    #[serde(other)]
    Other,
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Page<'_, T> {
    type Value = PageEnd;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of items")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PageEnd, A::Error> {
        let mut end = PageEnd::default();
        let mut has_items = false;
        let Page { take, failed, .. } = self;
        while let Some(field) = map.next_key::<Field>()? {
            match field {
                Field::Items if has_items => return Err(serde::de::Error::duplicate_field("items")),
                Field::Items => {
                    has_items = true;
                    map.next_value_seed(Items { take: &mut *take, failed: &mut *failed, item: PhantomData })?;
                }
                Field::HasMore => end.has_more |= map.next_value::<Option<bool>>()?.unwrap_or(false),
                Field::TryLater => end.try_later |= map.next_value::<Option<bool>>()?.unwrap_or(false),
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_items { Ok(end) } else { Err(serde::de::Error::missing_field("items")) }
    }
}

struct Items<'p, T> {
    take: &'p mut dyn FnMut(u32, T) -> Result<(), Failure>,
    failed: &'p mut Option<Failure>,
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Items<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Items<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(item) = items.next_element::<T>()? {
            number += 1;
            if let Err(failure) = (self.take)(number, item) {
                *self.failed = Some(failure);
                return Err(serde::de::Error::custom("an item is refused"));
            }
        }
        Ok(())
    }
}
