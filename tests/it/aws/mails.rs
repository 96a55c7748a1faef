//! What `email-summary` does with messages: each account for itself, each mail once, whatever SES answers or tells later.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use adapters::inbound::email_summary::EmailSummary;
use adapters::inbound::http::{Handler, Loopback};
use adapters::inbound::lambda::{Invocation, batch};
use adapters::inbound::log::Log;
use adapters::inbound::reconcile_settlements::ReconcileSettlements;
use adapters::outbound::mailer::Ses;
use adapters::outbound::queue::MemoryQueue;
use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use dintero::{Answer, NoAnswer, Sent};
use documents::mail::Rhythm;
use formats::Limits;
use jiff::SignedDuration;
use jiff::civil::date;
use pipeline::account::{AddMerchant, add_merchant};
use pipeline::items::Place;
use pipeline::keys::{Key, LandingKey};
use pipeline::mail::trace::{MailEvent, TraceItem};
use pipeline::mail::{self, MailItem, Mailing};
use pipeline::memory::{MemoryObjects, MemoryState};
use pipeline::parse::{self, ParseReport};
use pipeline::ports::{Address, Item, MailId, Mailbox, ObjectMeta, Page, Put, PutNew, Query, VersionPage};
use pipeline::recipients::{self, AddRecipient, RecipientKind, TokenSecret};
use pipeline::way::GoesOn;
use pipeline::{Objects, Packing, PortError, Ports, State};
use serde_json::{Value, json};
use settlement::AccountId;
use simulation::Clock;
use tempfile::TempDir;
use tests::generate::{Line, Report, Settlement, portal_csv};

use super::mailer::config_at;
use super::messages::Lines;
use super::template::may;

const SCHEDULE: &str = r#"{"accounts": "all"}"#;

/// The services behind the function: records, files, a queue, and a stand-in for SES that keeps what it is asked.
struct World {
    ports: Ports,
    queue: Arc<MemoryQueue>,
    lines: Lines,
    clock: Clock,
    worker: EmailSummary,
    asked: Arc<Mutex<Vec<String>>>,
    loses_answers: Arc<AtomicBool>,
    scratch: TempDir,
}

fn account(number: u32) -> AccountId {
    format!("T{number:08}").parse().unwrap()
}

impl World {
    async fn new() -> Self {
        let objects = Arc::<MemoryObjects>::default();
        World::of(Ports { objects, state: Arc::<MemoryState>::default(), packing: Packing::None }).await
    }

    async fn of(ports: Ports) -> Self {
        let (asked, loses_answers) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let server = Loopback::bind(0).await.unwrap();
        let config = config_at(&server.url()).await;
        let (kept, loses) = (Arc::clone(&asked), Arc::clone(&loses_answers));
        let handler: Handler = Arc::new(move |request| {
            let mut kept = kept.lock().unwrap();
            kept.push(request.body.clone().unwrap());
            let number = kept.len();
            if loses.load(Ordering::Relaxed) {
                return Err(NoAnswer { sent: Sent::Perhaps, host: String::new(), reason: String::new() });
            }
            let body = format!(
                "<SendRawEmailResponse><SendRawEmailResult><MessageId>0100-{number}</MessageId></SendRawEmailResult>\
                 </SendRawEmailResponse>"
            );
            Ok(Answer { status: 200, retry_after: None, body: body.into_bytes() })
        });
        tokio::spawn(server.serve(handler));
        let clock = Clock::at("2026-11-03T05:00:00Z".parse().unwrap());
        let (moving, scratch) = (clock.clone(), tempfile::tempdir().unwrap());
        let time: pipeline::client::Clock = Arc::new(move || moving.now());
        let ses = Ses::new(&config, "avstem", Arc::clone(&ports.state), Arc::clone(&time));
        let from = Mailbox::from("avstem@example.no".parse::<Address>().unwrap());
        let (queue, lines) = (Arc::<MemoryQueue>::default(), Lines::default());
        let worker = EmailSummary {
            ports: ports.clone(),
            mailing: Some(Mailing::new(Arc::new(ses), from, secret(), Arc::clone(&time))),
            own: queue.clone(),
            scratch: scratch.path().to_owned(),
            log: Log::new("email-summary", lines.clone()),
            clock: time,
        };
        World { ports, queue, lines, clock, worker, asked, loses_answers, scratch }
    }

