"""The command line against a running edge, as scripts and people use it."""

import json
import os
import re
import signal
import subprocess
import uuid

import pytest
from process import BINARY, free_port
from terminal import Terminal

QUICK = "sim-5ms-5tok-1gap"
SLOW = "sim-5ms-5000tok-20gap"
NOBODY = str(uuid.UUID(int=0x4000_8000_0000_0000_0000))
SUCCEEDED, FAILED, USAGE, UNREACHABLE, NOT_FOUND, ENDED = range(6)
ANSI = re.compile(r"\033\[[0-9;]*[mK]")


class CommandLine:
    """`url` is all it knows of the world."""

    def __init__(self, world, url=None):
        self.cwd = world.folder
        self.env = world.env | {"MILLRACE_URL": url or world.url}

    def __call__(self, *words, stdin="", **env):
        return subprocess.run([BINARY, *words], env=self.env | env, cwd=self.cwd, input=stdin,
                              capture_output=True, text=True, timeout=60, check=False)

    def start(self, *words):
        return subprocess.Popen([BINARY, *words], env=self.env, cwd=self.cwd, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def on_terminal(self, *words, **env):
        return Terminal([BINARY, *words], self.env | {"TERM": "xterm"} | env, self.cwd)


@pytest.fixture
def cli(town):
    return CommandLine(town)


def said(done, code=SUCCEEDED):
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


# --- submit


def test_submit_prints_the_id_alone(cli, town):
    job_id = said(cli("submit", "한국어 질문", "--model", QUICK, "--session", "대화"))
    assert uuid.UUID(job_id.strip()) and job_id.endswith("\n")
    job = town.wait_end(job_id.strip())
    assert (job["status"], job["session"], job["model"]) == ("succeeded", "대화", QUICK)


def test_submit_json_prints_the_receipt(cli):
    receipt = json.loads(said(cli("submit", "한국어 질문", "--model", QUICK, "--json")))
    assert receipt["status"] == "queued" and receipt["links"]["events"]


@pytest.mark.parametrize("how", ["--wait", "--stream"])
def test_the_answer_is_all_that_stdout_gets(cli, town, how):
    done = cli("submit", "한국어 질문", "--model", QUICK, how)
    answer = said(done)
    job_id = re.search(r"job (\S+)", done.stderr)[1]
    assert answer == town.job(job_id)["result"]["text"] + "\n"
    assert "succeeded" in done.stderr
    assert "\033" not in done.stdout + done.stderr, "no colours where nobody sees them"


def test_wait_with_json_prints_the_job_and_stream_with_json_every_event(cli, town):
    job = json.loads(said(cli("submit", "x", "--model", QUICK, "--wait", "--json")))
    assert job["status"] == "succeeded" and job["result"]["text"]
    done = cli("submit", "x", "--model", QUICK, "--stream", "--json")
    events = [json.loads(line) for line in said(done).splitlines()]
    assert events == [event.json for event in town.read(events[0]["job"])]
    assert done.stderr == ""


def test_a_dash_reads_the_prompt_from_stdin(cli):
    prompt = "여러 줄의\n질문 " * 2000
    metadata = ("--metadata", "lines=2", "--metadata", "who=나")
    job = json.loads(said(cli("submit", "-", "--model", QUICK, "--wait", "--json", *metadata,
                              stdin=prompt)))
    assert job["metadata"] == {"lines": 2, "who": "나"}
    assert job["usage"]["prompt_tokens"] > 2000
    done = cli("submit", "-", stdin="")
    assert "prompt is empty" in done.stderr and done.returncode == USAGE
    done = cli("submit", "-", stdin="x" * (8 * 1024 * 1024 + 1))
    assert "larger than 8388608 bytes" in done.stderr and done.returncode == USAGE


def test_a_failed_job_is_exit_1_and_says_why_a_cancelled_one_is_exit_5(cli, town):
    done = cli("submit", "x", "--model", "sim-400", "--wait")
    assert done.returncode == FAILED
    assert "answered 400" in done.stderr and done.stdout == ""
    job_id = said(cli("submit", "x", "--model", SLOW)).strip()
    tail = cli.start("tail", job_id)
    assert tail.stdout.read(5)
    said(cli("jobs", "cancel", job_id))
    assert tail.wait(10) == ENDED
    assert "cancelled" in tail.stderr.read()


def test_the_same_key_is_the_same_job(cli):
    words = ("submit", "x", "--model", QUICK, "--idempotency-key", f"k-{uuid.uuid4()}")
    assert said(cli(*words)) == said(cli(*words))
    done = cli("submit", "another", *words[2:])
    assert done.returncode == USAGE and "idempotency_key_reused" in done.stderr


# --- tail


def test_tail_shows_a_job_from_its_beginning(cli, town):
    job_id = town.submit(QUICK)
    text = town.wait_end(job_id)["result"]["text"]
    assert said(cli("tail", job_id)) == text + "\n"
    assert said(cli("tail", job_id)) == text + "\n"
    told = [json.loads(line) for line in said(cli("tail", job_id, "--json")).splitlines()]
    assert told == [event.json for event in town.read(job_id)]


def test_tail_of_a_session_shows_its_jobs_as_they_come_until_ctrl_c(cli):
    tail = cli.start("tail", "--session", "방", "--json")
    ended = []
    try:
        for _ in range(2):
            job_id = said(cli("submit", "x", "--session", "방", "--model",
                              "sim-300ms-5tok-10gap")).strip()
            for line in tail.stdout:
                event = json.loads(line)
                if event["job"] == job_id and event["type"] == "done":
                    ended.append(event["job"])
                    break
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 130
    finally:
        tail.kill()
        tail.communicate()
    assert len(ended) == 2


def test_tail_goes_on_where_it_was_when_its_edge_comes_back(world):
    cli = CommandLine(world)
    job_id = world.submit("sim-5ms-150tok-20gap")
    tail = cli.start("tail", job_id)
    first = tail.stdout.read(20)
    edge = world.edges[0]
    edge.kill()
    edge.start_listening()
    rest, notes = tail.stdout.read(), tail.stderr.read()
    assert tail.wait(20) == SUCCEEDED, notes
    text = world.wait_end(job_id)["result"]["text"]
    # Where the worker was killed with it, the answer goes back, is told, and is shown again.
    shown = first + rest
    assert shown == text + "\n" or ("goes back" in notes and shown.endswith(text + "\n"))


# --- jobs


def test_jobs_are_listed_newest_first_by_session_and_status(cli, town):
    session = f"s-{uuid.uuid4()}"
    ids = [town.submit(QUICK, session=session) for _ in range(3)]
    town.wait_ends(ids)
    rows = said(cli("jobs", "list", "--session", session)).splitlines()
    assert rows[0].split()[:2] == ["ID", "STATUS"]
    assert [row.split()[0] for row in rows[1:]] == ids[::-1]
    assert all("succeeded" in row for row in rows[1:])
    first = cli("jobs", "list", "--session", session, "-n", "2", "--json")
    assert [json.loads(line)["id"] for line in said(first).splitlines()] == ids[:0:-1]
    after = cli("jobs", "list", "--session", session, "--after", ids[1], "--json")
    assert [json.loads(line)["id"] for line in said(after).splitlines()] == ids[:1]
    none = cli("jobs", "list", "--session", session, "--status", "failed")
    assert said(none) == "" and "no such jobs" in none.stderr


def test_show_tells_all_that_is_known(cli, town):
    job_id = town.submit(QUICK, session="s", metadata={"a": 1})
    job = town.wait_end(job_id)
    text = said(cli("jobs", "show", job_id))
    for fact in (job_id, "succeeded", QUICK, '{"a":1}', job["result"]["text"]):
        assert fact in text
    shown = json.loads(said(cli("jobs", "show", job_id, "--json")))
    assert shown["result"] == job["result"]


def test_cancel_says_how_each_job_ended(cli, town):
    job_id = town.submit(SLOW)
    assert said(cli("jobs", "cancel", job_id)) == f"{job_id} cancelled\n"
    assert town.job(job_id)["status"] == "cancelled"
    ended = town.submit(QUICK)
    town.wait_end(ended)
    assert said(cli("jobs", "cancel", ended, job_id), FAILED) == (
        f"{ended} succeeded\n{job_id} cancelled\n")


def test_redrive_does_the_work_of_a_dead_job_again(world):
    cli = CommandLine(world)
    if world.front == "edge":
        cli.env |= {name: str(value) for name, value in world.settings.items()}
    dead = world.submit("sim-400", session="dead", metadata={"mine": 1})
    world.wait_end(dead)
    world.wait_until(lambda: cli("jobs", "redrive", "--id", dead).returncode == SUCCEEDED, 20,
                     "its letter is not found")
    again = [json.loads(line) for line in said(
        cli("jobs", "redrive", "--id", dead)).splitlines()]
    assert again[0]["from"] == dead and again[1] == {"sent": 1, "skipped": 0}
    job = world.wait_end(again[0]["id"])
    assert (job["status"], job["session"]) == ("failed", "dead")
    assert job["metadata"] == {"mine": 1, "redriven_from": dead}


@pytest.mark.embedded("Kafka sends all its letters: test_upstream.py")
def test_redrive_takes_the_letters_that_were_not_sent_before(world):
    cli = CommandLine(world)

    def redriven():
        *sent, count = map(json.loads, said(cli("jobs", "redrive")).splitlines())
        assert count == {"sent": len(sent), "skipped": 0}
        return {line["from"]: line["id"] for line in sent}

    assert redriven() == {}
    dead = {world.submit("sim-400") for _ in range(3)}
    world.wait_ends(dead)
    again = redriven()
    assert set(again) == dead
    world.wait_ends(again.values())
    assert set(redriven()) == set(again.values()), "which have died again"


# --- what goes wrong


@pytest.mark.parametrize("words", [
    ("submit", "x"), ("submit", "x", "--wait"), ("tail", NOBODY), ("jobs", "list"),
    ("jobs", "show", NOBODY), ("jobs", "cancel", NOBODY), ("jobs", "redrive")], ids=" ".join)
def test_without_an_edge_they_say_so_and_what_to_do(town, words):
    nobody = f"http://127.0.0.1:{free_port()}"
    done = CommandLine(town, nobody)(*words)
    assert done.returncode == UNREACHABLE and done.stdout == ""
    for hint in (nobody, "millrace serve", "MILLRACE_URL"):
        assert hint in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [
    ("tail", NOBODY), ("tail", "no-such-session"), ("jobs", "show", NOBODY),
    ("jobs", "cancel", NOBODY)], ids=" ".join)
