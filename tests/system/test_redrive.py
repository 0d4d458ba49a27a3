"""A failed job is run again over HTTP as a new job, with Kafka and without."""

import uuid

import pytest
from sse import assert_whole
from world import web

pytestmark = pytest.mark.every_store

QUICK = "sim-5ms-5tok-1gap"
FAILING = "sim-400"
LARGE = "x" * (300 * 1024)


def redrive(world, **body):
    return web.post(f"{world.url}/v1/dead-letters/redrive", json=body)


def failed(world, **fields):
    job = world.submit(FAILING, **fields)
    assert world.wait_end(job)["status"] == "failed"
    return job


@pytest.mark.parametrize("asked", ["why?", LARGE], ids=["small", "large"])
def test_its_work_is_done_by_a_new_job_that_names_it(town, asked):
    old = failed(town, input=asked, session=f"of {len(asked)}", metadata={"mine": 1})
    before = town.read(old)
    answer = redrive(town, id=old)
    assert answer.status_code == 200, answer.text
    [sent] = answer.json()["data"]
    assert sent["from"] == old and answer.json()["sent"] == 1
    assert web.get(f"{town.url}/v1/jobs/{sent['id']}").status_code == 200, "it is found at once"
    told = town.read(sent["id"])
    assert_whole(told)
    assert [event.type for event in told] == ["queued", "started", "error"]
    again = town.wait_end(sent["id"])
    assert again["metadata"] == {"mine": 1, "redriven_from": old}
    assert (again["session"], again["model"]) == (f"of {len(asked)}", FAILING)
    assert again["error"] == town.job(old)["error"]
    assert town.read(old) == before, "what has ended stays as it ended"


def test_each_time_it_is_another_job_and_one_of_those_can_be_run_again_too(town):
    old = failed(town)
    first, second = (redrive(town, id=old).json()["data"][0]["id"] for _ in range(2))
    assert len({old, first, second}) == 3
    town.wait_ends([first, second])
    third = redrive(town, id=first).json()["data"][0]["id"]
    assert town.wait_end(third)["metadata"] == {"redriven_from": first}


def test_what_did_not_fail_is_not_run_again(town):
    done = town.submit(QUICK)
    town.wait_end(done)
    for job in (done, str(uuid.uuid4())):
        refused = redrive(town, id=job)
        assert refused.status_code == 404
        assert refused.json()["code"] == "job_not_found"


def test_what_was_erased_is_not_run_again(town):
    answer = web.post(f"{town.url}/v1/responses", json={"model": FAILING, "input": "why?",
                                                        "background": True}).json()
    job = answer["id"].removeprefix("resp_")
    assert town.wait_end(job)["status"] == "failed"
    assert web.delete(f"{town.url}/v1/responses/{answer['id']}").status_code == 200
    refused = redrive(town, id=job)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_redrivable")
    assert refused.headers["x-should-retry"] == "false"


@pytest.mark.servers("what to do where no edge can search the letters")
def test_where_the_letters_are_in_kafka_what_can_be_asked_instead_is_told(town):
    old = failed(town)
    refused = web.get(f"{town.url}/v1/dead-letters")
    assert (refused.status_code, refused.json()["code"]) == (400, "not_supported")
    assert "GET /v1/jobs?status=failed" in refused.json()["detail"]
    listed = web.get(f"{town.url}/v1/jobs?status=failed").json()["data"]
    assert old in [job["id"] for job in listed]
    assert "`millrace jobs redrive`" in redrive(town).json()["detail"]
