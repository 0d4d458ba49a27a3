"""A job's way by every form of `POST /v1/jobs`, and how it is found again."""

import json
import time

import pytest
from sse import assert_whole, read, told_text
from world import web

pytestmark = pytest.mark.every_store

QUICK = "sim-5ms-20tok-1gap"


def test_a_job_is_accepted_run_and_streamed_to_its_end(town):
    answer = town.post({"input": "Tell me a story.", "model": QUICK, "metadata": {"a": [1, "b"]}})
    assert answer.status_code == 202
    receipt = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{receipt['id']}"
    assert receipt["status"] == "queued"
    told = read(town.url + receipt["links"]["events"])
    assert_whole(told)
    assert [event.type for event in told[:2]] == ["queued", "started"]
    assert told[-1].type == "done"
    job = town.job(receipt["id"])
    assert job["status"] == "succeeded"
    assert job["result"]["text"] == told_text(told) == told[-1].json["result"]["text"]
    assert job["result"]["finish_reason"] == "stop"
    assert job["usage"]["completion_tokens"] == 20
    assert job["metadata"] == {"a": [1, "b"]}


def test_one_upstream_chunk_is_one_delta(town):
    told = town.read(town.submit(QUICK))
    assert sum(event.type == "delta" for event in told) == 20


def test_a_list_of_messages_is_an_input_too(town):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Héllo 👋"}]
    job = town.wait_end(town.submit(QUICK, input=messages))
    assert job["status"] == "succeeded"


