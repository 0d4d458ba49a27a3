"""Webhooks: a job's end is told to whoever asked, signed, until it is taken."""

import json
import secrets
import threading

import pytest
from process import free_port
from webhook_receiver import Receiver
from world import web

pytestmark = pytest.mark.every_store

QUICK = "sim-5ms-5tok-1gap"
SLOW = "sim-10ms-40tok-100gap"


@pytest.fixture
def world(empty_world):
    empty_world.settings |= {"WEBHOOK_ALLOW": "127.0.0.0/8", "WEBHOOK_TIMEOUT": "2s"}
    return empty_world.inhabit()


def delivery_of(world, job_id):
    found = web.get(f"{world.url}/v1/webhooks/deliveries", params={"job": job_id})
    assert found.status_code == 200, found.text
    data = found.json()["data"]
    return data[0] if data else None


def history(world, delivery):
    return web.get(f"{world.url}/v1/webhooks/deliveries/{delivery['id']}").json()


def wait_for(world, job_id, holds, seconds=30):
    world.wait_until(lambda: (lambda one: one and holds(one))(delivery_of(world, job_id)), seconds,
                     f"the delivery of {job_id} stands as {delivery_of(world, job_id)}")
    return delivery_of(world, job_id)


def delivered(world, job_id, seconds=30):
    return wait_for(world, job_id, lambda one: one["state"] == "delivered", seconds)


def secret(world):
    return web.get(f"{world.url}/v1/webhooks/secret").json()["secret"]


def test_the_end_of_a_job_is_told_once_signed_as_it_is_shown(world):
    with Receiver() as receiver:
        job_id = world.submit(QUICK, input="왜 하늘은 파란가요? 🎉", webhook=receiver.url,
                              metadata={"주문": "1 \"번\""})
        one = delivered(world, job_id)
        (got,) = receiver.got
    assert got.path == "/hook" and got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == one["id"]
    assert got.signed_by(secret(world))
    assert not got.signed_by("whsec_" + "A" * 32)
    told = json.loads(got.body)
    shown = world.job(job_id)
    assert told["type"] == "job.succeeded" and told["timestamp"] == shown["ended_at"]
    assert set(told["data"]) == set(shown)
    for name in set(shown) - {"links"}:
        assert told["data"][name] == shown[name], name
    assert '"주문":"1 \\"번\\""'.encode() in got.body
    assert told["data"]["links"]["self"] == f"/v1/jobs/{job_id}"
    assert "signature" not in got.body.decode()
    assert one["attempts"] == 1 and one["last_status"] == 200 and one["last_error"] is None
    assert web.get(f"{world.url}/metrics").status_code == 200


def test_every_end_is_told_and_only_those_that_were_asked_for(world):
    with Receiver() as receiver:
        cancelled = world.submit("sim-10ms-1000tok-100gap", webhook=receiver.url)
        expired = world.submit("sim-10ms-1000tok-100gap", webhook=receiver.url, deadline_s=1)
        failed = world.submit("sim-400",
                              webhook={"url": receiver.url, "events": ["job.failed"]})
        quiet = world.submit(QUICK, webhook={"url": receiver.url, "events": ["job.failed"]})
        world.wait_until(lambda: world.job(cancelled)["status"] == "running", 20, "it does not run")
        assert world.cancel(cancelled).status_code == 200
        assert world.wait_end(quiet)["status"] == "succeeded"
        for job_id in (cancelled, expired, failed):
            delivered(world, job_id)
        told = {json.loads(got.body)["data"]["id"]: json.loads(got.body)["type"]
                for got in receiver.got}
    assert told == {cancelled: "job.cancelled", expired: "job.expired", failed: "job.failed"}
    assert delivery_of(world, quiet) is None


def test_a_receiver_that_fails_is_asked_again_with_the_same_message(world):
    port = free_port()
    job_id = world.submit(QUICK, webhook=f"http://127.0.0.1:{port}/hook")
    one = wait_for(world, job_id, lambda one: one["attempts"] == 1 and one["last_error"])
    assert one["state"] == "pending" and one["last_status"] is None and one["next_attempt_at"]
    elsewhere = {"Location": f"http://127.0.0.1:{port}/elsewhere"}
    with Receiver(500, (302, elsewhere), port=port) as receiver:
        # By itself: the pause after the first try is some five seconds.
        wait_for(world, job_id, lambda one: one["last_status"] == 500)
        for status in (302, 200):
            again = web.post(f"{world.url}/v1/webhooks/deliveries/{one['id']}/redeliver")
            assert again.status_code == 202 and again.json()["state"] == "pending"
            wait_for(world, job_id, lambda one, status=status: one["last_status"] == status)
        assert [got.path for got in receiver.got] == ["/hook"] * 3
        assert receiver.ids() == [one["id"]] * 3
        assert len({got.body for got in receiver.got}) == 1
        assert all(got.signed_by(secret(world)) for got in receiver.got)
    tried = history(world, delivered(world, job_id))["history"]
    assert [each["status"] for each in tried] == [200, 302, 500, None]
    assert "redirects" in tried[1]["error"] and tried[0]["error"] is None
    assert all(each["duration_ms"] >= 0 and each["at"] for each in tried)


