use crate::input::proxy::ProxySettings;
use crate::output::Environment;

/// The first non-empty variable, upper case first, as curl documents; the one for all schemes last.
/// It is validated when a request needs it: no request bypasses an invalid proxy.
pub(super) fn resolve(env: &Environment) -> ProxySettings {
    let first = |names: &[&'static str]| {
        names.iter().find_map(|name| Some((*name, env.get(*name).filter(|it| !it.is_empty())?)))
    };
    ProxySettings {
        proxy: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
            .map(|(variable, value)| (variable, value.clone())),
        exceptions: first(&["NO_PROXY", "no_proxy"]).map(|(_, value)| value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_not_empty_counts() {
        for (env, expected) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", "a"), ("https_proxy", "b")], Some(("HTTPS_PROXY", "a"))),
            (&[("HTTPS_PROXY", ""), ("https_proxy", "b")], Some(("https_proxy", "b"))),
            (&[("ALL_PROXY", "c"), ("https_proxy", "b")], Some(("https_proxy", "b"))),
            (&[("all_proxy", "c")], Some(("all_proxy", "c"))),
            (&[("HTTP_PROXY", "d")], None),
        ] {
            let env = env.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect();
            let found = resolve(&env).proxy;
            let found = found.as_ref().map(|(variable, value)| (*variable, value.as_str()));
            assert_eq!(found, expected, "{env:?}");
        }
    }
}
