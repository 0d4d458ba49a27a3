"""A model's server whose words the test writes, piece by piece, while the page is watched."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE_S = 30


class Script:
    """The answer to one question: said as far as the test has written it."""

    def __init__(self):
        self._changed = threading.Condition()
        self._pieces = []
        self._ended = False
        self._left = 0
        self.status = 200
        self.asked = 0

    def say(self, *pieces):
        """Each a text, or a whole `delta` of OpenAI's: calls of tools, reasoning, a refusal."""
        with self._changed:
            self._pieces += pieces
            self._changed.notify_all()
        return self

    def end(self):
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        return self

    def refuse(self, status):
        """Until told otherwise by `refuse(200)`."""
        self.status = status
        return self

    def was_left(self):
        """How often a reader went before the end."""
        return self._left

    def pieces(self):
        """One after the other, waiting for those that are not written yet."""
        number = 0
        while True:
            with self._changed:
                if not self._changed.wait_for(
                        lambda: self._ended or len(self._pieces) > number, PATIENCE_S):
                    return
                if len(self._pieces) <= number:
                    return
                piece = self._pieces[number]
            number += 1
            yield piece

    def left(self):
        self._left += 1


class Author:
    """A context manager; `url` is the server's. A question that has no script is repeated."""

    def __init__(self):
        self._scripts = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Desk)
        self._server.daemon_threads = True
        self._server.author = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.forget()
        self._server.shutdown()
        self._server.server_close()

    def on(self, question):
        """The script of this question, empty at first."""
        return self._scripts.setdefault(question, Script())

    def forget(self):
        """Every script ends as far as it was written."""
        scripts, self._scripts = self._scripts, {}
        for script in scripts.values():
            script.end()

    def script_of(self, question):
        return self._scripts.get(question) or Script().say(f"You said: {question}").end()


class _Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script = self.server.author.script_of(asked["messages"][-1]["content"])
        script.asked += 1
        if script.status != 200:
            return self._answer(script.status, b'{"error":{"message":"The author refuses."}}')
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            reason = "stop"
            for piece in script.pieces():
                if isinstance(piece, dict) and "tool_calls" in piece:
                    reason = "tool_calls"
                self._chunk(piece if isinstance(piece, dict) else {"content": piece}, None)
            self._chunk({}, reason)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            script.left()
        self.close_connection = True

    def do_GET(self):
        self._answer(200, b'{"object":"list","data":[]}')

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _chunk(self, delta, reason):
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "author",
                 "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_):
        pass
