"""Names, places, amounts and dates that rule-made sentences are filled with.

Belongs here: word lists and how a template's slots are filled. Does not: templates or their classes (`figures`, `events`).
"""

import random
import re
from collections.abc import Callable

SLOT = re.compile(r"\{(\w+)\}")
CHOICE = re.compile(r"\[([^][]*)\]")


def listed(text: str) -> list[str]:
    """Phrases parted by commas, over any number of lines."""
    return [" ".join(phrase.split()) for phrase in text.split(",")]


def templates(text: str) -> list[str]:
    """Templates, one a line; a line that is indented goes on with the one above."""
    return text.strip().replace("\n    ", " ").split("\n")


SYLLABLES = listed("al, ber, cor, dan, el, fin, gar, hal, in, jo, kar, lem, mer, nor, ol, pan, ra, sal, tek, ul, val, wes, eri")
SUFFIXES = listed(", , , , Oyj, Plc, Corp, Corporation, Inc, AG, AB, Group, SA, ASA, Ltd, Holding, Bank, Industries")
ANONYMOUS = ("the company", "the group", "the Finnish company", "the bank", "the {industry} company")
WORDS = {
    "city": listed("""
        Helsinki, Espoo, Tampere, Stockholm, Oslo, Copenhagen, London, Frankfurt, Milan, Paris, Madrid, Warsaw, Riga, Vilnius,
        Tallinn, Moscow, Kiev, Mumbai, Shanghai, Houston, Boston, Toronto, Rotterdam, Turku, Gdansk"""),
    "country": listed("""
        Finland, Sweden, Norway, Germany, Russia, China, India, Poland, Estonia, Latvia, Lithuania, Brazil, France, Turkey,
        the United States, the Netherlands, Spain, Ukraine, Italy, Canada, the Baltic countries, Central Europe, Asia"""),
    "person": listed("""
        Mika Lahtinen, Anna Bergqvist, Peter Holm, Jari Salmela, Maria Lindgren, John Carver, Helen Moss, Sari Kallio,
        Timo Rautala, David Osborne, Kaisa Niemelin, Robert Hale, Erik Sandvall, Ulla Heinonen, Karl Friis, Ingrid Solberg,
        Olli Varjo, Pekka Tuomela, Susanne Brandt, Andrei Morozov, Jukka Aho, Thomas Weller"""),
    "nation": listed("Finnish, Finnish, Finland 's, Swedish, Norwegian, Danish, Estonian, German, Russian, Polish, US, British"),
    "list": listed("HEL, OMX Helsinki, OMXH, STO, OSL, NYSE, LSE, CPH"),
    "role": listed("""
        chief executive officer, CEO, chief financial officer, CFO, chairman of the board, senior vice president, sales director,
        head of investor relations, member of the management board, managing director, country manager"""),
    "product": listed("""
        paper machines, elevators, wind turbines, mobile phones, steel, packaging board, medical devices, cables, doors, bread,
        software licences, network equipment, forest machines, ship engines, diesel generators, fertilisers, crushing plants,
        tyres, cranes, dairy products, telecom services, automation systems, biodiesel, process equipment, printing paper, beer,
        maintenance services, insurance services, broadband subscriptions, diagnostic tests, passenger ferries, buses, boilers,
        pulp, sportswear, pumps, sawn timber, plywood, glass, furniture, kitchen appliances, toys, coffee,
        frozen food, meat products, batteries, antennas, trams, tractors, lifts, hydraulic cylinders, electronic components,
        base stations, school books, magazines, security services, test systems, plastic packaging, paints, cement, drugs,
        bicycles, IT services"""),
    "unit": listed("""
        its paper mill, the tyre division, its Baltic operations, the software unit, its retail chain, its shipyard, its sawmill,
        the steel business, its logistics arm, the machinery division, the magazine business, its telecom unit,
        the restaurant business, the packaging unit"""),
    "site": listed("""
        plant, factory, mill, warehouse, office building, shopping centre, data centre, logistics centre, power plant, terminal,
        research centre, store, hotel, port, mine, production line"""),
    "industry": listed("""
        construction, paper, telecommunications, mining, shipping, energy, food, banking, insurance, retail, media, machinery,
        chemicals, pharmaceuticals, software, metals, forestry, real estate, transport, automotive"""),
    "quarter": listed("""
        first quarter, second quarter, third quarter, fourth quarter, last quarter, first half, second half, first nine months,
        financial year, review period, report period, full year, January-March period, January-June period,
        July-September period"""),
    "month": listed("January, February, March, April, May, June, July, August, September, October, November, December"),
    "earlier": listed("""
        a year earlier, a year ago, the previous year, the corresponding period last year, the previous quarter, {year},
        the corresponding period a year earlier, the same period last year, the year-earlier period, the comparison period,
        the same quarter a year ago, the prior-year period"""),
    "law": listed("""
        the Securities Markets Act, the Companies Act, the rules of the exchange, the terms of the stock option plan,
        the decision of the annual general meeting"""),
}  # fmt: skip
AMOUNTS = listed("""
    EUR {} mn, EUR {} million, EUR{}m, {} million euros, {} mln euros, $ {} million, USD {} mn, SEK {} mn, EUR {}mn,
    GBP {} million, NOK {} million, Rs {} crore, ${} billion, EUR {} million ( USD 1.3 m ), EUR{}mn, EUR {}m, EUR {} bn,
    DKK {} mn, EUR{}bn, some EUR {} million, approximately EUR {} mn, EUR {} mln""")


