"""Redis is killed, frozen and emptied: P6, and P2 as far as it promises."""

import threading
import time

import pytest
import redis
from sse import assert_whole, read, told_text

pytestmark = pytest.mark.servers("kills, freezes and empties Redis")

SLOW = "sim-20ms-200tok-20gap"


def ends_well(world, reader, job_id, gaps):
    told = reader.finish(60)
    assert_whole(told, gaps)
    job = world.wait_end(job_id)
    assert job["status"] == "succeeded", job
    assert told[-1].json["result"]["text"] == job["result"]["text"]
    if not gaps:
        assert told_text(told) == job["result"]["text"]
    return job


def test_kill_9_and_restart_with_its_file_loses_nothing(world):
    job_id = world.submit(SLOW)
    reader = world.follow(job_id)
    reader.wait_for(30, "delta")
    # The file is written once a second; what a process kill can lose is what Redis has not
    # written yet, and it writes before it answers.
    world.redis.kill()
    time.sleep(1)
    world.redis.start()
    ends_well(world, reader, job_id, gaps=False)
    assert world.simulated()["requests"] == 1


def test_a_frozen_redis_delays_and_loses_nothing(world):
    job_id = world.submit(SLOW)
    reader = world.follow(job_id)
    reader.wait_for(30, "delta")
    world.redis.freeze()
    time.sleep(4)
    world.redis.thaw()
    ends_well(world, reader, job_id, gaps=False)
    assert world.simulated()["requests"] == 1


def test_jobs_are_accepted_while_redis_is_away_and_run_after(world):
    world.redis.kill()
    answer = world.post({"input": "x", "model": "sim-5ms-5tok-1gap"})
    world.redis.start()
    assert answer.status_code == 202, f"{answer.status_code} {answer.text}"
    assert world.wait_end(answer.json()["id"])["status"] == "succeeded"


def test_flushall_under_a_running_job_costs_an_announced_gap_at_most(world):
    """The holder still has the text: nothing is asked of the model twice."""
    ids = [world.submit(SLOW) for _ in range(5)]
    readers = [world.follow(job_id) for job_id in ids]
    for reader in readers:
        reader.wait_for(30, "delta")
    world.redis.flush()
    for job_id, reader in zip(ids, readers):
        ends_well(world, reader, job_id, gaps=True)
    assert world.simulated()["requests"] == 5


def test_every_queued_job_still_ends_after_flushall(empty_world):
    world = empty_world
    world.start_simulator()
    world.start_edge()
    ids = [world.submit("sim-5ms-5tok-1gap") for _ in range(20)]
    world.redis.flush()
    world.start_worker()
    for job in world.wait_ends(ids):
        assert job["status"] == "succeeded"
    for job_id in ids:
        assert_whole(world.read(job_id), gaps=True)


def test_an_emptied_redis_soon_belongs_to_its_store_again(world):
    def owner():
        with redis.Redis.from_url(world.settings["REDIS_URL"]) as client:
            return client.get("mr:store-id")

    world.wait_until(owner, 10, "nobody claims it")
    before = owner()
    world.redis.flush()
    world.wait_until(owner, 10, "nobody claims it again")
    assert owner() == before
    stranger = world.start_worker(MILLRACE_DATA=world.folder / "another")
    assert stranger.child.wait(20) != 0
    assert before.decode() in stranger.said()


def test_a_reader_gets_the_stored_result_when_the_log_has_gone(world):
    job_id = world.submit("sim-5ms-20tok-1gap")
    job = world.wait_end(job_id)
    world.redis.flush()
    for last_id in (None, 5):
        told = read(world.events_url(job_id), last_id)
        assert told[-1].type == "done"
        assert told[-1].json["result"]["text"] == job["result"]["text"]
        assert any(event.type == "gap" for event in told)
    assert world.simulated()["requests"] == 1


def test_restart_without_data_between_jobs_is_not_noticed(world):
    assert world.wait_end(world.submit("sim-5ms-5tok-1gap"))["status"] == "succeeded"
    world.redis.kill()
    for file in (world.redis.folder / "appendonlydir").iterdir():
        file.unlink()
    world.redis.start()
    job_id = world.submit("sim-5ms-5tok-1gap")
    assert world.wait_end(job_id)["status"] == "succeeded"
    assert_whole(world.read(job_id))


def test_flushall_at_random_moments_ends_every_job(world, long):
    ids, stop = [], threading.Event()

    def flush():
        while not stop.wait(1.3):
            world.redis.flush()

    flusher = threading.Thread(target=flush)
    flusher.start()
    try:
        for n in range(200 if long else 30):
            ids.append(world.submit(f"sim-{n % 40}ms-40tok-10gap"))
            time.sleep(0.1)
        jobs = world.wait_ends(ids, 120)
    finally:
        stop.set()
        flusher.join()
    assert {job["status"] for job in jobs} == {"succeeded"}
