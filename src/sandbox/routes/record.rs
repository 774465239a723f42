//! DNS records (API reference, section 8.4).

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::parent;
use super::request::ApiRequest;
use super::resource::{ApiResource, Create, Update, WritableResource};
use super::resource::{create, delete, get, list, update};
use super::route::{Gate, Route};
use crate::sandbox::access::Area;
use crate::sandbox::answer::{ApiErrorResponse, Outcome, time};
use crate::sandbox::name_server;
use crate::sandbox::query::{PageSize, Paging};
use crate::sandbox::state::{Record, State, Zone, is_within};
use crate::sandbox::txt;

const ALL: &str = "/zones/{zone}/dns_records";
const ONE: &str = "/zones/{zone}/dns_records/{id}";
const GATE: Gate = Gate::Zone(Area::Dns);

const FILTERS: &[&str] = &[
    "type",
    "name",
    "name.exact",
    "content",
    "content.exact",
    "content.contains",
    "content.startswith",
    "content.endswith",
];

pub(super) const ROUTES: &[Route] = &[
    Route::get(ALL, GATE, list::<Record>).accepts(FILTERS),
    Route::post(ALL, GATE, create::<Record>),
    Route::get(ONE, GATE, get::<Record>),
    Route::patch(ONE, GATE, update::<Record>),
    Route::delete(ONE, GATE, delete::<Record>),
];

impl ApiResource for Record {
    const PAGING: Paging = Paging::Always(PageSize { min: 1, max: 50_000, default: 100 });

    fn all<'a>(state: &'a State, request: &ApiRequest) -> Outcome<Vec<&'a Self>> {
        let zone = &parent::zone(state, request)?.id;
        Ok(state.records.iter().filter(|record| record.zone == *zone).collect())
    }

    fn id(&self) -> &str {
        &self.id
    }

    /// Content is compared case-insensitively, in its stored form: quoted for TXT.
    fn is_selected(&self, request: &ApiRequest) -> bool {
        let query = &request.query;
        let content = self.content.to_lowercase();
        let meets = |name, test: fn(&str, &str) -> bool| {
            query.get(name).is_none_or(|wanted| test(&content, &wanted.to_lowercase()))
        };
        let is_any_case =
            |name, value| query.get(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value));
        is_any_case("type", &self.kind)
            && is_any_case("name", &self.name)
            && is_any_case("name.exact", &self.name)
            && meets("content", |content, wanted| content == wanted)
            && meets("content.exact", |content, wanted| content == wanted)
            && meets("content.contains", |content, wanted| content.contains(wanted))
            && meets("content.startswith", |content, wanted| content.starts_with(wanted))
            && meets("content.endswith", |content, wanted| content.ends_with(wanted))
    }

    fn to_json(&self, _: &State, _: &ApiRequest) -> impl Serialize {
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "type": self.kind,
            "content": self.content,
            "proxiable": ADDRESSES.contains(&self.kind.as_str()),
            "proxied": self.proxied,
            "ttl": self.ttl,
            "settings": {},
            "meta": {},
            "comment": self.comment,
            "tags": [],
            "created_on": time(self.created_on),
            "modified_on": time(self.created_on),
        });
        if let Some(priority) = self.priority {
            shown["priority"] = priority.into();
        }
        shown
    }

    fn missing() -> ApiErrorResponse {
        ApiErrorResponse::new(StatusCode::NOT_FOUND, 81044, "Record does not exist.")
    }
}

impl WritableResource for Record {
    fn all_mut<'a>(state: &'a mut State, _: &ApiRequest) -> Outcome<&'a mut Vec<Self>> {
        Ok(&mut state.records)
    }
}

/// The types that Cloudflare can proxy, and that cannot coexist with a CNAME.
const ADDRESSES: [&str; 3] = ["A", "AAAA", "CNAME"];

#[derive(Deserialize)]
pub(super) struct CreateRequest {
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

impl Create for Record {
    type Fields = CreateRequest;