def test_prefer_wait_answers_with_the_finished_job(town):
    answer = town.post({"input": "x", "model": QUICK}, {"Prefer": "wait=10"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "succeeded"
    assert answer.json()["result"]["text"]


def test_prefer_wait_answers_202_when_time_runs_out(town):
    began = time.monotonic()
    answer = town.post({"input": "x", "model": "sim-3000ms-1tok-1gap"}, {"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert 0.9 < time.monotonic() - began < 2.5
    town.cancel(answer.json()["id"])


def test_accept_event_stream_streams_the_answer_to_the_post(town):
    with web.stream("POST", f"{town.url}/v1/jobs", json={"input": "x", "model": QUICK},
                      headers={"Accept": "text/event-stream"}, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        job_id = answer.headers["location"].removeprefix("/v1/jobs/").partition("?")[0]
        frames = answer.read().decode()
    assert frames.count("event: done\n") == 1
    replay = web.get(town.events_url(job_id), headers={"Accept": "text/event-stream"},
                       timeout=20).text
    assert _frames(frames) == _frames(replay)


def test_leaving_the_stream_does_not_cancel_the_job(town):
    with web.stream("POST", f"{town.url}/v1/jobs", json={"input": "x", "model": QUICK},
                      headers={"Accept": "text/event-stream"}, timeout=20) as answer:
        job_id = answer.headers["location"].removeprefix("/v1/jobs/").partition("?")[0]
    assert town.wait_end(job_id)["status"] == "succeeded"


def test_ndjson_answers_each_line_in_order_and_one_bad_line_stops_no_other(town):
    lines = [{"input": f"number {n}", "model": QUICK} for n in range(5)]
    body = [json.dumps(line) for line in lines]
    body[2] = '{"input": 7}'
    answer = web.post(f"{town.url}/v1/jobs", content="\n".join(body) + "\n",
                        headers={"Content-Type": "application/x-ndjson"}, timeout=20)
    assert answer.status_code == 200
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["line"] for line in told] == [1, 2, 3, 4, 5]
    assert "error" in told[2] and "id" not in told[2]
    for job in town.wait_ends([line["id"] for line in told if "id" in line]):
        assert job["status"] == "succeeded"


def test_events_can_be_read_as_json_pages(town):
    job_id = town.submit(QUICK)
    town.wait_end(job_id)
    answer = web.get(town.events_url(job_id), headers={"Accept": "application/json"}, timeout=10)
    assert answer.status_code == 200
    page = answer.json()
    assert page["events"] == [event.json for event in town.read(job_id)]
    assert page["status"] == "succeeded" and page["more"] is False


def test_jobs_are_listed_newest_first_and_page_by_page(town):
    session = "listed"
    ids = [town.submit(QUICK, session=session) for _ in range(5)]
    town.wait_ends(ids)

    def page(**query):
        answer = web.get(f"{town.url}/v1/jobs", params={"session": session} | query, timeout=10)
        assert answer.status_code == 200
        return [job["id"] for job in answer.json()["data"]]

    town.wait_until(lambda: len(page()) == 5, 5, "the list does not show every job")
    assert page() == ids[::-1]
    assert page(limit=2) == ids[:2:-1]
    assert page(limit=2, after=ids[3]) == [ids[2], ids[1]]
    assert page(status="failed") == []
    assert page(kind="chat") == ids[::-1]


def test_max_tokens_cuts_the_answer_and_says_so(town):
    job = town.wait_end(town.submit(QUICK, max_tokens=7))
    assert job["result"]["finish_reason"] == "length"
    assert job["usage"]["completion_tokens"] == 7


def test_not_before_holds_a_job_back(town):
    due = time.time() + 2
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(due)) + f".{int(due % 1 * 1000):03}Z"
    job_id = town.submit(QUICK, not_before=stamp)
    assert town.wait_end(job_id)["status"] == "succeeded"
    assert time.time() >= due


def test_a_job_past_its_deadline_ends_as_expired(town):
    job_id = town.submit("sim-20ms-1000tok-20gap", deadline_s=1)
    job = town.wait_end(job_id, 15)
    assert job["status"] == "expired"
    told = town.read(job_id)
    assert_whole(told)
    assert told[-1].type == "expired"


def test_an_unknown_job_is_a_404_problem(town):
    for path in ("", "/events"):
        answer = web.get(f"{town.url}/v1/jobs/019a0000-0000-7000-8000-000000000000{path}",
                           timeout=10)
        assert_problem(answer, 404)
    assert_problem(town.cancel("019a0000-0000-7000-8000-000000000000"), 404)
    assert_problem(web.get(f"{town.url}/v1/nothing-here", timeout=10), 404)


@pytest.mark.parametrize("body, status, field", [
    ("{", 400, ""),
    ("[]", 400, ""),
    ("{}", 400, "input"),
    ('{"input": 7}', 400, "input"),
    ('{"input": ""}', 400, "input"),
    ('{"input": [{"role": "user"}]}', 400, "input"),
    ('{"input": "x", "max_tokens": 0}', 400, "max_tokens"),
    ('{"input": "x", "temperature": 3}', 400, "temperature"),
    ('{"input": "x", "priority": "high"}', 400, "priority"),
    ('{"input": "x", "not_before": "soon"}', 400, "not_before"),
    ('{"input": "x", "deadline_s": -1}', 400, "deadline_s"),
    ('{"input": "x", "metadata": []}', 400, "metadata"),
    ('{"input": "x", "kind": "analysis"}', 400, "kind"),
    ('{"input": "x", "on_busy": "reject"}', 400, "on_busy"),
    ('{"input": "x", "tools": [{"name": "t"}]}', 400, "tools"),
    ('{"input": "x", "colour": "red"}', 400, "colour"),
    (json.dumps({"input": "x" * 9_000_000}), 413, ""),
    ("[" * 100 + "]" * 100, 400, ""),
])
def test_a_wrong_request_is_a_problem_that_names_its_field(town, body, status, field):
    answer = web.post(f"{town.url}/v1/jobs", content=body,
                        headers={"Content-Type": "application/json"}, timeout=20)
    assert field in assert_problem(answer, status).get("field", "")


def test_http_manners(town):
    answer = web.delete(f"{town.url}/v1/jobs", timeout=10)
    assert_problem(answer, 405)
    assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))
    assert web.get(f"{town.url}/livez", timeout=10).status_code == 200
    town.wait_until(lambda: web.get(f"{town.url}/readyz", timeout=10).status_code == 200, 20)
    metrics = web.get(f"{town.url}/metrics", timeout=10)
    assert metrics.status_code == 200 and "# TYPE" in metrics.text
    kept = web.get(f"{town.url}/livez", headers={"X-Request-Id": "mine-1"}, timeout=10)
    assert kept.headers["x-request-id"] == "mine-1"
    head = web.head(f"{town.url}/livez", timeout=10)
    assert head.status_code == 200 and not head.content
    answer = web.post(f"{town.url}/v1/jobs", content="x", timeout=10,
                        headers={"Content-Type": "text/plain"})
    assert_problem(answer, 415)


def assert_problem(answer, status):
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers["x-request-id"]
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] and problem["detail"] and problem["code"]
    return problem


def _frames(text):
    """Frames without comments and `retry:`, which depend on the connection."""
    frames = [[line for line in frame.splitlines() if not line.startswith((":", "retry:"))]
              for frame in text.split("\n\n")]
    return [frame for frame in frames if frame]
