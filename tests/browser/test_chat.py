"""A conversation in the page: sent, streamed, stopped, asked again, kept."""

import pytest
from line import Line
from playwright.sync_api import expect
from world import web


def messages(world, session):
    return web.get(f"{world.url}/api/sessions/{session}/messages?limit=1000").json()["messages"]


def test_an_answer_is_read_while_it_is_written(visitor, author):
    script = author.on("Count slowly.").say("One, ")
    visitor.ask("Count slowly.")
    expect(visitor.answer().locator(".markdown")).to_have_text("One,")
    expect(visitor.answer()).to_have_attribute("aria-busy", "true")
    script.say("two, ")
    expect(visitor.answer().locator(".markdown")).to_have_text("One, two,")
    script.say("three.").end()
    visitor.words("One, two, three.")
    expect(visitor.page.get_by_role("status").filter(has_text="One, two, three.")).to_have_count(1)


def test_a_reload_in_mid_stream_loses_and_repeats_nothing(visitor, author):
    script = author.on("A tale").say("Once ", "upon ")
    visitor.ask("A tale")
    expect(visitor.answer().locator(".markdown")).to_have_text("Once upon")
    visitor.conversation_id()
    visitor.page.reload()
    expect(visitor.answer().locator(".markdown")).to_have_text("Once upon")
    script.say("a ", "time.").end()
    visitor.words("Once upon a time.")
    visitor.page.reload()
    visitor.words("Once upon a time.")
    expect(visitor.questions()).to_have_count(1)
    assert script.asked == 1


def test_a_cut_line_is_told_and_the_answer_goes_on_by_itself(person, place, author):
    with Line(place.url) as line:
        screen = person(line.url)
        script = author.on("Through the storm?").say("Before ")
        screen.ask("Through the storm?")
        expect(screen.answer().locator(".markdown")).to_have_text("Before")
        line.cut()
        expect(screen.page.get_by_text("No connection.")).to_be_in_viewport()
        script.say("the storm ").say("and after.").end()
        line.mend()
        screen.words("Before the storm and after.")
        expect(screen.page.get_by_text("No connection.")).to_have_count(0)


@pytest.mark.parametrize("locale, told, again", [
    ("en-US", "No connection.", "Connected again."), ("ko-KR", "연결이 끊겼습니다.", "다시 연결되었습니다.")])
def test_a_small_screen_says_by_the_message_box_that_there_is_no_connection(
        person, world, locale, told, again):
    screen = person(world.url, locale=locale, viewport={"width": 360, "height": 700})
    state = screen.page.get_by_role("status").filter(has_text=told)
    box = screen.page.locator("#message")
    screen.context.set_offline(True)
    expect(state).to_be_in_viewport(ratio=1)
    assert abs(state.bounding_box()["y"] - box.bounding_box()["y"]) < 100
    assert screen.overflow() <= 0
    screen.context.set_offline(False)
    expect(state).to_have_count(0)
    expect(screen.page.get_by_role("status").filter(has_text=again)).to_have_count(1)


def test_a_view_whose_numbers_stand_still_says_why(person, world):
    with Line(world.url) as line:
        page = person(line.url).tab("/#/jobs")
        expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
        line.cut()
        expect(page.get_by_text("No connection.")).to_be_in_viewport()
        line.mend()
        expect(page.get_by_text("No connection.")).to_have_count(0)


def test_a_question_asked_without_a_network_is_sent_once_when_it_is_back(visitor, place):
    visitor.ask("First")
    visitor.words("You said: First")
    session = visitor.conversation_id()
    visitor.context.set_offline(True)
    visitor.ask("Second")
    expect(visitor.answer()).to_contain_text("Not sent yet")
    visitor.context.set_offline(False)
    visitor.words("You said: Second")
    assert [each["content"] for each in messages(place, session) if each["role"] == "user"] == [
        "First", "Second"]


