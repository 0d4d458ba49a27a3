"""How full the queue is, as an edge tells it."""

from world import web


def lag(world):
    answer = web.get(f"{world.url}/v1/queue")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"waiting", "finished_per_s"}
    return answer.json()


def test_jobs_that_nobody_has_finished_are_counted_until_they_end(town):
    town.wait_until(lambda: lag(town)["waiting"] == 0, what="the empty queue was not told")
    jobs = [town.submit("sim-20000ms-1tok-1gap") for _ in range(3)]
    town.wait_until(lambda: lag(town)["waiting"] == 3, what="three jobs were not told")
    for job in jobs:
        town.cancel(job)
    town.wait_until(lambda: lag(town)["waiting"] == 0, what="their end was not told")


def test_a_parameter_is_refused_by_name(town):
    answer = web.get(f"{town.url}/v1/queue?x=1")
    assert answer.status_code == 400 and answer.json()["field"] == "x"
