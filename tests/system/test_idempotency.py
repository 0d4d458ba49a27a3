"""One Idempotency-Key names one job, whatever dies in between."""

import threading

import pytest

pytestmark = pytest.mark.every_store

QUICK = "sim-20ms-10tok-5gap"


def post(world, key, input="x", edge=None):
    return world.post({"input": input, "model": QUICK}, {"Idempotency-Key": key}, edge)


def test_a_retry_under_the_same_key_attaches_to_the_job(town):
    first, second = post(town, "a"), post(town, "a")
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    town.wait_end(first.json()["id"])
    third = post(town, "a")
    assert third.status_code in (200, 202) and third.json()["id"] == first.json()["id"]


def test_another_body_under_the_same_key_is_refused(town):
    accepted = post(town, "b")
    assert accepted.status_code == 202
    town.wait_end(accepted.json()["id"])
    refused = post(town, "b", input="y")
    assert refused.status_code == 422
    assert refused.json()["code"] == "idempotency_key_reused"


def test_eight_requests_at_once_are_one_job(town):
    asked_before = town.simulated()["requests"]
    answers = []

    def ask():
        answers.append(post(town, "eight"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {200, 202}
    ids = {answer.json()["id"] for answer in answers}
    assert len(ids) == 1
    assert town.wait_end(ids.pop())["status"] == "succeeded"
    assert town.simulated()["requests"] == asked_before + 1


@pytest.mark.servers("needs two edges")
def test_a_key_outlives_the_edge_that_took_it(world):
    second = world.start_edge()
    job_id = post(world, "k", edge=world.edges[0]).json()["id"]
    world.edges[0].kill()
    again = post(world, "k", edge=second)
    assert again.json()["id"] == job_id
    assert world.wait_end(job_id, edge=second)["status"] == "succeeded"
    assert world.simulated()["requests"] == 1


@pytest.mark.servers("empties Redis")
def test_a_key_outlives_flushall(world):
    job_id = post(world, "k").json()["id"]
    done = world.wait_end(job_id)
    world.redis.flush()
    again = post(world, "k")
    assert again.status_code in (200, 202) and again.json()["id"] == job_id
    world.wait_until(lambda: world.job(job_id)["status"] == "succeeded", 20,
                     "the job is not shown as ended again")
    assert world.job(job_id)["result"] == done["result"]
    assert world.simulated()["requests"] == 1
