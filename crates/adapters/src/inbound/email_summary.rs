//! The function `email-summary`: a message about an account summarises its months and sends the mails that are due; a message of SES
//! notes what became of a mail.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::StepError;
use pipeline::current::accounts;
use pipeline::mail::{self, MailAccount, Mailed, Mailing};
use pipeline::messages::MailCheck;
use pipeline::months::{self, Summarise};
use serde::Deserialize;
use settlement::MailId;
use store::{MailEvent, MailItem, MailState, Queue, note_mail_event};

use crate::inbound::function::Again;
use crate::inbound::lambda::{Invocation, Worker};
use tracing::Level;

use crate::fields::Fields;
use crate::inbound::function::{Function, send};
use crate::inbound::mail_events::MailNotification;
use crate::inbound::metric::Metric;

/// How long work that has to wait goes on; the next morning's message takes up the rest.
const GOES_ON_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long to wait when a month changes while it is summarised.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Summarises the months of accounts, and mails.
pub struct EmailSummary {
    /// What it has as every function has it.
    pub function: Function,
    /// What mails are sent with. Without it only months are summarised.
    pub mailing: Option<Mailing>,
    /// The queue of this function, for a message per account and for messages that have to wait.
    pub own: Arc<dyn Queue>,
}

/// What the schedule says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    accounts: Accounts,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Accounts {
    All,
}

#[async_trait]
impl Worker for EmailSummary {
    fn step(&self) -> &'static str {
        "mail"
    }

    fn function(&self) -> &Function {
        &self.function
    }

    async fn carry_out(&self, body: &str, attempt: u32, invocation: &Invocation) -> Result<(), Again> {
        let fields = invocation.fields(self.step(), attempt);
        if let Ok(due) = serde_json::from_str::<MailCheck>(body) {
            let fields = Fields { account: Some(due.account.to_string()), ..fields };
            return self.account(due, &fields, invocation).await;
        }
        let done = if let Ok(Schedule { accounts: Accounts::All }) = serde_json::from_str(body) {
            self.every_account(&fields).await
        } else if let Some(notification) = MailNotification::read(body) {
            self.told(notification, &fields).await
        } else {
            self.function.refuse(body, "it names neither an account nor a mail", &fields).await
        };
        done.map_err(|error| self.again(&error, &fields))
    }
}

impl EmailSummary {
    /// Sends a message for each account, so that one that fails does not keep another from its mails. When it is cut off, all are sent
    /// again, which has no second effect.
    async fn every_account(&self, fields: &Fields) -> Result<(), StepError> {
        for account in accounts::all(&self.function.ports).await? {
            self.send(&MailCheck { account, months: true, until: None }, SignedDuration::ZERO).await?;
        }
        self.function.log.info("every account has its message", fields);
        Ok(())
    }

    async fn account(&self, due: MailCheck, fields: &Fields, invocation: &Invocation) -> Result<(), Again> {
        let began = self.function.now();
        // Mails about a month need its summary; mails about payouts do not.
        let summarised = if due.months { self.summarise(&due, invocation).await } else { Ok(None) };
        let mailed = match &self.mailing {
            None => Ok(Mailed::default()),
            Some(mailing) => self.mail(mailing, &due, invocation).await,
        };
        let mailed = mailed.map_err(|error| self.again(&error, fields))?;
        self.tell(began, &mailed, fields);
        let months_wait = summarised.map_err(|error| self.again(&error, fields))?;
        let Some(waits_until) = [months_wait, mailed.not_before].into_iter().flatten().min() else { return Ok(()) };
        let now = self.function.now();
        let until = due.until.unwrap_or(now + GOES_ON_FOR);
        if waits_until >= until {
            return Ok(());
        }
        self.function.log.info("an account waits to be gone on with", fields);
        let delay = waits_until.duration_since(now).max(SignedDuration::from_secs(1));
        let next = MailCheck { months: months_wait.is_some(), until: Some(until), ..due };
        self.send(&next, delay).await.map_err(|error| self.again(&error, fields))
    }

