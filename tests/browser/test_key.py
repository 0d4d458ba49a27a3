"""A server that asks for a key."""

import json

import pytest
from embedded_world import EmbeddedWorld
from playwright.sync_api import expect
from world import web


@pytest.fixture(scope="module")
def locked(tmp_path_factory, author):
    """A world with one key, `locked.key`, that may do all but what is an administrator's."""
    world = EmbeddedWorld(tmp_path_factory.mktemp("locked"), LLM_SERVER_URL=author.url,
                          MODEL_ID="author", AUTH="on")
    try:
        world.install().inhabit()
        made = world.run("keys", "create", "--tenant", "mill", "--scope", "submit,read", "--json")
        assert made.returncode == 0, made.stderr
        world.key = json.loads(made.stdout)["key"]
        world.wait_until(lambda: web.get(f"{world.url}/v1/jobs", headers={
            "Authorization": f"Bearer {world.key}"}).status_code == 200, what="the key is not known")
        yield world
    finally:
        world.stop()


@pytest.fixture
def before_the_door(person, locked):
    return person(locked.url)


def unlock(page, key):
    page.get_by_role("textbox", name="API key").fill(key)
    page.get_by_role("button", name="Open").click()


def test_a_key_is_asked_for_once_and_used_for_all(before_the_door, locked, author):
    screen = before_the_door
    unlock(screen.page, locked.key)
    script = author.on("Is the door open?").say("Come ")
    screen.ask("Is the door open?")
    expect(screen.answer().locator(".markdown")).to_have_text("Come")
    screen.conversation_id()
    screen.page.reload()
    expect(screen.answer().locator(".markdown")).to_have_text("Come")
    other = screen.tab("/#/jobs")
    expect(other.get_by_text("Running").last).to_be_visible()
    script.say("in.").end()
    screen.words("Come in.")
    for page in (screen.page, other):
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_what_a_key_may_not_see_is_left_out(before_the_door, locked):
    screen = before_the_door
    unlock(screen.page, locked.key)
    page = screen.tab("/#/queue")
    waiting = page.get_by_role("heading", name="Waiting or running").locator("xpath=../p[1]")
    expect(waiting).to_have_text("0")
    expect(page.get_by_text("in order")).to_have_count(3)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_key_that_is_not_taken_is_said_and_another_asked_for(before_the_door, locked):
    page = before_the_door.page
    unlock(page, "wrong")
    expect(page.get_by_role("alert").filter(has_text="did not take this key")).to_be_visible()
    unlock(page, locked.key)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_key_can_be_forgotten(before_the_door, locked):
    screen = before_the_door
    unlock(screen.page, locked.key)
    screen.page.get_by_role("button", name="Forget the key").click()
    screen.ask("Who am I?")
    expect(screen.page.get_by_role("dialog")).to_contain_text("An API key is needed")
    unlock(screen.page, locked.key)
    screen.words("You said: Who am I?")
