"""P2: wherever a reader was cut off, it comes back and holds the same bytes as one that was not."""

import random

import pytest
from cutting_proxy import CuttingProxy
from sse import NodeReader, Reader, assert_whole, events, read
from world import web

pytestmark = pytest.mark.every_store

LIVE = "sim-20ms-40tok-25gap"


def test_a_replay_may_begin_after_any_event(town):
    job_id = town.submit("sim-5ms-20tok-1gap")
    town.wait_end(job_id)
    whole = town.read(job_id)
    assert_whole(whole)
    for index, event in enumerate(whole[:-1]):
        assert town.read(job_id, event.id) == whole[index + 1:]
        after = read(f"{town.events_url(job_id)}?after={event.id}")
        assert after == whole[index + 1:]


def test_only_who_has_seen_the_end_gets_204(town):
    job_id = town.submit("sim-5ms-5tok-1gap")
    town.wait_end(job_id)
    last = town.read(job_id)[-1].id
    url = town.events_url(job_id)
    for headers, query in (({"Last-Event-ID": last}, ""), ({}, f"?after={last}")):
        answer = web.get(url + query, headers=headers | {"Accept": "text/event-stream"},
                           timeout=10)
        assert answer.status_code == 204 and not answer.content
    before = str(int(last) - 1)
    answer = web.get(url, headers={"Last-Event-ID": before, "Accept": "text/event-stream"},
                       timeout=10)
    assert answer.status_code == 200 and answer.text.count("event: ") == 1


def test_a_live_reader_may_leave_after_every_event(town):
    job_id = town.submit(LIVE)
    url = town.events_url(job_id)
    told = []
    while not told or told[-1].type != "done":
        for event in events(url, told[-1].id if told else None):
            told.append(event)
            break
    assert_whole(told)
    assert told == town.read(job_id)


def test_a_live_reader_may_be_cut_at_any_byte(town, long):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    job_id = town.submit(LIVE)
    cuts = [draw.randrange(150, 1500) for _ in range(200 if long else 40)]
    with CuttingProxy(town.url, cuts) as proxy:
        told = Reader(f"{proxy.url}/v1/jobs/{job_id}/events").finish()
        assert proxy.connections > 5
    assert_whole(told)
    assert told == town.read(job_id)


def test_a_replay_may_be_cut_at_every_byte_of_its_first_events(town, long):
    job_id = town.submit("sim-5ms-5tok-1gap")
    town.wait_end(job_id)
    whole = town.read(job_id)
    for cut in range(200, 1200, 3 if long else 41):
        with CuttingProxy(town.url, [cut]) as proxy:
            assert Reader(f"{proxy.url}/v1/jobs/{job_id}/events").finish() == whole


def test_nodes_eventsource_comes_back_by_itself(town):
    """It waits the second that `retry:` names before each return, so the cuts are few."""
    job_id = town.submit("sim-20ms-60tok-50gap")
    with CuttingProxy(town.url, [700, 1100, 1733]) as proxy:
        told = NodeReader(f"{proxy.url}/v1/jobs/{job_id}/events").finish()
        assert proxy.connections >= 4
    assert_whole(told)
    assert told == town.read(job_id)


def test_many_jobs_may_share_one_connection_and_resume_it(town):
    ids = [town.submit("sim-20ms-20tok-20gap") for _ in range(3)]
    url = f"{town.url}/v1/events?jobs={','.join(ids)}"
    told = []
    while True:  # leaves after every fifth event
        batch = []
        for event in events(url, told[-1].id if told else None):
            batch.append(event)
            if len(batch) == 5:
                break
        told += batch
        if sum(event.type == "done" for event in told) == 3 or not batch:
            break
    for job_id in ids:
        mine = [(event.type, event.data) for event in told if event.json["job"] == job_id]
        assert mine == [(event.type, event.data) for event in town.read(job_id)]


def test_a_session_streams_its_jobs_on_one_connection(town):
    ids = [town.submit("sim-50ms-10tok-20gap", session="streamed") for _ in range(2)]
    told = []
    for event in events(f"{town.url}/v1/sessions/streamed/events"):
        told.append(event)
        if sum(event.type == "done" for event in told) == 2:
            break
    for job_id in ids:
        mine = [event.data for event in told if event.json["job"] == job_id]
        assert mine == [event.data for event in town.read(job_id)]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fifty_live_readers_are_cut_at_random_all_the_time(town):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    ids = [town.submit("sim-20ms-400tok-25gap") for _ in range(50)]
    cuts = [draw.randrange(150, 20_000) for _ in range(2000)]
    with CuttingProxy(town.url, cuts) as proxy:
        readers = [Reader(f"{proxy.url}/v1/jobs/{job_id}/events") for job_id in ids]
        told = [reader.finish(300) for reader in readers]
    for job_id, mine in zip(ids, told):
        assert_whole(mine)
        assert mine == town.read(job_id)
