"""Sessions, and what is said in them: the routes of the chatbot's clients."""

import contextlib
import json
import re
import secrets
import threading
from decimal import Decimal

import httpx
import pytest
from world import web

pytestmark = pytest.mark.every_store

MODEL = "sim-5ms-20tok-1gap"


@pytest.fixture
def talk(empty_world):
    empty_world.settings["MODEL_ID"] = MODEL
    return empty_world.inhabit()


def session(world, **body):
    made = web.post(f"{world.url}/api/sessions", json=body)
    assert made.status_code == 200, made.text
    return made.json()


def chat(world, session_id, message, headers=None, **fields):
    return web.post(f"{world.url}/api/chat", json={"session_id": session_id, "message": message}
                    | fields, headers=headers, timeout=60)


def messages(world, session_id, **params):
    answer = web.get(f"{world.url}/api/sessions/{session_id}/messages", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["messages"]


def test_a_conversation_from_its_beginning_to_its_end(talk):
    made = session(talk, metadata={"user_id": "예"})
    assert set(made) == {"session_id", "created_at", "last_accessed", "metadata"}
    assert made["metadata"] == {"user_id": "예"}
    url = f"{talk.url}/api/sessions/{made['session_id']}"
    shown = web.get(url).json()
    assert shown["created_at"] == made["created_at"] and shown["metadata"] == made["metadata"]
    first = chat(talk, made["session_id"], "안녕하세요!", max_new_tokens=5, temperature=0.7,
                 do_sample=True)
    assert first.status_code == 200, first.text
    said = first.json()
    assert set(said) == {"content", "session_id", "message_id", "token_usage"}
    assert said["session_id"] == made["session_id"] and said["content"]
    assert said["token_usage"]["completion_tokens"] == 5
    second = chat(talk, made["session_id"], "And then?").json()
    found = messages(talk, made["session_id"])
    assert [(m["role"], m["content"]) for m in found] == [
        ("user", "안녕하세요!"), ("assistant", said["content"]),
        ("user", "And then?"), ("assistant", second["content"])]
    assert [m["message_id"] for m in found][1::2] == [said["message_id"], second["message_id"]]
    assert found[1]["token_usage"] == said["token_usage"]
    assert [m["content"] for m in messages(talk, made["session_id"], limit=1)] == [second["content"]]
    assert web.delete(url).json() == {"session_id": made["session_id"], "deleted": True}
    for gone in (web.get(url), web.delete(url), web.get(f"{url}/messages"),
                 chat(talk, made["session_id"], "?")):
        assert gone.status_code == 404
        assert gone.json() == {"detail": f"Session {made['session_id']} not found"}


def test_what_was_said_in_a_deleted_session_is_nowhere_any_more(empty_world):
    empty_world.settings["MODEL_ID"] = "sim-5ms-2000tok-5gap"
    talk = empty_world.inhabit()
    made, stays = (session(talk)["session_id"] for _ in range(2))
    question = f"비밀 {secrets.token_hex(8)}"
    ended = told(talk, made, question, max_new_tokens=5)
    other = told(talk, stays, "another", max_new_tokens=5)
    beside = talk.wait_end(talk.submit(MODEL, session=made))
    with talking(talk, made, f"{question}!") as running:
        running.read(3)
        assert web.delete(f"{talk.url}/api/sessions/{made}").status_code == 200
        running.read()
    assert running.events[-1]["code"] == "interrupted"
    for job, state in ((ended.job, "succeeded"), (running.job, "cancelled")):
        shown = talk.job(job)
        assert shown["status"] == state and question not in json.dumps(shown, ensure_ascii=False)
        assert not shown["result"] or not shown["result"]["text"]
        for path in (f"/v1/jobs/{job}/events", f"/api/chat/stream/{job}"):
            body = web.get(talk.url + path).text
            assert '"delta"' not in body and ended.text() not in body, path
    assert talk.rows(f"SELECT id FROM jobs WHERE envelope LIKE '%{question}%' OR answer <> ''"
                     f" AND envelope NOT LIKE '%another%' AND session = '{made}'"
                     " AND envelope LIKE '%\"context\"%'") == []
    assert talk.rows("SELECT id FROM jobs WHERE unkept = 1") == []
    assert talk.job(beside["id"])["result"] == beside["result"], "no turn of it"
    assert messages(talk, stays)[1]["content"] == other.text()
    assert talk.job(other.job)["result"]["text"] == other.text()


def test_a_question_that_failed_is_marked_and_not_sent_to_the_model_again(talk):
    made = session(talk)["session_id"]
    first = chat(talk, made, "one").json()
    failed = web.post(f"{talk.url}/api/chat", json={"session_id": made, "message": "two"},
                      headers={"Prefer": "respond-async"}).json()
    assert web.post(f"{talk.url}/v1/jobs/{failed['job_id']}/cancel").status_code == 200
    talk.wait_end(failed["job_id"])
    found = messages(talk, made)
    cut = found[2:]
    assert cut[-1]["status"] == "interrupted", found
    again = chat(talk, made, "two").json()
    assert again["token_usage"]["prompt_tokens"] > first["token_usage"]["prompt_tokens"]
    assert messages(talk, made)[-1]["content"] == again["content"]


def test_what_was_said_before_goes_to_the_model(talk):
    made = session(talk)
    first = chat(talk, made["session_id"], "one").json()
    second = chat(talk, made["session_id"], "two").json()
    assert second["token_usage"]["prompt_tokens"] > first["token_usage"]["prompt_tokens"]


def test_older_messages_go_to_the_model_as_a_summary_that_grows(empty_world):
    world = empty_world
    world.settings["MODEL_ID"] = MODEL
    world.inhabit(MAX_CONTEXT_MESSAGES=3, CONTEXT_COMPRESSION="on")
    made = session(world)["session_id"]

    def summary():
        return world.rows("SELECT summary_upto || '|' || summary FROM sessions")[0].split("|")

    first, second = (chat(world, made, said).json() for said in ("one", "two"))
    assert summary() == ["", ""] and asked_in_all(world) == 2, "all of it went to the model as said"
    third = chat(world, made, "three").json()
    upto, text = summary()
    assert upto == first["message_id"] and text and asked_in_all(world) == 4
    words = third["token_usage"]["prompt_tokens"] - second["token_usage"]["prompt_tokens"]
    assert words > 15, "the model was told the summary beside the last turn"
    chat(world, made, "four")
    assert summary()[0] == second["message_id"] and summary()[1] != text
    assert asked_in_all(world) == 6
    assert len(messages(world, made)) == 8, "what was said stays as it was"


def asked_in_all(world):
    return sum(job["requests"] for job in world.simulated()["jobs"].values())


def test_a_message_that_did_not_wait_for_the_last_answer_sees_it(talk):
    made = session(talk)["session_id"]
    with talking(talk, made, "긴 이야기", max_new_tokens=60) as first:
        first.read(3)
        second = told(talk, made, "그래서?", max_new_tokens=5)
        first.read()
    assert first.events[-1]["type"] == "done"
    said = first.events[-1]["token_usage"]
    seen = second.events[-1]["token_usage"]["prompt_tokens"]
    assert seen > said["prompt_tokens"] + said["completion_tokens"] - 10
    assert [m["content"] for m in messages(talk, made)] == [
        "긴 이야기", first.events[-1]["content"], "그래서?", second.events[-1]["content"]]


def test_a_retry_under_the_same_key_is_one_turn(talk):
    made = session(talk)["session_id"]
    key = {"Idempotency-Key": secrets.token_hex(8)}
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(chat(talk, made, "once", key)))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers]
    assert len({answer.text for answer in answers}) == 1
    assert len(messages(talk, made)) == 2
    assert chat(talk, made, "another", key).status_code == 422
    assert len(messages(talk, made)) == 2


