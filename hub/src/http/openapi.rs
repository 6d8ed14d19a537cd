//! The contract as OpenAPI 3.1, made from the annotations of the endpoints, and what is derived from it.

use utoipa::openapi::encoding::EncodingBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, PathItem, RefOr, Required, Schema};
use utoipa::{Modify, OpenApi};

use super::problem::ProblemDocument;
use super::statuses::header;
use super::{
    accounts, adapters, admin, devices, docs, documents, health, history, jobs, kyc, parked, policies, profile, starred,
};
use crate::domain::validate::FieldError;

/// Name and version of what is described, as the document's `info` says.
#[derive(OpenApi)]
#[openapi(
    info(title = "Clients Hub", description = "The central hub for client data in the Backoffice API.\n\n\
        Failures are always `application/problem+json` (RFC 9457). The order of checks is fixed: rate limit by address, \
        token, rate limit by member, route, media type and well-formed JSON, policy, existence, fields, state.\n\n\
        HEAD is answered wherever GET is."),
    paths(profile::list, profile::create, profile::view, profile::edit, profile::archive, accounts::accounts,
        devices::list, devices::lock, devices::transfer, devices::activate, devices::reset_pin, starred::star,
        history::history, documents::list, documents::submit, kyc::review, admin::tree, admin::adapters, adapters::reload,
        adapters::rollback, policies::policies,
        policies::explain,
        parked::list, parked::retry, parked::discard, parked::retry_all, parked::discard_all, jobs::list, jobs::one, jobs::cancel,
        health::live, health::ready, health::scrape, docs::contract, docs::page),
    components(schemas(ProblemDocument, FieldError)),
    modifiers(&Bearer, &CommonHeaders, &ServerFields, &UploadTypes),
    security(("bearer" = [])),
    tags(
        (name = "clients", description = "Onboarding, profiles, search and favourites"),
        (name = "accounts", description = "Accounts, live from core banking"),
        (name = "devices", description = "Devices, through the identity system"),
        (name = "kyc", description = "Screening and documents"),
        (name = "audit", description = "Who did what"),
        (name = "operations", description = "For the operator of the hub"),
        (name = "health", description = "For probes"),
    ),
)]
struct Contract;

/// How callers authenticate.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("JWT".to_owned());
        scheme.description = Some("A token of the RFC 9068 profile".to_owned());
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The headers that every request may have, and that answers have.
struct CommonHeaders;

impl Modify for CommonHeaders {
    fn modify(&self, document: &mut Document) {
        let id = ParameterBuilder::new()
            .name("X-Request-Id")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "1 to 128 visible ASCII characters; anything else, or nothing, is replaced; always echoed",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
            .build();
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                answer_headers(operation);
                operation.parameters.get_or_insert_default().push(RefOr::T(id.clone()));
            }
        }
    }
}

/// The request id on every answer, and the mark on those that were given before.
fn answer_headers(operation: &mut Operation) {
    let keyed = operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.name == "Idempotency-Key",
        RefOr::Ref(_) => false,
    });
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let id = header("The request's id");
        response.headers.insert("X-Request-Id".to_owned(), RefOr::T(id));
        if keyed && status.starts_with('2') {
            let replayed = header("`true` on an answer that was given before");
            response.headers.insert("Idempotency-Replayed".to_owned(), RefOr::T(replayed));
        }
    }
}

/// The members that the server makes: they may be sent back, and are ignored.
struct ServerFields;

impl Modify for ServerFields {
    fn modify(&self, document: &mut Document) {
        const OWN: [&str; 10] = [
            "reference",
            "version",
            "starred",
            "kyc",
            "relationship",
            "sync",
            "createdAt",
            "createdBy",
            "updatedAt",
            "updatedBy",
        ];
        let schemas = &mut document.components.get_or_insert_default().schemas;
        for name in ["CorporateClient", "IndividualClient"] {
            let Some(RefOr::T(Schema::Object(client))) = schemas.get_mut(name) else { continue };
            for own in OWN {
                let any = ObjectBuilder::new().schema_type(SchemaType::AnyValue).read_only(true);
                let any = any.description(Some("The server's own, ignored"));
                client.properties.insert(own.to_owned(), any.build().into());
            }
        }
    }
}

