"""Kafka that asks for TLS and a password, Redis that asks for a password or a user."""

import pytest
from certificates import certificates
from process import free_port, stopped_at_end
from servers import Kafka, Redis
from servers_world import ServersWorld

USER, PASSWORD = "millrace", "s3cret-of-kafka"


class GuardedKafka(Kafka):
    """Clients come over TLS and say who they are; only the broker itself needs no password."""

    def __init__(self, folder):
        super().__init__(folder)
        self.ca, server = certificates(self.folder)
        guarded = free_port()
        login = "org.apache.kafka.common.security.plain.PlainLoginModule"
        ssl = "listener.name.sasl_ssl.ssl"
        self.settings = {
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},SASL_SSL://127.0.0.1:{guarded},"
                         f"CONTROLLER://127.0.0.1:{self.controller_port}",
            "listener.security.protocol.map":
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config":
                f'{login} required user_{USER}="{PASSWORD}";',
            f"{ssl}.keystore.type": "PEM",
            f"{ssl}.keystore.location": server,
        }
        self.brokers = f"127.0.0.1:{guarded}"
        self.client = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
                       "sasl.username": USER, "sasl.password": PASSWORD,
                       "ssl.ca.location": str(self.ca)}

    def as_environment(self):
        return {"KAFKA_" + name.upper().replace(".", "_"): value
                for name, value in self.client.items()}


class GuardedRedis(Redis):
    """Answers nobody who has not said `words` first."""

    def __init__(self, folder, words, options=()):
        super().__init__(folder, options=options)
        self.words = words

    def command(self, *words):
        return super().command(f"AUTH {' '.join(self.words)}\r\n{' '.join(words)}").removeprefix(
            b"+OK\r\n")


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    kafka = GuardedKafka(tmp_path_factory.mktemp("guarded-kafka"))
    with stopped_at_end(kafka):
        yield kafka.start()


def runs_a_job(world):
    try:
        world.install().inhabit()
        job = world.wait_end(world.submit("sim-5ms-5tok-1gap", session="s"))
        assert job["status"] == "succeeded"
    finally:
        world.stop()


def test_jobs_run_on_a_kafka_with_tls_and_a_redis_with_a_password(kafka, tmp_path):
    redis = GuardedRedis(tmp_path / "redis", ["open-sesame"], ["--requirepass", "open-sesame"])
    with stopped_at_end(redis):
        redis.start()
        redis.url = f"redis://:open-sesame@127.0.0.1:{redis.port}"
        runs_a_job(ServersWorld(redis, kafka, tmp_path, **kafka.as_environment()))


def test_jobs_run_on_a_redis_that_knows_them_as_a_user(servers, tmp_path):
    redis = GuardedRedis(tmp_path / "redis", ["default", "of-the-test"],
                         ["--requirepass", "of-the-test"])
    with stopped_at_end(redis):
        redis.start()
        assert redis.command("ACL SETUSER jobs on >hush ~mr:* &mr:* +@all") == b"+OK\r\n"
        redis.url = f"redis://jobs:hush@127.0.0.1:{redis.port}"
        runs_a_job(ServersWorld(redis, servers[1], tmp_path))


def test_a_wrong_password_of_kafka_is_told_and_shown_nowhere(kafka, servers, tmp_path):
    wrong = kafka.as_environment() | {"KAFKA_SASL_PASSWORD": "not-the-one"}
    world = ServersWorld(servers[0], kafka, tmp_path, **wrong)
    migration = world.run("migrate")
    assert migration.returncode == 1
    said = migration.stdout + migration.stderr
    assert "millrace: " in said and "uthentication" in said
    assert "not-the-one" not in said
    assert "not-the-one" not in world.run("config").stdout
