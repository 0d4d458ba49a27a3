"""P5: jobs of one session run in order, one at a time; nobody else waits for them."""

import time

from sse import assert_whole


def times(world, job_id):
    told = world.read(job_id)
    assert_whole(told)
    by_type = {event.type: event.json["ts"] for event in told}
    return by_type["started"], by_type["done"]


def test_a_session_runs_in_order_and_one_at_a_time(town):
    ids = [town.submit("sim-20ms-20tok-5gap", session="ordered") for _ in range(6)]
    town.wait_ends(ids)
    spans = [times(town, job_id) for job_id in ids]
    for (_, ended), (started, _) in zip(spans, spans[1:]):
        assert ended <= started


def test_a_retry_holds_back_its_own_session_alone(town):
    first = town.submit("sim-5ms-5tok-1gap-429x2", session="held")
    second = town.submit("sim-5ms-5tok-1gap", session="held")
    others = [town.submit("sim-5ms-5tok-1gap", session=f"free{n}") for n in range(20)]
    town.wait_ends(others + [first, second])
    assert times(town, first)[1] <= times(town, second)[0]


def test_a_long_job_holds_nobody_back(town, long):
    """More jobs than there are partitions, so some share the long one's."""
    slow = town.submit(f"sim-20ms-{100 if long else 10}tok-900gap", session="slow")
    town.follow(slow).wait_for(1, "delta")
    behind = town.submit("sim-5ms-5tok-1gap", session="slow")
    ids = [town.submit("sim-5ms-5tok-1gap", session=f"s{n}") for n in range(5000 if long else 60)]
    began = time.monotonic()
    town.wait_ends(ids)
    assert time.monotonic() - began < (60 if long else 6)
    assert town.job(slow)["status"] == "running"
    assert town.job(behind)["status"] == "queued"
    town.wait_ends([slow, behind], 120)
    assert times(town, slow)[1] <= times(town, behind)[0]
