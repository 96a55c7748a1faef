//! Entries that wait, as a person sees them.

use cli::Ended;

use super::{answers, avstem, fixture, folders, run};

#[test]
fn what_waits_is_listed_and_is_gone_once_its_payout_is_there() {
    let (_folder, inbox, home) = folders();
    let text = std::fs::read_to_string(fixture("vipps-details-csv/fee-given-back.csv")).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    let part = |rows: &[&str]| format!("{}\n", rows.join("\n"));
    std::fs::write(inbox.join("a first.csv"), part(&rows[..3])).unwrap();
    let (ended, printed) = run(&inbox, &home);
    assert!(ended.unwrap() == Ended::Well && printed.contains("They wait for the report that has it"), "{printed}");
    let (ended, listed) = avstem(&["waiting", "--home", &home]);
    assert_eq!(ended.unwrap(), Ended::Well);
    assert!(listed.contains("2  400.00 NOK  their payout"), "{listed}");
    let json = answers(&avstem(&["waiting", "--json", "--home", &home]).1);
    assert_eq!((&json[0]["merchant_number"], &json[0]["waiting"][0]["entries"]), (&"123456".into(), &2.into()));

    std::fs::remove_file(inbox.join("a first.csv")).unwrap();
    let rest: Vec<&str> = rows[..1].iter().chain(&rows[2..]).copied().collect();
    std::fs::write(inbox.join("b second.csv"), part(&rest)).unwrap();
    let (ended, printed) = run(&inbox, &home);
    assert_eq!(ended.unwrap(), Ended::Well);
    for expected in
        ["123456-2000501-NOK-", "put together from several reports", "294.75 NOK  0.00  exact", "2 accepted"]
    {
        assert!(printed.contains(expected), "{expected} is not in {printed}");
    }
    let (_, listed) = avstem(&["waiting", "--home", &home]);
    assert_eq!(listed, "No entry waits for its payout or for another report; ledgers looked at: 1\n");
}

#[test]
fn an_account_without_reports_is_no_all_clear() {
    let (_folder, _, home) = folders();
    let (ended, _) = avstem(&["waiting", "--home", &home]);
    assert!(ended.unwrap_err().to_string().contains("nothing was looked at"));
}
