//! Fineract's refusals: an HTTP status and its error envelope.

use http::StatusCode;
use serde_json::{Value, json};

use crate::call::Answer;

/// One parameter that was refused.
#[derive(Clone, Debug)]
pub(super) struct ParameterError {
    pub code: String,
    pub message: String,
    pub parameter: String,
    pub value: Value,
}

impl ParameterError {
    pub fn new(code: impl Into<String>, message: impl Into<String>, parameter: &str) -> Self {
        ParameterError {
            code: code.into(),
            message: message.into(),
            parameter: parameter.to_owned(),
            value: Value::Null,
        }
    }

    /// A mandatory parameter that is missing or blank.
    pub fn blank(parameter: &str) -> Self {
        ParameterError::new(
            format!("validation.msg.client.{parameter}.cannot.be.blank"),
            format!("The parameter `{parameter}` is mandatory."),
            parameter,
        )
    }

    fn json(&self) -> Value {
        json!({"developerMessage": self.message, "defaultUserMessage": self.message,
               "userMessageGlobalisationCode": self.code, "parameterName": self.parameter,
               "value": self.value, "args": []})
    }
}

/// A refused request.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    developer: &'static str,
    user: String,
    code: String,
    errors: Vec<ParameterError>,
}

impl Refusal {
    /// Fields that are wrong (400).
    pub fn validation(errors: Vec<ParameterError>) -> Self {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            developer: "The request was invalid. This typically will happen due to validation errors which are provided.",
            user: "Validation errors exist.".to_owned(),
            code: "validation.msg.validation.errors.exist".to_owned(),
            errors,
        }
    }

    /// A body that is no JSON object (400).
    pub fn invalid_json() -> Self {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            developer: "The request was invalid. This typically will happen due to validation errors which are provided.",
            user: "Invalid JSON provided.".to_owned(),
            code: "error.msg.invalid.request.body".to_owned(),
            errors: Vec::new(),
        }
    }

    /// A command that the resource does not have (400).
    pub fn unknown_command(command: &str) -> Self {
        let mut error = ParameterError::new(
            "error.msg.command.unsupported",
            format!("The command {command} is not supported."),
            "command",
        );
        error.value = json!(command);
        Refusal::validation(vec![error])
    }

    /// A value that another record has already (403).
    pub fn duplicate(parameter: &str, value: &str) -> Self {
        let message = format!("Client with {parameter} `{value}` already exists");
        let code = format!("error.msg.client.duplicate.{parameter}");
        Refusal {
            status: StatusCode::FORBIDDEN,
            developer: "The request caused a data integrity issue to be fired by the database.",
            user: message.clone(),
            code: code.clone(),
            errors: vec![ParameterError::new(code, message, parameter)],
        }
    }

    /// A rule of the domain that stands in the way (403).
    pub fn rule(code: String, message: &str) -> Self {
        Refusal {
            status: StatusCode::FORBIDDEN,
            developer: "Request was understood but caused a domain rule violation.",
            user: "Errors contain reason for domain rule violation.".to_owned(),
            code: "validation.msg.domain.rule.violation".to_owned(),
            errors: vec![ParameterError::new(code, message, "id")],
        }
    }

    /// A client that is not there (404).
    pub fn not_found(parameter: &str, value: &str) -> Self {
        let message = format!("Client with identifier {value} does not exist");
        let mut error = ParameterError::new("error.msg.client.id.invalid", message, parameter);
        error.value = json!(value);
        Refusal { errors: vec![error], ..Refusal::no_route() }
    }

    /// A path that is not there (404).
    pub fn no_route() -> Self {
        Refusal {
            status: StatusCode::NOT_FOUND,
            developer: "The requested resource is not available.",
            user: "The requested resource is not available.".to_owned(),
            code: "error.msg.resource.not.found".to_owned(),
            errors: Vec::new(),
        }
    }

    /// No tenant named (400).
    pub fn no_tenant() -> Self {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            developer: "No tenant identifier found: Add request header of 'Fineract-Platform-TenantId' or add the parameter \
                        'tenantIdentifier' to query string.",
            user: "Invalid tenant identifier.".to_owned(),
            code: "error.msg.invalid.tenant.identifier".to_owned(),
            errors: Vec::new(),
        }
    }

    /// No credentials (401).
    pub fn unauthenticated() -> Self {
        Refusal {
            status: StatusCode::UNAUTHORIZED,
            developer: "Invalid authentication details were passed in api request.",
            user: "Unauthenticated. Please login.".to_owned(),
            code: "error.msg.not.authenticated".to_owned(),
            errors: Vec::new(),
        }
    }

    fn body(&self) -> Value {
        let errors: Vec<Value> = self.errors.iter().map(ParameterError::json).collect();
        json!({"developerMessage": self.developer, "httpStatusCode": self.status.as_str(),
               "defaultUserMessage": self.user, "userMessageGlobalisationCode": self.code, "errors": errors})
    }

    pub fn answer(&self) -> Answer {
        let answer = Answer::json(self.status, &self.body());
        if self.status == StatusCode::UNAUTHORIZED {
            return answer.with("www-authenticate", "Basic realm=\"Fineract Platform API\"");
        }
        answer
    }
}
