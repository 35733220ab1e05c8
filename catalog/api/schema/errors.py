"""Every error of the API as OpenAPI has it: its shape, the codes that it can carry, and a real example.

The answers themselves are made in `talpa_site.errors`; tests hold them against what is said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

MESSAGES: JSON = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def refusal(*codes: str) -> JSON:
    """The shape of an error of one sentence, with one of these codes."""
    return {
        "type": "object",
        "properties": {
            "detail": {"type": "string", "description": "one sentence for people"},
            "code": {"type": "string", "enum": list(codes), "description": "for programs"},
        },
        "required": ["detail", "code"],
        "additionalProperties": False,
    }


def by_name(code: str, description: str, **properties: JSON) -> JSON:
    """The shape of an error that names parameters or fields."""
    return {
        "type": "object",
        "description": description,
        "properties": {"code": {"type": "string", "const": code}, **properties},
        "required": ["code"],
        "additionalProperties": MESSAGES,
    }


SCHEMAS: dict[str, JSON] = {
    "InvalidQuery": by_name(
        "invalid_query",
        "What is wrong with each parameter, all at once: parameter → sentences. What belongs to no one parameter "
        "stands under `non_field_errors`.",
        allowed={
            "type": "object",
            "description": "what would be right: parameter → what it may be",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    ),
    "InvalidBody": by_name(
        "invalid",
        "What is wrong with each field of the body, all at once: field → sentences. What belongs to no one field "
        "stands under `non_field_errors`.",
    ),
    "Unreadable": refusal("parse_error", "bad_request"),
}


@dataclass(frozen=True, slots=True)
class Error:
    """The answers of one status that mean the same wherever they come. `examples`: code -> body."""

    status: int
    description: str
    schemas: tuple[str, ...]
    examples: dict[str, JSON]
    header: tuple[str, str] | None = None

    def as_json(self) -> JSON:
        """As OpenAPI writes a response."""
        refs = [{"$ref": f"#/components/schemas/{name}"} for name in self.schemas]
        schema: JSON = refs[0] if len(refs) == 1 else {"anyOf": refs}
        examples = {code: {"value": body} for code, body in self.examples.items()}
        response: JSON = {
            "description": self.description,
            "content": {"application/json": {"schema": schema, "examples": examples}},
        }
        if self.header:
            name, text = self.header
            response["headers"] = {name: {"description": text, "schema": {"type": "string"}}}
        return response


def said(code: str, sentence: str) -> JSON:
    """The body of an error of one sentence."""
    return {"detail": sentence, "code": code}


INVALID_QUERY: JSON = {
    "order_statsu": ["Unknown parameter. Did you mean 'order_status'?"],
    "page_size": ["'0' is not a whole number from 1 to 1000."],
    "code": "invalid_query",
    "allowed": {"order_statsu": ["order_id", "order_status"], "page_size": ["a whole number from 1 to 1000"]},
}
INVALID_BODY: JSON = {
    "sinse": ["Unknown field. Did you mean 'since'? Allowed: reason, field, value, since."],
    "code": "invalid",
}

ERRORS: dict[str, Error] = {
    "WrongQuery": Error(
        400,
        "A parameter is unknown or its value cannot be read, or the request as a whole cannot.",
        ("InvalidQuery", "Unreadable"),
        {"invalid_query": INVALID_QUERY, "bad_request": said("bad_request", "The request cannot be read.")},
    ),
    "WrongBody": Error(
        400,
        "A field of the body is unknown, missing or wrong, or a parameter is. Nothing is done.",
        ("InvalidBody", "InvalidQuery", "Unreadable"),
        {
            "invalid": INVALID_BODY,
            "parse_error": said("parse_error", "JSON parse error - Expecting value: line 1 column 1 (char 0)"),
        },
    ),
    "NotSignedIn": Error(
        401,
        "Not signed in, or with a token that is not valid.",
        ("NotSignedIn",),
        {
            "not_authenticated": said("not_authenticated", "Authentication credentials were not provided."),
            "authentication_failed": said("authentication_failed", "Invalid token."),
        },
        ("WWW-Authenticate", "how to sign in"),
    ),
    "NotPermitted": Error(
        403,
        "No permission to change this, or a session without its CSRF token.",
        ("NotPermitted",),
        {"permission_denied": said("permission_denied", "You do not have permission to perform this action.")},
    ),
    "NotFound": Error(
        404,
        "There is no such thing.",
        ("NotFound",),
        {"not_found": said("not_found", "There is no order 'services' / '1'.")},
    ),
    "NotAcceptable": Error(
        406,
        "An `Accept` header that the API cannot meet.",
        ("NotAcceptable",),
        {"not_acceptable": said("not_acceptable", "Could not satisfy the request Accept header.")},
    ),
    "BodyTooLarge": Error(
        413,
        "A body that is too long.",
        ("BodyTooLarge",),
        {"body_too_large": said("body_too_large", "The body has more than the 2,621,440 bytes that it may have.")},
    ),
    "UnknownMediaType": Error(
        415,
        "A body that is not JSON.",
        ("UnknownMediaType",),
        {"unsupported_media_type": said("unsupported_media_type", 'Unsupported media type "text/plain" in request.')},
    ),
    "TooManyRequests": Error(
        429,
        "Too many requests.",
        ("TooManyRequests",),
        {"throttled": said("throttled", "That is more than 6000 requests a minute. Try again in 12 seconds.")},
        ("Retry-After", "seconds to wait"),
    ),
    "Unavailable": Error(
        503,
        "The database does not answer now, or not in the time that a query may take.",
        ("Unavailable",),
        {
            "database_unavailable": said(
                "database_unavailable", "The database does not answer now. Try again shortly."
            ),
            "query_too_expensive": said("query_too_expensive", "The query was stopped after 10 seconds; ask for less."),
        },
    ),
}

CONFLICTS = {
    "changed_meanwhile": "Order services/7 was changed meanwhile by nightly (load); look at it again before you "
    "correct it.",
    "customer_erased": "That customer of services was erased, and no order may get the number again; use another.",
    "decided_already": "The conflict was decided meanwhile.",
    "ended_already": "The correction has ended already.",
    "locked": "run 12 holds the load lock; try again when it has ended.",
    "no_difference": "Order services/7 shows that value of website already.",
    "no_such_order": "Order services/7 is no longer in the catalogue.",
    "not_loaded": "Run 12 was refused: nothing of its file is loaded. Put the file right and load it again.",
    "nothing_left": "Something has touched every order of run 12 since. Undo later loads first; what a correction or "
    "a rule has changed since stays.",
    "nothing_to_undo": "Run 12 is undone: there is nothing to undo.",
    "rule_exists": "Rule 1 says already what voucher_status EXPRIED means.",
    "same_as_source": "The source itself says that of website. Retire the correction there, so that the source's value "
    "is taken.",
    "settled_already": "Line 551 of run 1 was dismissed by ana already.",
    "switched_already": "The rule is on already.",
    "too_many_sources": "The catalogue has as many sources as it can hold.",
    "touched_since": "Something has touched 3 orders of run 12 since, such as services/7.",
    "unknown_reject": "Run 1 rejected no line 551.",
}
"""What can be well said and not be done as things stand: code -> an example of the sentence."""


def conflict(codes: tuple[str, ...]) -> JSON:
    """The 409 of one operation."""
    examples = {code: {"value": said(code, CONFLICTS[code])} for code in codes}
    return {
        "description": "What is asked for is well said, but cannot be done as things stand.",
        "content": {"application/json": {"schema": refusal(*codes), "examples": examples}},
    }


def errors_of(*, changes: bool, named: bool, body: bool) -> list[str]:
    """The names of the errors that any operation of this kind can answer with."""
    names = ["WrongBody" if changes else "WrongQuery", "NotSignedIn"]
    names += ["NotPermitted"] * changes + ["NotFound"] * named + ["NotAcceptable"]
    names += ["BodyTooLarge", "UnknownMediaType"] * body
    return [*names, "TooManyRequests", "Unavailable"]


def put_among_components(result: JSON, **_: Any) -> JSON:
    """A hook of drf-spectacular's, after the one that names enumerations: those of codes are best where they are."""
    shapes = SCHEMAS | {name: refusal(*error.examples) for name, error in ERRORS.items() if error.schemas == (name,)}
    result["components"]["schemas"] |= shapes
    result["components"]["responses"] = {name: error.as_json() for name, error in ERRORS.items()}
    return result
