//! Screening: the OpenSanctions matching API (yente) over a small list of invented names (base `/match`; the health
//! routes also stand at the root, as they do there).
//!
//! What it does as the product does: `POST /match/{dataset}` with a batch of examples, `threshold`, `cutoff` and `limit`,
//! scored results with what they matched on, FastAPI's error bodies. Credentials are accepted and not asked for, as
//! with a server of one's own. Whether a score means anything is up to the caller.

mod list;
mod score;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::call::{Answer, Call};
use crate::effects::{Effect, Effects};
use crate::stored::{Each, Snapshot};
use crate::{System, stored};

use score::{Example, Scored};

const DATASETS: [&str; 3] = ["default", "sanctions", "peps"];
const DEFAULT_LIMIT: usize = 5;
const MAX_LIMIT: usize = 500;
const MAX_BATCH: usize = 100;
const DEFAULT_THRESHOLD: f64 = 0.7;
const DEFAULT_CUTOFF: f64 = 0.5;

/// The system. Its list never changes.
pub struct Matching {
    effects: Arc<Effects>,
}

/// What a batch is asked for beside its queries.
struct Wish {
    limit: usize,
    threshold: f64,
    cutoff: f64,
}

impl Matching {
    pub(crate) fn new(effects: Arc<Effects>) -> Self {
        Matching { effects }
    }

    /// Answers a call below `/match`. The dataset may follow it directly, or after a second `match`, so that a base URL
    /// with and without it works.
    #[must_use]
    pub fn answer(&self, call: &Call) -> Answer {
        let (method, path) = call.route();
        match (method, path.as_slice()) {
            ("GET", ["healthz" | "readyz"]) => self.health(call),
            ("POST", ["match", dataset] | [dataset]) => self.screen(call, dataset),
            (_, ["match", _] | [_]) => detail(StatusCode::METHOD_NOT_ALLOWED, json!("Method Not Allowed")),
            _ => detail(StatusCode::NOT_FOUND, json!("Not Found")),
        }
    }

    /// `/healthz` and `/readyz`.
    #[must_use]
    pub fn health(&self, _call: &Call) -> Answer {
        Answer::json(StatusCode::OK, &json!({"status": "ok"}))
    }

    fn screen(&self, call: &Call, dataset: &str) -> Answer {
        if !DATASETS.contains(&dataset) {
            return detail(StatusCode::NOT_FOUND, json!("No such dataset."));
        }
        let Some(body) = call.object() else {
            return unprocessable(&["body"], "Input should be a valid dictionary");
        };
        let Some(queries) = body.get("queries").and_then(Value::as_object) else {
            return unprocessable(&["body", "queries"], "Field required");
        };
        if queries.is_empty() {
            return detail(StatusCode::BAD_REQUEST, json!("No queries provided."));
        }
        if queries.len() > MAX_BATCH {
            return detail(
                StatusCode::BAD_REQUEST,
                json!(format!("Too many queries in one batch (limit: {MAX_BATCH})")),
            );
        }
        let threshold = fraction(call, "threshold", DEFAULT_THRESHOLD);
        let cutoff = fraction(call, "cutoff", DEFAULT_CUTOFF).min(threshold);
        let wish = Wish { limit: call.number("limit", DEFAULT_LIMIT).min(MAX_LIMIT), threshold, cutoff };
        self.batch(queries, dataset, &wish)
    }

    fn batch(&self, queries: &Map<String, Value>, dataset: &str, wish: &Wish) -> Answer {
        let mut responses = Map::new();
        for (name, query) in queries {
            let Some(example) = Example::read(query) else {
                return unprocessable(&["body", "queries", name], "Field required: schema and properties");
            };
            let scored = score::against_list(&example, dataset, wish.cutoff);
            self.effects.record(Effect::new(System::Match, "screened", name, example.schema).changed(false));
            responses.insert(name.clone(), response(query, &scored, wish));
        }
        let body = json!({"responses": responses, "limit": wish.limit,
                          "matcher": {"name_match": {"description": "Similarity of the names' words", "coefficient": 1.0}}});
        Answer::json(StatusCode::OK, &body).with("x-batch-size", &queries.len().to_string())
    }

    /// The whole list.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let list = Each(|| list::ENTITIES.iter().map(list::Entity::json));
        stored::snapshot(&BTreeMap::from([("list", list)]))
    }
}

fn response(query: &Value, scored: &[Scored], wish: &Wish) -> Value {
    let results: Vec<Value> = scored.iter().take(wish.limit).map(|result| result.json(wish.threshold)).collect();
    json!({"status": 200, "results": results, "total": {"value": results.len(), "relation": "eq"},
           "query": {"id": query.get("id"), "schema": query.get("schema"), "properties": query.get("properties")}})
}

fn fraction(call: &Call, name: &str, default: f64) -> f64 {
    call.param(name).and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn detail(status: StatusCode, detail: Value) -> Answer {
    Answer::json(status, &json!({"detail": detail}))
}

fn unprocessable(place: &[&str], message: &str) -> Answer {
    detail(StatusCode::UNPROCESSABLE_ENTITY, json!([{"type": "value_error", "loc": place, "msg": message}]))
}
