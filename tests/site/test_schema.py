"""The API's description: complete, valid, with examples that are true to it, and shown without help from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from rest_framework.test import APIClient

from catalog.api.schema import errors
from catalog.api.schema.views import Page, description
from tests.conftest import ROOT
from tests.factories import make_orders, make_run, make_user
from tests.read_side import api

__all__ = ["api"]

SCHEMA = "/api/v1/schema/"
PAGES = ("/api/v1/docs/", "/api/v1/redoc/")
DESCRIBED = description(False)
Operation = dict[str, Any]


def operations() -> Iterator[tuple[str, str, Operation]]:
    """Path, method and description of every operation."""
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


OPERATIONS = {operation["operationId"]: operation for _, _, operation in operations()}


def found(node: Any) -> Any:
    """What a reference stands for, or the node itself."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = DESCRIBED
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def parameters(operation: Operation, place: str = "query") -> dict[str, Any]:
    """The parameters of an operation by name."""
    every = [found(parameter) for parameter in operation["parameters"]]
    return {parameter["name"]: parameter for parameter in every if parameter["in"] == place}


def views() -> Iterator[tuple[str, Any]]:
    """Every view under /api/v1/, with its address as a description has it."""

    def below(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from below(pattern.url_patterns, path)
            elif path.startswith("api/v1/"):
                path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
                yield path.replace("{pk}", "{id}"), pattern.callback

    yield from below(get_resolver().url_patterns, "")


def filterset_of(path: str, method: str) -> Any:
    """The filter set that an operation is filtered by, if it is."""
    callback = dict(views())[path.lstrip("/")]
    answers_many = getattr(callback, "actions", {"get": "list"}).get(method) == "list"
    return callback.cls.filterset_class if answers_many else None


FILTERSETS = {operation["operationId"]: filterset_of(path, method) for path, method, operation in operations()}


def validator(schema: Any) -> Draft202012Validator:
    """Of a schema within the description, which it may refer to."""
    return Draft202012Validator({"components": DESCRIBED["components"], **schema})


@pytest.fixture
def everyone(db: None) -> APIClient:
    """A client of somebody who may do everything."""
    user = make_user("bea")
    user.is_superuser = True
    user.save()
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def test_valid_and_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
    assert DESCRIBED["openapi"].startswith("3.1.")


def test_every_view_is_described() -> None:
    assert {f"/{path}" for path, view in views() if not issubclass(view.cls, Page)} == set(DESCRIBED["paths"])


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if FILTERSETS[name]])
def test_each_filter_has_an_example_that_it_reads(name: str) -> None:
    described = parameters(OPERATIONS[name])
    for parameter, filter_ in FILTERSETS[name].base_filters.items():
        example = described[parameter]["example"]
        filter_.read(str(example).lower() if isinstance(example, bool) else str(example))


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method, _ in operations()])
def test_what_it_allows_is_what_is_allowed(path: str, method: str, everyone: APIClient) -> None:
    """Neither a parameter that is taken and not described, nor one that is described and not taken."""
    make_orders(1)
    run = make_run()
    address = path.format(source="services", order_id=1, customer_id=1001, product_id=501, run=run.pk, line=1, id=1)
    answer = getattr(everyone, method)(f"{address}?colour=red")
    assert answer.status_code == 400, answer.content
    allowed = answer.json()["allowed"]["colour"]
    assert sorted(parameters(DESCRIBED["paths"][path][method])) == sorted(allowed)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_parameter_says_what_it_is(name: str) -> None:
    places = re.findall(r"{(\w+)}", next(path for path, _, op in operations() if op["operationId"] == name))
    assert set(parameters(OPERATIONS[name], "path")) == set(places)
    for parameter in map(found, OPERATIONS[name]["parameters"]):
        assert parameter["description"]
        assert parameter["schema"]
        if "example" in parameter:
            Draft202012Validator(parameter["schema"]).validate(parameter["example"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_answer_has_an_example_that_is_true_to_its_shape(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        content = found(response).get("content", {})
        for media_type, answer in content.items():
            if media_type == "application/json" and name != "schema_read":
                assert_examples(answer, f"{name} {status}")


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if "requestBody" in operation])
def test_each_body_has_an_example_that_is_true_to_its_shape(name: str) -> None:
    body = OPERATIONS[name]["requestBody"]["content"]
    assert list(body) == ["application/json"]
    assert_examples(body["application/json"], name)
    assert found(body["application/json"]["schema"])["additionalProperties"] is False


def assert_examples(content: Any, where: str) -> None:
    assert content.get("examples"), f"{where} has no example"
    for example in content["examples"].values():
        validator(content["schema"]).validate(example["value"])


def test_names_are_unique_and_every_reference_leads_somewhere() -> None:
    assert len(OPERATIONS) == len(list(operations()))
    validator_for(DESCRIBED)
    for reference in set(re.findall(r"'\$ref': '([^']+)'", str(DESCRIBED))):
        assert found({"$ref": reference})


def test_codes_are_those_of_the_document() -> None:
    table = (ROOT / "docs" / "api.md").read_text().split("## Errors", 1)[1]
    rows = re.findall(r"^\| (\d{3}) \| (.*?) \|", table, re.MULTILINE)
    documented = {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    said = {(error.status, code) for error in errors.ERRORS.values() for code in error.examples}
    said |= {(409, code) for operation in OPERATIONS.values() for code in conflicts(operation)}
    # The answers to a method that the description does not have, and to a fault of the program.
    assert said | {(405, "method_not_allowed"), (500, "server_error")} == documented


def conflicts(operation: Operation) -> list[str]:
    """The codes of an operation's 409."""
    content = operation["responses"].get("409", {"content": {}})["content"]
    return [code for answer in content.values() for code in answer["schema"]["properties"]["code"]["enum"]]


ASKED: dict[str, dict[str, Any]] = {
    "WrongQuery": {"path": "/api/v1/orders/?colour=red"},
    "NotFound": {"path": "/api/v1/orders/services/7/"},
    "NotAcceptable": {"path": "/api/v1/orders/", "HTTP_ACCEPT": "text/csv"},
    "NotSignedIn": {"path": "/api/v1/orders/", "HTTP_AUTHORIZATION": "Token none"},
}


@pytest.mark.parametrize("name", ASKED)
def test_errors_are_as_described(name: str, api: APIClient) -> None:
    client = APIClient() if name == "NotSignedIn" else api
    answer = client.get(**ASKED[name])
    assert answer.status_code == errors.ERRORS[name].status
    response = found(DESCRIBED["components"]["responses"][name])
    validator(response["content"]["application/json"]["schema"]).validate(answer.json())
    assert set(response.get("headers", ())) <= set(answer.headers)


def test_reading_it_is_like_reading_anything(client: APIClient, db: None) -> None:
    assert client.get(SCHEMA).status_code == 401
    with override_settings(API_ANONYMOUS_READ=True):
        shown = client.get(SCHEMA).json()
    assert {} in shown["paths"]["/api/v1/orders/"]["get"]["security"]
    assert {} not in shown["paths"]["/api/v1/rules/"]["post"]["security"]


def test_as_json_and_as_yaml(api: APIClient) -> None:
    shown = api.get(SCHEMA)
    assert shown["Content-Type"] == "application/json"
    assert shown.json() == DESCRIBED
    as_yaml = api.get(SCHEMA, {"format": "yaml"})
    assert as_yaml["Content-Type"].partition(";")[0] == "application/yaml"
    assert as_yaml.content.startswith(b"openapi: 3.1")
    assert api.get(SCHEMA, headers={"Accept": "application/yaml"}).content == as_yaml.content
    assert api.get(SCHEMA, {"lang": "nl"}).json()["lang"] == ["Unknown parameter."]


@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_nothing_of_others(path: str, api: APIClient) -> None:
    page = api.get(path)
    text = page.content.decode()
    assert page.status_code == 200
    assert "script-src 'self';" in page["Content-Security-Policy"]
    # Scripts are files, and all files are ours.
    assert not re.search(r"<script(?! src=)|<style|style=|\son\w+=", text)
    files = re.findall(r'(?:src|href)="/static/([^"]+)"', text)
    assert len(files) == len(re.findall(r"(?:src|href)=", text)) >= 3
    assert all(finders.find(file) for file in files)


@pytest.mark.parametrize("path", PAGES)
def test_who_has_not_signed_in_is_led_there(path: str, client: APIClient, db: None) -> None:
    assert client.get(path).headers["Location"] == f"/api-auth/login/?next={path}"
    with override_settings(API_ANONYMOUS_READ=True):
        assert client.get(path).status_code == 200


def test_an_order_is_as_its_example_says(api: APIClient) -> None:
    make_orders(1)
    answer = OPERATIONS["orders_read"]["responses"]["200"]["content"]["application/json"]
    assert list(api.get("/api/v1/orders/services/1/").json()) == list(answer["examples"]["example"]["value"])
