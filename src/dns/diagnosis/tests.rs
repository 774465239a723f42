use super::super::lookup::{Delegation, Dnssec, Location, MisplacedCode, Role, Server};
use super::super::reply::{Failure, Transport};
use super::super::txt::Txt;
use super::super::{Lookup, Rcode};
use super::*;
use proptest::strategy::Strategy;

const CODE: &str = "cloudflare_dashboard_sso=5f2c9a";
const OTHER: &str = "cloudflare_dashboard_sso=777";

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn txt(text: &str) -> Txt {
    Txt { strings: vec![text.as_bytes().to_vec()] }
}

fn holder(last: u8, texts: &[&str]) -> Server {
    let mut server = Server::new(
        format!("192.0.2.{last}:53"),
        Some(format!("ns{last}.cool.cats")),
        Role::Authoritative,
    );
    server.rcode = Some(Rcode::NOERROR);
    server.authoritative = true;
    server.records = texts.iter().map(|text| txt(text)).collect();
    server.ttl = (!texts.is_empty()).then_some(300);
    server.negative_ttl = Some(1800);
    server
}

fn cache(last: u8, texts: &[&str]) -> Server {
    let mut server = holder(last, texts);
    server.name = None;
    server.role = Role::Recursive;
    server.authoritative = false;
    server.negative_ttl = None;
    server
}

fn with(mut server: Server, change: impl FnOnce(&mut Server)) -> Server {
    change(&mut server);
    server
}

fn failed(server: Server, failure: Failure) -> Server {
    let silent = Server::new(server.server, server.name, server.role);
    silent.failed(failure)
}

fn silent(server: Server) -> Server {
    failed(server, Failure::TimedOut(std::time::Duration::from_secs(2)))
}

fn refusing(server: Server) -> Server {
    with(server, |server| {
        server.rcode = Some(Rcode::REFUSED);
        server.authoritative = false;
        server.records.clear();
    })
}

fn bogus(server: Server) -> Server {
    with(server, |server| {
        server.rcode = Some(Rcode::SERVFAIL);
        server.records.clear();
        server.dnssec = Some(Dnssec::Bogus);
    })
}

fn nxdomain(server: Server) -> Server {
    with(server, |server| server.rcode = Some(Rcode::NXDOMAIN))
}

fn alias(server: Server) -> Server {
    with(server, |server| server.aliases = vec!["shop.example".to_owned()])
}

fn over_https(server: Server) -> Server {
    with(server, |server| server.transport = Transport::Https)
}

fn v6(server: Server, address: &str) -> Server {
    with(server, |server| server.server = format!("[{address}]:53"))
}

fn lookup(servers: Vec<Server>) -> Lookup {
    Lookup {
        name: "cool.cats".to_owned(),
        delegation: Delegation::Zone("cool.cats".to_owned()),
        servers,
        misplaced: Vec::new(),
        denials: Vec::new(),
    }
}

fn verdict_of(servers: Vec<Server>) -> Diagnosis {
    diagnose(&lookup(servers), Some(CODE.as_bytes()), now())
}

