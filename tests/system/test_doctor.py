"""`millrace doctor` with everything in place, and with each thing missing."""

import contextlib
import json
import socket
import sqlite3
import subprocess
from types import SimpleNamespace

import pytest
from process import free_port
from terminal import Terminal
from world import BINARY

on_servers = pytest.mark.servers("asks Kafka and Redis")
alone = pytest.mark.embedded("one process on a folder")


def examine(world, *flags, **settings):
    """Its exit code, and of each check its verdict and what it says, remedy included."""
    env = world.env | {name: str(value) for name, value in (world.settings | settings).items()}
    done = subprocess.run([BINARY, "doctor", "--json", *flags], env=env, cwd=world.folder,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    checks = {}
    for line in map(json.loads, done.stdout.splitlines()):
        assert bool(line["remedy"]) == (line["verdict"] != "ok"), "what is not well has a remedy"
        checks[line["check"]] = SimpleNamespace(verdict=line["verdict"],
                                                says=f"{line['says']} → {line['remedy']}")
    failed = any(check.verdict == "fail" for check in checks.values())
    assert done.returncode == (1 if failed else 0)
    return checks


def failing(checks):
    return {name for name, check in checks.items() if check.verdict == "fail"}


def on(edge):
    return {"PORT": edge.url.rsplit(":", 1)[1]}


def test_where_everything_is_there_nothing_fails(town):
    checks = examine(town, **on(town.edges[0]))
    assert failing(checks) == set()
    expected = {"settings", "data folder", "disk space", "sqlite", "store", "model", "edge", "keys"}
    servers = {"kafka", "topics", "redis", "redis memory", "redis store"}
    assert set(checks) == expected | (servers if town.front == "edge" else {"lock"})
    warned = {name for name, check in checks.items() if check.verdict == "warn"}
    assert warned == ({"topics"} if town.front == "edge" else set()), "one broker is one copy"
    assert town.url in checks["edge"].says
    assert town.simulator.url in checks["model"].says
    if town.front == "serve":
        assert str(town.serve.pid) in checks["lock"].says


def test_for_a_person_it_prints_a_line_a_check_and_what_to_do(town):
    done = town.run("doctor", "--llm-server-url", f"http://127.0.0.1:{free_port()}",
                    "--port", town.url.rsplit(":", 1)[1])
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("fail"))
    assert lines[at].split()[1] == "model" and "LLM_SERVER_URL" in lines[at + 1]
    assert "\033" not in done.stdout
    env = town.env | {name: str(value) for name, value in town.settings.items()}
    terminal = Terminal([BINARY, "doctor"], env | on(town.edges[0]), town.folder)
    try:
        text, code = terminal.end()
    finally:
        terminal.close()
    assert code == 0 and "\033[32mok" in text and "looking at the store" in text


@alone
def test_before_the_first_start_nothing_fails_and_nothing_is_made(empty_world):
    checks = examine(empty_world, PORT=free_port())
    assert failing(checks) == set()
    assert "simulator" in checks["model"].says and checks["model"].verdict == "warn"
    assert "is free" in checks["edge"].says
    assert list(empty_world.folder.iterdir()) == []


@alone
def test_it_takes_nothing_from_a_start_at_the_same_time(empty_world):
    for _ in range(5):
        doctors = [subprocess.Popen([BINARY, "doctor"], cwd=empty_world.folder,
                                    env=empty_world.env | {"MILLRACE_DATA": str(
                                        empty_world.settings["MILLRACE_DATA"])},
                                    stdout=subprocess.DEVNULL) for _ in range(4)]
        empty_world.start_serve().kill()
        for doctor in doctors:
            doctor.wait(20)


@alone
@pytest.mark.parametrize("given, missing", [({"KAFKA_BROKERS": "127.0.0.1:1"}, "REDIS_URL is not"),
                                            ({"REDIS_URL": "redis://h"}, "KAFKA_BROKERS is not")])
def test_half_a_configuration_is_none(empty_world, given, missing):
    checks = examine(empty_world, **given)
    assert failing(checks) == {"settings"} and missing in checks["settings"].says


@alone
def test_a_folder_that_cannot_be_written(empty_world):
    checks = examine(empty_world, PORT=free_port(), MILLRACE_DATA="/proc/sys/data")
    assert {"data folder", "disk space"} <= failing(checks)
    assert "MILLRACE_DATA" in checks["data folder"].says


