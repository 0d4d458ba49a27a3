"""A TCP proxy that cuts each connection after so many bytes of the answer."""

import socket
import threading


class CuttingProxy:
    """Connection n passes `cuts[n]` bytes from the server and is then reset; connections beyond
    the list pass whole. A context manager; `url` stands for the server's."""

    def __init__(self, server_url, cuts):
        host, _, port = server_url.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._cuts = iter(list(cuts))
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Wakes the thread in accept, which close alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, next(self._cuts, None)),
                             daemon=True).start()

    def _serve(self, client, left):
        server = socket.create_connection(self._server)
        threading.Thread(target=_copy, args=(client, server), daemon=True).start()
        try:
            while left is None or left > 0:
                data = server.recv(65536 if left is None else min(left, 65536))
                if not data:
                    break
                client.sendall(data)
                left = None if left is None else left - len(data)
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


def _copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
