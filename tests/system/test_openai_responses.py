"""The responses of OpenAI's API, as its official SDK for Python uses them."""

import json
import time

import httpx
import openai
import pytest
from world import web

QUICK = "sim-5ms-12tok-1gap"
SLOW = "sim-5ms-60tok-20gap"
LONG = "sim-5ms-2000tok-20gap"
HELLO = "안녕하세요"
WEATHER = {"type": "function", "name": "weather", "description": "The weather of a place",
           "strict": True,
           "parameters": {"type": "object", "required": ["city", "days"],
                          "additionalProperties": False,
                          "properties": {"city": {"type": "string"},
                                         "days": {"type": "integer"}}}}
TEXT_EVENTS = ["created", "in_progress", "output_item.added", "content_part.added",
               *["output_text.delta"] * 12,
               "output_text.done", "content_part.done", "output_item.done", "completed"]


def client(world, **options):
    return openai.OpenAI(base_url=f"{world.url}/v1", api_key="unused",
                         **({"max_retries": 0, "timeout": 30} | options))


def ask(world, model=QUICK, input=HELLO, **fields):
    return client(world).responses.create(model=model, input=input, **fields)


def job_of(world, response):
    return world.job(response.id.removeprefix("resp_"))


def kinds(events):
    return [event.type.removeprefix("response.") for event in events]


def wait_for(world, response, seconds=20):
    """The response, once it has ended."""
    end = time.monotonic() + seconds
    while (now := client(world).responses.retrieve(response.id)).status in ("queued", "in_progress"):
        assert time.monotonic() < end, f"not ended within {seconds} s: {now.status}"
        time.sleep(0.05)
    return now


def stream_bytes(world, response_id, **params):
    answer = web.get(f"{world.url}/v1/responses/{response_id}", params={"stream": "true"} | params)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.every_store("what is shown again is read from the Store")
def test_an_answer_in_one_piece_is_kept_and_shown_again(town):
    answer = ask(town, instructions="짧게", metadata={"a": "b"}, temperature=0.5, top_p=0.9)
    assert (answer.object, answer.status, answer.error) == ("response", "completed", None)
    assert len(answer.output_text.split()) == 12
    assert answer.usage.output_tokens == 12
    assert answer.usage.total_tokens == answer.usage.input_tokens + 12
    assert (answer.instructions, answer.metadata) == ("짧게", {"a": "b"})
    assert (answer.temperature, answer.top_p) == (0.5, 0.9)
    assert abs(answer.created_at - time.time()) < 60
    assert job_of(town, answer)["result"]["text"] == answer.output_text
    assert client(town).responses.retrieve(answer.id) == answer


def test_a_stream_tells_every_event_in_its_order(town):
    events = list(ask(town, stream=True))
    assert kinds(events) == TEXT_EVENTS
    assert [event.sequence_number for event in events] == list(range(len(events)))
    words = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert words == events[-1].response.output_text == ask(town).output_text
    assert client(town).responses.retrieve(events[0].response.id) == events[-1].response


@pytest.mark.every_store("what is shown again is read from the Store")
def test_reasoning_is_an_item_and_a_refusal_a_part(town):
    with client(town).responses.stream(model="sim-5ms-6tok-1gap-think2-refuse",
                                       input=HELLO) as stream:
        seen = {event.type.removeprefix("response.") for event in stream}
        final = stream.get_final_response()
    assert {"reasoning_text.delta", "reasoning_text.done",
            "refusal.delta", "refusal.done"} <= seen
    thought, said = final.output
    assert (thought.type, len(thought.content[0].text.split())) == ("reasoning", 2)
    assert [part.type for part in said.content] == ["refusal"]
    assert len(said.content[0].refusal.split()) == 4
    items = [item.to_dict() for item in final.output]
    kept = client(town).responses.retrieve(final.id)
    again = list(client(town).responses.retrieve(final.id, stream=True))
    for told in (kept, again[-1].response):
        assert [item.to_dict() for item in told.output] == items


def test_what_was_refused_is_told_to_the_model_that_goes_on(town):
    first = ask(town, "sim-5ms-6tok-1gap-refuse")
    second = ask(town, previous_response_id=first.id)
    items = client(town).responses.input_items.list(second.id, order="asc").data
    assert items[1].content[0].refusal == first.output[0].content[0].refusal


def test_the_sdks_own_accumulator_is_content(town):
    with client(town).responses.stream(model=QUICK, input=HELLO) as stream:
        final = stream.get_final_response()
    assert final.output_text == ask(town).output_text


