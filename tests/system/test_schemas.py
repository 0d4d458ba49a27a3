"""What travels is what `shared/contract/*.schema.json` says: everything validates, and nothing is
sent that they do not describe."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Consumer
from jsonschema import Draft202012Validator
from process import ROOT, Millrace, free_port, stopped_at_end
from sse import read
from world import web

QUICK = "sim-5ms-10tok-1gap"
SLOW = "sim-20ms-100tok-20gap"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CHAT = {
    "model": "sim-5ms-1gap-tool", "max_completion_tokens": 50, "top_p": 0.5, "stop": ["@"],
    "tools": [{"type": "function", "function": {"name": "clock"}}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi."}]},
                 {"role": "assistant", "tool_calls": [{
                     "id": "c1", "type": "function",
                     "function": {"name": "clock", "arguments": "{}"}}]},
                 {"role": "tool", "tool_call_id": "c1", "content": "noon"},
                 {"role": "user", "content": "And now?"}]}
UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def schema(name):
    return json.loads((ROOT / "shared" / "contract" / f"{name}.schema.json").read_text())


ENVELOPE, EVENT, PROBLEM = map(schema, ("envelope", "event", "problem"))
EVENTS = {form["title"]: form for form in EVENT["oneOf"]}


def assert_described(message, described_by, members):
    Draft202012Validator(described_by).validate(message)
    strange = message.keys() - members["properties"].keys()
    assert not strange, f"not in the schema: {strange} of {message}"


def assert_event(event):
    assert_described(event, EVENT, EVENTS[event["type"]])


def assert_envelope(envelope):
    assert_described(envelope, ENVELOPE, ENVELOPE)
    described = ENVELOPE["properties"]["params"]["properties"].keys()
    assert envelope["params"].keys() <= described | CHAT.keys()


@pytest.mark.parametrize("described_by", [ENVELOPE, EVENT, PROBLEM], ids=lambda s: s["title"])
def test_a_schema_is_one(described_by):
    Draft202012Validator.check_schema(described_by)


def test_every_member_of_an_event_is_described():
    shared = EVENT["$defs"]
    for title, form in EVENTS.items():
        assert form["description"]
        for name, member in form["properties"].items():
            member = shared[member["$ref"].rpartition("/")[2]] if "$ref" in member else member
            assert member.get("description") or member == {"const": title}, f"{title}.{name}"


def types_told(told):
    for event in told:
        assert_event(event.json)
    return {event.type for event in told}


@pytest.mark.parametrize("model, fields, types", [
    (QUICK, {}, {"queued", "started", "delta", "done"}),
    (QUICK, {"max_tokens": 3}, {"delta", "done"}),
    ("sim-5ms-5tok-1gap-429x1", {}, {"started", "status", "done"}),
    ("sim-5ms-10tok-1gap-400", {}, {"started", "error"}),
    ("sim-20ms-1000tok-20gap", {"deadline_s": 1}, {"delta", "expired"}),
    ("sim-5ms-6tok-1gap-think2-refuse", {}, {"reasoning", "refusal", "done"}),
], ids=["done", "length", "retried", "error", "expired", "refused"])
def test_the_events_of_a_job_to_each_end(town, model, fields, types):
    job_id = town.submit(model, **fields)
    town.wait_end(job_id)
    assert types <= types_told(town.read(job_id))
    page = web.get(town.events_url(job_id), headers={"Accept": "application/json"}, timeout=10)
    for event in page.json()["events"]:
        assert_event(event)


def test_the_events_of_a_job_that_calls_tools(town):
    answer = web.post(f"{town.url}/v1/chat/completions", json=CHAT)
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["id"].removeprefix("chatcmpl-")
    assert {"tool_call", "done"} <= types_told(town.read(job_id))


def test_the_events_of_a_cancelled_job(town):
    job_id = town.submit(SLOW)
    reader = town.follow(job_id)
    reader.wait_for(3, "delta")
    town.cancel(job_id)
    assert "cancelled" in types_told(reader.finish())


def test_a_snapshot_a_relay_makes_covers_no_end(town):
    job_id = town.submit(SLOW)
    town.follow(job_id).wait_for(10, "delta")
    for _ in ("while it runs", "when it has ended"):
        told = read(town.events_url(job_id) + "?snapshot=1")
        assert "snapshot" in types_told(told)
        upto = next(event.json["upto"] for event in told if event.type == "snapshot")
        assert upto < told[-1].seq and told[-1].type == "done"


@pytest.mark.servers("a worker of its own")
def test_the_rewind_of_a_run_that_begins_again(empty_world):
    world = empty_world.inhabit(LLM_CONTINUE="rewind", MILLRACE_JOB_ATTEMPTS="2")
    job_id = world.submit("sim-5ms-30tok-1gap-cut12")
    world.wait_end(job_id)
    assert {"delta", "rewind", "error"} <= types_told(world.read(job_id))


@pytest.mark.servers("empties Redis")
@pytest.mark.servers("empties Redis")
def test_the_events_of_a_log_that_was_lost(world):
    """The holder says what it has again; what has ended is told from the Store."""
    job_id = world.submit(SLOW)
    reader = world.follow(job_id)
    reader.wait_for(10, "delta")
    world.redis.flush()
    assert {"gap", "snapshot", "done"} <= types_told(reader.finish())
    world.redis.flush()
    assert types_told(world.read(job_id, 3)) == {"gap", "done"}


def in_an_hour():
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="milliseconds")


def submit_every_form(submit):
    """The ids of jobs that differ in what their envelope holds."""
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Héllo 👋"}]
    return [
        submit(QUICK),
        submit(QUICK, input=talk, session="s1", max_tokens=5, temperature=0.5),
        submit(QUICK, priority="bulk", metadata={"a": [1, {"b": None}], "big": 10**30}),
        submit(QUICK, not_before=in_an_hour(), deadline_s=86_000),
        submit(QUICK, headers={"traceparent": TRACE}),
        submit("sim-5ms-10tok-1gap-400", session="s2"),
    ]


@pytest.mark.servers("reads Kafka")
@pytest.mark.servers("reads them out of Kafka")
def test_the_envelopes_in_kafka(world):
    """In the topics of jobs, and beside a dead letter."""
    ids = submit_every_form(world.submit)
    consumer = Consumer({"bootstrap.servers": world.kafka.brokers, "group.id": f"{world.name}-see",
                         "auto.offset.reset": "earliest"})
    consumer.subscribe([f"^{world.name}[.](jobs[.].*|dead)"])
    seen = []

    def all_seen():
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            seen.append((message.topic(), json.loads(message.value())))
        topics = {topic for topic, _ in seen}
        return f"{world.name}.dead" in topics and {job["id"] for _, job in seen} >= set(ids)

    world.wait_until(all_seen, 30, "not all envelopes were seen")
    consumer.close()
    for _, envelope in seen:
        assert_envelope(envelope)


def test_the_envelopes_in_the_embedded_queue(tmp_path):
    """Jobs that wait stand in the table of the Store."""
    settings = {"PORT": free_port(), "MILLRACE_DATA": tmp_path / "data"}
    server = Millrace("serve", tmp_path, settings, env={})
    with stopped_at_end(server):
        server.start_listening()

        def submit(model, headers=None, **fields):
            answer = web.post(f"{server.url}/v1/jobs", headers=headers,
                              json={"input": "x", "model": model} | fields)
            assert answer.status_code == 202, answer.text
            return answer.json()["id"]

        ids = submit_every_form(submit)
        chat = web.post(f"{server.url}/v1/chat/completions", json=CHAT)
        ids.append(chat.json()["id"].removeprefix("chatcmpl-"))
        for file in (tmp_path / "data").glob("*.db"):
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
                rows = store.execute("SELECT envelope FROM jobs").fetchall()
        envelopes = [json.loads(text) for (text,) in rows]
        assert {envelope["id"] for envelope in envelopes} == set(ids)
        for envelope in envelopes:
            assert_envelope(envelope)


def assert_problem(answer, status, code):
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    problem = answer.json()
    assert_described(problem, PROBLEM, PROBLEM)
    assert (problem["status"], problem["code"]) == (answer.status_code, code) == (status, code)


@pytest.mark.parametrize("body, status, code", [
    ("{", 400, "invalid_json"),
    ("{}", 400, "missing_field"),
    ('{"input": 7}', 400, "invalid_field"),
    ('{"input": "x", "colour": "red"}', 400, "unknown_field"),
    ('{"input": "x", "input": "y"}', 400, "duplicate_field"),
    ('{"input": "x", "kind": "analysis"}', 400, "not_supported"),
    (json.dumps({"input": "x", "metadata": {"a": "x" * 17_000}}), 413, "too_large"),
])
def test_the_problem_of_a_wrong_body(town, body, status, code):
    answer = web.post(f"{town.url}/v1/jobs", content=body,
                      headers={"Content-Type": "application/json"})
    assert_problem(answer, status, code)


@pytest.mark.parametrize("method, path, headers, status, code", [
    ("POST", "/v1/jobs", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    ("GET", "/v1/jobs?limit=none", {}, 400, "invalid_parameter"),
    ("GET", f"/v1/jobs/{UNKNOWN}", {}, 404, "job_not_found"),
    ("GET", f"/v1/jobs/{UNKNOWN}/events", {}, 404, "job_not_found"),
    ("POST", f"/v1/jobs/{UNKNOWN}/cancel", {}, 404, "job_not_found"),
    ("GET", f"/v1/jobs/{UNKNOWN}/events?snapshot=2", {}, 400, "invalid_parameter"),
    ("GET", f"/v1/jobs/{UNKNOWN}/events?signature=x&expires=9999999999", {}, 403, "bad_signature"),
    ("GET", f"/v1/events?jobs={UNKNOWN}", {"Accept": "application/json"}, 406, "not_acceptable"),
    ("GET", "/v1/nothing-here", {}, 404, "not_found"),
    ("DELETE", "/v1/jobs", {}, 405, "method_not_allowed"),
])
def test_the_problem_of_a_wrong_request(town, method, path, headers, status, code):
    answer = web.request(method, town.url + path, headers=headers)
    assert_problem(answer, status, code)


def test_the_problem_of_an_idempotency_key_used_twice(town):
    headers = {"Idempotency-Key": "schemas"}
    town.submit(QUICK, headers=headers, input="one")
    answer = town.post({"input": "another", "model": QUICK}, headers)
    assert_problem(answer, 422, "idempotency_key_reused")


@pytest.mark.servers("kills Redis")
@pytest.mark.servers("kills Redis")
def test_the_problem_of_a_log_that_is_away(world):
    world.redis.kill()
    try:
        assert_problem(web.get(world.events_url(UNKNOWN)), 503, "events_unavailable")
    finally:
        world.redis.start()
