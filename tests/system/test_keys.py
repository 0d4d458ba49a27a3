"""API keys: made, used, revoked; how often they may ask, and how much may wait."""

import json
import re
import time

import openai
import pytest
from tenants import Client, held, make_key
from world import web

pytestmark = pytest.mark.every_store

QUICK = "sim-0ms-3tok-0gap"
SLOW = "sim-10ms-5000tok-50gap"
WRONG = "mr_" + "0" * 64


def test_from_the_first_key_on_every_route_wants_one_and_a_revoked_one_ends(empty_world):
    world = empty_world.inhabit()
    nobody = Client(world)
    nobody.wait_end(nobody.submit(QUICK))
    made = json.loads(world.run("keys", "create", "--tenant", "acme", "--name", "laptop", "--rate",
                                "100/s", "--json").stdout)
    assert made["tenant"] == "acme" and made["scopes"] == ["submit", "read"]
    assert re.fullmatch("mr_[0-9a-f]{64}", made["key"])
    acme = Client(world, made["key"])

    def closed():
        return nobody.ask("GET", "/v1/jobs").status_code == 401
    world.wait_until(closed, 5, "the key does not count")
    for method, path in [("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("GET", "/v1/models"),
                         ("POST", "/v1/chat/completions"), ("GET", "/api/sessions/x"),
                         ("POST", "/api/chat"), ("GET", "/metrics"), ("GET", "/v1/dead-letters")]:
        for client, code in [(nobody, "missing_api_key"), (Client(world, WRONG), "invalid_api_key")]:
            refused = client.ask(method, path)
            assert refused.status_code == 401, f"{method} {path} {refused.text}"
            assert refused.headers["www-authenticate"].startswith("Bearer")
            if path.startswith("/api/"):
                assert set(refused.json()) == {"detail"}
            elif path.startswith(("/v1/chat", "/v1/models")):
                assert refused.json()["error"]["code"] == code
            else:
                assert refused.json()["code"] == code
    assert acme.ask("GET", "/metrics").status_code == 403
    for path in ("/livez", "/readyz", "/health", "/api/health"):
        assert nobody.ask("GET", path).status_code == 200

    job = acme.wait_end(acme.submit(QUICK))
    assert job["status"] == "succeeded"
    assert acme.ask("GET", "/v1/jobs", headers={"Authorization": "", "X-API-Key": made["key"]}).json()[
        "data"][0]["id"] == job["id"], "the job made before was the default tenant's"
    signed = job["links"]["events"]
    assert "signature=" in signed and nobody.ask("GET", signed).status_code == 200
    assert nobody.ask("GET", signed.split("?")[0]).status_code == 401

    listed = world.run("keys", "list", "--json")
    assert [json.loads(line)["id"] for line in listed.stdout.splitlines()] == [made["id"]]
    secret = made["key"].removeprefix("mr_")
    assert secret not in listed.stdout + world.run("keys", "list").stdout + world.logs()
    for file in (world.folder / "data").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), f"{file} has the key"

    # The commands of a person show the key that MILLRACE_API_KEY holds.
    said = world.run("jobs", "list", "--url", world.url)
    assert said.returncode == 2 and "API key" in said.stderr
    world.settings["MILLRACE_API_KEY"] = made["key"]
    assert job["id"] in world.run("jobs", "list", "--url", world.url).stdout
    assert "knows that in MILLRACE_API_KEY" in world.run("doctor", "--url", world.url).stdout

    assert world.run("keys", "revoke", "key_0000000000000000").returncode == 4
    assert world.run("keys", "revoke", made["id"]).stdout == f"{made['id']} revoked\n"
    world.wait_until(lambda: acme.ask("GET", "/v1/jobs").status_code == 401, 5, "it still counts")
    assert closed(), "the last key revoked opens nothing"


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(empty_world):
    right = make_key(empty_world)
    world = empty_world.inhabit()
    answers = [Client(world, f"mr_{n:064x}").ask("GET", "/v1/jobs") for n in range(30)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert Client(world, right).ask("GET", "/v1/jobs").status_code == 200


def test_a_key_has_its_rate_and_a_tenant_its_quota_and_sdks_understand_both(empty_world):
    slow = make_key(empty_world, "--tenant", "slow", "--rate", "30/min:3")
    free = make_key(empty_world, "--tenant", "free")
    world = empty_world.inhabit(TENANT_JOBS_MAX=3)

    # Three at once, the fourth half a minute's share later; whichever edge is asked.
    answers = [web.get(f"{world.url}/v1/jobs", headers=held(slow)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["ratelimit-limit"] == "3"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 2
    assert answers[3].json()["code"] == "rate_limit_exceeded"
    sdk = {"base_url": f"{world.url}/v1", "max_retries": 0}
    with pytest.raises(openai.RateLimitError) as limited:
        openai.OpenAI(api_key=slow, **sdk).models.list()
    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.response.headers["retry-after"]
    with pytest.raises(openai.AuthenticationError) as unknown:
        openai.OpenAI(api_key=WRONG, **sdk).models.list()
    assert unknown.value.code == "invalid_api_key"
    patient = openai.OpenAI(base_url=f"{world.url}/v1", api_key=slow, max_retries=3)
    assert patient.models.list().data, "the SDK comes back when Retry-After says"
    assert openai.OpenAI(api_key=free, **sdk).chat.completions.create(
        model=QUICK, messages=[{"role": "user", "content": "hi"}]).choices[0].message.content

    # A quota is of jobs that have not ended, and no crash leaves it too high.
    client = Client(world, free)
    jobs = [client.submit(SLOW) for _ in range(3)]

    def fourth():
        return client.ask("POST", "/v1/jobs", json={"input": "x", "model": SLOW})
    refused = fourth()
    assert refused.status_code == 429 and refused.json()["code"] == "quota_exceeded"
    assert "TENANT_JOBS_MAX" in refused.json()["detail"] and refused.headers["retry-after"]
    world.kill_worker()
    world.wait_until(lambda: client.ask("GET", "/readyz").status_code == 200, 20, "not ready again")
    assert fourth().status_code == 429, "they go on"
    assert client.ask("POST", f"/v1/jobs/{jobs[0]}/cancel").status_code == 200
    world.wait_until(lambda: fourth().status_code == 202, 5, "the end made no room")
    assert fourth().status_code == 429


@pytest.mark.servers("embedded has no Redis to lose")
def test_without_redis_rates_are_kept_by_each_edge_and_nobody_is_refused_for_it(empty_world):
    key = make_key(empty_world, "--rate", "1/s:5")
    world = empty_world.inhabit()
    world.redis.freeze()
    began = time.monotonic()
    answers = [web.get(f"{world.url}/v1/models", headers=held(key)).status_code for _ in range(8)]
    assert answers[:5] == [200] * 5 and 429 in answers[5:]
    assert time.monotonic() - began < 5
    world.redis.thaw()

    def shared_again():
        web.get(f"{world.url}/v1/models", headers=held(key))
        return "rate_limits_shared_again" in world.logs()
    world.wait_until(shared_again, 20, "never shared again")


@pytest.mark.embedded("one edge is enough")
def test_a_public_address_is_served_once_there_is_a_key(empty_world):
    refused = empty_world.run("serve", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2 and "keys create" in refused.stderr
    key = make_key(empty_world)
    world = empty_world.inhabit(HOST="0.0.0.0")
    assert Client(world).ask("GET", "/v1/jobs").status_code == 401
    assert Client(world, key).ask("GET", "/v1/jobs").status_code == 200


@pytest.mark.embedded("asks no edge")
def test_what_a_key_cannot_be_is_told_before_anything_is_made(empty_world):
    for words in (("--tenant", "a/b"), ("--tenant", ""), ("--scope", "all"), ("--scope", "read,"),
                  ("--rate", "fast"), ("--rate", "0/s"), ("--name", "n" * 201)):
        refused = empty_world.run("keys", "create", *words)
        assert refused.returncode == 2 and words[0] in refused.stderr, f"{words} {refused.stderr}"
        assert refused.stdout == ""
    assert empty_world.run("keys", "rotate").returncode == 2
    listed = empty_world.run("keys", "list")
    assert listed.returncode == 0 and "no such keys" in listed.stderr
    assert empty_world.run("keys", "revoke", "key_1").returncode == 4
    assert not (empty_world.folder / "data").exists(), "looking makes nothing"
