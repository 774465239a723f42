//! How results, progress, questions and errors reach people and scripts.
//! Knows nothing of Cloudflare, of argument parsing or of error chains.
//!
//! A command returns a [`Report`]; a [`Screen`] renders it in the chosen
//! [`Format`]. For people a report draws [`Text`] on a [`Page`].

mod ago;
mod answer;
mod call;
mod exit_code;
mod failure;
mod format;
mod hidden;
mod json;
mod live;
mod look;
mod mark;
mod page;
mod render;
mod report;
mod sanitize;
mod screen;
mod streams;
mod table;
mod text;
mod yaml;

pub use ago::{ago, lasting};
pub use call::Call;
pub use exit_code::ExitCode;
pub use failure::{ApiError, ErrorDocument, Failure};
pub use format::Format;
pub use look::{Choice, Environment, Look, colour_wanted, live_wanted, unicode_wanted};
pub use mark::Mark;
pub use page::Page;
pub use report::{Report, Show};
pub use sanitize::sanitize;
pub use screen::{Screen, ScreenOptions};
pub use streams::TraceWriter;
pub use text::Text;
