"""`millrace serve` with Kafka and Redis named: every role on them, in one process."""

import pytest
from load import assert_paid_once
from sse import assert_whole, told_text
from world import web

pytestmark = pytest.mark.servers("one process that is told where Kafka and Redis are")

QUICK = "sim-5ms-5tok-1gap"


@pytest.fixture
def world(empty_world):
    """An edge and a worker in the one process, and a simulator that counts what it is asked."""
    empty_world.start_simulator()
    empty_world.start_serve(LLM_CONTINUE="prefill")
    return empty_world


def test_it_takes_runs_and_streams_jobs_and_keeps_no_events_of_its_own(world):
    job_id = world.submit(QUICK)
    told = world.follow(job_id).finish(40)
    assert_whole(told)
    assert told[-1].type == "done"
    assert world.wait_end(job_id)["result"]["text"] == told_text(told)
    names = {file.name for file in (world.folder / "data").iterdir()}
    assert "millrace.db" in names
    assert "events" not in names
    numbers = web.get(f"{world.url}/metrics").text
    assert "millrace_queue_delivered_total 1" in numbers


def test_killed_and_started_again_it_goes_on_where_it_was(world):
    job_id = world.submit("sim-20ms-100tok-20gap", session="s")
    behind = world.submit(QUICK, session="s")
    reader = world.follow(job_id)
    reader.wait_for(30, "delta")
    world.edges[0].kill()
    world.edges[0].start_listening()
    told = reader.finish(60)
    assert_whole(told)
    assert sum(event.type == "started" for event in told) == 2
    assert world.wait_end(job_id)["result"]["text"] == told_text(told)
    assert world.wait_end(behind)["status"] == "succeeded"
    assert_paid_once(world, [job_id, behind])


def test_on_a_kafka_without_its_topics_it_makes_them(empty_world):
    empty_world.start_simulator()
    empty_world.settings["MILLRACE_TOPIC_PREFIX"] = f"{empty_world.name}-new"
    serve = empty_world.start_serve()
    assert "topics_made" in serve.said()
    assert empty_world.wait_end(empty_world.submit(QUICK))["status"] == "succeeded"


@pytest.mark.parametrize("missing", ["KAFKA_BROKERS", "REDIS_URL"])
def test_named_by_half_it_says_what_is_missing(empty_world, missing):
    del empty_world.settings[missing]
    refused = empty_world.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert "name both" in refused.stderr
