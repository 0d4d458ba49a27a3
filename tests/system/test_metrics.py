"""What a worker tells of its work."""

import re

from world import web


def numbers(url):
    """Every sample by its name and labels."""
    text = web.get(f"{url}/metrics", timeout=10).text
    return {name: float(value)
            for name, value in re.findall(r"^(millrace_\S+) (\S+)$", text, re.MULTILINE)}


def test_a_worker_tells_how_long_its_work_takes(empty_world):
    world = empty_world.inhabit()
    for _ in range(3):
        assert world.wait_end(world.submit("sim-60ms-20tok-10gap"))["status"] == "succeeded"

    url = world.worker_url
    world.wait_until(lambda: numbers(url)["millrace_jobs_succeeded_total"] == 3)
    told = numbers(url)
    for name in ("first_event_seconds", "llm_first_token_seconds", "llm_turn_seconds"):
        assert told[f"millrace_{name}_count"] == 3
        assert told[f'millrace_{name}_bucket{{le="+Inf"}}'] == 3
    assert told['millrace_llm_first_token_seconds_bucket{le="0.05"}'] == 0
    assert told["millrace_llm_first_token_seconds_sum"] >= 0.18
    assert told['millrace_llm_turn_seconds_bucket{le="0.25"}'] == 0
    # started, 20 words and the end of each
    assert told["millrace_append_events_sum"] >= 3 * 22
    assert told["millrace_append_events_count"] <= told["millrace_append_events_sum"]
