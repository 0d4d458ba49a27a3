"""Inputs that do not fit a job's envelope: kept in the data folder's `objects`, named by the job,
fetched by whoever runs it."""

import datetime
import hashlib
import json
import secrets
import subprocess
import threading

import httpx
import pytest
from sse import assert_whole, told_text
from world import web

QUICK = "sim-5ms-10tok-1gap"
INLINE_MAX = 256 * 1024
BODY_MAX = 8 * 1024 * 1024
KOREAN = "가장 긴 이야기를 하나 들려주세요. "


def korean(bytes_of_text=1024 * 1024):
    """A prompt like no other."""
    return f"{secrets.token_hex(4)} {KOREAN * (bytes_of_text // len(KOREAN.encode()))}"


def raw_post(world, body, **headers):
    return web.post(f"{world.url}/v1/jobs", content=body.encode(),
                    headers={"Content-Type": "application/json"} | headers, timeout=60)


def body_of(size, **fields):
    """A body of so many bytes; what of it is no input, and the length of the input as JSON."""
    rest = json.dumps({"model": QUICK} | fields)[:-1] + ', "input": '
    text = secrets.token_hex(4)
    text += "x" * (size - len(rest) - len(text) - 3)
    return rest + json.dumps(text) + "}"


def objects(world):
    folder = world.folder / "data" / "objects"
    return [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "drafts"]


def answer_of_the_model(world, model, input):
    """What the model says to exactly this, and how many tokens it counts."""
    messages = [{"role": "user", "content": input}] if isinstance(input, str) else input
    answer = web.post(f"{world.simulator.url}/v1/chat/completions", timeout=60,
                      json={"model": model, "messages": messages})
    answer.raise_for_status()
    return (answer.json()["choices"][0]["message"]["content"],
            answer.json()["usage"]["prompt_tokens"])


def assert_answered(world, job_id, model, input, seconds=40):
    """It ended once, as the model answers this input and no other."""
    job = world.wait_end(job_id, seconds)
    assert job["status"] == "succeeded", job
    text, tokens = answer_of_the_model(world, model, input)
    assert job["result"]["text"] == text
    assert job["usage"]["prompt_tokens"] == tokens
    told = world.read(job_id)
    assert_whole(told)
    assert told_text(told) == text
    return job


def in_two_seconds():
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=2)
    return when.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("form", ["string", "messages"])
def test_a_korean_prompt_of_a_megabyte_reaches_the_model_as_it_was_sent(town, form):
    prompt = korean()
    input = prompt if form == "string" else [{"role": "system", "content": "짧게 답하세요."},
                                             {"role": "user", "content": prompt}]
    job_id = town.submit(QUICK, input, metadata={"form": form})
    job = assert_answered(town, job_id, QUICK, input)
    assert job["metadata"] == {"form": form}
    listed = web.get(f"{town.url}/v1/jobs?limit=5").json()["data"]
    assert job_id in [job["id"] for job in listed]


def input_link(world, job_id):
    """Told once the job's row is written."""
    world.wait_until(lambda: "input" in world.job(job_id)["links"], what="no link to the input")
    return world.url + world.job(job_id)["links"]["input"]


def test_a_large_input_can_be_read_back_by_the_link_of_its_job(town):
    prompt = korean(300_000)
    job_id = town.submit(QUICK, prompt)
    for _ in range(2):  # while it runs, or waits, and once it has ended
        link = input_link(town, job_id)
        got = web.get(link)
        assert got.status_code == 200 and json.loads(got.content) == prompt
        town.wait_end(job_id)
    assert got.headers["Content-Length"] == str(len(got.content))
    assert got.headers["ETag"] == f'"{hashlib.sha256(got.content).hexdigest()}"'
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    head = web.head(link)
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert "input" not in town.job(town.submit(QUICK))["links"]

    size = len(got.content)
    for asked, first, last in (("5-104", 5, 104), ("200000-", 200_000, size - 1),
                               ("-7", size - 7, size - 1)):
        part = web.get(link, headers={"Range": f"bytes={asked}"})
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert part.content == got.content[first:last + 1]
    beyond = web.get(link, headers={"Range": f"bytes={size}-"})
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{size}"


