//! Results held to the JSON Schemas that the program prints.

use boon::{Compiler, Draft, Schemas};
use serde_json::Value;

/// Asserts that `value` is what `schema` describes.
#[track_caller]
pub fn assert_conforms(schema: &Value, value: &Value) {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.add_resource("cfsso.json", schema.clone()).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile("cfsso.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(value, index) {
        panic!("{error:#}\n{value:#}");
    }
}
