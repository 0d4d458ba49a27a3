"""The rules of this tree that no compiler checks: who may include whom, where a call may stand,
what must not be written anywhere. A rule takes a file and yields what is wrong with it."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

LINES_MAX = 600


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


@dataclass
class Source:
    """One file: its path from the root of the tree, and its text."""
    path: str
    text: str

    @property
    def folders(self):
        return PurePosixPath(self.path).parts[:-1]

    @property
    def top(self):
        return self.folders[0] if self.folders else ""

    @property
    def is_cpp(self):
        return self.path.endswith((".h", ".cpp"))

    @property
    def is_product(self):
        return self.is_cpp and self.top in ("producer", "workers", "shared", "ops")

    def is_in(self, *places):
        """True when the file is one of these, or in one of these folders."""
        return any(self.path == place or self.path.startswith(place + "/") for place in places)


# --- who may include whom

def _layer(path):
    """Where a path under shared/ stands: runtime, contract, seams, or the name of an adapter."""
    parts = PurePosixPath(path).parts
    return parts[1] if len(parts) > 2 else "seams"


# Decisions without I/O that the simulation's queue shares with the one it stands for.
PURE_PARTS = ("shared/kafka/key_lanes.h", "shared/kafka/partition.h",
              "shared/kafka/offset_tracker.h", "shared/kafka/key_partition.h")

# Both make their ports of one template.
DATABASES = ("sqlite", "postgres")


def includes_follow_the_layers(source):
    """producer -> shared, workers -> shared, never across; nothing sees ops, tests and bench;
    inside shared: runtime <- contract <- seams <- adapters, no adapter sees another."""
    if source.top not in ("producer", "workers", "shared"):
        return
    for number, included in _includes(source, r'"([^"]+)"'):
        to = PurePosixPath(included).parts[0]
        if to not in ("producer", "workers", "shared", "ops", "tests", "bench"):
            yield Finding(source.path, number, f'"{included}": include from the root of the tree')
        elif to not in (source.top, "shared"):
            yield Finding(source.path, number, f"{source.top}/ may not see {to}/")
        elif source.top == "shared":
            mine, other = _layer(source.path), _layer(included)
            if mine == "memory" and included in PURE_PARTS:
                continue
            below = {"runtime": (), "contract": ("runtime",), "seams": ("runtime", "contract")}
            seen = below.get(mine, ("runtime", "contract", "seams"))
            if mine in DATABASES:
                seen += ("store_port",)
            if other != mine and other not in seen:
                yield Finding(source.path, number, f"shared/{mine} may not see shared/{other}")


LIBRARY_HOMES = {
    r"hiredis/": ("shared/redis",),
    r"librdkafka/": ("shared/kafka",),
    r"sqlite3\.h": ("shared/sqlite",),
    r"curl/": ("shared/curl",),
    r"boost/beast": ("shared/http",),
    r"libpq": ("shared/postgres",),
    r"duckdb": ("workers/csv",),
    r"toml\+\+": ("shared/runtime",),
    r"spdlog/": ("shared/runtime",),
}


def libraries_stay_at_home(source):
    """Each C library is wrapped once: its headers are seen in one folder only."""
    if not source.is_product:
        return
    for number, included in _includes(source, r'[<"]([^>"]+)[>"]'):
        for pattern, homes in LIBRARY_HOMES.items():
            if re.match(pattern, included) and not source.is_in(*homes):
                yield Finding(source.path, number, f"<{included}> belongs to {homes[0]}")


def _includes(source, name):
    for number, line in enumerate(source.text.splitlines(), 1):
        found = re.match(r"\s*#\s*include\s*" + name, line)
        if found:
            yield number, found.group(1)


# --- where a call may stand

@dataclass(frozen=True)
class Ban:
    pattern: str
    message: str
    allowed_in: tuple = ()
    in_tests_too: bool = False


BANS = (
    # The types too: an alias or a template's argument would carry its now() anywhere.
    Ban(r"\b(steady|system|high_resolution|file|utc|tai|gps)_clock\b(::now\b)?",
        "time comes through Clock", ("shared/runtime",)),
    Ban(r"\bstd::time\s*\(|\b(clock_)?gettime(ofday)?\s*\(",
        "time comes through Clock", ("shared/runtime",)),
    Ban(r"\b(secure_)?getenv\b|\benviron\b",
        "the environment is read in config alone", ("shared/runtime/config.cpp",)),
    Ban(r"\brandom_device\b|\bmt19937|\bs?rand\s*\(\s*\)",
        "randomness comes through Random", ("shared/runtime",)),
    Ban(r"\b(steady|system|high_resolution|deadline|basic_waitable|basic_deadline)_timer\b",
        "waiting goes through Clock", ("shared/runtime",)),
    Ban(r"\bthis_thread::sleep_|(?<![.>\w])u?sleep\s*\(|\b(clock_)?nanosleep\s*\(",
        "a loop never blocks: wait through Clock"),
    Ban(r"\bco_spawn\b", "tasks are started by a Nursery",
        ("shared/runtime/nursery.cpp", "shared/runtime/nursery.h", "ops",
         # the first task of a thread's own loop
         "shared/kafka/consumer_thread.cpp", "shared/postgres/own_loop.cpp")),
    Ban(r"\basio::detached\b|\basio::detached_t\b", "every task has an owner that waits for it",
        (), True),
    Ban(r"\.detach\s*\(\s*\)", "every thread has an owner that joins it", (), True),
    Ban(r"\[[^\[\]]+\]\s*(\([^()]*\))?\s*(mutable\s*)?(noexcept\s*)?->\s*(asio::)?(Task|awaitable)\b",
        "a capturing lambda must not be a coroutine: name a function"),
)


def calls_stand_where_they_may(source):
    if not source.is_cpp or source.top == "bench":
        return
    code = without_comments_and_text(source.text)
    for ban in BANS:
        watched = source.is_product or source.is_in("tests/simulation") or ban.in_tests_too
        if not watched or source.is_in(*ban.allowed_in):
            continue
        for found in re.finditer(ban.pattern, code):
            yield Finding(source.path, _line_of(code, found.start()),
                          f"{found.group(0).strip()}: {ban.message}")


def without_comments_and_text(text):
    """C++ with its comments and literals blanked; every line keeps its number."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"'
                       r"|'(?:\\.|[^'\\\n])+'", re.DOTALL)

    def blank(found):
        # An apostrophe between digits parts them and opens no literal.
        before = text[found.start() - 1:found.start()]
        if found.group(0).startswith("'") and before.isalnum():
            return found.group(0)
        return re.sub(r"[^\n]", " ", found.group(0))

    return token.sub(blank, text)


