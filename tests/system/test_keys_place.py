"""Where `millrace keys` writes and looks, where nobody serves that and where somebody does."""

import json
import os
import subprocess

import pytest
from process import BINARY

pytestmark = pytest.mark.embedded("looks into the one folder")


@pytest.fixture
def keys(tmp_path):
    """`millrace keys` in a folder of its own, with nothing of the caller's environment."""
    def run(*words, **variables):
        return subprocess.run([BINARY, "keys", *words], cwd=tmp_path, text=True, timeout=20,
                              env={"PATH": os.environ["PATH"]} | variables, capture_output=True,
                              check=False)
    run.folder = tmp_path
    return run


def test_a_list_of_keys_makes_no_store_and_says_where_it_looked(keys):
    for words in (("list",), ("list", "--json"), ("revoke", "key_0000000000000000")):
        done = keys(*words)
        assert done.stdout == "" and done.returncode == (4 if words[0] == "revoke" else 0)
        if "--json" not in words:
            assert str(keys.folder / "millrace-data" / "millrace.db") in done.stderr
    assert list(keys.folder.iterdir()) == []


def test_a_key_in_a_store_that_nobody_serves_says_so(keys):
    path = str(keys.folder / "elsewhere" / "millrace.db")
    done = keys("create", MILLRACE_DATA="elsewhere")
    assert done.returncode == 0 and done.stdout.startswith("mr_") and done.stdout.count("\n") == 1
    for part in (path, "was not there before", "no millrace serves that now", "MILLRACE_DATA"):
        assert part in done.stderr
    again = keys("create", MILLRACE_DATA="elsewhere").stderr
    assert "not there before" not in again and "no millrace serves that now" in again
    assert json.loads(keys("create", "--json", MILLRACE_DATA="elsewhere").stdout)["store"] == path
    assert len(keys("list", MILLRACE_DATA="elsewhere").stdout.splitlines()) == 4
    shared = keys("create", DATABASE_URL="own.db").stderr
    assert str(keys.folder / "own.db") in shared and "within 2 s" in shared


def test_a_key_in_a_store_that_is_served_names_who_serves_it(empty_world):
    world = empty_world.inhabit()
    told = world.run("keys", "create").stderr
    assert str(world.folder / "data" / "millrace.db") in told
    pid = (world.folder / "data" / "lock").read_text()
    assert f"process {pid} serves" in told and "within 2 s" in told
