"""A world on Kafka and Redis, and on Postgres where there is one: its own topics, consumer group,
Redis database, schema and data folder, and as many edges, workers and simulators as the test asks for."""

import secrets

from confluent_kafka.admin import AdminClient
from process import free_port
from world import World


class ServersWorld(World):
    gaps = True
    _redis_db = 0

    def __init__(self, redis, kafka, folder, postgres=None, **settings):
        ServersWorld._redis_db = ServersWorld._redis_db % 511 + 1
        self.name = f"t{secrets.token_hex(4)}"
        self.redis, self.kafka, self.postgres = redis, kafka, postgres
        if postgres:
            settings = {"DATABASE_URL": f"{postgres.url}?options=-csearch_path%3D{self.name}"} | settings
        super().__init__(folder, **{
            "KAFKA_BROKERS": kafka.brokers,
            "REDIS_URL": f"{redis.url}/{ServersWorld._redis_db}",
            "MILLRACE_TOPIC_PREFIX": self.name,
            "MILLRACE_GROUP": self.name,
        } | settings)

    def install(self):
        """Topics and tables."""
        if self.postgres:
            self.postgres.run(f"CREATE SCHEMA {self.name}")
        migration = self._part("migrate", "migrate")
        migration.start().child.wait(60)
        assert migration.child.returncode == 0, migration.said()
        return self

    def inhabit(self, **settings):
        if "LLM_SERVER_URL" not in self.settings:
            self.start_simulator()
        self.start_edge(**settings)
        self.start_worker(**settings)
        return self

    def rows(self, sql):
        if not self.postgres:
            return super().rows(sql)
        return self.postgres.run(f"SET search_path = {self.name}; {sql}").splitlines()

    def start_edge(self, **settings):
        edge = self._part("edge", f"edge{len(self.edges) + 1}", PORT=free_port(), **settings)
        self.edges.append(edge.start_listening())
        return self._wait_ready(edge)

    def start_worker(self, **settings):
        """A worker that has joined its group may still wait for its share of the partitions."""
        port = free_port()
        worker = self._part("worker", f"worker{len(self.workers) + 1}", MILLRACE_WORKER_PORT=port,
                            **settings)
        worker.url = f"http://127.0.0.1:{port}"
        return worker.start()

    def start_serve(self, **settings):
        """Every role in one process."""
        serve = self._part("serve", "serve", PORT=free_port(), **settings)
        self.edges = [serve.start_listening()]
        return self._wait_ready(serve)

    @property
    def workers(self):
        return [part for part in self.parts if part.command == "worker"]

    @property
    def worker_url(self):
        return self.workers[-1].url

    def replace_worker(self, **settings):
        self.workers[-1].stop()
        self.start_worker(**settings)

    def kill_worker(self):
        killed = self.workers[-1]
        self.start_worker()
        killed.kill()

    def grow(self):
        self.start_edge()
        self.start_worker()

    def victims(self):
        """The workers twice: they have the most to lose."""
        servers = [self.redis, self.kafka, *([self.postgres] if self.postgres else [])]
        return [*self.edges, *self.workers, *self.workers, *servers]

    def revive(self, victim):
        if victim in self.edges:
            victim.start_listening()
        else:
            victim.start()

    def stop(self):
        """Nobody is left, and nothing in Kafka nor in Postgres."""
        super().stop()
        if self.postgres:
            self.postgres.run(f"DROP SCHEMA IF EXISTS {self.name} CASCADE")
        admin = self.kafka_admin()
        mine = [topic for topic in admin.list_topics(timeout=10).topics
                if topic.startswith(self.name + ".")]
        if mine:
            for done in admin.delete_topics(mine).values():
                done.result(20)

    def kafka_admin(self):
        return AdminClient({"bootstrap.servers": self.kafka.brokers} | self.kafka.client)
