//! Records of a newer release: after a rollback they are left as they are, and whoever needs them is told.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::current::notice;
use pipeline::intake::notice::{AddNotice, add_notice};
use pipeline::intake::refuse;
use pipeline::lake::{self, BuildLake};
use pipeline::mail::recipients::{self, AddRecipient};
use pipeline::mail::{self, MailAccount, Mailing};
use pipeline::months::{self, Summarise};
use pipeline::operate::backfill::{Backfill, BackfillAccount};
use pipeline::operate::explain;
use pipeline::operate::listing::{self, ListSettlements};
use pipeline::operate::sweep::{self, Sweep};
use pipeline::transactions::sync::{self, SyncTransactions};
use settlement::{Address, Fees, Mailbox, PayoutNotice, Rhythm};
use store::TokenSecret;
use store::memory::MemoryMailer;
use store::{Expect, Item, Put, RecipientKind, State};

use super::*;

/// Every sort of record that a day brings about, by what its partition begins with; what SES tells of mails comes from elsewhere.
const SORTS: &[&str] = &[
    "ACCOUNT",
    "ACCOUNTS",
    "BACKFILL",
    "BATCH",
    "DIGEST",
    "DIRTY",
    "HELD",
    "JOURNAL",
    "LAKE",
    "MAIL",
    "MATCH",
    "MERCHANT",
    "NOTICE",
    "OBJECT",
    "OUTBOX",
    "RECIPIENT",
    "REFUSED",
    "REPORT",
    "SETTLEMENT",
    "SUMMARY",
    "SWITCH",
    "SYNC",
];

fn sort_of(item: &Item) -> &str {
    item.partition.split('#').next().unwrap()
}

fn secret() -> TokenSecret {
    TokenSecret::new(*b"for tests alone")
}

impl World {
    /// What the account does in a day, each step behind the other, whatever becomes of the one before: its errors.
    async fn day(&self) -> Vec<String> {
        let mut errors = Vec::new();
        let mut note = |ended: Option<StepError>| errors.extend(ended.map(|error| error.to_string()));
        let (account, scratch, now) = (self.account.clone(), self.scratch.path().to_owned(), self.clock.now());
        let merchant = AddMerchant { account: account.clone(), provider: "vipps".into(), number: "654321".into(), now };
        note(add_merchant(&self.ports, &merchant).await.err());
        let other = Report { settlements: vec![settlement(1, 4)], ..report(Vec::new()) };
        self.pays(&report(vec![settlement(1, 3)]));
        let days = now.duration_since(beginning()).as_hours() / 24;
        let of_the_day = report(vec![settlement(10 + u64::try_from(days).unwrap(), 1)]);
        for (name, bytes) in [
            ("day.csv", portal_csv(&of_the_day)),
            ("a.csv", portal_csv(&report(vec![settlement(1, 3)]))),
            ("conflict.csv", portal_csv(&other)),
            ("nothing.csv", b"nothing".to_vec()),
        ] {
            let gone = self.go(&self.upload(name, bytes)).await;
            match gone {
                Ok(gone) => note(gone.posted.err()),
                Err(error) => note(Some(error)),
            }
        }
        note(refuse::run(&self.ports, "no message", "it names no report", now).await.err());
        note(add_notice(&self.ports, &self.told_notice()).await.err());
        note(post::switch(&self.ports, Some("somebody".into()), "somebody", now).await.err());
        note(post::switch(&self.ports, None, "somebody", now).await.err());
        let all = SyncTransactions {
            account: account.clone(),
            from: None,
            now,
            deadline: Timestamp::MAX,
            scratch: scratch.clone(),
        };
        note(sync::run(&self.ports, &self.dintero, &all).await.err());
        let go_on = PostAccount { account: account.clone(), now, lease: LEASE, scratch: scratch.clone() };
        note(post::go_on(&self.ports, &self.dintero, &go_on).await.err());
        let build = BuildLake { account: account.clone(), now, lease: LEASE, scratch: scratch.clone(), all: true };
        note(lake::run(&self.ports, &build).await.err());
        let summarise =
            Summarise { account: account.clone(), month: None, now, lease: LEASE, scratch: scratch.clone() };
        note(months::run(&self.ports, &summarise).await.err());
        self.mails(&mut note).await;
        note(explain::run(&self.ports, &account, "2000001", &scratch).await.err());
        let backfill = BackfillAccount {
            account: account.clone(),
            prefix: String::new(),
            from: None,
            until: None,
            per_second: std::num::NonZeroU32::MIN,
            lease: LEASE,
            scratch,
            limits: Limits::default(),
        };
        match Backfill::open(&self.ports, &backfill).await {
            Ok(mut backfill) => note(backfill.next(Some(&self.dintero), now).await.err()),
            Err(error) => note(Some(error)),
        }
        note(sweep::find(&self.ports, &self.looked()).await.err());
        let list =
            ListSettlements { account, from: None, to: None, provider: None, state: None, limit: 100, cursor: None };
        note(listing::run(&self.ports, &list).await.err());
        errors
    }

    fn looked(&self) -> Sweep {
        Sweep {
            account: None,
            now: self.clock.now(),
            patience: SignedDuration::ZERO,
            is_thorough: true,
            posts: true,
            asks_for_missing: true,
            scratch: self.scratch.path().to_owned(),
        }
    }

