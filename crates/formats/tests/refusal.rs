//! What it costs to refuse a hostile file: judged one after the other in a process that does nothing else.
#![allow(clippy::disallowed_methods, reason = "What is measured is time and memory")]

use std::io::Cursor;
use std::time::{Duration, Instant};

use fixtures::hostile;
use fixtures::memory_sink::MemorySink;
use formats::{Failure, Limits, identify, open, parse};
use settlement::{Held, Verdict};

/// Generous, since the machine may be busy and the build is not optimised.
const TIME_MAX: Duration = Duration::from_secs(10);
const MEMORY_KIB_MAX: u64 = 64 * 1024;

#[test]
fn a_hostile_file_is_held_in_bounded_time_and_memory() {
    let files = hostile::all();
    // What the files took while they were made is no memory of a reader, though it may be used again.
    set_peak_to_now();
    let made_kib = memory_kib("VmRSS:");
    for (name, bytes) in files {
        assert!(bytes.len() <= 1024 * 1024, "{name} has {} bytes", bytes.len());
        set_peak_to_now();
        let begun = Instant::now();
        let held = held(name, &bytes);
        let (took, above_kib) = (begun.elapsed(), memory_kib("VmHWM:").saturating_sub(made_kib));
        let kind = held.problems.first_error().map(|problem| problem.kind);
        println!("{name:<32} {:>8} bytes  {kind:?} {took:?} {above_kib} KiB", bytes.len());
        assert!(matches!(held.problems.verdict(), Verdict::Rejected | Verdict::Quarantined), "{name}: {kind:?}");
        assert!(held.problems.list().len() <= Limits::default().problems_max + 1, "{name}");
        assert!(took <= TIME_MAX, "{name} takes {took:?}");
        assert!(above_kib <= MEMORY_KIB_MAX, "{name} takes {above_kib} KiB");
    }
}

fn set_peak_to_now() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn held(name: &str, bytes: &[u8]) -> Held {
    let limits = Limits::default();
    let mut bytes = Cursor::new(bytes);
    let read = open(name, &mut bytes, &limits).and_then(|mut opened| {
        let format = identify(&opened.head)?;
        parse(format, &mut *opened.input, &limits, &mut MemorySink::default())
    });
    match read {
        Err(Failure::Held(held)) => *held,
        other => panic!("{name}: {other:?}"),
    }
}

fn memory_kib(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
