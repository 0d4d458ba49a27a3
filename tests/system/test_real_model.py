"""One honest run against a real model; only with --long."""

import httpx
import pytest
from process import ROOT, Process, free_port
from sse import assert_whole, told_text

PYTHON = ROOT / "build" / "venv-long" / "bin" / "python"


@pytest.fixture
def llama(tmp_path):
    server = Process("llama", tmp_path)
    server.port = free_port()
    server.url = f"http://127.0.0.1:{server.port}"
    server.spawn([PYTHON, ROOT / "tests" / "system" / "real_model.py", tmp_path, server.port])

    def loaded():
        try:
            answer = httpx.post(f"{server.url}/v1/chat/completions", timeout=60, json={
                "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1})
            return answer.status_code == 200
        except httpx.HTTPError:
            return False

    server.wait_ready(loaded, 120)
    yield server
    server.stop()


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_real_model_answers_through_the_whole_way(empty_world, llama):
    world = empty_world
    world.settings["LLM_SERVER_URL"] = llama.url
    world.inhabit()
    ids = [world.submit("gemma", input=f"What is {n} plus one? Answer in one word.", max_tokens=16)
           for n in range(4)]
    for job in world.wait_ends(ids, 240):
        assert job["status"] == "succeeded", job
        assert job["result"]["text"].strip()
        assert job["result"]["finish_reason"] in ("stop", "length")
        told = world.read(job["id"])
        assert_whole(told)
        assert told_text(told) == job["result"]["text"]
