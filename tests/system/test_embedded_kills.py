"""The one process is killed and its folder torn: P1, P2, P4."""

import random
import shutil
import time

import pytest
from load import Clients, assert_data_whole, assert_paid_once, assert_promises_kept, stored_ids
from sse import assert_whole, told_text

pytestmark = pytest.mark.embedded("kills the one process")

MODEL = "sim-20ms-30tok-10gap"


@pytest.fixture
def draw():
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.mark.timeout(900)
def test_kill_9_at_random_moments_under_load_loses_and_repeats_nothing(empty_world, draw, long):
    world = empty_world.inhabit(LLM_CONTINUE="prefill")
    with Clients(world, MODEL, every=0.1, seed=draw.random()) as clients:
        for _ in range(100 if long else 6):
            time.sleep(draw.uniform(0.05, 1.2))
            world.serve.kill()
            world.serve.start_listening()
        clients.wait_for(5)
    assert_promises_kept(world, clients)
    assert_paid_once(world, clients.ids)
    asked = world.simulated()["requests"]
    world.serve.kill()
    world.serve.start_listening()
    world.wait_end(world.submit("sim-5ms-1tok-1gap"))
    assert world.simulated()["requests"] == asked + 1, "what has ended was asked again"
    world.serve.stop()
    assert_data_whole(world.folder / "data")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", ["cut", "torn", "garbage"])
def test_a_torn_end_of_the_wal_takes_nothing_that_lies_before_it(empty_world, draw, how, long):
    """What a disk that lied about its syncs may leave."""
    world = empty_world.inhabit(LLM_CONTINUE="prefill")
    data = world.folder / "data"
    ids = []
    for round in range(20 if long else 2):
        with Clients(world, MODEL, seed=draw.random()) as clients:
            clients.wait_for(15)
            world.serve.kill()
            tear(data / "millrace.db-wal", how, draw)
            shutil.copytree(data, world.folder / f"copy{round}")
            known = stored_ids(world.folder / f"copy{round}")
            promised = list(clients.ids)
            world.serve.start_listening()
            clients.wait_for(5)
        assert not clients.failures, clients.failures[:3]
        before = [job_id for job_id in promised if job_id in known]
        print(f"{len(before)} of {len(promised)} lie before the tear")
        ids += before
        for job in world.wait_ends(before, 60):
            assert job["status"] == "succeeded", job
            told = world.read(job["id"])
            assert_whole(told)
            assert told_text(told) == job["result"]["text"]
    world.serve.stop()
    assert_data_whole(data)


def tear(wal, how, draw):
    """Takes or breaks up to a third of the file's end."""
    size = wal.stat().st_size
    at = size - draw.randrange(1, size // 3)
    with open(wal, "r+b") as file:
        if how == "cut":
            file.truncate(at)
            return
        file.seek(at)
        file.write(draw.randbytes(min(size - at, 200 if how == "torn" else size)))
