"""Client libraries that speak OpenAI's chat completions and responses, each from npm: openai's own,
the AI SDK and LangChain."""

import json
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "node"
CLIENTS = ("openai", "ai-sdk", "langchain")


def run(world, client, scenario, script="chat"):
    ran = subprocess.run(["node", SCRIPTS / f"{script}.mjs", f"{world.url}/v1", client, scenario],
                         capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def hangul(text):
    return all("가" <= character <= "힣" or character == " " for character in text)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_in_one_piece(town, client):
    told = run(town, client, "plain")
    assert len(told["text"].split()) == 12
    assert hangul(told["text"])
    assert 12 in told["usage"].values() or 12 in told["usage"]["outputTokens"].values()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_stream_comes_word_by_word(town, client):
    told = run(town, client, "stream")
    assert told["text"] == run(town, "openai", "plain")["text"]
    assert told["chunks"] >= 12


@pytest.mark.parametrize("client", ("ai-sdk", "langchain"))
def test_a_tool_is_called_with_what_the_model_said(town, client):
    told = run(town, client, "tools")
    assert told["call"] == {"name": "weather", "input": {"city": "서울 Seoul", "days": 7}}
    assert told["reason"] in ("tool_calls", "tool-calls")


def test_openais_tool_runner_goes_through_the_whole_conversation(town):
    told = run(town, "openai", "tools")
    assert told["roles"] == ["user", "assistant", "tool", "assistant"]
    assert json.loads(told["call"]["arguments"]) == {"city": "서울 Seoul", "days": 7}
    assert len(told["text"].split()) == 12


def test_openais_own_sees_whole_tool_calls_and_models(town):
    told = run(town, "openai", "wholeTools")
    assert told["reason"] == "tool_calls"
    assert [call["function"]["name"] for call in told["calls"]] == ["weather", "weather"]
    models = run(town, "openai", "models")
    assert models["one"]["id"] == models["ids"][0]


@pytest.mark.parametrize("client", CLIENTS)
def test_an_error_is_told_with_its_status(town, client):
    told = run(town, client, "error")
    assert told["status"] == 400, told
    if client == "openai":
        assert (told["param"], told["name"]) == ("n", "BadRequestError")


def test_leaving_openais_stream_ends_the_job(town):
    asked = town.simulated()["client_closes"]
    assert run(town, "openai", "leave")["chunks"] == 5
    town.wait_until(lambda: town.simulated()["client_closes"] == asked + 1, 5,
                    "the upstream is still open")


# --- responses


def respond(world, client, scenario):
    return run(world, client, scenario, "responses")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_response_comes_in_one_piece_and_as_a_stream(town, client):
    told = respond(town, client, "plain")
    assert len(told["text"].split()) == 12
    assert hangul(told["text"])
    assert 12 in told["usage"].values() or 12 in told["usage"]["outputTokens"].values()
    streamed = respond(town, client, "stream")
    assert streamed["text"] == told["text"]
    assert streamed["chunks"] >= 12


@pytest.mark.parametrize("client", CLIENTS)
def test_a_response_calls_a_tool_and_goes_on_with_its_answer(town, client):
    told = respond(town, client, "tools")
    assert told.get("call") == {"name": "weather", "input": {"city": "서울 Seoul", "days": 7}}, told
    assert len(told["text"].split()) == 12


@pytest.mark.parametrize("client", CLIENTS)
def test_a_response_that_fails_is_told_with_its_status(town, client):
    told = respond(town, client, "error")
    assert told["status"] == 400, told
    if client == "openai":
        assert (told["param"], told["name"]) == ("conversation", "BadRequestError")


def test_openais_own_reads_a_response_on_from_its_place(town):
    told = respond(town, "openai", "resume")
    assert told["numbers"]
    assert told["text"] == told["whole"]
    assert len(told["text"].split()) == 60


def test_openais_own_shows_cancels_lists_and_deletes(town):
    assert respond(town, "openai", "plain")["same"]
    told = respond(town, "openai", "manage")
    assert told["statuses"] == ["queued", "cancelled", "cancelled"]
    assert told["item"] == "안녕하세요"
    assert told["gone"] == 404