#[test]
fn each_state_of_the_servers_has_its_verdict() {
    use Verdict::*;
    let no_route = || Failure::NoRoute("network unreachable".to_owned());
    let homeless = || Failure::NoAddress("its name has no address".to_owned());
    let not_holding = |server| with(server, |server: &mut Server| server.authoritative = false);
    let table: Vec<(&str, Vec<Server>, Verdict)> = vec![
        ("all serve it", vec![holder(1, &[CODE]), holder(2, &[CODE])], Visible),
        ("beside other records", vec![holder(1, &["v=spf1 -all", OTHER, CODE])], Visible),
        ("caches as well", vec![holder(1, &[CODE]), cache(9, &[CODE])], Visible),
        (
            "a server that could not be asked does not count",
            vec![holder(1, &[CODE]), failed(holder(2, &[]), no_route())],
            Visible,
        ),
        (
            "a name server without an address does not count",
            vec![holder(1, &[CODE]), failed(holder(2, &[]), homeless())],
            Visible,
        ),
        ("one lags", vec![holder(1, &[CODE]), holder(2, &[])], PartiallyPublished),
        ("one lags behind", vec![holder(1, &[CODE]), holder(2, &[OTHER])], PartiallyPublished),
        ("one denies", vec![holder(1, &[CODE]), nxdomain(holder(2, &[]))], PartiallyPublished),
        ("one is silent", vec![holder(1, &[CODE]), silent(holder(2, &[]))], PartiallyPublished),
        (
            "one is closed",
            vec![holder(1, &[CODE]), failed(holder(2, &[]), Failure::Closed)],
            PartiallyPublished,
        ),
        (
            "one sends rubbish",
            vec![holder(1, &[CODE]), failed(holder(2, &[]), Failure::Malformed("x".into()))],
            PartiallyPublished,
        ),
        ("one refuses", vec![holder(1, &[CODE]), refusing(holder(2, &[]))], LameDelegation),
        (
            "one is not authoritative",
            vec![holder(1, &[CODE]), not_holding(holder(2, &[CODE]))],
            LameDelegation,
        ),
        ("all refuse", vec![refusing(holder(1, &[])), refusing(holder(2, &[]))], LameDelegation),
        ("none has an address", vec![failed(holder(1, &[]), homeless())], LameDelegation),
        ("none has it", vec![holder(1, &[]), holder(2, &["v=spf1 -all"])], NotPublished),
        ("one denies, one has none", vec![nxdomain(holder(1, &[])), holder(2, &[])], NotPublished),
        ("none, one silent", vec![holder(1, &[]), silent(holder(2, &[]))], NotPublished),
        ("all deny", vec![nxdomain(holder(1, &[])), nxdomain(holder(2, &[]))], Nxdomain),
        ("another's code", vec![holder(1, &[OTHER])], WrongValue),
        ("a longer code", vec![holder(1, &[&format!("{CODE}0")])], WrongValue),
        ("quotes", vec![holder(1, &[&format!("\"{CODE}\"")])], WrongValue),
        ("no prefix", vec![holder(1, &["5f2c9a"])], WrongValue),
        ("an alias", vec![alias(holder(1, &[])), alias(holder(2, &[]))], CnameConflict),
        ("an alias at one", vec![holder(1, &[CODE]), alias(holder(2, &[]))], CnameConflict),
        ("the code at the alias's end", vec![alias(holder(1, &[CODE]))], Visible),
        ("all silent", vec![silent(holder(1, &[])), silent(holder(2, &[]))], Unreachable),
        ("a cache is silent", vec![holder(1, &[CODE]), silent(cache(9, &[]))], Unreachable),
        ("a cache refuses", vec![holder(1, &[CODE]), refusing(cache(9, &[]))], Unreachable),
        ("known from a cache only", vec![silent(holder(1, &[])), cache(9, &[CODE])], Unreachable),
        ("a cache rejects it", vec![holder(1, &[CODE]), bogus(cache(9, &[]))], DnssecBogus),
        (
            "a rejection weighs more than a stale answer",
            vec![holder(1, &[CODE]), cache(8, &[OTHER]), bogus(cache(9, &[]))],
            DnssecBogus,
        ),
        ("a cache has none", vec![holder(1, &[CODE]), cache(9, &[])], CachedNegative),
        ("a cache denies", vec![holder(1, &[CODE]), nxdomain(cache(9, &[]))], CachedNegative),
        ("a cache has the old ones", vec![holder(1, &[CODE]), cache(9, &[OTHER])], CachedStale),
        (
            "port 53 is blocked",
            vec![silent(holder(1, &[])), silent(cache(8, &[])), over_https(cache(9, &[CODE]))],
            Visible,
        ),
        (
            "port 53 is blocked, and it is not there",
            vec![silent(holder(1, &[])), over_https(cache(9, &[]))],
            NotPublished,
        ),
        (
            "port 53 is open, the name servers are dead",
            vec![silent(holder(1, &[])), cache(8, &[CODE]), over_https(cache(9, &[CODE]))],
            Unreachable,
        ),
    ];
    for (what, servers, verdict) in table {
        let diagnosis = verdict_of(servers);
        assert_eq!(diagnosis.verdict, verdict, "{what}: {diagnosis:?}");
        assert_eq!(diagnosis.remedy.is_none(), verdict == Visible, "{what}");
        assert!(!diagnosis.summary.is_empty(), "{what}");
    }
}

