//! Accounts are added, changed and told apart by a person; none is made up on the way.

use cli::Ended;

use super::{answers, avstem, fixture, folders, run};

#[test]
fn an_account_is_added_once_and_says_what_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home").display().to_string();
    let at_home = |arguments: &[&str]| avstem(&[arguments, &["--home", &home]].concat());
    let add = [
        "account",
        "add",
        "T00000001",
        "--name",
        "Butik AB",
        "--legal-name",
        "Butiken Exempel AB",
        "--organisation-number",
        "556000-0000",
        "--address",
        "Storgatan 1, 111 22 Stockholm",
        "--language",
        "sv",
        "--zone",
        "Europe/Stockholm",
        "--post",
        "on",
    ];
    assert_eq!(at_home(&add).0.unwrap(), Ended::Well);
    assert!(at_home(&add).0.unwrap_err().to_string().contains("known already"));
    let account = answers(&at_home(&["account", "show", "--json"]).1).remove(0);
    let expected = serde_json::json!({
        "account_id": "T00000001", "name": "Butik AB", "legal_name": "Butiken Exempel AB", "organisation_number": "556000-0000",
        "address": "Storgatan 1, 111 22 Stockholm", "language": "sv", "zone": "Europe/Stockholm", "posts": true,
        "merchant_numbers": {},
    });
    assert_eq!(account, expected);

    // What is not named stays as it is.
    let (_, text) = at_home(&["account", "set", "--language", "fi"]);
    assert_eq!(text, "Account T00000001: language fi\n");
    assert!(at_home(&["account", "set", "--language", "fi"]).1.contains("is as it was"));
    let account = answers(&at_home(&["account", "show", "--json"]).1).remove(0);
    assert_eq!(
        (&account["language"], &account["name"], &account["posts"]),
        (&"fi".into(), &"Butik AB".into(), &true.into())
    );
    assert!(at_home(&["account", "set"]).0.unwrap_err().to_string().contains("nothing to set"));
    assert!(at_home(&["account", "set", "--zone", "Europe/Oslow"]).0.unwrap_err().to_string().contains("Europe/Oslow"));
    assert!(at_home(&["account", "set", "--language", "de"]).0.is_err());
    let (_, text) = at_home(&["account", "list"]);
    assert!(text.contains("T00000001") && text.contains("Europe/Stockholm"), "{text}");
}

#[test]
fn documents_are_in_the_language_of_the_account() {
    let (folder, inbox, home) = folders();
    avstem(&["account", "set", "--language", "sv", "--home", &home]).0.unwrap();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    assert_eq!(run(&inbox, &home).0.unwrap(), Ended::Well);
    let csv = folder.path().join("home/reports/T00000001/vipps/222333/2000090-NOK/v1/dintero-report.semicolon.csv");
    let csv = String::from_utf8_lossy(&std::fs::read(csv).unwrap()).into_owned();
    assert!(csv.contains("Utbetalning") || csv.contains("Avgift"), "{csv}");
}

#[test]
fn a_merchant_number_is_never_claimed_silently() {
    let (_folder, inbox, home) = folders();
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    // Nobody can be asked here.
    let (ended, text) = avstem(&["run", "--inbox", inbox.to_str().unwrap(), "--home", &home]);
    assert_eq!(ended.unwrap(), Ended::Held);
    assert!(text.contains("MerchantUnknown") && text.contains("avstem account add-merchant vipps 222333"), "{text}");
    assert!(
        answers(&avstem(&["account", "show", "--json", "--home", &home]).1)[0]["merchant_numbers"]
            == serde_json::json!({})
    );
    avstem(&["account", "add-merchant", "vipps", "222333", "--home", &home]).0.unwrap();
    let (ended, text) = avstem(&["run", "--inbox", inbox.to_str().unwrap(), "--home", &home]);
    assert!(ended.unwrap() == Ended::Well && text.ends_with("1 accepted\n"), "{text}");
    for wrong in ["", "abc def", "0123", "../../x"] {
        let (ended, _) = avstem(&["account", "add-merchant", "vipps", wrong, "--home", &home]);
        assert!(ended.unwrap_err().to_string().contains("expected digits"), "{wrong}");
    }
}

#[test]
fn a_merchant_number_moves_until_something_of_it_is_accepted() {
    let (_folder, inbox, home) = folders();
    avstem(&["account", "add", "T00000002", "--home", &home]).0.unwrap();
    let of = |account, arguments: &[&str]| avstem(&[arguments, &["--account", account, "--home", &home]].concat());
    of("T00000002", &["account", "add-merchant", "vipps", "222333"]).0.unwrap();
    let to_first = ["account", "move-merchant", "vipps", "222333", "--to", "T00000001"];
    assert!(of("T00000002", &["account", "move-merchant", "vipps", "222333", "--to", "T00000009"]).0.is_err());
    assert_eq!(of("T00000002", &to_first).0.unwrap(), Ended::Well);
    assert!(of("T00000002", &to_first).0.unwrap_err().to_string().contains("Found no merchant number"));
    std::fs::copy(fixture("vipps-settlement-xml-v3/gross.xml"), inbox.join("a.xml")).unwrap();
    let run = ["run", "--inbox", inbox.to_str().unwrap()];
    assert_eq!(of("T00000001", &run).0.unwrap(), Ended::Well);
    let back = ["account", "move-merchant", "vipps", "222333", "--to", "T00000002"];
    let refused = of("T00000001", &back).0.unwrap_err().to_string();
    assert!(refused.contains("stays with account T00000001") && refused.contains("was accepted there"), "{refused}");
    assert!(of("T00000002", &run).1.contains("TenantMismatch"));
}

#[test]
fn one_account_is_meant_by_itself_and_of_several_one_has_to_be_named() {
    let (_folder, _, home) = folders();
    assert!(avstem(&["account", "show", "--home", &home]).1.starts_with("Account T00000001"));
    avstem(&["account", "add", "T00000002", "--home", &home]).0.unwrap();
    let refused = avstem(&["account", "show", "--home", &home]).0.unwrap_err().to_string();
    assert!(refused.contains("T00000001, T00000002") && refused.contains("--account"), "{refused}");
}
