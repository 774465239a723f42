//! The commands of a recovery card, for `sh`; those with `curl` and `jq` work without this program.
//! They read the SSO App, change one or two fields and send the rest back unchanged: a PUT
//! replaces the object (API reference, section 4). Pure.

use super::state::{CardFacts, ConnectorState, SsoAppState};
use crate::domain::EmailDomain;
use crate::flow::bypass::otp::PIN;
use crate::shell::quoted;

/// As in [`crate::flow::target::Target`].
const LEFT_OUT: [&str; 3] = [".policies", ".created_at", ".updated_at"];

const FIELDS: &str = r#""allowed_idps", "auto_redirect_to_identity""#;

/// The token goes to curl through a pipe: it is in no process list.
pub const FUNCTIONS: &str = r#"api="${CLOUDFLARE_BASE_URL:-https://api.cloudflare.com/client/v4}/accounts/$CLOUDFLARE_ACCOUNT_ID"
cf() { printf 'Authorization: Bearer %s\n' "$(cat "$CLOUDFLARE_API_TOKEN_FILE")" |
  curl -sS -m 60 -H @- -H 'Content-Type: application/json' "$@"; }
result='if .success then .result else error(.errors | tostring) end'
ok() { jq -e "$result | true"; }"#;

/// Functions for the SSO App. `get` reads into a file and fails with the error of the API: an
/// error has no result, and `change` would replace the object by two fields. `save` keeps the
/// state before, `change` edits. jq would round long numbers (before 1.7) and rewrite escapes:
/// `hide` turns both into plain text, `show` turns them back. An object that contains the mark
/// `@@` is not sent.
const APP_FUNCTIONS: &str = r#"hide() { sed -E 's/\\\\/@@b/g; s/\\"/@@q/g; s/\\/@@s/g
  s/("[^"]*")|(-?[0-9][0-9.eE+-]*)/\1@@\2@@/g; s/@@@@//g; s/@@([-0-9][^@]*)@@/"@@n\1"/g'; }
show() { sed -E 's/"@@n([^"]*)"/\1/g; s/@@q/\\"/g; s/@@s/\\/g; s/@@b/\\\\/g'; }
get() { cf "$api/access/$1" > now.json && read=$(ok < now.json); }
save() { test -e before.json || { get "apps/$app" && mv now.json before.json; }; }
change() { get "apps/$app" && ! grep @@ now.json &&
  hide < now.json > hidden.json &&
  jq -ce --arg pin "$pin" --slurpfile before before.json \
    ".result | del(LEFT_OUT) | $1" hidden.json > new.json &&
  show < new.json > put.json &&
  cf -X PUT --data-binary @put.json "$api/access/apps/$app" | ok; }"#;

const ALLOW_PIN: &str = r"save && change '
  (.allowed_idps // []) as $ids
  | if $ids == [] or ($ids | index($pin)) then . else .allowed_idps = $ids + [$pin] end
  | if .auto_redirect_to_identity and (.allowed_idps // [] | length) != 1
    then .auto_redirect_to_identity = false else . end'";

/// Restores only the fields of `before.json`, which stays until all is done: the undo can be
/// repeated after a failure.
const RESTORE: &str = r"change '$before[0].result as $old
  | reduce (FIELDS) as $k
    (.; if ($old | has($k)) then .[$k] = $old[$k] else . end)'";

const UNDONE: &str = "mv before.json undone.json";

pub fn environment(facts: &CardFacts) -> String {
    let file = facts.token.file.as_deref().unwrap_or("emergency-token");
    let mut lines = vec![
        format!("export CLOUDFLARE_ACCOUNT_ID={}", facts.state.account),
        format!("export CLOUDFLARE_API_TOKEN_FILE={}", quoted(file)),
    ];
    let others = facts.environment.iter();
    lines.extend(others.map(|(name, value)| format!("export {name}={}", quoted(value))));
    lines.join("\n")
}

pub fn set_enabled<'a>(
    connectors: impl Iterator<Item = &'a ConnectorState>,
    enabled: bool,
) -> String {
    let lines = connectors.map(|one| {
        let url = url("sso_connectors", one.id.as_str());
        // A string of the API in a script has to be a domain.
        let domain = one.domain.parse::<EmailDomain>();
        let comment = domain.map(|domain| format!("  # {domain}")).unwrap_or_default();
        let body = format!(r#"{{"enabled":{enabled}}}"#);
        format!("cf -X PATCH -d '{body}' {url} | ok{comment}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

pub fn app_functions(app: &SsoAppState, facts: &CardFacts) -> String {
    let hidden = app.hidden_fields.iter().map(|field| {
        let names = field.split('.').map(|name| format!(r#".\"{name}\""#));
        names.collect::<String>()
    });
    let left_out: Vec<_> = LEFT_OUT.map(str::to_owned).into_iter().chain(hidden).collect();
    let functions = APP_FUNCTIONS.replace("LEFT_OUT", &left_out.join(", "));
    let pin = facts.state.pin().map(|pin| format!("pin={}\n", quoted(pin.as_str())));
    format!("app={}\n{}{functions}", quoted(app.id.as_str()), pin.unwrap_or_default())
}

/// Notes the ID of a created PIN in a file: the undo deletes no other one. Creates none if the
/// list cannot be read.
const FIND_OR_CREATE_PIN: &str = r#"get "identity_providers?per_page=1000" &&
pin=$(jq -r '.result[] | select(.type == "onetimepin").id' now.json) && {
  test -n "$pin" || {
    pin=$(cf -d 'PIN' "$api/access/identity_providers" | jq -re "$result | .id") &&
    echo "$pin" > new-pin; }; }"#;

/// In braces: without them, `||` would also follow a failure to restore the SSO App.
const DELETE_PIN: &str = r#"{ test ! -s new-pin || {
  cf -X DELETE "$api/access/identity_providers/$(cat new-pin)" | ok && rm new-pin; }; }"#;

pub fn allow_pin(facts: &CardFacts) -> String {
    if facts.state.pin().is_some() {
        return ALLOW_PIN.to_owned();
    }
    let find = FIND_OR_CREATE_PIN.replace("'PIN'", &format!("'{PIN}'"));
    format!("{find} &&\n{ALLOW_PIN}")
}

pub fn restore_app(facts: &CardFacts) -> String {
    let restore = RESTORE.replace("FIELDS", FIELDS);
    match facts.state.pin() {
        Some(_) => format!("{restore} &&\n{UNDONE}"),
        None => format!("{restore} &&\n{DELETE_PIN} &&\n{UNDONE}"),
    }
}

pub fn show_state(app: Option<&SsoAppState>) -> String {
    let connectors =
        r#"cf "$api/sso_connectors" | jq -c "$result | .[] | {email_domain, enabled}""#;
    let Some(app) = app else { return connectors.to_owned() };
    let fields = "{allowed_idps, auto_redirect_to_identity}";
    let url = url("access/apps", app.id.as_str());
    format!("{connectors}\ncf {url} |\n  jq -c \"$result | {fields}\"")
}

/// As one word of a shell.
fn url(collection: &str, id: &str) -> String {
    match quoted(id) {
        plain if plain == id => format!("\"$api/{collection}/{id}\""),
        quoted => format!("\"$api/{collection}/\"{quoted}"),
    }
}
