"""What an edge does with those who should not ask it: web pages that its user visits, bodies that
are no JSON, peers that send what no client would. On every surface, each in its own words."""

import json
import re
import socket

import pytest
from world import web

QUICK = "sim-0ms-3tok-0gap"
EVIL = "https://evil.example"

# A request of each surface that makes a job, and where its answer says what was wrong.
SURFACES = [
    ("/v1/jobs", {"input": "x", "model": QUICK}, ("detail",)),
    ("/v1/chat/completions", {"model": QUICK, "messages": [{"role": "user", "content": "x"}]},
     ("error", "message")),
    ("/v1/responses", {"model": QUICK, "input": "x"}, ("error", "message")),
    ("/api/sessions", {"metadata": {"a": "x"}}, ("detail",)),
    ("/api/chat", {"session_id": "none", "message": "x"}, ("detail",)),
    ("/api/chat/stream", {"session_id": "none", "message": "x"}, ("detail",)),
]


def said(answer, where):
    body = answer.json()
    for member in where:
        body = body[member]
    return body


def send(town, path, body, headers):
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return web.post(town.url + path, content=content, headers=headers, timeout=20)


@pytest.mark.parametrize("path, body, where", SURFACES)
@pytest.mark.parametrize("headers", [
    {"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain;charset=UTF-8"},
    {"Origin": EVIL, "Content-Type": "application/json"},
    {"Origin": "null"},
    {"Host": "evil.example", "Content-Type": "application/json"},
    {"Host": "evil.example:8080", "Origin": "http://evil.example:8080",
     "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"},
])
def test_a_page_that_its_user_visits_makes_nothing(town, path, body, where, headers):
    refused = send(town, path, body, headers)
    assert refused.status_code == 403, refused.text
    assert re.search("CORS_ORIGINS|ALLOWED_HOSTS", said(refused, where))


def test_by_a_name_of_its_own_a_page_reads_nothing_either(town):
    job = town.submit(QUICK)
    for path in (f"/v1/jobs/{job}", "/v1/jobs", f"/v1/jobs/{job}/events", "/metrics", "/v1/models"):
        refused = web.get(town.url + path, headers={"Host": "evil.example"}, timeout=10)
        assert refused.status_code == 403 and job not in refused.text, path
    for path in ("/livez", "/readyz", "/health"):
        assert web.get(town.url + path, headers={"Host": "probe.example"}).status_code in (200, 503)


def test_its_own_pages_and_clients_that_are_no_browsers_go_on(town):
    port = town.url.rsplit(":", 1)[1]
    for headers in ({}, {"Origin": town.url}, {"Origin": town.url, "Sec-Fetch-Site": "same-origin"},
                    {"Host": f"localhost:{port}", "Origin": f"http://localhost:{port}"},
                    {"Sec-Fetch-Site": "none"}):
        assert town.post({"input": "x", "model": QUICK}, headers).status_code == 202, headers


def test_what_the_operator_names_may_ask(empty_world):
    world = empty_world.inhabit(CORS_ORIGINS="https://app.example",
                                ALLOWED_HOSTS="jobs.example.com")
    for headers in ({"Host": "jobs.example.com"},
                    {"Origin": "https://jobs.example.com"},
                    {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}):
        taken = world.post({"input": "x", "model": QUICK}, headers)
        assert taken.status_code == 202, f"{headers} {taken.text}"
    shown = taken.headers["access-control-expose-headers"].lower()
    assert {"x-millrace-job", "location", "retry-after"} <= set(shown.split(", "))
    assert world.post({"input": "x"}, {"Origin": EVIL}).status_code == 403
    counts = web.get(world.url + "/metrics").text
    assert 'millrace_gate_refused_total{code="cross_origin"} 1\n' in counts
    assert 'millrace_gate_refused_total{code="host_not_allowed"} 0\n' in counts


