//! How results, progress, questions and errors reach people and scripts.
//! Knows nothing of Cloudflare, of argument parsing or of error chains.
//!
//! A command returns a [`Report`]; a [`Screen`] renders it in the chosen
//! [`Format`]. For people a report draws [`Text`] on a [`Page`].

mod ago;
mod csv;
mod editor;
mod error_report;
mod exit_code;
mod fields;
mod format;
mod invocation;
mod jq;
mod json;
mod list;
mod literal;
mod live;
mod mark;
mod page;
mod panic;
mod prompt;
mod render;
mod report;
mod sanitize;
mod screen;
mod status_prompt;
mod streams;
mod style;
mod table;
mod terminal_mode;
mod text;
mod yaml;

pub use ago::{ago, format_duration};
pub use csv::csv;
pub use editor::ESCAPE;
pub use error_report::{ApiError, ErrorReport};
pub use exit_code::ExitCode;
pub use format::Format;
pub use invocation::Invocation;
pub use jq::{JqError, check as check_jq};
pub use json::pretty_json;
pub use list::{List, Row};
pub use literal::Literal;
pub use live::Measure;
pub use mark::Status;
pub use page::Page;
pub use panic::exit_at_panic;
pub use render::Selection;
pub use report::{Render, Report, Rows};
pub use sanitize::sanitize;
pub use screen::{Screen, ScreenOptions};
pub use style::{ColorChoice, Environment, Style, use_color, use_progress, use_unicode};
pub use text::Text;
pub use yaml::from_json as yaml_from_json;

pub use crate::rfc3339::format as time;
