"""What a model says beside its answer: how it came to it, and why it gives none."""

import pytest
from playwright.sync_api import expect
from test_look import faults
from world import web


def think(text):
    return {"reasoning_content": text}


def thoughts(screen):
    return screen.answer().locator(".thoughts")


@pytest.mark.parametrize("locale, name, live", [("en-US", "Thinking", "thinking …"),
                                                ("ko-KR", "생각", "생각하는 중 …")])
def test_what_a_model_thinks_is_folded_streams_and_is_there_after_a_reload(
        person, world, author, locale, name, live):
    screen = person(world.url, locale=locale, bypass_csp=True)
    question = f"Deep? {locale}"
    script = author.on(question).say(think("First **this**"))
    screen.ask(question)
    summary = screen.answer().locator("summary")
    expect(summary).to_contain_text(name)
    expect(summary).to_contain_text(live)
    expect(thoughts(screen)).to_be_hidden()
    summary.focus()
    screen.page.keyboard.press("Enter")
    expect(thoughts(screen)).to_have_text("First this")
    script.say(think(", then that."))
    expect(thoughts(screen)).to_have_text("First this, then that.")
    expect(thoughts(screen).locator("strong")).to_have_text("this")
    assert faults(screen.page) == []
    script.say("So ")
    expect(screen.answer().locator(":scope > .markdown")).to_have_text("So")
    expect(summary).not_to_contain_text(live)
    expect(summary).to_be_focused()
    script.say("it is.").end()
    expect(screen.answer()).to_have_attribute("aria-busy", "false")
    expect(screen.page.get_by_role("status").last).not_to_contain_text("First")
    screen.conversation_id()
    screen.page.reload()
    expect(screen.answer().locator(":scope > .markdown")).to_have_text("So it is.")
    expect(thoughts(screen)).to_be_hidden()
    screen.answer().locator("summary").click()
    expect(thoughts(screen)).to_have_text("First this, then that.")


@pytest.mark.parametrize("locale, told", [("en-US", "The model does not answer this."),
                                          ("ko-KR", "모델이 답변을 거절했습니다.")])
def test_a_refusal_is_no_answer_and_says_so(person, world, author, locale, told):
    screen = person(world.url, locale=locale, bypass_csp=True)
    question = f"Do harm? {locale}"
    script = author.on(question).say({"refusal": "I would "})
    screen.ask(question)
    refusal = screen.answer().locator(".refusal")
    expect(refusal).to_have_text(f"{told} I would")
    script.say({"refusal": "rather not."}).end()
    expect(refusal).to_have_text(f"{told} I would rather not.")
    expect(screen.answer()).to_have_attribute("aria-busy", "false")
    expect(screen.page.get_by_role("status").filter(has_text="I would rather not.")).to_have_count(1)
    assert faults(screen.page) == []
    screen.conversation_id()
    screen.page.reload()
    expect(refusal).to_have_text(f"{told} I would rather not.")


def test_a_job_is_shown_with_what_was_said_beside_its_answer(screen, world, author):
    author.on("Aside").say(think("By the way."), "Here.").end()
    job = web.post(f"{world.url}/v1/jobs", json={"input": "Aside"}).json()["id"]
    page = screen.tab(f"/#/jobs/{job}")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Here.")
    dialog.locator("summary").click()
    expect(dialog.locator(".thoughts")).to_have_text("By the way.")
