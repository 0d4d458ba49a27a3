"""P7: a cancel is answered, and the job terminal, within a second, in any state, from any node."""

import time

import pytest
from sse import assert_whole

LONG = "sim-20ms-2000tok-20gap"


def cancelled_within_a_second(world, job_id, edge=None):
    began = time.monotonic()
    answer = world.cancel(job_id, edge)
    assert answer.status_code in (200, 202), answer.text
    while world.job(job_id, edge)["status"] != "cancelled":
        assert time.monotonic() - began < 5, "not cancelled at all"
        time.sleep(0.01)
    took = time.monotonic() - began
    assert took < 1.1, f"took {took:.2f} s"  # a tenth for this test's own requests


def test_a_running_job_and_its_upstream_end_within_a_second(town):
    job_id = town.submit(LONG)
    reader = town.follow(job_id)
    reader.wait_for(5, "delta")
    assert town.simulated()["open"] == 1
    began = time.monotonic()
    cancelled_within_a_second(town, job_id)
    town.wait_until(lambda: town.simulated()["open"] == 0,
                    max(0.1, began + 1.1 - time.monotonic()), "the upstream socket is not closed")
    told = reader.finish()
    assert_whole(told)
    assert told[-1].type == "cancelled"


@pytest.mark.servers("needs two edges")
def test_cancelling_from_another_edge_is_the_same(world):
    other = world.start_edge()
    job_id = world.submit(LONG, edge=world.edges[0])
    world.follow(job_id).wait_for(3, "delta")
    cancelled_within_a_second(world, job_id, other)


@pytest.mark.servers("needs an edge without a worker")
def test_a_queued_job_is_cancelled_without_a_worker(empty_world):
    empty_world.start_simulator()
    empty_world.start_edge()
    job_id = empty_world.submit(LONG)
    cancelled_within_a_second(empty_world, job_id)
    told = empty_world.read(job_id)
    assert_whole(told)
    assert [event.type for event in told] == ["queued", "cancelled"]
    empty_world.start_worker()
    other = empty_world.submit("sim-5ms-5tok-1gap")
    assert empty_world.wait_end(other)["status"] == "succeeded"
    assert empty_world.read(job_id) == told
    assert empty_world.simulated()["requests"] == 1


def test_a_job_that_waits_for_its_session_is_cancelled_before_its_turn(town):
    asked_before = town.simulated()["requests"]
    first = town.submit(LONG, session="waiting")
    town.follow(first).wait_for(1, "delta")
    waiting = town.submit("sim-5ms-5tok-1gap", session="waiting")
    after = town.submit("sim-5ms-5tok-1gap", session="waiting")
    cancelled_within_a_second(town, waiting)
    assert [event.type for event in town.read(waiting)] == ["queued", "cancelled"]
    assert town.job(first)["status"] == "running"
    cancelled_within_a_second(town, first)
    assert town.wait_end(after)["status"] == "succeeded"
    assert_whole(town.read(waiting))
    assert town.simulated()["requests"] == asked_before + 2


def test_a_retrying_job_is_cancelled_while_it_waits(town):
    job_id = town.submit("sim-5ms-5tok-1gap-429x100")
    town.wait_until(lambda: town.job(job_id)["status"] == "retrying", 20, "it does not retry")
    cancelled_within_a_second(town, job_id)


@pytest.mark.servers("needs an edge beside the frozen worker")
def test_a_frozen_workers_job_is_ended_by_the_edge_and_stays_ended(world):
    worker = world.parts[-1]
    job_id = world.submit(LONG)
    reader = world.follow(job_id)
    reader.wait_for(5, "delta")
    worker.freeze()
    cancelled_within_a_second(world, job_id)
    told = reader.finish()
    assert_whole(told)
    worker.thaw()
    world.wait_until(lambda: world.simulated()["open"] == 0, 10, "the zombie goes on reading")
    assert world.job(job_id)["status"] == "cancelled"
    assert world.read(job_id) == told


def test_a_job_that_has_ended_stays_as_it_ended(town):
    job_id = town.submit("sim-5ms-5tok-1gap")
    town.wait_end(job_id)
    told = town.read(job_id)
    assert town.cancel(job_id).status_code in (200, 202, 409)
    assert town.job(job_id)["status"] == "succeeded"
    assert town.read(job_id) == told


@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_hundred_cancels_at_random_moments_all_end_once(town):
    for n in range(200):
        job_id = town.submit(f"sim-{n % 50}ms-100tok-5gap")
        time.sleep(n % 23 / 50)
        town.cancel(job_id)
        assert town.wait_end(job_id, 5)["status"] in ("cancelled", "succeeded")
        assert_whole(town.read(job_id))
