"""Both readers of the document show it, with nothing of another origin and within their policy."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(chromium, world):
    """What a page complains of, or wants elsewhere, fails the test."""
    context = chromium.new_context(base_url=world.url, viewport={"width": 1280, "height": 900})
    shown, complaints = context.new_page(), []
    shown.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.on("request", lambda asked: asked.url.startswith((world.url, "data:", "blob:"))
             or complaints.append(asked.url))
    yield shown
    context.close()
    assert complaints == []


def test_swagger_ui_shows_every_surface_and_asks_what_it_shows(page):
    page.goto("/docs")
    for surface in ("jobs", "events", "openai", "conversations", "operations"):
        expect(page.locator(f"h3[data-tag='{surface}']")).to_be_visible()
    page.locator("#operations-operations-getLiveness button.opblock-summary-control").click()
    page.locator("#operations-operations-getLiveness button.execute").click()
    expect(page.locator("#operations-operations-getLiveness .live-responses-table")).to_contain_text(
        '"status": "ok"')


def test_redoc_shows_the_document_and_finds_in_it(page):
    page.goto("/redoc")
    expect(page.get_by_role("heading", name="Submit a job, or many")).to_be_visible()
    page.get_by_role("textbox").first.fill("redrive")
    expect(page.locator("[data-role='search:results']")).to_contain_text(
        "Do the work of failed jobs again")
