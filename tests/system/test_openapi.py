"""The document that is served says what is served: every route and no other, and whatever
schemathesis sends is answered as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tenants import make_key
from world import web

pytestmark = pytest.mark.embedded("the edge is the same on servers")

METHODS = ("get", "put", "post", "delete", "patch")
FOLDER = Path(__file__).parent / "openapi"


@pytest.fixture(scope="module")
def document(town):
    return web.get(f"{town.url}/openapi.json").json()


def routes(url):
    """What the router has: its answer to an unknown path names every pattern, and OPTIONS the
    methods of each."""
    detail = web.get(f"{url}/no/such/path/at/all").json()["detail"]
    for pattern in re.search(r"Served here: (.*)\.$", detail).group(1).split(", "):
        allow = web.options(url + re.sub(r"{\w+}", "x", pattern)).headers["Allow"]
        for method in allow.split(", "):
            if method not in ("HEAD", "OPTIONS"):
                yield f"{method} {pattern}"


def operations(document, files):
    return {f"{method.upper()} {path}" for path, item in document["paths"].items()
            for method in METHODS if method in item and item.get("x-files", False) == files}


def test_every_route_is_described_and_every_operation_is_served(town, document):
    """Files are described by their folder."""
    folders = {re.escape(path).replace(r"\{file\}", "[^/]+").replace(r"\{name\}", "[^/]+"): path
               for path in operations(document, files=True)}
    served, used = set(), set()
    for route in routes(town.url):
        folder = next((path for pattern, path in folders.items()
                       if re.fullmatch(pattern, route)), None)
        used.add(folder) if folder else served.add(route)
    described = operations(document, files=False)
    assert served - described - used == set(), "served, but not described"
    assert described - served == set(), "described, but not served"
    assert used == set(folders.values()), "folders without a file"


def test_what_is_called_open_is_and_all_else_wants_a_key_with_the_scope_it_names(empty_world):
    world = empty_world.inhabit(AUTH="on")
    held = {"X-API-Key": make_key(world, "--tenant", "acme", "--scope", "submit,read")}
    world.wait_until(lambda: head("GET", f"{world.url}/v1/jobs", held).status_code == 200, 5,
                     "the key does not count")
    document = web.get(f"{world.url}/openapi.json").json()
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            url = world.url + re.sub(r"{\w+}", "x", path)
            if item.get("x-files"):
                url = world.url + path.replace("{name}", "event.schema.json").replace(
                    "{file}", "start.js")
            scopes = {each for wanted in item[method]["security"]
                      for each in sum(wanted.values(), [])}
            without = head(method, url).status_code
            assert (without == 401) == bool(scopes), f"{method} {path}: {without}"
            challenge = head(method, url, held).headers.get("www-authenticate", "")
            too_little = "insufficient_scope" in challenge
            assert too_little == (scopes == {"admin"}), f"{method} {path}: {challenge}"


def head(method, url, headers=None):
    """Of an answer whose body may have no end."""
    with web.stream(method, url, headers=headers) as answer:
        return answer


def test_the_schemas_are_listed_with_their_addresses(town):
    listed = web.get(f"{town.url}/v1/schemas/").json()["data"]
    assert len(listed) >= 3
    for each in listed:
        schema = web.get(town.url + each["href"]).json()
        assert [schema["$id"], schema["title"]] == [each["id"], each["title"]]


def test_every_schema_is_one_and_every_example_is_what_its_schema_says(document):
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        if "example" in schema:
            validator(document, {"$ref": f"#/components/schemas/{name}"}).validate(
                schema["example"])
    for item in document["paths"].values():
        for method in METHODS:
            for form in item.get(method, {}).get("requestBody", {}).get("content", {}).values():
                shown = [example["value"] for example in form.get("examples", {}).values()]
                for value in shown + ([form["example"]] if "example" in form else []):
                    validator(document, form["schema"]).validate(value)


def validator(document, schema):
    return Draft202012Validator({"components": document["components"], "allOf": [schema]})


@pytest.mark.timeout(900)
def test_schemathesis_finds_nothing(empty_world, long):
    world = empty_world.inhabit(MODEL_ID="sim-5ms-5tok-1gap", WEBHOOK_ALLOW="127.0.0.0/8")
    done = subprocess.run(
        [Path(sys.executable).with_name("st"), "--config-file", FOLDER / "schemathesis.toml",
         "run", f"{world.url}/openapi.json", "--max-examples", "100" if long else "15"],
        cwd=FOLDER, env=os.environ | {"MILLRACE_URL": world.url, "PYTHONPATH": str(FOLDER)},
        capture_output=True, text=True, timeout=890, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