def test_a_question_on_its_way_outlives_the_page(person, world):
    with Line(world.url) as line:
        screen = person(line.url)
        expect(screen.page.locator("#message")).to_be_focused()
        line.cut()
        screen.ask("Is anybody there?")
        expect(screen.answer()).to_contain_text("Not sent yet")
        line.mend()
        screen.page.reload()
        screen.words("You said: Is anybody there?")
        session = screen.conversation_id()
        assert [each["role"] for each in messages(world, session)] == ["user", "assistant"]


def slow_down(screen, latency_ms):
    network = screen.context.new_cdp_session(screen.page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1})


def asked(world, session):
    return [each["content"] for each in messages(world, session) if each["role"] == "user"]


def test_three_questions_on_a_slow_line_make_one_conversation_in_their_order(screen, world):
    slow_down(screen, 400)
    for text in ("One", "Two", "Three"):
        screen.ask(text)
    expect(screen.questions()).to_have_count(3)
    screen.words("You said: Three")
    assert asked(world, screen.conversation_id()) == ["One", "Two", "Three"]
    expect(screen.page.get_by_role("button", name="Rename")).to_have_count(1)


def test_a_reload_on_a_slow_line_while_questions_are_sent_loses_and_repeats_none(screen, world):
    expect(screen.page.locator("#message")).to_be_focused()
    slow_down(screen, 400)
    for text in ("One", "Two", "Three"):
        screen.ask(text)
    screen.page.reload()
    expect(screen.questions()).to_have_count(3)
    screen.words("You said: Three")
    assert asked(world, screen.conversation_id()) == ["One", "Two", "Three"]
    expect(screen.questions()).to_have_count(3)


def test_who_looks_elsewhere_while_a_question_is_sent_finds_it_answered(screen, world):
    slow_down(screen, 400)
    page = screen.page
    screen.ask("Elsewhere")
    page.get_by_role("link", name="Queue").click()
    page.get_by_role("link", name="Elsewhere", exact=True).wait_for()
    page.wait_for_url("**/#/queue")
    page.get_by_role("link", name="Elsewhere", exact=True).click()
    screen.words("You said: Elsewhere")
    assert asked(world, screen.conversation_id()) == ["Elsewhere"]
    expect(screen.questions()).to_have_count(1)


