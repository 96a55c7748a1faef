//! The port of HTTP keeps its contract over the network as in memory: sent once, to its host alone, and honest on whether
//! a request may have arrived.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use adapters::outbound::http::{HttpLimits, Reqwest};
use adapters::stand_in_server::{Handler, Loopback};
use dintero::{Api, Credentials, Hosts, Method, NoResponse, Outcome, Request, Response, Secret, Sent, Signs, outcome};
use jiff::{SignedDuration, Timestamp};
use sandbox::example::{self, CLIENT_ID, CLIENT_SECRET};
use sandbox::{Clock, InProcess, Sandbox};
use settlement::{AccountId, SettlementEvent};
use store::HttpClient;

const CANARY: &str = "canary-token";

fn client() -> Reqwest {
    let (connect, whole) = (Duration::from_millis(500), Duration::from_millis(300));
    Reqwest::new(HttpLimits { connect, whole, body_bytes_max: 1_000 }).unwrap()
}

fn request(url: &str) -> Request {
    Request {
        method: Method::Post,
        url: url.to_owned(),
        authorization: Secret::new(format!("Bearer {CANARY}")),
        body: Some("{}".to_owned()),
        not_after: None,
    }
}

/// A server that has this to say to one request, whole or not, and what it was sent.
fn says(answer: &'static [u8], silence: Duration) -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/v1/canary-path?query=canary", listener.local_addr().unwrap());
    let (heard, hears) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = vec![0; 4_096];
            let read = stream.read(&mut bytes).unwrap();
            bytes.truncate(read);
            heard.send(bytes).unwrap();
            std::thread::sleep(silence);
            let _ = stream.write_all(answer);
        }
    });
    (url, hears)
}

