"""The chat completions of OpenAI's API, as its official SDK for Python uses them."""

import http.client
import json
import threading
import time

import httpx2
import openai
import pytest
from world import web

QUICK = "sim-5ms-12tok-1gap"
LONG = "sim-5ms-2000tok-20gap"
HELLO = [{"role": "user", "content": "안녕하세요"}]
WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "The weather of a place",
    "parameters": {"type": "object", "required": ["city", "days"], "additionalProperties": False,
                   "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}}


def client(world, **options):
    return openai.OpenAI(base_url=f"{world.url}/v1", api_key="unused",
                         **({"max_retries": 0, "timeout": 30} | options))


def ask(world, model=QUICK, messages=None, **fields):
    return client(world).chat.completions.create(model=model, messages=messages or HELLO, **fields)


def test_an_answer_in_one_piece(town):
    answer = ask(town)
    choice = answer.choices[0]
    assert answer.object == "chat.completion"
    assert choice.finish_reason == "stop"
    assert len(choice.message.content.split()) == 12
    assert answer.usage.completion_tokens == 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 12
    assert abs(answer.created - time.time()) < 60
    job = town.job(answer.id.removeprefix("chatcmpl-"))
    assert job["status"] == "succeeded"
    assert job["result"]["text"] == choice.message.content
    assert answer.model == job["result"]["model"]


def test_a_stream_says_the_same_a_chunk_a_token(town):
    whole = ask(town)
    chunks = list(ask(town, stream=True))
    assert [chunk.choices[0].delta.content for chunk in chunks[:1]] == [""]
    assert chunks[0].choices[0].delta.role == "assistant"
    words = [chunk.choices[0].delta.content for chunk in chunks[1:-1]]
    assert len(words) == 12
    assert "".join(words) == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_tells_its_usage_where_it_is_asked_for(town):
    chunks = list(ask(town, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 12
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_sdks_own_accumulator_is_content(town):
    with client(town).chat.completions.stream(model=QUICK, messages=HELLO) as stream:
        text = stream.get_final_completion().choices[0].message.content
    assert text == ask(town).choices[0].message.content


@pytest.mark.parametrize("model, calls", [("sim-5ms-1gap-tool", 1), ("sim-5ms-1gap-tool3", 3)])
def test_tools_are_passed_on_and_their_calls_come_back(town, model, calls):
    answer = ask(town, model, tools=[WEATHER], tool_choice="auto", parallel_tool_calls=True)
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert len(choice.message.tool_calls) == calls
    assert len({call.id for call in choice.message.tool_calls}) == calls
    for call in choice.message.tool_calls:
        assert call.function.name == "weather"
        assert json.loads(call.function.arguments) == {"city": "서울 Seoul", "days": 7}
    job = town.job(answer.id.removeprefix("chatcmpl-"))
    told = job["result"]["tool_calls"]
    assert [call["call_id"] for call in told] == [call.id for call in choice.message.tool_calls]


def test_streamed_tool_calls_are_whole_and_in_order(town):
    with client(town).chat.completions.stream(model="sim-5ms-1gap-tool2", messages=HELLO,
                                              tools=[WEATHER]) as stream:
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [json.loads(call.function.arguments) for call in choice.message.tool_calls] \
        == [{"city": "서울 Seoul", "days": 7}] * 2


def test_what_a_tool_answered_goes_on_in_the_conversation(town):
    first = ask(town, "sim-5ms-12tok-1gap-tool", tools=[WEATHER]).choices[0].message
    call = first.tool_calls[0]
    messages = [*HELLO, first.model_dump(),
                {"role": "tool", "tool_call_id": call.id, "content": "비가 온다"}]
    answer = ask(town, "sim-5ms-12tok-1gap-tool", messages, tools=[WEATHER])
    assert answer.choices[0].finish_reason == "stop"
    assert len(answer.choices[0].message.content.split()) == 12


def test_a_native_reader_sees_the_calls_as_events_right_before_the_end(town):
    answer = ask(town, "sim-5ms-1gap-tool2", tools=[WEATHER])
    told = town.read(answer.id.removeprefix("chatcmpl-"))
    assert [event.type for event in told[-3:]] == ["tool_call", "tool_call", "done"]
    assert told[-1].json["result"]["tool_calls"] == [
        {name: event.json[name] for name in ("call_id", "name", "arguments")}
        for event in told[-3:-1]]


@pytest.mark.every_store("what was said beside the text is kept there")
def test_reasoning_and_refusal_are_passed_through(town):
    thinks = ask(town, "sim-5ms-6tok-1gap-think2").choices[0].message
    assert len(thinks.reasoning_content.split()) == 2
    assert len(thinks.content.split()) == 4
    assert thinks.refusal is None
    refuses = ask(town, "sim-5ms-6tok-1gap-refuse")
    said = refuses.choices[0].message
    assert said.content is None
    assert len(said.refusal.split()) == 6
    job = town.job(refuses.id.removeprefix("chatcmpl-"))
    assert (job["result"]["text"], job["result"]["refusal"]) == ("", said.refusal)


def test_reasoning_and_refusal_are_streamed_as_they_come(town):
    reasoned = refused = ""
    chunks = list(ask(town, "sim-5ms-6tok-1gap-think2-refuse", stream=True))
    for chunk in chunks:
        delta = chunk.choices[0].delta
        assert not delta.content
        reasoned += getattr(delta, "reasoning_content", None) or ""
        refused += delta.refusal or ""
    assert (len(reasoned.split()), len(refused.split())) == (2, 4)
    told = town.read(chunks[0].id.removeprefix("chatcmpl-"))
    assert [event.type for event in told if event.type in ("reasoning", "refusal")][0] == "reasoning"
    assert told[-1].json["result"] | {"reasoning": reasoned, "refusal": refused} \
        == told[-1].json["result"]


def test_stop_and_limits_are_the_model_servers(town):
    words = ask(town).choices[0].message.content.split()
    stopped = ask(town, stop=[f" {words[5]}"])
    assert stopped.choices[0].message.content.split() == words[:5]
    assert stopped.choices[0].finish_reason == "stop"
    for name in ("max_tokens", "max_completion_tokens"):
        cut = ask(town, **{name: 3})
        assert cut.choices[0].finish_reason == "length"
        assert cut.choices[0].message.content.split() == words[:3]


def test_every_field_that_changes_no_words_is_taken(town):
    answer = ask(
        town, "sim-5ms-2tok-1gap", temperature=0, top_p=0.5, seed=7, presence_penalty=0.1,
        frequency_penalty=-0.1, logit_bias={"50256": -100}, user="u-1", n=1, store=False,
        response_format={"type": "json_object"}, metadata={"a": "b"}, logprobs=False,
        modalities=["text"], reasoning_effort="low", service_tier="auto",
        extra_body={"top_k": 40, "chat_template_kwargs": {"x": True}},
        messages=[{"role": "developer", "content": "짧게"}, {"role": "system", "content": "brief"},
                  {"role": "user", "name": "me", "content": [
                      {"type": "text", "text": "이건 뭐예요?"},
                      {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}])
    assert answer.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("field, value", [
    ("n", 2), ("logprobs", True), ("modalities", ["text", "audio"]), ("functions", []),
    ("temperature", 3), ("stop", ["1", "2", "3", "4", "5"]), ("tool_choice", "auto"),
    ("max_tokens", 0), ("response_format", {"type": "json_schema"})])
def test_what_cannot_be_served_is_a_400_that_names_it(town, field, value):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(town, extra_body={field: value})
    assert refused.value.param.split(".")[0] == field
    assert refused.value.type == "invalid_request_error"
    assert refused.value.code
    assert refused.value.param.split(".")[-1] in refused.value.message


def test_faults_in_messages_are_named_as_openai_names_them(town):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(town, messages=[HELLO[0], {"role": "user", "content": [{"type": "video"}]}])
    assert refused.value.param == "messages[1].content[0].type"


def test_models_are_listed_and_found(town):
    models = client(town).models.list().data
    assert models
    assert client(town).models.retrieve(models[0].id) == models[0]
    with pytest.raises(openai.NotFoundError) as missing:
        client(town).models.retrieve("no/such-model")
    assert missing.value.code == "model_not_found"
    assert missing.value.param == "model"


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/v1/chat/completions", 405), ("DELETE", "/v1/models", 405),
    ("POST", "/v1/chat/nothing", 404), ("POST", "/v1/chat/completions", 415)])
def test_every_status_has_openais_shape(town, method, path, status):
    answer = web.request(method, town.url + path, content=b"x", headers={"Content-Type": "text/x"})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]
    if status == 405:
        assert "OPTIONS" in answer.headers["allow"]


def test_a_body_that_is_too_large_is_413(town):
    connection = http.client.HTTPConnection(town.url.removeprefix("http://"), timeout=20)
    connection.request("POST", "/v1/chat/completions", headers={
        "Content-Type": "application/json", "Content-Length": "99999999"})
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.load(answer)["error"]["type"] == "invalid_request_error"
    connection.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model, error, code", [
    ("sim-400", openai.BadRequestError, "upstream_refused"),
    ("sim-401", openai.InternalServerError, "upstream_denied")])
