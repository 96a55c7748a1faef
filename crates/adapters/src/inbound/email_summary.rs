//! Messages about accounts and mails: months that are over are summarised, whoever waits is told by mail, and what SES says
//! of mails is noted.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::accounts;
use pipeline::intake::refuse;
use pipeline::mail::{self, MailAccount, Mailed, Mailing};
use pipeline::messages::MailCheck;
use pipeline::months::{self, Summarise};
use pipeline::transactions::client::Clock;
use pipeline::{Ports, StepError};
use serde::Deserialize;
use settlement::MailId;
use store::{MailEvent, MailItem, MailState, Queue, note_mail_event};

use crate::inbound::lambda::{Again, Invocation, Worker};
use crate::inbound::log::{Fields, Level, Log, Metric, kind_of};
use crate::inbound::mail_events::MailNotification;

/// What has to wait is gone on with for so long; the next morning's message takes up the rest.
const GOES_ON_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Months that change while they are summarised are left alone for a moment.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Summarises the months of accounts, and mails.
pub struct EmailSummary {
    /// What the steps use.
    pub ports: Ports,
    /// What mails are sent with; months alone are summarised where none are.
    pub mailing: Option<Mailing>,
    /// The queue that its own messages come from, for one account each and for what has to wait.
    pub own: Arc<dyn Queue>,
    /// A directory for temporary files.
    pub scratch: PathBuf,
    /// Where its lines go.
    pub log: Log,
    /// Tells the time.
    pub clock: Clock,
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

    fn log(&self) -> &Log {
        &self.log
    }

    fn clock(&self) -> &Clock {
        &self.clock
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
            self.refuse(body, &fields).await
        };
        done.map_err(|error| self.again(&error, &fields))
    }
}

impl EmailSummary {
    /// A message for each account: one that fails keeps no other from its mails. Cut off in between, all are sent once more,
    /// and what is done then has no second effect.
    async fn every_account(&self, fields: &Fields) -> Result<(), StepError> {
        for account in accounts::all(&self.ports).await? {
            self.send(&MailCheck { account, months: true, until: None }, SignedDuration::ZERO).await?;
        }
        self.log.say((self.clock)(), Level::Info, "every account has its message", fields);
        Ok(())
    }

    async fn account(&self, due: MailCheck, fields: &Fields, invocation: &Invocation) -> Result<(), Again> {
        let began = (self.clock)();
        // Whoever waits for a month waits for its summary; whoever waits for payouts does not.
        let summarised = if due.months { self.summarise(&due, invocation).await } else { Ok(None) };
        let mailed = match &self.mailing {
            None => Ok(Mailed::default()),
            Some(mailing) => self.mail(mailing, &due, invocation).await,
        };
        let mailed = mailed.map_err(|error| self.again(&error, fields))?;
        self.tell(began, &mailed, fields);
        let months_wait = summarised.map_err(|error| self.again(&error, fields))?;
        let Some(waits_until) = [months_wait, mailed.not_before].into_iter().flatten().min() else { return Ok(()) };
        let now = (self.clock)();
        let until = due.until.unwrap_or(now + GOES_ON_FOR);
        if waits_until >= until {
            return Ok(());
        }
        self.log.say(now, Level::Info, "an account waits to be gone on with", fields);
        let delay = waits_until.duration_since(now).max(SignedDuration::from_secs(1));
        let next = MailCheck { months: months_wait.is_some(), until: Some(until), ..due };
        self.send(&next, delay).await.map_err(|error| self.again(&error, fields))
    }

    /// Summarises every month that is due; when that has to be tried again, where it has.
    async fn summarise(&self, due: &MailCheck, invocation: &Invocation) -> Result<Option<Timestamp>, StepError> {
        let now = (self.clock)();
        let (account, scratch) = (due.account.clone(), self.scratch.clone());
        let command = Summarise { account, month: None, now, lease: invocation.lease(now), scratch };
        match months::run(&self.ports, &command).await {
            Ok(made) => {
                let new = made.iter().filter(|made| made.is_new).count();
                self.log.count((self.clock)(), &[(Metric::SummarisedMonths, new)]);
                Ok(None)
            }
            Err(StepError::Busy { until, .. }) => Ok(Some(until.max((self.clock)() + PAUSE))),
            Err(error) => Err(error),
        }
    }

