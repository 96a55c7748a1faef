//! Every implementation of a port keeps its contract.

use std::sync::Arc;

use adapters::outbound::mailer::{EmlFolder, MemoryMailer};
use adapters::outbound::objects::{Directory, MemoryObjects};
use adapters::outbound::state::{MemoryState, Sqlite};
use tests::contract;

#[tokio::test]
async fn directory_keeps_the_contract_of_objects() {
    let root = tempfile::tempdir().unwrap();
    contract::objects(&Directory::new(root.path())).await;
}

#[tokio::test]
async fn memory_keeps_the_contract_of_objects() {
    contract::objects(&MemoryObjects::default()).await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract_of_state() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("state.sqlite");
    contract::state(&Sqlite::open(&path).unwrap()).await;
    // What was written is there for the next process.
    let again = Sqlite::open(&path).unwrap();
    assert!(store::State::get(&again, "P#1", "a").await.unwrap().is_some());
    contract::accounts(Arc::new(again)).await;
}

#[tokio::test]
async fn memory_keeps_the_contract_of_state() {
    contract::state(&MemoryState::default()).await;
    contract::accounts(Arc::default() as Arc<MemoryState>).await;
}

#[tokio::test]
async fn files_keep_the_contract_of_mailers() {
    let root = tempfile::tempdir().unwrap();
    let outbox = root.path().join("outbox");
    contract::mailer(&EmlFolder::new(&outbox)).await;
    // Each mail is one file, byte for byte, and nothing else lies beside it.
    let mut files: Vec<_> = std::fs::read_dir(&outbox).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let names: Vec<&str> = files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert!(names.len() == 2 && names.iter().all(|name| name.starts_with("2026-11-03T060000Z_")), "{names:?}");
    assert!(files.iter().all(|path| std::fs::read(path).unwrap() == contract::MESSAGE));
    // A second sending finds the first, whoever sends.
    contract::send_again(&EmlFolder::new(&outbox)).await;
    assert_eq!(std::fs::read_dir(&outbox).unwrap().count(), 2);
}

#[tokio::test]
async fn memory_keeps_the_contract_of_mailers() {
    let mailer = MemoryMailer::default();
    contract::mailer(&mailer).await;
    assert!(
        mailer.all().iter().all(|mail| mail.message == contract::MESSAGE && mail.to.as_str() == "regnskap@example.no")
    );
}
