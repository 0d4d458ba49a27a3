"""One process on a folder, with nothing beside it: how it starts, who may have the folder, and what
outlives its end."""

import signal

import httpx
import pytest
from sse import assert_whole, told_text
from world import web

pytestmark = pytest.mark.embedded("one process")

QUICK = "sim-5ms-5tok-1gap"


@pytest.fixture
def alone(empty_world):
    """Nothing is configured but the folder: no model, no secret."""
    del empty_world.settings["MILLRACE_SECRET"]
    empty_world.start_serve()
    return empty_world


def test_it_serves_with_nothing_beside_it_and_says_that_its_model_is_a_simulator(alone):
    assert "no model is configured: a simulator answers" in alone.serve.said()
    named = alone.wait_end(alone.submit(QUICK))
    assert named["result"]["model"] == f"simulator/{QUICK}"
    unnamed = alone.post({"input": "hello"}, {"Prefer": "wait=10"}).json()
    assert unnamed["result"]["model"] == "simulator/default"
    assert "LLM_SERVER_URL" in unnamed["result"]["text"]


def test_the_line_it_prints_works(alone):
    line = next(line for line in alone.serve.said().splitlines() if line.startswith("try: curl"))
    assert line.endswith(f"{alone.url}/v1/jobs")


def test_a_second_one_on_the_folder_refuses_and_names_the_first(alone):
    refused = alone.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert f"pid {alone.serve.pid}" in refused.stderr
    assert "--data" in refused.stderr
    assert alone.wait_end(alone.submit(QUICK))["status"] == "succeeded"
    alone.serve.kill()
    alone.serve.start_listening()
    assert alone.wait_end(alone.submit(QUICK))["status"] == "succeeded"


def test_a_second_one_on_the_port_refuses_though_the_loops_of_one_share_it(alone):
    port = str(httpx.URL(alone.url).port)
    refused = alone.run("serve", "--port", port, "--data", alone.folder / "other")
    assert refused.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr
    assert alone.wait_end(alone.submit(QUICK))["status"] == "succeeded"


def test_a_stream_link_outlives_a_restart_and_its_secret_is_not_logged(alone):
    receipt = alone.post({"input": "x", "model": QUICK}).json()
    link = receipt["links"]["events"]
    assert "signature=" in link
    alone.wait_end(receipt["id"])
    told = web.get(alone.url + link).text
    assert "event: done\n" in told
    for end in (alone.serve.kill, alone.serve.stop):
        end()
        alone.serve.start_listening()
        again = web.get(alone.url + link)
        assert (again.status_code, again.text) == (200, told)
    secret = alone.folder / "data" / "secret"
    assert secret.read_text() not in alone.serve.log.read_text()


def test_prompts_answers_and_the_secret_are_the_owners_to_read(alone):
    alone.wait_end(alone.submit(QUICK))
    kept = list((alone.folder / "data").rglob("*"))
    assert {"millrace.db", "secret"} <= {path.name for path in kept}
    assert not [path for path in kept if path.stat().st_mode & 0o077]


def test_what_has_ended_is_told_the_same_after_a_restart(world):
    ids = [world.submit(QUICK) for _ in range(5)]
    jobs = world.wait_ends(ids)
    told = [world.read(job_id) for job_id in ids]
    world.serve.stop()
    world.serve.start_listening()
    for job_id, job, events in zip(ids, jobs, told):
        assert world.read(job_id) == events
        assert world.job(job_id)["result"] == job["result"]
    assert world.simulated()["requests"] == 5


def test_told_to_stop_it_ends_what_it_can_and_takes_nothing_more(world):
    ids = [world.submit("sim-20ms-50tok-20gap") for _ in range(5)]
    readers = [world.follow(job_id) for job_id in ids]
    for reader in readers:
        reader.wait_for(3, "delta")
    world.serve.signal(signal.SIGTERM)
    world.wait_until(lambda: not takes_jobs(world), 5, "it still takes jobs")
    assert world.serve.child.wait(15) == 0
    world.serve.start_listening()
    for job_id, reader in zip(ids, readers):
        told = reader.finish(15)
        assert_whole(told)
        assert sum(event.type == "started" for event in told) == 1
        assert world.job(job_id)["result"]["text"] == told_text(told)
    asked = world.simulated()["jobs"]
    assert [asked[job_id]["requests"] for job_id in ids] == [1] * 5


def test_what_it_cannot_end_before_it_must_stop_goes_on_after_the_next_start(empty_world):
    world = empty_world.inhabit(MILLRACE_DRAIN_GRACE="1s", LLM_CONTINUE="prefill")
    job_id = world.submit("sim-20ms-300tok-20gap", max_tokens=300, session="s")
    behind = world.submit(QUICK, session="s")
    reader = world.follow(job_id)
    reader.wait_for(20, "delta")
    world.serve.signal(signal.SIGTERM)
    assert world.serve.child.wait(10) == 0
    world.serve.start_listening()
    told = reader.finish(30)
    assert_whole(told)
    assert not any(event.type == "rewind" for event in told)
    assert sum(event.type == "started" for event in told) == 2
    assert world.wait_end(job_id)["result"]["text"] == told_text(told)
    assert world.wait_end(behind)["status"] == "succeeded"
    assert world.simulated()["tokens_sent"] <= 5 + 300 * 1.1


def takes_jobs(world):
    try:
        return world.post({"input": "too late", "model": "sim-5ms-1tok-1gap-400"},
                          seconds=2).status_code == 202
    except httpx.HTTPError:
        return False
