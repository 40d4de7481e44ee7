"""What every page has: a head, a style, scripts in the page itself, and no way to a network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
"""The browser itself keeps the page from asking a network for anything."""


def part(name: str) -> str:
    """Return the text of a file beside this one."""
    return (FOLDER / name).read_text(encoding="utf-8")


def shell(title: str, lead: str, main: str, footer: str, scripts: Sequence[str] = ()) -> str:
    """Return a whole page.

    Parameters
    ----------
    title, lead
        The heading, as text, and what stands below it in the page's header, as HTML.
    main, footer
        HTML.
    scripts
        JavaScript and JSON elements, at the end of the body.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<style>
{part("page.css")}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>{escape(title)}</h1>
{lead}
</header>
<main id="main" tabindex="-1">
{main}
</main>
<footer>
{footer}
</footer>
{chr(10).join(scripts)}
</body>
</html>
"""


def inline_script(text: str) -> str:
    """Return JavaScript as an element; the page's own scripts hold no closing tag."""
    assert "</script" not in text
    return f"<script>\n{text}</script>"


def inline_json(name: str, text: str) -> str:
    """Return JSON as an element that scripts find by its `name`."""
    return f'<script type="application/json" id="{name}">{text.replace("</", "<" + chr(92) + "/")}</script>'
