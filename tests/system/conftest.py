"""Fixtures of the system tests: real servers on free ports, and worlds on them."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "ops"), str(Path(__file__).parent)]
from process import stopped_at_end  # noqa: E402
from servers import Kafka, Redis  # noqa: E402
from world import World  # noqa: E402


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


@pytest.fixture
def empty_world(servers, tmp_path):
    """Topics and tables, and nobody there yet."""
    redis, kafka = servers
    world = World(redis, kafka, tmp_path)
    try:
        yield world.migrate()
    finally:
        for server in servers:
            server.thaw()
            if not server.alive():
                server.start()
        world.stop()


@pytest.fixture
def world(empty_world):
    """A simulator, an edge and a worker."""
    return _inhabited(empty_world)


@pytest.fixture(scope="module")
def town(servers, tmp_path_factory):
    """A world for all tests of a module that break nothing."""
    redis, kafka = servers
    world = World(redis, kafka, tmp_path_factory.mktemp("town"))
    try:
        yield _inhabited(world.migrate())
    finally:
        world.stop()


def _inhabited(world):
    world.start_simulator()
    world.start_edge()
    world.start_worker()
    return world


@pytest.fixture(scope="session")
def long(pytestconfig):
    """True for the sizes of the issue, False for the short form."""
    return pytestconfig.getoption("--long")
