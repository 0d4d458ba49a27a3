"""`millrace backup` of a folder that is being served, and what `millrace restore` makes of it."""

import io
import json
import resource
import signal
import sqlite3
import subprocess
import tarfile

import pytest
from embedded_world import EmbeddedWorld
from load import Clients, assert_data_whole, assert_promises_kept, stored_ids
from process import BINARY, wait_until
from sse import assert_whole, told_text
from strace import require_strace
from world import web

pytestmark = pytest.mark.embedded("of one process's folder")

QUICK = "sim-5ms-5tok-1gap"
BIG = "A very long story. " * 20_000  # goes to the objects


@pytest.fixture
def elsewhere(world, tmp_path):
    """Another folder, on the same simulator, where nobody has started yet."""
    other = EmbeddedWorld(tmp_path / "elsewhere")
    other.folder.mkdir()
    other.simulator = world.simulator
    other.settings["LLM_SERVER_URL"] = world.simulator.url
    del other.settings["MILLRACE_SECRET"]
    yield other
    other.stop()


def said(done, code=0):
    assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def backup(world, tmp_path):
    """Of a few jobs, one with an object."""
    world.wait_ends([world.submit(QUICK), world.submit(QUICK, session="s"),
                     world.submit(QUICK, input=BIG)])
    file = tmp_path / "kept" / "small.backup"
    file.parent.mkdir()
    said(world.run("backup", file))
    return file


def data(world):
    return world.folder / "data"


def left_in(folder):
    return {path.name for path in folder.iterdir()} - {"lock"}


# --- under load


@pytest.mark.timeout(300)
def test_under_load_what_was_promised_before_is_kept_and_nobody_notices(world, elsewhere, tmp_path,
                                                                        long):
    with Clients(world, "sim-5ms-10tok-5gap", count=5, every=0.05) as clients:
        for file in [tmp_path / f"{i}.backup" for i in range(8 if long else 2)]:
            clients.wait_for(60)
            running = [world.submit("sim-1000ms-100tok-20gap", input=BIG) for _ in range(3)]
            clients.ids += running
            before = list(clients.ids)
            ended = {job["id"]: job for job in map(world.job, before) if job["status"] == "succeeded"}
            receipt = json.loads(said(world.run("backup", file, "--json")))
            after = set(clients.ids)
            assert receipt["bytes"] == file.stat().st_size and receipt["objects"] >= 1
    assert_promises_kept(world, clients)
    assert 50 < len(ended) <= len(before) - len(running)

    said(elsewhere.run("restore", file))
    assert_data_whole(data(elsewhere))
    assert stored_ids(data(elsewhere)) >= set(before)
    elsewhere.start_serve()
    for job in elsewhere.wait_ends(before):
        assert job["status"] == "succeeded", job
        told = elsewhere.read(job["id"])
        assert_whole(told, gaps=True)
        assert told_text(told) == job["result"]["text"]
    for job_id, job in ended.items():
        again = elsewhere.job(job_id)
        assert (again["result"], again["ended_at"]) == (job["result"], job["ended_at"])
    known = stored_ids(data(elsewhere))
    elsewhere.wait_ends(known)
    assert len(known) <= len(after) + 6, "nothing but what was asked for"
    elsewhere.serve.stop()
    assert_data_whole(data(elsewhere))


def test_what_had_ended_is_told_the_same_and_the_links_still_hold(world, elsewhere, tmp_path):
    del world.settings["MILLRACE_SECRET"]
    del world.serve.settings["MILLRACE_SECRET"]
    world.serve.stop()
    world.serve.start_listening()
    receipt = world.post({"input": "x", "model": QUICK, "metadata": {"a": 1}}).json()
    job = world.wait_end(receipt["id"])
    told = world.read(receipt["id"])
    said(world.run("backup", tmp_path / "b"))
    said(elsewhere.run("restore", tmp_path / "b"))
    elsewhere.start_serve()
    again = elsewhere.job(job["id"])
    for name in ("result", "usage", "metadata", "created_at", "ended_at"):
        assert again[name] == job[name]
    assert elsewhere.read(job["id"]) == told
    assert web.get(elsewhere.url + receipt["links"]["events"]).status_code == 200
    keyed = {"Idempotency-Key": "k"}
    assert elsewhere.post({"input": "new", "model": QUICK}, keyed).status_code == 202


