//! `cfsso schema`: the JSON Schema of each result.

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

/// Every kind of result that scripts may rely on.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "app",
        about: "app get, update; app idps, instant-auth after a change",
        schema: || schema_for!(app::AppFields),
    },
    Kind { name: "app-idps", about: "app idps", schema: || schema_for!(super::app::idps::AppIdps) },
    Kind { name: "apps", about: "app list", schema: || schema_for!(Vec<app::AppFields>) },
    Kind {
        name: "break-glass",
        about: "token create-break-glass",
        schema: || schema_for!(super::token::create_break_glass::Report),
    },
    Kind {
        name: "bypass",
        about: "bypass otp and disable",
        schema: || schema_for!(super::bypass::report::Report),
    },
    Kind {
        name: "bypass-status",
        about: "bypass status",
        schema: || schema_for!(super::bypass::status::Report),
    },
    Kind {
        name: "bypass-undo",
        about: "bypass undo",
        schema: || schema_for!(super::bypass::undo::Report),
    },
    Kind {
        name: "connector",
        about: "connector get, create, verify, enable, disable, ...",
        schema: || schema_for!(super::connector::view::View),
    },
    Kind {
        name: "connectors",
        about: "connector list",
        schema: || schema_for!(Vec<super::connector::view::View>),
    },
    Kind {
        name: "deleted",
        about: "connector delete",
        schema: || schema_for!(super::connector::delete::Deleted),
    },
    Kind {
        name: "drill-scenario",
        about: "drill --scenario",
        schema: || schema_for!(super::drill::practice::Report),
    },
    Kind {
        name: "timeline",
        about: "timeline",
        schema: || schema_for!(crate::flow::timeline::Timeline),
    },
    Kind { name: "diagnose", about: "diagnose", schema: || schema_for!(super::diagnose::Findings) },
    Kind { name: "dig", about: "dig", schema: || schema_for!(dns::Report) },
    Kind {
        name: "doctor",
        about: "doctor, recovery check",
        schema: || schema_for!(super::doctor::Report),
    },
    Kind { name: "drill", about: "drill", schema: || schema_for!(super::drill::report::Report) },
    Kind {
        name: "federation-share",
        about: "federation share",
        schema: || schema_for!(federation::share::Report),
    },
    Kind {
        name: "federation-status",
        about: "federation status",
        schema: || schema_for!(federation::status::Status),
    },
    Kind {
        name: "federation-unshare",
        about: "federation unshare",
        schema: || schema_for!(federation::unshare::Report),
    },
    Kind {
        name: "fleet",
        about: "every command that reads several accounts",
        schema: || schema_for!(super::fleet::Report),
    },
    Kind {
        name: "grant",
        about: "federation get, create",
        schema: || schema_for!(grant::GrantFields),
    },
    Kind {
        name: "grants",
        about: "federation list",
        schema: || schema_for!(Vec<grant::GrantFields>),
    },
    Kind {
        name: "recipient",
        about: "share recipients get, add",
        schema: || schema_for!(share::recipient::RecipientFields),
    },
    Kind {
        name: "recipients",
        about: "share recipients list",
        schema: || schema_for!(Vec<share::recipient::RecipientFields>),
    },
    Kind {
        name: "resource",
        about: "share resources get, add, update",
        schema: || schema_for!(share::resource::ResourceFields),
    },
    Kind {
        name: "resources",
        about: "share resources list",
        schema: || schema_for!(Vec<share::resource::ResourceFields>),
    },
    Kind {
        name: "share",
        about: "share get, create, update",
        schema: || schema_for!(share::ShareFields),
    },
    Kind { name: "shares", about: "share list", schema: || schema_for!(Vec<share::ShareFields>) },
    Kind {
        name: "error",
        about: "every failure, on standard error",
        schema: || schema_for!(Envelope),
    },
    Kind { name: "idp-test", about: "idp test", schema: || schema_for!(super::idp::test::Report) },
    Kind {
        name: "trial",
        about: "connector enable --trial",
        schema: || schema_for!(crate::flow::trial::Report),
    },
    Kind {
        name: "apply",
        about: "apply",
        schema: || schema_for!(crate::flow::desired::apply::ApplyReport),
    },
    Kind {
        name: "config",
        about: "export; the file of plan and apply",
        schema: || schema_for!(crate::flow::desired::Desired),
    },
    Kind {
        name: "config-plan",
        about: "plan",
        schema: || schema_for!(super::desired::plan::ConfigPlan),
    },
    Kind {
        name: "settings",
        about: "config show",
        schema: || schema_for!(Vec<super::config::Setting>),
    },
    Kind { name: "logins", about: "logins", schema: || schema_for!(Vec<Login>) },
    Kind { name: "journal", about: "journal list", schema: || schema_for!(Vec<Entry>) },
    Kind { name: "journal-prune", about: "journal prune", schema: || schema_for!(PruneReport) },
    Kind {
        name: "journal-run",
        about: "journal show",
        schema: || schema_for!(super::journal::show::Run),
    },
    Kind {
        name: "idp",
        about: "idp get, create; idp update, rotate-secret after",
        schema: || schema_for!(idp::IdpFields),
    },
    Kind {
        name: "idp-check",
        about: "idp check",
        schema: || schema_for!(super::idp::check::Report),
    },
    Kind {
        name: "idp-deleted",
        about: "idp delete",
        schema: || schema_for!(super::idp::delete::Deleted),
    },
    Kind {
        name: "idp-initiated",
        about: "app idp-initiated",
        schema: || schema_for!(super::app::idp_initiated::Values),
    },
    Kind {
        name: "idp-types",
        about: "idp types",
        schema: || schema_for!(Vec<crate::idp::IdpTypeSpec>),
    },
    Kind { name: "impact", about: "impact", schema: || schema_for!(crate::flow::impact::Report) },
    Kind { name: "idps", about: "idp list", schema: || schema_for!(Vec<idp::IdpFields>) },
    Kind {
        name: "plan",
        about: "every command with --dry-run",
        schema: || schema_for!(plan::Plan),
    },
    Kind {
        name: "policies",
        about: "app policies",
        schema: || schema_for!(Vec<policy::PolicyFields>),
    },
    Kind {
        name: "preflight",
        about: "preflight",
        schema: || schema_for!(super::preflight::Report),
    },
    Kind {
        name: "recovery-prepare",
        about: "recovery prepare",
        schema: || schema_for!(super::recovery::prepare::Report),
    },
    Kind { name: "setup", about: "setup", schema: || schema_for!(setup::Report) },
    Kind { name: "status", about: "status", schema: || schema_for!(crate::flow::status::Report) },
    Kind { name: "team", about: "team show", schema: || schema_for!(super::team::show::Team) },
    Kind { name: "team-rename", about: "team rename", schema: || schema_for!(rename::Report) },
    Kind {
        name: "token",
        about: "whoami, token check",
        schema: || schema_for!(crate::flow::token::Report),
    },
    Kind {
        name: "token-url",
        about: "token create-url",
        schema: || schema_for!(super::token::create_url::Report),
    },
    Kind { name: "version", about: "version", schema: || schema_for!(super::version::Report) },
    Kind {
        name: "journal-undo",
        about: "journal undo",
        schema: || schema_for!(super::journal::undo::Report),
    },
];

/// A failure as it is printed.
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
