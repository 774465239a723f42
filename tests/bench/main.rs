//! How quick and how small the program is, beside what people would run in its
//! place. `cargo bench` prints figures and what is expected of them; it asserts
//! nothing, for a machine may be busy.
//!
//! The benchmark runs itself again in two roles: to measure one run
//! ([`sample`]), and as the least program that could do the job ([`minimal`]).

use std::io;

#[cfg(unix)]
use cfsso::Process;

#[cfg(unix)]
mod contest;
#[cfg(unix)]
mod dig;
#[cfg(unix)]
mod federation;
#[cfg(unix)]
mod fleet;
#[cfg(unix)]
mod installed;
#[cfg(unix)]
mod list;
#[cfg(unix)]
mod minimal;
#[cfg(unix)]
mod sample;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod trial;
#[cfg(unix)]
mod version;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(unix)]
fn main() -> Result {
    let args: Vec<String> =
        Process::current().args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut out = io::stdout().lock();
    match &args[1..] {
        [role, pipeline @ ..] if role == sample::ROLE => sample::measure(pipeline, &mut out),
        [role, url, roots] if role == minimal::ROLE => minimal::run(url, roots, &mut out),
        _ => {
            let installed = installed::Installed::new()?;
            list::run(&installed, &mut out)?;
            version::run(&installed, &mut out)?;
            dig::run(&installed, &mut out)?;
            federation::run(&installed, &mut out)?;
            fleet::run(&installed, &mut out)?;
            trial::run(&installed, &mut out)
        }
    }
}

#[cfg(not(unix))]
fn main() -> Result {
    io::Write::write_all(&mut io::stdout(), b"CPU time and memory are measured only on Unix\n")?;
    Ok(())
}
