"""P9: a reader that does not read costs a bounded buffer, and can come back to its place."""

import socket
import time

import psutil
from sse import assert_whole, read

CHATTY = "sim-5ms-30000tok-0gap"


def connect_without_reading(url):
    host, _, rest = url.removeprefix("http://").partition(":")
    port, _, path = rest.partition("/")
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((host, int(port)))
    reader.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n"
                   .encode())
    return reader


def test_readers_that_never_read_cost_a_bounded_buffer(world, long):
    edge = psutil.Process(world.edges[0].pid)
    job_id = world.submit(CHATTY, max_tokens=30_000)
    sleepers = [connect_without_reading(world.events_url(job_id))
                for _ in range(200 if long else 30)]
    time.sleep(0.5)
    before = edge.memory_info().rss
    awake = world.follow(job_id)
    told = awake.finish(100)
    assert_whole(told)
    held = edge.memory_info().rss - before
    assert held < (len(sleepers) + 10) * 2**20 + 64 * 2**20, f"{held / 2**20:.0f} MiB"
    for sleeper in sleepers:
        sleeper.close()
    assert world.wait_end(job_id)["status"] == "succeeded"


def test_a_slow_reader_comes_back_to_its_place(world):
    job_id = world.submit(CHATTY, max_tokens=30_000)
    sleeper = connect_without_reading(world.events_url(job_id))
    world.wait_end(job_id, 100)
    sleeper.settimeout(1)
    got = b""
    try:
        while data := sleeper.recv(65536):
            got += data
    except OSError:
        pass
    ids = [int(line[4:]) for line in got.split(b"\n") if line.startswith(b"id: ") and line[4:].isdigit()]
    whole = world.read(job_id)
    last = ids[-2] if len(ids) > 1 else 0  # the last line may be half an id
    assert read(world.events_url(job_id), last or None) == whole[last:]


def test_a_silent_job_sends_heartbeats(world):
    """A comment every 15 s of silence keeps proxies from cutting the line."""
    job_id = world.submit("sim-20000ms-1tok-1gap")
    reader = connect_without_reading(world.events_url(job_id))
    reader.settimeout(25)
    got, began = b"", time.monotonic()
    while b"\n:" not in got and time.monotonic() - began < 25:
        got += reader.recv(4096)
    assert b"\n:" in got
    assert time.monotonic() - began < 19
    world.cancel(job_id)
