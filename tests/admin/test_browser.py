"""The admin in a real browser: Debian's Chromium, driven by selenium."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoDbBlocker
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.admin.axe import violations
from tests.admin.chromium import CHROMEDRIVER, CHROMIUM, chromium, complaints, visit
from tests.admin.pages import RECORDS
from tests.admin.site import Site, serving
from tests.databases import leading_to, new_database
from tests.helpers import put, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        CHROMIUM is None or CHROMEDRIVER is None,
        reason="Debian's packages chromium and chromium-driver are not installed",
    ),
]

THEMES = ["light", "dark"]

#: The contrast that WCAG 2.2 asks of text at level AA.
CONTRAST = 4.5


@pytest.fixture(scope="module")
def database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Point the alias ``default`` at a database of its own: the server's threads don't see a test's transaction."""
    name = f"sqlm_browser_{os.getpid()}"
    with django_db_blocker.unblock(), new_database(name), leading_to(name):
        call_command("migrate", verbosity=0)
        yield


@pytest.fixture(scope="module")
def site(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the admin."""
    with serving(tmp_path_factory.mktemp("migrations_sql")) as served:
        yield served


@pytest.fixture(scope="module")
def browser(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Start a browser that is signed in."""
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        driver.get(f"{site.url}/static/admin/css/base.css")
        driver.add_cookie({"name": "sessionid", "value": site.session})
        yield driver


PAGES = [
    "records",
    "events",
    "nothing found",
    "failed record",
    "applied record",
    "event",
    "overview",
    "drift",
    "health",
    "versions",
    "confirmation",
    "progress",
]


@pytest.mark.parametrize("page", PAGES)
def test_a_strict_content_security_policy_has_nothing_to_object(
    site: Site, browser: webdriver.Chrome, page: str
) -> None:
    visit(browser, site.url + site.pages[page])

    assert "sqlmigrations" in browser.page_source
    assert complaints(browser) == []


def test_a_violation_of_the_policy_would_be_noticed(site: Site, browser: webdriver.Chrome) -> None:
    visit(browser, site.url + RECORDS)
    browser.execute_script("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")

    assert len(complaints(browser)) == 1


#: Returns the texts whose contrast is too low, and how many texts were looked at. Every element that is ours, or is
#: inside one of ours, and has text of its own is compared with the first opaque background behind it.
LOW_CONTRAST = """
const wanted = arguments[0];
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const opaque = colour => numbers(colour).length < 4 || numbers(colour)[3] === 1;
const luminance = colour => {
    const [red, green, blue] = numbers(colour).slice(0, 3).map(value => {
        value /= 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const background = element => {
    while (element && !opaque(getComputedStyle(element).backgroundColor)) element = element.parentElement;
    return element ? getComputedStyle(element).backgroundColor : "rgb(255, 255, 255)";
};
const low = [];
let seen = 0;
document.querySelectorAll("details").forEach(details => { details.open = true; });
for (const element of document.querySelectorAll("main [class*=sqlm-], main [class*=sqlm-] *")) {
    const before = getComputedStyle(element, "::before").content;
    const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!(hasText || /\\d/.test(before)) || !element.getClientRects().length) continue;
    const [light, dark] = [getComputedStyle(element).color, background(element)].map(luminance).sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    seen += 1;
    if (ratio < wanted) low.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
}
return [low, seen];
"""


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_their_numbers_stand_out_from_their_background(
    site: Site, browser: webdriver.Chrome, theme: str
) -> None:
    """The numbers are drawn by CSS, which axe does not look at."""
    visit(browser, site.url + site.pages["failed record"], theme=theme)

    low, seen = browser.execute_script(LOW_CONTRAST, CONTRAST)

    assert low == []
    assert seen >= 15


def test_both_themes_are_really_different(site: Site, browser: webdriver.Chrome) -> None:
    script = """
    return [".sqlm-code", ".sqlm-badge", ".sqlm-sql-k"].map(
        selector => getComputedStyle(document.querySelector(selector)).color
    );
    """
    colours: dict[str, Any] = {}
    for theme in THEMES:
        visit(browser, site.url + site.pages["failed record"], theme=theme)
        colours[theme] = browser.execute_script(script)

    assert [light == dark for light, dark in zip(colours["light"], colours["dark"], strict=True)] == [False] * 3


def test_the_themes_switch_wins_over_the_systems_theme(site: Site, browser: webdriver.Chrome) -> None:
    visit(browser, site.url + site.pages["failed record"], theme="light")
    colour = "return getComputedStyle(document.querySelector('.sqlm-code')).color"
    light = browser.execute_script(colour)

    browser.execute_script("document.documentElement.dataset.theme = 'dark'")

    assert browser.execute_script(colour) != light


def test_pages_of_our_own_say_where_they_are_as_lists_do(site: Site, browser: webdriver.Chrome) -> None:
    """Django 6.1 has another markup for it than those before."""
    script = """
        const trail = document.querySelector('.breadcrumbs'), style = getComputedStyle(trail);
        const link = getComputedStyle(trail.querySelector('a'));
        return [style.backgroundColor, style.color, style.padding, link.color, link.fontSize];
    """
    seen = []
    for page in ("records", "overview", "confirmation"):
        visit(browser, site.url + site.pages[page])
        seen.append(browser.execute_script(script))

    assert seen == [seen[0]] * 3


#: Returns how a screen reader would name what has the focus.
FOCUSED = """
const element = document.activeElement;
return element.getAttribute("aria-label") || element.textContent.trim();
"""


def test_the_keyboard_reaches_every_section(site: Site, browser: webdriver.Chrome) -> None:
    visit(browser, site.url + site.pages["failed record"].partition("#")[0])
    browser.execute_script("document.querySelector('main').focus()")

    stops = []
    for _ in range(14):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        stops.append(browser.execute_script(FOCUSED))

    own = [stop for stop in stops if stop != "History"]  # Django's; since 6.1 it comes first
    assert own[:13] == [
        "Outcome",
        "Error",
        "SQL",
        "Timeline",
        "Try again…",
        "Mark as applied…",
        "failed.sql, line 3",
        "Show as plain text",
        "Download",
        "SQL",
        "Down script",
        "Verify script",
        "These events in the list",
    ]


def test_a_link_to_the_error_jumps_to_its_line(site: Site, browser: webdriver.Chrome) -> None:
    visit(browser, site.url + site.pages["failed record"].partition("#")[0])
    browser.execute_script("document.querySelector('#error a').focus()")

    ActionChains(browser).send_keys(Keys.ENTER).perform()

    target = browser.execute_script("return document.querySelector(':target').className")
    assert (browser.current_url.partition("#")[2], target) == ("L3", "sqlm-line sqlm-line--error")


def test_scripts_unfold_by_keyboard(site: Site, browser: webdriver.Chrome) -> None:
    visit(browser, site.url + site.pages["failed record"])
    browser.execute_script("document.querySelector('summary').focus()")

    ActionChains(browser).send_keys(Keys.ENTER).perform()

    assert browser.execute_script("return document.querySelector('details').open") is True


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_shows_the_page_without_scrolling_sideways(site: Site, browser: webdriver.Chrome, page: str) -> None:
    visit(browser, site.url + site.pages[page], width=400)

    assert browser.execute_script("return document.documentElement.scrollWidth") == 400


@pytest.mark.parametrize("page", ["records", "events"])
def test_a_laptop_shows_every_column_of_a_list(site: Site, browser: webdriver.Chrome, page: str) -> None:
    visit(browser, site.url + site.pages[page], width=1280)

    script = "const table = document.querySelector('.results'); return table.scrollWidth - table.clientWidth"
    assert browser.execute_script(script) == 0


#: Returns what is wrong with the page's structure: ids used twice, labels and links that lead nowhere, skipped levels.
STRUCTURE = """
const main = document.querySelector("main");
const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
const wrong = ids.filter((id, index) => ids.indexOf(id) !== index).map(id => `id ${id} twice`);
for (const element of main.querySelectorAll("[aria-labelledby]")) {
    if (!document.getElementById(element.getAttribute("aria-labelledby"))) wrong.push(`${element.id} has no label`);
}
for (const element of main.querySelectorAll(".sqlm-detail :is(section, nav, [role=group])")) {
    if (!element.hasAttribute("aria-labelledby") && !element.hasAttribute("aria-label")) wrong.push("no name");
}
let before = 0;
for (const heading of main.querySelectorAll("h1, h2, h3, h4")) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) wrong.push(`${heading.tagName} ${heading.textContent} after h${before}`);
    before = level;
}
for (const link of main.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.hash.slice(1))) wrong.push(`${link.hash} leads nowhere`);
}
return wrong;
"""


@pytest.mark.parametrize("page", PAGES)
def test_headings_labels_and_links_within_the_page_are_sound(site: Site, browser: webdriver.Chrome, page: str) -> None:
    visit(browser, site.url + site.pages[page])

    assert browser.execute_script(STRUCTURE) == []


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_no_fault_with_either_theme(site: Site, browser: webdriver.Chrome, page: str) -> None:
    visit(browser, site.url + site.pages[page])
    browser.execute_script("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    found = {"light": violations(browser)}
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    browser.execute_script("document.getAnimations().forEach(animation => animation.finish())")
    # Nothing but colours depends on the theme.
    found["dark"] = violations(browser, "color-contrast", "link-in-text-block")

    assert found == {"light": [], "dark": []}


def test_axe_would_find_a_fault(site: Site, browser: webdriver.Chrome) -> None:
    visit(browser, site.url + RECORDS)
    browser.execute_script("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x>')")

    assert len([found for found in violations(browser) if found.startswith("image-alt")]) == 1


# Who may do what, and doing it


@pytest.fixture
def signed_in(site: Site, browser: webdriver.Chrome) -> Iterator[Callable[..., None]]:
    """Return what signs somebody else in; the superuser is back behind the test."""

    def sign_in(*permissions: str) -> None:
        user = User.objects.create_user(f"user{uuid.uuid4().hex}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})

    yield sign_in
    browser.add_cookie({"name": "sessionid", "value": site.session})


def links(browser: webdriver.Chrome) -> list[str]:
    """Return the words of the actions that the page offers."""
    found = browser.find_elements(By.CSS_SELECTOR, "main .sqlm-buttons a, main .sqlm-acts a")
    return [" ".join(str(link.get_attribute("textContent")).split()) for link in found]


def test_who_may_sees_what_can_be_done(site: Site, browser: webdriver.Chrome, signed_in: Callable[..., None]) -> None:
    overview = f"{site.url}{RECORDS}overview/"
    offered = {}
    for who, permissions in {
        "viewer": ["view_migrationrecord"],
        "operator": ["view_migrationrecord", "apply_migrationrecord"],
        "nobody": [],
    }.items():
        signed_in(*permissions)
        visit(browser, overview)
        offered[who] = (browser.title.partition(" | ")[0], links(browser))

    assert offered == {
        "viewer": ("Overview", []),
        "operator": ("Overview", ["Apply 002_pending.sql", "Apply what is pending…"]),
        "nobody": ("403 Forbidden", []),
    }


def confirm(browser: webdriver.Chrome) -> str:
    """Press the button of the confirmation that is open; return how it ended, once the page that follows it says so."""
    browser.find_element(By.CSS_SELECTOR, "#confirm button").click()
    wait_until(lambda: browser.find_elements(By.CSS_SELECTOR, "#progress[data-over]"))
    return browser.find_element(By.ID, "verdict-heading").text


def test_a_failed_file_is_mended_tried_again_and_reverted(site: Site, browser: webdriver.Chrome) -> None:
    name = "003_journey.sql"
    put(site.folder, {name: "CREATE TABLE journey (id nonsense);\n", "003_journey.down.sql": "DROP TABLE journey;\n"})
    visit(browser, f"{site.url}{RECORDS}act/retry/?name={name}")
    ended = [confirm(browser)]

    visit(browser, f"{site.url}{RECORDS}?q={name}")
    browser.find_element(By.CSS_SELECTOR, "#result_list tbody a").click()
    error = browser.find_element(By.CSS_SELECTOR, "#error .sqlm-message").text
    put(site.folder, {name: "CREATE TABLE journey (id bigint PRIMARY KEY);\n"})
    browser.find_element(By.LINK_TEXT, "Try again…").click()
    ended.append(confirm(browser))

    visit(browser, f"{site.url}{RECORDS}?q={name}")
    browser.find_element(By.CSS_SELECTOR, "#result_list tbody a").click()
    browser.find_element(By.LINK_TEXT, "Revert…").click()
    shown = browser.find_element(By.CSS_SELECTOR, ".sqlm-code").text
    ended.append(confirm(browser))

    assert (ended, error, shown.strip()) == (
        ["Failed", "Done", "Done"],
        'type "nonsense" does not exist',
        "DROP TABLE journey;",
    )
    assert complaints(browser) == []
