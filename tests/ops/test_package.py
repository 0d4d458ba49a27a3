"""What ops/package makes runs where it is unpacked; what goes with it passes its own linters."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops"))
from process import ROOT, Process, free_port, wait_until  # noqa: E402

LINTERS = Path(sys.executable).parent


def run(*argv, **more):
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=False,
                          timeout=110, **more)


def succeeds(*argv, **more):
    done = run(*argv, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packages():
    succeeds(ROOT / "ops" / "package")
    return ROOT / "build" / "packages"


@pytest.fixture(scope="module")
def deb(packages):
    return next(packages.glob("millrace_*.deb"))


@pytest.fixture(scope="module")
def unpacked_deb(deb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("deb")
    succeeds("dpkg-deb", "-x", deb, folder)
    return folder


def test_the_tarball_serves_where_it_is_unpacked(packages, tmp_path):
    tarball = next(packages.glob("millrace-*.tar.gz"))
    succeeds("tar", "xf", tarball, "-C", tmp_path, "--strip-components=1")
    port = free_port()
    millrace = Process("millrace", tmp_path)
    millrace.spawn([tmp_path / "bin" / "millrace", "serve", "--port", port, "--data", tmp_path / "d"])
    try:
        jobs = f"http://127.0.0.1:{port}/v1/jobs"

        def answers():
            try:
                return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
            except httpx.TransportError:
                return False
        assert wait_until(answers, 20), millrace.last_words()
        done = httpx.post(jobs, json={"input": "x", "model": "sim-1ms-2tok-1gap"},
                          headers={"Prefer": "wait=10"}, timeout=20)
        assert done.json()["status"] == "succeeded"
    finally:
        millrace.stop()


def test_the_program_is_stripped(unpacked_deb):
    told = succeeds("file", unpacked_deb / "usr" / "bin" / "millrace")
    assert "stripped" in told and "not stripped" not in told


def test_the_deb_names_the_libraries_it_needs_and_keeps_changed_settings(deb):
    needs = succeeds("dpkg-deb", "-f", deb, "Depends")
    for library in ("librdkafka1", "libsqlite3-0", "libcurl4"):
        assert library in needs
    assert succeeds("dpkg-deb", "-I", deb, "conffiles").strip() == "/etc/millrace/millrace.env"


def test_only_its_owner_may_read_the_settings(unpacked_deb):
    assert (unpacked_deb / "etc/millrace/millrace.env").stat().st_mode & 0o777 == 0o600


def test_systemd_understands_the_unit(unpacked_deb, tmp_path):
    unit = unpacked_deb / "usr/lib/systemd/system/millrace.service"
    here = tmp_path / "millrace.service"
    here.write_text(re.sub(r"/usr/bin/millrace", str(unpacked_deb / "usr/bin/millrace"),
                           unit.read_text()))
    done = run("systemd-analyze", "verify", here)
    assert done.returncode == 0 and not done.stderr, done.stderr


def test_the_dockerfile_passes_its_linter():
    # DL3008 wants exact versions of Debian packages, which vanish with the next point release.
    succeeds(LINTERS / "hadolint", "--ignore", "DL3008", ROOT / "ops" / "deploy" / "Dockerfile")


def test_compose_understands_its_file_and_asks_for_the_secret():
    file = ROOT / "ops" / "compose.yaml"
    without = {name: value for name, value in os.environ.items() if name != "MILLRACE_SECRET"}
    succeeds("docker-compose", "-f", file, "config", "-q", env={**without, "MILLRACE_SECRET": "x"})
    refused = run("docker-compose", "-f", file, "config", "-q", env=without)
    assert refused.returncode != 0 and "MILLRACE_SECRET" in refused.stderr
