//! Listing connectors over TLS, beside `curl | jq` and beside the least program
//! on the same libraries.

use std::collections::BTreeMap;
use std::io::Write;

use super::contest::{Contender, judge, mebi, medians};
use super::installed::Installed;
use super::server::Server;
use super::{Result, minimal, sample};

const ACCOUNT: &str = "023e105f4ecef8ad9ca31a8372d0c353";

/// Measures and judges.
pub fn run(installed: &Installed, out: &mut impl Write) -> Result {
    let server = Server::start()?;
    let (base, authority) = (server.base(), server.authority());
    let authority = authority.display();
    let url = format!("{base}/accounts/{ACCOUNT}/sso_connectors");
    let env = environment(&base);
    let mut alone = env.clone();
    alone.insert("SSL_CERT_FILE".to_owned(), authority.to_string());
    let list = format!("{} connector list -o json", installed.program);
    let contenders = [
        Contender { name: "cfsso connector list -o json", line: list.clone(), env: alone },
        Contender {
            name: "  the same, trusting the system's roots too",
            line: format!("{list} --ca-cert {authority}"),
            env: env.clone(),
        },
        Contender {
            name: "curl | jq .",
            line: format!("curl -s --cacert {authority} -H Authorization:Bearer-curl {url} | jq ."),
            env: env.clone(),
        },
        Contender {
            name: "minimal reqwest and ring",
            line: format!("{} {} {url} {authority}", installed.minimal, minimal::ROLE),
            env,
        },
    ];
    let before = server.connections();
    sample::take(&contenders[0].line, &contenders[0].env)?;
    let connections = server.connections() - before;
    let [list, _, curl, minimal] = medians(&contenders, out)?[..] else {
        return Err("a contender is missing".into());
    };
    let ratio = |other: sample::Sample| list.wall.as_secs_f64() / other.wall.as_secs_f64();
    judge(out, "wall time of `list` over that of `curl | jq`", ratio(curl), 0.2)?;
    judge(out, "wall time of `list` over that of the minimal program", ratio(minimal), 1.3)?;
    judge(out, "MiB that `list` takes at its peak", mebi(list.memory), 12.0)?;
    let connections = f64::from(u32::try_from(connections)?);
    judge(out, "TCP connections of one `list`", connections, 1.0)
}

fn environment(base: &str) -> BTreeMap<String, String> {
    [
        ("CLOUDFLARE_API_TOKEN", "cfut_bench"),
        ("CLOUDFLARE_ACCOUNT_ID", ACCOUNT),
        ("CLOUDFLARE_BASE_URL", base),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
