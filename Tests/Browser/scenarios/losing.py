"""Pages that are left at once: what was made must be stored."""
import collections
import os

from catalogue import scenario
from scene import demand, same
from stage import pages
from stage.house import html

# The long form makes 200.
VISITS = int(os.environ.get("HELIOGRAPH_VISITS", "40"))
# Counts what the SDK makes where it makes it: each event passes JSON.stringify once. It is kept
# over the pages in localStorage, beside the SDK's own things.
HOOK = """
(() => {
    const plain = JSON.stringify;
    const made = JSON.parse(localStorage.getItem('made') || '[]');
    JSON.stringify = function (value) {
        if (value && value.t && value.n && 'o' in value) {
            made.push([value.n, value.t]);
            localStorage.setItem('made', plain(made));
        }
        return plain.apply(this, arguments);
    };
})();
"""


def visit(scene, request):
    """The page of a visit: it tells one event and goes on at once, to the next or to the end."""
    at = int(request.target.split("=")[1])
    after = f"/visit?at={at + 1}" if at + 1 < VISITS else "/done"
    return html(
        f"<!doctype html><title>{at}</title><script>{pages.WITNESS}{HOOK}</script>"
        f"<script>{pages.SNIPPET}hg('track', 'visit', {{ at: {at} }});</script>"
        f"<script src='{scene.script}' data-key='hg_{scene.site}' data-consent=7></script>"
        f"<p>{at}</p><script>location.href = '{after}'</script>")


@scenario(f"{VISITS} visits that leave at once lose nothing", essential=True, seconds=240)
async def at_once(scene):
    scene.wire.pages["/visit"] = lambda request: visit(scene, request)
    scene.wire.pages["/done"] = "<!doctype html><title>done</title>"
    scene.wire.pages["/start"] = "<!doctype html><title>start</title>"
    tab = await scene.visit("/start")
    await tab.evaluate("() => void setTimeout(() => { location.href = '/visit?at=0' })")

    async def arrived():
        try:
            return await tab.evaluate("() => location.pathname === '/done'")
        except Exception:  # the page is gone while it is asked: that is the point of it
            return False
    await scene.until_async(arrived, "the last page", seconds=200)
    made = await tab.evaluate("() => JSON.parse(localStorage.getItem('made'))")
    await scene.settle(1.0)
    rows = await scene.stored()
    stored = collections.Counter((row["n"], row["type"]) for row in rows)
    wanted = collections.Counter((n, kind) for n, kind in made)
    scene.figures = {"visits": VISITS, "events made": len(made), "events stored": len(rows),
                     "lost": sum((wanted - stored).values())}
    same(stored, wanted, "what is stored of what was made")
    demand(sum(kind == "cu" for _, kind in made) == VISITS, "events of visits:", len(made))
