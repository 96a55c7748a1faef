//! Messages about uploads: those of S3, and those that the sweep sends for uploads that S3 did not announce.
//!
//! The types of `aws_lambda_events` are not used for these: they need fields that nobody reads, so that a message which lacks
//! one of them would be lost, and they leave the key encoded.

use pipeline::messages::Uploaded;
use serde::Deserialize;
use store::keys::LandingKey;

use crate::outbound::aws::form_decoded;

/// The version of events that is understood; a later minor one only adds fields.
const VERSION_MAJOR: &str = "2";

/// A message about uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// S3 tries out whether it may write to the queue.
    Test,
    /// What happened to objects, each on its own.
    Records(Vec<Record>),
}

/// What happened to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A version of an object is to be read.
    Due(LandingKey, String),
    /// Something else happened than an upload.
    Ignored,
    /// An upload to a place where no report may lie: its key, and why.
    Refused(String, String),
    /// The bucket or its notification is not set up as it must be. The message is kept until it is.
    Misconfigured(&'static str),
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "Records")]
    records: Option<Vec<Event>>,
    #[serde(flatten)]
    found: Option<Uploaded>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_version: String,
    event_name: String,
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    version_id: Option<String>,
}

impl Notification {
    /// Reads the body of a message about uploads to `bucket`; `None` when it is none of S3 and none of the sweep.
    pub fn read(body: &str, bucket: &str) -> Option<Self> {
        let message: Message = serde_json::from_str(body).ok()?;
        match message {
            Message { event: Some(event), .. } if event == "s3:TestEvent" => Some(Notification::Test),
            Message { records: Some(records), .. } => {
                Some(Notification::Records(records.iter().map(|record| record.judge(bucket)).collect()))
            }
            Message { found: Some(upload), .. } => Some(Notification::Records(vec![judge(&upload)])),
            Message { .. } => None,
        }
    }
}

/// What the sweep found, by its key as it is.
fn judge(upload: &Uploaded) -> Record {
    match upload.key.parse::<LandingKey>() {
        Ok(landing) => Record::Due(landing, upload.version.clone()),
        Err(error) => Record::Refused(upload.key.clone(), error.to_string()),
    }
}

impl Event {
    fn judge(&self, bucket: &str) -> Record {
        if self.event_version.split('.').next() != Some(VERSION_MAJOR) {
            return Record::Misconfigured("the event is of another major version than 2");
        }
        if self.s3.bucket.name != bucket {
            return Record::Misconfigured("the event is of another bucket than the one for reports");
        }
        if !self.event_name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
            return Record::Ignored;
        }
        let Object { key, version_id } = &self.s3.object;
        let landing = match form_decoded(key).map(|key| key.parse::<LandingKey>()) {
            Some(Ok(landing)) => landing,
            Some(Err(error)) => return Record::Refused(key.clone(), error.to_string()),
            None => return Record::Refused(key.clone(), "the key is not UTF-8".to_owned()),
        };
        match version_id.as_deref() {
            None | Some("" | "null") => Record::Misconfigured("the bucket is not versioned"),
            Some(version) => Record::Due(landing, version.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str, version: &str, event: &str, event_version: &str) -> Record {
        let body = serde_json::json!({ "Records": [{
            "eventVersion": event_version, "eventName": event, "somethingNew": [1, { "a": null }],
            "s3": { "bucket": { "name": "landing" }, "object": { "key": key, "versionId": version, "size": 0 } },
        }]});
        match Notification::read(&body.to_string(), "landing") {
            Some(Notification::Records(mut records)) if records.len() == 1 => records.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_is_decoded_once_and_a_blank_is_a_plus() {
        for (key, name) in [
            ("T00000001/vipps/Oppgj%C3%B8r+1%2B2.csv", "Oppgjør 1+2.csv"),
            ("T00000001/vipps/a%252Bb.csv", "a%2Bb.csv"),
            ("T00000001/vipps/100%25.csv", "100%.csv"),
        ] {
            let landing = LandingKey::new("T00000001".parse().unwrap(), "vipps", name).unwrap();
            assert_eq!(read(key, "v1", "ObjectCreated:Put", "2.1"), Record::Due(landing, "v1".to_owned()));
        }
    }

    #[test]
    fn what_the_sweep_found_is_taken_as_if_it_had_been_told() {
        let read = |key: &str| {
            let upload = Uploaded { key: key.to_owned(), version: "v1".to_owned() };
            Notification::read(&serde_json::to_string(&upload).unwrap(), "landing")
        };
        let landing = LandingKey::new("T00000001".parse().unwrap(), "vipps", "Oppgjør 1+2%20.csv").unwrap();
        let due = Record::Due(landing, "v1".to_owned());
        assert_eq!(read("T00000001/vipps/Oppgjør 1+2%20.csv"), Some(Notification::Records(vec![due])));
        let Some(Notification::Records(records)) = read("elsewhere/x.csv") else { panic!() };
        assert!(matches!(records.as_slice(), [Record::Refused(key, _)] if key == "elsewhere/x.csv"), "{records:?}");
    }

    #[test]
    fn keys_that_lead_elsewhere_are_refused() {
        let long = format!("T00000001/vipps/{}", "a".repeat(1_024));
        for key in [
            "T00000001/vipps/..%2Fx.csv",
            "T00000001/vipps/../x.csv",
            "T00000001//x.csv",
            "T00000001/vipps/a%00.csv",
            "T00000001/vipps/%FF.csv",
            "vipps/T00000001/x.csv",
            "x.csv",
            "",
            long.as_str(),
        ] {
            let record = read(key, "v1", "ObjectCreated:Put", "2.1");
            assert!(matches!(&record, Record::Refused(told, _) if told == key), "{record:?}");
        }
    }

    #[test]
    fn versions_of_events_and_what_is_no_upload() {
        let key = "T00000001/vipps/x.csv";
        assert!(matches!(read(key, "v1", "ObjectCreated:Put", "2.9"), Record::Due(..)));
        assert!(matches!(read(key, "v1", "s3:ObjectCreated:CompleteMultipartUpload", "2.1"), Record::Due(..)));
        for event in ["ObjectRemoved:DeleteMarkerCreated", "ObjectRestore:Completed", "ObjectTagging:Put"] {
            assert_eq!(read(key, "v1", event, "2.1"), Record::Ignored);
        }
        assert!(matches!(read(key, "v1", "ObjectCreated:Put", "3.0"), Record::Misconfigured(_)));
        assert!(matches!(read(key, "null", "ObjectCreated:Put", "2.1"), Record::Misconfigured(_)));
        let body = r#"{"Records":[{"eventVersion":"2.1","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"landing"},
            "object":{"key":"T00000001/vipps/x.csv"}}}]}"#;
        let records = |bucket: &str| Notification::read(body, bucket).unwrap();
        for bucket in ["landing", "another"] {
            let Notification::Records(records) = records(bucket) else { panic!() };
            assert!(matches!(records.as_slice(), [Record::Misconfigured(_)]), "{records:?}");
        }
    }

    #[test]
    fn a_trial_and_what_is_no_message_of_s3() {
        let trial =
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-21T06:00:00.000Z","Bucket":"landing"}"#;
        assert_eq!(Notification::read(trial, "landing"), Some(Notification::Test));
        for other in ["", "{}", "null", "[]", "{\"Records\":[{}]}", "{\"Event\":\"other\"}", "no JSON"] {
            assert_eq!(Notification::read(other, "landing"), None, "{other}");
        }
    }
}
