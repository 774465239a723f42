//! `doctor --all-accounts` over 100 accounts of 20 connectors each, against a server
//! that takes 20 ms for each answer, and beside it over one account.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::contest::{judge, mebi, millis};
use super::federation::{ROUND_TRIP, serve};
use super::installed::Installed;
use super::{Result, dig, sample};

const ACCOUNTS: u32 = 100;
const CONNECTORS: u32 = 20;

/// Measures and judges.
pub fn run(installed: &Installed, out: &mut impl Write) -> Result {
    let requests = Arc::new(AtomicUsize::new(0));
    let base = serve(&requests, result)?;
    let sandbox = dig::start_name_server()?;
    let env = [
        ("CLOUDFLARE_API_TOKEN", "cfut_bench".to_owned()),
        ("CLOUDFLARE_BASE_URL", base),
        ("CFSSO_DNS_SERVERS", sandbox.dns_server().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let one = format!("{} doctor --account {:032x} -o json", installed.program, 0);
    let one = sample::take(&one, &env)?;
    requests.store(0, Ordering::Relaxed);
    let all = sample::take(&format!("{} doctor --all-accounts -o json", installed.program), &env)?;
    let sent = u32::try_from(requests.load(Ordering::Relaxed))?;
    writeln!(
        out,
        "\n`doctor`, {ACCOUNTS} accounts of {CONNECTORS} connectors: {:.0} ms, {sent} requests",
        millis(all.wall)
    )?;
    let ratio = all.wall.as_secs_f64() / (ROUND_TRIP * sent).as_secs_f64();
    judge(out, "wall time over that of one request after the other", ratio, 0.25)?;
    judge(
        out,
        "MiB at its peak over those of one account",
        mebi(all.memory.saturating_sub(one.memory)),
        24.0,
    )
}

fn result(request: &str) -> String {
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    let is_first = !request.contains("page=") || request.contains("page=1&");
    let account = path.split('/').nth(4).unwrap_or_default();
    let many = |count: u32, item: &dyn Fn(u32) -> String| {
        (0..count).map(item).collect::<Vec<_>>().join(",")
    };
    if path.ends_with("/accounts") {
        // Two full pages, and an empty one after them.
        let half = ACCOUNTS / 2;
        let (first, page) = if is_first { (0, half) } else { (half, half) };
        let page = if is_first || request.contains("page=2&") { page } else { 0 };
        many(page, &|number| {
            let number = first + number;
            format!(r#"{{"id":"{number:032x}","name":"Account {number}"}}"#)
        })
    } else if path.ends_with("/sso_connectors") && is_first {
        many(CONNECTORS, &|number| connector(account, number))
    } else {
        String::new()
    }
}

fn connector(account: &str, number: u32) -> String {
    format!(
        r#"{{"id":"{number:032x}","email_domain":"cool{number}.a{account}.example","enabled":true,"verification":{{"code":"cloudflare_dashboard_sso={number:030}","status":"verified"}}}}"#
    )
}
