#!/usr/bin/env python3
"""Redis, Kafka and Postgres on free loopback ports, each with its data in a folder of its own.

One implementation for ops/run, ops/test, bench/run and the system tests. A server keeps its port
through stop, kill and start, so that a test can take it away and give it back.

By hand: `ops/servers.py FOLDER` starts them, prints how to reach them, and stops them on Ctrl-C.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from process import ROOT, Process, StartFailed, free_port, stopped_at_end

KAFKA_JARS = ROOT / "build" / "kafka" / "libs"


class Redis(Process):
    """Redis with the append-only file on, as millrace asks for."""

    def __init__(self, folder, port=None, options=()):
        super().__init__("redis", folder)
        self.port = port or free_port()
        self.options = options
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self):
        self.spawn(["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir", self.folder,
                    "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
                    "--maxmemory-policy", "noeviction", "--databases", "512", *self.options])
        self.wait_ready(lambda: self.command("PING") == b"+PONG\r\n", 20)
        return self

    def command(self, *words):
        """The first bytes of Redis's answer; nothing when it cannot be reached."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall((" ".join(words) + "\r\n").encode())
                return connection.recv(4096)
        except OSError:
            return b""

    def flush(self):
        assert self.command("FLUSHALL") == b"+OK\r\n"


class Kafka(Process):
    """One KRaft node, broker and controller in one JVM. `settings` are added to its own, or stand
    in their place."""

    client = {}  # what a client has to say beside the address

    def __init__(self, folder, port=None, settings=None):
        super().__init__("kafka", folder)
        self.port = port or free_port()
        self.controller_port = free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        self.settings = settings or {}

    def start(self):
        settings = self.folder / "server.properties"
        settings.write_text(self._settings())
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(settings)
        self.spawn([*self._java(), "-Xms256m", "-Xmx512m", "kafka.Kafka", settings])
        self.wait_ready(self.answers, 60)
        return self

    def answers(self):
        """True when the broker lists itself as alive: it has registered and is not fenced."""
        try:
            return _kafka_broker_count("127.0.0.1", self.port) > 0
        except (OSError, struct.error):
            return False

    def _java(self):
        if not KAFKA_JARS.is_dir():
            raise StartFailed(f"{KAFKA_JARS} is missing: run ops/setup")
        return ["java", "-XX:+UseSerialGC", "-Xshare:auto", "-cp", f"{KAFKA_JARS}/*",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.showDateTime=true"]

    def _format(self, settings):
        cluster_id = "bWlsbHJhY2UtY2x1c3Rlcg"  # any 16 bytes in base64; one node, one cluster
        made = subprocess.run(
            [*self._java(), "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", settings],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if made.returncode != 0:
            raise StartFailed(f"Kafka's storage could not be formatted:\n{made.stdout}")

    def _settings(self):
        # The short broker session lets a broker that was killed register again in seconds.
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},"
                         f"CONTROLLER://127.0.0.1:{self.controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": self.folder / "data",
            "num.partitions": 12,
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 500,
        } | self.settings
        return "".join(f"{name}={value}\n" for name, value in settings.items())


class Postgres(Process):
    """One Postgres. It refuses to run as root, so where root asks it is of the user `postgres`, who
    may not enter every folder that a test has: its data are in one of their own, gone at the end."""

    SETTINGS = {"listen_addresses": "127.0.0.1", "shared_buffers": "32MB", "max_connections": 300,
                "max_wal_size": "256MB", "log_min_messages": "fatal"}

    def __init__(self, folder, port=None, settings=None):
        super().__init__("postgres", folder)
        self.port = port or free_port()
        self.settings = self.SETTINGS | (settings or {})
        self._place = tempfile.TemporaryDirectory(prefix="millrace-postgres-")
        self.data = Path(self._place.name) / "data"
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self):
        programs = _postgres_programs()
        if not (self.data / "PG_VERSION").exists():
            self._init(programs)
        settings = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        self.spawn([*self._as_user(), programs / "postgres", "-D", self.data, "-p", self.port,
                    "-k", self.data, *settings], cwd=self.data)
        self.wait_ready(self.answers, 30)
        return self

    def stop(self, seconds=15):
        """SIGINT: without waiting for clients to go, as `pg_ctl stop` does."""
        self.thaw()
        self.signal(signal.SIGINT)
        return super().stop(seconds)

    def answers(self):
        """True when it takes connections: it answers a start-up packet by asking for nothing."""
        words = b"user\0postgres\0database\0postgres\0\0"
        packet = struct.pack(">ii", 8 + len(words), 3 << 16) + words
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(packet)
                return connection.recv(1) == b"R"
        except OSError:
            return False

    def run(self, sql):
        """What psql prints of the rows; it fails aloud."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c",
                               "SET client_min_messages = warning", "-c", sql, self.url],
                              capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def freeze(self):
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def kill(self):
        """kill -9 of all of it: what the postmaster leaves behind would go on."""
        self._signal_all(signal.SIGKILL)
        super().kill()

    def _signal_all(self, number):
        """Postgres is a process a connection, each in a group of its own."""
        if not self.alive():
            return
        for pid in [self.pid, *_children(self.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _init(self, programs):
        self.data.mkdir()
        if os.geteuid() == 0:
            for folder in (self.data.parent, self.data):
                shutil.chown(folder, "postgres")
        made = subprocess.run(
            [*map(str, self._as_user()), programs / "initdb", "-D", self.data, "-U", "postgres", "-A",
             "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.data, check=False)
        if made.returncode != 0:
            raise StartFailed(f"Postgres's folder could not be made:\n{made.stdout}")

    @staticmethod
    def _as_user():
        if os.geteuid() != 0:
            return []
        user = pwd.getpwnam("postgres")
        return ["setpriv", "--reuid", user.pw_uid, "--regid", user.pw_gid, "--clear-groups",
                "--pdeathsig", "KILL", "--"]


def _postgres_programs():
    """Debian keeps each version's programs in a folder of its own; the newest."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda at: int(at.parent.name))
    if not folders:
        raise StartFailed("Postgres is missing: run ops/setup")
    return folders[-1]


def _children(pid):
    with contextlib.suppress(OSError):
        return [int(child) for child in
                Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _kafka_broker_count(host, port):
    """Asks for metadata of no topic (Kafka protocol, api 3, version 4) and counts the brokers."""
    client = b"millrace-ops"
    request = struct.pack(">hhih", 3, 4, 1, len(client)) + client + struct.pack(">ib", 0, 0)
    with socket.create_connection((host, port), 1) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = connection.recv(4096)
    return struct.unpack_from(">i", answer, 12)[0]  # after length, correlation id, throttle time


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: ops/servers.py FOLDER")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = Path(sys.argv[1]).resolve()
    redis, kafka = Redis(folder / "redis"), Kafka(folder / "kafka")
    postgres = Postgres(folder / "postgres")
    with stopped_at_end(redis, kafka, postgres):
        postgres.start()
        redis.start()
        kafka.start()
        print(f"export MILLRACE_TEST_REDIS={redis.url} MILLRACE_TEST_KAFKA={kafka.brokers}")
        print(f"export MILLRACE_TEST_POSTGRES={postgres.url}")
        print(f"export REDIS_URL={redis.url} KAFKA_BROKERS={kafka.brokers}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