def test_a_second_tab_leaves_a_new_conversation_to_the_first(screen, world):
    slow_down(screen, 1000)
    screen.ask("Mine alone")
    other = screen.tab()
    expect(other.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    screen.words("You said: Mine alone")
    expect(screen.questions(other)).to_have_count(0)
    expect(other.get_by_role("button", name="Rename: Mine alone")).to_have_count(1)


def test_the_end_stays_in_sight_while_the_message_box_grows(person, world):
    screen = person(world.url, viewport={"width": 360, "height": 640})
    screen.ask("물레방아는 어떻게 도나요? " * 40)
    expect(screen.answer()).to_have_attribute("aria-busy", "false")
    screen.page.locator("#message").fill("긴 글을 한꺼번에 붙여 넣습니다. " * 60)
    copy = screen.answer().get_by_role("button", name="Copy")
    expect(copy).to_be_in_viewport(ratio=1)
    assert copy.bounding_box()["y"] < screen.page.locator(".composer").bounding_box()["y"]


def test_korean_is_asked_answered_and_spoken_by_the_page(person, world, author):
    screen = person(world.url, locale="ko-KR")
    assert screen.page.locator("html").get_attribute("lang") == "ko"
    author.on("물레방아는 어떻게 도나요?").say("물이 ", "바퀴를 ", "**돌립니다**.").end()
    screen.ask("물레방아는 어떻게 도나요?")
    screen.words("물이 바퀴를 돌립니다.")
    expect(screen.answer().locator("strong")).to_have_text("돌립니다")
    expect(screen.page.get_by_role("link", name="새 대화")).to_be_visible()
    assert "물레방아는" in screen.page.title()


def test_enter_that_ends_a_syllable_sends_nothing(screen):
    box = screen.page.locator("#message")
    box.fill("안녕")
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(box).to_have_value("안녕")
    box.press("Shift+Enter")
    expect(box).to_have_value("안녕\n")
    expect(screen.questions()).to_have_count(0)


def test_stop_ends_the_job_and_keeps_what_was_said(visitor, place, author):
    script = author.on("Talk for ever.").say("Well, ")
    visitor.ask("Talk for ever.")
    expect(visitor.answer().locator(".markdown")).to_have_text("Well,")
    visitor.page.get_by_role("button", name="Stop the answer").click()
    expect(visitor.answer()).to_have_attribute("aria-busy", "false")
    expect(visitor.answer()).to_contain_text("Stopped")
    expect(visitor.answer().locator(".markdown")).to_have_text("Well,")
    expect(visitor.page.get_by_role("button", name="Stop the answer")).to_be_hidden()
    # A closed socket is noticed at the second write.
    place.wait_until(lambda: script.say("on and ").was_left(), 10, "the model's server was not left")
    script.end()


def test_what_failed_says_why_and_can_be_asked_again(visitor, author):
    script = author.on("Will you?").refuse(400)
    visitor.ask("Will you?")
    expect(visitor.answer()).to_contain_text("No answer")
    expect(visitor.answer()).to_contain_text("The author refuses.")
    visitor.conversation_id()
    visitor.page.reload()
    expect(visitor.answer()).to_contain_text("The author refuses.")
    script.refuse(200).say("Now I will.").end()
    visitor.answer().get_by_role("button", name="Ask again").click()
    visitor.words("Now I will.")
    for look in (lambda: None, visitor.page.reload):
        look()
        visitor.words("Now I will.")
        expect(visitor.questions()).to_have_count(1)
        expect(visitor.page.get_by_text("The author refuses.")).to_have_count(0)


def test_asked_again_and_again_it_is_one_question_in_every_tab(screen, author):
    script = author.on("Now?").refuse(400)
    screen.ask("Now?")
    expect(screen.answer()).to_contain_text("The author refuses.")
    other = screen.tab(f"/#/c/{screen.conversation_id()}")
    expect(screen.answer(other)).to_contain_text("The author refuses.")
    again = screen.answer().get_by_role("button", name="Ask again")
    again.dblclick()
    expect(screen.answer()).to_contain_text("The author refuses.")
    script.refuse(200).say("Yes.").end()
    again.press("Enter")
    assert screen.page.evaluate("document.activeElement.id") == "message"
    for page in (screen.page, other):
        expect(screen.answer(page).locator(".markdown")).to_have_text("Yes.")
        expect(screen.questions(page)).to_have_count(1)
    assert script.asked == 3


def test_a_stopped_answer_stays_when_its_question_is_asked_again(screen, author):
    script = author.on("Tell me twice").say("Half an ")
    screen.ask("Tell me twice")
    expect(screen.answer().locator(".markdown")).to_have_text("Half an")
    screen.page.get_by_role("button", name="Stop the answer").click()
    expect(screen.answer()).to_contain_text("Stopped")
    script.say("answer").end()
    screen.answer().get_by_role("button", name="Ask again").click()
    screen.words("Half an answer")
    expect(screen.questions()).to_have_count(2)


def test_questions_asked_while_an_answer_is_written_wait_their_turn(screen, author):
    first, second = author.on("One?").say("1"), author.on("Two?").say("2").end()
    screen.ask("One?")
    expect(screen.answer().locator(".markdown")).to_have_text("1")
    screen.ask("Two?")
    expect(screen.answers()).to_have_count(2)
    expect(screen.answer()).to_contain_text("Waiting in the queue")
    assert second.asked == 0
    first.end()
    screen.words("2")


def test_conversations_are_kept_renamed_and_deleted(screen, world):
    page = screen.page
    side = page.get_by_role("navigation", name="Conversations")
    screen.ask("About bread")
    screen.words("You said: About bread")
    bread = screen.conversation_id()
    side.get_by_role("link", name="New conversation").click()
    expect(screen.questions()).to_have_count(0)
    screen.ask("About water")
    screen.words("You said: About water")
    page.reload()
    expect(side.get_by_role("listitem")).to_have_count(2)
    side.get_by_role("link", name="About bread").click()
    screen.words("You said: About bread")

    side.get_by_role("button", name="Rename: About bread").click()
    page.get_by_role("textbox", name="Name").fill("Loaves")
    page.get_by_role("button", name="Save").click()
    expect(side.get_by_role("link", name="Loaves")).to_be_visible()
    page.reload()
    side.get_by_role("button", name="Delete: Loaves").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(side.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("heading", name="What is on your mind?")).to_be_visible()
    assert web.get(f"{world.url}/api/sessions/{bread}").status_code == 404


def test_a_conversation_that_has_gone_says_so(screen):
    page = screen.tab("/#/c/no-such-conversation")
    expect(page.get_by_text("This conversation has expired or was deleted.")).to_be_visible()
    expect(page.locator("#message")).to_be_disabled()


@pytest.mark.parametrize("locale, ask, gone", [
    ("en-US", "Ask it in a new conversation", "This conversation has expired or was deleted."),
    ("ko-KR", "새 대화로 질문하기", "만료되었거나 삭제된 대화입니다.")])
def test_a_message_to_a_deleted_conversation_goes_on_into_a_new_one(
        person, world, locale, ask, gone):
    screen = person(world.url, locale=locale)
    page = screen.page
    screen.ask("Before")
    screen.words("You said: Before")
    session = screen.conversation_id()
    assert web.delete(f"{world.url}/api/sessions/{session}").status_code == 200
    screen.ask("A long and careful message")
    expect(page.get_by_role("heading", name=gone)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=gone)).to_have_count(1)
    expect(page.locator("#message")).to_have_value("A long and careful message")
    page.reload()
    expect(page.locator("#message")).to_have_value("A long and careful message")
    page.get_by_role("button", name=ask).click()
    screen.words("You said: A long and careful message")
    fresh = screen.conversation_id()
    assert fresh != session
    assert [each["content"] for each in messages(world, fresh) if each["role"] == "user"] == [
        "A long and careful message"]
    expect(page.locator("#message")).to_have_value("")


