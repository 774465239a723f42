//! DNS records (API reference, section 8.4).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Outcome, body, zone};
use crate::sandbox::access::{Area, Right};
use crate::sandbox::answer::{ApiErrorResponse, ApiResponse, time};
use crate::sandbox::auth::Caller;
use crate::sandbox::name_server;
use crate::sandbox::query::{PageSize, Parameters};
use crate::sandbox::shared::AppState;
use crate::sandbox::state::{Record, Zone, is_within};
use crate::sandbox::txt;

const PAGES: PageSize = PageSize { min: 1, max: 50_000, default: 100 };

/// The filters that are modelled.
const FILTERS: [&str; 8] = [
    "type",
    "name",
    "name.exact",
    "content",
    "content.exact",
    "content.contains",
    "content.startswith",
    "content.endswith",
];

pub(super) fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route("/zones/{zone}/dns_records", get(list).post(create))
        .route("/zones/{zone}/dns_records/{id}", delete(remove).get(one).patch(change))
}

#[derive(Deserialize)]
struct CreateRequest {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    content: String,
    #[serde(default = "automatic")]
    ttl: u32,
    priority: Option<u16>,
    #[serde(default)]
    proxied: bool,
    comment: Option<String>,
}

fn automatic() -> u32 {
    1
}

async fn list(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(id): Path<String>,
    query: Parameters,
) -> Outcome {
    let zone = zone::visible(&shared, &caller, &id, Area::Dns, Right::Read)?;
    let query = query.only(&FILTERS)?;
    let records: Vec<Value> = shared.store.read(|state| {
        let of_zone = state.records.iter().filter(|record| record.zone == zone.id);
        of_zone.filter(|record| is_asked_for(record, &query)).map(to_json).collect()
    });
    query.page(records, PAGES)
}

async fn one(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((zone, id)): Path<(String, String)>,
) -> Outcome {
    let zone = zone::visible(&shared, &caller, &zone, Area::Dns, Right::Read)?;
    shared.store.read(|state| {
        let known = state.records.iter().find(|record| record.zone == zone.id && record.id == id);
        known.map(|record| ApiResponse::of(to_json(record))).ok_or_else(not_found)
    })
}