def company(rng: random.Random) -> str:
    stem = "".join(rng.choices(SYLLABLES, k=rng.choice((2, 2, 3)))).capitalize()
    return f"{stem} {rng.choice(SUFFIXES)}".strip()


def fill(template: str, rng: random.Random) -> str:
    """The template with one wording of every [this|that], then every {slot} filled, slots inside fillings too; its first letter
    a capital."""
    while CHOICE.search(template):
        template = CHOICE.sub(lambda choice: rng.choice(choice[1].split("|")), template)
    names: dict[str, str] = {}

    def named(slot: str) -> str:
        # A report names its company in full, or as "the company", or by its sector; always the same within a sentence.
        if slot == "name":
            return names.setdefault("co", company(rng))
        if slot not in names:
            names[slot] = rng.choice(ANONYMOUS) if slot == "co" and rng.random() < 0.3 else company(rng)
        return names[slot]

    def one(match: re.Match[str]) -> str:
        slot = match[1]
        if slot in ("co", "name", "rival"):
            return SLOT.sub(one, named(slot))
        return SLOT.sub(one, rng.choice(WORDS[slot])) if slot in WORDS else number(slot, rng)

    made = SLOT.sub(one, template)
    return made[:1].upper() + made[1:]


def number(slot: str, rng: random.Random) -> str:
    """A number of the slot's kind; nothing follows from its size."""
    match slot:
        case "year":
            return str(rng.randint(1998, 2024))
        case "count":
            return f"{rng.choice((rng.randint(5, 990), rng.randint(1_000, 40_000), rng.randint(10**6, 10**7))):,}"
        case "small":
            return rng.choice(("two", "three", "four", "five", "eight", "ten", str(rng.randint(2, 30))))
        case "age":
            return str(rng.randint(34, 63))
        case "tick":
            return "".join(rng.choices("ABEFHKLMNORSTVY", k=rng.choice((3, 4, 5)))) + rng.choice(("", "1V", "B"))
        case "pct":
            return share(rng, rng.choice((rng.randint(1, 60), round(rng.uniform(0.3, 35), 1))))
        case "day":
            return str(rng.randint(1, 28))
        case "money":
            return money(rng)(rng.uniform(0.4, 900))
        case "price":
            return f"{rng.choice(('EUR', 'USD', '$', 'SEK'))} {rng.uniform(0.5, 60):.2f}"
        case _:
            raise KeyError(f"no such slot: {slot}")


def share(rng: random.Random, value: float) -> str:
    return rng.choice(("{} %", "{} percent", "{} per cent", "{} pct", "{}%")).format(value)


def money(rng: random.Random) -> Callable[[float], str]:
    """How one sentence writes amounts of millions."""
    form, digits = rng.choice(AMOUNTS), rng.choice((0, 1, 1, 1, 2))
    return lambda millions: form.format(f"{millions:,.{digits if millions < 300 else 0}f}")