#[test]
fn a_zone_that_is_not_there_or_not_known_is_said_to_be_so() {
    for (delegation, verdict) in [
        (Delegation::NoDelegation, Verdict::NoDelegation),
        (Delegation::Unknown, Verdict::Unreachable),
        (Delegation::Zone("cool.cats".to_owned()), Verdict::Unreachable),
    ] {
        let lookup = Lookup { delegation, ..lookup(Vec::new()) };
        assert_eq!(diagnose(&lookup, Some(CODE.as_bytes()), now()).verdict, verdict);
    }
}

#[test]
fn servers_named_by_hand_all_count() {
    use Verdict::*;
    let unasked = |last| failed(holder(last, &[]), Failure::NoRoute("unreachable".to_owned()));
    let homeless = |last| failed(holder(last, &[]), Failure::NoAddress("unknown".to_owned()));
    for (what, servers, verdict) in [
        ("a cache alone", vec![cache(1, &[CODE])], Visible),
        ("a cache without it", vec![cache(1, &[])], NotPublished),
        (
            "a cache and a silent one",
            vec![cache(1, &[CODE]), silent(holder(2, &[]))],
            PartiallyPublished,
        ),
        ("a holder and a late cache", vec![holder(1, &[CODE]), cache(2, &[])], CachedNegative),
        ("a cache that rejects it", vec![bogus(cache(1, &[]))], DnssecBogus),
        ("a dead one", vec![silent(holder(1, &[]))], Unreachable),
        ("one without a route", vec![holder(1, &[CODE]), unasked(2)], PartiallyPublished),
        ("one without an address", vec![holder(1, &[CODE]), homeless(2)], PartiallyPublished),
        ("none with an address", vec![homeless(1)], Unreachable),
    ] {
        let lookup = Lookup { delegation: Delegation::CustomServers, ..lookup(servers) };
        assert_eq!(diagnose(&lookup, Some(CODE.as_bytes()), now()).verdict, verdict, "{what}");
    }
}

#[test]
fn a_code_at_a_wrong_name_is_found() {
    for (name, place) in [
        ("*.cool.cats", Location::Wildcard),
        ("cool.cats.cool.cats", Location::DuplicatedDomain),
        ("www.cool.cats", Location::Www),
        ("_cloudflare_dashboard_sso.cool.cats", Location::UnderscorePrefix),
        ("cats", Location::Apex),
    ] {
        for servers in [
            vec![holder(1, &[])],
            vec![nxdomain(holder(1, &[]))],
            vec![holder(1, &["cloudflare_dashboard_sso=anothers"])],
        ] {
            let at =
                |text| MisplacedCode { name: name.to_owned(), place, records: vec![txt(text)] };
            let with = |text| Lookup { misplaced: vec![at(text)], ..lookup(servers.clone()) };
            let diagnosis = diagnose(&with(CODE), Some(CODE.as_bytes()), now());
            assert_eq!(diagnosis.verdict, Verdict::WrongName);
            assert!(diagnosis.summary.contains(&format!("`{name}`")), "{}", diagnosis.summary);
            assert_ne!(
                diagnose(&with(OTHER), Some(CODE.as_bytes()), now()).verdict,
                Verdict::WrongName
            );
            if servers[0].records.is_empty() {
                assert_eq!(diagnose(&with(OTHER), None, now()).verdict, Verdict::WrongName);
            }
        }
    }
}

#[test]
fn a_wildcard_explains_every_name_below_it() {
    let at = |name: &str, place| MisplacedCode {
        name: name.to_owned(),
        place,
        records: vec![txt(CODE)],
    };
    let misplaced = vec![at("www.cool.cats", Location::Www), at("*.cool.cats", Location::Wildcard)];
    let diagnosis = diagnose(
        &Lookup { misplaced, ..lookup(vec![holder(1, &[])]) },
        Some(CODE.as_bytes()),
        now(),
    );
    assert!(diagnosis.summary.contains("`*.cool.cats`"), "{}", diagnosis.summary);
}

#[test]
fn a_wrong_value_from_a_wildcard_is_traced_to_it() {
    let place = Location::WildcardAbove;
    let misplaced =
        vec![MisplacedCode { name: "*.cats".to_owned(), place, records: vec![txt(OTHER)] }];
    let diagnosis = diagnose(
        &Lookup { misplaced, ..lookup(vec![holder(1, &[OTHER])]) },
        Some(CODE.as_bytes()),
        now(),
    );
    assert_eq!(diagnosis.verdict, Verdict::WrongValue);
    assert!(diagnosis.summary.contains("the wildcard `*.cats`"), "{}", diagnosis.summary);
}

