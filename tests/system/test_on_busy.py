"""What becomes of a session's jobs when another comes: `on_busy`, on the native routes and in
conversations."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from test_conversations import messages, session, talking, told
from world import web

pytestmark = pytest.mark.every_store

MODEL = "sim-5ms-400tok-5gap"  # two seconds, where nobody asks for less


@pytest.fixture
def talk(empty_world):
    empty_world.settings["MODEL_ID"] = MODEL
    return empty_world.inhabit()


def post(world, session_id, on_busy, **fields):
    return world.post({"input": "x", "model": MODEL, "session": session_id, "on_busy": on_busy}
                      | fields)


def long_job(world, session_id):
    """One that runs, and would for two seconds."""
    job = post(world, session_id, "enqueue", max_tokens=400).json()["id"]
    world.wait_until(lambda: world.job(job)["status"] == "running", 20, "it does not run")
    return job


def test_a_busy_session_rejects_and_an_idle_one_takes(talk):
    first = long_job(talk, "s")
    answer = post(talk, "s", "reject")
    assert answer.status_code == 409 and answer.headers["x-should-retry"] == "false"
    assert answer.json()["code"] == "session_busy"
    assert post(talk, "another", "reject").status_code == 202
    assert talk.cancel(first).status_code == 200
    assert post(talk, "s", "reject").status_code == 202


def test_of_many_that_reject_at_once_one_is_taken(talk):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(
        post(talk, "s", "reject", max_tokens=400).status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [202] + [409] * 7


def test_an_interrupt_ends_what_runs_and_what_waits(talk):
    running = long_job(talk, "s")
    waiting = post(talk, "s", "enqueue").json()["id"]
    talk.follow(running).wait_for(5, "delta")
    next_one = post(talk, "s", "interrupt", max_tokens=5).json()["id"]
    assert [talk.job(job)["status"] for job in (running, waiting)] == ["cancelled"] * 2
    assert talk.wait_end(next_one)["status"] == "succeeded"
    assert talk.job(running)["result"]["text"]


def test_steer_is_for_later_and_a_session_is_needed(talk):
    answer = post(talk, "s", "steer")
    assert answer.status_code == 400 and "agents" in answer.json()["detail"]
    answer = talk.post({"input": "x", "on_busy": "interrupt"})
    assert answer.status_code == 400 and answer.json()["field"] == "/on_busy"


def test_an_interrupted_answer_is_kept_and_marked_and_its_client_told(talk):
    made = session(talk)["session_id"]
    with talking(talk, made, "긴 이야기를 해줘", max_new_tokens=400) as first:
        first.read(10)
        second = told(talk, made, "그만, 짧게!", on_busy="interrupt", max_new_tokens=5)
        first.read()
    assert first.events[-1]["type"] == "error" and first.events[-1]["code"] == "interrupted"
    question, partial, again, answer = messages(talk, made)
    assert question["content"] == "긴 이야기를 해줘" and again["content"] == "그만, 짧게!"
    assert partial["status"] == "interrupted" and partial["content"].startswith(first.text()[:20])
    assert answer["content"] == second.events[-1]["content"] and answer["status"] == "complete"
    # What had been said went to the model.
    assert second.events[-1]["token_usage"]["prompt_tokens"] > 10


def test_a_rolled_back_turn_was_never_said(talk):
    made = session(talk)["session_id"]
    told(talk, made, "하나", max_new_tokens=3)
    with talking(talk, made, "아니 이거", max_new_tokens=400) as wrong:
        wrong.read(5)
        right = told(talk, made, "이거", on_busy="rollback", max_new_tokens=5)
        wrong.read()
    assert wrong.events[-1]["code"] == "interrupted"
    assert [m["content"] for m in messages(talk, made)][2:] == [
        "이거", right.events[-1]["content"]]


def test_a_rejected_message_is_not_kept(talk):
    made = session(talk)["session_id"]
    with talking(talk, made, "긴 이야기", max_new_tokens=400) as first:
        first.read(3)
        answer = web.post(f"{talk.url}/api/chat", json={"session_id": made, "message": "지금?",
                                                        "on_busy": "reject"})
        assert answer.status_code == 409 and answer.headers["x-should-retry"] == "false"
        assert "has a job that has not ended" in answer.json()["detail"]
        assert [m["content"] for m in messages(talk, made)] == ["긴 이야기"]


@pytest.mark.servers("one process loses no log")
def test_after_the_loss_of_the_log_a_session_is_idle(talk):
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    waits = post(talk, "s", "enqueue", not_before=later)
    assert waits.status_code == 202, waits.text
    assert post(talk, "s", "reject").status_code == 409
    talk.redis.flush()
    assert post(talk, "s", "reject").status_code == 202
