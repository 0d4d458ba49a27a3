"""`millrace config`: what is in force and where it came from; and what a `.env` may do wrong."""

import json
import os
import subprocess

import pytest
from process import BINARY


@pytest.fixture
def config(tmp_path):
    """`millrace config` in a folder of its own, with nothing of the caller's environment."""
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)

    def run(*flags, dotenv=None, **variables):
        if dotenv is not None:
            (tmp_path / ".env").write_bytes(dotenv.encode())
        return subprocess.run([BINARY, "config", *flags], cwd=folder, text=True,
                              env={"PATH": os.environ["PATH"]} | variables,
                              capture_output=True, timeout=20, check=False)

    run.folder = tmp_path
    return run


def lines(done):
    """{key: (value, origin)}"""
    assert done.returncode == 0, done.stderr
    told = {}
    for line in done.stdout.splitlines():
        key, _, rest = line.partition(" = ")
        value, _, origin = rest.rpartition("  (")
        told[key.strip()] = (value, origin.removesuffix(")"))
    return told


def test_each_setting_says_where_it_came_from(config):
    toml = config.folder / "m.toml"
    toml.write_text('group = "toml"\nmodel_id = "toml"\nport = 1\n')
    told = lines(config("--config", str(toml), "--port", "9", MODEL_ID="environment",
                        dotenv="﻿# 설정\r\nexport MAX_CONTEXT_MESSAGES='7' # 일곱\r\nMODEL_ID=no\r\n"))
    env = config.folder / ".env"
    assert told["port"] == ("9", "flag --port")
    assert told["model_id"] == ("environment", "env MODEL_ID")
    assert told["max_context_messages"] == ("7", f".env MAX_CONTEXT_MESSAGES ({env} line 2)")
    assert told["group"] == ("toml", f"{toml} line 1")
    assert told["host"] == ("127.0.0.1", "default")


def test_no_secret_is_shown_inside_a_url_either(config):
    done = config(OPENAI_API_KEY="hush", REDIS_URL="redis://u:hush@127.0.0.1:1",
                  DATABASE_URL="postgres://u:hush@h/d", LLM_SERVER_URL="http://u:hush@h:1/v1",
                  MILLRACE_SECRET="hush", AWS_SECRET_ACCESS_KEY="hush", AWS_ACCESS_KEY_ID="hush",
                  KAFKA_SASL_PASSWORD="hush", S3_ENDPOINT="http://u:hush@h:2")
    assert "hush" not in done.stdout + done.stderr
    told = lines(done)
    assert told["llm_api_key"] == ("****", "env OPENAI_API_KEY")
    assert told["redis_url"] == ("redis://u:****@127.0.0.1:1", "env REDIS_URL")


def test_what_a_later_part_will_use_is_known_and_told_as_not_used_yet(config):
    told = lines(config(LAMBDA_T0_URL="https://a.example/t0", USE_MOCK="false"))
    assert told["lambda_t0_url"] == ("https://a.example/t0", "env LAMBDA_T0_URL; not used yet")
    assert told["s3_bucket"] == ("", "default; not used yet")
    assert told["port"][1] == "default"


@pytest.mark.parametrize("dotenv, told", [
    ("PORT=9\n\nMODEL_ID=\"hush\n", "line 3: the quotes around the value of MODEL_ID must close"),
    ("MILLRACE_DATE=x\n", "line 1: unknown setting MILLRACE_DATE; did you mean MILLRACE_DATA?"),
    ("PORT=many\n", "line 1)) is \"many\"; allowed: a whole number from 0 to 65535"),
])
def test_a_wrong_line_is_named_by_file_and_line(config, dotenv, told):
    done = config(dotenv=dotenv)
    assert done.returncode == 2 and done.stdout == ""
    assert str(config.folder / ".env") in done.stderr and told in done.stderr
    assert "hush" not in done.stderr


def test_a_near_miss_in_a_file_that_others_share_is_told_and_refuses_nothing(config):
    done = config(dotenv="COMPOSE_PROJECT_NAME=x\nLLM_SERVER_URI=http://x\n")
    assert lines(done)["llm_server_url"] == ("", "default")
    assert "line 2: LLM_SERVER_URI is no setting; did you mean LLM_SERVER_URL?" in done.stderr
    assert "COMPOSE" not in done.stderr


def test_a_line_of_others_that_cannot_be_read_is_told_and_refuses_nothing(config):
    done = config(dotenv="PORT=9\nhush hush\nTHEIRS=\"a\nb\"\n")
    assert lines(done)["port"][0] == "9" and "hush" not in done.stderr
    assert done.stderr == f"{config.folder}/.env line 2: expected NAME=value; nothing is read there\n"


def test_programs_get_each_setting_as_an_object_of_its_own_line(config):
    told = lines(config("--port", "9", MILLRACE_SECRET="hush"))
    done = config("--json", "--port", "9", MILLRACE_SECRET="hush")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["key"]: row["value"] for row in rows} == {key: told[key][0] for key in told}
    port = next(row for row in rows if row["key"] == "port")
    assert port == {"key": "port", "flag": "--port", "env": "PORT", "value": "9",
                    "origin": "flag --port", "used": True}
    assert not next(row for row in rows if row["key"] == "s3_bucket")["used"]
    assert "hush" not in done.stdout
