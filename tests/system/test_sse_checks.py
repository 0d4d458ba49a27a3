"""What judges the streams is itself judged: each broken stream is found, a good one passes."""

import json

import pytest
from sse import Event, assert_whole, told_text


def event(seq, kind, **fields):
    data = {"job": "j", "seq": seq, "type": kind} | fields
    if seq is None:
        del data["seq"]
    return Event(kind, str(seq or ""), json.dumps(data))


GOOD = [event(1, "queued"), event(2, "started"), event(3, "delta", text="a"),
        event(4, "delta", text="b"), event(5, "done")]


def test_a_whole_stream_passes():
    assert_whole(GOOD)
    assert told_text(GOOD) == "ab"


@pytest.mark.parametrize("broken", [
    GOOD[:2] + GOOD[3:],                     # one is missing
    GOOD[:3] + GOOD[2:],                     # one comes twice
    GOOD[1:],                                # the first is missing
    GOOD[:-1],                               # it does not end
    GOOD + [event(6, "done")],               # it ends twice
    GOOD + [event(6, "delta", text="c")],    # it goes on after its end
    GOOD[:2] + [Event("delta", "9", GOOD[2].data)] + GOOD[3:],  # the id is not the number
    GOOD[:2] + [event(90, "gap", **{"from": 3, "to": 89}), event(91, "done")],
])
def test_a_broken_stream_is_found(broken):
    with pytest.raises(AssertionError):
        assert_whole(broken)


def test_an_announced_gap_passes_where_losses_are():
    assert_whole(GOOD[:2] + [event(90, "gap", **{"from": 3, "to": 89}), event(91, "done")],
                 gaps=True)
    assert_whole(GOOD[:2] + [event(None, "gap", **{"from": 3, "to": 89}), event(90, "done")],
                 gaps=True)
    with pytest.raises(AssertionError):
        assert_whole(GOOD[:2] + [event(90, "delta", text="x"), event(91, "done")], gaps=True)


def test_rewind_and_snapshot_change_what_a_reader_holds():
    told = [event(1, "queued"), event(2, "delta", text="a"), event(3, "delta", text="b"),
            event(4, "rewind", to=2), event(5, "delta", text="c")]
    assert told_text(told) == "ac"
    assert told_text(told + [event(6, "rewind", to=0)]) == ""
    assert told_text(told + [event(None, "snapshot", text="xyz", upto=5)]) == "xyz"
