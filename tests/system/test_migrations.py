"""A Store of an old version, brought up to date: its rows stay, and mean what they meant."""

import contextlib
import sqlite3

import pytest
from world import web

pytestmark = pytest.mark.every_store("both have the migrations")

OLD = 3
# What takes each migration back, newest first; of two texts the second is SQLite's own.
UNDO = {
    14: ("DROP INDEX webhooks_by_host", ""),
    13: ("DROP INDEX jobs_unkept; ALTER TABLE jobs DROP COLUMN unkept", ""),
    12: ("ALTER TABLE sessions DROP COLUMN summary; ALTER TABLE sessions DROP COLUMN summary_upto", ""),
    11: ("ALTER TABLE jobs DROP COLUMN asides", ""),
    10: ("DROP TABLE webhook_deliveries; DROP TABLE webhook_attempts; DROP TABLE webhook_secrets", ""),
    9: ("", "DROP INDEX dead_letters_by_tenant; ALTER TABLE dead_letters DROP COLUMN tenant"),
    8: ("DROP INDEX jobs_live", ""),
    7: ("DROP TABLE api_keys", ""),
    6: ("", ""),
    5: ("DROP VIEW chat_history; DROP TABLE messages; DROP TABLE sessions", ""),
    4: ("ALTER TABLE jobs DROP COLUMN tool_calls", ""),
}


def versions(world):
    return [int(row) for row in world.rows("SELECT version FROM schema_version ORDER BY version")]


def shape(world):
    """Every table with its columns, and every index."""
    if getattr(world, "postgres", None):
        of = f"table_schema = '{world.name}'"
        return (sorted(world.rows("SELECT table_name || '.' || column_name || ' ' || data_type"
                                  f" FROM information_schema.columns WHERE {of}")),
                sorted(world.rows("SELECT indexname FROM pg_indexes"
                                  f" WHERE schemaname = '{world.name}'")))
    return (sorted(world.rows("SELECT t.name || '.' || c.name || ' ' || c.type FROM sqlite_master t"
                              " JOIN pragma_table_info(t.name) c WHERE t.type IN ('table', 'view')")),
            sorted(world.rows("SELECT name FROM sqlite_master WHERE type = 'index'")))


def make_old(world):
    """The Store as version OLD had it, with the rows of jobs it has now."""
    sqlite = not getattr(world, "postgres", None)
    texts = [text for number in sorted(UNDO, reverse=True)
             for text in (UNDO[number][0], UNDO[number][1] if sqlite else "") if text]
    texts.append(f"DELETE FROM schema_version WHERE version > {OLD}")
    text = "; ".join(texts)
    if not sqlite:
        world.postgres.run(f"SET search_path = {world.name}; {text}")
        return
    with contextlib.closing(sqlite3.connect(world.folder / "data" / "millrace.db")) as store:
        store.executescript(text)


def test_an_old_store_is_brought_up_to_date_and_its_jobs_are_there(empty_world):
    world = empty_world
    world.settings["MODEL_ID"] = "sim-1ms-5tok-1gap"
    world.inhabit()
    newest, whole = versions(world), shape(world)
    assert newest[-1] == max(UNDO), "a new migration: say here how to take it back"
    done = world.wait_end(world.submit("sim-1ms-5tok-1gap", "오래된 질문", metadata={"a": "b"}))
    for part in [*world.edges, *getattr(world, "workers", [])]:
        part.stop()
    make_old(world)
    assert versions(world)[-1] == OLD and shape(world) != whole
    for _ in range(2):  # what is up to date stays as it is
        migrated = world.run("migrate")
        assert migrated.returncode == 0, migrated.stderr
        assert versions(world) == newest and shape(world) == whole
    world.edges.clear()
    world.inhabit()
    again = world.job(done["id"])
    assert {**again, "links": 0} == {**done, "links": 0}
    listed = web.get(f"{world.url}/v1/jobs").json()["data"]
    assert [job["id"] for job in listed] == [done["id"]]
    made = web.post(f"{world.url}/api/sessions", json={}).json()["session_id"]
    said = web.post(f"{world.url}/api/chat", json={"session_id": made, "message": "새 질문"}, timeout=60)
    assert said.status_code == 200, said.text
