//! Desired state of an account: `cfsso export`, `plan` and `apply`.

pub mod apply;
pub mod export;
mod file;
pub mod plan;
