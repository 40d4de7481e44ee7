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
