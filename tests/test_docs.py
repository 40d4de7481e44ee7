"""The pages make a site without a warning, and every link in them within the repository leads somewhere."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])


def test_the_site_is_made_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("myst_parser")
    pytest.importorskip("furo")
    words = ("-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", REPOSITORY / "docs", tmp_path / "site")
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for page in PAGES[1:]:
        made = tmp_path / "site" / page.relative_to(REPOSITORY / "docs").with_suffix(".html")
        assert made.exists() or page.name == "README.md", page
    assert dead_ends(tmp_path / "site") == []


def dead_ends(site: Path) -> list[str]:
    """Return the links of the site that lead to no page or to no place on it.

    What Sphinx can not resolve becomes a link to a place of that name; files of the repository are allowed.
    """
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    places = {path: set(re.findall(r' id="([^"]+)"', text)) for path, text in texts.items()}
    dead = []
    for path, text in texts.items():
        for link in sorted(set(re.findall(r'<a [^>]*href="([^"]+)"', text))):
            name, _, place = link.partition("#")
            if re.match(r"\w+:", link) or name.startswith(("_static/", "_sources/")):
                continue
            page = path if name == "" else (path.parent / unquote(name)).resolve()
            place = unquote(place)
            if page not in places and not page.exists():
                dead.append(f"{path.name}: {link}")
            elif place and place not in places.get(page, {place}):
                beside = (REPOSITORY / "docs" / path.relative_to(site).parent / place, REPOSITORY / place)
                dead += [] if any(each.exists() for each in beside) else [f"{path.name}: {link}"]
    return dead


def test_a_dead_end_is_seen(tmp_path: Path) -> None:
    links = ("b.html#there", "b.html#gone", "c.html", "#README.md", "#own", "https://example.org/#x")
    (tmp_path / "a.html").write_text(
        '<p id="own">' + "".join(f'<a class="x" href="{each}">' for each in links)
    )
    (tmp_path / "b.html").write_text('<h1 id="there">')
    assert dead_ends(tmp_path) == ["a.html: b.html#gone", "a.html: c.html"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [
        link
        for link in links
        if not link.startswith(("http:", "https:", "mailto:")) and not (page.parent / unquote(link)).exists()
    ]
    assert broken == []