def test_one_in_the_background_is_queued_then_found_answered(town):
    queued = ask(town, SLOW, background=True)
    assert queued.status == "queued"
    assert queued.output == []
    done = wait_for(town, queued)
    assert done.status == "completed"
    assert len(done.output_text.split()) == 60


def test_a_background_stream_goes_on_for_whoever_comes_back(town):
    stream = ask(town, SLOW, background=True, stream=True)
    seen = [next(stream) for _ in range(12)]
    stream.close()
    assert kinds(seen)[:3] == ["created", "queued", "in_progress"]
    response_id, place = seen[0].response.id, seen[-1].sequence_number
    rest = list(client(town).responses.retrieve(response_id, stream=True, starting_after=place))
    assert [event.sequence_number for event in rest] == \
        list(range(place + 1, place + 1 + len(rest)))
    words = "".join(event.delta for event in [*seen, *rest]
                    if event.type == "response.output_text.delta")
    assert words == rest[-1].response.output_text
    assert len(words.split()) == 60


def test_every_reader_gets_the_same_bytes_from_every_place(town):
    """While the answer is being made, from the log of one that has ended, and by its header."""
    running = ask(town, "sim-50ms-30tok-20gap-tool2", background=True, tools=[WEATHER])
    live = stream_bytes(town, running.id)
    whole = stream_bytes(town, running.id)
    assert live == whole
    frames = [frame + b"\n\n" for frame in whole.split(b"\n\n")[:-1]]
    assert json.loads(frames[-1].split(b"\n")[1].removeprefix(b"data: "))["type"] \
        == "response.completed"
    for place in range(len(frames)):
        rest = b"".join(frames[place + 1:])
        assert stream_bytes(town, running.id, starting_after=place) == rest
        if place % 7 == 0:
            by_header = web.get(f"{town.url}/v1/responses/{running.id}?stream=true",
                                headers={"Last-Event-ID": str(place)})
            assert by_header.content == rest


def test_a_function_is_called_and_its_answer_goes_on(town):
    model = "sim-5ms-12tok-1gap-tool2"
    events = list(ask(town, model, tools=[WEATHER], tool_choice="auto", stream=True))
    assert kinds(events) == [
        "created", "in_progress",
        *["output_item.added", "function_call_arguments.delta", "function_call_arguments.done",
          "output_item.done"] * 2, "completed"]
    first = events[-1].response
    assert [item.type for item in first.output] == ["function_call"] * 2
    assert json.loads(first.output[0].arguments) == {"city": "서울 Seoul", "days": 7}
    outputs = [{"type": "function_call_output", "call_id": item.call_id, "output": "비가 온다"}
               for item in first.output]
    follows = ask(town, model, outputs, previous_response_id=first.id, tools=[WEATHER])
    assert len(follows.output_text.split()) == 12
    by_hand = ask(town, model, [{"role": "user", "content": HELLO},
                                *[item.model_dump() for item in first.output], *outputs],
                  tools=[WEATHER])
    assert by_hand.output_text == follows.output_text
    items = client(town).responses.input_items.list(follows.id, order="asc").data
    assert [item.type for item in items] == ["message", *["function_call"] * 2,
                                             *["function_call_output"] * 2]


@pytest.mark.every_store("the context of the next is read from the Store")
def test_what_was_said_is_the_context_of_the_next_and_its_instructions_are_not(town):
    first = ask(town, instructions="be brief", input="one")
    second = ask(town, instructions="be long", input=[{"role": "user", "content": "two"}],
                 previous_response_id=first.id)
    assert second.previous_response_id == first.id
    items = list(client(town).responses.input_items.list(second.id, order="asc", limit=2))
    assert [(item.role, item.content[0].text) for item in items] == \
        [("user", "one"), ("assistant", first.output_text), ("user", "two")]
    assert second.usage.input_tokens > first.usage.input_tokens


def test_a_large_input_is_read_back_and_followed(town):
    words = "긴 " * 150_000
    first = ask(town, "sim-5ms-2tok-1gap", words)
    items = client(town).responses.input_items.list(first.id).data
    assert items[0].content[0].text == words
    second = ask(town, "sim-5ms-2tok-1gap", "and?", previous_response_id=first.id)
    assert second.usage.input_tokens > first.usage.input_tokens