def test_a_model_server_that_refuses_is_told_by_status_in_a_stream_too(town, model, error, code,
                                                                       stream):
    asked_before = town.simulated()["requests"]
    with pytest.raises(error) as failed:
        client(town, max_retries=2).chat.completions.create(model=model, messages=HELLO,
                                                            stream=stream)
    assert failed.value.code == code
    assert failed.value.response.headers["x-should-retry"] == "false"
    assert town.simulated()["requests"] == asked_before + 1


def test_a_stream_that_fails_in_the_middle_says_so(town):
    words = []
    with pytest.raises(openai.APIError) as failed:
        for chunk in ask(town, "sim-5ms-2000tok-10gap-cut60", stream=True):
            words.append(chunk.choices[0].delta.content)
            job_id = chunk.id.removeprefix("chatcmpl-")
    assert failed.value.code == "stream_restarted"
    assert len(words) > 30
    assert town.wait_end(job_id, 5)["status"] == "cancelled", "it goes on for nobody"


def test_one_that_begins_anew_before_it_has_said_a_word_is_whole(town):
    answer = "".join(chunk.choices[0].delta.content or ""
                     for chunk in ask(town, "sim-5ms-12tok-1gap-503x2", stream=True))
    assert len(answer.split()) == 12


def test_whoever_leaves_a_stream_ends_the_job_and_its_upstream(town):
    stream = ask(town, LONG, stream=True)
    job_id = next(stream).id.removeprefix("chatcmpl-")
    for _ in range(5):
        next(stream)
    stream.close()
    assert town.wait_end(job_id, 5)["status"] == "cancelled"
    town.wait_until(lambda: town.simulated()["open"] == 0, 2, "the upstream is still open")


