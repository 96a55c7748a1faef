//! The folder of a person: what is no report, and what lies elsewhere, is passed over and told.

use std::path::Path;

use adapters::app::App;
use cli::Ended;
use jiff::{SignedDuration, Timestamp};
use store::{Expect, Place, ReportItem, ReportState};

use super::{answers, avstem, fixture, folders, run};

#[test]
fn what_is_plainly_no_report_is_passed_over_and_told() {
    let (folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    for name in ["Thumbs.db", "~$a.xlsx", ".~lock.a.xlsx#", "desktop.ini", "b.csv.part", ".hidden"] {
        std::fs::write(inbox.join(name), "nothing").unwrap();
    }
    let secret = folder.path().join("secret.csv");
    std::fs::write(&secret, "secret").unwrap();
    std::os::unix::fs::symlink(&secret, inbox.join("link.csv")).unwrap();
    std::os::unix::fs::symlink(folder.path(), inbox.join("above")).unwrap();
    let (ended, text) = run(&inbox, &home);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(text.contains("1 accepted\npassed over: ") && text.contains("5 more"), "{text}");
    assert_eq!(avstem(&["held", "list", "--home", &home]).0.unwrap(), Ended::Well);
    std::fs::remove_file(inbox.join("a.xml")).unwrap();
    let refused = run(&inbox, &home).0.unwrap_err().to_string();
    assert!(refused.contains("Found no report in") && refused.contains("passed over"), "{refused}");
}

#[test]
fn home_and_inbox_are_kept_apart() {
    let (folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    let home_path = folder.path().join("home");
    std::fs::create_dir_all(home_path.join("reports")).unwrap();
    for inside in [folder.path(), &home_path, &home_path.join("reports")] {
        let refused = run(inside, &home).0.unwrap_err().to_string();
        assert!(refused.contains("expected two folders apart"), "{refused}");
    }
    assert_eq!(run(&inbox, &home).0.unwrap(), Ended::Well);
}

#[test]
fn run_answers_one_json_object_per_file() {
    let (_folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    std::fs::copy(fixture("vipps-portal-csv/row-arithmetic.csv"), inbox.join("b.csv")).unwrap();
    let run = ["run", "--json", "--register-merchants", "--inbox", inbox.to_str().unwrap(), "--home", &home];
    let (ended, text) = avstem(&run);
    assert_eq!(ended.unwrap(), Ended::Held);
    let found = answers(&text);
    assert_eq!(found.len(), 2);
    assert_eq!((&found[0]["verdict"], &found[1]["kind"]), (&"ACCEPTED".into(), &"RowArithmetic".into()));
    assert_eq!(found[0]["documents"].as_array().unwrap().len(), 6);
}

#[test]
fn a_rerun_finishes_what_a_killed_run_left_and_says_so() {
    let (folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    assert_eq!(run(&inbox, &home).0.unwrap(), Ended::Well);
    let (_, again) = run(&inbox, &home);
    assert!(again.contains("nothing happens again") && again.ends_with("1 known before\n"), "{again}");
    // As after a run that was killed between the commit and the documents.
    std::fs::remove_dir_all(folder.path().join("home/reports")).unwrap();
    let (ended, text) = run(&inbox, &home);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(text.contains("what was left is done now") && text.contains("wrote csv, json, xml"), "{text}");
}

/// Sets a report back to what a run leaves that is killed while it reads it.
async fn killed(home: &Path, file: &Path) {
    let app = App::at_home(home).unwrap();
    let report = pipeline::report_id_of(&mut std::fs::File::open(file).unwrap()).unwrap();
    let place = Place::report(report, &"T00000001".parse().unwrap());
    let (item, revision) = place.read::<ReportItem>(&*app.ports.state).await.unwrap().unwrap();
    let lease_until = Timestamp::now() + SignedDuration::from_mins(14);
    let item = ReportItem { state: ReportState::Claimed { lease_until }, ..item };
    app.ports.state.put_if(&place.put(&item, Expect::Revision(revision)).unwrap()).await.unwrap();
    std::fs::write(app.scratch.join("left over"), "").unwrap();
}

#[test]
fn a_lease_ends_with_its_process_and_holds_while_another_works() {
    let (folder, inbox, home) = folders();
    let (home_path, file) = (folder.path().join("home"), inbox.join("a.csv"));
    std::fs::copy(fixture("vipps-portal-csv/row-arithmetic.csv"), &file).unwrap();
    run(&inbox, &home).0.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(killed(&home_path, &file));
    {
        let _other = App::at_home(&home_path).unwrap();
        runtime.block_on(killed(&home_path, &file));
        let (ended, _) = run(&inbox, &home);
        assert_eq!(ended.unwrap(), Ended::Failed, "another process may have the report");
        assert!(home_path.join("tmp/left over").exists());
    }
    let (ended, text) = run(&inbox, &home);
    assert!(ended.unwrap() == Ended::Held && text.contains("RowArithmetic"), "{text}");
    assert!(!home_path.join("tmp/left over").exists());
}

#[test]
fn completions_and_manual_are_made_of_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let (ended, text) = avstem(&["completions", shell]);
        assert!(ended.unwrap() == Ended::Well && text.contains("dismiss"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let (ended, _) = avstem(&["man", folder.path().to_str().unwrap()]);
    assert_eq!(ended.unwrap(), Ended::Well);
    for page in ["avstem.1", "avstem-held-release.1", "avstem-account-set.1"] {
        assert!(std::fs::read_to_string(folder.path().join(page)).unwrap().contains(".TH"), "{page}");
    }
}
