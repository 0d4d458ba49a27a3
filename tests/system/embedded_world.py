"""A world of one `millrace serve` on a data folder, with nothing beside it but the simulator, which
counts what it is asked."""

from process import free_port
from world import World


class EmbeddedWorld(World):
    front = "serve"

    def inhabit(self, **settings):
        if "LLM_SERVER_URL" not in self.settings:
            self.start_simulator()
        self.start_serve(**settings)
        return self

    def start_serve(self, **settings):
        serve = self._part("serve", "serve", PORT=free_port(), **settings)
        self.edges = [serve.start_listening()]
        return self._wait_ready(serve)

    @property
    def serve(self):
        return self.edges[0]

    def replace_worker(self, **settings):
        self.serve.stop()
        self.serve.settings |= {name: str(value) for name, value in settings.items()}
        self.serve.start_listening()

    def kill_worker(self):
        self.serve.kill()
        self.serve.start_listening()