def test_a_copy_of_the_copy_is_the_same(backup, elsewhere, tmp_path):
    """Nobody serves it: the store's journal is as it was left."""
    said(elsewhere.run("restore", backup))
    said(elsewhere.run("backup", tmp_path / "again"))
    first, second = unpacked(backup, tmp_path / "1"), unpacked(tmp_path / "again", tmp_path / "2")
    for own in ("millrace-backup", "SHA256SUMS"):
        assert first.pop(own) != second.pop(own)
    stores = [rows_of(files.pop("millrace.db")) for files in (first, second)]
    assert stores[0] == stores[1]
    assert {name: path.read_bytes() for name, path in first.items()} == {
        name: path.read_bytes() for name, path in second.items()}


def unpacked(file, folder):
    """The files of an archive, as everybody's tools see them."""
    folder.mkdir()
    subprocess.run(["tar", "-xf", file, "-C", folder], check=True)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def rows_of(store):
    with sqlite3.connect(store) as database:
        return list(database.iterdump())


# --- the file


def test_the_file_is_a_tar_of_the_owner_alone_and_of_what_outlives_a_process(backup, tmp_path):
    assert backup.stat().st_mode & 0o077 == 0
    assert list(backup.parent.iterdir()) == [backup]
    names = set(unpacked(backup, tmp_path / "unpacked"))
    assert {"millrace.db", "events/0000000001.log", "millrace-backup"} <= names
    assert sum(name.startswith("objects/") for name in names) == 1
    assert not names & {"lock", "events/era", "millrace.db-wal"}


def test_a_file_that_is_there_is_not_written_over(world, backup):
    bytes_before = backup.read_bytes()
    assert "is there already" in said(world.run("backup", backup), 1)
    assert backup.read_bytes() == bytes_before


@pytest.mark.parametrize("call", ["openat", "flock"])
def test_of_two_at_once_to_one_file_one_is_whole_and_the_other_says_so(world, elsewhere, tmp_path,
                                                                       call):
    """The slow one is held at each step of its beginning while the quick one begins and ends."""
    require_strace()
    world.wait_end(world.submit(QUICK))
    env = world.env | {name: str(value) for name, value in world.settings.items()}
    (tmp_path / "out").mkdir()
    file, noted = tmp_path / "out" / "b", tmp_path / "calls"
    # Held before and behind the call that makes or takes the unfinished file.
    for when in ("delay_enter", "delay_exit"):
        noted.unlink(missing_ok=True)
        slow = subprocess.Popen(
            ["strace", "-f", "-o", noted, "-P", f"{file}.unfinished", "-e", f"trace={call}",
             "-e", f"inject={call}:{when}=1500000", BINARY, "backup", file],
            env=env, cwd=world.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert wait_until(lambda: noted.exists() and f"{call}(" in noted.read_text(), 10)
            quick = world.run("backup", file)
            told = slow.communicate(timeout=30)[1]
        finally:
            slow.kill()
        codes = {quick.returncode, slow.returncode}
        assert codes == {0, 1}, (quick.stderr, told)
        refusal = quick.stderr if quick.returncode else told
        assert "another backup writes" in refusal or "is there already" in refusal
        assert [path.name for path in file.parent.iterdir()] == ["b"]
        said(elsewhere.run("restore", file, "--data", f"{call}-{when}"))
        file.unlink()


def test_without_room_nothing_is_left_and_it_says_so(world, tmp_path):
    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    env = world.env | {name: str(value) for name, value in world.settings.items()}
    (tmp_path / "out").mkdir()
    done = subprocess.run([BINARY, "backup", tmp_path / "out" / "b"], env=env, cwd=world.folder,
                          capture_output=True, text=True, preexec_fn=little_room, check=False)
    assert done.returncode == 1 and "cannot be" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(world, backup, tmp_path):
    unreadable = data(world) / "objects" / "zz"
    unreadable.symlink_to(unreadable)
    try:
        assert f"cannot read {unreadable}" in said(world.run("backup", tmp_path / "b"), 1)
    finally:
        unreadable.unlink()
    assert not (tmp_path / "b").exists()


def test_killed_anywhere_it_leaves_no_file_or_a_whole_one(world, elsewhere, backup, tmp_path):
    require_strace()
    file = tmp_path / "killed.backup"
    env = world.env | {name: str(value) for name, value in world.settings.items()}
    whole, left = 0, True
    calls = "write,pwrite64,renameat2,fsync"
    for when in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 10_000]:
        done = subprocess.run(
            ["strace", "-f", "-o", "/dev/null", "-e", f"inject={calls}:signal=KILL:when={when}",
             BINARY, "backup", file], env=env, cwd=world.folder, capture_output=True, check=False)
        left = done.returncode != 0
        if file.exists():
            said(elsewhere.run("restore", file, "--data", f"r{when}"))
            file.unlink()
            whole += 1
    assert not left and whole >= 1, "a last one came to its end"


# --- restore