def broken(path):
    """A page in the middle says nothing any more."""
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with open(path, "r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 8192)


@alone
def test_a_store_that_is_damaged_or_not_one(empty_world):
    empty_world.start_serve()
    empty_world.serve.stop()
    path = empty_world.folder / "data" / "millrace.db"
    broken(path)
    checks = examine(empty_world, PORT=free_port())
    assert failing(checks) == {"store"}
    assert "damaged" in checks["store"].says and "restore" in checks["store"].says
    path.write_text("this is not a database, but it is a file of some length\n" * 100)
    assert "not an SQLite file" in examine(empty_world, PORT=free_port())["store"].says


@alone
def test_a_port_that_somebody_else_has(empty_world):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        checks = examine(empty_world, PORT=port)
    assert failing(checks) == {"edge"} and "PORT" in checks["edge"].says
    assert f":{port}" in checks["edge"].says


@alone
def test_a_serve_that_answers_elsewhere(town):
    checks = examine(town, PORT=free_port())
    assert failing(checks) == {"edge"} and "none answers" in checks["edge"].says
    checks = examine(town, MILLRACE_URL=f"http://127.0.0.1:{free_port()}")
    assert failing(checks) == {"edge"}
    assert failing(examine(town, MILLRACE_URL=town.url)) == set()


def test_a_model_that_does_not_answer_or_is_not_listed(town):
    edge = on(town.edges[0])
    checks = examine(town, LLM_SERVER_URL=f"http://127.0.0.1:{free_port()}", **edge)
    assert failing(checks) == {"model"} and "LLM_SERVER_URL" in checks["model"].says
    checks = examine(town, LLM_SERVER_URL=town.url + "/elsewhere", **edge)
    assert checks["model"].verdict == "warn" and "404" in checks["model"].says
    checks = examine(town, MODEL_ID="no-such-model", **edge)
    assert checks["model"].verdict == "warn" and "MODEL_ID" in checks["model"].says


@on_servers
def test_topics_and_tables_that_nobody_made(town):
    checks = examine(town, MILLRACE_TOPIC_PREFIX="nobody", **on(town.edges[0]))
    assert failing(checks) == {"topics"}
    assert "nobody.jobs.chat" in checks["topics"].says and "migrate" in checks["topics"].says
    checks = examine(town, DATABASE_URL=town.folder / "none.db", **on(town.edges[0]))
    assert failing(checks) == {"store", "redis store"} and "migrate" in checks["store"].says


@pytest.mark.postgres("asks it")
def test_a_postgres_that_is_there_empty_or_away(town):
    edge = on(town.edges[0])
    # A Redis that was emptied for this town is claimed again within 2 s.
    town.wait_until(lambda: "this store" in examine(town, **edge)["redis store"].says, 10)
    checks = examine(town, **edge)
    assert failing(checks) == set()
    assert {"postgres", "store"} <= set(checks) and "sqlite" not in checks
    assert "Postgres" in checks["settings"].says and "version" in checks["store"].says
    empty = town.settings["DATABASE_URL"].split("?")[0]
    checks = examine(town, DATABASE_URL=empty, **edge)
    assert failing(checks) == {"store", "redis store"} and "migrate" in checks["store"].says
    nowhere = f"127.0.0.1:{free_port()}"
    checks = examine(town, DATABASE_URL=f"postgres://me:secret@{nowhere}/db", **edge)
    assert {"postgres"} <= failing(checks) and nowhere in checks["postgres"].says
    assert "secret" not in checks["postgres"].says and "DATABASE_URL" in checks["postgres"].says


@alone
def test_a_postgres_without_kafka_and_redis_is_no_way_to_run(empty_world):
    checks = examine(empty_world, DATABASE_URL="postgres://me:secret@h/db")
    assert failing(checks) == {"settings"} and "KAFKA_BROKERS" in checks["settings"].says


@on_servers
def test_servers_that_do_not_answer(town):
    nowhere = f"127.0.0.1:{free_port()}"
    checks = examine(town, KAFKA_BROKERS=nowhere, REDIS_URL=f"redis://u:secret@{nowhere}",
                     **on(town.edges[0]))
    assert failing(checks) == {"kafka", "redis"}
    assert nowhere in checks["kafka"].says and "KAFKA_BROKERS" in checks["kafka"].says
    assert nowhere in checks["redis"].says and "secret" not in checks["redis"].says


@contextlib.contextmanager
def redis_set(redis, name, value, back):
    assert redis.command("CONFIG", "SET", name, value) == b"+OK\r\n"
    try:
        yield
    finally:
        assert redis.command("CONFIG", "SET", name, back) == b"+OK\r\n"


@on_servers
def test_a_redis_that_would_lose_events(town):
    edge = on(town.edges[0])
    with redis_set(town.redis, "maxmemory-policy", "allkeys-lru", "noeviction"):
        checks = examine(town, **edge)
    assert failing(checks) == {"redis memory"} and "noeviction" in checks["redis memory"].says
    with redis_set(town.redis, "appendonly", "no", "yes"):
        checks = examine(town, **edge)
    assert checks["redis"].verdict == "warn" and "appendonly yes" in checks["redis"].says


@on_servers
def test_a_redis_of_another_store(town, tmp_path):
    other = town.run("migrate", "--database-url", str(tmp_path / "other.db"))
    assert other.returncode == 0
    checks = examine(town, DATABASE_URL=tmp_path / "other.db", **on(town.edges[0]))
    assert failing(checks) == {"redis store"} and "mr:store-id" in checks["redis store"].says


@on_servers
def test_an_edge_that_waits_says_for_what(world):
    world.redis.freeze()
    try:
        world.wait_until(lambda: "event_log" in examine(world, **on(world.edges[0]))["edge"].says,
                         30, "the edge does not say what it waits for")
    finally:
        world.redis.thaw()
