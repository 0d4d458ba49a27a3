"""Jobs that ended long ago are removed, and nothing else is."""

import contextlib
import sqlite3

from world import web

QUICK = "sim-5ms-5tok-1gap"
DAY_MS = 24 * 60 * 60 * 1000


def in_store(world, sql, *values):
    with contextlib.closing(sqlite3.connect(world.folder / "data" / "millrace.db")) as store:
        rows = store.execute(sql, values).fetchall()
        store.commit()
        return rows


def listed(world):
    return {job["id"] for job in web.get(f"{world.url}/v1/jobs?limit=100").json()["data"]}


def test_a_job_goes_with_its_steps_30_days_after_its_end(world):
    old, younger, new = (world.submit(QUICK) for _ in range(3))
    world.wait_ends([old, younger, new])
    for job_id, days in ((old, 30.1), (younger, 29.9)):
        in_store(world, "UPDATE jobs SET ended_at = ended_at - ? WHERE hex(id) = ?",
                 int(days * DAY_MS), job_id.replace("-", "").upper())
    world.replace_worker()
    world.wait_until(lambda: old not in listed(world), what="the old job is still there")
    assert listed(world) == {younger, new}
    assert in_store(world, "SELECT count(DISTINCT job_id) FROM steps") == [(2,)]
    assert world.job(younger)["result"]["text"]
    assert world.wait_end(world.submit(QUICK))["status"] == "succeeded"


def test_jobs_are_kept_as_long_as_is_said_but_not_shorter_than_the_queue_may_deliver(world):
    job_id = world.submit(QUICK)
    world.wait_end(job_id)
    in_store(world, "UPDATE jobs SET ended_at = ended_at - ?", 15 * DAY_MS)
    world.replace_worker(JOBS_TTL="14d")
    world.wait_until(lambda: listed(world) == set(), what="it is still there")
    refused = world.run("config", "--jobs-ttl", "13d")
    assert refused.returncode == 2 and "336h" in refused.stderr
