"""A request's trace reaches the model."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from confluent_kafka import Consumer

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


class Recorder(BaseHTTPRequestHandler):
    """A model of one word, which keeps what it was sent."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(dict(self.headers))
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                 "choices": [{"index": 0, "delta": {"content": "word"}, "finish_reason": "stop"}]}
        answer = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def records(world, topic, count):
    consumer = Consumer({"bootstrap.servers": world.kafka.brokers, "group.id": f"{world.name}-look",
                         "auto.offset.reset": "earliest"})
    consumer.subscribe([f"{world.name}.{topic}"])
    found = []

    def look():
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            found.append(message)
        return len(found) == count

    world.wait_until(look, 15, f"no {count} records in {topic}")
    consumer.close()
    return found


def test_a_trace_goes_to_the_model_and_none_is_made_up(empty_world, upstream):
    world = empty_world
    world.settings["LLM_SERVER_URL"] = f"http://127.0.0.1:{upstream.server_port}"
    world.inhabit()
    sent = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    traced = world.submit("m", headers=sent)
    plain = world.submit("m")
    wrong = world.submit("m", headers={"traceparent": f"00-{TRACE.upper()}-{SPAN}-01"})
    for job_id in (traced, plain, wrong):
        assert world.wait_end(job_id)["status"] == "succeeded"

    heard = {request["X-Millrace-Job"]: request.get("traceparent") for request in upstream.heard}
    version, trace, span, flags = heard[traced].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != SPAN and len(span) == 16
    assert heard[plain] is None and heard[wrong] is None

    if world.front == "serve":
        return
    in_kafka = {record.key().decode(): dict(record.headers()).get("traceparent")
                for record in records(world, "jobs.chat", 3)}
    assert in_kafka == {traced: sent["traceparent"].encode(), plain: None, wrong: None}