#[test]
fn caches_forget_at_a_time_of_day() {
    let negative = |seconds| with(cache(9, &[]), |server| server.negative_ttl = seconds);
    let stale = |seconds| with(cache(9, &[OTHER]), |server| server.ttl = Some(seconds));
    for (what, late, at) in [
        ("what is left of the absence", negative(Some(90)), "2026-03-01T12:01:30Z"),
        ("at worst what the zone says", negative(None), "2026-03-01T12:30:00Z"),
        ("what is left of the old records", stale(3600), "2026-03-01T13:00:00Z"),
        ("a TTL with the top bit set is 0", stale(0x8000_0001), "2026-03-01T12:00:00Z"),
    ] {
        let diagnosis = verdict_of(vec![holder(1, &[CODE]), cache(8, &[CODE]), late]);
        assert_eq!(diagnosis.visible_at, Some(at.parse().unwrap()), "{what}");
        assert!(diagnosis.summary.contains(at), "{what}: {}", diagnosis.summary);
        assert!(diagnosis.summary.contains("within the two days"), "{}", diagnosis.summary);
    }
}

#[test]
fn the_cache_that_forgets_last_decides() {
    let late = |last, texts: &[&str], seconds| {
        with(cache(last, texts), |server| {
            server.ttl = Some(seconds);
            server.negative_ttl = Some(seconds);
        })
    };
    let diagnosis =
        verdict_of(vec![holder(1, &[CODE]), late(8, &[], 60), late(9, &[OTHER], 200_000)]);
    assert_eq!(diagnosis.verdict, Verdict::CachedStale);
    assert_eq!(diagnosis.visible_at, Some("2026-03-03T19:33:20Z".parse().unwrap()));
    assert!(diagnosis.summary.contains("after the two days"), "{}", diagnosis.summary);
}

#[test]
fn an_absence_known_from_caches_alone_may_be_old() {
    let late = with(cache(1, &[]), |server| server.negative_ttl = Some(60));
    let lookup = Lookup { delegation: Delegation::CustomServers, ..lookup(vec![late]) };
    let diagnosis = diagnose(&lookup, Some(CODE.as_bytes()), now());
    assert_eq!(diagnosis.visible_at, Some("2026-03-01T12:01:00Z".parse().unwrap()));
    assert_eq!(verdict_of(vec![holder(1, &[])]).visible_at, None);
}

#[test]
fn only_several_dead_ipv6_addresses_speak_for_a_machine_without_ipv6() {
    use Verdict::*;
    let dead = |last, address| v6(silent(holder(last, &[])), address);
    let live = |last, address| v6(holder(last, &[CODE]), address);
    for (what, servers, verdict) in [
        ("all", vec![holder(1, &[CODE]), dead(1, "2001:db8::1"), dead(2, "2001:db8::2")], Visible),
        ("just one", vec![holder(1, &[CODE]), dead(1, "2001:db8::1")], PartiallyPublished),
        (
            "not all",
            vec![holder(1, &[CODE]), dead(1, "2001:db8::1"), live(2, "2001:db8::2")],
            PartiallyPublished,
        ),
        (
            "IPv4 as well",
            vec![silent(holder(1, &[])), dead(1, "2001:db8::1"), dead(2, "2001:db8::2")],
            Unreachable,
        ),
    ] {
        assert_eq!(verdict_of(servers).verdict, verdict, "{what}");
    }
}

#[test]
fn without_an_expected_code_any_code_counts() {
    use Verdict::*;
    for (what, servers, verdict, code) in [
        ("one code", vec![holder(1, &[OTHER]), holder(2, &[OTHER])], Visible, Some(OTHER)),
        (
            "two codes, one everywhere",
            vec![holder(1, &[CODE, OTHER]), holder(2, &[OTHER])],
            Visible,
            Some(OTHER),
        ),
        (
            "a code at one server",
            vec![holder(1, &[CODE]), holder(2, &[])],
            PartiallyPublished,
            Some(CODE),
        ),
        ("none", vec![holder(1, &["v=spf1 -all"])], NotPublished, None),
        ("a misspelt one", vec![holder(1, &["cloudflare-dashboard-sso=1"])], WrongValue, None),
    ] {
        let diagnosis = diagnose(&lookup(servers), None, now());
        assert_eq!(diagnosis.verdict, verdict, "{what}");
        assert_eq!(diagnosis.code.as_deref(), code.map(str::as_bytes), "{what}");
    }
}

