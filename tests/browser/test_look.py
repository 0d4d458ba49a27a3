"""For whom the page is: people who do not see it, who use a keyboard, on small screens, in the
dark; and long conversations."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from world import web

AXE = Path(__file__).parents[1] / "system" / "node" / "node_modules" / "axe-core" / "axe.min.js"
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
RICH = f"""## Title

Some `code`, a [link](https://example.invalid), **bold**.

{LONG_WORD}

| A | B | C | D | E | F |
|--|--|--|--|--|--|
| {" | ".join(["one two three four"] * 6)} |

```python
a_long_line = "{'x' * 200}"
```

1. one
2. two
"""


@pytest.fixture(scope="module")
def rich(world, author):
    """A conversation with everything in it, and jobs in every state."""
    author.on("Rich").say(RICH).end()
    author.on("Poor").refuse(400)
    session = web.post(f"{world.url}/api/sessions", json={}).json()["session_id"]
    for question in ("Rich", "Poor"):
        web.post(f"{world.url}/api/chat", json={"session_id": session, "message": question})
    cancelled = web.post(f"{world.url}/v1/jobs", json={"input": "Held"}).json()["id"]
    world.cancel(cancelled)
    world.wait_end(cancelled)
    return session


def remember(screen, session):
    """As if this browser had led that conversation."""
    screen.page.evaluate(
        """(id) => localStorage.setItem('millrace.conversations',
           JSON.stringify([{id, title: 'A long title of a conversation about many things', at: 1}]))""",
        session)


def faults(page):
    """What axe finds, whatever its weight."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")
    return [(each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]]


def ready(page):
    page.locator("h1").wait_for(state="attached")
    page.evaluate("document.querySelector('#side').getAnimations().forEach((each) => each.finish())")
    return page


PLACES = ("", "c/{session}", "c/gone", "jobs", "queue", "nope")
LARGE, SMALL = {"width": 1280, "height": 720}, {"width": 360, "height": 480}


@pytest.mark.parametrize("scheme, locale, size", [("light", "en-US", LARGE), ("dark", "ko-KR", LARGE),
                                                  ("light", "ko-KR", SMALL)])
def test_axe_finds_nothing(person, world, rich, scheme, locale, size):
    screen = person(world.url, color_scheme=scheme, locale=locale, viewport=size, bypass_csp=True)
    remember(screen, rich)
    for place in PLACES:
        page = screen.tab(f"/#/{place.format(session=rich)}")
        if "session" in place:
            expect(screen.answers(page)).to_have_count(2)
            expect(screen.answers(page).last).to_have_attribute("aria-busy", "false")
        if place == "jobs":
            page.locator(".job-id").first.wait_for()
        assert faults(ready(page)) == [], place
    screen.page.goto(f"{world.url}/#/jobs")
    screen.page.locator(".job-id").last.click()
    screen.page.get_by_role("dialog").wait_for()
    assert faults(screen.page) == [], "dialog"


def test_axe_finds_nothing_while_an_answer_is_written_nor_in_the_drawer(person, world, author):
    screen = person(world.url, viewport={"width": 360, "height": 720}, bypass_csp=True)
    script = author.on("Slowly for axe").say("A word ")
    screen.ask("Slowly for axe")
    expect(screen.answer().locator(".markdown")).to_have_text("A word")
    assert faults(screen.page) == []
    screen.page.get_by_role("button", name="Open the menu").click()
    expect(screen.page.get_by_role("button", name="Close the menu")).to_be_focused()
    assert faults(ready(screen.page)) == []
    script.end()


@pytest.mark.parametrize("width", [320, 360, 768])
def test_nothing_is_wider_than_the_screen(person, world, rich, width):
    screen = person(world.url, viewport={"width": width, "height": 700})
    remember(screen, rich)
    for place in PLACES:
        page = screen.tab(f"/#/{place.format(session=rich)}")
        if "session" in place:
            expect(screen.answers(page)).to_have_count(2)
            expect(screen.answers(page).first).to_contain_text("Title")
        if place == "jobs":
            page.locator(".job-id").first.wait_for()
        assert screen.overflow(ready(page)) <= 0, place


