"""The page in a real browser: silent, offline, no wider than its window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
EXAMPLE = Path(__file__).parents[3] / "reports" / "example" / "index.html"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield launched
        launched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_silent_offline_and_fits(
    browser: Browser, page: Path, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=True,
    )
    tab = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(page.as_uri())
    for details in tab.query_selector_all("details"):
        details.evaluate("node => node.open = true")
    tab.wait_for_load_state("networkidle")
    assert said == []
    assert asked == [page.as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.title().startswith("planted")
    ink = tab.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")
    body = tab.evaluate("getComputedStyle(document.body).color")
    assert ink == body
    context.close()


@pytest.mark.parametrize(
    ("width", "scheme", "example"), [(390, "light", True), (1280, "dark", False)]
)
def test_axe_finds_nothing(
    browser: Browser, page: Path, width: int, scheme: Literal["light", "dark"], example: bool
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core").Axe()
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.goto((EXAMPLE if example else page).as_uri())
    for details in tab.query_selector_all("details"):
        details.evaluate("node => node.open = true")
    found = axe.run(tab).response
    assert len(found["passes"]) > 20
    assert [(v["id"], v["impact"], v["nodes"][0]["html"]) for v in found["violations"]] == []
    tab.close()


def test_the_table_of_architectures_sorts_filters_and_opens(browser: Browser, page: Path) -> None:
    tab = browser.new_page()
    tab.goto(page.as_uri())
    table = tab.locator("table.sortable")

    def column(index: int) -> list[float]:
        cells = table.locator(f"tbody tr > :nth-child({index})").all_text_contents()
        return [float(cell.replace("−", "-").strip("*+ \n")) for cell in cells]

    head = table.locator("thead th").nth(5)
    head.get_by_role("button").focus()
    tab.keyboard.press("Enter")
    gains = column(6)
    assert gains == sorted(gains, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    tab.keyboard.press("Enter")
    assert column(6) == sorted(gains)
    tab.get_by_role("searchbox").fill("nor_conv_3x3~0|+")
    shown = table.locator("tbody tr:visible")
    assert 0 < shown.count() < 24
    assert tab.locator("output").text_content() == f"{shown.count()} of 24 rows"
    shown.first.locator("summary").press("Enter")
    assert shown.first.get_by_role("img").is_visible()
    assert "path-cubed: rate" in (shown.first.text_content() or "")
    tab.close()


def test_without_javascript_a_row_still_opens(browser: Browser, page: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page.as_uri())
    row = tab.locator("table.sortable tbody tr").first
    assert not row.get_by_role("img").is_visible()
    row.locator("summary").click()
    assert row.get_by_role("img").is_visible()
    assert tab.get_by_role("searchbox").count() == 0
    context.close()


def test_the_keyboard_reaches_the_answer_first(browser: Browser, page: Path) -> None:
    tab = browser.new_page()
    tab.goto(page.as_uri())
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the answer"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#answer")
    tab.close()


def test_paper_gets_black_on_white_without_the_menu(browser: Browser, page: Path) -> None:
    tab = browser.new_page(color_scheme="dark")
    tab.emulate_media(media="print", color_scheme="dark")
    tab.goto(page.as_uri())
    style = "getComputedStyle(document.querySelector('{}')).{}"
    for hidden in ("nav", ".filter", "figure summary"):
        assert tab.evaluate(style.format(hidden, "display")) == "none"
    assert tab.locator("table.sortable summary").first.is_visible()
    assert tab.evaluate(style.format("body", "color")) == "rgb(0, 0, 0)"
    assert tab.evaluate(style.format("body", "backgroundColor")) == "rgb(255, 255, 255)"
    assert tab.evaluate(style.format("figure svg text", "fill")) == "rgb(0, 0, 0)"
    tab.close()


def test_a_point_that_is_touched_says_its_row_its_series_and_both_axes(
    browser: Browser, page: Path
) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(page.as_uri())
    tab.locator("#resnets-slope").scroll_into_view_if_needed()
    points = tab.locator("#resnets-slope .plot.wide [data-series=he] use:has(title)")
    number, x, y = points.evaluate_all(  # a spot of a point over which nothing else is drawn
        """all => {
          for (const [number, each] of all.entries()) {
            const box = each.getBoundingClientRect();
            for (const part of [0.5, 0.35, 0.65, 0.25, 0.75]) {
              const [x, y] = [box.x + part * box.width, box.y + part * box.height];
              if (document.elementFromPoint(x, y) === each) return [number, x, y];
            }
          }
        }"""
    )
    hit = """all => all.map(each => each.getBoundingClientRect()).map(
        box => document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
    ).map(found => found.querySelector(":scope > title") !== null)"""
    assert all(points.evaluate_all(hit))  # no error bar or line lies over the middle of a point
    title = points.nth(number).locator("title")
    name, depth, rate = (title.text_content() or "").split(" · ")
    for _ in range(2):  # touched again, it says it once
        tab.mouse.move(x, y)
        assert title.text_content() == (
            f"{name}, he, effective depth (layers and additions) {depth}, best learning rate {rate}"
        )
        tab.mouse.move(0, 0)
    tab.close()


def test_the_contents_stay_in_sight_the_archive_is_whole_and_the_page_says_where_it_is_from(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    tab = browser.new_page(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    tab.goto(page.as_uri())
    tab.locator("nav a[href='#provenance']").click()
    tab.wait_for_timeout(100)
    place = tab.locator("nav ul").bounding_box()
    assert place is not None
    assert 0 <= place["y"] < 200
    said = tab.locator("#provenance").inner_text()
    assert "0" * 40 in said
    for told in (
        "torch\t2.15.0",
        "cores of a machine\t2",
        "GPUs\tnone",
        "44 s, summed",
        "python jobs/",
    ):
        assert told in said
    with tab.expect_download() as waited:
        tab.get_by_role("link", name="Download everything").click()
    waited.value.save_as(tmp_path / "everything.zip")
    with ZipFile(tmp_path / "everything.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    links = tab.evaluate(
        '[...document.querySelectorAll(\'a[href^="data/"], a[href^="figures/"]\')]'
        ".map(each => each.getAttribute('href'))"
    )
    assert len(links) > 20
    assert set(links) | {"index.html"} == set(names)
    tab.close()


def test_a_rule_is_hidden_in_all_figures_at_once_and_the_bibtex_is_copied(
    browser: Browser, page: Path
) -> None:
    context = browser.new_context(
        viewport={"width": 1400, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    tab = context.new_page()
    tab.goto(page.as_uri())

    def count_shown(series: str) -> int:
        shown: int = tab.evaluate(
            "name => [...document.querySelectorAll(`.plot.wide .series-${name}`)]"
            ".filter(each => getComputedStyle(each).display !== 'none').length",
            series,
        )
        return shown

    before = count_shown("path-cubed"), count_shown("effective-depth")
    assert min(before) > 5
    tab.locator(".toggles input[value=path-cubed]").uncheck()
    assert (count_shown("path-cubed"), count_shown("effective-depth")) == (0, before[1])
    tab.locator(".toggles input[value=path-cubed]").check()
    assert count_shown("path-cubed") == before[0]
    tab.locator("button.copy").click()
    tab.wait_for_function("document.querySelector('button.copy').textContent === 'Copied'")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("@software{architecture-aware-rates,")
    assert "eprint = {2402.17440}" in copied
    context.close()
