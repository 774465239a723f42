use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    cfsso::output::exit_at_panic();
    let process = cfsso::Process::current();
    if let Some(candidates) = cfsso::completion::answer(&process) {
        return match std::io::stdout().write_all(candidates.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::from(cfsso::output::ExitCode::Failure.code());
    };
    let exit = runtime.block_on(cfsso::run(process));
    // A thread may still wait for a line of input that will not come.
    runtime.shutdown_background();
    ExitCode::from(exit.code())
}
