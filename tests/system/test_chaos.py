"""P1 under everything at once: whatever was answered 202 ends exactly once."""

import random
import threading
import time

import httpx
import pytest
from sse import assert_whole


@pytest.mark.timeout(1500)
def test_every_accepted_job_ends_once_whatever_dies(world, long):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    world.grow()
    ids, stop = [], threading.Event()

    def submit(edge):
        while not stop.is_set():
            try:
                answer = world.post({"input": "x", "model": "sim-20ms-30tok-10gap"}, edge=edge,
                                    seconds=30)
                if answer.status_code == 202:
                    ids.append(answer.json()["id"])
            except httpx.HTTPError:
                pass  # the edge was killed under the request
            time.sleep(0.1)

    clients = [threading.Thread(target=submit, args=(edge,)) for edge in world.edges]
    for client in clients:
        client.start()
    for _ in range(60 if long else 6):
        time.sleep(draw.uniform(0.3, 2))
        hurt(world, draw)
    stop.set()
    for client in clients:
        client.join()
    print(f"{len(ids)} jobs accepted")
    for job in world.wait_ends(ids, 300 if long else 90):
        assert job["status"] in ("succeeded", "failed"), job
    for job_id in ids:
        # A job accepted while Redis was away has no log to begin with.
        assert_whole(world.read(job_id), gaps=world.gaps)


def hurt(world, draw):
    """Kills or freezes one of them and brings it back."""
    victim = draw.choice(world.victims())
    deadly = draw.random() < 0.6
    print(f"{time.strftime('%H:%M:%S')} {'kill' if deadly else 'freeze'} {victim.name}")
    if not deadly:
        victim.freeze()
        time.sleep(draw.uniform(0.5, 3))
        victim.thaw()
        return
    victim.kill()
    time.sleep(draw.uniform(0, 1))
    world.revive(victim)
