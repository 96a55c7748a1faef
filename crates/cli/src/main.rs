//! `avstem`: settlement reports from the command line, on the same steps that run in the cloud.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use cli::Ended;

fn main() -> ExitCode {
    let choice = AutoStream::choice(&io::stdout());
    cli::set_colours(!matches!(choice, ColorChoice::Never));
    let mut out = BufWriter::new(io::stdout().lock());
    let ended = cli::run(std::env::args_os(), &mut out).and_then(|ended| {
        out.flush()?;
        Ok(ended)
    });
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Held) => ExitCode::from(2),
        Ok(Ended::Failed) => ExitCode::FAILURE,
        // Whoever read the output has seen enough; what was not read was not judged.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => match error.downcast::<clap::Error>() {
            // Help and version go to standard output and end well; a wrong call is one that could not run.
            Ok(usage) => {
                let could_run = !usage.use_stderr();
                // Nothing is left to tell when even this cannot be printed.
                let _ = usage.print();
                if could_run { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => {
                // What was found so far is still shown, before what ended it.
                let _ = out.flush();
                eprintln!("avstem: {}", cli::explained(&error));
                ExitCode::FAILURE
            }
        },
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}
