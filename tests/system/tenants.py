"""API keys of a world, and clients that hold one."""

import httpx
from world import web


def make_key(world, *words):
    """The text of a new key; `words` as after `millrace keys create`."""
    made = world.run("keys", "create", *words)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def held(key):
    """The headers of who holds it."""
    return {"Authorization": f"Bearer {key}"}


class Client:
    """Asks one world with one key, or with none."""

    def __init__(self, world, key=None):
        self.world = world
        self.headers = held(key) if key else {}

    def ask(self, method, path, headers=None, **more) -> httpx.Response:
        return web.request(method, f"{self.world.url}{path}", headers=self.headers | (headers or {}),
                           **more)

    def submit(self, model, **fields):
        """The id of a job that was accepted."""
        answer = self.ask("POST", "/v1/jobs", json={"input": "Tell me a story.", "model": model} | fields)
        assert answer.status_code == 202, f"{answer.status_code} {answer.text}"
        return answer.json()["id"]

    def job(self, job_id):
        answer = self.ask("GET", f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return answer.json()

    def wait_end(self, job_id):
        self.world.wait_until(lambda: self.job(job_id).get("ended_at"), 40, f"{job_id} has not ended")
        return self.job(job_id)
