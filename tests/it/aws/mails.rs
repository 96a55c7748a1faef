//! What `email-summary` does with messages: each account for itself, each mail once, whatever SES answers or tells later.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use adapters::inbound::email_summary::EmailSummary;
use adapters::inbound::function::Function;
use adapters::inbound::lambda::{Invocation, batch};
use adapters::inbound::reconcile_settlements::ReconcileSettlements;
use adapters::outbound::mailer::Ses;
use adapters::outbound::queue::MemoryQueue;
use adapters::stand_in_server::{Handler, Loopback};
use async_trait::async_trait;
use aws_lambda_events::event::sqs::SqsEvent;
use dintero::{NoResponse, Response, Sent};
use formats::Limits;
use jiff::SignedDuration;
use jiff::civil::date;
use pipeline::current::accounts::{AddMerchant, add_merchant};
use pipeline::intake::parse::{self, ParseReport};
use pipeline::mail::recipients::{self, AddRecipient};
use pipeline::mail::{self, Mailing};
use pipeline::messages::ReportReady;
use pipeline::{Packing, Ports};
use sandbox::Clock;
use serde_json::{Value, json};
use settlement::{AccountId, Address, MailId, Mailbox, Rhythm};
use store::TokenSecret;
use store::keys::{Key, LandingKey};
use store::memory::{MemoryObjects, MemoryState};
use store::{
    Item, MailEvent, MailItem, Objects, Page, Place, PortError, PortErrorKind, Put, Query, RecipientKind, State,
    TraceItem,
};
use tempfile::TempDir;
use tests::generate::{Line, Report, Settlement, portal_csv};

use super::mailer::config_at;
use super::messages::Lines;
use super::roles::may;
use super::watched::{Kept, Watched};

const LOST: u16 = 0;

const SCHEDULE: &str = r#"{"accounts": "all"}"#;

/// The services that the function uses: records, files, a queue, and a stand-in for SES that keeps what it is asked.
struct World {
    ports: Ports,
    queue: Arc<MemoryQueue>,
    lines: Lines,
    clock: Clock,
    worker: EmailSummary,
    asked: Arc<Mutex<Vec<String>>>,
    /// The status that SES answers with; no answer comes for [`LOST`].
    status: Arc<AtomicU16>,
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
        let (asked, status) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(AtomicU16::new(200)));
        let server = Loopback::bind(0).await.unwrap();
        let config = config_at(&server.url()).await;
        let (kept, says) = (Arc::clone(&asked), Arc::clone(&status));
        let handler: Handler = Arc::new(move |request| {
            let mut kept = kept.lock().unwrap();
            kept.push(request.body.clone().unwrap());
            let number = kept.len();
            let status = says.load(Ordering::Relaxed);
            let body = match status {
                LOST => return Err(NoResponse { sent: Sent::Perhaps, host: String::new(), reason: String::new() }),
                200 => format!(
                    "<SendRawEmailResponse><SendRawEmailResult><MessageId>0100-{number}</MessageId></SendRawEmailResult>\
                     </SendRawEmailResponse>"
                ),
                _ => "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>".to_owned(),
            };
            Ok(Response { status, retry_after: None, body: body.into_bytes() })
        });
        tokio::spawn(server.serve(handler));
        let clock = Clock::at("2026-11-03T05:00:00Z".parse().unwrap());
        let (moving, scratch) = (clock.clone(), tempfile::tempdir().unwrap());
        let time: pipeline::transactions::client::Clock = Arc::new(move || moving.now());
        let ses = Ses::new(&config, "avstem", Arc::clone(&ports.state), Arc::clone(&time));
        let from = Mailbox::from("avstem@example.no".parse::<Address>().unwrap());
        let (queue, lines) = (Arc::<MemoryQueue>::default(), Lines::default());
        let worker = EmailSummary {
            mailing: Some(Mailing::new(Arc::new(ses), from, secret(), Arc::clone(&time))),
            own: queue.clone(),
            function: Function::new("email-summary", ports.clone(), scratch.path().to_owned(), time, lines.clone()),
        };
        World { ports, queue, lines, clock, worker, asked, status, scratch }
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
            kind: Some(RecipientKind::Person),
            language: None,
            rhythms: Some(BTreeSet::from([rhythm])),
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
            function: Function::new(
                "reconcile-settlements",
                self.ports.clone(),
                self.scratch.path().to_owned(),
                Arc::clone(&self.worker.function.clock),
                Lines::default(),
            ),
            dintero: None,
            own: Arc::<MemoryQueue>::default(),
            mails: Some(self.queue.clone()),
        };
        let message = serde_json::to_string(&ReportReady { account: account.clone(), report }).unwrap();
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
        world.status.store(LOST, Ordering::Relaxed);
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
        world.status.store(200, Ordering::Relaxed);
        world.clock.advance(*delay);
        assert!(world.deliver(again).await && world.drain().await.is_empty());
        let (_, item) = world.mails(1).await.remove(0);
        assert_eq!((item.state.word(), world.asked()), ("SENT", if is_told { 1 } else { 2 }));
    }
}

