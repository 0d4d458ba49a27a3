"""Readers of a job's events: one plain, one that comes back like EventSource does, and what must
be true of everything they have read."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import documented
import httpx
import httpx_sse

TERMINAL = ("done", "error", "cancelled", "expired")
NODE_LISTENER = Path(__file__).parent / "node" / "listen.mjs"


@dataclass(frozen=True)
class Event:
    type: str
    id: str
    data: str

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def seq(self):
        """None for a `gap` or `snapshot` that the relay made itself."""
        return self.json.get("seq")


def _headers(last_id):
    headers = {"Accept": "text/event-stream"}
    if last_id is not None:
        headers["Last-Event-ID"] = str(last_id)
    return headers


def events(url, last_id=None, seconds=60):
    """The events of one connection, as they come; ends with it, or with its failure."""
    with httpx.Client(verify=False, timeout=httpx.Timeout(10, read=seconds)) as client:
        with httpx_sse.connect_sse(client, "GET", url, headers=_headers(last_id)) as source:
            documented.check(source.response)
            if source.response.status_code == 204:
                return
            source.response.raise_for_status()
            for sse in source.iter_sse():
                if sse.data:  # httpx-sse makes an event of the blank line behind a comment
                    documented.check_frame(url, json.loads(sse.data))
                    yield Event(sse.event, sse.id, sse.data)


def read(url, last_id=None, seconds=60):
    return list(events(url, last_id, seconds))


class Reader:
    """Reads a job's events to the end, on another thread, coming back with Last-Event-ID whenever
    the connection fails, to the next of its addresses."""

    def __init__(self, *urls):
        self.urls = urls
        self.events = []
        self.connections = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._ended():
            url = self.urls[self.connections % len(self.urls)]
            self.connections += 1
            try:
                for event in events(url, self.last_id()):
                    self.events.append(event)
            except httpx.HTTPError:
                time.sleep(0.1)

    def _ended(self):
        return bool(self.events) and self.events[-1].type in TERMINAL

    def last_id(self):
        return self.events[-1].id if self.events else None

    def wait_for(self, count, kind=None, seconds=30):
        """Waits until that many events (of that kind) have come."""
        end = time.monotonic() + seconds
        while sum(kind in (None, event.type) for event in list(self.events)) < count:
            assert time.monotonic() < end, f"only {len(self.events)} events: {self.events[-3:]}"
            time.sleep(0.005)

    def finish(self, seconds=60):
        """All events, once the terminal one has come."""
        self._thread.join(seconds)
        assert self._ended(), f"no end within {seconds} s; the last events: {self.events[-3:]}"
        return self.events


class NodeReader:
    """npm's eventsource, reading to the terminal event; it comes back by itself."""

    def __init__(self, url):
        self._node = subprocess.Popen(["node", str(NODE_LISTENER), url], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)

    def finish(self, seconds=60):
        try:
            out, err = self._node.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._node.kill()
            out, err = self._node.communicate()
            raise AssertionError(f"node has not ended: {out[-1000:]} {err[-1000:]}") from None
        assert self._node.returncode == 0, f"node failed: {err[-2000:]}"
        return [Event(**json.loads(line)) for line in out.splitlines()]


# --- what must be true of what was read

def assert_whole(read_events, gaps=False):
    """P2: seq rises by one from 1, an `id` a numbered event, one terminal event, last. A jump is
    allowed only where losses are, and only when `gap` announces it."""
    expected = 1
    for event in read_events:
        if event.type == "gap":
            assert gaps, f"a gap without a loss: {event}"
            expected = event.json["to"] + 1
        if event.seq is None:
            assert event.type in ("gap", "snapshot"), f"an event without a number: {event}"
            continue
        assert event.seq == expected, f"seq {event.seq} where {expected} was due: {event}"
        assert event.id == str(event.seq)
        assert event.json["type"] == event.type
        expected += 1
    terminal = [event for event in read_events if event.type in TERMINAL]
    assert len(terminal) == 1, f"terminal events: {terminal}"
    assert read_events[-1] is terminal[0]


def told_text(read_events):
    """What a reader holds in the end: deltas joined, rewinds and snapshots done."""
    text, lengths = "", []
    for event in read_events:
        data = event.json
        if event.type == "delta":
            text += data["text"]
        elif event.type == "snapshot":
            text = data["text"]
        elif event.type == "rewind":
            kept = [length for seq, length in lengths if seq <= data["to"]]
            text = text[:kept[-1]] if kept else ""
            lengths = [entry for entry in lengths if entry[0] <= data["to"]]
        if event.seq is not None:
            lengths.append((event.seq, len(text)))
    return text
