"""One process and a folder: accepting durably, pickup, start and memory."""

import json
import os
import statistics
import time
from datetime import UTC, datetime, timedelta

from world import (BIN, MILLRACE, OUT, ROOT, Process, answers, cpu_seconds, free_port, http,
                   resident_mb, run_tool, servers, settle, wait_port)

SECONDS = 8
CONNECTIONS = 64
PICKUPS = 300


def serve(world, *flags):
    """A `millrace serve` on a fresh folder, ready, and how long its first 202 took."""
    world.fresh_name()
    folder = world.fresh_folder("serve")
    port = free_port()
    process = Process("millrace-serve", folder)
    process.url = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    process.spawn([MILLRACE, "serve", "--port", port, "--data", folder / "data", "--log-level",
                   "warn", "--llm-server-url", world.model_url, *flags])
    while not answers(process.url + "/readyz"):
        time.sleep(0.002)
    http(process.url + "/v1/jobs", "POST", b'{"input":"x","model":"sim-1ms-1tok-0gap"}')
    process.first_202_s = time.monotonic() - began
    return process


def measure(url, process, style, env):
    due = datetime.now(UTC) + timedelta(hours=1)
    env = {**env, "STYLE": style, "NOT_BEFORE": due.strftime("%Y-%m-%dT%H:%M:%SZ")}
    wrk = ["wrk", "-s", ROOT / "bench" / "load" / "post.lua", url]
    run_tool([*wrk, "-t1", "-c16", "-d1s"], env)
    before = cpu_seconds(process)
    said = json.loads(run_tool([*wrk, "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency"], env))
    cpu = cpu_seconds(process) - before
    if said["not_202"] or said["socket_errors"]:
        raise RuntimeError(f"{process.name}: {said}")
    return {"per_s": said["per_s"], "p99_ms": said["p99_ms"],
            "cpu_us": cpu / said["requests"] * 1e6, "rss_mb": resident_mb(process)}


def millrace(world):
    process = serve(world)
    try:
        return measure(process.url, process, "millrace", world.env())
    finally:
        process.stop(5)


def go_sqlite(world):
    port, folder = free_port(), world.fresh_folder("go-sqlite")
    process = world.peer("go-sqlite", [BIN / "ingress", "-addr", f"127.0.0.1:{port}", "-to", "sqlite",
                                       "-file", folder / "jobs.db"])
    try:
        wait_port(port)
        return measure(f"http://127.0.0.1:{port}", process, "peer", world.env())
    finally:
        process.stop(5)


class BullMq:
    """BullMQ behind HTTP, on a Redis of its own that syncs its file before it answers."""

    def __init__(self, world, work=False):
        self.redis = servers.Redis(world.fresh_folder("redis-always"),
                                   options=("--appendfsync", "always")).start()
        self.port = free_port()
        more = {"WORK": "1"} if work else {}
        self.process = world.peer("bullmq", ["node", OUT / "node" / "ingressbull.js", self.port],
                                  REDIS_ADDR=f"127.0.0.1:{self.redis.port}", **more)
        wait_port(self.port)
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.process.stop(5)
        self.redis.stop()


def bullmq(world):
    peer = BullMq(world)
    try:
        return measure(peer.url, peer.process, "peer", world.env())
    finally:
        peer.stop()


def disk(world):
    """The most that group commit could accept on this disk at this hour: every connection's job, a
    page each, in one sync after the other."""
    took = []
    with open(world.fresh_folder("disk") / "log", "wb", buffering=0) as log:
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            began = time.monotonic()
            log.write(b"x" * 4096 * CONNECTIONS)
            os.fdatasync(log)
            took.append(time.monotonic() - began)
    return {"per_s": CONNECTIONS * len(took) / sum(took), "p50_ms": statistics.median(took) * 1000,
            "p99_ms": statistics.quantiles(took, n=100)[98] * 1000}


def picked_up(world, url, style):
    settle(2)
    http(world.model_url + "/reset", "POST")
    run_tool([BIN / "postpickup", "-url", url, "-style", style, "-n", PICKUPS], world.env())
    settle(0.5)
    stats = world.model_stats()
    if stats["pick_n"] != PICKUPS:
        raise RuntimeError(f"picked up {stats['pick_n']} of {PICKUPS}")
    return {"p50_ms": stats["pick_p50"], "p99_ms": stats["pick_p99"]}


def millrace_pickup(world):
    process = serve(world)
    try:
        return picked_up(world, process.url, "millrace")
    finally:
        process.stop(5)


def bullmq_pickup(world):
    peer = BullMq(world, work=True)
    try:
        return picked_up(world, peer.url, "peer")
    finally:
        peer.stop()


def millrace_start(world):
    process = serve(world)
    try:
        settle(2)
        return {"start_s": process.first_202_s, "rss_mb": resident_mb(process)}
    finally:
        process.stop(5)


def lines():
    yield {"name": "embedded: accepted, 64 connections", "better": "per_s",
           "peers": {"millrace": millrace, "Go + SQLite, group commit": go_sqlite,
                     "BullMQ, AOF always": bullmq, "this disk's syncs alone": disk},
           "targets": {}, "floors": {"per_s": 20_000}, "limits": {}}
    yield {"name": "embedded: pickup when idle, from the POST", "better": "-p50_ms",
           "peers": {"millrace": millrace_pickup, "BullMQ, AOF always": bullmq_pickup},
           "targets": {}, "limits": {"p50_ms": 0.5}}
    yield {"name": "embedded: start to the first 202", "better": "-start_s",
           "peers": {"millrace": millrace_start}, "targets": {},
           "limits": {"start_s": 0.3, "rss_mb": 25}}
