"""Nothing a tenant owns can be seen or touched by another: its ids are answered as unknown ones are,
byte for byte (P10)."""

import json
import uuid

import pytest
from tenants import Client, make_key
from webhook_receiver import Receiver
from world import web

pytestmark = pytest.mark.every_store

QUICK = "sim-0ms-3tok-0gap"
SLOW = "sim-10ms-5000tok-50gap"
# They differ whatever is asked.
OF_ONE_ANSWER = {"date", "x-request-id", "ratelimit-remaining", "ratelimit-reset"}


def told(answer, id):
    """All of an answer, but the id that was asked for."""
    headers = {name: value for name, value in answer.headers.items() if name not in OF_ONE_ANSWER}
    return answer.status_code, headers, answer.content.replace(id.encode(), b"ID")


def same_as_unknown(client, id, method, path, unknown=None, **more):
    """What `client` hears of that id is what it hears of an id that nobody has."""
    unknown = unknown or str(uuid.uuid4())[: len(id)]
    text = json.dumps([path, more])
    asked = []
    for each in (id, unknown):
        of_path, of_more = json.loads(text.replace("{id}", each))
        asked.append(client.ask(method, of_path, **of_more))
    assert told(asked[0], id) == told(asked[1], unknown), f"{method} {path} {more}"
    return asked[0]


@pytest.fixture
def two(empty_world):
    empty_world.settings |= {"MODEL_ID": QUICK, "WEBHOOK_ALLOW": "127.0.0.0/8"}
    keys = [make_key(empty_world, "--tenant", name, "--scope", "submit,read,admin")
            for name in ("anna", "ben")]
    world = empty_world.inhabit()
    return [Client(world, key) for key in keys]


def test_another_tenants_job_is_an_unknown_one_on_every_route(two):
    anna, ben = two
    ended = anna.submit(QUICK)
    anna.wait_end(ended)
    running = anna.submit(SLOW, session="hers")
    own = ben.submit(SLOW)
    for id in (ended, running):
        assert same_as_unknown(ben, id, "GET", "/v1/jobs/{id}").status_code == 404
        assert same_as_unknown(ben, id, "POST", "/v1/jobs/{id}/cancel").status_code == 404
        for accept in ("text/event-stream", "application/json"):
            assert same_as_unknown(ben, id, "GET", "/v1/jobs/{id}/events",
                                   headers={"Accept": accept}).status_code == 404
        same_as_unknown(ben, id, "GET", "/v1/jobs/{id}/events?after=1&snapshot=1")
        for others in ("{id}", own + ",{id}", "{id}," + own):
            assert same_as_unknown(ben, id, "GET", f"/v1/events?jobs={others}").status_code == 404
        same_as_unknown(ben, id, "GET", "/v1/jobs?after={id}")
        assert same_as_unknown(ben, id, "GET", "/api/chat/stream/{id}").status_code == 404
    assert anna.job(running)["status"] in ("queued", "running"), "his cancel did not touch it"
    assert [job["id"] for job in ben.ask("GET", "/v1/jobs").json()["data"]] == [own]
    assert ben.ask("GET", "/v1/jobs?session=hers").json()["data"] == []
    with web.stream("GET", f"{ben.world.url}/v1/sessions/hers/events", headers=ben.headers,
                    timeout=1.5) as stream, pytest.raises(Exception, match="timed out"):
        for line in stream.iter_lines():
            assert not line or line.startswith(":"), f"an event of another: {line}"
    # The link in her answer carries its own permission, and for that job alone.
    link = anna.job(running)["links"]["events"]
    assert ben.ask("GET", link, headers={"Accept": "application/json"}).status_code == 200
    assert ben.ask("GET", link.replace(running, ended)).status_code == 403
    for job, client in ((running, anna), (own, ben)):
        assert client.ask("POST", f"/v1/jobs/{job}/cancel").status_code == 200


def test_one_idempotency_key_is_two_jobs_for_two_tenants(two):
    anna, ben = two
    key = {"Idempotency-Key": "the-same"}
    body = {"input": "x", "model": QUICK}
    first = anna.ask("POST", "/v1/jobs", headers=key, json=body)
    second = ben.ask("POST", "/v1/jobs", headers=key, json=body | {"input": "y"})
    assert first.status_code == second.status_code == 202, second.text
    assert first.json()["id"] != second.json()["id"]
    assert "idempotent-replayed" not in second.headers
    again = anna.ask("POST", "/v1/jobs", headers=key, json=body)
    assert again.json()["id"] == first.json()["id"]
    chats = [client.ask("POST", "/v1/chat/completions", headers={"Idempotency-Key": "chat"}, json={
        "model": QUICK, "messages": [{"role": "user", "content": who}]})
        for client, who in ((anna, "a"), (ben, "b"))]
    assert [chat.status_code for chat in chats] == [200, 200]
    assert chats[0].json()["id"] != chats[1].json()["id"]


