"""A server that asks for a key. The line in between plays its part, so that this needs no keys there."""

import pytest
from playwright.sync_api import expect

KEY = "a key of the tests"


@pytest.fixture
def guarded(person, world):
    """Whose server refuses whoever does not show the key. Without a worker, whose requests nobody
    could stop on their way."""
    screen = person(world.url)
    screen.context.add_init_script("delete globalThis.SharedWorker")
    refused = []

    def guard(route):
        if route.request.headers.get("authorization") == f"Bearer {KEY}":
            return route.continue_()
        refused.append(route.request.url)
        return route.fulfill(status=401, content_type="application/json",
                             body='{"detail":"An API key is needed"}')

    for part in ("**/api/**", "**/v1/**"):
        screen.context.route(part, guard)
    screen.refused = refused
    screen.page.reload()
    return screen


def unlock(page, key):
    page.get_by_role("textbox", name="API key").fill(key)
    page.get_by_role("button", name="Open").click()


def test_a_key_is_asked_for_once_and_used_for_all(guarded, author):
    page = guarded.page
    unlock(page, KEY)
    script = author.on("Is the door open?").say("Come ")
    guarded.ask("Is the door open?")
    expect(guarded.answer().locator(".markdown")).to_have_text("Come")
    script.say("in.").end()
    guarded.words("Come in.")
    before = len(guarded.refused)
    page.reload()
    guarded.words("Come in.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(guarded.refused) == before


def test_a_key_that_is_not_taken_is_said_and_another_asked_for(guarded):
    page = guarded.page
    unlock(page, "wrong")
    expect(page.get_by_role("alert").filter(has_text="did not take this key")).to_be_visible()
    unlock(page, KEY)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_key_can_be_forgotten(guarded):
    page = guarded.page
    unlock(page, KEY)
    page.get_by_role("button", name="Forget the key").click()
    guarded.ask("Who am I?")
    expect(page.get_by_role("dialog")).to_contain_text("An API key is needed")
    unlock(page, KEY)
    guarded.words("You said: Who am I?")
