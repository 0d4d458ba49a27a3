"""Fixtures of the system tests: real servers on free ports, and worlds on them."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "ops"), str(Path(__file__).parent)]
from embedded_world import EmbeddedWorld  # noqa: E402
from process import stopped_at_end  # noqa: E402
from servers import Kafka, Postgres, Redis  # noqa: E402
from servers_world import ServersWorld  # noqa: E402

WAYS = ("servers", "embedded", "postgres")


def pytest_configure(config):
    config.addinivalue_line("markers", "servers(reason): only on Kafka and Redis, and why")
    config.addinivalue_line("markers", "embedded(reason): only in one process, and why")
    config.addinivalue_line("markers", "postgres(reason): only on Postgres, and why")
    config.addinivalue_line("markers", "every_store(reason): on servers with the Store in Postgres "
                                       "and, with --long, in SQLite too")


def pytest_generate_tests(metafunc):
    """Every test in a world runs on servers and in one process, unless it is marked for one of
    them. On servers the Store is SQLite's file, or Postgres where a test is of `every_store`."""
    if "way" not in metafunc.fixturenames:
        return
    marks = [metafunc.definition.get_closest_marker(way) for way in WAYS]
    assert all(mark is None or mark.args for mark in marks), "such a mark says its reason"
    ways = [way for way, mark in zip(WAYS, marks) if mark] or ["servers", "embedded"]
    if metafunc.definition.get_closest_marker("every_store") and "servers" in ways:
        ways.append("postgres")
        if not metafunc.config.getoption("--long"):
            ways.remove("servers")
    metafunc.parametrize("way", ways, indirect=True, scope="session")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its processes said."""
    report = (yield).get_result()
    worlds = [item.funcargs[name] for name in ("empty_world", "town")
              if name in getattr(item, "funcargs", {})]
    if report.failed:
        report.sections += [("what the processes said", world.logs()) for world in worlds]


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """A Redis and a Kafka that a test may stop, kill and start again, if it leaves them running."""
    folder = tmp_path_factory.mktemp("servers")
    redis, kafka = Redis(folder / "redis"), Kafka(folder / "kafka")
    with stopped_at_end(redis, kafka):
        yield redis.start(), kafka.start()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A Postgres that a test may stop, kill and start again, if it leaves it running."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    with stopped_at_end(server):
        yield server.start()


@pytest.fixture(scope="session")
def way(request):
    """On what a world stands."""
    return request.param


@pytest.fixture
def empty_world(way, request, tmp_path):
    """Installed, and nobody there yet."""
    servers = _servers_of(way, request)
    world = _new_world(servers, tmp_path)
    try:
        yield world.install()
    finally:
        for server in servers:
            server.thaw()
            if not server.alive():
                server.start()
        world.stop()


@pytest.fixture
def world(empty_world):
    """All that a job needs."""
    return empty_world.inhabit()


@pytest.fixture(scope="module")
def town(way, request, tmp_path_factory):
    """A world for all tests of a module that break nothing."""
    servers = _servers_of(way, request)
    world = _new_world(servers, tmp_path_factory.mktemp("town"))
    try:
        yield world.install().inhabit()
    finally:
        world.stop()


def _servers_of(way, request):
    if way == "embedded":
        return ()
    servers = request.getfixturevalue("servers")
    return (*servers, request.getfixturevalue("postgres")) if way == "postgres" else servers


def _new_world(servers, folder):
    return ServersWorld(*servers[:2], folder, *servers[2:]) if servers else EmbeddedWorld(folder)


@pytest.fixture(scope="session")
def long(pytestconfig):
    """True for the sizes of the issue, False for the short form."""
    return pytestconfig.getoption("--long")
