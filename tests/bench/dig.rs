//! One question to one name server, beside `dig +short`.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use cfsso::sandbox::{self, Sandbox};

use super::Result;
use super::contest::{Contender, medians};
use super::installed::Installed;

/// Not among the zones that the simulator holds.
const DOMAIN: &str = "felines.example";
const CODE: &str = "cloudflare_dashboard_sso=123456789012345678901234567890";

/// Measures; `dig` too where it is installed.
pub fn run(installed: &Installed, out: &mut impl Write) -> Result {
    let sandbox = start_name_server()?;
    let server = sandbox.dns_server();
    let program = &installed.program;
    let mut contenders = vec![Contender {
        name: "cfsso dig --short",
        line: format!("{program} dig {DOMAIN} --short --expect {CODE} --server {server}"),
        env: BTreeMap::new(),
    }];
    if is_installed("dig")? {
        let (ip, port) = (server.ip(), server.port());
        let line = format!("dig +short TXT {DOMAIN} @{ip} -p {port}");
        contenders.push(Contender { name: "dig +short", line, env: BTreeMap::new() });
    }
    medians(&contenders, out)?;
    if contenders.len() == 1 {
        writeln!(out, "`dig` is not installed, so there is nothing to hold it against")?;
    }
    Ok(())
}

/// A simulator on a thread of its own, whose name server answers.
pub fn start_name_server() -> Result<Sandbox> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sandbox = runtime.block_on(name_server())?;
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    Ok(sandbox)
}

async fn name_server() -> Result<Sandbox> {
    let sandbox = sandbox::start(sandbox::Options::default()).await?;
    sandbox.publish(DOMAIN, CODE).await?;
    Ok(sandbox)
}

fn is_installed(program: &str) -> Result<bool> {
    let started =
        Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match started {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}