    async fn mail(&self, mailing: &Mailing, due: &MailCheck, invocation: &Invocation) -> Result<Mailed, StepError> {
        let lease = invocation.lease((self.clock)());
        let command = MailAccount { account: due.account.clone(), lease, scratch: self.scratch.clone() };
        mail::run(&self.ports, mailing, &command).await
    }

    fn tell(&self, began: Timestamp, mailed: &Mailed, fields: &Fields) {
        let now = (self.clock)();
        let outcome = if mailed.mails.is_empty() { "NOTHING_DUE" } else { "MAILED" };
        let fields = Fields {
            duration_ms: i64::try_from(now.duration_since(began).as_millis()).ok(),
            outcome: Some(outcome.to_owned()),
            ..fields.clone()
        };
        self.log.say(now, Level::Info, "an account was looked after", &fields);
        let waits = |item: &MailItem| matches!(item.state, MailState::Planned { not_before: Some(_) });
        self.log.count(
            now,
            &[
                (Metric::MailSent, mailed.count("SENT")),
                (Metric::MailWaiting, mailed.mails.iter().filter(|(_, item)| waits(item)).count()),
                (Metric::MailUnknown, mailed.count("UNKNOWN")),
                (Metric::MailHuman, mailed.count("HUMAN")),
                (Metric::MailRefused, mailed.count("REFUSED")),
            ],
        );
    }

    async fn told(&self, notification: MailNotification, fields: &Fields) -> Result<(), StepError> {
        let now = (self.clock)();
        match notification {
            MailNotification::Trial => self.log.say(now, Level::Info, "SES tried out the topic", fields),
            MailNotification::Ignored => self.log.say(now, Level::Info, "an event that says nothing of a mail", fields),
            MailNotification::Told { mail, message_id, event } => self.note(&mail, &message_id, event, fields).await?,
        }
        Ok(())
    }

    /// Notes what became of a mail. An event that comes again is not counted again.
    async fn note(&self, mail: &MailId, message_id: &str, event: MailEvent, fields: &Fields) -> Result<(), StepError> {
        let now = (self.clock)();
        if !note_mail_event(&*self.ports.state, mail, message_id, event, now).await? {
            return Ok(());
        }
        let metric = match event {
            MailEvent::Sent | MailEvent::Delivered => None,
            MailEvent::Rejected => Some(Metric::MailRefused),
            MailEvent::Bounced => Some(Metric::Bounce),
            MailEvent::Complained => Some(Metric::Complaint),
        };
        let level = if metric.is_some() { Level::Warn } else { Level::Info };
        let outcome = Some(event.word().to_uppercase());
        let fields = Fields { mail_id: Some(mail.to_string()), outcome, ..fields.clone() };
        self.log.say(now, level, "SES told of a mail", &fields);
        self.log.count(now, &metric.map(|metric| (metric, 1)).into_iter().collect::<Vec<_>>());
        Ok(())
    }

    async fn refuse(&self, body: &str, fields: &Fields) -> Result<(), StepError> {
        let now = (self.clock)();
        refuse::run(&self.ports, body, "it names neither an account nor a mail", now).await?;
        self.log.say(now, Level::Warn, "a message was refused and recorded", fields);
        self.log.count(now, &[(Metric::RefusedMessages, 1)]);
        Ok(())
    }

    async fn send(&self, message: &MailCheck, delay: SignedDuration) -> Result<(), StepError> {
        Ok(self.own.send(&serde_json::to_string(message).unwrap_or_default(), delay).await?)
    }

    fn again(&self, error: &StepError, fields: &Fields) -> Again {
        let level = if error.is_retryable() { Level::Warn } else { Level::Error };
        let fields = Fields { kind: Some(kind_of(error)), ..fields.clone() };
        self.log.say((self.clock)(), level, "an account could not be looked after now", &fields);
        Again
    }
}
