//! An emulator of AWS on this machine: real APIs, real permissions, nothing that leaves the machine.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use adapters::outbound::aws;
use aws_config::{Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use tempfile::TempDir;

use crate::python::python_of;

const REGION: &str = "eu-north-1";

/// Ends the emulator when nobody holds the other end of its standard input any more, however the test ended.
const HELD: &str = "\"$0\" \"$@\" & pid=$!; read -r _; kill $pid; wait $pid";

/// A running emulator and the inbox that its mails go to, stopped when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    port: u16,
    folder: TempDir,
    inbox: Child,
}

impl Emulator {
    /// Starts one on a free port of the loopback interface.
    ///
    /// # Panics
    /// When it cannot be had, since nothing would be held against it then.
    pub fn start() -> Self {
        let python = python_of("emulator", "emulator/requirements.txt");
        let folder = tempfile::tempdir().expect("a folder for the emulator");
        let (port, inbox_port) = (free_port(), free_port());
        let started = |name: &str, arguments: &[&str], environment: &[(&str, String)]| {
            let log = std::fs::File::create(folder.path().join(format!("{name}.log"))).expect("a log");
            Command::new("sh")
                .args(["-c", HELD])
                .arg(&python)
                .args(arguments)
                .env_remove("AWS_PROFILE")
                .envs(environment.iter().map(|(name, value)| (*name, value)))
                .stdin(Stdio::piped())
                .stdout(log.try_clone().expect("a log"))
                .stderr(log)
                .spawn()
                .expect(name)
        };
        let (inbox_at, mails) = (format!("127.0.0.1:{inbox_port}"), folder.path().join("mails"));
        let mails = mails.to_str().expect("a path");
        let listen = ["-m", "aiosmtpd", "-n", "-l", inbox_at.as_str(), "-c", "aiosmtpd.handlers.Mailbox", mails];
        let inbox = started("inbox", &listen, &[]);
        let mut own: Vec<(&str, String)> = environment(port).into();
        // The address that it gives to functions; without it they would call the real AWS.
        own.extend([("BIND_HOST", "127.0.0.1"), ("MINISTACK_HOST", "127.0.0.1")].map(|(n, v)| (n, v.to_owned())));
        own.extend(
            [("IOT_MTLS_ENABLED", "0"), ("SFTP_ENABLED", "0"), ("AUTH", "true")].map(|(n, v)| (n, v.to_owned())),
        );
        own.extend([("MINISTACK_REGION", REGION.to_owned()), ("GATEWAY_PORT", port.to_string())]);
        own.extend([("TMPDIR", folder.path().display().to_string()), ("SMTP_HOST", inbox_at.clone())]);
        let child = started("emulator", &["-m", "ministack"], &own);
        let emulator = Emulator { child, port, folder, inbox };
        let begun = Instant::now();
        while !emulator.is_ready() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the emulator is not ready: {}", emulator.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        emulator
    }

    fn is_ready(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
        let asked = stream.write_all(b"GET /_ministack/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        let mut answer = [0; 12];
        asked.is_ok() && stream.read_exact(&mut answer).is_ok() && answer.ends_with(b" 200")
    }

    /// Mails that have left by SES, each with whom it was sent to, once there are so many.
    ///
    /// # Panics
    /// When they do not arrive.
    pub fn mails(&self, count: usize) -> Vec<Vec<u8>> {
        let begun = Instant::now();
        loop {
            let entries = std::fs::read_dir(self.folder.path().join("mails/new")).into_iter().flatten();
            let mut paths: Vec<_> = entries.map(|entry| entry.expect("a mail").path()).collect();
            paths.sort();
            if paths.len() >= count {
                return paths.iter().map(|path| std::fs::read(path).expect("a mail")).collect();
            }
            let log = || std::fs::read_to_string(self.folder.path().join("inbox.log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(20), "{} of {count} mails arrived: {}", paths.len(), log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("emulator.log")).unwrap_or_default()
    }

    /// A configuration with every permission.
    pub async fn config(&self) -> SdkConfig {
        let root = Credentials::new("test", "test", None, None, "emulator");
        aws::loader().endpoint_url(self.url()).region(Region::new(REGION)).credentials_provider(root).load().await
    }

    /// What a program is told to reach it with every permission.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        environment(self.port)
    }

    /// Runs a script with AWS's own client for Python and gives what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn script(&self, script: &Path, arguments: &[&str]) -> String {
        let python = python_of("emulator", "emulator/requirements.txt");
        let ended = Command::new(python).arg(script).args(arguments).envs(environment(self.port)).output();
        let ended = ended.expect("the script");
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{} {arguments:?}: {told}\n{}", script.display(), self.log());
        String::from_utf8(ended.stdout).expect("text")
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("its address").port()
}

fn environment(port: u16) -> [(&'static str, String); 5] {
    [
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_REGION", REGION.to_owned()),
    ]
}

impl Drop for Emulator {
    fn drop(&mut self) {
        for child in [&mut self.child, &mut self.inbox] {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}
