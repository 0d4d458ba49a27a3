"""A receiver of webhooks: a real HTTP server that answers as it is told and keeps what it got. It
checks signatures by the specification's words alone (Standard Webhooks 1.0.0)."""

import base64
import hashlib
import hmac
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    path: str
    headers: dict
    body: bytes

    def signed_by(self, secret):
        """Whether one of its signatures is that of this `whsec_…`."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = b".".join([self.headers["webhook-id"].encode(),
                          self.headers["webhook-timestamp"].encode(), self.body])
        right = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return f"v1,{right}" in self.headers["webhook-signature"].split(" ")


class Receiver:
    """`answers`: a status for each request in turn, 200 for those after; a status is a number, or
    (number, headers), or an Event to wait for before 200."""

    def __init__(self, *answers, port=0):
        self.answers = list(answers)
        self.got = []
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def ids(self):
        return [got.headers["webhook-id"] for got in self.got]

    def _handler(receiver):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Got(self.path, headers, body))
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if isinstance(answer, threading.Event):
                    answer.wait(60)
                    answer = 200
                status, more = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler
