"""A browser before the page of a millrace whose model says what the test writes."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "ops"), str(HERE.parent / "system"), str(HERE)]
from author import Author  # noqa: E402
from embedded_world import EmbeddedWorld  # noqa: E402
from process import stopped_at_end  # noqa: E402
from screen import Screen  # noqa: E402
from servers import Kafka, Postgres, Redis  # noqa: E402
from servers_world import ServersWorld  # noqa: E402


@pytest.fixture(scope="session")
def author():
    with Author() as one:
        yield one


@pytest.fixture(autouse=True)
def forgotten(author):
    """A question of one test is nobody's in the next."""
    yield
    author.forget()


@pytest.fixture(scope="session")
def world(tmp_path_factory, author):
    """One process, nothing beside it."""
    world = EmbeddedWorld(tmp_path_factory.mktemp("page"), LLM_SERVER_URL=author.url,
                          MODEL_ID="author")
    try:
        yield world.install().inhabit()
    finally:
        world.stop()


@pytest.fixture(scope="session")
def servers_world(tmp_path_factory, author):
    """An edge and a worker, with Kafka, Redis and Postgres beside them."""
    folder = tmp_path_factory.mktemp("page-servers")
    redis, kafka, postgres = Redis(folder / "redis"), Kafka(folder / "kafka"), Postgres(folder / "pg")
    with stopped_at_end(redis, kafka, postgres):
        world = ServersWorld(redis.start(), kafka.start(), folder / "world", postgres.start(),
                             LLM_SERVER_URL=author.url, MODEL_ID="author")
        try:
            yield world.install().inhabit()
        finally:
            world.stop()


@pytest.fixture(params=["embedded", "servers"])
def place(request):
    """A world of each kind, for what has to be the same in both."""
    return request.getfixturevalue("world" if request.param == "embedded" else "servers_world")


@pytest.fixture
def visitor(person, place):
    """Before the page of `place`."""
    return person(place.url)


@pytest.fixture(scope="session")
def chromium():
    """Debian's, whose sandbox does not work for root."""
    place = shutil.which("chromium")
    assert place, "chromium is missing: run ops/setup"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=place, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture
def person(chromium):
    """Makes people, each with a browser profile of their own. What a page threw, a policy blocked
    or a script complained of fails the test that looked on."""
    made = []

    def make(url, **context):
        screen = Screen(chromium.new_context(**{"locale": "en-US"} | context), url)
        made.append(screen)
        return screen

    yield make
    complaints = [each for screen in made for each in screen.complaints]
    for screen in made:
        screen.context.close()
    assert not complaints


@pytest.fixture
def screen(person, world):
    return person(world.url)