@pytest.mark.every_store("what is deleted is gone from the Store")
def test_one_that_is_deleted_is_gone(town):
    answer = ask(town, input="a secret")
    client(town).responses.delete(answer.id)
    for look in (client(town).responses.retrieve, client(town).responses.delete,
                 client(town).responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            look(answer.id)
    job = job_of(town, answer)
    assert job["status"] == "succeeded"
    assert not job["result"]["text"]


def test_one_that_is_not_stored_is_like_one_that_never_was(town):
    answer = ask(town, store=False)
    never = "resp_01a1fe87-e606-7657-bf68-4eb31e12a026"
    told = [web.get(f"{town.url}/v1/responses/{name}").text.replace(name, "NAME")
            for name in (answer.id, never, "resp_1")]
    assert told[0] == told[1] == told[2]
    with pytest.raises(openai.BadRequestError) as refused:
        ask(town, previous_response_id=answer.id)
    assert refused.value.code == "previous_response_not_found"
    assert refused.value.param == "previous_response_id"


@pytest.mark.every_store("the Store finds what is not to be kept")
def test_one_that_is_not_stored_is_erased_soon_after_it_was_delivered(empty_world):
    world = empty_world.inhabit(UNKEPT_TTL="1s")
    kept, whole = ask(world), ask(world, store=False)
    streamed = list(ask(world, store=False, stream=True))[-1].response
    assert len(streamed.output_text.split()) == 12
    for answer in (whole, streamed):
        name = answer.id.removeprefix("resp_")
        world.wait_until(lambda job=name: not world.job(job)["result"]["text"], 20, "it is kept")
        assert "output_text" not in json.dumps(world.job(name))
        assert '"delta"' not in web.get(f"{world.url}/v1/jobs/{name}/events").text
    assert world.rows("SELECT id FROM jobs WHERE envelope LIKE '%\"kept\":false%'"
                      f" AND envelope LIKE '%{HELLO}%'") == []
    assert client(world).responses.retrieve(kept.id) == kept


def test_a_cancel_ends_the_upstream_and_is_answered_again(town):
    running = ask(town, LONG, background=True)
    stream = client(town).responses.retrieve(running.id, stream=True)
    while next(stream).type != "response.output_text.delta":
        pass
    first = client(town).responses.cancel(running.id)
    assert first.status == "cancelled"
    assert client(town).responses.cancel(running.id) == first
    town.wait_until(lambda: town.simulated()["open"] == 0, 2, "the upstream is still open")
    rest = list(stream)
    assert rest[-1].type == "response.incomplete"
    assert rest[-1].response.status == "cancelled"
    assert rest[-1].response.output_text.startswith(first.output_text)


def test_only_one_in_the_background_is_cancelled(town):
    answer = ask(town)
    with pytest.raises(openai.BadRequestError) as refused:
        client(town).responses.cancel(answer.id)
    assert "synchronous" in refused.value.message


def test_whoever_leaves_a_stream_ends_it_unless_it_says_otherwise(town):
    for goes_on in (False, True):
        more = {"metadata": {"millrace_on_disconnect": "continue"}} if goes_on else {}
        stream = ask(town, SLOW, stream=True, **more)
        response = next(stream).response
        for _ in range(5):
            next(stream)
        stream.close()
        assert wait_for(town, response).status == ("completed" if goes_on else "cancelled")


def test_an_answer_that_reaches_its_limit_is_incomplete(town):
    answer = ask(town, max_output_tokens=3)
    assert answer.status == "incomplete"
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert len(answer.output_text.split()) == 3
    assert kinds(ask(town, max_output_tokens=3, stream=True))[-1] == "incomplete"


def test_every_field_that_changes_no_words_is_taken(town):
    answer = ask(
        town, "sim-5ms-2tok-1gap", store=True, truncation="disabled", user="u-1",
        include=["reasoning.encrypted_content"], reasoning={"effort": "low", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "n", "strict": True,
                         "schema": {"type": "object", "properties": {}}}, "verbosity": "low"},
        parallel_tool_calls=False, service_tier="auto", prompt_cache_key="k", max_tool_calls=2,
        input=[{"role": "developer", "content": "짧게"},
               {"role": "user", "content": [
                   {"type": "input_text", "text": "이건 뭐예요?"},
                   {"type": "input_image", "image_url": "data:image/png;base64,AA==",
                    "detail": "low"}]}])
    assert answer.status == "completed"
    assert answer.text.format.type == "json_schema"
    assert answer.reasoning.effort == "low"


@pytest.mark.parametrize("field, value", [
    ("conversation", "conv_1"), ("prompt", {"id": "p"}), ("truncation", "auto"),
    ("top_logprobs", 3), ("tools", [{"type": "web_search"}]), ("tool_choice", "required"),
    ("temperature", 3), ("max_output_tokens", 0), ("messages", []), ("n", 2),
    ("include", ["message.output_text.logprobs"]), ("text", {"format": {"type": "xml"}}),
    ("stream_options", {"include_obfuscation": True}), ("input", [{"type": "computer_call"}])])
