"""Postgres is killed, frozen and restarted under jobs: what was answered holds, every job ends once,
and everything recovers by itself: P1, P4."""

import time

import pytest
from sse import assert_whole, told_text
from world import web

pytestmark = pytest.mark.postgres("kills and freezes Postgres")

LIVE = "sim-20ms-60tok-25gap"
QUICK = "sim-5ms-5tok-1gap"


def ready(world):
    return web.get(f"{world.url}/readyz", timeout=10).status_code == 200


def accepted(world, submitted, count=1):
    """More jobs, as far as they are taken: refusals must say when to come again."""
    for _ in range(count):
        answer = world.post({"input": "x", "model": QUICK})
        if answer.status_code == 202:
            submitted.append(answer.json()["id"])
        else:
            assert answer.status_code in (429, 503), f"{answer.status_code} {answer.text}"
            assert int(answer.headers["retry-after"]) >= 1


def all_ended_once(world, ids, seconds=60):
    ended = world.wait_ends(ids, seconds)
    assert {job["status"] for job in ended} == {"succeeded"}
    for job in ended:
        told = world.read(job["id"])
        assert_whole(told)
        assert told_text(told) == job["result"]["text"]
    rows = world.postgres.run(f"SELECT count(*) FROM {world.name}.jobs WHERE ended_at IS NOT NULL")
    assert int(rows) >= len(ids)


@pytest.mark.parametrize("take_away, give_back", [("kill", "start"), ("freeze", "thaw")])
def test_jobs_outlast_a_postgres_that_goes_and_comes_back(world, take_away, give_back):
    ids = []
    accepted(world, ids, 5)
    all_ended_once(world, ids)
    ids += [world.submit(LIVE) for _ in range(10)]
    reader = world.follow(ids[-1])
    reader.wait_for(5, "delta")
    getattr(world.postgres, take_away)()
    accepted(world, ids, 5)
    assert web.get(f"{world.url}/livez", timeout=5).status_code == 200
    time.sleep(3)  # the running ones come to their end, which the Store cannot take
    getattr(world.postgres, give_back)()
    world.wait_until(lambda: ready(world), 30, "the edge is not ready again")
    all_ended_once(world, ids)
    assert_whole(reader.finish(40))
    last = world.submit(QUICK)
    all_ended_once(world, [last])


def test_a_restart_under_load_repeats_no_finished_turn(world):
    ids = [world.submit(LIVE) for _ in range(20)]
    for _ in range(3):
        world.postgres.stop()
        world.postgres.start()
        accepted(world, ids, 3)
    all_ended_once(world, ids, 120)
    attempts = sum(world.job(job_id)["attempts"] for job_id in ids)
    assert world.simulated()["requests"] <= attempts, "a turn that was at its end was paid again"
