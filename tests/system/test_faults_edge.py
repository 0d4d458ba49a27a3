"""Edges are killed and frozen; any other goes on where they were: P1, P2."""

import time

import pytest
from sse import Reader, assert_whole, told_text


@pytest.mark.servers("needs two edges")
def test_a_reader_goes_on_at_another_edge_when_its_own_is_killed(world):
    other = world.start_edge()
    job_id = world.submit("sim-20ms-150tok-20gap", edge=world.edges[0])
    reader = world.follow(job_id, world.edges[0], other)
    reader.wait_for(40, "delta")
    world.edges[0].kill()
    told = reader.finish(20)
    assert_whole(told)
    assert world.wait_end(job_id, edge=other)["result"]["text"] == told_text(told)
    assert reader.connections > 1


@pytest.mark.servers("needs two edges")
def test_a_signed_stream_url_holds_at_every_edge(world):
    other = world.start_edge()
    receipt = world.post({"input": "x", "model": "sim-5ms-10tok-1gap"}).json()
    world.edges[0].kill()
    told = Reader(other.url + receipt["links"]["events"]).finish()
    assert_whole(told)


@pytest.mark.servers("needs two edges")
def test_every_job_that_was_answered_202_ends_though_its_edge_was_killed(world):
    other = world.start_edge()
    ids = [world.submit("sim-5ms-5tok-1gap", edge=world.edges[0]) for _ in range(50)]
    world.edges[0].kill()
    for job in world.wait_ends(ids, edge=other):
        assert job["status"] == "succeeded"


@pytest.mark.servers("needs two edges")
def test_a_frozen_edge_holds_nobody_else_up_and_goes_on_when_thawed(world):
    other = world.start_edge()
    job_id = world.submit("sim-20ms-200tok-20gap", edge=world.edges[0])
    frozen, free = world.follow(job_id, world.edges[0]), world.follow(job_id, other)
    frozen.wait_for(20, "delta")
    world.edges[0].freeze()
    free.wait_for(100, "delta", 10)
    second = world.submit("sim-5ms-5tok-1gap", edge=other)
    assert world.wait_end(second, edge=other)["status"] == "succeeded"
    world.edges[0].thaw()
    assert frozen.finish() == free.finish()
    assert_whole(frozen.events)


@pytest.mark.servers("needs two edges")
def test_an_edge_that_is_told_to_stop_lets_readers_go_on_elsewhere(world):
    other = world.start_edge()
    job_id = world.submit("sim-20ms-150tok-20gap", edge=world.edges[0])
    reader = world.follow(job_id, world.edges[0], other)
    reader.wait_for(30, "delta")
    began = time.monotonic()
    assert world.edges[0].stop(20) == 0
    assert time.monotonic() - began < 10
    told = reader.finish(20)
    assert_whole(told)


def test_an_edge_that_was_killed_comes_back_on_its_port(world):
    edge = world.edges[0]
    job_id = world.submit("sim-20ms-150tok-20gap")
    reader = world.follow(job_id)
    reader.wait_for(30, "delta")
    edge.kill()
    edge.start_listening()
    told = reader.finish(20)
    assert_whole(told)
    assert world.wait_end(job_id)["result"]["text"] == told_text(told)
