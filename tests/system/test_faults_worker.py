"""Workers are killed, frozen, drained and shuffled: P1, P2, P3, P4."""

import random
import signal
import time

import pytest
from sse import assert_whole, told_text

pytestmark = pytest.mark.every_store

TAKEOVER = 30  # seconds: a crash is noticed after 10, a takeover promised within 20


def kept_promises(world, job_id, told, edge=None):
    """P1 and P2 of one succeeded job: ended once, and readers hold what is stored."""
    assert_whole(told)
    job = world.wait_end(job_id, edge=edge)
    assert job["status"] == "succeeded", job
    assert told_text(told) == job["result"]["text"]
    return job


@pytest.mark.parametrize("how", ["prefill", "rewind"])
def test_a_job_survives_kill_9_of_its_worker(empty_world, how, long):
    world = empty_world
    world.settings["LLM_CONTINUE"] = how
    world.inhabit()
    tokens = 1000 if long else 200
    model = f"sim-20ms-{tokens}tok-10gap"
    job_id = world.submit(model, max_tokens=tokens)
    reader = world.follow(job_id)
    reader.wait_for(tokens // 2, "delta")
    killed = time.monotonic()
    world.kill_worker()
    told = reader.finish(TAKEOVER + tokens / 50)
    kept_promises(world, job_id, told)
    attempts = [event for event in told if event.type == "started"]
    assert len(attempts) == 2
    seen = told.index(attempts[1])
    assert time.monotonic() - killed < TAKEOVER + tokens / 50
    sent = world.simulated()["tokens_sent"]
    if how == "prefill":  # P4: what was said is not paid again
        assert not any(event.type == "rewind" for event in told)
        assert tokens <= sent <= tokens * 1.1
    else:
        assert any(event.type == "rewind" for event in told[seen - 1:])


@pytest.mark.servers("needs two workers")
def test_a_zombie_leaves_no_trace(empty_world):
    """P3: frozen past its lease, thawed when another has finished the job."""
    world = empty_world
    world.start_simulator()
    world.start_edge()
    zombie = world.start_worker()
    job_id = world.submit("sim-20ms-300tok-10gap")
    reader = world.follow(job_id)
    reader.wait_for(50, "delta")
    zombie.freeze()
    world.start_worker()
    told = reader.finish(TAKEOVER + 10)
    job = kept_promises(world, job_id, told)
    zombie.thaw()
    time.sleep(3)  # what it still had to say would be said by now
    assert world.read(job_id) == told
    del job["links"]  # signed anew each time
    assert job.items() <= world.job(job_id).items()
    assert zombie.alive(), "the zombie goes on with other work"
    assert world.wait_end(world.submit("sim-5ms-5tok-1gap"))["status"] == "succeeded"


@pytest.mark.servers("needs two workers")
def test_a_zombie_that_wakes_while_its_heir_writes_cannot_write(empty_world):
    world = empty_world
    world.start_simulator()
    world.start_edge()
    zombie = world.start_worker()
    job_id = world.submit("sim-20ms-600tok-20gap")
    reader = world.follow(job_id)
    reader.wait_for(50, "delta")
    zombie.freeze()
    world.start_worker()
    reader.wait_for(2, "started", TAKEOVER)
    zombie.thaw()
    kept_promises(world, job_id, reader.finish(40))


@pytest.mark.servers("its readers stay while the worker goes")
def test_a_worker_that_is_told_to_stop_finishes_what_it_can(empty_world):
    world = empty_world
    world.start_simulator()
    world.start_edge()
    worker = world.start_worker(MILLRACE_DRAIN_GRACE="10s")
    ids = [world.submit("sim-20ms-100tok-20gap") for _ in range(5)]
    readers = [world.follow(job_id) for job_id in ids]
    for reader in readers:
        reader.wait_for(3, "delta")
    worker.signal(signal.SIGTERM)
    for job_id, reader in zip(ids, readers):
        told = reader.finish(15)
        kept_promises(world, job_id, told)
        assert sum(event.type == "started" for event in told) == 1
    assert worker.child.wait(15) == 0


@pytest.mark.servers("needs two workers")
def test_what_waits_at_a_worker_that_is_told_to_stop_runs_elsewhere_at_once(empty_world):
    world = empty_world
    world.start_simulator()
    world.start_edge()
    leaving = world.start_worker(MILLRACE_JOBS_IN_FLIGHT=2, MILLRACE_DRAIN_GRACE="20s")
    long_ids = [world.submit("sim-20ms-100tok-100gap") for _ in range(2)]
    readers = [world.follow(job_id) for job_id in long_ids]
    for reader in readers:
        reader.wait_for(3, "delta")
    waiting = [world.submit("sim-5ms-5tok-1gap") for _ in range(30)]
    other = world.start_worker()
    world.wait_until(lambda: '"now":48}' in other.said(), what="not half of the 96 partitions")
    stopped = time.monotonic()
    leaving.signal(signal.SIGTERM)
    world.wait_ends(waiting, 10)
    assert time.monotonic() - stopped < 4, "they waited for the grace time"
    for job_id, reader in zip(long_ids, readers):
        told = reader.finish(20)
        kept_promises(world, job_id, told)
        assert sum(event.type == "started" for event in told) == 1
    assert leaving.child.wait(15) == 0


@pytest.mark.servers("needs two workers")
def test_what_a_stopped_worker_cannot_finish_is_handed_over(empty_world):
    world = empty_world
    world.settings["LLM_CONTINUE"] = "prefill"
    world.start_simulator()
    world.start_edge()
    worker = world.start_worker(MILLRACE_DRAIN_GRACE="1s")
    job_id = world.submit("sim-20ms-300tok-20gap", max_tokens=300)
    reader = world.follow(job_id)
    reader.wait_for(20, "delta")
    world.start_worker()
    stopped = time.monotonic()
    worker.signal(signal.SIGTERM)
    reader.wait_for(2, "started", 15)
    assert time.monotonic() - stopped < 10, "a hand-over waits for no time-out"
    kept_promises(world, job_id, reader.finish(30))
    assert worker.child.wait(15) == 0


@pytest.mark.servers("needs a group of workers")
def test_a_rebalance_storm_loses_and_repeats_nothing(empty_world, long):
    world = empty_world
    world.start_simulator()
    world.start_edge()
    world.start_worker()
    ids = [world.submit("sim-50ms-40tok-25gap", **({"session": f"s{n % 7}"} if n % 2 else {}))
           for n in range(300 if long else 60)]
    readers = [world.follow(job_id) for job_id in ids[:20]]
    for n in range(20 if long else 4):
        extra = world.start_worker(MILLRACE_DRAIN_GRACE="1s")
        time.sleep(1.5)
        extra.kill() if n % 4 == 3 else extra.stop()
    for job in world.wait_ends(ids, 300 if long else 90):
        assert job["status"] == "succeeded"
    for job_id, reader in zip(ids, readers):
        kept_promises(world, job_id, reader.finish(5))
    for job_id in ids[20:]:
        kept_promises(world, job_id, world.read(job_id))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_kill_9_at_fifty_random_moments_repeats_no_end(empty_world):
    world = empty_world
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    world.settings["LLM_CONTINUE"] = "prefill"
    world.inhabit()
    ids = [world.submit(f"sim-20ms-{draw.randrange(50, 400)}tok-10gap") for _ in range(200)]
    for _ in range(50):
        time.sleep(draw.uniform(0.5, 5))
        world.kill_worker()
    for job_id in ids:
        world.wait_end(job_id, 300)
        told = world.read(job_id)
        assert_whole(told)
        assert told_text(told) == world.job(job_id)["result"]["text"]