def test_what_waited_for_the_network_is_given_back_when_its_conversation_has_gone(person, world):
    with Line(world.url) as line:
        screen = person(line.url)
        screen.ask("Before")
        screen.words("You said: Before")
        session = screen.conversation_id()
        line.cut()
        for text in ("One", "Two"):
            screen.ask(text)
            expect(screen.answer()).to_contain_text("Not sent yet")
        web.delete(f"{world.url}/api/sessions/{session}")
        line.mend()
        expect(screen.page.locator("#message")).to_have_value("One\n\nTwo")


def test_what_is_being_written_outlives_a_look_elsewhere_and_a_reload(screen):
    page = screen.page
    page.locator("#message").fill("A draft")
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    page.go_back()
    expect(page.locator("#message")).to_have_value("A draft")
    page.reload()
    expect(page.locator("#message")).to_have_value("A draft")
    page.locator("#message").press("Enter")
    screen.words("You said: A draft")
    page.reload()
    screen.words("You said: A draft")
    expect(page.locator("#message")).to_have_value("")


def test_the_heading_says_which_conversation_is_open(screen):
    page = screen.page
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("New conversation")
    screen.ask("What about headings?")
    screen.words("You said: What about headings?")
    expect(heading).to_have_text("What about headings?")
    page.get_by_role("button", name="Rename: What about headings?").click()
    page.get_by_role("textbox", name="Name").fill("Headings")
    page.get_by_role("button", name="Save").click()
    expect(heading).to_have_text("Headings")


@pytest.mark.parametrize("address", ["#/nope", "#/c/", "#/c/a%20b", "#/queue/1", "#jobs"])
def test_an_address_that_leads_nowhere_says_so(screen, address):
    page = screen.tab(f"/{address}")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="New conversation").click()
    expect(page.locator("#message")).to_be_focused()


def test_chatbot_html_leads_to_the_page(screen):
    page = screen.tab("/chatbot.html")
    expect(page.locator("#message")).to_be_visible()
    assert page.url == f"{screen.url}/"
