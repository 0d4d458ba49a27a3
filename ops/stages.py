#!/usr/bin/env python3
"""The stages of ./ops/test, one after the other: check, build, C++ tests, then the tests in
Python, with a Redis, a Kafka and a Postgres of their own on free ports, and at length the fuzzers. A stage that
fails does not stop those after it, except that without a build there is nothing to test."""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass

from process import ROOT, StartFailed, stopped_at_end
from servers import Kafka, Postgres, Redis

WORK = ROOT / "build" / "test"
FUZZ_SECONDS = 20  # a target


@dataclass
class Tally:
    """What one stage counted. In CI a skipped test has failed: here is all that a test may need."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def in_ci():
    return os.environ.get("CI") == "true"


def run(argv, **more):
    return subprocess.run([str(word) for word in argv], cwd=ROOT, check=False, **more)


def check(_wanted, _env):
    code = run([ROOT / "ops" / "check"]).returncode
    return Tally(passed=int(code == 0), failed=int(code != 0))


def tidy(wanted, _env):
    """Takes longer than all the rest, and needs the build's list of commands: under --long alone."""
    if wanted.only or not wanted.long:
        return Tally()
    code = run([ROOT / "ops" / "check", "--tidy"]).returncode
    return Tally(passed=int(code == 0), failed=int(code != 0))


def build(_wanted, _env):
    code = run([ROOT / "ops" / "build"]).returncode
    return Tally(passed=int(code == 0), failed=int(code != 0))


def ctest(labels, jobs):
    """A stage of C++ tests. Those that share a server with others carry the label `system`; suites
    whose names end in AtLength run under --long alone."""
    def stage(wanted, env):
        report = WORK / f"ctest{labels[0]}.xml"
        only = ["-R", wanted.only] if wanted.only else []
        if not wanted.long:
            only += ["-E", "AtLength"]
        with contextlib.suppress(FileNotFoundError):
            report.unlink()
        run(["ctest", "--test-dir", ROOT / "build" / "release", *labels, "-j", jobs, "--quiet",
             "--output-junit", report, "--timeout", 600 if wanted.long else 120, *only], env=env)
        return read_junit(report)
    return stage


def pytest(wanted, env):
    """Two files of tests at once, each process with servers of its own: the short forms wait more
    than they work. The long ones want the machine for themselves."""
    report = WORK / "pytest.xml"
    options = ["--long"] if wanted.long else ["-n", "2", "--dist", "loadfile"]
    options += ["--only", wanted.only] if wanted.only else []
    code = run([ROOT / "build" / "venv" / "bin" / "python", "-m", "pytest", "-q", "tests",
                f"--junitxml={report}", *options], env=env).returncode
    if code == 5 and wanted.only:  # nothing matched
        return Tally()
    tally = read_junit(report)
    if code not in (0, 1):  # broken off, or nothing could be collected
        tally.failed += 1
    return tally


def fuzz(wanted, _env):
    """Each libFuzzer target for a while, from a small corpus that grows from run to run. Built with
    sanitizers, which takes minutes: under --long alone."""
    if wanted.only or not wanted.long:
        return Tally()
    if run(["cmake", "--preset", "fuzz"], stdout=subprocess.DEVNULL).returncode or \
            run(["ninja", "-C", ROOT / "build" / "fuzz", "--quiet", "all_fuzz"]).returncode:
        return Tally(failed=1)
    tally = Tally()
    for source in sorted((ROOT / "tests" / "fuzz").glob("*_fuzz.cpp")):
        corpus = WORK / "fuzz" / source.stem
        corpus.mkdir(parents=True, exist_ok=True)
        words = source.with_name(source.stem.removesuffix("_fuzz") + ".dict")
        ran = run([ROOT / "build" / "fuzz" / "tests" / "fuzz" / source.stem, f"-dict={words}",
                   "-max_len=4096", f"-max_total_time={FUZZ_SECONDS}", "-verbosity=0",
                   f"-artifact_prefix={corpus}.", corpus])
        tally.add(Tally(passed=int(ran.returncode == 0), failed=int(ran.returncode != 0)))
    return tally


def read_junit(report):
    """Counts a JUnit file and shows what each failed test said. No file is a failure."""
    if not report.exists():
        return Tally(failed=1)
    tally = Tally()
    for case in xml.parse(report).getroot().iter("testcase"):
        failure = next((case.find(kind) for kind in ("failure", "error")
                        if case.find(kind) is not None), None)
        skipped = case.find("skipped") is not None or case.get("status") in ("notrun", "disabled")
        if failure is not None:
            tally.failed += 1
            said = case.findtext("system-out") or ""
            if report.name.startswith("ctest"):  # pytest has shown its own
                print(f"--- {case.get('name')} failed\n{said[-6000:]}")
        elif skipped:
            tally.skipped += 1
            print(f"--- {case.get('name')} was skipped")
        else:
            tally.passed += 1
    return tally


STAGES = (("check", check), ("build", build), ("tidy", tidy), ("units", ctest(("-LE", "system"), jobs=2)),
          ("servers", ctest(("-L", "system"), jobs=1)), ("pytest", pytest), ("fuzz", fuzz))


def run_stages(wanted, env):
    total = Tally()
    for name, stage in STAGES:
        if wanted.only and name == "check":
            continue
        print(f"test: {name} …", flush=True)
        began = time.monotonic()
        counted = stage(wanted, env)
        print(f"test: {name}: {counted.passed} passed, {counted.failed} failed, "
              f"{counted.skipped} skipped in {time.monotonic() - began:.1f} s", flush=True)
        if wanted.only and name == "build":
            counted.passed = 0  # asked for tests by name, so count those
        total.add(counted)
        if name == "build" and counted.failed:
            break
    return total


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--long", action="store_true")
    arguments.add_argument("--only", metavar="REGEX")
    wanted = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)

    redis, kafka = Redis(WORK / "redis"), Kafka(WORK / "kafka")
    postgres = Postgres(WORK / "postgres")
    with stopped_at_end(redis, kafka, postgres):
        try:
            redis.start()
            postgres.start()
            kafka.start()
        except StartFailed as failure:
            sys.exit(f"test: {failure}\n0 passed, 1 failed")
        env = os.environ | {"MILLRACE_TEST_REDIS": redis.url, "MILLRACE_TEST_KAFKA": kafka.brokers,
                            "MILLRACE_TEST_POSTGRES": postgres.url}
        total = run_stages(wanted, env)
    if in_ci():
        total.failed += total.skipped
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    sys.exit(1 if total.failed or not total.passed else 0)


if __name__ == "__main__":
    main()