/// What may be handed in as a document.
struct UploadTypes;

impl Modify for UploadTypes {
    fn modify(&self, document: &mut Document) {
        let uploads = document.paths.paths.values_mut().filter_map(|item| item.post.as_mut()?.request_body.as_mut());
        for upload in uploads {
            let RefOr::T(upload) = upload else { continue };
            if let Some(RefOr::T(form)) = upload.content.get_mut("multipart/form-data") {
                let types = EncodingBuilder::new().content_type(Some("application/pdf, image/jpeg, image/png"));
                form.encoding.insert("file".to_owned(), types.build());
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}

/// The whole document.
#[must_use]
pub fn document() -> Document {
    Contract::openapi()
}

/// Which methods each path has: what a request gets to know that found none of them.
#[derive(Debug)]
pub struct Methods {
    routes: Vec<(Vec<String>, Vec<&'static str>)>,
}

impl Methods {
    /// From the document.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let routes = document.paths.paths.iter().map(|(template, item)| {
            let get = &item.get;
            let methods =
                [("DELETE", &item.delete), ("GET", get), ("HEAD", get), ("POST", &item.post), ("PUT", &item.put)];
            let methods = methods.iter().filter(|(_, operation)| operation.is_some()).map(|(name, _)| *name).collect();
            (segments(template).map(ToOwned::to_owned).collect(), methods)
        });
        Self { routes: routes.collect() }
    }

    /// The methods of a path, as `Allow` lists them. `None`: there is no such route.
    #[must_use]
    pub fn allowed(&self, path: &str) -> Option<String> {
        let asked: Vec<&str> = segments(path).collect();
        // A path that is written out is meant before one that has a place for anything.
        let written = self.routes.iter().filter(|(template, _)| *template == asked);
        let fitting = self.routes.iter().filter(|(template, _)| fits(template, &asked));
        written.chain(fitting).next().map(|(_, methods)| methods.join(", "))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn fits(template: &[String], asked: &[&str]) -> bool {
    let one = |(wanted, given): (&String, &&str)| {
        if wanted.starts_with('{') { !given.is_empty() } else { wanted == given }
    };
    template.len() == asked.len() && template.iter().zip(asked).all(one)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_methods_of_each_path() {
        let methods = Methods::of(&document());
        assert_eq!(methods.allowed("/clients/profile").as_deref(), Some("GET, HEAD, POST"));
        assert_eq!(methods.allowed("/clients/profile/CL-1").as_deref(), Some("DELETE, GET, HEAD, PUT"));
        assert_eq!(methods.allowed("/clients/device/lock").as_deref(), Some("POST"));
        assert_eq!(methods.allowed("/clients/device/CL-1").as_deref(), Some("GET, HEAD"));
        for path in ["/", "", "*", "/clients", "/clients/profile/", "/clients/profile/a/b", "/Clients/profile"] {
            assert_eq!(methods.allowed(path), None, "{path}");
        }
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let json = serde_json::to_value(document()).unwrap();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut stack = vec![&json];
        while let Some(value) = stack.pop() {
            match value {
                serde_json::Value::Object(members) => {
                    if let Some(target) = members.get("$ref").and_then(|target| target.as_str()) {
                        assert!(json.pointer(target.trim_start_matches('#')).is_some(), "{target}");
                    }
                    stack.extend(members.values());
                }
                serde_json::Value::Array(items) => stack.extend(items),
                _ => {}
            }
        }
    }

    #[test]
    fn every_operation_says_how_it_fails() {
        let json = serde_json::to_value(document()).unwrap();
        for (path, item) in json["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                let open = operation["security"]
                    .as_array()
                    .is_some_and(|schemes| schemes.iter().all(|s| s == &serde_json::json!({})));
                let expected: &[&str] =
                    if open { &["406", "429", "500"] } else { &["400", "401", "403", "406", "429", "500"] };
                for status in expected {
                    assert!(responses.contains_key(*status), "{method} {path} {status}");
                }
            }
        }
    }
}
