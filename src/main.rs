//! Starts the runtime and hands over.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::from(cfsso::output::ExitCode::Failure.code());
    };
    let exit = runtime.block_on(cfsso::run(cfsso::Process::current()));
    // A thread may still wait for a line of input that will not come.
    runtime.shutdown_background();
    ExitCode::from(exit.code())
}
