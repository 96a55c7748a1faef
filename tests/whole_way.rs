//! The whole way on an emulator, as a person would run it: by itself, since its stages have their times and want the machine.

use std::path::Path;
use std::process::{Command, Output};

use sandbox::TOKEN_MARK;
use settlement::SEEDED_MARK;
use simulation::SECRET_MARK;
use tests::python::target;

fn walk(arguments: &[&str]) -> (Output, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("aws-e2e.sh");
    let ended = Command::new("bash").arg(script).args(arguments).env("CARGO_TARGET_DIR", target()).output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    (ended, told)
}

/// What the emulator ran is what ships: rules that cannot be broken, and nothing of the test world.
fn ships_no_test_code() {
    let tests_alone = [SEEDED_MARK, SECRET_MARK];
    let has = |program: &Path, mark: &str| {
        let bytes = std::fs::read(program).unwrap();
        bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    for mark in tests_alone.into_iter().chain([TOKEN_MARK]) {
        assert!(has(Path::new(env!("CARGO_BIN_EXE_simulate")), mark), "a program of the tests lacks {mark}");
    }
    let built = target().join("debug");
    for mark in tests_alone {
        assert!(!has(&built.join("avstem"), mark), "avstem has {mark} in it");
    }
    assert!(has(&built.join("avstem"), TOKEN_MARK), "avstem has no stand-in for Dintero");
    for function in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions")).unwrap() {
        let program = built.join(function.unwrap().file_name());
        for mark in tests_alone.into_iter().chain([TOKEN_MARK]) {
            assert!(!has(&program, mark), "{} has {mark} in it", program.display());
        }
    }
}

#[test]
fn reports_go_the_whole_way_and_a_missing_permission_stops_them() {
    let (ended, told) = walk(&[]);
    assert!(ended.status.success(), "{told}");
    for stage in [
        "the template is deployed",
        "every report is parsed and has come to an end",
        "settlements have their Dintero reports",
        "settlement events stand at Dintero",
        "the second time had no effect",
        "the back office is closed to strangers",
        "avstem explains the stack",
        "the month is in the inbox of each recipient",
        "the next morning has come to its end",
        "what SES tells of a mail is in its trace",
        "lines of the functions are JSON",
        "longest way parse → reconcile → mail",
        "told thrice and out of order",
        "an upload whose notification was lost is found by the sweep and parsed",
        "an upload where none may lie is found and recorded",
        "messages that were given up are carried out",
        "the function that parses is killed while it reads a report",
        "its report is free, and the sweep takes it up",
        "everything is as it is on one machine, where nothing went wrong",
        "handed out again had no effect",
    ] {
        assert!(told.contains(stage), "{stage:?} is not in {told}");
    }
    ships_no_test_code();
    let (ended, told) = walk(&["--without", "ses:SendRawEmail", "--patience", "30"]);
    assert!(!ended.status.success(), "{told}");
    assert!(told.contains("second time had no effect") && told.contains("recipients have their codes: not"), "{told}");
    // What was parsed cannot be handed on: the stages before it come about, the one after it does not.
    let (ended, told) = walk(&["--without", "sqs:SendMessage", "--patience", "30"]);
    assert!(!ended.status.success(), "{told}");
    assert!(
        told.contains("reports are Parquet") && told.contains("FAILED") && !told.contains("events stand"),
        "{told}"
    );
}