def test_what_cannot_be_served_is_a_400_that_names_it(town, field, value):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(town, extra_body={field: value})
    assert refused.value.param.split(".")[0].split("[")[0] == field
    assert refused.value.type == "invalid_request_error"
    assert refused.value.code


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/v1/responses", 405), ("PUT", "/v1/responses/resp_1", 405),
    ("GET", "/v1/responses/resp_1/nothing", 404), ("POST", "/v1/responses", 415),
    ("POST", "/v1/responses/resp_1/cancel", 404), ("GET", "/v1/responses/resp_1?x=1", 400)])
def test_every_status_has_openais_shape(town, method, path, status):
    answer = web.request(method, town.url + path, content=b"x" if method == "POST" else None,
                         headers={"Content-Type": "text/x"} if path == "/v1/responses" else {})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]


def test_a_model_server_that_refuses_is_told_by_status_and_in_a_stream_by_its_last_event(town):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(town, "sim-400")
    assert refused.value.code == "upstream_refused"
    assert refused.value.response.headers["x-should-retry"] == "false"
    events = list(ask(town, "sim-400", stream=True))
    assert kinds(events)[-1] == "failed"
    assert events[-1].response.error.code == "invalid_prompt"
    assert client(town).responses.retrieve(events[0].response.id).status == "failed"


def test_the_same_key_is_one_response_and_the_same_bytes(town):
    body = {"model": "sim-5ms-40tok-5gap", "input": HELLO, "stream": True}
    headers = {"Idempotency-Key": f"response-{time.time_ns()}"}
    asked = town.simulated()["requests"]
    told = [web.post(f"{town.url}/v1/responses", json=body, headers=headers) for _ in range(2)]
    assert told[0].content == told[1].content
    assert told[1].headers["Idempotent-Replayed"] == "true"
    assert town.simulated()["requests"] == asked + 1
    other = web.post(f"{town.url}/v1/responses", json=body | {"input": "x"}, headers=headers)
    assert other.status_code == 422


def test_a_worker_that_is_killed_begins_an_item_anew_or_goes_on_with_it(world):
    """A response in the background, read on from its place whoever went down."""
    stream = ask(world, "sim-20ms-120tok-20gap", background=True, stream=True)
    seen = [next(stream) for _ in range(20)]
    response_id, place = seen[0].response.id, seen[-1].sequence_number
    world.kill_worker()
    stream.close()
    world.wait_until(lambda: web.get(f"{world.url}/readyz").status_code == 200)
    rest = list(client(world).responses.retrieve(response_id, stream=True, starting_after=place))
    final = rest[-1].response
    assert rest[-1].type == "response.completed"
    assert len(final.output_text.split()) == 120
    done = [event for event in rest if event.type == "response.output_item.done"]
    assert [event.item.status for event in done][-1] == "completed"
    assert all(event.item.status == "incomplete" for event in done[:-1])
    assert [event.output_index for event in done] == list(range(len(done)))
    assert len(final.output) == 1
    whole = list(client(world).responses.retrieve(response_id, stream=True))
    assert whole[place + 1:] == rest
    assert whole[:place + 1] == seen
    names = {event.item.id for event in whole if event.type.startswith("response.output_item.")}
    kept = client(world).responses.retrieve(response_id)
    assert names == {final.output[0].id} == {kept.output[0].id}


@pytest.mark.servers("only there the log can be lost under a reader")
def test_after_the_log_is_lost_the_stored_result_is_told(world):
    answer = ask(world, "sim-5ms-40tok-1gap", background=True)
    done = wait_for(world, answer)
    live = list(client(world).responses.retrieve(answer.id, stream=True))
    world.redis.flush()
    world.wait_until(lambda: web.get(f"{world.url}/readyz").status_code == 200)
    told = list(client(world).responses.retrieve(answer.id, stream=True))
    assert kinds(told) == ["created", "queued", "in_progress", "output_item.added",
                           "content_part.added", "output_text.delta", "output_text.done",
                           "content_part.done", "output_item.done", "completed"]
    assert told[-1].response == done == live[-1].response
    beyond = list(client(world).responses.retrieve(answer.id, stream=True, starting_after=30))
    assert kinds(beyond) == ["completed"]


def test_a_client_that_reads_nothing_of_a_status_still_sees_a_broken_body(town):
    for body in (b"", b"{", b'{"model":"m","input":"\xff"}', b'{"model":"m","input":"a\x00b"}',
                 b'{"model":"m","input":' + b"[" * 100 + b"]" * 100 + b"}",
                 b'{"model":"m","model":"m","input":"x"}'):
        answer = httpx.post(f"{town.url}/v1/responses", content=body,
                            headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, body
        assert answer.json()["error"]["type"] == "invalid_request_error"
