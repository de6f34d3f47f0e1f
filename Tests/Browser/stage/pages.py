"""The pages that scenarios show, and the witness that tells what really happened on them."""
import html

# Runs before everything else. Its listeners sit on the window and see each event first.
WITNESS = """
(() => {
    // A page may break JSON, or teach it odd ways: the witness speaks plainly.
    const stringify = JSON.stringify;
    const plain = [Object.prototype, Array.prototype, String.prototype];
    window.__stringify = (value) => {
        const taught = plain.map((one) => one.toJSON);
        plain.forEach((one) => delete one.toJSON);
        const text = stringify(value);
        plain.forEach((one, at) => { if (taught[at]) one.toJSON = taught[at]; });
        return text;
    };
    const closest = Element.prototype.closest;
    const now = () => performance.now();
    const told = window.__witness = {
        clicks: [], hovers: [], moves: [], keys: [], away: [], faults: [], scrolled: 0,
        scrolls: [], shown: [document.visibilityState, document.hasFocus()], restored: 0,
    };
    const listen = (type, action) => addEventListener(type, action, { capture: true });
    const name = (event) => {
        const control = event.target instanceof Element
            && closest.call(event.target, '[data-cta],button,a');
        return control ? control.id || control.dataset.cta || '' : null;
    };
    let over = null;
    let offset = 0;
    const end = () => {
        if (over) told.hovers.push([over.name, now() - over.at, over.clicked]);
        over = null;
    };
    listen('pointerover', (event) => {
        const found = name(event);
        if (over && over.name === found) return;
        end();
        if (found !== null) over = { name: found, at: now(), clicked: 0 };
    });
    listen('pointerdown', () => { if (over) over.press = now() - over.at; });
    listen('click', (event) => {
        if (over) over.clicked++;
        told.clicks.push([name(event), now(), event.clientX, event.clientY,
            over ? over.press : -1]);
    });
    listen('pointermove', () => told.moves.push(now()));
    listen('keydown', () => told.keys.push(now()));
    listen('scroll', (event) => {
        if (event.target !== document) return;
        requestAnimationFrame(() => {
            if (scrollY === offset) return;
            told.scrolled += Math.abs(scrollY - offset);
            told.scrolls.push([now(), scrollY]);
            offset = scrollY;
        });
    });
    const here = () => document.visibilityState === 'visible' && document.hasFocus();
    let left = -1;
    const look = () => {
        if (!here() && left < 0) left = now();
        if (here() && left >= 0) {
            told.away.push(now() - left);
            left = -1;
        }
    };
    for (const type of ['visibilitychange', 'focus', 'blur', 'pageshow']) listen(type, look);
    listen('pageshow', (event) => { told.restored += event.persisted ? 1 : 0; });
    listen('error', (event) => {
        if (event instanceof ErrorEvent) told.faults.push(String(event.message));
    });
    listen('unhandledrejection', (event) => told.faults.push('rejected: ' + event.reason));
})();
"""
SNIPPET = ("window.hg = window.hg || function () { "
           "(hg.q = hg.q || []).push([Date.now(), arguments]) };")
WORD = "lantern "


def words(count):
    return WORD * count


def section(category, count=60, pixels=600, inner=""):
    """A marked section with so many words."""
    return (f'<section data-section="{category}" style="height:{pixels}px;overflow:hidden">'
            f"{inner}{words(count)}</section>")


def page(script, body="", calls="", title="A page", head="", early="", **attributes):
    """A page with the SDK: `early` runs before the snippet, `calls` between snippet and SDK."""
    tag = "".join(f' {name.replace("_", "-")}="{html.escape(str(value))}"'
                  for name, value in attributes.items())
    return (f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
            f"<meta name=viewport content='width=device-width'>"
            f"<link rel=icon href='data:,'><script>{WITNESS}</script>{head}"
            f"<style>body{{margin:0;font:16px sans-serif}}</style>"
            f"<script>{early}</script><script>{SNIPPET}{calls}</script>"
            f'<script async src="{script}"{tag}></script><body>{body}</body></html>')