def test_what_is_not_there_is_exit_4_and_says_where_to_look(cli, words):
    done = cli(*words)
    assert done.returncode == NOT_FOUND
    assert words[-1] in done.stderr and "millrace jobs list" in done.stderr


@pytest.mark.parametrize("words, named", [
    (("submit",), "prompt"),
    (("submit", "x", "--bogus"), "--bogus"),
    (("submit", "x", "--modle", "m"), "did you mean --model?"),
    (("submit", "x", "--log-levle=debug"), "did you mean --log-level?"),
    (("sumbit", "x"), "did you mean submit?"),
    (("jobs", "lits"), "did you mean list?"),
    (("submit", "two", "words"), "words"),
    (("submit", "x", "--wait", "--stream"), "--wait"),
    (("submit", "x", "--temperature", "hot"), "--temperature"),
    (("submit", "x", "--temperature", "9"), '--temperature is "9"; allowed: a number from 0 to 2'),
    (("submit", "x", "--temperature=nan"), "a number from 0 to 2"),
    (("submit", "x", "--temperature="), '--temperature is ""; allowed: a number from 0 to 2'),
    (("submit", "x", "--temperature"), "a number from 0 to 2"),
    (("submit", "x", "--temperature", "-1"), "a number from 0 to 2"),
    (("submit", "x", "--max-tokens", "0"), "a whole number from 1 to 131072"),
    (("submit", "x", "--deadline", "inf"), "a number from 0.001 to 604800"),
    (("jobs", "list", "-n", "-1"), "a whole number from 1 to"),
    (("submit", "x", "--metadata", "nothing"), "name=value"),
    (("submit", "x", "--url"), "--url needs a value"),
    (("submit", "x", "--url", "ftp://x"), "ftp://x"),
    (("submit", "x", "--url", "nonsense"), "http(s)://host[:port]"),
    (("tail",), "name"),
    (("jobs",), "list"),
    (("jobs", "bogus"), "bogus"),
    (("jobs", "list", "--status", "bogus"), "succeeded"),
    (("jobs", "list", "--log-level", "bogus"), "log_level"),
    (("jobs", "show", "nope"), "UUID"),
    (("jobs", "cancel", "nope"), "UUID"),
    (("jobs", "redrive", "--id", "nope"), "UUID"),
], ids=lambda words: " ".join(words) if isinstance(words, tuple) else None)
def test_wrong_words_are_named_with_exit_2(cli, words, named):
    done = cli(*words)
    assert done.returncode == USAGE and done.stdout == ""
    assert named in done.stderr


