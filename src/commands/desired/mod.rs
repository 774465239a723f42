//! Desired state of an account: `cfsso export`, `plan` and `apply`.

pub mod apply;
mod decisions;
pub mod export;
mod file;
pub mod plan;
