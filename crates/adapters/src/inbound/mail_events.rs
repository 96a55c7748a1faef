//! Messages of SES about mails, as its configuration set publishes them.

use std::collections::BTreeMap;

use serde::Deserialize;
use settlement::MailId;
use store::MailEvent;

use crate::outbound::mailer::MAIL_ID_TAG;

/// The message that SES publishes once as a test.
const TRIAL: &str = "Successfully validated SNS topic for Amazon SES event publishing.";

/// A message of SES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailNotification {
    /// SES tests whether it may publish.
    Trial,
    /// An event of a mail.
    Event {
        /// The mail.
        mail: MailId,
        /// The id that SES knows it by.
        message_id: String,
        /// What became of it.
        event: MailEvent,
    },
    /// Something that says nothing of one of our mails: it has no tag of ours, or is of a kind that changes nothing.
    Ignored,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    event_type: String,
    mail: Mail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    message_id: String,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

impl MailNotification {
    /// Reads the body of a message; `None` when it is no message of SES.
    pub fn read(body: &str) -> Option<Self> {
        if body.trim() == TRIAL {
            return Some(MailNotification::Trial);
        }
        let Message { event_type, mail } = serde_json::from_str(body).ok()?;
        let event = match event_type.as_str() {
            "Send" => MailEvent::Sent,
            "Delivery" => MailEvent::Delivered,
            "Reject" => MailEvent::Rejected,
            "Bounce" => MailEvent::Bounced,
            "Complaint" => MailEvent::Complained,
            _ => return Some(MailNotification::Ignored),
        };
        let tag = mail.tags.get(MAIL_ID_TAG).and_then(|values| values.first());
        let Some(id) = tag.and_then(|tag| tag.parse().ok()) else { return Some(MailNotification::Ignored) };
        Some(MailNotification::Event { mail: id, message_id: mail.message_id, event })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(event: &str, tags: &serde_json::Value) -> Option<MailNotification> {
        let mail = serde_json::json!({ "messageId": "0100", "destination": ["a@example.no"], "tags": tags });
        MailNotification::read(&serde_json::json!({ "eventType": event, "mail": mail, "new": {} }).to_string())
    }

    #[test]
    fn events_name_the_mail_by_its_tag() {
        let id = "ab".repeat(32);
        let tags = serde_json::json!({ "ses:configuration-set": ["avstem"], "mail_id": [id] });
        for (word, event) in [
            ("Send", MailEvent::Sent),
            ("Delivery", MailEvent::Delivered),
            ("Reject", MailEvent::Rejected),
            ("Bounce", MailEvent::Bounced),
            ("Complaint", MailEvent::Complained),
        ] {
            let told = MailNotification::Event { mail: id.parse().unwrap(), message_id: "0100".to_owned(), event };
            assert_eq!(read(word, &tags), Some(told));
        }
        assert_eq!(read("Open", &tags), Some(MailNotification::Ignored));
        for other in
            [serde_json::json!({}), serde_json::json!({ "mail_id": ["AB"] }), serde_json::json!({ "mail_id": [] })]
        {
            assert_eq!(read("Send", &other), Some(MailNotification::Ignored), "{other}");
        }
    }

    #[test]
    fn a_trial_and_what_is_no_message_of_ses() {
        assert_eq!(MailNotification::read(TRIAL), Some(MailNotification::Trial));
        for other in ["", "{}", "null", "{\"eventType\":\"Send\"}", "{\"mail\":{\"messageId\":\"1\"}}", "no JSON"] {
            assert_eq!(MailNotification::read(other), None, "{other}");
        }
    }
}
