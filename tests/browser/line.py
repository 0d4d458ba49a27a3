"""A network line that can be cut and mended: a TCP proxy."""

import contextlib
import socket
import threading


class Line:
    """A context manager; `url` stands for the server's. While it is cut, connections that stand are
    reset and new ones are dropped at once."""

    def __init__(self, server_url):
        host, _, port = server_url.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._lock = threading.Lock()
        self._open = set()
        self._whole = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.cut()
        # Wakes the thread in accept, which close alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self):
        with self._lock:
            self._whole = False
            ends, self._open = self._open, set()
        for end in ends:
            _hang_up(end)

    def mend(self):
        with self._lock:
            self._whole = True

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            with self._lock:
                if self._whole:
                    self._open |= {client, server}
            if client not in self._open:
                _hang_up(client)
                _hang_up(server)
                continue
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        _hang_up(target)
        with self._lock:
            self._open -= {source, target}


def _hang_up(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