def test_what_was_in_a_killed_workers_hand_is_sent_again(world):
    held = threading.Event()
    with Receiver(held) as receiver:
        job_id = world.submit(QUICK, webhook=receiver.url)
        world.wait_until(lambda: receiver.got, 20, "nothing was sent")
        world.kill_worker()
        one = delivered(world, job_id, 40)
        held.set()
        assert set(receiver.ids()) == {one["id"]} and len(receiver.got) >= 2


def test_a_job_whose_worker_is_killed_is_told_by_whoever_ends_it(world):
    with Receiver() as receiver:
        jobs = [world.submit(SLOW, webhook=receiver.url) for _ in range(4)]
        world.wait_until(lambda: any(world.job(job)["status"] == "running" for job in jobs), 20,
                         "none runs")
        world.kill_worker()
        for job_id in jobs:
            delivered(world, job_id, 60)
        assert {json.loads(got.body)["data"]["id"] for got in receiver.got} == set(jobs)


def test_an_address_that_is_not_public_is_refused_when_asked_for_and_when_connected_to(world):
    for url in ("http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://0xa.1/"):
        answer = world.post({"input": "x", "webhook": url})
        assert answer.status_code == 400, url
        assert answer.json()["field"] == "/webhook" and "WEBHOOK_ALLOW" in answer.json()["detail"]
    lines = '{"input":"x","webhook":{"url":"http://192.168.0.1/"}}\n{"input":"x"}\n'
    answered = web.post(f"{world.url}/v1/jobs", content=lines,
                        headers={"Content-Type": "application/x-ndjson"}).text.splitlines()
    assert json.loads(answered[0])["error"]["field"] == "/webhook/url"
    assert json.loads(answered[1])["status"] == "queued"
    with Receiver() as receiver:
        job_id = world.submit(SLOW, webhook=receiver.url)
        world.replace_worker(WEBHOOK_ALLOW="10.0.0.0/8")
        one = wait_for(world, job_id, lambda one: one["state"] == "failed")
        assert "not public" in one["last_error"] and not receiver.got


def test_a_new_secret_signs_beside_the_old_one(world):
    old = secret(world)
    rotated = web.post(f"{world.url}/v1/webhooks/secret/rotate").json()
    assert rotated["previous"] == old and rotated["secret"] != old
    with Receiver() as receiver:
        delivered(world, world.submit(QUICK, webhook=receiver.url))
        (got,) = receiver.got
        assert got.signed_by(old) and got.signed_by(rotated["secret"])


def test_the_command_line_shows_what_became_of_webhooks(world):
    assert world.run("webhooks", "secret", "--url", world.url).stdout.strip() == secret(world)
    with Receiver(410) as receiver:
        job_id = world.submit(QUICK, webhook=receiver.url)
        one = wait_for(world, job_id, lambda one: one["state"] == "failed")
        shown = world.run("webhooks", "list", "--state", "failed", "--url", world.url).stdout
        assert one["id"] in shown and "410" in shown
        again = world.run("webhooks", "redeliver", one["id"], "--url", world.url)
        assert again.returncode == 0 and "pending" in again.stdout
        delivered(world, job_id)
    unknown = f"msg_{'0' * 32}"
    refused = world.run("webhooks", "redeliver", unknown, "--url", world.url)
    assert refused.returncode == 4 and unknown in refused.stderr, refused.stderr
    assert world.run("webhooks", "list", "--job", job_id, "--json", "--url",
                     world.url).stdout.count('"state":"delivered"') == 1


def test_deliveries_are_listed_page_by_page_and_unknown_ones_told(world):
    with Receiver() as receiver:
        jobs = [world.submit(QUICK, webhook=receiver.url) for _ in range(3)]
        for job_id in jobs:
            delivered(world, job_id)
    url = f"{world.url}/v1/webhooks/deliveries"
    first = web.get(url, params={"limit": 2, "state": "delivered"}).json()
    assert first["has_more"] and len(first["data"]) == 2
    rest = web.get(url, params={"limit": 2, "after": first["next"]}).json()
    assert not rest["has_more"] and rest["next"] is None
    assert {one["job"] for one in first["data"] + rest["data"]} == set(jobs)
    assert web.get(url, params={"state": "failed"}).json()["data"] == []
    unknown = f"msg_{secrets.token_hex(16)}"
    for answer in (web.get(f"{url}/{unknown}"), web.post(f"{url}/{unknown}/redeliver")):
        assert answer.status_code == 404 and answer.json()["code"] == "delivery_not_found"
        assert answer.headers["content-type"] == "application/problem+json"
    for query in ({"limit": 0}, {"state": "lost"}, {"job": "x"}, {"after": unknown}, {"of": "x"}):
        answer = web.get(url, params=query)
        assert answer.status_code == 400 and answer.json()["field"] == next(iter(query)), query
    assert web.get(f"{url}/{jobs[0]}").status_code == 400
