"""Where an edge listens, and where it refuses to."""

from world import web


def test_an_edge_listens_on_localhost(empty_world):
    edge = empty_world.start_edge(HOST="localhost")
    assert web.get(f"{edge.url}/livez").status_code == 200


def test_an_edge_without_keys_refuses_a_public_address(empty_world):
    refused = empty_world.run("edge", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "0.0.0.0" in refused.stderr and "AUTH=off" in refused.stderr