    fn create(fields: CreateRequest, state: &mut State, request: &ApiRequest) -> Outcome<Self> {
        let zone = parent::zone(state, request)?.clone();
        let fields = checked(fields, &zone)?;
        let mut known = state.records.iter().filter(|known| known.zone == zone.id);
        let is_same = |known: &Record| {
            (&known.name, &known.kind, &known.content)
                == (&fields.name, &fields.kind, &fields.content)
        };
        ApiErrorResponse::bad_request(81058, "An identical record already exists.")
            .when(known.clone().any(is_same))?;
        let message = "An A, AAAA, or CNAME record with that host already exists.";
        ApiErrorResponse::bad_request(81053, message)
            .when(known.any(|known| clashes(known, &fields)))?;
        let CreateRequest { name, kind, content, ttl, priority, proxied, comment } = fields;
        Ok(Self {
            id: state.next_id(),
            zone: zone.id,
            name,
            kind,
            content,
            ttl,
            priority,
            proxied,
            comment,
            created_on: request.now,
        })
    }
}

impl Update for Record {
    type Fields = Map<String, Value>;

    /// A partial update, as the official SDKs send it.
    fn update(
        self,
        wanted: Map<String, Value>,
        state: &mut State,
        request: &ApiRequest,
    ) -> Outcome<Self> {
        let mut fields = json!({
            "name": self.name,
            "type": self.kind,
            "content": self.content,
            "ttl": self.ttl,
            "priority": self.priority,
            "proxied": self.proxied,
            "comment": self.comment,
        });
        for (name, value) in wanted {
            fields[name] = value;
        }
        let fields = serde_json::from_value(fields)
            .map_err(|error| ApiErrorResponse::bad_request(9207, error.to_string()))?;
        let CreateRequest { name, kind, content, ttl, priority, proxied, comment } =
            checked(fields, parent::zone(state, request)?)?;
        Ok(Self { name, kind, content, ttl, priority, proxied, comment, ..self })
    }
}

fn checked(fields: CreateRequest, zone: &Zone) -> Outcome<CreateRequest> {
    invalid(9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        .when(fields.ttl != 1 && !(60..=86_400).contains(&fields.ttl))?;
    let kind = fields.kind.to_ascii_uppercase();
    ApiErrorResponse::not_simulated(format!("records of type `{kind}`"))
        .when(!["A", "AAAA", "CNAME", "MX", "NS", "TXT"].contains(&kind.as_str()))?;
    let name = full_name(&fields.name, &zone.name);
    ApiErrorResponse::not_simulated("a flattened CNAME at the apex of a zone")
        .when(kind == "CNAME" && name == zone.name)?;
    let content = match kind.as_str() {
        "TXT" => txt::stored(&fields.content),
        _ => fields.content.trim().to_owned(),
    };
    invalid(9000, "DNS name is invalid.").when(!name_server::is_name(&name))?;
    invalid(9007, "Content for this record is invalid.")
        .when(name_server::data(&kind, &content, fields.priority).is_none())?;
    Ok(CreateRequest { name, kind, content, ..fields })
}

fn invalid(code: u32, message: &'static str) -> ApiErrorResponse {
    ApiErrorResponse::bad_request(1004, "DNS Validation Error").caused_by(code, message)
}

/// Appends the zone's name unless present: `cool.cats.` in `cats.test` is `cool.cats.cats.test`.
fn full_name(name: &str, zone: &str) -> String {
    let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
    if name.is_empty() || name == "@" {
        return zone.to_owned();
    }
    if is_within(&name, zone) { name } else { format!("{name}.{zone}") }
}

/// Whether a CNAME would share its name with another of `ADDRESSES`.
fn clashes(known: &Record, new: &CreateRequest) -> bool {
    let kinds = [known.kind.as_str(), new.kind.as_str()];
    known.name == new.name
        && kinds.contains(&"CNAME")
        && kinds.iter().all(|kind| ADDRESSES.contains(kind))
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
