"""Two amounts that a text compares, told to the network in a word: a small network reads digits, but cannot order them.

Belongs here: finding "EUR 8.2 mn , compared to EUR 10.1 mn" and the like, and writing "( lower )" after the first. Does not: what
that means for the share (a lower loss is good), which the network knows.
"""

import re

CURRENCIES = r"EUR|USD|GBP|SEK|NOK|DKK|CHF|INR|PLN|RUB|JPY|EEK|LVL|LTL|Rs\.?|[$€£]"
UNITS = "%|percent|per cent|pct|bn|bln|billion|mn|mln|million|m|crore|thousand"
AMOUNT = (
    rf"(?:(?<!\w)(?P<{{0}}_currency>{CURRENCIES})\s?|(?<![\w.,/-]))"
    rf"(?P<{{0}}>\d[\d,]*(?:\.\d+)?)\s?(?P<{{0}}_unit>{UNITS})?(?!\w)"
)
# Between the two may stand when the first one was: "in 2009", "in January-March 2009".
COMPARED = re.compile(
    AMOUNT.format("now") + r"(?P<gap>(?:[^\d().;]{1,30}(?:19|20)\d\d\b)?[^\d().;]{0,25}?\s*(?:\([^()]{1,20}\)\s*)?)"
    r",?\s*(?P<link>(?:as )?compared (?:to|with)|from|against|versus|vs\.?|while it was|having been|(?:more|less) than|above"
    r"|below|\()(?P<words>[^\d.;()]{0,40}?)" + AMOUNT.format("then"),
    re.IGNORECASE,
)
TWO_NUMBERS = re.compile(r"\d\D+\d")
MILLIONS = {"bn": 1e3, "bln": 1e3, "billion": 1e3, "thousand": 1e-3}
PERCENT = {"%", "percent", "per cent", "pct"}
RESULT = re.compile(r"\b(loss|profit|deficit|surplus)", re.IGNORECASE)


def told(text: str) -> str:
    """The text with "( higher )" or "( lower )" after each amount that it compares with an earlier one of its kind."""
    # Looking for a comparison takes 50 us, half of what tokens take; most headlines have no two numbers.
    return COMPARED.sub(lambda found: hinted(text, found), text) if TWO_NUMBERS.search(text) else text


def hinted(text: str, found: re.Match[str]) -> str:
    kind = RESULT.search(found["words"])
    # A profit against a loss is a turn, whatever the amounts; "2.4 % from 2007" compares nothing.
    turned = kind is not None and kind[1].lower() not in text[: found.start()].lower()
    if turned or foreign(found) or any(year(found[at], found[f"{at}_unit"], found[f"{at}_currency"]) for at in ("now", "then")):
        return found[0]
    now, then = (
        millions(found[name], found[f"{name}_unit"] or found["now_unit"] or found["then_unit"]) for name in ("now", "then")
    )
    if now == then:
        return found[0]
    after = found.start("gap") - found.start()
    return f"{found[0][:after].rstrip()} ( {'higher' if now > then else 'lower'} ) {found[0][after:].lstrip()}"


def year(digits: str, unit: str | None, currency: str | None) -> bool:
    return unit is None and currency is None and re.fullmatch(r"(19|20)\d\d", digits) is not None


def foreign(found: re.Match[str]) -> bool:
    """Whether the two are of different kinds: a share and a sum, or sums in two currencies (a conversion in brackets)."""
    shares = [(found[f"{name}_unit"] or "").lower() in PERCENT for name in ("now", "then")]
    now, then = found["now_currency"], found["then_currency"]
    return shares[0] != shares[1] or (now is not None and then is not None and now != then)


def millions(digits: str, unit: str | None) -> float:
    return float(digits.replace(",", "")) * MILLIONS.get((unit or "").lower(), 1.0)
