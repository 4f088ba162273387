"""Report sentences whose figures say the class: made by rules of our own, no set's rows.

Belongs here: profit, sales and outlook that rose, fell, or stand without comparison. Does not: events (`events`), word lists.
"""

import random
from collections.abc import Callable, Sequence

from spx_assets.news.sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE, Example
from spx_assets.news.sentiment.training.wording import fill, listed, money, share

GOOD = listed("""
    operating profit, net sales, net profit, pretax profit, profit before taxes, revenue, turnover, sales, EBIT, EBITDA,
    profit for the period, operating result, order intake, net interest income, cash flow from operations, orders received,
    comparable operating profit, rental income, premium income, profit after tax, order backlog, like-for-like sales,
    sales in {country}""")
PER_SHARE = listed("earnings per share, EPS, diluted EPS, diluted earnings per share, the dividend")
COUNTED = listed("""
    passenger volume, market share, the number of customers, production, deliveries, circulation, cargo traffic,
    the number of subscribers, the occupancy rate, the operating margin, sales volumes, traffic on domestic flights,
    assets under management, the load factor, demand for {product}""")
LOSS = listed("operating loss, net loss, pretax loss, loss before taxes, loss for the period")
COST = listed("net debt, loan losses, credit losses, operating costs, impairment losses")
UP = listed("rose, increased, grew, climbed, went up, was up, improved, surged, advanced, jumped")
DOWN = listed("fell, decreased, declined, dropped, went down, was down, slid, slumped, plunged, shrank")
WAS = listed("was, amounted to, totalled, totaled, came to, reached, stood at")
REPORTED = listed("reported, posted, recorded, made, said it had")
AGAINST = listed("compared to, compared with, against, as compared to, vs, versus, while it was, from")
EARLIER = ("", "in {earlier}", "for {earlier}", "in {year}", "{earlier}")
PERIODS = listed("in the {quarter} of {year}, in the {quarter}, during the {quarter}, for {year}")
OPENINGS = ("", "", "", "{co} said that ", *(f"{period} , " for period in PERIODS))
HELPED = listed("""
    strong demand, higher volumes, cost savings, good sales in {country}, higher prices, new orders, better efficiency""")
HURT = listed("""
    weak demand, lower volumes, higher raw material costs, the economic downturn, lower prices, currency effects,
    one-off costs""")
EXPECTS = listed("expects, forecasts, estimates, anticipates, predicts, sees")
GUIDANCE = listed("outlook, guidance, forecast, full-year estimate")
BETTER = listed("to grow, to increase, to improve, to rise, to exceed that of {year}, to be clearly higher than in {year}")
WORSE = listed("""
    to fall, to decline, to weaken, to decrease, to remain below the level of {year}, to be clearly lower than in {year}""")
SAME = listed("""
    to remain unchanged, to be at the same level as in {year}, to stay at about the same level,
    to be in line with {year}""")
SIGNS = (1, 1, -1)
"""Good news stands twice as often in reports as bad."""
Sentence = tuple[str, int]
"""A template, and whether it is good (1), bad (-1) or neither (0) for the share."""


def sides(rng: random.Random, sign: int) -> tuple[str, str, str]:
    """Amount now, amount before and the change in percent, written alike: now is larger if `sign` is 1."""
    write = money(rng)
    before = rng.choice((rng.uniform(0.5, 30), rng.uniform(5, 900)))
    change = rng.choice((rng.uniform(0.04, 0.3), rng.uniform(0.1, 0.9)))
    percent = 100 * change
    return write(before * (1 + sign * change)), write(before), share(rng, rng.choice((round(percent), round(percent, 1))))


