"""Several tabs and jobs on one connection."""

import pytest
from playwright.sync_api import expect
from world import web


def streams_open(world):
    text = web.get(f"{world.url}/metrics").text
    return int(next(line.split()[1] for line in text.splitlines()
                    if line.startswith("millrace_relay_connections ")))


def test_two_tabs_and_three_answers_share_one_connection(screen, world, author):
    world.wait_until(lambda: streams_open(world) == 0, what="a stream of a test before is open")
    scripts = {name: author.on(name).say(f"{name} begins ") for name in ("Red", "Green", "Blue")}
    tabs = [screen.page, screen.tab(), screen.tab()]
    for tab, name in zip(tabs, scripts):
        screen.ask(name, tab)
        expect(screen.answer(tab).locator(".markdown")).to_have_text(f"{name} begins")
    assert streams_open(world) == 1
    for name, script in scripts.items():
        script.say("and ends.").end()
    for tab, name in zip(tabs, scripts):
        expect(screen.answer(tab).locator(".markdown")).to_have_text(f"{name} begins and ends.")
    world.wait_until(lambda: streams_open(world) == 0, what="the stream of ended jobs is open")


def test_two_tabs_show_one_conversation_as_it_goes(screen, author):
    script = author.on("Do both see it?").say("Both ")
    screen.ask("Do both see it?")
    other = screen.tab(f"/#/c/{screen.conversation_id()}")
    for page in (screen.page, other):
        expect(screen.answer(page).locator(".markdown")).to_have_text("Both")
    script.say("do.").end()
    for page in (screen.page, other):
        expect(screen.answer(page).locator(".markdown")).to_have_text("Both do.")
    screen.ask("And this?", other)
    for page in (screen.page, other):
        expect(screen.answer(page).locator(".markdown")).to_have_text("You said: And this?")
        expect(screen.questions(page)).to_have_count(2)


def test_a_tab_that_closes_leaves_the_other_its_stream(screen, author):
    script = author.on("Who stays?").say("The other ")
    screen.ask("Who stays?")
    other = screen.tab(f"/#/c/{screen.conversation_id()}")
    expect(screen.answer(other).locator(".markdown")).to_have_text("The other")
    screen.page.close()
    script.say("one.").end()
    expect(screen.answer(other).locator(".markdown")).to_have_text("The other one.")


@pytest.mark.parametrize("lack", [
    "delete globalThis.SharedWorker",
    """globalThis.SharedWorker = class {
         port = {postMessage() {}};
         constructor() { setTimeout(() => this.onerror(), 100); }
       }""",
], ids=["none", "one that does not start"])
def test_a_browser_without_a_shared_worker_follows_by_itself(person, world, author, lack):
    screen = person(world.url)
    screen.context.add_init_script(lack)
    page = screen.tab()
    question = f"Alone? {len(lack)}"
    script = author.on(question).say("All ")
    screen.ask(question, page)
    expect(screen.answer(page).locator(".markdown")).to_have_text("All")
    script.say("alone.").end()
    expect(screen.answer(page).locator(".markdown")).to_have_text("All alone.")


def test_another_tab_hears_of_a_new_conversation(screen):
    other = screen.tab()
    screen.ask("News")
    screen.words("You said: News")
    expect(other.get_by_role("navigation", name="Conversations").get_by_role("link", name="News")
           ).to_be_visible()


def test_two_tabs_that_ask_at_once_show_what_they_asked_in_one_order(screen, world):
    screen.ask("Zero")
    screen.words("You said: Zero")
    session = screen.conversation_id()
    other = screen.tab(f"/#/c/{session}")
    expect(screen.questions(other)).to_have_count(1)
    for number in range(3):
        screen.ask(f"A{number}")
        screen.ask(f"B{number}", other)
    said = web.get(f"{world.url}/api/sessions/{session}/messages?limit=1000")
    world.wait_until(lambda: len([each for each in web.get(said.url).json()["messages"]
                                  if each["role"] == "assistant"]) == 7)
    order = [each["content"] for each in web.get(said.url).json()["messages"]
             if each["role"] == "user"]
    for page in (screen.page, other):
        expect(screen.questions(page).locator("p")).to_have_text(order)
