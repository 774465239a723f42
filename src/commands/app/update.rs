use super::super::{Outcome, update_output};
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::app::{self, Assignment};
use crate::flow::plan::Difference;
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::input::value::{self, type_of};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app update --set session_duration=12h --dry-run
  cfsso app update Wiki --name Handbook --set app_launcher_visible=false

Only the given fields change. Identity providers are allowed with
`cfsso app idps`, and the choice of them skipped with `cfsso app instant-auth`.")]
pub struct Args {
    /// Name or ID of the application (default: the SSO App)
    app: Option<String>,

    /// New name
    #[arg(long, value_parser = value::name)]
    name: Option<String>,

    /// Set a field (FIELD=JSON or OBJECT.FIELD=JSON; repeatable)
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    fields: Vec<Assignment>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    if args.name.is_none() && args.fields.is_empty() {
        return Err(FlowError::usage("nothing to change was specified")
            .hint("`cfsso app get -o json` lists the fields")
            .into());
    }
    let env = context.env().await?;
    let app = app::find(&env, args.app.as_deref()).await?;
    let edit = Update::prepare(&env, Target::App(app.id.clone()), |document| {
        if let Some(name) = &args.name {
            Assignment::of("name", name).make(document)?;
        }
        args.fields.iter().try_for_each(|field| field.make(document))
    })
    .await?;
    if let Some(asked) = edit.requested.iter().find(|asked| is_of_another_type(asked)) {
        let message = format!(
            "`{}` is {}, not {}",
            asked.field,
            type_of(&asked.before),
            type_of(&asked.after)
        );
        return Err(FlowError::usage(message).into());
    }
    update_output::run_update(context, &env, &edit, "change it").await
}

fn is_of_another_type(asked: &Difference) -> bool {
    let is_set = !asked.before.is_null() && !asked.after.is_null();
    is_set && type_of(&asked.before) != type_of(&asked.after)
}
