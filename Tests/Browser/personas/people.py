"""Ten people, each by what such a person does in a shop: nothing here knows a signal's value.

The shop is the demo shop: its parts are marked with categories (`data-section`), as an owner marks
a site's.
"""
from dataclasses import dataclass, field

HOME, LAMPS, PRODUCT = "/demo/", "/demo/catalogue.html", "/demo/product.html"
PRICING, COMPARE, TRY = "/demo/pricing.html", "/demo/compare.html", "/demo/demo.html"
QUESTIONS, ABOUT, CHECKOUT = "/demo/faq.html", "/demo/about.html", "/demo/checkout.html"
THANKS = "/demo/thanks.html"
UNDETERMINED = "undetermined"
LONG_WISH = (
    "Please deliver in the afternoon, to the second door on the left, and call me half an hour "
    "before you come. The lift is broken this week, so it has to go up the stairs, four floors; I "
    "am sorry for that. If nobody opens, leave it with the bakery on the corner, they know me. It "
    "is a present, so please put no bill into the box, and a card that says: for the dark days.")


@dataclass
class Persona:
    name: str
    # What the engine should take this person for; bands: any of these, or whatever it is.
    profile: str
    bands: tuple
    play: object
    phone: bool = False
    # How somebody moves: more than 1 is faster than most; ways of the mouse straight or not.
    manner: dict = field(default_factory=dict)
    # Visits, each so many hours ago by the clock of the visitor's own device.
    visits_hours_ago: tuple = (0,)


EVERYBODY = []


def persona(name, profile, *bands, **more):
    def add(play):
        EVERYBODY.append(Persona(name, profile, bands, play, **more))
        return play
    return add


def link(path):
    return f"nav a[href='{path}']"


def part(category):
    return f"[data-section={category}]"


async def details_of_address(person):
    await person.fill("#name", "Ada Example")
    await person.fill("#email", "ada@shop.example")
    await person.fill("#street", "Lamp Street 7")
    await person.fill("#postcode", "10115")
    await person.fill("#city", "Berlin")
    await person.keys("Tab", "G")


@persona("knows what she wants", "fast-mover", manner={"hurry": 1.8, "directness": 0.9})
async def buys_at_once(person, _):
    """Races down the first page once, presses what leads on, types straight through the form,
    and reads it over before the last button."""
    await person.enter(HOME)
    await person.race(3000)
    await person.follow("[data-cta=see-pricing]", PRICING)
    await person.stay(9)
    await person.click("[data-cta=choose-swap]")
    await person.arrived(CHECKOUT)
    await details_of_address(person)
    await person.fill("#wish", LONG_WISH)
    await person.click("#terms")
    await person.stay(18)


@persona("came to buy, pays at the door", "fast-mover", "hot",
         manner={"hurry": 1.4, "directness": 0.85})
async def hot_buyer(person, _):
    """Arrives on the prices from a mail, chooses, fills in the form, reads it over."""
    await person.enter(PRICING)
    await person.race(800)
    await person.keys("Home")
    await person.stay(10)
    await person.click("[data-cta=choose-swap]", think=0.4)
    await person.arrived(CHECKOUT)
    await details_of_address(person)
    await person.fill("#wish", LONG_WISH)
    await person.click("#terms")
    await person.stay(18)


@persona("bounces", UNDETERMINED, "cold")
async def bounces(person, _):
    """Sees the first screen, scrolls once, and goes."""
    await person.enter(HOME)
    await person.stay(3)
    await person.turn(400)
    await person.stay(1.5)


@persona("wants to hear from others", "proof-driven")
async def reads_testimonials(person, _):
    """Looks for what other customers say, page after page, and reads every word of it."""
    await person.enter(HOME)
    await person.stay(2)
    await person.read(part("testimonials"), 1.4)
    await person.look(part("awards"), 3)
    await person.look(part("testimonials"), 6)
    await person.follow(link(ABOUT), ABOUT)
    await person.read(part("testimonials"), 1.4)
    await person.follow(link(LAMPS), LAMPS)
    await person.follow(".card:nth-child(1) a", PRODUCT)
    await person.read(part("testimonials"), 1.4)
    await person.follow(link(TRY), TRY)
    await person.read(part("testimonials"), 1.6)


