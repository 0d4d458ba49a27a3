"""Ingress: POSTs of 400 B, answered 202 after the broker's acknowledgement by all replicas."""

import json

from world import BIN, OUT, ROOT, cpu_seconds, job_topics, resident_mb, run_tool, free_port, settle, wait_port

SECONDS = 8


def measure(url, process, style, connections, env):
    script = ROOT / "bench" / "load" / "post.lua"
    wrk = ["wrk", "-t2", "-s", script, url]
    run_tool([*wrk[:1], "-t1", "-c16", "-d1s", "-s", script, url], {**env, "STYLE": style})
    before = cpu_seconds(process)
    said = json.loads(run_tool([*wrk, f"-c{connections}", f"-d{SECONDS}s", "--latency"],
                               {**env, "STYLE": style}))
    cpu = cpu_seconds(process) - before
    if said["not_202"] or said["socket_errors"]:
        raise RuntimeError(f"{process.name}: {said}")
    return {"per_s": said["per_s"], "p99_ms": said["p99_ms"],
            "cpu_us": cpu / said["requests"] * 1e6, "rss_mb": resident_mb(process)}


def millrace(world, connections):
    prefix = world.fresh_name()
    world.fill(job_topics(prefix))
    edge = world.edge(prefix)
    try:
        return measure(edge.url, edge, "millrace", connections, world.env())
    finally:
        edge.stop()


def peer(world, name, argv, port, connections, topic):
    process = world.peer(name, argv, TOPIC=topic, PYTHONPATH=str(ROOT / "bench" / "peers" / "py"))
    try:
        wait_port(port)
        settle()
        return measure(f"http://127.0.0.1:{port}", process, "peer", connections, world.env())
    finally:
        process.stop()


def go(world, connections):
    topic, port = world.fresh_name() + ".ingress", free_port()
    world.fill(topic)
    argv = [BIN / "ingress", "-addr", f"127.0.0.1:{port}", "-topic", topic]
    return peer(world, "go-ingress", argv, port, connections, topic)


def fastapi(world, connections):
    topic, port = world.fresh_name() + ".ingress", free_port()
    world.fill(topic)
    argv = [OUT / "venv" / "bin" / "uvicorn", "ingress:app", "--port", port, "--log-level", "warning",
            "--no-access-log"]
    return peer(world, "fastapi", argv, port, connections, topic)


def lines():
    for connections in (64, 256):
        yield {"name": f"ingress, {connections} connections", "better": "per_s",
               "peers": {"millrace": lambda w, c=connections: millrace(w, c),
                         "Go net/http + franz-go": lambda w, c=connections: go(w, c),
                         "FastAPI + aiokafka": lambda w, c=connections: fastapi(w, c)},
               "targets": {"Go net/http + franz-go": 2.0, "FastAPI + aiokafka": 12.0},
               "limits": {"cpu_us": 22}}
