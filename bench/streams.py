"""Streams: POST, worker, model, Redis, SSE; 200 tokens at 10 ms each, stamped by the model."""

import json

from world import BIN, cpu_seconds, job_topics, resident_mb, run_tool, free_port, settle, wait_port

MODEL = "sim-50ms-200tok-10gap"


def measure(world, mode, url, streams, processes):
    before = cpu_seconds(*processes)
    said = json.loads(run_tool([BIN / "sseclient", "-mode", mode, "-base", url, "-c", streams, "-model",
                                MODEL, "-limit", "100s"], world.env()))
    cpu = cpu_seconds(*processes) - before
    if said["full"] != streams:
        raise RuntimeError(f"{mode}: only {said['full']} of {streams} streams were whole: {said}")
    direct = json.loads(run_tool([BIN / "sseclient", "-mode", "direct", "-base", world.model_url, "-c",
                                  streams, "-model", MODEL], world.env()))
    return {"per_s": said["tok_s"], "p50_ms": said["p50_ms"] - direct["p50_ms"],
            "p99_ms": said["p99_ms"] - direct["p99_ms"], "cpu_s_100k": cpu / said["tokens"] * 1e5,
            "rss_mb": resident_mb(*processes)}


def millrace(world, streams):
    prefix = world.fresh_name()
    world.fill(job_topics(prefix))
    edge, worker = world.edge(prefix), world.millrace("worker", prefix)
    try:
        settle(4)
        return measure(world, "millrace", edge.url, streams, (edge, worker))
    finally:
        worker.stop(5)
        edge.stop(5)


def go(world, streams):
    topic, port = world.fresh_name() + ".stream", free_port()
    world.fill(topic)
    relay = world.peer("gorelay", [BIN / "gorelay"], TOPIC=topic, LISTEN=f"127.0.0.1:{port}")
    worker = world.peer("gostreamw", [BIN / "gostreamw", topic], TOPIC=topic)
    try:
        wait_port(port)
        settle(4)
        return measure(world, "relay", f"http://127.0.0.1:{port}", streams, (relay, worker))
    finally:
        worker.stop(5)
        relay.stop(5)


def lines():
    yield {"name": "100 streams of 200 tokens at 10 ms, latency added", "better": "-p50_ms",
           "peers": {"millrace": lambda w: millrace(w, 100), "Go": lambda w: go(w, 100)},
           "targets": {}, "limits": {"p50_ms": 0.6, "p99_ms": 5}}
    yield {"name": "500 streams of 200 tokens at 10 ms", "better": "per_s",
           "peers": {"millrace": lambda w: millrace(w, 500), "Go": lambda w: go(w, 500)},
           "targets": {"Go": 2.0}, "limits": {"cpu_s_100k": 3}}
