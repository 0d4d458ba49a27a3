"""Three brokers: every record on two of them before it counts, so one may die."""

import pytest
from confluent_kafka.admin import ConfigResource
from process import stopped_at_end
from servers import Kafka
from servers_world import ServersWorld

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


class Cluster:
    """Three nodes, each broker and controller."""

    client = {}

    def __init__(self, folder):
        self.nodes = [Kafka(folder / f"kafka{number}") for number in (1, 2, 3)]
        voters = ",".join(f"{number}@127.0.0.1:{node.controller_port}"
                          for number, node in enumerate(self.nodes, 1))
        for number, node in enumerate(self.nodes, 1):
            node.settings = {"node.id": number, "controller.quorum.voters": voters,
                             "offsets.topic.replication.factor": 3,
                             "transaction.state.log.replication.factor": 3,
                             "transaction.state.log.min.isr": 2}
        self.brokers = ",".join(node.brokers for node in self.nodes)

    def start(self):
        """Together: none is ready before a majority is there."""
        waits = [node.wait_ready for node in self.nodes]
        for node in self.nodes:
            node.wait_ready = lambda *_: None
            node.start()
        for node, wait in zip(self.nodes, waits):
            wait(node.answers, 60)
        return self


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path)
    with stopped_at_end(*cluster.nodes):
        yield cluster.start()


def test_jobs_end_though_one_of_three_brokers_dies(servers, cluster, tmp_path):
    world = ServersWorld(servers[0], cluster, tmp_path)
    try:
        world.install()
        admin = world.kafka_admin()
        topics = [topic for name, topic in admin.list_topics(timeout=10).topics.items()
                  if name.startswith(world.name + ".")]
        assert topics
        assert {len(part.replicas) for topic in topics for part in topic.partitions.values()} == {3}
        resource = ConfigResource(ConfigResource.Type.TOPIC, f"{world.name}.jobs.chat")
        config = admin.describe_configs([resource])[resource].result(20)
        assert config["min.insync.replicas"].value == "2"
        assert config["unclean.leader.election.enable"].value == "false"

        world.inhabit()
        running = [world.submit("sim-20ms-200tok-20gap") for _ in range(10)]
        world.wait_until(lambda: world.job(running[0])["status"] == "running")
        cluster.nodes[0].kill()
        accepted = []

        def enough():
            answer = world.post({"input": "hello", "model": "sim-5ms-5tok-1gap"})
            if answer.status_code == 202:
                accepted.append(answer.json()["id"])
            else:
                assert answer.status_code == 503 and answer.headers["retry-after"]
            return len(accepted) == 50

        world.wait_until(enough, 60, "the edge does not recover")
        for job in world.wait_ends(running + accepted, 120):
            assert job["status"] == "succeeded"
    finally:
        for part in reversed(world.parts):
            part.kill()