@persona("is afraid of choosing wrong", "reassurer")
async def wants_safety(person, _):
    """Guarantee and returns, again and again; nearly presses, begins the form, leaves it."""
    await person.enter(HOME)
    await person.read(part("guarantee"), 1)
    await person.bring("[data-cta=see-pricing]")
    await person.hover("[data-cta=see-pricing]", 2.0)
    await person.move_off()
    await person.follow("[data-cta=see-pricing]", PRICING, think=2.0)
    await person.hover("[data-cta=choose-swap]", 2.2)
    await person.move_off()
    await person.read(part("guarantee"), 0.5)
    await person.hover("[data-cta=choose-swap]", 2.0)
    await person.move_off()
    await person.follow(link(QUESTIONS), QUESTIONS, think=1.5)
    await person.click("details:nth-of-type(4) summary", think=1.4)
    await person.stay(5)
    await person.click("details:nth-of-type(6) summary", think=1.4)
    await person.stay(4)
    await person.read(part("guarantee"), 0.6)
    await person.back(PRICING)
    await person.hover("[data-cta=choose-swap]", 1.5)
    await person.click("[data-cta=choose-swap]", think=1.6)
    await person.arrived(CHECKOUT)
    await person.wait(2)
    await person.fill("#name", "Ada Exampel", think=3.5)
    await person.keys("Backspace", "Backspace", "l", "e")
    await person.fill("#email", "ada@shop", think=3.5)
    await person.fill("#street", "La", think=2)
    await person.click("#email", think=1.5)
    await person.type(".example")
    await person.back(PRICING)
    await person.read(part("guarantee"), 0.5)
    await person.follow(link(QUESTIONS), QUESTIONS, think=1.5)
    await person.read(part("guarantee"), 0.4)


@persona("believes nothing", "skeptic", manner={"directness": 0.5})
async def doubts(person, _):
    """Looks for the catch: in and out of pages, elsewhere to check, back to the small print."""
    await person.enter(QUESTIONS)
    await person.stay(2)
    await ask(person, 4, 6)
    await person.away(6)
    await ask(person, 3, 5)
    await glance(person, ABOUT, QUESTIONS)
    await ask(person, 1, 5)
    await person.away(5.5)
    await person.follow(link(COMPARE), COMPARE, think=1.5)
    for row in (7, 5, 6):
        await asks_for_the_source(person, row)
    await person.away(6)
    await glance(person, ABOUT, COMPARE)
    await person.follow(link(QUESTIONS), QUESTIONS, think=1.5)
    await ask(person, 2, 4)
    await person.away(5.5)
    await glance(person, PRICING, QUESTIONS)
    await ask(person, 6, 5)
    await person.away(6)
    await ask(person, 4, 5)
    await person.away(5.5)
    await glance(person, ABOUT, QUESTIONS)
    await ask(person, 5, 16)


async def asks_for_the_source(person, row):
    """Presses a claim in the table, as if it had to lead to its proof; it leads nowhere."""
    await person.click(f"tbody tr:nth-child({row}) td", think=1)
    await person.wait(3.2)


async def ask(person, question, seconds):
    """Opens a question after a moment's doubt, and reads the answer."""
    await person.click(f"details:nth-of-type({question}) summary", think=1.4)
    await person.stay(seconds)


async def glance(person, path, home):
    """Opens a page, does not like what it says, and is back at once."""
    await person.follow(f".bar a[href='{path}']", path, think=1.5)
    await person.stay(1.5)
    await person.back(home)


