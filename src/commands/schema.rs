use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::Outcome;
use crate::api::{app, grant, idp, policy, share};
use crate::dns;
use crate::flow::journal::{Entry, PruneReport};
use crate::flow::login_log::Login;
use crate::flow::{FlowError, federation, plan, rename, setup};
use crate::output::{ErrorReport, Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso schema
  cfsso schema setup > setup.schema.json")]
pub struct Args {
    /// Kind of result; lists all kinds if omitted
    kind: Option<String>,
}

#[derive(Serialize)]
pub struct Kind {
    pub name: &'static str,
    pub about: &'static str,
    #[serde(skip)]
    schema: fn() -> Schema,
}

const fn kind<T: JsonSchema>(name: &'static str, about: &'static str) -> Kind {
    Kind { name, about, schema: || schema_for!(T) }
}

/// Every kind of result that scripts may rely on.
pub const KINDS: &[Kind] = &[
    kind::<app::AppFields>("app", "app get, update; app idps, instant-auth after a change"),
    kind::<super::app::idps::AppIdps>("app-idps", "app idps"),
    kind::<Vec<app::AppFields>>("apps", "app list"),
    kind::<super::token::create_break_glass::Report>("break-glass", "token create-break-glass"),
    kind::<super::bypass::report::Report>("bypass", "bypass otp and disable"),
    kind::<super::bypass::status::Report>("bypass-status", "bypass status"),
    kind::<super::bypass::undo::Report>("bypass-undo", "bypass undo"),
    kind::<super::connector::view::View>(
        "connector",
        "connector get, create, verify, enable, disable, ...",
    ),
    kind::<Vec<super::connector::view::View>>("connectors", "connector list"),
    kind::<super::connector::delete::Deleted>("deleted", "connector delete"),
    kind::<super::drill::practice::Report>("drill-scenario", "drill --scenario"),
    kind::<crate::flow::timeline::Timeline>("timeline", "timeline"),
    kind::<super::diagnose::Findings>("diagnose", "diagnose"),
    kind::<dns::Report>("dig", "dig"),
    kind::<super::doctor::Report>("doctor", "doctor"),
    kind::<super::drill::report::Report>("drill", "drill"),
    kind::<federation::share::Report>("federation-share", "federation share"),
    kind::<federation::status::Status>("federation-status", "federation status"),
    kind::<federation::unshare::Report>("federation-unshare", "federation unshare"),
    kind::<super::fleet::Report>("fleet", "every command that reads several accounts"),
    kind::<grant::GrantFields>("grant", "federation get, create"),
    kind::<Vec<grant::GrantFields>>("grants", "federation list"),
    kind::<share::recipient::RecipientFields>("recipient", "share recipients get, add"),
    kind::<Vec<share::recipient::RecipientFields>>("recipients", "share recipients list"),
    kind::<share::resource::ResourceFields>("resource", "share resources get, add, update"),
    kind::<Vec<share::resource::ResourceFields>>("resources", "share resources list"),
    kind::<share::ShareFields>("share", "share get, create, update"),
    kind::<Vec<share::ShareFields>>("shares", "share list"),
    kind::<Envelope>("error", "every failure, on standard error"),
    kind::<super::idp::test::Report>("idp-test", "idp test"),
    kind::<crate::flow::trial::Report>("trial", "connector enable --trial"),
    kind::<crate::flow::desired::apply::ApplyReport>("apply", "apply"),
    kind::<crate::flow::desired::Desired>("config", "export; the file of plan and apply"),
    kind::<super::desired::plan::ConfigPlan>("config-plan", "plan"),
    kind::<Vec<super::config::Setting>>("settings", "config show"),
    kind::<Vec<Login>>("logins", "logins"),
    kind::<Vec<Entry>>("journal", "journal list"),
    kind::<PruneReport>("journal-prune", "journal prune"),
    kind::<super::journal::show::Run>("journal-run", "journal show"),
    kind::<idp::IdpFields>("idp", "idp get, create; idp update, rotate-secret after"),
    kind::<super::idp::check::Report>("idp-check", "idp check"),
    kind::<super::idp::delete::Deleted>("idp-deleted", "idp delete"),
    kind::<super::app::idp_initiated::Values>("idp-initiated", "app idp-initiated"),
    kind::<Vec<crate::idp::IdpTypeSpec>>("idp-types", "idp types"),
    kind::<crate::flow::impact::Report>("impact", "impact"),
    kind::<Vec<idp::IdpFields>>("idps", "idp list"),
    kind::<plan::Plan>("plan", "every command with --dry-run"),
    kind::<Vec<policy::PolicyFields>>("policies", "app policies"),
    kind::<super::preflight::Report>("preflight", "preflight"),
    kind::<super::doctor::Report>("recovery-check", "recovery check"),
    kind::<super::recovery::prepare::Report>("recovery-prepare", "recovery prepare"),
    kind::<setup::Report>("setup", "setup"),
    kind::<crate::flow::status::Report>("status", "status"),
    kind::<super::team::show::Team>("team", "team show"),
    kind::<rename::Report>("team-rename", "team rename"),
    kind::<crate::flow::token::Report>("token", "whoami, token check"),
    kind::<super::token::create_url::Report>("token-url", "token create-url"),
    kind::<super::version::Report>("version", "version"),
    kind::<super::journal::undo::Report>("journal-undo", "journal undo"),
];

/// The error output of a command that failed.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Envelope {
    error: ErrorReport,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Kinds(&'static [Kind]);

#[derive(Serialize)]
#[serde(transparent)]
struct SchemaOutput(Schema);

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Some(name) = &args.kind else { return Ok(Outcome::done(Kinds(KINDS))) };
    let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        FlowError::usage(format!("unknown kind of result `{name}`"))
            .hint(format!("kinds: {}", names.join(", ")))
    })?;
    Ok(Outcome::done(SchemaOutput((kind.schema)())))
}

impl Render for Kinds {
    fn show(&self, page: &mut Page) {
        let rows: Vec<_> = self
            .0
            .iter()
            .map(|kind| vec![Text::strong(kind.name), Text::plain(kind.about)])
            .collect();
        page.table(&["KIND", "PRINTED BY"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|kind| kind.name.to_owned()).collect()
    }
}

impl Render for SchemaOutput {
    fn show(&self, page: &mut Page) {
        let text = serde_json::to_string_pretty(&self.0).unwrap_or_default();
        page.literal(&text);
    }
}
