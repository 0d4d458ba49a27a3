"""Each rule of ops/lint.py finds a violation planted for it, and leaves its neighbour alone."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops"))
import lint  # noqa: E402


def messages(path, text):
    return [finding.message for finding in lint.findings(lint.Source(path, text))]


@pytest.mark.parametrize("path, line", [
    ("producer/relay/a.cpp", '#include "workers/llm/chat_model.h"'),
    ("workers/pool/a.cpp", '#include "producer/relay/hub.h"'),
    ("shared/contract/a.cpp", '#include "producer/relay/hub.h"'),
    ("shared/redis/a.cpp", '#include "ops/a.h"'),
    ("workers/pool/a.cpp", '#include "tests/a.h"'),
    ("shared/runtime/a.cpp", '#include "shared/contract/job.h"'),
    ("shared/contract/a.cpp", '#include "shared/event_log.h"'),
    ("shared/event_log.cpp", '#include "shared/redis/a.h"'),
    ("shared/redis/a.cpp", '#include "shared/kafka/a.h"'),
    ("shared/redis/a.cpp", '#include "local.h"'),
    ("workers/llm/a.cpp", "#include <curl/curl.h>"),
    ("producer/relay/a.cpp", "#include <hiredis/hiredis.h>"),
    ("shared/redis/a.cpp", "#include <librdkafka/rdkafka.h>"),
    ("producer/ingress/a.cpp", "#include <boost/beast/http.hpp>"),
    ("workers/pool/a.cpp", "#include <sqlite3.h>"),
    ("workers/pool/a.cpp", "auto t = std::chrono::steady_clock::now();"),
    ("workers/pool/a.cpp", "auto t = std::chrono::system_clock::now();"),
    ("workers/pool/a.cpp", "using C = std::chrono::steady_clock; auto t = C::now();"),
    ("producer/relay/a.h", "#pragma once\ntypedef std::chrono::system_clock Wall;"),
    ("shared/redis/a.cpp", "asio::basic_waitable_timer<Ticks> timer(loop);"),
    ("tests/simulation/a.cpp", "asio::basic_deadline_timer<Ticks> timer(loop);"),
    ("ops/roles/a.cpp", "auto t = std::time(nullptr);"),
    ("shared/disk/a.cpp", "clock_gettime(CLOCK_MONOTONIC, &now);"),
    ("tests/simulation/a.cpp", "auto t = std::chrono::steady_clock::now();"),
    ("tests/simulation/a.cpp", "std::random_device seed;"),
    ("workers/pool/a.cpp", 'auto p = std::getenv("PORT");'),
    ("shared/runtime/log.cpp", 'auto p = getenv("PORT");'),
    ("workers/pool/a.cpp", "std::random_device seed;"),
    ("shared/redis/a.cpp", "asio::steady_timer timer(loop);"),
    ("workers/pool/a.cpp", "std::mt19937 dice;"),
    ("producer/relay/a.cpp", "asio::system_timer timer(loop);"),
    ("workers/pool/a.cpp", "std::this_thread::sleep_for(1s);"),
    ("workers/pool/a.cpp", "::sleep(1);"),
    ("workers/pool/a.cpp", "usleep(1000);"),
    ("shared/sqlite/a.cpp", "nanosleep(&time, nullptr);"),
    ("workers/pool/a.cpp", "asio::co_spawn(loop, run(), token);"),
    ("tests/workers/pool/a_test.cpp", "asio::co_spawn(loop, run(), asio::detached);"),
    ("workers/pool/a.cpp", "std::thread(run).detach();"),
    ("workers/pool/a.cpp", "nursery.start([&a]() -> Task<> { co_return; }());"),
    ("workers/pool/a.cpp", "class JobManager {};"),
    ("workers/pool/a.cpp", "namespace llm_helpers {}"),
    ("workers/pool/pool_util.cpp", ""),
    ("workers/pool/a.h", "class A;\n"),
    ("workers/pool/a.cpp", "// TO" "DO: later"),
    ("ops/setup", "curl https://registry.npm" "js.org/x"),
    ("ops/setup", "cd /ro" "ot/x"),
    ("README.md", "see /wo" "rk/main"),
    ("workers/pool/a.cpp", "int a;\n" * 601),
])
def test_a_planted_violation_is_found(path, line):
    assert len(messages(path, line)) == 1, messages(path, line)


@pytest.mark.parametrize("path, line", [
    ("producer/relay/a.cpp", '#include "shared/event_log.h"'),
    ("producer/relay/a.cpp", '#include "producer/ingress/a.h"'),
    ("shared/redis/a.cpp", '#include "shared/event_log.h"'),
    ("shared/redis/a.cpp", '#include "shared/redis/a.h"'),
    ("shared/redis/a.cpp", "#include <hiredis/hiredis.h>"),
    ("shared/ending.cpp", '#include "shared/store.h"'),
    ("ops/millrace.cpp", '#include "workers/pool/a.h"'),
    ("ops/millrace.cpp", "asio::co_spawn(loop, run(), use_future);"),
    ("tests/workers/pool/a_test.cpp", "asio::co_spawn(loop, run(), use_future);"),
    ("shared/runtime/loop_clock.cpp", "return std::chrono::steady_clock::now();"),
    ("shared/runtime/time.h", "#pragma once\nusing Ticks = std::chrono::steady_clock;"),
    ("workers/pool/a.cpp", "Clock& steady_clock_of(World& world); Timer nap_timer;"),
    ("tests/workers/pool/a_test.cpp", "auto t = std::chrono::steady_clock::now();"),
    ("workers/pool/a.cpp", "co_await clock.sleep_for(1s); nap.sleep(1);"),
    ("shared/runtime/config.cpp", "for (char** entry = environ; *entry; ++entry) {}"),
    ("workers/pool/a.cpp", "// steady_clock::now() is banned here"),
    ("workers/pool/a.cpp", 'log::info("no getenv");'),
    ("workers/pool/a.cpp", "const int n = 10'000; // co_spawn\nconst char c = '\\'';"),
    ("workers/pool/a.cpp", "/* asio::detached\n */ int a[3];"),
    ("workers/pool/a.cpp", "auto f = [](int n) -> Task<> { co_return; };"),
    ("workers/pool/a.cpp", "struct Database { std::string base_url; };"),
    ("workers/pool/a.h", "#pragma once\nclass A;\n"),
    ("README.md", "the path is http://localhost:8080/work/ and ./build/run"),
])
def test_what_is_allowed_is_left_alone(path, line):
    assert messages(path, line) == []


def test_a_finding_names_its_line():
    code = "int a;\n/* two\nlines */\nauto p = getenv(\"PORT\");\n"
    assert [str(f) for f in lint.findings(lint.Source("workers/a.cpp", code))] == [
        "workers/a.cpp:4: getenv: the environment is read in config alone"]