/// What SES does not take waits in the queue for a day, not for ever; the next morning's message takes it up.
#[tokio::test]
async fn what_waits_is_gone_on_with_for_a_day_and_then_in_the_morning() {
    let world = World::new().await;
    world.status.store(400, Ordering::Relaxed);
    world.paid_out(1, Rhythm::EachPayout).await;
    let begun = world.clock.now();
    let mut messages = 0;
    let mut waiting = world.drain().await;
    while let Some((body, delay)) = waiting.pop() {
        assert!(waiting.is_empty() && messages < 1_000, "messages without an end, or several of one");
        messages += 1;
        // SQS holds nothing back for longer.
        world.clock.advance(delay.min(SignedDuration::from_mins(15)));
        assert!(world.deliver(&body).await);
        waiting = world.drain().await;
    }
    let taken = world.clock.now().duration_since(begun);
    let bounds = SignedDuration::from_hours(22)..SignedDuration::from_hours(24);
    assert!(messages > 20 && bounds.contains(&taken), "{messages} messages in {taken:#}");
    assert_eq!(world.mails(1).await.remove(0).1.state.word(), "PLANNED");
    assert!(world.lines.sum("MailWaiting") > 20 && world.lines.sum("MailSent") == 0);
    world.status.store(200, Ordering::Relaxed);
    world.clock.advance(SignedDuration::from_hours(2));
    assert!(world.deliver(SCHEDULE).await && world.drain().await.is_empty());
    assert_eq!((world.mails(1).await.remove(0).1.state.word(), world.lines.sum("MailSent")), ("SENT", 1));
}

/// State of which nothing of the lake can be read.
struct WithoutLake(Arc<dyn State>);

#[async_trait]
impl State for WithoutLake {
    async fn get(&self, partition: &str, sort: &str) -> Result<Option<Item>, PortError> {
        match partition.starts_with("LAKE#") {
            true => Err(PortError::new(PortErrorKind::Unavailable, "Cannot read the state", "throttled")),
            false => self.0.get(partition, sort).await,
        }
    }

    async fn query(&self, query: &Query) -> Result<Page, PortError> {
        self.0.query(query).await
    }

    async fn transact(&self, writes: &[Put]) -> Result<(), PortError> {
        self.0.transact(writes).await
    }
}

/// Whoever waits for a payout does not wait for a month that cannot be summarised; that comes again by itself.
#[tokio::test]
async fn a_month_that_cannot_be_summarised_keeps_no_payout_from_being_told() {
    let mut world = World::new().await;
    world.paid_out(1, Rhythm::EachPayout).await;
    while world.queue.take().is_some() {}
    let whole = world.worker.function.ports.clone();
    world.worker.function.ports.state = Arc::new(WithoutLake(Arc::clone(&whole.state)));
    let message = r#"{"account_id": "T00000001", "months": true}"#;
    assert!(!world.deliver(message).await);
    assert_eq!((world.asked(), world.lines.sum("MailSent"), world.lines.sum("FailedMessages")), (1, 1, 1));
    world.worker.function.ports = whole;
    assert!(world.deliver(message).await);
    assert_eq!((world.asked(), world.lines.sum("SummarisedMonths")), (1, 1));
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

/// T64: the role of the function may do all that its steps were seen to do, which an emulator does not tell apart.
#[tokio::test]
async fn the_role_may_do_what_the_steps_do() {
    let mut world = World::new().await;
    let kept = Arc::<Kept>::default();
    let state: Arc<dyn State> = Arc::new(Watched(Arc::clone(&world.ports.state), Arc::clone(&kept)));
    let objects: Arc<dyn Objects> = Arc::new(Watched(Arc::clone(&world.ports.objects), Arc::clone(&kept)));
    world.worker.function.ports = Ports { state, objects, ..world.ports.clone() };
    for (number, rhythm) in [(1, Rhythm::Monthly), (2, Rhythm::Daily), (3, Rhythm::EachPayout)] {
        world.paid_out(number, rhythm).await;
    }
    world.clock.advance(SignedDuration::from_hours(24));
    assert!(world.deliver(SCHEDULE).await && world.deliver("x").await);
    world.drain().await;
    let (id, _) = world.mails(1).await.remove(0);
    assert!(world.deliver(&told("Bounce", &id, "0100-1")).await && world.asked() == 3, "{}", world.asked());
    let seen = kept.all();
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