def test_an_answer_comes_though_the_worker_was_killed(talk):
    made = session(talk)["session_id"]
    answers = []

    def ask():
        with contextlib.suppress(httpx.TransportError):  # in one process it is the edge that goes
            answers.append(chat(talk, made, "a long one", {"Idempotency-Key": "k"},
                                max_new_tokens=200))

    asking = threading.Thread(target=ask)
    asking.start()
    talk.wait_until(lambda: len(messages(talk, made)) > 0, 20, "the question is not kept")
    talk.kill_worker()
    asking.join()
    again = chat(talk, made, "a long one", {"Idempotency-Key": "k"}, max_new_tokens=200)
    assert again.status_code == 200, again.text
    found = messages(talk, made)
    assert [m["role"] for m in found] == ["user", "assistant"]
    assert found[1]["content"] == again.json()["content"]


def test_the_history_has_each_turn_with_its_tokens_and_its_cost(empty_world):
    world = empty_world
    world.settings["MODEL_ID"] = MODEL
    priced = world.inhabit(MODEL_PRICES="sim-*=0.15/0.6, other=1/1")
    made = session(priced)["session_id"]
    usage = chat(priced, made, "What does this cost?").json()["token_usage"]
    [row] = world.rows("SELECT session_id || '|' || user_message || '|' || CAST(tools_used AS TEXT)"
                       " || '|' || model_used || '|' || tokens_used || '|' || cost FROM chat_history")
    *words, tokens, cost = row.split("|")
    assert words == [made, "What does this cost?", "[]", MODEL]
    assert int(tokens) == usage["total_tokens"]
    assert Decimal(cost) == (usage["prompt_tokens"] * Decimal("0.15")
                             + usage["completion_tokens"] * Decimal("0.6")) / 10**6
    world.replace_worker(MODEL_PRICES="other=1/1")
    chat(priced, made, "And now?")
    assert world.rows("SELECT cost IS NULL FROM chat_history WHERE user_message = 'And now?'") \
        in ([1], ["t"]), "an unknown price is not made up"


