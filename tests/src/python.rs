//! Python with the packages of a requirements file, each in a virtual environment of its own under `target`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The readers that nobody here wrote, of `tests/requirements.txt`.
///
/// # Panics
/// When Python or its packages cannot be had, since nothing would be held against them then.
pub fn python() -> PathBuf {
    python_of("python", "requirements.txt")
}

/// Path of the interpreter of `target/<name>`; made when it is first asked for, and anew when the requirements have changed.
///
/// # Panics
/// As [`python`].
pub fn python_of(name: &str, requirements: &str) -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(requirements);
    let wanted = fs::read(&requirements).unwrap_or_else(|error| panic!("{}: {error}", requirements.display()));
    let home = target().join(name);
    fs::create_dir_all(&home).expect("the folder of the environment");
    // Tests run side by side, and those of two checkouts may share a target directory.
    let lock = File::create(home.join("lock")).expect("the lock");
    lock.lock().expect("the lock");
    let interpreter = home.join("venv/bin/python");
    let installed = home.join("installed.txt");
    if fs::read(&installed).ok().as_ref() != Some(&wanted) || !interpreter.is_file() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(home.join("venv")));
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"];
        run(Command::new(&interpreter).args(install).arg(&requirements));
        fs::write(&installed, &wanted).expect("the note of what is installed");
    }
    interpreter
}

/// The target directory that the running test was built in.
///
/// # Panics
/// When the test was moved elsewhere.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    test.ancestors().find(|path| path.join("CACHEDIR.TAG").is_file()).expect("the target directory").to_owned()
}

fn run(command: &mut Command) {
    let ended = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}
