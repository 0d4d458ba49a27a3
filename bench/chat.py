"""OpenAI's chat completions through millrace, through LiteLLM's proxy and straight at the model."""

import contextlib
import json

import embedded
from world import (BIN, OUT, ROOT, answers, cpu_seconds, free_port, job_topics, resident_mb,
                   run_tool, settle, wait_until)

SECONDS = 8
CONNECTIONS = 64
WHOLE = "sim-1ms-16tok-0gap"
STREAMED = "sim-50ms-16tok-10gap"
STREAMS = 200  # over RAMP: 20 a second, so that no peer is busy
RAMP = "10s"


@contextlib.contextmanager
def millrace(world):
    """One process on a folder: every request a job, written to the disk before it runs."""
    process = embedded.serve(world)
    try:
        yield process.url, (process,)
    finally:
        process.stop(5)


@contextlib.contextmanager
def millrace_with_servers(world):
    prefix = world.fresh_name()
    world.fill(job_topics(prefix))
    edge, worker = world.edge(prefix), world.millrace("worker", prefix)
    try:
        settle(4)
        yield edge.url, (edge, worker)
    finally:
        worker.stop(5)
        edge.stop(5)


@contextlib.contextmanager
def litellm(world):
    """Its proxy as its documentation runs it in production: a process a core, no database, little log."""
    folder, port = world.fresh_folder("litellm"), free_port()
    models = [{"model_name": name, "litellm_params": {
        "model": f"openai/{name}", "api_base": f"{world.model_url}/v1", "api_key": "none"}}
        for name in (WHOLE, STREAMED)]
    (folder / "config.yaml").write_text(json.dumps({"model_list": models}))  # JSON is YAML
    process = world.peer("litellm", [OUT / "litellm" / "bin" / "litellm", "--config",
                                     folder / "config.yaml", "--host", "127.0.0.1", "--port", port,
                                     "--num_workers", 2],
                         LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_LOG="ERROR",
                         LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY="true")
    url = f"http://127.0.0.1:{port}"
    try:
        if not wait_until(lambda: answers(url + "/health/liveliness"), 60, every=0.2):
            raise RuntimeError(f"LiteLLM did not come up: {process.last_words(5)}")
        settle(2)
        yield url, (process,)
    finally:
        process.stop(5)


@contextlib.contextmanager
def model(world):
    world.fresh_name()
    yield world.model_url, ()


def whole(world, peer):
    with peer(world) as (url, processes):
        wrk = ["wrk", "-s", ROOT / "bench" / "load" / "chat.lua", url]
        env = world.env(MODEL=WHOLE)
        run_tool([*wrk, "-t1", "-c16", "-d2s"], env)
        before = cpu_seconds(*processes)
        said = json.loads(run_tool([*wrk, "-t2", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency"], env))
        cpu = cpu_seconds(*processes) - before
        if said["not_200"] or said["socket_errors"]:
            raise RuntimeError(f"{peer.__name__}: {said}")
        return {"per_s": said["per_s"], "p50_ms": said["p50_ms"], "p99_ms": said["p99_ms"],
                "cpu_us": cpu / said["requests"] * 1e6, "rss_mb": resident_mb(*processes)}


def first_token(world, url):
    said = json.loads(run_tool([BIN / "sseclient", "-mode", "direct", "-base", url, "-c", STREAMS,
                                "-ramp", RAMP, "-tok", 16, "-model", STREAMED], world.env()))
    if said["full"] != STREAMS:
        raise RuntimeError(f"only {said['full']} of {STREAMS} streams were whole: {said}")
    return said


def streamed(world, peer):
    with peer(world) as (url, processes):
        run_tool([BIN / "sseclient", "-mode", "direct", "-base", url, "-c", 20, "-ramp", "1s", "-tok",
                  16, "-model", STREAMED], world.env())
        before = cpu_seconds(*processes)
        through = first_token(world, url)
        cpu = cpu_seconds(*processes) - before
        direct = first_token(world, world.model_url)
        return {"p50_ms": through["first_p50_ms"] - direct["first_p50_ms"],
                "p99_ms": through["first_p99_ms"] - direct["first_p99_ms"],
                "cpu_s_100k": cpu / through["tokens"] * 1e5, "rss_mb": resident_mb(*processes)}


def lines():
    proxies = {"millrace": millrace, "millrace, Kafka + Redis": millrace_with_servers,
               "LiteLLM proxy": litellm}
    yield {"name": "chat completions, 64 connections", "better": "per_s",
           "peers": {name: lambda w, p=peer: whole(w, p)
                     for name, peer in {**proxies, "the model itself": model}.items()},
           "targets": {"LiteLLM proxy": 10.0}, "limits": {}}
    yield {"name": "chat completions, first token, latency added", "better": "-p50_ms",
           "peers": {name: lambda w, p=peer: streamed(w, p) for name, peer in proxies.items()},
           "targets": {}, "limits": {"p50_ms": 3}}
