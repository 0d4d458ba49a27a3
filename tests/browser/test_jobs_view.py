"""The jobs view and the queue view."""

import pytest
from playwright.sync_api import expect
from world import web


def row(page, job):
    return page.get_by_role("row").filter(has=page.get_by_title(job))


def submit(world, question, **fields):
    answer = web.post(f"{world.url}/v1/jobs", json={"input": question} | fields)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_a_job_is_watched_and_cancelled(visitor, place, author):
    author.on("A long job").say("Words ")
    job = submit(place, "A long job")
    page = visitor.tab("/#/jobs")
    expect(row(page, job)).to_contain_text("Running")
    page.get_by_title(job).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Words")
    author.on("A long job").say("and more")
    expect(dialog).to_contain_text("Words and more")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    row(page, job).get_by_role("button", name="Cancel").click()
    expect(row(page, job)).to_contain_text("Cancelled")
    assert place.job(job)["status"] == "cancelled"
    author.on("A long job").end()


def test_a_failed_job_is_run_again_as_a_new_one(visitor, place, author):
    script = author.on("Fail once").refuse(400)
    job = submit(place, "Fail once")
    page = visitor.tab("/#/jobs")
    page.get_by_role("button", name="Failed", exact=True).click()
    expect(row(page, job)).to_contain_text("Failed")
    script.refuse(200).say("It went.").end()
    row(page, job).get_by_role("button", name="Run again").click()
    expect(row(page, job)).to_contain_text("Runs again as a new job")
    page.get_by_role("button", name="Done", exact=True).click()
    [again] = [each["id"] for each in web.get(f"{place.url}/v1/jobs").json()["data"]
               if place.job(each["id"])["metadata"] == {"redriven_from": job}]
    expect(row(page, again)).to_contain_text("Done")
    page.get_by_title(again).click()
    expect(page.get_by_role("dialog")).to_contain_text("It went.")


def test_the_filters_show_what_stands_so(visitor, place):
    job = submit(place, "Quickly done")
    place.wait_end(job)
    page = visitor.tab("/#/jobs")
    expect(row(page, job)).to_contain_text("Done")
    page.get_by_role("button", name="Cancelled", exact=True).click()
    expect(row(page, job)).to_have_count(0)
    expect(page.get_by_role("button", name="Cancelled", exact=True)).to_have_attribute(
        "aria-pressed", "true")


def test_the_queue_view_follows_the_queue(visitor, place, author):
    author.on("Hold the queue").say("…")
    page = visitor.tab("/#/queue")
    waiting = page.get_by_role("heading", name="Waiting or running").locator("xpath=../p[1]")
    expect(waiting).to_have_text("0")
    jobs = [submit(place, "Hold the queue") for _ in range(3)]
    expect(waiting).to_have_text("3")
    expect(page.get_by_role("img")).to_have_attribute("aria-label", "Jobs in the queue over the "
                                                      "last three minutes: 3 now, at most 3")
    expect(page.get_by_text("in order")).to_have_count(3)
    author.on("Hold the queue").end()
    for job in jobs:
        place.wait_end(job)
    expect(waiting).to_have_text("0")
    finished = page.get_by_role("heading", name="Finished").locator("xpath=../p[1]")
    expect(finished).not_to_have_text("0")


def test_tools_that_a_model_wants_run_are_shown_with_the_answer(screen, world, author):
    call = {"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Seoul"}'}}
    author.on("Is it raining?").say("I shall look. ", {"tool_calls": [call]}).end()
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    answer = web.post(f"{world.url}/v1/chat/completions", json={
        "model": "author", "tools": [tool],
        "messages": [{"role": "user", "content": "Is it raining?"}]})
    job = answer.json()["id"].removeprefix("chatcmpl-")
    page = screen.tab("/#/jobs")
    page.get_by_title(job).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("I shall look.")
    expect(dialog).to_contain_text("for the client to run")
    dialog.get_by_text("weather").click()
    expect(dialog.locator(".tool pre")).to_have_text('{"city": "Seoul"}')


def test_a_job_has_an_address_and_the_way_back_leads_to_the_list(screen, world):
    job = submit(world, "Find me")
    world.wait_end(job)
    page = screen.tab("/#/jobs")
    link = page.get_by_title(job)
    link.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You said: Find me")
    expect(dialog.get_by_role("heading", name=job)).to_be_visible()
    assert page.url.endswith(f"/#/jobs/{job}")
    page.go_back()
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    page.go_forward()
    expect(dialog).to_contain_text("You said: Find me")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.wait_for_url("**/#/jobs")
    direct = screen.tab(f"/#/jobs/{job}")
    expect(direct.get_by_role("dialog")).to_contain_text("Done")
    direct.get_by_role("button", name="Close", exact=True).click()
    direct.wait_for_url("**/#/jobs")
    expect(direct.get_by_title(job)).to_be_visible()


@pytest.mark.parametrize("name", ["0190b5f0-0000-7000-8000-000000000000", "nonsense"])
def test_a_job_that_is_not_there_is_told_from_one_without_words(screen, name):
    page = screen.tab(f"/#/jobs/{name}")
    expect(page.get_by_role("dialog").locator(".problem")).to_be_visible()
    page.keyboard.press("Escape")
    page.wait_for_url("**/#/jobs")


def test_jobs_of_one_moment_are_told_apart_and_copied_whole(screen, world):
    job = submit(world, "Copy me")
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = screen.tab("/#/jobs")
    link = page.get_by_title(job)
    expect(link).to_have_accessible_name(f"Job {job[-8:]}")
    link.evaluate("""each => {
      const range = document.createRange();
      range.selectNodeContents(each);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand('copy');
    }""")
    assert page.evaluate("navigator.clipboard.readText()") == job
    link.click()
    page.get_by_role("button", name="Copy the id").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == job