    async fn mails(&self, note: &mut impl FnMut(Option<StepError>)) {
        let (account, now) = (self.account.clone(), self.clock.now());
        let address: Address = "regnskap@example.no".parse().unwrap();
        let add = AddRecipient {
            account: account.clone(),
            address: address.clone(),
            name: None,
            kind: Some(RecipientKind::Person),
            language: None,
            rhythms: Some(BTreeSet::from([Rhythm::EachPayout, Rhythm::Daily])),
            from: Some(date(2026, 1, 1)),
            now,
        };
        match recipients::add(&self.ports, &secret(), &add).await {
            Err(error) => note(Some(error)),
            Ok(item) => {
                let token = secret().token(&account, &address, item.generation);
                note(recipients::confirm(&self.ports, &account, &address, &token, now).await.err());
            }
        }
        let clock = self.clock.clone();
        let from = Mailbox::from("avstem@example.no".parse::<Address>().unwrap());
        let mailing = Mailing::new(Arc::new(MemoryMailer::default()), from, secret(), Arc::new(move || clock.now()));
        let command = MailAccount { account, lease: LEASE, scratch: self.scratch.path().to_owned() };
        note(mail::run(&self.ports, &mailing, &command).await.err());
    }

    /// A notice of a settlement whose list has not come.
    fn told_notice(&self) -> AddNotice {
        let evidence = self.scratch.path().join("balance.pdf");
        std::fs::write(&evidence, "%PDF-1.4 made up").unwrap();
        let currency = "SEK".parse().unwrap();
        let notice = PayoutNotice {
            key: notice::key_of(&self.account, "swedbankpay", "R4321/R4321-0007", currency).unwrap(),
            exponent: 2,
            amount_minor: 1_000,
            fee_minor: 100,
            fee_vat_minor: 0,
            fees: Fees::Deducted,
            payout_minor: 900,
            elsewhere: Vec::new(),
        };
        let (now, scratch) = (self.clock.now(), self.scratch.path().to_owned());
        AddNotice { notice, evidence, by: "regnskap".into(), now, scratch }
    }

    /// The same world over another state.
    fn over(&mut self, state: MemoryState) {
        self.state = Arc::new(state);
        self.ports.state = self.state.clone();
    }

    /// Writes every record that is meant as a newer release would, and gives them.
    async fn write_newer(&self, meant: impl Fn(&Item) -> bool, newer: impl Fn(&Item) -> (u32, Value)) -> Vec<Item> {
        let mut written = Vec::new();
        for item in self.state.all().into_iter().filter(meant) {
            let (schema, body) = newer(&item);
            let Item { partition, sort, .. } = item;
            let put = Put { partition, sort, schema, body, expect: Expect::Any };
            self.state.put_if(&put).await.unwrap();
            written.push(self.state.get(&put.partition, &put.sort).await.unwrap().unwrap());
        }
        written
    }

    /// A day behind the rollback: what was written is as it was, and something was told of a newer version.
    async fn rolled_back(&self, what: &str, written: &[Item]) {
        assert!(!written.is_empty(), "there is no {what}");
        self.clock.advance(SignedDuration::from_hours(24));
        let errors = self.day().await;
        for before in written {
            let now = self.state.get(&before.partition, &before.sort).await.unwrap().unwrap();
            assert_eq!(&now, before, "{what}");
        }
        let told = errors.iter().filter(|error| error.contains("newer version of avstem")).count();
        assert!(told > 0, "nobody is told of {what}: {errors:?}");
    }
}

/// A world where everything was recorded that can be, a month and a day after its report came.
async fn lived() -> World {
    let world = World::new().await;
    world.clock.advance(SignedDuration::from_hours(24 * 40));
    for _ in 0..2 {
        let errors = world.day().await;
        let unexpected: Vec<_> = errors.iter().filter(|error| error.contains("cannot be read")).collect();
        assert!(unexpected.is_empty(), "{unexpected:?}");
        world.clock.advance(SignedDuration::from_hours(24));
    }
    let found: BTreeSet<String> = world.state.all().iter().map(|item| sort_of(item).to_owned()).collect();
    assert_eq!(found, SORTS.iter().map(|sort| (*sort).to_owned()).collect());
    world
}

/// T70: records whose layout is newer than what this release knows, of every sort: none of them is written over.
#[tokio::test]
async fn records_of_a_newer_layout_are_left_alone_and_told_of() {
    let mut world = lived().await;
    let whole = MemoryState::clone(&world.state);
    for sort in SORTS {
        world.over(whole.clone());
        let meant = |item: &Item| sort_of(item) == *sort;
        let newer = |item: &Item| (item.schema + 1, serde_json::json!({ "of": "a newer release" }));
        let written = world.write_newer(meant, newer).await;
        world.rolled_back(sort, &written).await;
    }
}

/// T70: states that this release does not know, in records whose layout it does.
#[tokio::test]
async fn states_that_are_unknown_are_left_alone_and_told_of() {
    let mut world = lived().await;
    let whole = MemoryState::clone(&world.state);
    let mut changed = BTreeMap::<String, usize>::new();
    for sort in ["REPORT", "BATCH", "MAIL"] {
        world.over(whole.clone());
        let meant = |item: &Item| sort_of(item) == sort && with_unknown_states(&item.body) != item.body;
        let written = world.write_newer(meant, |item| (item.schema, with_unknown_states(&item.body))).await;
        *changed.entry(sort.to_owned()).or_default() += written.len();
        world.rolled_back(sort, &written).await;
    }
    assert_eq!(changed.len(), 3);
}

/// The same record with every state in it replaced by one that nobody knows.
fn with_unknown_states(body: &Value) -> Value {
    match body {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(_) if name == "state" => (name.clone(), "OF_A_NEWER_RELEASE".into()),
                _ => (name.clone(), with_unknown_states(value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(values) => values.iter().map(with_unknown_states).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}
