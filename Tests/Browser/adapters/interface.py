"""What the scenarios ask of a browser. An adapter brings `Browser` and its `Tab`.

A *visitor* has storage of its own: cookies, localStorage, back/forward history. Places are CSS
pixels in the window. A gesture is a list of steps, played as one:

    ("move", x, y)  ("down",)  ("up",)  ("wheel", pixels)  ("wait", milliseconds)
    ("key", name)   ("press", name)  ("release", name)
"""
import json
import time

# Keys with names, as WebDriver writes them.
KEYS = {
    "Backspace": "\ue003", "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008",
    "Control": "\ue009", "Alt": "\ue00a", "Escape": "\ue00c", "End": "\ue010", "Home": "\ue011",
    "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
    "Delete": "\ue017",
}
STEP_MILLISECONDS = 16
# What telling the browser of a step may take.
STEP_COST_MILLISECONDS = 8


class BrowserError(Exception):
    """The browser or its driver did not do as told."""


class Tab:
    """A page that is shown. Adapters bring the methods that raise here."""

    # Where the mouse is, so that a wheel turns there.
    mouse = (5, 5)
    # The longest that a gesture took beyond its own time, milliseconds.
    late_milliseconds = 0.0

    async def goto(self, url, wait=True):
        raise NotImplementedError

    async def run(self, source):
        """The value of an async function body, as text."""
        raise NotImplementedError

    async def play_steps(self, steps):
        raise NotImplementedError

    async def new_tab(self):
        """Another tab of the same visitor, in front."""
        raise NotImplementedError

    async def to_front(self):
        raise NotImplementedError

    async def close(self):
        raise NotImplementedError

    async def really_focused(self):
        """From here on the page is told whether it has the focus; most browsers always do."""

    # ---- what every adapter gets from these

    async def evaluate(self, function, *arguments):
        """Calls a JavaScript function in the page and returns what it returns or resolves to."""
        given = ", ".join(json.dumps(argument) for argument in arguments)
        # A page may break JSON; the witness keeps the browser's own.
        text = await self.run(
            "const text = window.__stringify || JSON.stringify;"
            f"const value = await ({function})({given});"
            "return value === undefined ? 'null' : text(value);")
        return json.loads(text) if text else None

    async def play(self, steps):
        """Plays a gesture, and takes note of how much longer it took than it should."""
        asked = sum(given[0] for kind, *given in steps if kind == "wait")
        began = time.monotonic()
        await self.play_steps(steps)
        late = (time.monotonic() - began) * 1000 - asked - len(steps) * STEP_COST_MILLISECONDS
        self.late_milliseconds = max(self.late_milliseconds, late)

    async def hg(self, *given):
        """A call of the SDK's interface."""
        return await self.evaluate("(given) => void hg(...given)", list(given))

    async def box(self, selector):
        """Left, top, width and height in the window; scrolls there when it is out of sight."""
        found = await self.evaluate("""(selector) => {
            const element = document.querySelector(selector);
            if (!element) return null;
            let box = element.getBoundingClientRect();
            const seen = box.top >= 0 && box.bottom <= innerHeight;
            if (!seen) element.scrollIntoView({ block: 'center', behavior: 'instant' });
            box = element.getBoundingClientRect();
            return [box.left, box.top, box.width, box.height];
        }""", selector)
        if found is None:
            raise BrowserError(f"nothing on the page matches {selector}")
        return found

    async def middle(self, selector):
        left, top, width, height = await self.box(selector)
        return round(left + width / 2), round(top + height / 2)

    def way_to(self, x, y, milliseconds=160, start=None):
        """Steps of the mouse along a straight line from where it is, or from `start`."""
        count = max(2, milliseconds // STEP_MILLISECONDS)
        from_x, from_y = start or self.mouse
        steps = []
        for index in range(1, count + 1):
            share = index / count
            steps += [("move", round(from_x + (x - from_x) * share),
                       round(from_y + (y - from_y) * share)), ("wait", STEP_MILLISECONDS)]
        return steps

    async def hover(self, selector, milliseconds=0):
        x, y = await self.middle(selector)
        await self.play([*self.way_to(x, y), ("wait", milliseconds)])

    async def click(self, selector, hover_milliseconds=150, times=1, gap_milliseconds=120):
        x, y = await self.middle(selector)
        once = [("down",), ("wait", 20), ("up",), ("wait", gap_milliseconds)]
        await self.play([*self.way_to(x, y), ("wait", hover_milliseconds), *(once * times)])

    async def scroll(self, pixels, step_pixels=80, gap_milliseconds=60):
        """Wheels in even steps; a negative distance goes up."""
        sign = 1 if pixels > 0 else -1
        count = max(1, abs(pixels) // step_pixels)
        await self.play([("wheel", sign * step_pixels), ("wait", gap_milliseconds)] * count)

    async def type(self, text, gap_milliseconds=40):
        steps = []
        for letter in text:
            steps += [("key", letter), ("wait", gap_milliseconds)]
        await self.play(steps)

    async def keys(self, *names, gap_milliseconds=40):
        await self.type(names, gap_milliseconds)

    async def chord(self, modifier, name):
        await self.play([("press", modifier), ("key", name), ("release", modifier)])


def pointer_actions(tab, steps, turned=None):
    """A gesture as the sources of a WebDriver `performActions`, tick by tick.

    With `turned` (a list of one number) a wheel tells its place instead of its turns.
    """
    pointer, key, wheel = [], [], []

    def turn(pixels):
        x, y = tab.mouse
        return {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": pixels, "duration": 0}

    def tick(milliseconds=0, **of):
        if turned:
            turned[0] += of.get("wheel", 0)
            of["wheel"] = turn(turned[0])
        elif "wheel" in of:
            of["wheel"] = turn(of["wheel"])
        for name, source in (("pointer", pointer), ("key", key), ("wheel", wheel)):
            source.append(of.get(name) or {"type": "pause", "duration": milliseconds})

    for kind, *given in steps:
        if kind == "move":
            tab.mouse = tuple(given)
            tick(pointer={"type": "pointerMove", "x": given[0], "y": given[1], "duration": 0})
        elif kind in ("down", "up"):
            tick(pointer={"type": f"pointer{kind.capitalize()}", "button": 0})
        elif kind == "wait":
            tick(milliseconds=int(given[0]))
        elif kind == "wheel":
            tick(wheel=given[0])
        else:
            value = KEYS.get(given[0], given[0])
            if kind != "release":
                tick(key={"type": "keyDown", "value": value})
            if kind != "press":
                tick(key={"type": "keyUp", "value": value})
    return [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
             "actions": pointer},
            {"type": "key", "id": "keyboard", "actions": key},
            {"type": "wheel", "id": "wheel", "actions": wheel}]