def test_the_drawer_of_a_narrow_screen_is_out_of_the_way_until_it_is_opened(person, world, rich):
    screen = person(world.url, viewport={"width": 360, "height": 700})
    remember(screen, rich)
    page = screen.page
    page.reload()
    link = page.get_by_role("link", name=re.compile("A long title"))
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Open the menu").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(page.get_by_role("button", name="Open the menu")).to_be_focused()
    page.get_by_role("button", name="Open the menu").click()
    link.click()
    expect(screen.answers(page)).to_have_count(2)
    expect(link).to_be_hidden()


def test_in_colours_of_the_persons_own_what_is_chosen_is_still_marked(person, world):
    page = person(world.url, forced_colors="active").tab("/#/jobs")
    outline = "each => getComputedStyle(each).outlineStyle"
    chosen = page.get_by_role("button", name="All", exact=True)
    other = page.get_by_role("button", name="Queued", exact=True)
    assert [each.evaluate(outline) for each in (chosen, other)] == ["solid", "none"]


def test_a_conversation_needs_no_mouse(screen):
    page = screen.page
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    screen.words("You said: By keyboard")
    expect(page.locator("#message")).to_be_focused()
    page.get_by_role("link", name="Skip to the content").focus()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    delete = page.get_by_role("button", name="Delete: By keyboard")
    delete.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(delete).to_be_focused()


def test_200_messages_are_there_at_once_and_the_next_answer_is_as_quick(screen, world, author):
    session = web.post(f"{world.url}/api/sessions", json={}).json()["session_id"]
    for number in range(100):
        asked = web.post(f"{world.url}/api/chat",
                         json={"session_id": session, "message": f"Question {number}"})
        assert asked.status_code == 200
    remember(screen, session)
    page = screen.tab(f"/#/c/{session}")
    expect(screen.answers(page)).to_have_count(100)
    expect(screen.answer(page)).to_contain_text("Question 99")
    expect(screen.answer(page)).to_be_in_viewport()

    page.evaluate("""() => { window.long = [];
      new PerformanceObserver((list) => window.long.push(...list.getEntries().map((e) => e.duration)))
          .observe({type: 'longtask'}); }""")
    words = [f"word{number} " for number in range(400)]
    author.on("And a long one").say(*words).end()
    screen.ask("And a long one", page)
    expect(screen.answer(page)).to_contain_text("word399")
    expect(screen.answer(page)).to_be_in_viewport()
    assert max(page.evaluate("window.long"), default=0) < 500, "ms that the page did not react"

    page.locator(".log").evaluate("each => each.scrollTo(0, 0)")
    expect(screen.questions(page).first).to_be_in_viewport()
    author.on("While reading above").say("Below. ").end()
    screen.page.bring_to_front()
    page.bring_to_front()
    page.get_by_role("button", name="To the newest message").click()
    expect(screen.answer(page)).to_be_in_viewport()


def test_who_reads_above_is_not_pulled_down(screen, author):
    page = screen.page
    author.on("Fill").say("\n\n".join(f"Paragraph {number}" for number in range(60))).end()
    screen.ask("Fill")
    expect(screen.answer()).to_have_attribute("aria-busy", "false")
    script = author.on("Go on").say("Begin ")
    screen.ask("Go on")
    expect(screen.answer().locator(".markdown")).to_have_text("Begin")
    page.locator(".log").evaluate("each => each.scrollTo(0, 0)")
    expect(page.get_by_role("button", name="To the newest message")).to_be_visible()
    script.say("\n\n".join(f"More {number}" for number in range(60))).end()
    expect(screen.answer()).to_have_attribute("aria-busy", "false")
    assert page.locator(".log").evaluate("each => each.scrollTop") == 0
