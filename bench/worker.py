"""Workers: 20,000 jobs over 500 keys against a model that takes 50 ms; and pickup when idle."""

import time

from world import BIN, OUT, PeakMemory, cpu_seconds, job_topics, run_tool, settle

JOBS = 20_000
KEYS = 500
MODEL = "sim-50ms-1tok-0gap"
STALLED_S = 25


def measure(world, start, jobs=JOBS):
    """Starts a worker by `start()`, waits until the model has answered every job."""
    begun = time.monotonic()
    process = start()
    try:
        with PeakMemory(process) as memory:
            idle_cpu, cpu, done, moved = 0.0, 0.0, -1, time.monotonic()
            while True:
                time.sleep(0.1)
                stats = world.model_stats()
                cpu = cpu_seconds(process)
                if stats["started"] == 0:
                    idle_cpu = cpu
                if stats["done"] >= jobs:
                    break
                if stats["done"] != done:
                    done, moved = stats["done"], time.monotonic()
                if time.monotonic() - moved > STALLED_S or not process.alive():
                    raise RuntimeError(f"{process.name} stopped at {stats}\n{process.last_words()}")
            settle(1.0)  # what is still to be told and committed belongs to the work
            cpu = cpu_seconds(process)
        return {"per_s": stats["done"] / stats["span_s"], "overlap": stats["overlap"],
                "gap": stats["gap"] + stats["backwards"], "cpu_s": cpu - idle_cpu,
                "rss_mb": memory.mb, "wall_s": time.monotonic() - begun}
    finally:
        process.stop(5)


def millrace(world, skew):
    """Its jobs are accepted by an edge, so that each has the record that every real one has."""
    prefix = world.fresh_name()
    world.fill(job_topics(prefix))
    edge = world.edge(prefix)
    try:
        run_tool([BIN / "postjobs", "-url", edge.url, "-n", JOBS, "-keys", KEYS, "-s", skew,
                  "-model", MODEL])
    finally:
        edge.stop()
    return measure(world, lambda: world.millrace("worker", prefix))


def go(world, skew):
    topic = world.fresh_name() + ".jobs"
    world.fill(topic, "-n", JOBS, "-keys", KEYS, "-s", skew, "-model", MODEL)
    return measure(world, lambda: world.peer("wkgo", [BIN / "wkgo", "-topic", topic, "-group", topic]))


def parallel_consumer(world, skew):
    topic = world.fresh_name() + ".jobs"
    world.fill(topic, "-n", JOBS, "-keys", KEYS, "-s", skew, "-model", MODEL)
    java = ["java", "-Xmx2g", "-cp", f"{OUT}/java:{OUT}/java/lib/*", "W", topic, topic, "core", "1000",
            "earliest"]
    return measure(world, lambda: world.peer("parallel-consumer", java))


def bullmq(world, _skew):
    world.fresh_name()
    run_tool(["node", OUT / "node" / "fillbull.js", JOBS, KEYS, MODEL], world.env())
    return measure(world, lambda: world.peer("bullmq", ["node", OUT / "node" / "wbull.js"]))


def asynq(world, _skew):
    world.fresh_name()
    run_tool([BIN / "fillasynq", "-n", JOBS, "-keys", KEYS, "-model", MODEL], world.env())
    return measure(world, lambda: world.peer("asynq", [BIN / "wasynq"]))


PICKUPS = 200


def pickup(world, prefix, topic, start):
    process = start()
    try:
        settle(6)  # the group forms, the JVM or pools warm up
        run_tool([BIN / "pickup", "-topic", topic, "-n", PICKUPS], world.env())
        settle(0.5)
        stats = world.model_stats()
        if stats["pick_n"] != PICKUPS:
            raise RuntimeError(f"{process.name} picked up {stats['pick_n']} of {PICKUPS}")
        return {"p50_ms": stats["pick_p50"], "p99_ms": stats["pick_p99"]}
    finally:
        process.stop(5)


def millrace_pickup(world):
    prefix = world.fresh_name()
    world.fill(job_topics(prefix))
    return pickup(world, prefix, f"{prefix}.jobs.session", lambda: world.millrace("worker", prefix))


def go_pickup(world):
    topic = world.fresh_name() + ".jobs"
    world.fill(topic)
    argv = [BIN / "wkgo", "-topic", topic, "-group", topic, "-reset", "latest"]
    return pickup(world, topic, topic, lambda: world.peer("wkgo", argv))


def lines():
    for name, skew in (("even", 0), ("skewed", 0.5)):
        peers = {"millrace": lambda w, s=skew: millrace(w, s),
                 "Go, hand-written": lambda w, s=skew: go(w, s),
                 "Parallel Consumer": lambda w, s=skew: parallel_consumer(w, s)}
        targets = {"Go, hand-written": 0.8, "Parallel Consumer": 3.0}
        if not skew:  # neither keeps order, so skew changes nothing for them
            peers |= {"BullMQ": lambda w, s=skew: bullmq(w, s), "Asynq": lambda w, s=skew: asynq(w, s)}
            targets |= {"BullMQ": 1.0, "Asynq": 1.0}
        yield {"name": f"worker, 20,000 jobs, {name} keys", "better": "per_s", "peers": peers,
               "targets": targets, "limits": {"cpu_s": 4, "rss_mb": 120, "overlap": 0, "gap": 0}}
    yield {"name": "pickup when idle", "better": "-p50_ms",
           "peers": {"millrace": millrace_pickup, "Go, hand-written": go_pickup},
           "targets": {}, "limits": {"p50_ms": 1.3, "p99_ms": 3.5}}
