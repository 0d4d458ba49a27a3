"""Where an edge listens, and where it refuses to."""

from world import web


def test_an_edge_listens_on_localhost(empty_world):
    world = empty_world.inhabit(HOST="localhost")
    assert web.get(f"{world.url}/livez").status_code == 200


def test_an_edge_without_keys_refuses_a_public_address(empty_world):
    refused = empty_world.run(empty_world.front, "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "0.0.0.0" in refused.stderr and "AUTH=off" in refused.stderr
