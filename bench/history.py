"""A long conversation: the first token of an answer in a session of 10,000 messages, and of few."""

import http.client
import json
import statistics
import threading
import time

from embedded import serve
from world import http as fetch

TURNS = 5_000
ASKED = 200
MODEL = "sim-1ms-1tok-0gap"
WRITERS = 8


def new_session(url):
    return json.loads(fetch(url + "/api/sessions", "POST", b"{}"))["session_id"]


def connection(url):
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)


def say(link, path, session):
    link.request("POST", path, json.dumps({"session_id": session, "message": "hello there"}),
                 {"Content-Type": "application/json"})
    answer = link.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {answer.read()[:300]}")
    return answer


def talk(url, session, turns):
    link = connection(url)
    for _ in range(turns):
        say(link, "/api/chat", session).read()


def fill(url, session, turns):
    """Several writers at once: the answers of a session are made one after the other all the same."""
    writers = [threading.Thread(target=talk, args=(url, session, turns // WRITERS))
               for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def first_token(url, session):
    took, link = [], connection(url)
    for _ in range(ASKED):
        began = time.monotonic()
        answer = say(link, "/api/chat/stream", session)
        while b"@" not in answer.readline():
            pass
        took.append((time.monotonic() - began) * 1000)
        answer.read()
    return {"p50_ms": statistics.median(took), "p99_ms": statistics.quantiles(took, n=100)[98]}


def session_of(world, turns):
    process = serve(world, "--model-id", MODEL)
    try:
        session = new_session(process.url)
        fill(process.url, session, turns)
        return first_token(process.url, session)
    finally:
        process.stop(5)


def lines():
    yield {"name": "first token in a session of 10,000 messages", "better": "-p50_ms",
           "peers": {"millrace": lambda w: session_of(w, TURNS),
                     "a session of 40": lambda w: session_of(w, 20)},
           "targets": {"a session of 40": 0.9}, "limits": {}}
