//! The desired-state file: JSON, YAML or TOML.

use std::path::Path;

use serde_json::{Map, Value};

use super::super::idp::file as text;
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::desired::{Desired, parse};
use crate::input::text::decode;
use crate::shell::quoted;

/// In bytes; the plan of a thousand domains takes a tenth of it.
pub const LARGEST: usize = 16 << 20;

/// The schema of a saved plan.
pub const SCHEMA: &str = "cfsso/config-plan/v1";

/// Reads a desired state; `-` is standard input.
pub async fn read(context: &Context, file: &Path) -> anyhow::Result<Desired> {
    let members = read_object(context, file).await?;
    if members.get("schema").is_some_and(|schema| schema == SCHEMA) {
        let problem = "it is a plan that `cfsso plan --out` kept".to_owned();
        let plan = quoted(&file.display().to_string());
        return Err(invalid(file, vec![problem]).hint(format!("`cfsso apply {plan}`")).into());
    }
    Ok(parse::parse(&members).map_err(|problems| invalid(file, problems))?)
}

pub async fn read_object(context: &Context, file: &Path) -> anyhow::Result<Map<String, Value>> {
    let bytes = context.read_file(file, LARGEST, "configuration").await?;
    let wrong = |cause: String| invalid(file, vec![cause]);
    let text = decode(&bytes).map_err(|error| wrong(error.to_string()))?;
    if text.trim().is_empty() {
        return Err(wrong("it is empty".to_owned()).into());
    }
    let document = text::parse(&text, text::syntax(file, &text)).map_err(wrong)?;
    Ok(serde_json::from_str(document.to_raw().get())?)
}

pub(super) fn invalid(file: &Path, problems: Vec<String>) -> FlowError {
    let message = format!("{} is not a valid configuration", text::name(file));
    FlowError::usage(message)
        .causes(problems)
        .hint("`cfsso help desired-state`, or `cfsso schema config`")
}