def test_curl_resumes_a_broken_download_of_an_input(town, tmp_path):
    link = input_link(town, town.submit(QUICK, korean(3_000_000)))
    whole = web.get(link).content
    half = tmp_path / "input.json"
    half.write_bytes(whole[:1_000_000])
    subprocess.run(["curl", "-sSf", "-C", "-", "-o", half, link], check=True, timeout=60)
    assert half.read_bytes() == whole


def test_a_changed_link_opens_nothing(town):
    mine, other = (town.submit(QUICK, korean(300_000)) for _ in range(2))
    link, others = input_link(town, mine), input_link(town, other)
    last = "1" if link[-1] == "0" else "0"
    for wrong in (link[:-1] + last, link.replace("expires=", "expires=9"),
                  link.split("&expires")[0],
                  link.split("&expires")[0] + "&expires" + others.split("&expires")[1]):
        refused = web.get(wrong)
        assert refused.status_code == 403, wrong
        assert refused.headers["Content-Type"].startswith("application/problem+json")
        assert refused.json()["code"] == "bad_signature"


def test_the_link_of_an_ended_job_whose_input_was_removed_is_404(world):
    job_id = world.submit(QUICK, korean(300_000))
    assert world.wait_end(job_id)["status"] == "succeeded"
    link = input_link(world, job_id)
    [at] = objects(world)
    at.unlink()
    gone = web.get(link)
    assert gone.status_code == 404
    assert gone.headers["Content-Type"].startswith("application/problem+json")
    assert gone.json()["code"] == "object_not_found"


def test_a_damaged_input_is_never_read_back_whole(world):
    link = input_link(world, world.submit(QUICK, korean()))
    [at] = objects(world)
    with open(at, "r+b") as file:
        file.seek(-1000, 2)
        file.write(b"!")
    with pytest.raises(httpx.RemoteProtocolError):
        web.get(link)


@pytest.mark.parametrize("over, kept", [(-1, 0), (0, 0), (1, 1)])
def test_an_input_above_256_kib_of_json_is_an_object(town, over, kept):
    before = len(objects(town))
    input = secrets.token_hex(4) + "x" * (INLINE_MAX + over - 2 - 8)
    assert len(json.dumps(input)) == INLINE_MAX + over
    job_id = town.submit(QUICK, input)
    assert len(objects(town)) == before + kept
    assert_answered(town, job_id, QUICK, input)


@pytest.mark.parametrize("over", [-1, 0])
def test_an_input_may_be_as_large_as_a_body(town, over):
    body = body_of(BODY_MAX + over)
    answer = raw_post(town, body)
    assert answer.status_code == 202, answer.text
    assert_answered(town, answer.json()["id"], QUICK, json.loads(body)["input"], 60)


def test_a_body_above_8_mib_is_413_and_leaves_nothing(town):
    before = len(objects(town))
    answer = raw_post(town, body_of(BODY_MAX + 1))
    assert answer.status_code == 413
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert len(objects(town)) == before


def test_a_retry_under_the_same_key_writes_nothing_again(town):
    before, key = len(objects(town)), {"Idempotency-Key": secrets.token_hex(4)}
    prompt = korean()
    job_id = town.submit(QUICK, prompt, key)
    assert town.submit(QUICK, prompt, key) == job_id
    assert_answered(town, job_id, QUICK, prompt)
    assert town.submit(QUICK, prompt, key) == job_id
    assert len(objects(town)) == before + 1
    other = town.post({"input": prompt + "!", "model": QUICK}, key)
    assert other.status_code == 422 and other.json()["code"] == "idempotency_key_reused"
    assert len(objects(town)) == before + 1


