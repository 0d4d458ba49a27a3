"""Holds what an edge answers to /openapi.json: path, method, status, headers, content type and
schema, of every answer that the tests see. Objects that the document leaves open to what a later
version may add are closed here, so that nothing is sent that it does not describe."""

import functools
import re
import weakref

import httpx
import jsonschema_rs

METHODS = ("get", "put", "post", "delete", "patch")
COMPOSED = ("allOf", "anyOf", "oneOf")
# Edges and serves of the tests; a simulator or a worker has no such document.
_edges = weakref.WeakSet()
_documents = {}


def register(process):
    """What listens at `process.url` answers as its document says."""
    _edges.add(process)


def check(response):
    """Raises AssertionError where an edge's answer is not what its document says. An event hook of
    httpx: it reads bodies of JSON, and no stream."""
    document = _document_of(response.url)
    if document is not None:
        document.check(response)


def check_frame(url, data):
    """The same for the data of one frame of a stream of events."""
    document = _document_of(httpx.URL(url))
    if document is not None:
        document.check_frame(httpx.URL(url), data)


def _document_of(url):
    """An edge is asked for its document once; every edge of a run is the same program."""
    origin = f"{url.scheme}://{url.host}:{url.port}"
    if not any(edge.url == origin for edge in _edges):
        return None
    if "" not in _documents:
        answer = httpx.get(f"{origin}/openapi.json", verify=False, timeout=20)
        _documents[""] = Document(answer.raise_for_status().json())
    return _documents[""]


def closed(schema):
    """At the place of a value nothing is evaluated later, so what no part describes is too much."""
    if not isinstance(schema, dict):
        return schema
    schema = dict(_closed_inside(schema))
    described = "$ref" in schema or "properties" in schema or any(map(schema.get, COMPOSED))
    if described and "additionalProperties" not in schema:
        schema["unevaluatedProperties"] = False
    return schema


def _closed_inside(schema):
    for name, value in schema.items():
        if name == "properties":
            yield name, {key: closed(member) for key, member in value.items()}
        elif name in ("items", "contentSchema"):
            yield name, closed(value)
        elif name in COMPOSED:
            yield name, [dict(_closed_inside(part)) for part in value]
        elif name in ("then", "else"):
            yield name, dict(_closed_inside(value))
        elif name == "$defs":
            yield name, {key: dict(_closed_inside(part)) for key, part in value.items()}
        else:
            yield name, value


class Document:
    def __init__(self, whole):
        self.paths = whole["paths"]
        self.headers = whole["components"]["headers"]
        self.schemas = {name: dict(_closed_inside(schema))
                        for name, schema in whole["components"]["schemas"].items()}
        self.templates = sorted(self.paths, key=lambda path: path.count("{"))
        self.operation = functools.cache(self._operation)
        self._validators = {}

    def check(self, response):
        request = response.request
        where = f"{request.method} {request.url.path} answered {response.status_code}"
        operation = self.operation(request.method, request.url.path)
        if operation is None:
            return
        said = operation["responses"].get(str(response.status_code))
        assert said, f"{where}, which /openapi.json does not say"
        self._check_headers(response, said, where)
        if "content" not in said or request.method == "HEAD":
            return
        media_type = response.headers.get("content-type", "").partition(";")[0]
        assert media_type in said["content"], f"{where} as {media_type!r}, not {[*said['content']]}"
        if media_type.endswith("json") and media_type != "application/x-ndjson":
            response.read()
            self._validate(said["content"][media_type]["schema"], response.json(), where)

    def check_frame(self, url, data):
        operation = self.operation("GET", url.path)
        frame = operation["responses"]["200"]["content"]["text/event-stream"]["schema"]
        schema = self.schemas[frame["$ref"].rpartition("/")[2]]
        self._validate(schema["properties"]["data"]["contentSchema"], data, f"{url.path} sent")

    def _operation(self, method, path):
        """None: there is no such thing, which is a 404 or 405 of the server."""
        name = "get" if method == "HEAD" else method.lower()
        for template in self.templates:
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path):
                return self.paths[template].get(name)
        return None

    def _check_headers(self, response, said, where):
        for name, header in said.get("headers", {}).items():
            if "$ref" in header:
                header = self.headers[header["$ref"].rpartition("/")[2]]
            value = response.headers.get(name)
            assert value is not None or not header.get("required"), f"{where} without {name}"
            if value is not None:
                self._validate(header["schema"], value, f"{where}, {name}:")

    def _validate(self, schema, value, where):
        validator = self._validators.get(id(schema))
        if validator is None:
            whole = {"components": {"schemas": self.schemas}, **closed(schema)}
            validator = jsonschema_rs.Draft202012Validator(whole)
            self._validators[id(schema)] = validator
        try:
            validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            raise AssertionError(f"{where} what /openapi.json does not say: {error}") from None
