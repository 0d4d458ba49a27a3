"""What a person does with the page, and sees in it."""

import re

from playwright.sync_api import expect

# A worker that has just joined its group may wait for its share of the partitions.
expect.set_options(timeout=25_000)


class Screen:
    """One browser profile; `page` is its first tab."""

    # A server that is away, or refuses, is told to the console by the browser itself.
    EXPECTED = re.compile(r"Failed to load resource|net::ERR_")

    def __init__(self, context, url):
        self.context = context
        self.url = url
        self.complaints = []
        self.requests = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", self._heard)
        context.on("weberror", lambda thrown: self.complaints.append(str(thrown.error)))
        self.page = self.tab()

    def _heard(self, message):
        if message.type in ("error", "warning") and not self.EXPECTED.search(message.text):
            self.complaints.append(message.text)

    def tab(self, path="/"):
        page = self.context.new_page()
        page.goto(self.url + path)
        return page

    def ask(self, text, page=None):
        page = page or self.page
        page.locator("#message").fill(text)
        page.locator("#message").press("Enter")

    def answers(self, page=None):
        return (page or self.page).locator(".turn.answer")

    def answer(self, page=None):
        """The newest one."""
        return self.answers(page).last

    def questions(self, page=None):
        return (page or self.page).locator(".turn.question")

    def words(self, text, page=None):
        """The newest answer says exactly this, and no more is to come."""
        expect(self.answer(page).locator(".markdown")).to_have_text(text)
        expect(self.answer(page)).to_have_attribute("aria-busy", "false")

    def conversation_id(self, page=None):
        """Once the server has given it one."""
        (page or self.page).wait_for_url(re.compile("#/c/"))
        return (page or self.page).url.partition("#/c/")[2]

    def overflow(self, page=None):
        """By how many pixels the page is wider than its window."""
        return (page or self.page).evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth")