def test_it_takes_no_folder_that_is_used(world, backup, elsewhere):
    assert f"pid {world.serve.pid}" in said(world.run("restore", backup), 1)
    folder = data(elsewhere)
    folder.mkdir()
    (folder / "precious").write_text("mine")
    assert "not empty (precious)" in said(elsewhere.run("restore", backup), 1)
    assert left_in(folder) == {"precious"}
    (folder / "precious").unlink()
    other = elsewhere.folder / "other.db"
    other.write_text("mine")
    refusal = said(elsewhere.run("restore", backup, "--database-url", str(other)), 1)
    assert "is there already" in refusal and left_in(folder) == set()
    said(elsewhere.run("restore", backup))


def test_a_store_that_lies_elsewhere_comes_back_there(backup, elsewhere):
    store = elsewhere.folder / "store.db"
    said(elsewhere.run("restore", backup, "--database-url", str(store)))
    assert store.exists() and "millrace.db" not in left_in(data(elsewhere))


def damaged(backup):
    """The archive with something wrong at each kind of place."""
    whole = backup.read_bytes()
    with tarfile.open(backup) as tar:
        members = tar.getmembers()
    for member in members:
        for at in (member.offset + 3, member.offset + 130, member.offset_data + member.size // 2):
            yield f"{member.name} at {at}", whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
        yield f"cut before {member.name}", whole[:member.offset]
        yield f"cut in {member.name}", whole[:member.offset_data + member.size // 2]


def test_what_is_damaged_is_refused_and_leaves_nothing(backup, elsewhere, tmp_path):
    for what, contents in damaged(backup):
        (tmp_path / "bad").write_bytes(contents)
        refusal = said(elsewhere.run("restore", tmp_path / "bad"), 1)
        assert "archive" in refusal or "backup" in refusal, (what, refusal)
        assert not data(elsewhere).exists() or left_in(data(elsewhere)) == set(), what
    said(elsewhere.run("restore", backup))


def add(tar, name, contents, kind=tarfile.REGTYPE):
    member = tarfile.TarInfo(name)
    member.size, member.type = len(contents), kind
    tar.addfile(member, io.BytesIO(contents))


@pytest.mark.parametrize("name, kind", [
    ("../escaped", tarfile.REGTYPE), ("/tmp/escaped", tarfile.REGTYPE),
    ("objects/../../escaped", tarfile.REGTYPE), ("events/0000000001.log", tarfile.SYMTYPE),
    ("lock", tarfile.REGTYPE)])
def test_no_file_of_an_archive_gets_out_of_the_folder(elsewhere, tmp_path, name, kind):
    with tarfile.open(tmp_path / "evil", "w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, "millrace-backup", b"millrace backup 1\nmade 2026-01-01T00:00:00.000Z\n")
        add(tar, name, b"" if kind == tarfile.SYMTYPE else b"x", kind)
    assert "damaged" in said(elsewhere.run("restore", tmp_path / "evil"), 1)
    assert left_in(data(elsewhere)) == set()
    assert not list(tmp_path.rglob("escaped"))


def test_cut_off_anywhere_nobody_starts_on_a_part(world, backup, elsewhere):
    """Each start finds nothing, or all, or refuses."""
    require_strace()
    env = elsewhere.env | {name: str(value) for name, value in elsewhere.settings.items()}
    jobs = stored_ids(data(world))
    refused = 0
    for call in ("mkdir", "write", "syncfs", "rename", "fsync", "rmdir"):
        for when in range(1, 100):
            folder = elsewhere.folder / f"{call}{when}"
            done = subprocess.run(
                ["strace", "-f", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={when}",
                 BINARY, "restore", backup, "--data", folder], env=env, cwd=elsewhere.folder,
                capture_output=True, check=False)
            again = elsewhere.run("restore", backup, "--data", folder)
            if "was cut off" in again.stderr:
                refused += 1
                serve = elsewhere.run("serve", "--port", "0", "--data", folder)
                assert serve.returncode == 2 and "restore again" in serve.stderr
            else:
                assert again.returncode == 0 or "not empty" in again.stderr, again.stderr
                assert stored_ids(folder) == jobs
            if done.returncode == 0:
                break
        assert done.returncode == 0, "a last one came to its end"
    assert refused > 10


# --- where it is not meant


def test_it_says_what_it_is_not_for(world, tmp_path):
    servers = ("--kafka-brokers", "127.0.0.1:1", "--redis-url", "redis://127.0.0.1:1")
    assert "Kafka" in said(world.run("backup", tmp_path / "b", *servers), 2)
    assert "there is no store" in said(world.run("backup", tmp_path / "b", "--data", "nowhere"), 1)
    assert not (tmp_path / "b").exists() and not (world.folder / "nowhere").exists()
