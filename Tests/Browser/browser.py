"""Debian's Chromium under Playwright, as every browser test here uses it."""
import contextlib
import random
import shutil

from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


@contextlib.contextmanager
def chromium(*, cache=False):
    """A headless browser; with `cache` pages come back from the back/forward cache."""
    left_out = ["--disable-back-forward-cache"] if cache else None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], ignore_default_args=left_out)
        try:
            yield browser
        finally:
            browser.close()


def move_like_a_person(page, x, y, seed=1):
    """Moves the mouse to a place along a slightly bent path with uneven steps."""
    dice = random.Random(seed)
    steps = 12
    for step in range(1, steps + 1):
        share = step / steps
        bend = (share * (1 - share)) * 40 * dice.uniform(-1, 1)
        page.mouse.move(x * share + (1 - share) * 40 + bend, y * share + (1 - share) * 60 + bend)
        page.wait_for_timeout(dice.randint(15, 45))


def scroll_like_a_person(page, pixels, pause_milliseconds=900):
    """Wheels down in bursts with a rest after each."""
    done = 0
    while done < pixels:
        for _ in range(4):
            page.mouse.wheel(0, 80)
            page.wait_for_timeout(40)
        done += 320
        page.wait_for_timeout(pause_milliseconds)


def hover(page, locator, milliseconds):
    """Rests the pointer on an element."""
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    move_like_a_person(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(milliseconds)