async fn create(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Outcome {
    let zone = zone::visible(&shared, &caller, &id, Area::Dns, Right::Write)?;
    let creation = checked(body(&bytes)?, &zone)?;
    let now = shared.clock.now();
    shared.store.change(|state| {
        let is_same = |known: &Record| {
            known.zone == zone.id
                && (&known.name, &known.kind, &known.content)
                    == (&creation.name, &creation.kind, &creation.content)
        };
        if state.records.iter().any(is_same) {
            return Err(ApiErrorResponse::bad_request(
                81058,
                "An identical record already exists.",
            ));
        }
        if state.records.iter().any(|known| known.zone == zone.id && clashes(known, &creation)) {
            let message = "An A, AAAA, or CNAME record with that host already exists.";
            return Err(ApiErrorResponse::bad_request(81053, message));
        }
        let CreateRequest { name, kind, content, ttl, priority, proxied, comment } = creation;
        let (id, zone) = (state.next_id(), zone.id);
        let record = Record {
            id,
            zone,
            name,
            kind,
            content,
            ttl,
            priority,
            proxied,
            comment,
            created_on: now,
        };
        let answer = ApiResponse::of(to_json(&record));
        state.records.push(record);
        Ok(answer)
    })
}

/// Changes the fields that are named. The official SDKs edit a record so.
async fn change(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((zone, id)): Path<(String, String)>,
    bytes: Bytes,
) -> Outcome {
    let zone = zone::visible(&shared, &caller, &zone, Area::Dns, Right::Write)?;
    let wanted: Map<String, Value> = body(&bytes)?;
    shared.store.change(|state| {
        let is_meant = |known: &Record| known.zone == zone.id && known.id == id;
        let position = state.records.iter().position(is_meant).ok_or_else(not_found)?;
        let known = state.records[position].clone();
        let mut fields = json!({
            "name": known.name,
            "type": known.kind,
            "content": known.content,
            "ttl": known.ttl,
            "priority": known.priority,
            "proxied": known.proxied,
            "comment": known.comment,
        });
        for (name, value) in wanted {
            fields[name] = value;
        }
        let fields = serde_json::from_value(fields)
            .map_err(|error| ApiErrorResponse::bad_request(9207, error.to_string()))?;
        let CreateRequest { name, kind, content, ttl, priority, proxied, comment } =
            checked(fields, &zone)?;
        let record = Record { name, kind, content, ttl, priority, proxied, comment, ..known };
        let answer = ApiResponse::of(to_json(&record));
        state.records[position] = record;
        Ok(answer)
    })
}

async fn remove(
    caller: Caller,
    State(shared): State<Arc<AppState>>,
    Path((zone, id)): Path<(String, String)>,
) -> Outcome {
    let zone = zone::visible(&shared, &caller, &zone, Area::Dns, Right::Write)?;
    shared.store.change(|state| {
        let before = state.records.len();
        state.records.retain(|record| record.zone != zone.id || record.id != id);
        if state.records.len() == before {
            return Err(not_found());
        }
        Ok(ApiResponse::of(json!({ "id": id })))
    })
}

fn not_found() -> ApiErrorResponse {
    ApiErrorResponse::new(StatusCode::NOT_FOUND, 81044, "Record does not exist.")
}

/// The record as it is kept, or what is wrong with it.
fn checked(creation: CreateRequest, zone: &Zone) -> Result<CreateRequest, ApiErrorResponse> {
    if creation.ttl != 1 && !(60..=86_400).contains(&creation.ttl) {
        return Err(ApiErrorResponse::bad_request(1004, "DNS Validation Error").caused_by(
            9021,
            "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
        ));
    }
    let kind = creation.kind.to_ascii_uppercase();
    if !["A", "AAAA", "CNAME", "MX", "NS", "TXT"].contains(&kind.as_str()) {
        return Err(ApiErrorResponse::not_simulated(format!("records of type `{kind}`")));
    }
    let name = full_name(&creation.name, &zone.name);
    if kind == "CNAME" && name == zone.name {
        return Err(ApiErrorResponse::not_simulated("a flattened CNAME at the apex of a zone"));
    }
    let content = match kind.as_str() {
        "TXT" => txt::stored(&creation.content),
        _ => creation.content.trim().to_owned(),
    };
    if !name_server::is_name(&name) {
        return Err(ApiErrorResponse::bad_request(1004, "DNS Validation Error")
            .caused_by(9000, "DNS name is invalid."));
    }
    if name_server::data(&kind, &content, creation.priority).is_none() {
        return Err(ApiErrorResponse::bad_request(1004, "DNS Validation Error")
            .caused_by(9007, "Content for this record is invalid."));
    }
    Ok(CreateRequest { name, kind, content, ..creation })
}

/// The full name of a record: the zone's is added to what does not end in it.
/// So `cool.cats.` in the zone `cats.test` becomes `cool.cats.cats.test`.
fn full_name(name: &str, zone: &str) -> String {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    if name.is_empty() || name == "@" {
        return zone.to_owned();
    }
    if is_within(&name, zone) { name } else { format!("{name}.{zone}") }
}

/// Whether DNS has no room for both.
fn clashes(known: &Record, new: &CreateRequest) -> bool {
    let addresses = ["A", "AAAA", "CNAME"];
    let (known_kind, new_kind) = (known.kind.as_str(), new.kind.as_str());
    known.name == new.name
        && (known_kind == "CNAME" || new_kind == "CNAME")
        && addresses.contains(&known_kind)
        && addresses.contains(&new_kind)
}

/// Content is compared in any case, and as it is kept: a TXT's in its quotes.
fn is_asked_for(record: &Record, query: &Parameters) -> bool {
    let content = record.content.to_lowercase();
    let meets = |name, test: fn(&str, &str) -> bool| {
        query.get(name).is_none_or(|wanted| test(&content, &wanted.to_lowercase()))
    };
    let is_named =
        |name| query.get(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(&record.name));
    query.get("type").is_none_or(|wanted| wanted.eq_ignore_ascii_case(&record.kind))
        && is_named("name")
        && is_named("name.exact")
        && meets("content", |content, wanted| content == wanted)
        && meets("content.exact", |content, wanted| content == wanted)
        && meets("content.contains", |content, wanted| content.contains(wanted))
        && meets("content.startswith", |content, wanted| content.starts_with(wanted))
        && meets("content.endswith", |content, wanted| content.ends_with(wanted))
}

fn to_json(record: &Record) -> Value {
    let is_proxiable = ["A", "AAAA", "CNAME"].contains(&record.kind.as_str());
    let mut shown = json!({
        "id": record.id,
        "name": record.name,
        "type": record.kind,
        "content": record.content,
        "proxiable": is_proxiable,
        "proxied": record.proxied,
        "ttl": record.ttl,
        "settings": {},
        "meta": {},
        "comment": record.comment,
        "tags": [],
        "created_on": time(record.created_on),
        "modified_on": time(record.created_on),
    });
    if let Some(priority) = record.priority {
        shown["priority"] = priority.into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_added_to_a_name_that_does_not_end_in_it() {
        for (name, full) in [
            ("cool.cats", "cool.cats"),
            ("Cool.Cats.", "cool.cats"),
            ("@", "cool.cats"),
            ("", "cool.cats"),
            ("www", "www.cool.cats"),
            ("mail.cool.cats", "mail.cool.cats"),
            ("uncool.cats", "uncool.cats.cool.cats"),
        ] {
            assert_eq!(full_name(name, "cool.cats"), full, "{name}");
        }
    }
}
