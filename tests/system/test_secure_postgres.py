"""Postgres that takes only TLS and a password: how millrace comes in, and how it says why not."""

import shutil
import socket
import struct

import pytest
from certificates import certificates
from process import free_port, stopped_at_end
from servers import Postgres
from servers_world import ServersWorld
from test_doctor import examine, failing

USER, PASSWORD = "millrace", "s3cret-of-postgres"
REFUSED_S = 5  # a login that was refused is not tried until the time is up


class GuardedPostgres(Postgres):
    """Over TCP only with TLS and SCRAM; its tests come in by its socket."""

    def __init__(self, folder):
        super().__init__(folder)
        self.ca, _ = certificates(self.folder)
        self.settings |= {"ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key",
                          "password_encryption": "scram-sha-256"}
        self.url = f"postgres://postgres@/postgres?host={self.data}&port={self.port}"

    def _init(self, programs):
        super()._init(programs)
        (self.data / "pg_hba.conf").write_text("local all all trust\n"
                                               "hostssl all all all scram-sha-256\n")
        for name in ("server.crt", "server.key"):
            shutil.copy(self.folder / name, self.data)
            (self.data / name).chmod(0o600)
            shutil.chown(self.data / name, self.data.owner())

    def answers(self):
        """True when it takes connections: asked for TLS it says S, and then a start-up would do."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(struct.pack(">ii", 8, 80877103))
                return connection.recv(1) == b"S" and self.run("SELECT 1") == "1"
        except (OSError, AssertionError):
            return False

    def login(self, password=PASSWORD, database="jobs", ca=None, mode="verify-full"):
        return (f"postgres://{USER}:{password}@127.0.0.1:{self.port}/{database}?sslmode={mode}"
                f"&sslrootcert={ca or self.ca}")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    server = GuardedPostgres(tmp_path_factory.mktemp("guarded-postgres"))
    with stopped_at_end(server):
        server.start()
        server.run(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        server.run(f"CREATE DATABASE jobs OWNER {USER}")
        yield server


@pytest.fixture
def world(servers, tmp_path):
    """On servers, its Store by each test's own DATABASE_URL."""
    world = ServersWorld(*servers, tmp_path)
    try:
        yield world
    finally:
        world.stop()


def test_jobs_run_on_a_postgres_with_tls_and_a_password(guarded, world):
    world.settings["DATABASE_URL"] = guarded.login()
    world.install().inhabit()
    job = world.wait_end(world.submit("sim-5ms-5tok-1gap", session="s"))
    assert job["status"] == "succeeded"
    ssl = guarded.run("SELECT count(*) FILTER (WHERE ssl), count(*) FROM pg_stat_ssl JOIN"
                      f" pg_stat_activity USING (pid) WHERE usename = '{USER}'")
    encrypted, all_of_them = ssl.split("|")
    assert int(encrypted) >= 6 and encrypted == all_of_them
    assert "SCRAM" in guarded.run(f"SELECT left(rolpassword, 5) FROM pg_authid"
                                  f" WHERE rolname = '{USER}'")
    for mode in ("verify-full", "require"):
        checks = examine(world, DATABASE_URL=guarded.login(mode=mode))
        assert checks["postgres"].verdict == "ok" and PASSWORD not in checks["postgres"].says


def other_ca(tmp_path):
    (tmp_path / "other").mkdir()
    return certificates(tmp_path / "other")[0]


@pytest.mark.parametrize("what, why", [
    (lambda postgres, _: postgres.login(password="not-the-one"), f'authentication failed for user "{USER}"'),
    (lambda postgres, _: postgres.login(database="jbos"), 'database "jbos" does not exist'),
    (lambda postgres, _: postgres.login(mode="disable"), "no encryption"),
    (lambda postgres, folder: postgres.login(ca=other_ca(folder)), "certificate verify failed"),
    (lambda postgres, folder: postgres.login(ca=folder / "none.pem"), "none.pem"),
], ids=["password", "database", "plain", "authority", "no authority"])
def test_doctor_says_why_a_postgres_does_not_let_it_in(guarded, world, tmp_path, what, why):
    checks = examine(world, DATABASE_URL=what(guarded, tmp_path))
    assert "postgres" in failing(checks)
    assert why in checks["postgres"].says and "DATABASE_URL" in checks["postgres"].says
    assert "not-the-one" not in checks["postgres"].says and PASSWORD not in checks["postgres"].says


@pytest.mark.parametrize("command", ["migrate", "serve"])
@pytest.mark.parametrize("wrong, why", [
    ({"password": "not-the-one"}, f'authentication failed for user "{USER}"'),
    ({"database": "jbos"}, 'database "jbos" does not exist'),
], ids=["password", "database"])
def test_a_refused_login_ends_a_command_at_once_with_the_reason(guarded, world, command, wrong, why):
    world.settings["DATABASE_URL"] = guarded.login(**wrong)
    part = world._part(command, command, PORT=free_port())
    part.start()
    part.child.wait(REFUSED_S)
    said = part.said()
    assert part.child.returncode in (1, 2), said
    assert why in said and f"{USER}:****@127.0.0.1:{guarded.port}" in said
    assert "not-the-one" not in said and PASSWORD not in said
