//! Answers: the headers of all, and the problems.

use serde_json::{Map, Value, json};

use super::schemas::reference;

/// Status, the end of the problem's type, its title and an example of its detail.
const PROBLEMS: [(u16, &str, &str, &str); 14] = [
    (400, "parameter", "Bad parameter", "a number from 1 to 1000"),
    (401, "unauthorized", "Unauthorized", "say who you are: Authorization: Bearer wct_…"),
    (403, "forbidden", "Forbidden", "ada may not delete Node node1"),
    (404, "not-found", "Not found", "there is no Node node1"),
    (408, "timeout", "Timeout", "the request took too long; what it asked for may still be done"),
    (409, "conflict", "Conflict", "there is a Node node1 already"),
    (410, "compacted", "Compacted", "revision 7 is outside the history, which goes from 9 to 12; list again"),
    (412, "precondition", "Precondition failed", "Node node1 has revision 9, not one that If-Match names"),
    (413, "too-large", "Too large", "the body is longer than 262144 bytes"),
    (415, "media-type", "Unsupported media type", "the body's Content-Type must be application/json"),
    (422, "invalid", "Invalid", "a node has 1 to 64 ports"),
    (429, "rate", "Too many requests", "you ask more often than you may: try again in 1 s"),
    (500, "internal", "Internal error", "the stored object nodes/node1 cannot be read"),
    (503, "unavailable", "Unavailable", "the store has stopped"),
];

/// What any request can be answered.
const ALWAYS: [u16; 6] = [401, 403, 408, 429, 500, 503];

pub(super) fn problems() -> Map<String, Value> {
    let problem = |(status, slug, title, detail): (u16, &str, &str, &str)| {
        let mut example = json!({
            "type": format!("urn:wirecenter:problem:{slug}"), "title": title, "status": status, "detail": detail,
        });
        if status == 400 {
            example["errors"] = json!([{"parameter": "limit", "detail": detail}]);
        } else if status == 422 {
            example["errors"] = json!([{"pointer": "/spec/ports", "detail": detail}]);
        }
        let content =
            json!({"application/problem+json": {"schema": reference("Problem"), "example": example}});
        let mut response = json!({"description": title, "content": content});
        if status == 429 {
            response["headers"] = json!({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}});
        } else if status == 503 {
            let mut header = retry_after();
            header["description"] = json!("For want of room, not of a store: when to try again, in seconds");
            header["required"] = json!(false);
            response["headers"] = json!({"Retry-After": header});
        }
        (format!("Problem{status}"), response)
    };
    PROBLEMS.into_iter().map(problem).collect()
}

pub(super) fn headers() -> Value {
    let tag = |is_required: bool| {
        json!({
            "description": "The object's revision in quotes", "required": is_required,
            "schema": {"type": "string", "pattern": "^\"[0-9]+\"$"},
        })
    };
    json!({
        "ETag": tag(true),
        "ETagIfDone": tag(false),
        "Location": {"description": "The new object's path", "required": true, "schema": {"type": "string"}},
        "RetryAfter": retry_after(),
    })
}

fn retry_after() -> Value {
    json!({
        "description": "After how many seconds to try again", "required": true,
        "schema": {"type": "integer", "minimum": 1},
    })
}

/// All answers of an operation: those that say that it was done, and problems.
pub(super) fn answers(done: Value, problems: &[u16]) -> Value {
    let mut answers = done;
    for status in problems.iter().chain(&ALWAYS) {
        answers[status.to_string()] = json!({"$ref": format!("#/components/responses/Problem{status}")});
    }
    answers
}

/// An answer with an object.
pub(super) fn object(kind: &str, description: &str) -> Value {
    json!({
        "description": description,
        "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
        "content": {"application/json": {"schema": reference(kind)}},
    })
}

/// An answer with an object, or with the plan of a dry run, which has no entity tag.
pub(super) fn object_or_plan(kind: &str, description: &str) -> Value {
    let mut answer = object(kind, &format!("{description}; of a dry run, what would change"));
    answer["headers"]["ETag"] = json!({"$ref": "#/components/headers/ETagIfDone"});
    answer["content"]["application/json"]["schema"] = either(kind, "Plan");
    answer
}

fn either(one: &str, other: &str) -> Value {
    json!({"anyOf": [reference(one), reference(other)]})
}

/// What was done, or would be.
pub(super) fn done_or_plan(schema: &str) -> Value {
    json!({
        "description": "Done; of a dry run, what would change",
        "content": {"application/json": {"schema": either(schema, "Plan")}},
    })
}

/// The answer with an object that is new.
pub(super) fn created(kind: &str) -> Value {
    let mut answer = object(kind, "Created");
    answer["headers"]["Location"] = json!({"$ref": "#/components/headers/Location"});
    answer
}

pub(super) fn json(schema: &str) -> Value {
    json!({"description": "Done", "content": {"application/json": {"schema": reference(schema)}}})
}

pub(super) fn text(media_type: &str) -> Value {
    json!({"description": "Done", "content": {media_type: {"schema": {"type": "string"}}}})
}
