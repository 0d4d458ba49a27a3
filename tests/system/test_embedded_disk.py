"""The disk of the one process is full, or fails: P1, P2, P4, P8."""

import pytest
from load import Clients, assert_data_whole, assert_paid_once, assert_promises_kept
from small_disk import SmallDisk
from sse import assert_whole
from strace import Attached
from world import web

pytestmark = pytest.mark.embedded("breaks the disk under the one process")

MODEL = "sim-20ms-30tok-10gap"


@pytest.fixture
def disk(empty_world):
    with SmallDisk(empty_world.folder / "data", megabytes=256) as disk:
        yield disk


@pytest.mark.timeout(900)
def test_a_full_disk_refuses_new_jobs_and_goes_on_by_itself_once_there_is_room(
        empty_world, disk, long):
    world = empty_world.inhabit(LLM_CONTINUE="prefill")
    running = [world.submit("sim-20ms-100tok-50gap", session=f"s{i}") for i in range(3)]
    readers = [world.follow(job_id) for job_id in running]
    with Clients(world, MODEL, every=0.3) as clients:
        for _ in range(20 if long else 2):
            clients.wait_for(5)
            disk.fill()
            wait_refusals(world, clients, 200 if long else 40)
            assert_says_that_the_disk_is_full(ask(world, None))
            assert_says_it_is_not_ready(world)
            disk.make_room()
            wait_ready_again(world)
            # Before the disk is full again: those who wait for long are given the Store's result.
            world.wait_ends(list(clients.ids))
            for reader in list(clients.readers.values()):
                reader.finish()
        clients.wait_for(5)
    for refusal in clients.refusals:
        assert_says_what_to_do(refusal)
    full = [refusal for refusal in clients.refusals if refusal.status_code == 507]
    assert len(full) > len(clients.refusals) / 2, "the full disk is seldom named"
    clients.ids += running
    clients.readers |= dict(zip(running, readers))
    assert_promises_kept(world, clients)
    assert_paid_once(world, clients.ids)
    assert world.serve.alive()
    world.serve.stop()
    assert_data_whole(disk.folder)


@pytest.mark.timeout(120)
def test_a_start_on_a_full_disk_says_what_to_do_and_one_with_room_goes_on(empty_world, disk):
    world = empty_world.inhabit(LLM_CONTINUE="prefill")
    ids = [world.submit("sim-20ms-60tok-20gap", session="s") for _ in range(3)]
    readers = [world.follow(job_id) for job_id in ids]
    readers[0].wait_for(5, "delta")
    disk.fill()
    world.serve.kill()
    refused = world.run("serve", "--port", "0")
    assert refused.returncode == 2
    assert "make room on its disk" in refused.stderr
    disk.make_room()
    world.serve.start_listening()
    for job, reader in zip(world.wait_ends(ids), readers):
        assert job["status"] == "succeeded"
        assert_whole(reader.finish(10))
    world.serve.stop()
    assert_data_whole(disk.folder)


def wait_refusals(world, clients, count):
    wanted = len(clients.refusals) + count
    world.wait_until(lambda: len(clients.refusals) >= wanted, 60, "too little is refused")


def assert_says_it_is_not_ready(world):
    answer = web.get(f"{world.url}/readyz")
    assert answer.status_code == 503
    assert "unavailable" in answer.json().values()


def wait_ready_again(world):
    world.wait_until(lambda: web.get(f"{world.url}/readyz").status_code == 200, 10, "not ready")


def assert_says_what_to_do(refusal):
    assert refusal.status_code in (503, 507), f"{refusal.status_code} {refusal.text}"
    assert refusal.headers["Content-Type"].startswith("application/problem+json")
    assert int(refusal.headers["Retry-After"]) >= 1
    assert "Try again" in refusal.json()["detail"] or "Look at it" in refusal.json()["detail"]


def assert_says_that_the_disk_is_full(refusal):
    assert refusal.status_code == 507, f"{refusal.status_code} {refusal.text}"
    assert refusal.json()["code"] == "storage_full"
    assert "make" in refusal.json()["detail"] and "room" in refusal.json()["detail"]


@pytest.mark.timeout(120)
def test_while_no_sync_succeeds_nothing_is_promised(empty_world):
    world = empty_world.inhabit()
    before = world.submit(MODEL)
    keys = [f"k{i}" for i in range(5)]
    with Attached(world, world.serve.pid, ("fdatasync", "fsync"), "error=EIO") as failing:
        for key in [None] * 5 + keys:
            refused = ask(world, key)
            assert refused.status_code == 503, f"{refused.status_code} {refused.text}"
            assert_says_what_to_do(refused)
        assert_says_it_is_not_ready(world)
        assert failing.injected() >= 10
    wait_ready_again(world)
    promised = [ask(world, key) for key in keys]
    assert [answer.status_code for answer in promised] == [202] * 5
    world.serve.kill()
    world.serve.start_listening()
    ids = [before, *(answer.json()["id"] for answer in promised)]
    assert {job["status"] for job in world.wait_ends(ids)} == {"succeeded"}
    for job_id in ids:
        assert_whole(world.read(job_id))
    world.serve.stop()
    assert_data_whole(world.folder / "data")


# Every so many calls: more than a commit takes, or none would ever stand.
FAILURES = [(("fdatasync", "fsync"), "EIO", 7), (("pwrite64",), "EIO", 41),
            (("pwrite64",), "ENOSPC", 31), (("pwritev",), "EIO", 5)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("calls, error, every", FAILURES)
def test_calls_that_fail_now_and_then_cost_nothing_that_was_promised(
        empty_world, calls, error, every, long):
    world = empty_world.inhabit(LLM_CONTINUE="prefill")
    with Clients(world, MODEL, every=0.1) as clients:
        for first in range(1, 30 if long else 3):
            inject = f"error={error}:when={first}+{every}"
            with Attached(world, world.serve.pid, calls, inject) as failing:
                clients.wait_for(5)
                world.wait_until(lambda: failing.injected() > 0, 10, "nothing failed")
            wait_ready_again(world)
        world.serve.kill()
        world.serve.start_listening()
        clients.wait_for(3)
    assert_promises_kept(world, clients)
    if "pwritev" not in calls:  # what was not written when it was killed is asked for again
        assert_paid_once(world, clients.ids)
    world.serve.stop()
    assert_data_whole(world.folder / "data")


def ask(world, key):
    headers = {"Idempotency-Key": key} if key else {}
    return world.post({"input": f"Tell me of {key}.", "model": MODEL}, headers)
