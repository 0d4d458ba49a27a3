"""The relay alone: idle connections, fan-in over many channels, fan-out of one."""

import json
import time

from world import BIN, OUT, ROOT, http, job_topics, run_tool, free_port, settle, tree, wait_port


def load(world, process, url, *flags):
    pids = ",".join(str(member.pid) for member in tree(process.pid))
    said = json.loads(run_tool([BIN / "sse_load", "--url", url, "--pids", pids, "--redis-port",
                                world.redis.port, *flags], timeout=180))
    if said["opened"] == 0:
        raise RuntimeError(f"{process.name}: {said}")
    return said


def accepted_jobs(edge, count):
    """Ids of jobs that wait for an hour: open streams with nothing to say."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    body = json.dumps({"input": "x", "model": "m", "not_before": later}).encode()
    lines = (body + b"\n") * count
    answer = http(edge.url + "/v1/jobs", "POST", lines, timeout=60, content_type="application/x-ndjson")
    return [json.loads(line)["id"] for line in answer.splitlines()]


def with_millrace(world, channels, measure):
    prefix = world.fresh_name()
    world.fill(job_topics(prefix))
    edge = world.edge(prefix)
    try:
        names = world.folder / "channels"
        names.write_text("\n".join(accepted_jobs(edge, channels)) + "\n")
        return measure(edge, edge.url + "/v1/jobs/{ch}/events", ["--channels-file", str(names)], "millrace")
    finally:
        edge.stop(5)


def with_nchan(world, channels, measure):
    world.fresh_name()
    port = free_port()
    folder = world.folder / "nchan"
    folder.mkdir(exist_ok=True)
    text = (ROOT / "bench" / "peers" / "sse" / "nchan.conf").read_text()
    config = folder / "nginx.conf"
    config.write_text(text.replace("@PORT@", str(port)).replace("@FOLDER@", str(folder))
                      .replace("@REDIS@", f"127.0.0.1:{world.redis.port}"))
    process = world.peer("nchan", ["nginx", "-e", folder / "error.log", "-c", config])
    try:
        wait_port(port)
        settle(2)  # nchan answers 503 until it has found Redis
        return measure(process, f"http://127.0.0.1:{port}/sub/{{ch}}", ["--channels", str(channels)],
                       f"http:{port}:/pub/{{ch}}")
    finally:
        process.stop(5)


def with_express(world, channels, measure):
    world.fresh_name()
    port = free_port()
    process = world.peer("express", ["node", OUT / "node" / "express.mjs"], PORT=str(port))
    try:
        wait_port(port)
        return measure(process, f"http://127.0.0.1:{port}/stream/{{ch}}", ["--channels", str(channels)],
                       "stream:exs:{ch},exw:{ch}")
    finally:
        process.stop(5)


def idle(connections):
    def measure_with(world):
        def measure(process, url, channels, _publish):
            said = load(world, process, url, *channels, "--connections", connections, "--hold", 3)
            return {"rss_kb_each": said["rss_kb_each"],
                    "per_cpu_s": said["opened"] / max(said["connect_cpu_s"], 0.01)}
        return measure
    return measure_with


def flow(connections, rate, events):
    def measure_with(world):
        def measure(process, url, channels, publish):
            said = load(world, process, url, *channels, "--connections", connections, "--hold", 1,
                        "--publish", publish, "--rate", rate, "--events", events)
            if said["delivered"] < said["expected"]:
                return {"lost": said["expected"] - said["delivered"]}
            return {"cpu_s_100k": said["deliver_cpu_s"] / said["delivered"] * 1e5,
                    "per_cpu_s": said["delivered"] / max(said["deliver_cpu_s"], 0.01),
                    "per_s": said["delivered"] / max(said["deliver_s"], 0.001),
                    "p50_ms": said["p50_ms"], "p99_ms": said["p99_ms"], "lost": 0}
        return measure
    return measure_with


def peers(channels, measure_with):
    return {"millrace": lambda w: with_millrace(w, channels, measure_with(w)),
            "nchan": lambda w: with_nchan(w, channels, measure_with(w)),
            "node express, stream": lambda w: with_express(w, channels, measure_with(w))}


def lines():
    yield {"name": "10,000 idle SSE connections", "better": "per_cpu_s",
           "peers": peers(10_000, idle(10_000)), "targets": {"nchan": 1.0}, "limits": {"rss_kb_each": 4}}
    yield {"name": "fan-in, 1,000 channels x 50 events/s", "better": "-cpu_s_100k",
           "peers": peers(1_000, flow(1_000, 50_000, 150_000)), "targets": {},
           "limits": {"cpu_s_100k": 1.2, "lost": 0}}
    yield {"name": "fan-out, 5,000 readers x 100 events", "better": "per_cpu_s",
           "peers": peers(1, flow(5_000, 100, 100)),
           "targets": {"nchan": 1.5, "node express, stream": 1.5}, "limits": {"lost": 0}}