def store_rows(world):
    text = web.get(f"{world.url}/metrics").text
    return re.search(r"^millrace_store_rows_total (\S+)", text, re.MULTILINE)[1]


def test_a_session_is_remembered_by_every_edge_and_forgotten_when_it_is_deleted(talk):
    talk.grow()
    made = session(talk, metadata={"user_id": "예"})
    path = f"/api/sessions/{made['session_id']}"
    one, other = talk.edges[0].url, talk.edges[-1].url
    assert web.get(other + path).json()["metadata"] == made["metadata"]
    before = store_rows(talk)
    for _ in range(3):
        shown = web.get(one + path).json()
        assert shown["metadata"] == made["metadata"] and shown["created_at"] == made["created_at"]
    assert store_rows(talk) == before, "the Store was not asked"
    if talk.gaps:
        talk.redis.flush()
        assert web.get(one + path).json()["metadata"] == made["metadata"]
    assert web.delete(one + path).status_code == 200
    assert [web.get(url + path).status_code for url in (one, other)] == [404, 404]


def test_sessions_expire(empty_world):
    world = empty_world.inhabit(SESSION_TIMEOUT_HOURS=2 / 3600)
    made = session(world)["session_id"]
    url = f"{world.url}/api/sessions/{made}"
    assert web.get(url).status_code == 200
    world.wait_until(lambda: web.get(f"{url}/messages").status_code == 404, 20, "it does not expire")
    assert web.get(url).status_code == 404


def test_a_session_may_be_made_for_a_user(talk):
    made = web.post(f"{talk.url}/api/session/create", json={"user_id": "me"}).json()
    assert set(made) == {"session_id", "created_at"} and made["created_at"].endswith("Z")
    prefix, when, chance = made["session_id"].split("_")
    assert prefix == "session" and int(when) > 1_700_000_000 and len(chance) >= 16
    assert chat(talk, made["session_id"], "hi").status_code == 200


def test_wrong_requests_say_what_is_wrong(talk):
    made = session(talk)["session_id"]
    for answer in (chat(talk, made, ""), chat(talk, made, "x", temperature=9),
                   chat(talk, made, "x", unknown=1),
                   web.post(f"{talk.url}/api/sessions", json={"metadata": []}),
                   web.get(f"{talk.url}/api/sessions/{made}/messages?limit=0"),
                   web.post(f"{talk.url}/api/chat", content="{")):
        assert answer.status_code == 400 and set(answer.json()) == {"detail"}, answer.text
    for answer in (web.get(f"{talk.url}/api/none"), web.put(f"{talk.url}/api/chat")):
        assert answer.status_code in (404, 405) and set(answer.json()) == {"detail"}, answer.text
    assert messages(talk, made) == []


def test_health_tells_of_each_dependency(talk):
    assert web.get(f"{talk.url}/health").json() == {"status": "healthy"}
    whole = web.get(f"{talk.url}/api/health")
    assert whole.status_code == 200 and whole.json()["dependencies"]["store"] == "ok"