    /// Summarises every month that is due. Gives the time at which to try again when a month was changing.
    async fn summarise(&self, due: &MailCheck, invocation: &Invocation) -> Result<Option<Timestamp>, StepError> {
        let now = self.function.now();
        let (account, scratch) = (due.account.clone(), self.function.scratch.clone());
        let command = Summarise { account, month: None, now, lease: invocation.lease(now), scratch };
        match months::run(&self.function.ports, &command).await {
            Ok(made) => {
                let new = made.iter().filter(|made| made.is_new).count();
                self.function.log.count(&[(Metric::SummarisedMonths, new)]);
                Ok(None)
            }
            Err(StepError::Busy { until, .. }) => Ok(Some(until.max(self.function.now() + PAUSE))),
            Err(error) => Err(error),
        }
    }

    async fn mail(&self, mailing: &Mailing, due: &MailCheck, invocation: &Invocation) -> Result<Mailed, StepError> {
        let lease = invocation.lease(self.function.now());
        let command = MailAccount { account: due.account.clone(), lease, scratch: self.function.scratch.clone() };
        mail::run(&self.function.ports, mailing, &command).await
    }

    fn tell(&self, began: Timestamp, mailed: &Mailed, fields: &Fields) {
        let outcome = if mailed.mails.is_empty() { "NOTHING_DUE" } else { "MAILED" };
        let fields = Fields {
            duration_ms: self.function.millis_since(began),
            outcome: Some(outcome.to_owned()),
            ..fields.clone()
        };
        self.function.log.info("an account was looked after", &fields);
        let waits = |item: &MailItem| matches!(item.state, MailState::Planned { not_before: Some(_) });
        self.function.log.count(&[
            (Metric::MailSent, mailed.count("SENT")),
            (Metric::MailWaiting, mailed.mails.iter().filter(|(_, item)| waits(item)).count()),
            (Metric::MailUnknown, mailed.count("UNKNOWN")),
            (Metric::MailHuman, mailed.count("HUMAN")),
            (Metric::MailRefused, mailed.count("REFUSED")),
        ]);
    }

    async fn told(&self, notification: MailNotification, fields: &Fields) -> Result<(), StepError> {
        match notification {
            MailNotification::Trial => self.function.log.info("SES tried out the topic", fields),
            MailNotification::Ignored => self.function.log.info("an event that says nothing of a mail", fields),
            MailNotification::Event { mail, message_id, event } => self.note(&mail, &message_id, event, fields).await?,
        }
        Ok(())
    }

    /// Notes what became of a mail. An event that comes again is not counted again.
    async fn note(&self, mail: &MailId, message_id: &str, event: MailEvent, fields: &Fields) -> Result<(), StepError> {
        let now = self.function.now();
        if !note_mail_event(&*self.function.ports.state, mail, message_id, event, now).await? {
            return Ok(());
        }
        let metric = match event {
            MailEvent::Sent | MailEvent::Delivered => None,
            MailEvent::Rejected => Some(Metric::MailRefused),
            MailEvent::Bounced => Some(Metric::Bounce),
            MailEvent::Complained => Some(Metric::Complaint),
        };
        let level = if metric.is_some() { Level::WARN } else { Level::INFO };
        let outcome = Some(event.word().to_uppercase());
        let fields = Fields { mail_id: Some(mail.to_string()), outcome, ..fields.clone() };
        self.function.log.say(level, "SES told of a mail", &fields);
        self.function.log.count(&metric.map(|metric| (metric, 1)).into_iter().collect::<Vec<_>>());
        Ok(())
    }

    async fn send(&self, message: &MailCheck, delay: SignedDuration) -> Result<(), StepError> {
        send(&*self.own, message, delay).await
    }

    fn again(&self, error: &StepError, fields: &Fields) -> Again {
        self.function.again("an account could not be looked after now", error, fields)
    }
}