def _line_of(text, position):
    return text.count("\n", 0, position) + 1


# --- names and forms

EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "base", "impl"}


def names_say_something(source):
    """A name made of these words tells nothing."""
    stem = PurePosixPath(source.path).stem
    for word in _words(stem):
        if word in EMPTY_NAMES:
            yield Finding(source.path, 1, f"the file's name says '{word}': name what it is")
    if source.is_cpp:
        code = without_comments_and_text(source.text)
        for found in re.finditer(r"\b(?:class|struct|union|enum|namespace)\s+(\w+)", code):
            for word in _words(found.group(1)):
                if word in EMPTY_NAMES:
                    yield Finding(source.path, _line_of(code, found.start()),
                                  f"{found.group(1)} says '{word}': name what it is")


def _words(name):
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


def headers_are_guarded(source):
    if source.path.endswith(".h") and not re.match(r"(\s*//[^\n]*\n)*\s*#pragma once\n", source.text):
        yield Finding(source.path, 1, "a header begins with #pragma once")


def files_hold_one_idea(source):
    lines = source.text.count("\n")
    generated = source.path.endswith((".json", ".txt", ".sha256", ".csv"))
    if lines > LINES_MAX and not generated:
        yield Finding(source.path, lines, f"{lines} lines, at most {LINES_MAX}: is it one idea?")


# Spelled in parts, so that this file passes its own rules.
OPEN_ENDS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
REGISTRY_HOSTS = re.compile(
    r"npm" r"js\.(org|com)|py" r"pi\.org|python" r"hosted\.org|repo1?\.mav" r"en\.|"
    r"deb" r"\.debian\.org|crat" r"es\.io|proxy\.gol" r"ang\.org|docker" r"\.io|ghcr" r"\.io")
MACHINE_PATHS = re.compile(
    r"(?<![\w.])/(ro" r"ot|wo" r"rk|fa" r"rm|ho" r"me)/|/tmp/ba" r"sh_jobs|\.libr" r"ary/")


def nothing_is_left_open(source):
    for number, line in enumerate(source.text.splitlines(), 1):
        found = OPEN_ENDS.search(line)
        if found and not source.path.endswith((".json", ".txt")):
            yield Finding(source.path, number, f"{found.group(0)}: finish it, or file an issue")


def nothing_names_this_place(source):
    """No registry's host (the clients know theirs) and no path of one machine."""
    for number, line in enumerate(source.text.splitlines(), 1):
        for pattern, what in ((REGISTRY_HOSTS, "a registry's host"),
                              (MACHINE_PATHS, "a path of one machine")):
            found = pattern.search(line)
            if found:
                yield Finding(source.path, number, f"{found.group(0)}: names {what}")


RULES = (includes_follow_the_layers, libraries_stay_at_home, calls_stand_where_they_may,
         names_say_something, headers_are_guarded, files_hold_one_idea, nothing_is_left_open,
         nothing_names_this_place)


def findings(source):
    return [finding for rule in RULES for finding in rule(source)]
