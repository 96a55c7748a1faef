//! Every implementation of a port keeps its contract.

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
    assert!(pipeline::State::get(&again, "P#1", "a").await.unwrap().is_some());
}

#[tokio::test]
async fn memory_keeps_the_contract_of_state() {
    contract::state(&MemoryState::default()).await;
}