def test_a_url_that_is_no_edge_is_called_that(cli, town):
    done = cli("jobs", "list", MILLRACE_URL=f"{town.url}/somewhere")
    assert done.returncode == USAGE
    assert "MILLRACE_URL" in done.stderr
    done = cli("jobs", "show", NOBODY, MILLRACE_URL=f"{town.url}/somewhere")
    assert done.returncode == USAGE, "a wrong path is not a missing job"


def test_an_edge_is_found_by_its_port_alone(cli, town):
    port = town.url.rsplit(":", 1)[1]
    assert said(cli("jobs", "list", "-n", "1", MILLRACE_URL="", PORT=port)) is not None
    assert said(cli("jobs", "list", "-n", "1", MILLRACE_URL=f"127.0.0.1:{port}/")) is not None


@pytest.mark.parametrize("words", [
    ("submit", "x"), ("submit", "x", "--stream"), ("submit", "x", "--wait"), ("jobs", "list"),
    ("jobs", "list", "--json"), ("doctor",), ("doctor", "--json"), ("config",), ("--help",),
    ("submit", "--help"), ("jobs", "--help"), ("serve", "--help"), ("--version",)], ids=" ".join)
def test_what_cannot_be_written_to_stdout_is_a_failure(cli, town, words):
    town.wait_end(town.submit(QUICK))
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([BINARY, *words], env=cli.env | {"MODEL_ID": QUICK}, cwd=cli.cwd,
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                              check=False)
    assert done.returncode == FAILED
    assert "millrace: stdout cannot be written" in done.stderr