def test_whoever_leaves_an_answer_in_one_piece_ends_it_too(town):
    asked = town.simulated()["requests"]
    leaving = client(town, timeout=1)
    with pytest.raises(openai.APITimeoutError):
        leaving.chat.completions.create(model=LONG, messages=HELLO)
    assert town.simulated()["requests"] == asked + 1
    town.wait_until(lambda: town.simulated()["open"] == 0, 5, "the upstream is still open")


@pytest.mark.parametrize("how", ["metadata", "key"])
def test_a_job_goes_on_without_its_client_where_the_request_says_so(town, how):
    asked = {"metadata": {"millrace_on_disconnect": "continue"}} if how == "metadata" \
        else {"extra_headers": {"Idempotency-Key": f"leave-{time.time_ns()}"}}
    stream = ask(town, "sim-5ms-60tok-20gap", stream=True, **asked)
    job_id = next(stream).id.removeprefix("chatcmpl-")
    stream.close()
    job = town.wait_end(job_id)
    assert job["status"] == "succeeded"
    assert job["usage"]["completion_tokens"] == 60


def test_the_same_key_is_one_job_and_the_same_bytes(town):
    body = {"model": "sim-5ms-40tok-10gap", "messages": HELLO, "stream": True}
    headers = {"Idempotency-Key": f"twice-{time.time_ns()}"}
    asked = town.simulated()["requests"]
    told = [None] * 3

    def read(n):
        told[n] = web.post(f"{town.url}/v1/chat/completions", json=body, headers=headers).content

    readers = [threading.Thread(target=read, args=[n]) for n in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    read(2)
    assert told[0].endswith(b"data: [DONE]\n\n")
    assert told[0] == told[1] == told[2]
    assert town.simulated()["requests"] == asked + 1
    other = web.post(f"{town.url}/v1/chat/completions", json=body | {"seed": 1}, headers=headers)
    assert other.status_code == 422
    assert other.json()["error"]["param"] == "Idempotency-Key"


def test_an_edge_that_drains_finishes_its_streams(world):
    stream = ask(world, "sim-20ms-80tok-20gap", stream=True)
    first = next(stream)
    stopping = threading.Thread(target=world.edges[0].stop)
    stopping.start()
    words = [chunk.choices[0].delta.content or "" for chunk in (first, *stream)]
    stopping.join()
    assert len("".join(words).split()) == 80


@pytest.mark.servers("needs an edge beside the one that goes")
def test_a_stream_that_a_draining_edge_has_to_cut_cancels_nothing(world):
    other = world.start_edge()
    stream = ask(world, "sim-20ms-400tok-20gap", stream=True)
    job_id = next(stream).id.removeprefix("chatcmpl-")
    with pytest.raises((openai.APIError, httpx2.TransportError)):
        threading.Thread(target=world.edges[0].stop).start()
        for _ in stream:
            pass
    job = world.wait_end(job_id, edge=other)
    assert job["status"] == "succeeded"
    assert job["usage"]["completion_tokens"] == 400


def test_a_worker_that_is_killed_is_told_as_a_restart_or_not_noticed(world):
    stream = ask(world, "sim-20ms-300tok-20gap", stream=True)
    words = [next(stream).choices[0].delta.content for _ in range(20)]
    world.kill_worker()
    try:
        words += [chunk.choices[0].delta.content or "" for chunk in stream]
        assert len("".join(words).split()) == 300
    except openai.APIError as error:
        # One process alone takes its streams with it.
        restarted = getattr(error, "code", None) == "stream_restarted"
        assert restarted or world.front == "serve", error
    except openai.APIConnectionError:
        assert world.front == "serve"