/// The error of a request, which names the host and nothing else of it.
async fn lost(client: &Reqwest, request: &Request) -> NoResponse {
    let error = client.send(request).await.unwrap_err();
    let shown = format!("{error} {error:?} {client:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(!format!("{request:?}").contains(CANARY));
    error
}

async fn served(handler: Handler) -> String {
    let server = Loopback::bind(0).await.unwrap();
    let url = server.url();
    tokio::spawn(server.serve(handler));
    url
}

#[tokio::test]
async fn a_request_arrives_as_it_is_and_its_answer_comes_back() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&seen);
    let url = served(Arc::new(move |request| {
        known.lock().unwrap().push(request.clone());
        Ok(Response { status: 200, retry_after: None, body: b"[]".to_vec() })
    }))
    .await;
    let mut sent = request(&format!("{url}/v1/transactions?limit=100&captured_at.gte=2026-10-05T00%3A00%3A00Z"));
    sent.body = Some(r#"{"text":"æøå"}"#.to_owned());
    let answer = client().send(&sent).await.unwrap();
    assert_eq!(answer, Response { status: 200, retry_after: None, body: b"[]".to_vec() });
    sent.method = Method::Get;
    sent.body = None;
    client().send(&sent).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].body.as_deref()), (2, Some(r#"{"text":"æøå"}"#)));
    assert_eq!(seen[1], sent);
}

#[tokio::test]
async fn status_and_retry_after_are_told() {
    for (status, seconds) in [(429, Some(120)), (503, Some(0)), (500, None), (401, None)] {
        let retry_after = seconds.map(SignedDuration::from_secs);
        let answer = Response { status, retry_after, body: br#"{"error":{"message":"no"}}"#.to_vec() };
        let given = answer.clone();
        let url = served(Arc::new(move |_| Ok(given.clone()))).await;
        assert_eq!(client().send(&request(&url)).await, Ok(answer));
    }
    for (header, expected) in [("7", Some(7)), (" 7 ", Some(7)), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)]
    {
        let answer = format!("HTTP/1.1 429 No\r\nretry-after: {header}\r\ncontent-length: 0\r\n\r\n").leak();
        let (url, _hears) = says(answer.as_bytes(), Duration::ZERO);
        let answer = client().send(&request(&url)).await.unwrap();
        assert_eq!(answer.retry_after, expected.map(SignedDuration::from_secs), "{header}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_never_followed() {
    let elsewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = elsewhere.local_addr().unwrap();
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: http://{location}/\r\ncontent-length: 0\r\n\r\n").leak();
        let (url, _hears) = says(answer.as_bytes(), Duration::ZERO);
        let answer = client().send(&request(&url)).await.unwrap();
        assert_eq!(answer.status.to_string(), status[..3]);
        assert!(matches!(outcome(&Ok(answer)), Outcome::Unknown(_)));
    }
    assert_eq!(elsewhere.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_token_goes_over_https_or_stays_on_this_machine() {
    let client = client();
    let refused = [
        "http://checkout.dintero.com/v1/transactions?canary",
        "http://127.0.0.1.example.com/canary",
        "http://localhost.example.com/canary",
        "http://10.0.0.1/canary",
        "http://[2001:db8::1]/canary",
        "http://canary:canary@127.0.0.1/",
        "https://canary@checkout.dintero.com/",
        "ftp://127.0.0.1/canary",
        "file:///canary",
        "canary",
        "",
    ];
    for url in refused {
        let error = client.send(&request(url)).await.unwrap_err();
        assert_eq!(error.sent, Sent::No, "{url}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    let mut two_lines = request("http://127.0.0.1:9/");
    two_lines.authorization = Secret::new("Bearer canary\r\nX-Evil: canary");
    assert_eq!(lost(&client, &two_lines).await.sent, Sent::No);
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let client = client();
    // A port that was just given up.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let error = lost(&client, &request(&format!("http://127.0.0.1:{port}/canary?canary"))).await;
    assert_eq!((error.sent, error.host.as_str()), (Sent::No, "127.0.0.1"));
    assert!(error.reason.contains("no connection"), "{error}");
    // Somebody is there who knows no TLS.
    let (url, _hears) = says(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Duration::ZERO);
    let error = lost(&client, &request(&url.replace("http://", "https://"))).await;
    assert_eq!(error.sent, Sent::No);
}

#[tokio::test]
async fn a_request_that_left_may_have_arrived() {
    let client = client();
    let cut: [&[u8]; 5] = [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1,2",
        b"canary\r\n\r\n",
    ];
    for answer in cut {
        let (url, hears) = says(answer, Duration::ZERO);
        let error = lost(&client, &request(&url)).await;
        assert_eq!(error.sent, Sent::Perhaps, "{error}");
        assert!(matches!(outcome(&Err(error)), Outcome::Unknown(_)));
        let heard = String::from_utf8(hears.recv().unwrap()).unwrap();
        assert!(heard.contains(CANARY) && heard.starts_with("POST /v1/canary-path?query=canary"), "{heard}");
        // It is not sent again.
        assert!(hears.recv_timeout(Duration::from_millis(20)).is_err());
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_may_still_come() {
    let (url, hears) = says(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Duration::from_secs(5));
    let begun = Instant::now();
    let error = lost(&client(), &request(&url)).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(error.sent, Sent::Perhaps);
    assert!(error.reason.contains("300ms"), "{error}");
    assert!(hears.recv().is_ok() && hears.recv_timeout(Duration::from_millis(20)).is_err());
    // The time holds for the body as well.
    let slow = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[";
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4_096]);
        let _ = stream.write_all(slow);
        std::thread::sleep(Duration::from_secs(5));
    });
    assert_eq!(lost(&client(), &request(&url)).await.sent, Sent::Perhaps);
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_answer_has_a_limit() {
    for (bytes, within) in [(1_000, true), (1_001, false)] {
        let answer = Response { status: 200, retry_after: None, body: vec![b'1'; bytes] };
        let given = answer.clone();
        let url = served(Arc::new(move |_| Ok(given.clone()))).await;
        match client().send(&request(&url)).await {
            Ok(found) => assert!(within && found == answer),
            Err(error) => assert!(!within && error.sent == Sent::Perhaps, "{error}"),
        }
    }
}

#[tokio::test]
async fn what_is_too_late_is_not_sent() {
    let (url, hears) = says(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Duration::ZERO);
    let mut late = request(&url);
    late.not_after = Some(Timestamp::now() - SignedDuration::from_secs(1));
    assert_eq!(lost(&client(), &late).await.sent, Sent::No);
    assert!(hears.try_recv().is_err());
    late.not_after = Some(Timestamp::now() + SignedDuration::from_secs(60));
    assert_eq!(client().send(&late).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_server_on_this_machine_answers_nobody_else() {
    let url = served(Arc::new(|_| panic!("nobody may come this far"))).await;
    let address = url.trim_start_matches("http://").to_owned();
    let status = move |head: String| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[..12].to_owned()
    };
    let asked = tokio::task::spawn_blocking(move || {
        [
            ("GET / HTTP/1.1", "evil.example.com"),
            ("GET / HTTP/1.1", "evil.example.com:80"),
            ("PUT / HTTP/1.1", "localhost"),
        ]
        .map(|(line, host)| status(format!("{line}\r\nhost: {host}\r\nconnection: close\r\n\r\n")))
    });
    assert_eq!(asked.await.unwrap(), ["HTTP/1.1 403", "HTTP/1.1 403", "HTTP/1.1 405"]);
}

/// What a step does first: a token, a reading, a posting, and a reading again.
async fn goes_the_whole_way(client: &dyn HttpClient, hosts: Hosts, now: Timestamp) {
    let account: AccountId = "T00000001".parse().unwrap();
    let first = example::transactions(&account).swap_remove(0).id;
    let api = Api::new(hosts, account);
    let credentials =
        |secret: &str| Credentials { client_id: CLIENT_ID.to_owned(), client_secret: Secret::new(secret) };
    assert_eq!(client.send(&api.token(&credentials("wrong"))).await.unwrap().status, 401);
    let token = dintero::token(&client.send(&api.token(&credentials(CLIENT_SECRET))).await.unwrap(), now).unwrap();
    let event = SettlementEvent {
        settlement_id: "T00000001/vipps/123456/2000461/NOK".to_owned(),
        provider_reference: "2000461".to_owned(),
        event_correlation_id: None,
        amount_minor: 34_289,
        capture_minor: 34_900,
        refund_minor: 0,
        fee_minor: 611,
    };
    let reading = api.transactions_by_id(&token, [first.as_str()]);
    let read = dintero::transactions(&client.send(&reading).await.unwrap()).unwrap();
    assert_eq!((read.len(), read[0].all_settlement_events().count()), (1, 0));
    let body = dintero::body([(first.as_str(), &event)], Signs::Magnitudes);
    let posted = client.send(&api.add_settlement_events(&token, body, now + SignedDuration::from_secs(60))).await;
    assert!(matches!(outcome(&posted), Outcome::Applied(listed) if listed.len() == 1));
    let read = dintero::transactions(&client.send(&reading).await.unwrap()).unwrap();
    assert_eq!(read[0].all_settlement_events().collect::<Vec<_>>(), [&event]);
}

fn shop() -> Sandbox {
    example::sandbox(&"T00000001".parse().unwrap())
}

#[tokio::test]
async fn the_sandbox_is_the_same_in_process_and_over_the_network() {
    let now: Timestamp = "2026-11-01T06:00:00Z".parse().unwrap();
    let in_process = InProcess::new(Arc::new(Mutex::new(shop())), Clock::at(now));
    goes_the_whole_way(&in_process, Hosts::default(), now).await;

    let sandbox = Mutex::new(shop());
    let url = served(Arc::new(move |request| sandbox.lock().unwrap().answer(request, Timestamp::now()))).await;
    let limits = HttpLimits { whole: Duration::from_secs(2), ..HttpLimits::default() };
    let over_network = Reqwest::new(limits).unwrap();
    let hosts = Hosts { api: url.clone(), checkout: url };
    goes_the_whole_way(&over_network, hosts, Timestamp::now()).await;
}

/// What a command prints, as far as it has come.
struct Printed(mpsc::Sender<String>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn avstem_sandbox_says_how_it_is_reached() {
    let (sender, printed) = mpsc::channel();
    std::thread::spawn(move || {
        let arguments = ["avstem", "sandbox", "--port", "0", "--fault", "transactions=too-many-requests:7"];
        cli::run(arguments.map(Into::into), &mut Printed(sender))
    });
    let mut text = String::new();
    while !text.contains("Ctrl-C") {
        text.push_str(&printed.recv_timeout(Duration::from_secs(10)).unwrap());
    }
    assert!(text.contains(CLIENT_ID) && text.contains(CLIENT_SECRET) && text.contains("BUTIKK-1001"), "{text}");
    let url = text.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")).unwrap().to_owned();
    let limits = HttpLimits { whole: Duration::from_secs(2), ..HttpLimits::default() };
    let client = Reqwest::new(limits).unwrap();
    let answer =
        client.send(&Request { method: Method::Get, ..request(&format!("{url}/v1/transactions")) }).await.unwrap();
    assert_eq!((answer.status, answer.retry_after), (429, Some(SignedDuration::from_secs(7))));
    goes_the_whole_way(&client, Hosts { api: url.clone(), checkout: url }, Timestamp::now()).await;
}
