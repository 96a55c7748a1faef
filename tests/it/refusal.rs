//! What it costs to refuse a hostile file. The limits here are generous; `bench.sh` tells the figures that are meant.

use std::process::Command;

use tests::hostile;

const MILLISECONDS_MAX: u64 = 10_000;
const MEMORY_KIB_MAX: u64 = 64 * 1024;

#[test]
fn a_hostile_file_is_refused_in_bounded_time_and_memory() {
    for (name, bytes) in hostile::all() {
        assert!(bytes.len() <= 1024 * 1024, "{name} has {} bytes", bytes.len());
        let answer = Command::new(env!("CARGO_BIN_EXE_measure-refusal")).arg(name).output().unwrap();
        let text = String::from_utf8(answer.stdout).unwrap();
        assert!(answer.status.success(), "{name}: {}", String::from_utf8_lossy(&answer.stderr));
        println!("{name:<32} {:>8} bytes  {}", bytes.len(), text.trim());
        let words: Vec<&str> = text.split_whitespace().collect();
        let [verdict, kind, milliseconds, "ms", memory_kib, "KiB"] = words[..] else { panic!("{name}: {text}") };
        assert!(matches!(verdict, "REJECTED" | "QUARANTINED") && kind != "-", "{name}: {text}");
        assert!(milliseconds.parse::<u64>().unwrap() <= MILLISECONDS_MAX, "{name}: {text}");
        assert!(memory_kib.parse::<u64>().unwrap() <= MEMORY_KIB_MAX, "{name}: {text}");
    }
}
