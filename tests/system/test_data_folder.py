"""The data folder is taken away from the one process that serves it."""

import json
import shutil
import subprocess

import pytest
from world import BINARY, web

pytestmark = pytest.mark.embedded("takes the folder of the one process away")

MODEL = "sim-20ms-30tok-10gap"


def test_a_folder_that_was_removed_is_noticed_and_nothing_is_accepted_into_it(empty_world):
    world = empty_world.inhabit()
    world.submit(MODEL)
    shutil.rmtree(data_of(world))
    wait_noticed(world)
    assert len(lines_of(world, "data_folder_gone")) == 1
    doctor = subprocess.run([BINARY, "doctor", "--url", world.url], env=world.env | world.settings,
                            cwd=world.folder, capture_output=True, text=True, check=False)
    assert doctor.returncode == 1
    assert "removed or replaced" in doctor.stdout


def test_another_folder_in_its_place_is_noticed_and_the_first_put_back_serves_on(empty_world):
    world = empty_world.inhabit()
    before = world.submit(MODEL)
    aside = world.folder / "aside"
    data_of(world).rename(aside)
    shutil.copytree(aside, data_of(world))
    wait_noticed(world)
    shutil.rmtree(data_of(world))
    aside.rename(data_of(world))
    world.wait_until(lambda: web.get(f"{world.url}/readyz").status_code == 200, 10, "not ready")
    after = world.submit(MODEL)
    assert {job["status"] for job in world.wait_ends([before, after])} == {"succeeded"}
    assert len(lines_of(world, "data_folder_gone")) == 1
    assert len(lines_of(world, "data_folder_back")) == 1


def wait_noticed(world):
    world.wait_until(lambda: web.get(f"{world.url}/readyz").status_code == 503, 10, "not noticed")
    said = web.get(f"{world.url}/readyz").json()["detail"]
    assert "data" in said and "removed or replaced" in said and "put it back" in said
    for headers in ({}, {"Idempotency-Key": "key"}):
        refused = world.post({"input": "Tell me.", "model": MODEL}, headers)
        assert refused.status_code == 503, f"{refused.status_code} {refused.text}"
        assert int(refused.headers["Retry-After"]) >= 1
        assert "operator" in refused.json()["detail"]
    assert web.post(f"{world.url}/v1/dead-letters/redrive").status_code == 503


def data_of(world):
    return world.folder / "data"


def lines_of(world, event):
    lines = world.serve.log.read_text().splitlines()
    return [line for line in lines if line.startswith("{") and json.loads(line)["event"] == event]
