//! The folder of a person: what is no report, and what lies elsewhere, is passed over and told.

use cli::Ended;

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