def test_eight_at_once_under_one_key_are_one_job(town):
    prompt, key, ids = korean(), {"Idempotency-Key": secrets.token_hex(4)}, []
    threads = [threading.Thread(target=lambda: ids.append(town.submit(QUICK, prompt, key)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8 and len(set(ids)) == 1
    assert_answered(town, ids[0], QUICK, prompt)


def test_lines_of_ndjson_may_have_large_inputs(town):
    inputs = [korean(600_000), "short", korean(300_000)]
    lines = "\n".join(json.dumps({"input": text, "model": QUICK}) for text in inputs)
    answer = web.post(f"{town.url}/v1/jobs", content=lines.encode(),
                      headers={"Content-Type": "application/x-ndjson"}, timeout=60)
    ids = [json.loads(line)["id"] for line in answer.text.splitlines()]
    assert len(ids) == len(inputs)
    for job_id, text in zip(ids, inputs):
        assert_answered(town, job_id, QUICK, text)


def test_a_queued_job_is_cancelled_and_never_asked(town):
    asked = town.simulated()["requests"]
    job_id = town.submit(QUICK, korean(), not_before=in_two_seconds())
    assert town.job(job_id)["status"] == "queued"
    assert town.cancel(job_id).json()["status"] == "cancelled"
    assert town.wait_end(town.submit(QUICK, not_before=in_two_seconds()))["status"] == "succeeded"
    assert town.simulated()["requests"] == asked + 1
    assert town.job(job_id)["status"] == "cancelled"


def test_an_input_that_is_gone_fails_the_job_and_one_brought_back_is_worked_on(world):
    prompt = korean()
    job_id = world.submit(QUICK, prompt, not_before=in_two_seconds(), metadata={"mine": 1})
    [at] = objects(world)
    hidden = world.folder / "hidden"
    at.rename(hidden)
    job = world.wait_end(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "input_missing")
    assert world.simulated()["requests"] == 0
    hidden.rename(at)
    again = redrive(world, job_id)
    job = assert_answered(world, again, QUICK, prompt)
    assert job["metadata"] == {"mine": 1, "redriven_from": job_id}


def test_an_input_that_was_changed_on_disk_is_never_sent(world):
    job_id = world.submit(QUICK, korean(), not_before=in_two_seconds())
    [at] = objects(world)
    with open(at, "r+b") as file:
        file.seek(-100_000, 2)
        file.write(b"!")
    job = world.wait_end(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "input_corrupt")
    assert world.simulated()["requests"] == 0


def redrive(world, job_id):
    """The id of the job that does the dead one's work; its letter may come after its end."""
    world.settings["MILLRACE_URL"] = world.url
    sent = []

    def send():
        sent.append(world.run("jobs", "redrive", "--id", job_id))
        return sent[-1].returncode == 0

    world.wait_until(send, what="there is no letter")
    return json.loads(sent[-1].stdout.splitlines()[0])["id"]


@pytest.mark.parametrize("large", [False, True])
def test_kill_9_of_the_worker_in_mid_run_ends_the_job_once_and_counts_both_runs(world, large):
    model = "sim-20ms-100tok-20gap"
    prompt = korean(1024 * 1024 if large else 1000)
    job_id = world.submit(model, prompt)
    reader = world.follow(job_id)
    reader.wait_for(20, "delta")
    world.kill_worker()
    told = reader.finish(40)
    assert_whole(told)
    job = assert_answered(world, job_id, model, prompt)
    assert [event.json["attempt"] for event in told if event.type == "started"] == [1, 2]
    assert job["attempts"] == 2


def test_many_large_bodies_at_once_are_taken_or_told_to_come_again(world):
    bodies = [body_of(4 * 1024 * 1024, max_tokens=5) for _ in range(40)]
    answers = []
    threads = [threading.Thread(target=lambda body=body: answers.append(raw_post(world, body)))
               for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    for answer in answers:
        assert answer.status_code == 202 or int(answer.headers["Retry-After"]) > 0
    assert len(objects(world)) == len(taken) > 0
    for job in world.wait_ends(taken, 60):
        assert job["status"] == "succeeded", job