def test_a_model_server_that_is_away_is_told_at_once_and_nothing_is_kept(empty_world):
    world = empty_world.inhabit(MODEL_ID=MODEL, MILLRACE_JOB_ATTEMPTS=1)
    made = session(world)["session_id"]
    key = {"Idempotency-Key": secrets.token_hex(8)}
    before = chat(world, made, "있어요?", key)
    world.simulator.kill()
    health = f"{world.url}/api/health"
    world.wait_until(lambda: web.get(health).status_code == 503, 20, "nobody sees it")
    said = web.get(health).json()
    assert said["status"] == "unhealthy" and said["dependencies"]["llm_server"] == "unavailable"
    assert said["dependencies"]["store"] == "ok"
    for path, body in (("chat", {"message": "?", "session_id": made}), ("chat", {"question": "?"}),
                       ("chat/stream", {"message": "?", "session_id": made})):
        answer = web.post(f"{world.url}/api/{path}", json=body)
        assert answer.status_code == 503 and answer.json() == {"detail": "LLM server not available"}
    assert len(messages(world, made)) == 2
    assert chat(world, made, "있어요?", key).text == before.text
    world.simulator.start_listening()
    world.wait_until(lambda: web.get(health).status_code == 200, 20, "nobody sees it back")
    assert chat(world, made, "다시?").status_code == 200


def test_a_model_server_that_goes_unseen_is_told_too(empty_world):
    world = empty_world.inhabit(MODEL_ID=MODEL, MILLRACE_JOB_ATTEMPTS=1)
    made = session(world)["session_id"]
    world.simulator.kill()
    answer = chat(world, made, "anybody?")
    assert answer.status_code == 503 and answer.json() == {"detail": "LLM server not available"}


# --- streams

class Told:
    """A conversation's stream as it came: what each `data:` line says, under the last id so far."""

    def __init__(self, response):
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        self.job = response.headers.get("x-millrace-job")
        self.lines = response.iter_lines()
        self.events, self.ids = [], []

    def read(self, count=None):
        """The rest, or up to so many events."""
        for line in self.lines:
            if line.startswith("data: "):
                self.events.append(json.loads(line[6:]))
            if line.startswith("id: "):
                self.ids.append(int(line[4:]))
                if count is not None and len(self.events) >= count:
                    break
        return self.events

    def text(self):
        text = ""
        for event in self.events:
            text = "" if event.get("restarted") else text + event.get("content", "") * (
                event["type"] == "delta")
        return text


@contextlib.contextmanager
def talking(world, session_id, message, headers=None, **fields):
    body = {"session_id": session_id, "message": message} | fields
    with web.stream("POST", f"{world.url}/api/chat/stream", json=body, headers=headers,
                    timeout=60) as answer:
        yield Told(answer)


def told(world, session_id, message, headers=None, **fields):
    with talking(world, session_id, message, headers, **fields) as stream:
        stream.read()
        return stream


def test_a_streamed_answer_is_the_one_that_is_kept(talk):
    made = session(talk)["session_id"]
    stream = told(talk, made, "안녕하세요!", max_new_tokens=12)
    first, *middle, last = stream.events
    assert first["type"] == "start" and first["session_id"] == made
    assert {event["type"] for event in middle} == {"delta"} and len(middle) == 12
    assert last["type"] == "done" and last["content"] == stream.text()
    assert last["token_usage"]["completion_tokens"] == 12
    assert all(event["elapsed"] >= 0 for event in stream.events)
    kept = messages(talk, made)
    assert [m["content"] for m in kept] == ["안녕하세요!", last["content"]]
    assert kept[1]["message_id"] == last["message_id"] == first["message_id"] == stream.job


def test_a_stream_goes_on_where_it_was_cut(talk):
    made = session(talk)["session_id"]
    key = {"Idempotency-Key": secrets.token_hex(8)}
    with talking(talk, made, "a long one", key, max_new_tokens=100) as cut:
        cut.read(7)
    again = told(talk, made, "a long one", key | {"Last-Event-ID": str(cut.ids[-1])},
                 max_new_tokens=100)
    whole = told(talk, made, "a long one", key, max_new_tokens=100)
    assert cut.events + again.events == whole.events
    with web.stream("GET", f"{talk.url}/api/chat/stream/{cut.job}",
                    headers={"Last-Event-ID": str(cut.ids[-1])}) as answer:
        assert Told(answer).read() == again.events
    assert len(messages(talk, made)) == 2


def test_a_stream_whose_worker_was_killed_ends_with_the_whole_answer(talk):
    made = session(talk)["session_id"]
    key = {"Idempotency-Key": secrets.token_hex(8)}
    with talking(talk, made, "a long one", key, max_new_tokens=200) as cut:
        cut.read(20)
    talk.kill_worker()
    stream = told(talk, made, "a long one", key, max_new_tokens=200)
    assert stream.events[-1]["type"] == "done"
    assert stream.text() == stream.events[-1]["content"] == messages(talk, made)[1]["content"]