def test_behind_a_trusted_proxy_each_client_has_a_rate_of_its_own(empty_world):
    world = empty_world.inhabit(ADDRESS_RATE="1/h:2", TRUSTED_PROXIES="127.0.0.1")

    def asked_by(chain):
        return web.get(world.url + "/v1/jobs", headers={"X-Forwarded-For": chain}).status_code
    assert [asked_by("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert asked_by("198.51.100.9, 192.0.2.1") == 429, "what the client adds itself counts nothing"
    assert asked_by("192.0.2.2") == 200


def test_every_route_that_takes_a_body_wants_json(town):
    document = web.get(f"{town.url}/openapi.json").json()
    posts = [path for path, item in document["paths"].items() if "post" in item]
    assert len(posts) >= 12
    unknown = "019a0000-0000-7000-8000-000000000000"
    for path in posts:
        of = path.replace("deliveries/{id}", "deliveries/msg_" + unknown.replace("-", ""))
        of = of.replace("responses/{id}", "responses/resp_" + unknown.replace("-", ""))
        for sent in ("text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
                     "multipart/form-data; boundary=x", "application/json; charset=latin1"):
            refused = send(town, of.replace("{id}", unknown), "{}", {"Content-Type": sent})
            assert refused.status_code == 415, f"{path} {sent} {refused.text}"
            assert "Content-Type: application/json" in refused.text, path
        encoded = send(town, of.replace("{id}", unknown), "{}", {"Content-Encoding": "gzip"})
        assert encoded.status_code == 415 and "uncompressed" in encoded.text, path


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path, body, where", SURFACES)
def test_a_body_that_cannot_be_read_says_why(town, path, body, where):
    text = json.dumps(body)
    deep = "[" * 100 + "]" * 100
    for wrong, word in [
        (text.replace('"x"', deep), "nested"),
        (text.encode().replace(b'"x"', b'"\xff\xfe"'), "UTF-8"),
        (text.encode().replace(b'"x"', b'"a\x00b"'), "body"),
        (text[:-1] + ", " + text[1:], "twice"),
        (text[:-1], "body"),
        ("[]", "object"),
        ("[" * 1_000_000, ""),
    ]:
        refused = send(town, path, wrong, JSON)
        assert refused.status_code == 400, f"{wrong[:80]!r} {refused.text}"
        assert word in said(refused, where), f"{wrong[:80]!r} {refused.text}"
    too_large = send(town, path, text.replace('"x"', '"' + "x" * 9_000_000 + '"'), JSON)
    assert too_large.status_code == 413, too_large.text
    assert said(too_large, where)


def raw(town, request):
    """What is answered to these bytes, to the end of the connection."""
    host, port = town.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        peer.sendall(request)
        peer.shutdown(socket.SHUT_WR)
        told = b""
        while piece := peer.recv(65536):
            told += piece
    return told


@pytest.mark.parametrize("path, body, where", SURFACES)
def test_a_request_with_two_ends_is_refused_and_what_is_hidden_in_it_is_not_answered(
        town, path, body, where):
    hidden = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    start = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
    for fields in (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
                   b"Content-Length: 2\r\nContent-Length: 40\r\n",
                   b"Content-Length: 2, 2\r\n",
                   b"Content-Length: +2\r\n",
                   b"Transfer-Encoding : chunked\r\n",
                   b"Transfer-Encoding: xchunked\r\n",
                   b"X: y\r\n Content-Length: 2\r\n",
                   b"Host: other\r\n"):
        told = raw(town, start + fields + b"\r\n{}" + hidden)
        assert told.count(b"HTTP/1.1 ") == 1, fields
        assert re.match(rb"HTTP/1.1 (400|501) ", told), f"{fields} {told[:200]}"


def test_what_of_openais_api_is_not_here_is_told_as_its_sdks_read_it(town):
    for method, path in [("POST", "/v1/embeddings"), ("POST", "/v1/completions"),
                         ("POST", "/v1/images/generations"), ("GET", "/v1/files"),
                         ("POST", "/v1/chat/nothing"), ("GET", "/v1/responses/x/nothing"),
                         ("POST", "/v1/audio/speech")]:
        answer = web.request(method, town.url + path, json={} if method == "POST" else None)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (404, "not_found"), path
        assert error["type"] == "invalid_request_error" and path in error["message"]
        assert "/v1/chat/completions" in error["message"]
    for method, path in [("DELETE", "/v1/chat/completions"), ("PUT", "/v1/responses"),
                         ("POST", "/v1/models")]:
        answer = web.request(method, town.url + path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"]
    assert web.get(town.url + "/v1/nothing").headers["content-type"] == "application/problem+json"