def test_another_tenants_session_is_an_unknown_one(two):
    anna, ben = two
    made = anna.ask("POST", "/api/sessions", json={"metadata": {"of": "anna"}}).json()
    session = made["session_id"]
    said = anna.ask("POST", "/api/chat", json={"session_id": session, "message": "a secret"})
    assert said.status_code == 200, said.text
    message = said.json()["message_id"]
    for method, path in (("GET", "/api/sessions/{id}"), ("DELETE", "/api/sessions/{id}"),
                         ("GET", "/api/sessions/{id}/messages?limit=5")):
        assert same_as_unknown(ben, session, method, path).status_code == 404
    for path in ("/api/chat", "/api/chat/stream"):
        assert same_as_unknown(ben, session, "POST", path, json={
            "session_id": "{id}", "message": "what was said?"}).status_code == 404
    assert same_as_unknown(ben, message, "GET", "/api/chat/stream/{id}").status_code == 404
    found = anna.ask("GET", f"/api/sessions/{session}/messages").json()["messages"]
    assert [entry["content"] for entry in found][0] == "a secret" and len(found) == 2
    # A name is its tenant's own: jobs of one name in two tenants are two sessions.
    for client in (anna, ben):
        client.wait_end(client.submit(QUICK, session="one name"))
        listed = client.ask("GET", "/v1/jobs?session=one%20name").json()["data"]
        assert len(listed) == 1


def test_another_tenants_large_input_is_behind_its_link_alone(two):
    anna, ben = two
    job = anna.submit(QUICK, input="long " * 80_000)
    link = anna.wait_end(job)["links"]["input"]
    assert ben.ask("GET", link).status_code == 200, "whoever holds the link"
    assert "tenant=anna" in link
    assert ben.ask("GET", link.replace("tenant=anna", "tenant=ben")).status_code == 403
    assert Client(ben.world).ask("GET", link.split("&signature")[0]).status_code == 401


def test_another_tenants_response_is_an_unknown_one(two):
    anna, ben = two
    made = anna.ask("POST", "/v1/responses", json={"model": QUICK, "input": "a secret"})
    assert made.status_code == 200, made.text
    response = made.json()["id"]
    unknown = f"resp_{uuid.uuid4()}"
    for method, path in (("GET", ""), ("GET", "?stream=true"), ("GET", "/input_items"),
                         ("POST", "/cancel"), ("DELETE", "")):
        assert same_as_unknown(ben, response, method, "/v1/responses/{id}" + path,
                               unknown).status_code == 404
    assert same_as_unknown(ben, response, "POST", "/v1/responses", unknown, json={
        "model": QUICK, "input": "go on", "previous_response_id": "{id}"}).status_code == 400
    assert anna.ask("GET", f"/v1/responses/{response}").json()["status"] == "completed"


def test_another_tenants_webhooks_are_unknown_ones_and_signed_with_another_secret(two):
    anna, ben = two
    secrets = [client.ask("GET", "/v1/webhooks/secret").json()["secret"] for client in two]
    assert secrets[0] != secrets[1]
    with Receiver() as receiver:
        job = anna.submit(QUICK, webhook=receiver.url)
        deliveries = "/v1/webhooks/deliveries"
        anna.world.wait_until(lambda: anna.ask("GET", f"{deliveries}?state=delivered").json()["data"],
                              30, "her webhook is not delivered")
        (hers,) = anna.ask("GET", deliveries).json()["data"]
        unknown = f"msg_{uuid.uuid4().hex}"
        for method, path in (("GET", "/{id}"), ("POST", "/{id}/redeliver")):
            assert same_as_unknown(ben, hers["id"], method, deliveries + path,
                                   unknown).status_code == 404
        assert same_as_unknown(ben, hers["id"], "GET", deliveries + "?after={id}",
                               unknown).status_code == 400
        for query in ("", f"?job={job}"):
            assert ben.ask("GET", deliveries + query).json()["data"] == []
        assert ben.ask("POST", "/v1/webhooks/secret/rotate").json()["previous"] == secrets[1]
        assert anna.ask("GET", "/v1/webhooks/secret").json()["secret"] == secrets[0]
        (got,) = receiver.got
    assert got.signed_by(secrets[0]) and not got.signed_by(secrets[1])


def test_the_secret_of_webhooks_is_an_admins_alone(two):
    anna, _ = two
    key = make_key(anna.world, "--tenant", "anna", "--scope", "submit,read")
    clerk = Client(anna.world, key)
    anna.world.wait_until(lambda: clerk.ask("GET", "/v1/webhooks/deliveries").status_code == 200, 10,
                          "the new key is not known")
    for method, path in (("GET", "secret"), ("POST", "secret/rotate")):
        refused = clerk.ask(method, f"/v1/webhooks/{path}")
        assert refused.status_code == 403 and "whsec_" not in refused.text


def test_another_tenants_failed_job_is_not_run_again(two):
    anna, ben = two
    job = anna.submit("sim-0ms-3tok-0gap-400")
    assert anna.wait_end(job)["status"] == "failed"
    assert same_as_unknown(ben, job, "POST", "/v1/dead-letters/redrive",
                           json={"id": "{id}"}).status_code == 404
    again = anna.ask("POST", "/v1/dead-letters/redrive", json={"id": job}).json()["data"][0]["id"]
    assert anna.wait_end(again)["metadata"] == {"redriven_from": job}
    assert ben.ask("GET", f"/v1/jobs/{again}").status_code == 404


@pytest.mark.embedded("on servers the dead letters are in Kafka, and no edge's to show")
def test_another_tenants_dead_letter_is_neither_shown_nor_sent_with_ones_own(two):
    anna, ben = two
    job = anna.submit("sim-0ms-3tok-0gap-400")
    assert anna.wait_end(job)["status"] == "failed"
    assert [letter["job"] for letter in anna.ask("GET", "/v1/dead-letters").json()["data"]] == [job]
    assert ben.ask("GET", "/v1/dead-letters").json()["data"] == []
    assert ben.ask("POST", "/v1/dead-letters/redrive", json={}).json()["sent"] == 0
    assert anna.ask("POST", "/v1/dead-letters/redrive", json={}).json()["sent"] == 1