#[test]
fn evidence_names_each_server_that_does_not_serve_it() {
    let diagnosis = verdict_of(vec![
        holder(1, &[CODE]),
        refusing(holder(2, &[])),
        silent(holder(3, &[])),
        failed(holder(4, &[]), Failure::NoRoute("network unreachable".to_owned())),
    ]);
    assert_eq!(
        diagnosis.evidence,
        [
            "ns2.cool.cats (192.0.2.2:53): answers REFUSED",
            "ns3.cool.cats (192.0.2.3:53): no response within 2000 ms",
            "ns4.cool.cats (192.0.2.4:53): not queried: no route from here (network unreachable)",
        ]
    );
}

#[test]
fn values_are_compared_as_bytes_and_whole_records() {
    let bytes = |strings: &[&[u8]]| Txt { strings: strings.iter().map(|s| s.to_vec()).collect() };
    let expected = b"cloudflare_dashboard_sso=\xff\xfe";
    for (what, records, verdict) in [
        (
            "split strings",
            vec![bytes(&[b"cloudflare_dashboard_", b"sso=\xff\xfe"])],
            Verdict::Visible,
        ),
        (
            "the replacement character",
            vec![txt("cloudflare_dashboard_sso=\u{fffd}\u{fffd}")],
            Verdict::WrongValue,
        ),
        (
            "two records",
            vec![bytes(&[b"cloudflare_dashboard_"]), bytes(&[b"sso=\xff\xfe"])],
            Verdict::WrongValue,
        ),
    ] {
        let server = with(holder(1, &[]), |server| server.records = records);
        assert_eq!(
            diagnose(&lookup(vec![server]), Some(expected), now()).verdict,
            verdict,
            "{what}"
        );
    }
}

#[test]
fn verdicts_print_as_they_serialise() {
    use Verdict::*;
    for verdict in [
        Visible,
        PartiallyPublished,
        NotPublished,
        CachedNegative,
        CachedStale,
        WrongValue,
        WrongName,
        CnameConflict,
        DnssecBogus,
        LameDelegation,
        Nxdomain,
        NoDelegation,
        Unreachable,
    ] {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.to_string());
    }
}

/// Servers in any state that a lookup can return.
fn any_servers() -> impl Strategy<Value = Vec<Server>> {
    let one = (1_u8..9, 0_u8..10, proptest::bool::ANY, proptest::bool::ANY);
    let one = one.prop_map(|(last, state, is_cache, is_v6)| {
        let make = |texts: &[&str]| if is_cache { cache(last, texts) } else { holder(last, texts) };
        let server = match state {
            0..=3 => make(&[CODE]),
            4 => make(&[]),
            5 => make(&[OTHER]),
            6 => silent(make(&[])),
            7 => refusing(make(&[])),
            8 => bogus(make(&[])),
            _ => alias(make(&[])),
        };
        if is_v6 { v6(server, &format!("2001:db8::{last}")) } else { server }
    });
    proptest::collection::vec(one, 0..7)
}

proptest::proptest! {
    #[test]
    fn visible_means_that_every_server_that_answers_serves_it(servers in any_servers()) {
        let diagnosis = verdict_of(servers.clone());
        let serving = servers.iter().filter(|one| one.serves(CODE.as_bytes())).count();
        let silent_v6 = |one: &&Server| one.error.is_some() && one.server.starts_with('[');
        let excused = servers.iter().filter(silent_v6).count();
        if diagnosis.verdict == Verdict::Visible {
            proptest::prop_assert!(serving > 0);
            proptest::prop_assert!(serving + excused == servers.len(), "{servers:?}");
            proptest::prop_assert!(excused != 1, "one silent address proves nothing");
        }
        if !servers.is_empty() && serving == servers.len() {
            let is_held = servers.iter().any(|one| one.role == Role::Authoritative);
            let verdict = if is_held { Verdict::Visible } else { Verdict::Unreachable };
            proptest::prop_assert_eq!(diagnosis.verdict, verdict);
        }
    }
}