def test_streams_that_cannot_be_say_why(talk):
    made = session(talk)["session_id"]
    for wrong, status in (({"session_id": made}, 400), ({"session_id": "none", "message": "x"}, 404)):
        answer = web.post(f"{talk.url}/api/chat/stream", json=wrong)
        assert answer.status_code == status and set(answer.json()) == {"detail"}
    for unknown in ("x", "01a1fe87-e606-7657-bf68-4eb31e12a026", talk.submit(MODEL)):
        answer = web.get(f"{talk.url}/api/chat/stream/{unknown}")
        assert answer.status_code == 404
        assert answer.json() == {"detail": f"Message {unknown} not found"}


def test_who_prefers_not_to_wait_is_given_the_job_and_the_answer_comes_into_the_session(talk):
    made = session(talk)
    taken = chat(talk, made["session_id"], "Hello?", headers={"Prefer": "respond-async"})
    assert taken.status_code == 202, taken.text
    said = taken.json()
    assert set(said) == {"session_id", "message_id", "job_id"}
    assert taken.headers["Location"] == f"/v1/jobs/{said['job_id']}"
    assert taken.headers["Preference-Applied"] == "respond-async"
    job = talk.wait_end(said["job_id"])
    answer = messages(talk, made["session_id"])[1]
    assert (answer["message_id"], answer["content"]) == (said["message_id"], job["result"]["text"])


# --- questions

def asked(world, question, headers=None, **fields):
    with web.stream("POST", f"{world.url}/api/chat", json={"question": question} | fields,
                    headers=headers, timeout=60) as answer:
        stream = Told(answer)
        stream.read()
        return stream


def test_a_question_is_answered_in_the_words_its_clients_know(talk):
    made = web.post(f"{talk.url}/api/session/create", json={"user_id": "u"}).json()["session_id"]
    features = {"Process_Temperature": 670.0, "Process_Pressure": 145.0}
    stream = asked(talk, "불량 원인이 뭐야?", features=features, session_id=made)
    first, answer, last = stream.events
    assert first["type"] == "status" and first["message"] == "도구 선택 중..."
    assert answer["type"] == "ai_response" and answer["data"]["session_id"] == made
    assert last["type"] == "done" and last["elapsed"] >= answer["elapsed"] >= first["elapsed"]
    kept = messages(talk, made)
    assert [m["content"] for m in kept] == ["불량 원인이 뭐야?", answer["data"]["answer"]]
    bare = asked(talk, "불량 원인이 뭐야?").events[1]["data"]
    assert answer["data"]["token_usage"]["prompt_tokens"] > bare["token_usage"]["prompt_tokens"]
    assert bare["session_id"].startswith("session_")
    again = asked(talk, "왜?", session_id=made)
    assert again.events[-1]["type"] == "done" and len(messages(talk, made)) == 4


def test_a_questions_blocks_are_one_data_line_each(talk):
    with web.stream("POST", f"{talk.url}/api/chat", json={"question": "왜?"}) as answer:
        blocks = answer.read().decode().split("\n\n")
    assert blocks.pop() == ""
    said = [block for block in blocks if block.startswith("data: ")]
    assert [json.loads(block[6:])["type"] for block in said] == ["status", "ai_response", "done"]
    assert all(block.startswith("id: ") for block in blocks if block not in said)


def test_a_question_goes_on_where_it_was_cut_in_a_session_of_its_clients_own(talk):
    key = {"Idempotency-Key": secrets.token_hex(8)}
    name = {"session_id": "session_123"}
    whole = asked(talk, "왜?", key, **name)
    rest = asked(talk, "왜?", key | {"Last-Event-ID": str(whole.ids[0])}, **name)
    assert whole.events[1:] == rest.events and rest.job == whole.job
    assert len(messages(talk, "session_123")) == 2


def test_wrong_questions_say_what_is_wrong(empty_world):
    world = empty_world.inhabit(MODEL_ID=MODEL, MILLRACE_FEATURES="온도,Process_Pressure")
    for wrong, field in (({"question": ""}, "question"), ({"question": 7}, "question"),
                         ({"question": "?", "features": []}, "features"),
                         ({"question": "?", "features": {"온도": "높음"}}, "features.온도"),
                         ({"question": "?", "features": {"Speed": 1}}, "features.Speed"),
                         ({"question": "?", "session_id": ""}, "session_id"),
                         ({"question": "?", "colour": 1}, "colour")):
        answer = web.post(f"{world.url}/api/chat", json=wrong)
        assert answer.status_code == 400, answer.text
        assert answer.json()["detail"].startswith(f"{field}: "), answer.text
    assert asked(world, "?", features={"온도": 670}).events[-1]["type"] == "done"