def moved(rng: random.Random) -> Sentence:
    """A figure that rose or fell in words, in numbers, or in both."""
    good = rng.choice(SIGNS)
    metrics, polarity = rng.choices(((GOOD, 1), (LOSS, -1), (COST, -1)), (76, 18, 6))[0]
    sign = good * polarity
    metric, up = rng.choice(metrics), "up" if sign > 0 else "down"
    now, before, percent = sides(rng, sign)
    verb = rng.choice(UP if sign > 0 else DOWN)
    if polarity < 0:
        verb = rng.choice(UP[:6] if sign > 0 else DOWN[:6])
    if metrics is LOSS and rng.random() < 0.6:
        verb = rng.choice(("widened", "deepened", "grew") if sign > 0 else ("narrowed", "shrank", "decreased"))
    was, against = rng.choice(WAS), f"{rng.choice(AGAINST)} {before} {rng.choice(EARLIER)}"
    cause = rng.choice(("helped by" if good > 0 else "hurt by", "mainly due to", "because of"))
    because = f"{cause} {rng.choice(HELPED if good > 0 else HURT)}"
    forms = (
        f"{metric} {verb} to {now} from {before} in {{earlier}}",
        f"{metric} {verb} to {now} from {before}",
        f"{metric} {verb} by {percent} to {now} from {before} in {{earlier}}",
        f"{metric} {verb} {percent} to {now}",
        f"{metric} {verb} by {percent} year-on-year to {now}",
        f"{metric} {verb} {percent} from {{earlier}}",
        f"{metric} {was} {now} , {against}",
        f"{metric} {was} {now} , {against}",
        f"{metric} {was} {now} , {up} {percent} from {{earlier}}",
        f"{metric} {was} {now} , {up} from {before} {{earlier}}",
        f"{metric} {was} {now} ( {before} )",
        f"{{co}} {rng.choice(REPORTED)} {metric} of {now} for the {{quarter}} , {against}",
        f"{{co}} 's {metric} {verb} {percent} in {{year}} to {now}",
        f"{{co}} {{quarter}} {metric} {verb} to {now} vs {before}",
        f"{metric} {verb} to {now} in the {{quarter}} , {because}",
        f"{metric} {was} {now} , {'more' if sign > 0 else 'less'} than the {before} {rng.choice(EARLIER[1:])}",
        f"at {now} , {metric} was {'above' if sign > 0 else 'below'} the {before} of {{earlier}}",
        f"{metric} in {{country}} {verb} , {because}",
        f"{metric} {was} {now} in {{year}} , {against}",
        f"{{co}} 's {metric} {verb} to {now} in the {{quarter}} of {{year}} from {before} in {{earlier}}",
        f"{{co}} 's {metric} for {{month}}-{{month}} {verb} to {now} from {before} [for the same period in|in] {{year}}",
        f"{{nation}} {{industry}} company {{name}} [said|reported|says] {metric} {verb} to {now} from {before} in {{earlier}}",
        f"{{nation}} {{name}} ( {{list}} : {{tick}} ) [said|says] its {metric} {verb} [by {percent}|] to {now} in {{year}}",
        f"{metric} [excluding|before] [non-recurring|one-off] items {verb} to {now} from {before} {rng.choice(EARLIER)}",
        f"{metric} {verb} to {now} , [representing|or] {{pct}} of net sales , from {before}",
        f"{metric} {verb} [slightly|clearly|considerably|] [year-on-year|from {{earlier}}|in the {{quarter}}]",
        f"[diluted|basic|] earnings per share {'rose' if good > 0 else 'fell'} [as|because] {metric} {verb} to {now}",
    )
    return rng.choice(OPENINGS) + rng.choice(forms), good


def per_share(rng: random.Random) -> Sentence:
    sign = rng.choice(SIGNS)
    before = rng.uniform(0.05, 4)
    currency, metric, was = rng.choice(("EUR ", "$", "SEK ", "USD ", "EUR")), rng.choice(PER_SHARE), rng.choice(WAS)
    now = f"{currency}{before * (rng.uniform(1.05, 1.9) if sign > 0 else rng.uniform(0.3, 0.95)):.2f}"
    then = f"{currency}{before:.2f}"
    forms = (
        f"{metric} {rng.choice(UP[:6] if sign > 0 else DOWN[:6])} to {now} from {then}",
        f"{metric} {was} {now} , compared to {then} {{earlier}}",
        f"{metric} for the {{quarter}} {was} {now} ( {then} )",
    )
    return rng.choice(OPENINGS) + rng.choice(forms), sign


def turned(rng: random.Random) -> Sentence:
    """From loss to profit or back."""
    sign = rng.choice(SIGNS)
    now, before, _ = sides(rng, 1)
    new, old = ("profit", "loss") if sign > 0 else ("loss", "profit")
    kind, was = rng.choice(("net ", "operating ", "pretax ", "")), rng.choice(WAS)
    against = rng.choice(("compared to", "against", "versus", "compared with"))
    forms = (
        f"{{co}} {rng.choice(('swung', 'turned', 'moved'))} to a {kind}{new} of {now} from a {old} of {before} in {{earlier}}",
        f"{{co}} {rng.choice(REPORTED)} a {kind}{new} of {now} in the {{quarter}} , {against} a {old} of {before} in {{earlier}}",
        f"{kind}{new} {was} {now} , {against} a {old} of {before} {{earlier}}",
        f"the {kind}{new} {was} {now} {against} a {old} of {before} in {{year}}",
    )
    return rng.choice(forms), sign