def test_a_reader_that_leaves_ends_a_stream_quietly(cli):
    words = [BINARY, "submit", "x", "--stream", "--json", "--model", SLOW]
    for before in (None, lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN)):
        with subprocess.Popen(words, env=cli.env, cwd=cli.cwd, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, preexec_fn=before) as child:
            assert child.stdout.readline()
            child.stdout.close()
            assert child.stderr.read() == b""
            assert child.wait(10) in (-signal.SIGPIPE, 128 + signal.SIGPIPE)


# --- on a terminal


def test_a_terminal_shows_progress_and_colours_and_the_answer_whole(cli):
    terminal = cli.on_terminal("submit", "한국어 질문", "--wait", "--model", "sim-300ms-20tok-20gap")
    try:
        text, code = terminal.end()
    finally:
        terminal.close()
    assert code == SUCCEEDED
    assert "running" in text and "\r\033[K" in text, "progress is written over"
    assert "\033[32msucceeded after" in text
    lines = ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    assert len(lines[-2].split()) == 20, "the answer, on a line of its own"


def test_no_color_means_none(cli):
    terminal = cli.on_terminal("submit", "x", "--stream", "--model", QUICK, NO_COLOR="1")
    try:
        text, code = terminal.end()
    finally:
        terminal.close()
    assert code == SUCCEEDED
    assert not re.search(r"\033\[[0-9;]*m", text)
    assert "succeeded after" in text


def test_a_list_in_colour_has_the_same_columns(cli, town):
    town.wait_end(town.submit(QUICK))
    plain = said(cli("jobs", "list", "-n", "1"))
    terminal = cli.on_terminal("jobs", "list", "-n", "1")
    try:
        text, code = terminal.end()
    finally:
        terminal.close()
    assert code == SUCCEEDED and "\033[32msucceeded" in text
    assert ANSI.sub("", text).replace("\r\n", "\n").splitlines()[:2] == plain.splitlines()


def test_ctrl_c_leaves_and_the_job_goes_on(cli, town):
    terminal = cli.on_terminal("submit", "x", "--stream", "--model", "sim-5ms-100tok-20gap")
    try:
        terminal.read_until(lambda text: len(text.split()) > 8)
        terminal.child.send_signal(signal.SIGINT)
        text, code = terminal.end()
    finally:
        terminal.close()
    assert code == 130 and "goes on" in text
    job_id = re.search(r"job ([0-9a-f-]{36})", text)[1]
    assert town.wait_end(job_id)["status"] == "succeeded"


# --- help and version


EVERY_COMMAND = [(), ("serve",), ("edge",), ("worker",), ("llm-sim",), ("migrate",), ("config",),
                 ("submit",), ("tail",), ("jobs",), ("jobs", "list"), ("jobs", "show"),
                 ("jobs", "cancel"), ("jobs", "redrive"), ("doctor",), ("backup",),
                 ("restore",)]


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_every_command_tells_of_itself_and_starts_nothing(tmp_path, command):
    # A configuration that nothing can start with: help does not look at it.
    env = {"PATH": os.environ["PATH"], "PORT": "nonsense", "MILLRACE_DATA": "/proc/nowhere"}
    for flag in ("--help", "-h", "--version"):
        done = subprocess.run([BINARY, *command, flag], env=env, cwd=tmp_path, timeout=10,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        if flag == "--version":
            assert re.fullmatch(r"millrace \d+\.\d+\.\d+\n", done.stdout)
        else:
            assert f"millrace {' '.join(command)}".strip() in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", EVERY_COMMAND[1:], ids=" ".join)
def test_every_command_names_an_option_it_does_not_know(tmp_path, command):
    done = subprocess.run([BINARY, *command, "--bogus=1"], env={"PATH": os.environ["PATH"]},
                          cwd=tmp_path, timeout=10, capture_output=True, text=True, check=False)
    assert done.returncode == USAGE and "--bogus" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_lists_the_exit_codes(cli):
    text = said(cli("submit", "--help"))
    for number in ("0", "1", "2", "3", "4", "5", "130"):
        assert re.search(rf"\b{number} ", text.split("Exit codes:")[1])