    /// An account with a settlement that was paid out in October, and somebody who waits for what the rhythm says.
    async fn paid_out(&self, number: u32, rhythm: Rhythm) {
        let (account, now) = (account(number), self.clock.now());
        let merchant = 100_000 + u64::from(number);
        let (provider, merchant_number) = ("vipps".to_owned(), merchant.to_string());
        let command = AddMerchant { account: account.clone(), provider, number: merchant_number, now };
        add_merchant(&self.ports, &command).await.unwrap();
        let address: Address = format!("regnskap{number}@example.no").parse().unwrap();
        let command = AddRecipient {
            account: account.clone(),
            address: address.clone(),
            name: None,
            kind: RecipientKind::Person,
            language: None,
            rhythms: BTreeSet::from([rhythm]),
            from: Some(date(2026, 10, 1)),
            now,
        };
        let item = recipients::add(&self.ports, &secret(), &command).await.unwrap();
        let token = secret().token(&account, &address, item.generation);
        recipients::confirm(&self.ports, &account, &address, &token, now).await.unwrap();
        self.reconcile(&account, merchant).await;
    }

    /// Takes a report to its documents, by the functions that do.
    async fn reconcile(&self, account: &AccountId, merchant: u64) {
        let line = Line {
            transaction: 5_600_000_000 + merchant,
            order: format!("BUTIKK-{merchant}"),
            captured_on: date(2026, 10, 18),
            capture_minor: 123_450,
            refund_minor: 0,
            fee_minor: 2_160,
        };
        let settlement = Settlement { id: 2_000_000 + merchant, payout_on: date(2026, 10, 20), lines: vec![line] };
        let landing = LandingKey::new(account.clone(), "vipps", "a.csv").unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), portal_csv(&Report { merchant, settlements: vec![settlement] })).unwrap();
        let version = self.ports.objects.upload(&Key::Landing(landing.clone()), file.path()).await.unwrap().version;
        let command = ParseReport {
            landing,
            version,
            now: self.clock.now(),
            lease: SignedDuration::from_mins(5),
            scratch: self.scratch.path().to_owned(),
            limits: Limits::default(),
            adopts_merchants: false,
        };
        let report = parse::run(&self.ports, &command).await.unwrap().report.unwrap();
        let reconcile = ReconcileSettlements {
            ports: self.ports.clone(),
            dintero: None,
            own: Arc::<MemoryQueue>::default(),
            mails: Some(self.queue.clone()),
            scratch: self.scratch.path().to_owned(),
            log: Log::new("reconcile-settlements", Lines::default()),
            clock: Arc::clone(&self.worker.clock),
        };
        let message = serde_json::to_string(&GoesOn { account: account.clone(), report }).unwrap();
        let invocation = self.invocation();
        assert!(batch(&reconcile, &event(&message), &invocation).await.unwrap().batch_item_failures.is_empty());
    }

    fn invocation(&self) -> Invocation {
        Invocation { deadline: self.clock.now() + SignedDuration::from_mins(5), trace_id: None }
    }

    /// Delivers a message; whether it has come to an end.
    async fn deliver(&self, body: &str) -> bool {
        batch(&self.worker, &event(body), &self.invocation()).await.unwrap().batch_item_failures.is_empty()
    }

    /// Delivers what is in the queue, and what that puts there, as far as it need not wait; gives what waits.
    async fn drain(&self) -> Vec<(String, SignedDuration)> {
        let mut waiting = Vec::new();
        while let Some((body, delay)) = self.queue.take() {
            match delay.is_zero() {
                true => assert!(self.deliver(&body).await, "{body}"),
                false => waiting.push((body, delay)),
            }
        }
        waiting
    }

    async fn mails(&self, number: u32) -> Vec<(MailId, MailItem)> {
        let all = mail::all(&self.ports, &account(number)).await.unwrap();
        all.into_iter().map(|(id, item, _)| (id, item)).collect()
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn secret() -> TokenSecret {
    TokenSecret::new(*b"for tests alone")
}

fn event(body: &str) -> SqsEvent {
    serde_json::from_value(json!({ "Records": [{ "messageId": "0", "body": body }] })).unwrap()
}

/// What SES publishes of a mail.
fn told(kind: &str, id: &MailId, message_id: &str) -> String {
    let mail = json!({ "messageId": message_id, "destination": ["canary@example.no"], "tags": { "mail_id": [id] } });
    json!({ "eventType": kind, "mail": mail }).to_string()
}

/// T33: each account has a message of its own; sent again, and all of them at once, nobody is mailed twice.
#[tokio::test]
async fn a_morning_is_a_message_for_each_account_and_a_month_is_told_once() {
    let world = World::new().await;
    for number in [1, 2] {
        world.paid_out(number, Rhythm::Monthly).await;
    }
    assert!(world.drain().await.is_empty());
    assert_eq!(
        (world.asked(), world.lines.sum("SummarisedMonths")),
        (0, 0),
        "no month is told before it is summarised"
    );
    for _ in 0..3 {
        assert!(world.deliver(SCHEDULE).await);
    }
    assert!(world.drain().await.is_empty());
    assert_eq!((world.asked(), world.lines.sum("SummarisedMonths"), world.lines.sum("MailSent")), (2, 2, 2));
    for number in [1, 2] {
        let mails = world.mails(number).await;
        let [(id, item)] = mails.as_slice() else { panic!("{mails:?}") };
        assert_eq!(item.state.word(), "SENT");
        let asked = world.asked.lock().unwrap().clone();
        let of_mail = |form: &&String| form.contains(id.as_str());
        let form = asked.iter().find(of_mail).unwrap();
        for part in [
            "Action=SendRawEmail".to_owned(),
            "ConfigurationSetName=avstem".to_owned(),
            "Source=avstem%40example.no".to_owned(),
            format!("Destinations.member.1=regnskap{number}%40example.no"),
            format!("Tags.member.1.Name=mail_id&Tags.member.1.Value={id}"),
        ] {
            assert!(form.contains(&part), "{part} is not in {}", &form[..500]);
        }
    }
}

/// A payout is told as soon as its documents are written, without waiting for the morning.
#[tokio::test]
async fn a_payout_is_told_when_its_report_is_reconciled() {
    let world = World::new().await;
    world.paid_out(1, Rhythm::EachPayout).await;
    assert!(world.drain().await.is_empty());
    let mails = world.mails(1).await;
    assert!(mails.len() == 1 && mails.iter().all(|(_, item)| item.payouts.len() == 1), "{mails:?}");
    assert_eq!((world.asked(), world.lines.sum("SummarisedMonths")), (1, 0));
}

/// T34: what SES tells of a mail settles it, whatever became of its answer; without a word it is sent once more.
#[tokio::test]
async fn an_event_of_ses_settles_a_mail_whose_answer_was_lost() {
    for is_told in [true, false] {
        let world = World::new().await;
        world.loses_answers.store(true, Ordering::Relaxed);
        world.paid_out(1, Rhythm::EachPayout).await;
        let waiting = world.drain().await;
        let [(again, delay)] = waiting.as_slice() else { panic!("{waiting:?}") };
        assert_eq!((world.asked(), world.lines.sum("MailUnknown")), (1, 1));
        let (id, item) = world.mails(1).await.remove(0);
        assert_eq!((item.state.word(), *delay), ("UNKNOWN", SignedDuration::from_mins(15)));
        if is_told {
            // As often as it likes, and of mails that nobody here knows.
            for event in [told("Send", &id, "0100-1"), told("Send", &id, "0100-1"), told("Open", &id, "0100-1")] {
                assert!(world.deliver(&event).await);
            }
        }
        world.loses_answers.store(false, Ordering::Relaxed);
        world.clock.advance(*delay);
        assert!(world.deliver(again).await && world.drain().await.is_empty());
        let (_, item) = world.mails(1).await.remove(0);
        assert_eq!((item.state.word(), world.asked()), ("SENT", if is_told { 1 } else { 2 }));
    }
}

/// What does not reach its recipient is counted, once; nothing of an address is in any line.
#[tokio::test]
async fn bounces_and_complaints_are_counted_once() {
    let world = World::new().await;
    world.paid_out(1, Rhythm::EachPayout).await;
    world.drain().await;
    let (id, _) = world.mails(1).await.remove(0);
    for kind in ["Send", "Delivery", "Complaint", "Bounce", "Bounce", "Reject", "Complaint", "Rendering Failure"] {
        assert!(world.deliver(&told(kind, &id, "0100-1")).await, "{kind}");
    }
    assert!(world.deliver("Successfully validated SNS topic for Amazon SES event publishing.").await);
    let counted = ["Bounce", "Complaint", "MailRefused", "RefusedMessages"].map(|metric| world.lines.sum(metric));
    assert_eq!(counted, [1, 1, 1, 0]);
    let (item, _) = Place::trace(&id).read::<TraceItem>(&*world.ports.state).await.unwrap().unwrap();
    let events: Vec<MailEvent> = item.messages["0100-1"].keys().copied().collect();
    use MailEvent::{Bounced, Complained, Delivered, Rejected};
    assert_eq!(events, [MailEvent::Sent, Delivered, Rejected, Bounced, Complained]);
    // What names neither an account nor a mail is recorded.
    for none in ["{}", "x", r#"{"accounts": "some"}"#, r#"{"account_id": "T00000001", "report_id": "0"}"#] {
        assert!(world.deliver(none).await, "{none}");
        assert!(world.ports.state.get(&Place::refused(none).partition, "MESSAGE").await.unwrap().is_some(), "{none}");
    }
    assert_eq!(world.lines.sum("RefusedMessages"), 4);
    assert!(!format!("{:?}", world.lines.read()).contains("example.no"));
}

/// The samples of what triggers the function are read by it as they are.
#[tokio::test]
async fn samples_of_events_are_read() {
    let world = World::new().await;
    world.paid_out(1, Rhythm::Monthly).await;
    world.drain().await;
    for (name, said) in [
        ("email-summary-schedule.json", "every account has its message"),
        ("email-summary-account.json", "an account was looked after"),
        ("email-summary-bounce.json", "SES told of a mail"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name);
        let event: SqsEvent = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let before = world.lines.said(said);
        let response = batch(&world.worker, &event, &world.invocation()).await.unwrap();
        assert!(response.batch_item_failures.is_empty() && world.lines.said(said) == before + 1, "{name}");
    }
    assert_eq!((world.lines.sum("Bounce"), world.asked()), (1, 1));
}

/// What a step reads and writes, by the names that its role is given.
#[derive(Default)]
struct Kept(Mutex<BTreeSet<(&'static str, String)>>);

impl Kept {
    fn keep(&self, action: &'static str, place: String) {
        self.0.lock().unwrap().insert((action, place));
    }
}

struct Watched<T: ?Sized>(Arc<T>, Arc<Kept>);

#[async_trait]
impl State for Watched<dyn State> {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        self.1.keep("dynamodb:GetItem", format!("{partition} of Table"));
        self.0.get(partition, sort).await
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.1.keep("dynamodb:Query", format!("{} of Table", query.partition));
        self.0.query(query).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        for put in writes {
            self.1.keep("dynamodb:UpdateItem", format!("{} of Table", put.partition));
        }
        self.0.transact(writes).await
    }
}

/// The bucket of a key, as the template calls it, and the rest of the key.
fn in_bucket(key: &str) -> String {
    let (part, rest) = key.split_once('/').unwrap();
    let (first, others) = part.split_at(1);
    format!("{}{others}Bucket/{rest}", first.to_uppercase())
}

#[async_trait]
impl Objects for Watched<dyn Objects> {
    async fn head(&self, key: &Key) -> Result<Option<ObjectMeta>, PortError> {
        self.1.keep("s3:GetObject", in_bucket(&key.to_string()));
        self.0.head(key).await
    }

    async fn fetch(&self, key: &Key, version: &str, into: &mut (dyn std::io::Write + Send)) -> Result<u64, PortError> {
        self.1.keep("s3:GetObjectVersion", in_bucket(&key.to_string()));
        self.0.fetch(key, version, into).await
    }

    async fn upload(&self, key: &Key, file: &Path) -> Result<ObjectMeta, PortError> {
        self.1.keep("s3:PutObject", in_bucket(&key.to_string()));
        self.0.upload(key, file).await
    }

    async fn upload_if(&self, key: &Key, file: &Path, before: Option<&ObjectMeta>) -> Result<PutNew, PortError> {
        self.1.keep("s3:PutObject", in_bucket(&key.to_string()));
        self.0.upload_if(key, file, before).await
    }

    async fn versions(&self, prefix: &str, cursor: Option<&str>) -> Result<VersionPage, PortError> {
        let bucket = in_bucket(prefix);
        self.1.keep("s3:ListBucketVersions", bucket.split('/').next().unwrap().to_owned());
        self.0.versions(prefix, cursor).await
    }

    async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<PutNew, PortError> {
        self.1.keep("s3:PutObject", in_bucket(&key.to_string()));
        self.0.put_new(key, bytes).await
    }
}

/// T64: the role of the function may do all that its steps were seen to do, which an emulator does not tell apart.
#[tokio::test]
async fn the_role_may_do_what_the_steps_do() {
    let mut world = World::new().await;
    let kept = Arc::<Kept>::default();
    let state: Arc<dyn State> = Arc::new(Watched(Arc::clone(&world.ports.state), Arc::clone(&kept)));
    let objects: Arc<dyn Objects> = Arc::new(Watched(Arc::clone(&world.ports.objects), Arc::clone(&kept)));
    world.worker.ports = Ports { state, objects, ..world.ports.clone() };
    for (number, rhythm) in [(1, Rhythm::Monthly), (2, Rhythm::Daily), (3, Rhythm::EachPayout)] {
        world.paid_out(number, rhythm).await;
    }
    world.clock.advance(SignedDuration::from_hours(24));
    assert!(world.deliver(SCHEDULE).await && world.deliver("x").await);
    world.drain().await;
    let (id, _) = world.mails(1).await.remove(0);
    assert!(world.deliver(&told("Bounce", &id, "0100-1")).await && world.asked() == 3, "{}", world.asked());
    let seen = kept.0.lock().unwrap().clone();
    let of = |action: &str, word: &str| seen.iter().any(|(known, place)| *known == action && place.starts_with(word));
    for (action, word) in [
        ("dynamodb:UpdateItem", "SUMMARY#"),
        ("dynamodb:UpdateItem", "TRACE#"),
        ("dynamodb:Query", "ACCOUNTS"),
        ("s3:PutObject", "MailBucket/"),
        ("s3:PutObject", "LakeBucket/v1/"),
        ("s3:ListBucketVersions", "LandingBucket"),
    ] {
        assert!(of(action, word), "{action} {word} was not seen");
    }
    let denied: Vec<_> = seen.iter().filter(|(action, place)| !may("SummaryRole", action, place)).collect();
    assert_eq!(denied, Vec::<&(&str, String)>::new());
}

/// Values of events that are the schedule's own are those of the template.
#[test]
fn the_schedule_says_what_the_function_reads() {
    let target = &super::template::resource("SummarySchedule")["Target"];
    let input: Value = serde_json::from_str(target["Input"].as_str().unwrap()).unwrap();
    assert_eq!(input, serde_json::from_str::<Value>(SCHEDULE).unwrap());
}
