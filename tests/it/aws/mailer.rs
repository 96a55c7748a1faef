//! SES keeps the contract of mailers; whatever it answers, or does not, is told for what it is.

use std::sync::Arc;
use std::time::Duration;

use adapters::outbound::aws;
use adapters::outbound::mailer::Ses;
use adapters::outbound::state::MemoryState;
use adapters::stand_in_server::{Handler, Loopback};
use aws_config::{Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use dintero::{NoResponse, Response, Sent};
use jiff::{SignedDuration, Timestamp};
use settlement::{Address, MailId};
use store::{Envelope, Mailer, NotSentKind, State};
use tests::contract;

use super::adapters::prepared;

#[tokio::test]
async fn ses_keeps_the_contract_of_mailers() {
    let (emulator, _) = prepared();
    let state: Arc<dyn State> = Arc::new(MemoryState::default());
    let ses = Ses::new(&emulator.config().await, "contract", Arc::clone(&state), Arc::new(Timestamp::now));
    contract::mailer(&ses).await;
    // Each mail left once and whole, to the one recipient.
    let mails = emulator.mails(2);
    assert_eq!(mails.len(), 2);
    for mail in mails {
        let text = String::from_utf8(mail).unwrap();
        assert!(text.contains("X-RcptTo: regnskap@example.no\n") && text.contains("Subject: x\n"), "{text}");
        assert!(text.ends_with("\n\nx\n"), "{text}");
    }
    // Whoever comes next knows what was sent.
    contract::is_known(&Ses::new(&emulator.config().await, "contract", state, Arc::new(Timestamp::now))).await;
    // An address that is not the sender's own waits to be verified, and is no mail that is lost.
    let from = address("avstem@example.com");
    let not_sent = send(&ses, &from, SignedDuration::from_secs(30)).await.unwrap_err();
    assert_eq!((not_sent.kind, not_sent.why.contains('@')), (NotSentKind::Later, false), "{not_sent}");
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

async fn send(ses: &Ses, from: &Address, time: SignedDuration) -> Result<String, store::NotSent> {
    let to = address("regnskap@example.no");
    let account = "T00000001".parse().unwrap();
    let id = MailId::of(&account, "payout", "x", 7, &to, "nb");
    let now = Timestamp::now();
    let envelope = Envelope { id: &id, at: now, from, to: &to, not_after: now + time };
    ses.send(&envelope, contract::MESSAGE).await
}

/// A configuration that leads to a stand-in.
pub(super) async fn config_at(url: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "stand-in");
    let loader = aws::loader().endpoint_url(url).region(Region::new("eu-north-1"));
    loader.credentials_provider(credentials).load().await
}

/// A client of a stand-in, and what it notes of mails.
async fn at(url: &str) -> (Ses, Arc<MemoryState>) {
    let config = config_at(url).await;
    let state = Arc::new(MemoryState::default());
    (Ses::new(&config, "contract", state.clone(), Arc::new(Timestamp::now)), state)
}

/// What becomes of a mail, and how often it was asked for.
async fn answered(handler: Handler) -> (Result<String, NotSentKind>, usize) {
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let server = Loopback::bind(0).await.unwrap();
    let (ses, _) = at(&server.url()).await;
    let counted = Arc::clone(&count);
    let serving = tokio::spawn(server.serve(Arc::new(move |request| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        handler(request)
    })));
    let sent = send(&ses, &address("avstem@example.no"), SignedDuration::from_secs(30)).await;
    serving.abort();
    (sent.map_err(|not_sent| not_sent.kind), count.load(std::sync::atomic::Ordering::Relaxed))
}

fn says(status: u16, retry_after: Option<i64>, body: &str) -> Handler {
    let body = body.as_bytes().to_vec();
    Arc::new(move |_| {
        Ok(Response { status, retry_after: retry_after.map(SignedDuration::from_secs), body: body.clone() })
    })
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

/// T35: what may have been taken is unknown; only what surely was not comes again; each mail is asked for once.
#[tokio::test]
async fn every_answer_of_ses_is_told_for_what_it_is() {
    let taken = "<SendRawEmailResponse><SendRawEmailResult><MessageId>0100</MessageId></SendRawEmailResult>\
                 </SendRawEmailResponse>";
    let unreadable = "<SendRawEmailResponse><SendRawEmailResult>";
    for (handler, expected) in [
        (says(200, None, taken), Ok("0100".to_owned())),
        (says(200, None, "<SendRawEmailResponse></SendRawEmailResponse>"), Err(NotSentKind::Unknown)),
        (says(200, None, unreadable), Err(NotSentKind::Unknown)),
        (says(500, None, &error("InternalFailure", "")), Err(NotSentKind::Unknown)),
        (says(503, None, &error("ServiceUnavailable", "")), Err(NotSentKind::Unknown)),
        (says(503, Some(2), &error("ServiceUnavailable", "")), Err(NotSentKind::Later)),
        (says(504, None, "<html>"), Err(NotSentKind::Unknown)),
        (says(429, None, ""), Err(NotSentKind::Later)),
        (says(400, None, &error("Throttling", "Maximum sending rate exceeded.")), Err(NotSentKind::Later)),
        (says(403, None, &error("AccessDenied", "")), Err(NotSentKind::Later)),
        (says(400, None, &error("MessageRejected", "Message contains a virus")), Err(NotSentKind::Refused)),
        (says(400, None, &error("InvalidParameterValue", "Missing final '@domain'")), Err(NotSentKind::Refused)),
    ] {
        assert_eq!(answered(handler).await, (expected, 1));
    }
    // The request is there, and its answer is lost.
    let lost =
        |_: &dintero::Request| Err(NoResponse { sent: Sent::Perhaps, host: String::new(), reason: String::new() });
    assert_eq!(answered(Arc::new(lost)).await, (Err(NotSentKind::Unknown), 1));
}

/// A mail that waits for its answer is given up when the lease ends, and nothing is sent after it.
#[tokio::test]
async fn nothing_is_sent_behind_the_lease_and_nothing_without_a_connection_is_unknown() {
    let from = address("avstem@example.no");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (ses, _) = at(&format!("http://{}", silent.local_addr().unwrap())).await;
    let asked = async { tokio::time::timeout(Duration::from_millis(200), silent.accept()).await.is_ok() };
    let (sent, asked) = tokio::join!(send(&ses, &from, SignedDuration::from_secs(-1)), asked);
    assert_eq!((sent.unwrap_err().kind, asked), (NotSentKind::Later, false));
    let begun = std::time::Instant::now();
    let not_sent = send(&ses, &from, SignedDuration::from_millis(700)).await.unwrap_err();
    assert_eq!(not_sent.kind, NotSentKind::Unknown);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let (ses, state) = at(&format!("http://{}", silent.local_addr().unwrap())).await;
    drop(silent);
    assert_eq!(send(&ses, &from, SignedDuration::from_secs(30)).await.unwrap_err().kind, NotSentKind::Later);
    assert!(state.all().is_empty());
}
