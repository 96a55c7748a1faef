//! The command line over buckets and a table: what it does in a directory it does there.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use adapters::outbound::objects::S3;
use store::Objects;
use store::keys::{Key, LandingKey};
use tests::emulator::Emulator;
use tests::generate::{Seed, portal_csv, report};
use tests::python::target;

use super::adapters::prepared;

/// Runs `avstem` as `shipped.sh` builds it, with AWS in it.
fn avstem(emulator: &Emulator, arguments: &[&str]) -> (Output, String) {
    let program = target().join("debug/avstem");
    let ended = Command::new(program).args(arguments).envs(emulator.environment()).output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    (ended, told)
}

#[tokio::test]
async fn a_report_that_is_parsed_into_the_cloud_can_be_explained_there() {
    let (emulator, _) = prepared();
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("shipped.sh");
    assert!(Command::new("bash").arg(build).env("CARGO_TARGET_DIR", target()).status().unwrap().success());
    let home = ["--home", "s3://contract?table=contract"];
    let with = |arguments: &[&str]| avstem(&emulator, &[arguments, &home].concat());
    let (ended, told) = with(&["account", "add", "T00000001"]);
    assert!(ended.status.success(), "{told}");
    let (ended, told) = with(&["account", "add-merchant", "vipps", "123456"]);
    assert!(ended.status.success(), "{told}");

    let content = report(&mut Seed(1), 1, 3);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&portal_csv(&content)).unwrap();
    let landing = LandingKey::new("T00000001".parse().unwrap(), "vipps", "oktober 1.csv").unwrap();
    let s3 = S3::new(&emulator.config().await, "contract", None);
    s3.upload(&Key::Landing(landing), file.path()).await.unwrap();

    let since = ["replay", "--since", "2020-01-01"];
    assert!(with(&since).1.contains("1 objects would be taken again"), "{}", with(&since).1);
    let (ended, told) = with(&[&since[..], &["--apply"]].concat());
    assert!(ended.status.success() && told.contains("1 newly accepted"), "{told}");
    let settlement = content.settlements[0].id.to_string();
    let (ended, told) = with(&["explain", &settlement]);
    let key = format!("settlement T00000001/vipps/123456/{settlement}/NOK");
    assert!(ended.status.success() && told.contains(&key) && told.contains("COMMITTED, settlements: 1"), "{told}");
    let (ended, told) = with(&["lake", "build"]);
    assert!(ended.status.success() && told.contains("s3://contract-lake/v1/T00000001"), "{told}");
    let (ended, told) = with(&["posting", "stop", "--by", "somebody"]);
    assert!(ended.status.success() && told.contains("Posting is stopped"), "{told}");

    // A copy of the table is a home too, and a table is put back to it: what it does not know is gone.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    emulator.script(&root.join("emulator/prepare.py"), &["restored"]);
    let of_copy =
        |arguments: &[&str]| avstem(&emulator, &[arguments, &["--home", "s3://contract?table=restored"]].concat()).1;
    of_copy(&["account", "add", "T00000001"]);
    let another = ["account", "add-merchant", "vipps", "999999"];
    assert!(of_copy(&another).contains("is registered") && of_copy(&another).contains("was registered before"));
    emulator.script(&root.join("../infra/put_back.py"), &["contract", "restored"]);
    assert!(of_copy(&["explain", &settlement]).contains(&key));
    assert!(of_copy(&another).contains("is registered"));

    // What a directory alone can do is refused with what to do instead, and a table that is not there is an error.
    let (ended, told) = with(&["run", "--inbox", "/tmp"]);
    assert!(ended.status.code() == Some(1) && told.contains("landing bucket"), "{told}");
    let (ended, told) = avstem(&emulator, &["explain", &settlement, "--home", "s3://contract?table=nowhere"]);
    assert!(ended.status.code() == Some(1) && told.contains("ResourceNotFoundException"), "{told}");
}
