"""The model's server fails in every way it can: retries where they help, and a clear end where
they do not."""

import json
import sys
from pathlib import Path

import httpx
import pytest
from process import Process, free_port, wait_until
from sse import assert_whole, told_text
from world import web


SICK_STREAMS = ("stall", "garbage", "halfutf8", "noend", "error3", "slowfirst", "endless")


@pytest.fixture(scope="module")
def impatient(town):
    """A worker with short time-outs and few attempts, in the place of the town's own."""
    town.replace_worker(LLM_IDLE_TIMEOUT="1s", LLM_FIRST_TOKEN_TIMEOUT="2s", LLM_TURN_TIMEOUT="3s",
                        MILLRACE_JOB_ATTEMPTS="3")
    return town


@pytest.fixture(scope="module")
def sick_jobs(impatient):
    """A job for each thing that can be wrong with a stream, all at once: most wait."""
    return {fault: impatient.submit(f"sim-5ms-10tok-1gap-{fault}")
            for fault in SICK_STREAMS + ("400", "401")}


def ends_as(world, job_id, status, seconds=60):
    job = world.wait_end(job_id, seconds)
    told = world.read(job_id)
    assert_whole(told)
    assert job["status"] == status, job
    return job, told


def test_a_429_is_tried_again_until_it_is_answered(impatient):
    job, told = ends_as(impatient, impatient.submit("sim-5ms-5tok-1gap-429x2"), "succeeded")
    assert job["attempts"] == 3
    assert told_text(told) == job["result"]["text"]


def test_attempts_end_in_one_error_that_says_why(impatient):
    _, told = ends_as(impatient, impatient.submit("sim-5ms-5tok-1gap-429x100"), "failed")
    assert told[-1].type == "error"
    assert told[-1].json["code"] and "429" in told[-1].json["message"]
    assert told[-1].json["retryable"] is True


def test_a_cut_stream_is_never_taken_for_an_answer(impatient):
    _, told = ends_as(impatient, impatient.submit("sim-20ms-30tok-5gap-cut12"), "failed")
    assert sum(event.type == "started" for event in told) == 3


def test_a_cut_stream_is_continued_where_the_model_can_be(empty_world):
    world = empty_world
    world.inhabit(LLM_CONTINUE="prefill")
    job, told = ends_as(world, world.submit("sim-5ms-30tok-1gap-cut12", max_tokens=30), "succeeded")
    assert told_text(told) == job["result"]["text"]
    assert not any(event.type == "rewind" for event in told)
    assert sum(event.type == "delta" for event in told) == 30


@pytest.mark.parametrize("fault", SICK_STREAMS)
def test_a_sick_stream_ends_in_a_clear_error(impatient, sick_jobs, fault):
    _, told = ends_as(impatient, sick_jobs[fault], "failed")
    assert told[-1].type == "error"
    assert told[-1].json["code"] and len(told[-1].json["message"]) > 10


@pytest.mark.parametrize("status", ["400", "401"])
def test_what_no_attempt_can_mend_is_tried_once(impatient, sick_jobs, status):
    job, told = ends_as(impatient, sick_jobs[status], "failed")
    assert job["attempts"] == 1
    assert told[-1].json["retryable"] is False and status in told[-1].json["message"]


def test_a_model_server_that_is_away_is_tried_again(empty_world):
    world = empty_world
    simulator = world.start_simulator()
    simulator.kill()
    world.inhabit()
    job_id = world.submit("sim-5ms-5tok-1gap")
    world.wait_until(lambda: world.job(job_id)["status"] == "retrying", 15, "it does not retry")
    simulator.start_listening()
    ends_as(world, job_id, "succeeded")


@pytest.mark.servers("reads the letter out of Kafka")
def test_a_dead_letter_says_why_and_is_run_again_as_a_new_job(impatient):
    job_id = impatient.submit("sim-5ms-5tok-1gap-429x3", session="dead", metadata={"mine": 1})
    job, told = ends_as(impatient, job_id, "failed")
    letters = dead_letters(impatient, job_id)
    assert len(letters) == 1
    assert dict(letters[0].headers())["millrace-reason"]
    redriven = impatient.run("jobs", "redrive", "--id", job_id)
    assert redriven.returncode == 0, redriven.stderr
    line, count = map(json.loads, redriven.stdout.splitlines())
    assert line["from"] == job_id and count == {"sent": 1, "skipped": 0}
    assert web.get(f"{impatient.url}/v1/jobs/{line['id']}").status_code == 200
    again, _ = ends_as(impatient, line["id"], "failed")  # the simulator counts by job
    assert again["metadata"] == {"mine": 1, "redriven_from": job_id}
    assert (again["session"], again["model"]) == ("dead", job["model"])
    assert impatient.read(job_id) == told, "what has ended stays as it ended"
    assert dead_letters(impatient, line["id"]), "it is a job like any other"


def dead_letters(world, job_id):
    from confluent_kafka import Consumer
    consumer = Consumer({"bootstrap.servers": world.kafka.brokers, "group.id": f"{world.name}-dead",
                         "auto.offset.reset": "earliest"})
    consumer.subscribe([f"{world.name}.dead"])
    found = []

    def look():
        message = consumer.poll(0.2)
        if message is not None and not message.error() and job_id.encode() in message.value():
            found.append(message)
        return bool(found)

    wait_until(look, 15)
    consumer.close()
    return found


@pytest.fixture
def llmock(tmp_path):
    """An independent implementation of the upstream."""
    port = free_port()
    server = Process("llmock", tmp_path)
    server.spawn([Path(sys.executable).parent / "llmock", "serve", "--port", port])

    def answers():
        try:
            return web.get(f"http://127.0.0.1:{port}/v1/models", timeout=1).status_code < 500
        except httpx.HTTPError:
            return False

    server.wait_ready(answers, 30)
    server.url = f"http://127.0.0.1:{port}"
    yield server
    server.stop()


def test_another_implementation_of_the_upstream_is_understood(empty_world, llmock):
    world = empty_world
    world.settings["LLM_SERVER_URL"] = llmock.url + "/v1"
    world.inhabit()
    job, told = ends_as(world, world.submit("gpt-4o-mini", input="Say hello."), "succeeded")
    assert told_text(told) == job["result"]["text"] != ""
