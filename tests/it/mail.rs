//! Mails, from a report that counts to what lies in a mailbox: each once, to whoever confirmed, of what is proved.

mod commands;
mod due;
mod once;
mod read;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use formats::Limits;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use pipeline::current::accounts::{AddMerchant, add_merchant};
use pipeline::intake::parse::ParseReport;
use pipeline::mail::recipients::{self};
use pipeline::mail::{self, MailAccount, Mailed, Mailing};
use pipeline::operate::process::{self, Processed};
use pipeline::{Packing, Ports};
use sandbox::Clock;
use settlement::{AccountId, MailId, Rhythm};
use store::TokenSecret;
use store::keys::{Key, LandingKey};
use store::memory::{MemoryMailer, MemoryObjects, MemoryState};
use store::{Envelope, MailItem, MailState, Mailer, NotSent, NotSentKind, PortError, RecipientItem, RecipientKind};
use tempfile::TempDir;
use tests::generate::{Line, Report, Settlement, portal_csv};

const LEASE: SignedDuration = SignedDuration::from_mins(5);

/// An account, its files and records, and a mailer that keeps what it sends.
struct World {
    objects: Arc<MemoryObjects>,
    ports: Ports,
    service: Arc<Service>,
    clock: Clock,
    account: AccountId,
    scratch: TempDir,
}

/// A mailer whose next answers are told before.
#[derive(Default)]
struct Service {
    inner: MemoryMailer,
    answers: Mutex<Vec<Answer>>,
    calls: Mutex<usize>,
}

/// What becomes of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Throttled,
    Refused,
    /// It never left.
    Lost,
    /// It left, and the answer did not come.
    LostBehind,
}

#[async_trait]
impl Mailer for Service {
    async fn send(&self, envelope: &Envelope<'_>, message: &[u8]) -> Result<String, NotSent> {
        *self.calls.lock().unwrap() += 1;
        let not_sent = |kind| Err(NotSent { kind, why: format!("{kind:?}") });
        let answer = self.answers.lock().unwrap().pop();
        match answer {
            Some(Answer::Throttled) => not_sent(NotSentKind::Later),
            Some(Answer::Refused) => not_sent(NotSentKind::Refused),
            Some(Answer::Lost) => not_sent(NotSentKind::Unknown),
            Some(Answer::LostBehind) => {
                self.inner.send(envelope, message).await?;
                not_sent(NotSentKind::Unknown)
            }
            None => self.inner.send(envelope, message).await,
        }
    }

    async fn sent(&self, id: &MailId) -> Result<Option<String>, PortError> {
        self.inner.sent(id).await
    }
}

fn secret() -> TokenSecret {
    TokenSecret::new(*b"for tests alone")
}

fn beginning() -> Timestamp {
    "2026-11-03T09:00:00Z".parse().unwrap()
}

impl World {
    async fn new() -> Self {
        let (objects, state) = (Arc::<MemoryObjects>::default(), Arc::<MemoryState>::default());
        let ports = Ports { objects: objects.clone(), state, packing: Packing::None };
        let (account, clock): (AccountId, _) = ("T00000001".parse().unwrap(), Clock::at(beginning()));
        for (provider, number) in [("vipps", "123456"), ("swedbankpay", "R4321")] {
            let (provider, number, now) = (provider.to_owned(), number.to_owned(), clock.now());
            add_merchant(&ports, &AddMerchant { account: account.clone(), provider, number, now }).await.unwrap();
        }
        let scratch = tempfile::tempdir().unwrap();
        World { objects, ports, service: Arc::default(), clock, account, scratch }
    }

    /// A world where a settlement of so many sales counts and a person is told of each payout.
    async fn with_payout(sales: u64) -> Self {
        let world = World::new().await;
        world.told("regnskap@example.no", RecipientKind::Person, &[Rhythm::EachPayout]).await;
        world.take("vipps", "a.csv", portal_csv(&report(vec![settlement(1, sales)]))).await;
        world
    }

    fn mailing(&self) -> Mailing {
        tests::mails::mailing(self.service.clone(), &self.clock)
    }

    fn command(&self) -> MailAccount {
        let scratch = self.scratch.path().to_owned();
        MailAccount { account: self.account.clone(), lease: LEASE, scratch }
    }

    async fn send(&self) -> Mailed {
        mail::run(&self.ports, &self.mailing(), &self.command()).await.unwrap()
    }

    async fn add(&self, address: &str, kind: RecipientKind, rhythms: &[Rhythm]) -> RecipientItem {
        tests::mails::add(&self.ports, &self.account, (address, kind), rhythms, self.clock.now()).await
    }

    async fn confirm(&self, item: &RecipientItem) {
        tests::mails::confirm(&self.ports, &self.account, item, self.clock.now()).await;
    }

    /// A recipient who has confirmed.
    async fn told(&self, address: &str, kind: RecipientKind, rhythms: &[Rhythm]) {
        let item = self.add(address, kind, rhythms).await;
        self.confirm(&item).await;
    }

    async fn take(&self, provider: &str, name: &str, bytes: Vec<u8>) -> Processed {
        let landing = LandingKey::new(self.account.clone(), provider, name).unwrap();
        let version = self.objects.put_version(&Key::Landing(landing.clone()), bytes).version;
        let (now, scratch) = (self.clock.now(), self.scratch.path().to_owned());
        let command = ParseReport {
            landing,
            version,
            now,
            lease: LEASE,
            scratch,
            limits: Limits::default(),
            adopts_merchants: false,
        };
        process::process_upload(&self.ports, None, &command).await.unwrap()
    }

    /// Every mail that left, by subject.
    async fn items(&self) -> Vec<MailItem> {
        mail::all(&self.ports, &self.account).await.unwrap().into_iter().map(|(_, item, _)| item).collect()
    }

    fn left(&self) -> usize {
        self.service.inner.all().len()
    }

    fn answers(&self, answers: &[Answer]) {
        *self.service.answers.lock().unwrap() = answers.iter().rev().copied().collect();
    }
}

fn report(settlements: Vec<Settlement>) -> Report {
    Report { merchant: 123_456, settlements }
}

fn settlement(number: u64, sales: u64) -> Settlement {
    let line = |place: u64| Line {
        transaction: 5_600_000_000 + number * 100_000 + place,
        order: format!("BUTIKK-{number}-{place:04}"),
        captured_on: date(2026, 10, 30),
        capture_minor: 123_450 + i64::try_from(place).unwrap(),
        refund_minor: 0,
        fee_minor: 2_160,
    };
    Settlement { id: 2_000_000 + number, payout_on: date(2026, 11, 2), lines: (0..sales).map(line).collect() }
}