def counted(rng: random.Random) -> Sentence:
    """Volumes, shares of markets, prices of shares."""
    sign = rng.choice(SIGNS)
    metric, verb = rng.choice(COUNTED), rng.choice(UP[:8] if sign > 0 else DOWN)
    forms = (
        f"{metric} {verb} by {{pct}} in {{month}}",
        f"{{co}} said {metric} {verb} {{pct}} from {{earlier}}",
        f"{metric} {verb} {{pct}} year on year",
        f"in {{country}} , {metric} {verb} by {{pct}} in the {{quarter}}",
        f"shares of {{co}} {verb} {{pct}} to {{price}}",
        f"{{co}} shares closed {'up' if sign > 0 else 'down'} {{pct}} at {{price}} in {{city}}",
        f"the {{city}} stock index {verb} {{pct}}",
    )
    return rng.choice(forms), sign


def outlook(rng: random.Random) -> Sentence:
    sign = rng.choice((1, 1, -1, 0, 0))
    metric, expects, guidance = rng.choice(GOOD), rng.choice(EXPECTS), rng.choice(GUIDANCE)
    who = rng.choice(("{co}", "{co}", "the management", "{co} 's board", "an analyst", "{rival}"))
    forms: tuple[str, ...]
    if sign > 0:
        raised = rng.choice(("raised", "lifted", "upgraded"))
        higher = rng.choice(("better", "higher", "significantly higher"))
        forms = (
            f"{who} {expects} {metric} {rng.choice(BETTER)}",
            f"{{co}} {raised} its {guidance} for {{year}}",
            f"{metric} is expected to be {higher} than in {{earlier}}",
        )
    elif sign < 0:
        lower = rng.choice(("weaker", "lower", "significantly lower"))
        forms = (
            f"{who} {expects} {metric} {rng.choice(WORSE)}",
            f"{{co}} {rng.choice(('cut', 'lowered', 'reduced', 'slashed', 'withdrew'))} its {guidance} for {{year}}",
            f"{metric} is expected to be {lower} than in {{earlier}}",
            f"{{co}} issued a profit warning , citing {rng.choice(HURT)}",
        )
    else:
        kept = rng.choice(("reiterated", "repeated", "kept", "confirmed"))
        level = rng.choice(("unchanged", "flat", "on a par with last year", "at the same level as {earlier}"))
        forms = (
            f"{who} {expects} {metric} {rng.choice(SAME)}",
            f"{metric} is expected to be between {{money}} and {{money}} in {{year}}",
            f"{{co}} {kept} its {guidance} for {{year}}",
            f"{metric} was {level} at {{money}}",
        )
    return rng.choice(forms), sign


def stated(rng: random.Random) -> Sentence:
    """A figure without anything to compare it with."""
    metric, was = rng.choice(GOOD[:12]), rng.choice(WAS)
    forms = (
        f"{metric} {was} {{money}} in {{year}}",
        f"{{co}} had {metric} of {{money}} in {{year}} and employs {{count}} people",
        f"the {metric} of the acquired business {was} {{money}} in {{year}}",
        f"{{rival}} , which had {metric} of {{money}} last year , has {{count}} employees in {{country}}",
        "{co} 's annual net sales are about {money} , and it has operations in {small} countries",
        f"{{co}} has annual {metric} of some {{money}}",
        f"{{pct}} of {{co}} 's {metric} came from {{country}}",
        f"{metric} excluding non-recurring items {was} {{money}}",
        f"in the {{quarter}} of {{year}} , {{co}} 's {metric} {was} {{money}}",
        f"{metric} {was} {{money}} , of which {{country}} accounted for {{pct}}",
        f"{{nation}} {{industry}} company {{name}} ( {{list}} : {{tick}} ) had {metric} of {{money}} in {{year}}",
        f"the [project|plant|deal] is [worth|valued at|put at] {{money}} [in {metric}|]",
    )
    return rng.choice(forms), 0


RULES: Sequence[tuple[Callable[[random.Random], Sentence], int]] = (
    (moved, 42), (per_share, 8), (turned, 10), (counted, 13), (outlook, 13), (stated, 24)
)  # fmt: skip


def make(rng: random.Random) -> Example:
    rule = rng.choices([rule for rule, _ in RULES], [weight for _, weight in RULES])[0]
    template, sign = rule(rng)
    text = " ".join(fill(template, rng).split()) + rng.choice((".", " .", ""))
    return Example(text, {-1: NEGATIVE, 0: NEUTRAL, 1: POSITIVE}[sign])
