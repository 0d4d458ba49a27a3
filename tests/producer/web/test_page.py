"""The parts of the page that decide without a browser: each *.test.ts in Node's own test runner."""

import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "page"
WEB = Path(__file__).parents[3] / "producer" / "web"


@pytest.mark.parametrize("name", sorted(each.name for each in HERE.glob("*.test.ts")))
def test_the_page_decides_as_its_tests_say(name, tmp_path):
    bundle = tmp_path / name.replace(".ts", ".mjs")
    subprocess.run([WEB / "node_modules" / ".bin" / "esbuild", HERE / name, "--bundle",
                    "--platform=node", "--format=esm", "--log-level=warning",
                    f"--outfile={bundle}"], check=True)
    ran = subprocess.run(["node", "--test", "--test-reporter=tap", bundle], capture_output=True,
                         text=True, timeout=60, check=False)
    passed = re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert ran.returncode == 0 and passed and int(passed[1]) > 0, ran.stdout + ran.stderr