@persona("compares every figure", "optimizer")
async def compares(person, _):
    """Searches, reads tables to the last line, copies figures, looks again at what differed."""
    await person.enter(LAMPS)
    await person.click("#q")
    await person.type("desk")
    await person.stay(2)
    await person.keys("Backspace", "Backspace", "Backspace", "Backspace", seconds=0.15)
    await person.type("floor")
    await person.stay(2)
    await person.follow(link(COMPARE), COMPARE)
    await person.read(part("comparison"), 1)
    await person.read(part("specs"), 1)
    await select_and_copy(person, "tbody tr:nth-child(3) td")
    await person.look(part("comparison"), 5)
    await person.look(part("specs"), 4)
    await person.follow("[data-cta=see-pricing]", PRICING)
    await person.stay(8)
    await person.follow(link(LAMPS), LAMPS)
    await person.follow(".card:nth-child(1) a", PRODUCT)
    await person.read(part("specs"), 1)
    await select_and_copy(person, "tbody tr:nth-child(4) td")
    await person.away(6)
    await person.look(part("specs"), 6)
    await person.follow(link(COMPARE), COMPARE)
    await person.look(part("specs"), 5)
    await person.look(part("comparison"), 8)


async def select_and_copy(person, selector):
    """A double click takes a word; Control and C copy it."""
    await person.click(selector, think=0.5)
    await person.press()
    await person.wait(0.3)
    await person.tab.chord("Control", "c")


@persona("trusts prizes and people behind it", "authority-seeker")
async def looks_for_authority(person, _):
    """Who says so? Prizes on the first page, then who they are, read to the end."""
    await person.enter(HOME)
    await person.stay(2)
    await person.look(part("awards"), 20)
    await person.follow(link(ABOUT), ABOUT)
    await person.read(part("about"), 1.2)
    await person.look(part("awards"), 26)
    await person.follow(".brand", HOME)
    await person.look(part("awards"), 34)


@persona("wants to feel it", "experience-first", phone=True)
async def plays_with_it(person, _):
    """On the phone: pictures from every side, the room by day and night, little text."""
    await person.enter(HOME)
    await person.look(part("catalogue"), 2)
    await person.tap("[data-section=catalogue] .card:nth-child(1) a")
    await person.arrived(PRODUCT)
    await gallery(person)
    await person.enter(TRY)
    await turn_the_day(person)
    await turn_the_day(person)
    await person.enter(PRODUCT)
    await gallery(person)
    await person.enter(HOME)
    await person.enter(TRY)
    await turn_the_day(person)


async def gallery(person):
    await person.bring("#picture")
    for picture in ("one-dawn", "one-dusk", "one-detail"):
        await person.tap(f"[data-picture='/demo/{picture}.svg']")
        await person.stay(3)
        await person.drag("#picture", 0.8, 0.3, 0.25)
        await person.stay(2.5)
    await person.double_tap("#picture")
    await person.stay(2)


async def turn_the_day(person):
    await person.bring("#room")
    for start, end in ((0.5, 0.8), (0.8, 0.95), (0.95, 0.4), (0.4, 0.1)):
        shown = await person.words("#hour-shown")
        await person.drag("#hour", start, end, 1.2)
        person.expect(await person.words("#hour-shown") != shown, "the hour to move")
        await person.stay(3)


@persona("comes back to weigh it once more", "optimizer", visits_hours_ago=(75, 28, 0))
async def researches(person, visit):
    """Three visits on three days: overview, then figures, then figures against prices."""
    await (first_visit, second_visit, third_visit)[visit](person)


async def first_visit(person):
    await person.enter(HOME)
    await person.look(part("catalogue"), 2)
    await person.follow(link(COMPARE), COMPARE)
    await person.read(part("comparison"), 0.8)
    await person.read(part("specs"), 0.6)


async def second_visit(person):
    await person.enter(PRODUCT)
    await person.read(part("specs"), 1)
    await select_and_copy(person, "tbody tr:nth-child(2) td")
    await person.follow(link(COMPARE), COMPARE)
    await person.read(part("comparison"), 0.5)
    await person.look(part("specs"), 4)


async def third_visit(person):
    await person.enter(COMPARE)
    await person.look(part("comparison"), 8)
    await person.follow("[data-cta=see-pricing]", PRICING)
    await person.stay(8)
    await person.follow(link(LAMPS), LAMPS)
    await person.click("#q")
    await person.type("desk")
    await person.stay(1.5)
    await person.follow(".card:nth-child(1) a", PRODUCT)
    await person.read(part("specs"), 0.8)
