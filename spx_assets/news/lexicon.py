"""Words that carry a tone: of finance, of monetary policy, of judgement.

Belongs here: the word lists, all in the form `titles.words` gives. Does not: counting them (`tone`).

Written by hand for headlines, in the forms headlines use. Words whose tone hangs on what they are said of (high, low, cut, hold,
tight, record) stand in neither of the first two lists: "cuts jobs" and "cuts losses" would cancel out.
"""

from itertools import product


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POSITIVE = _words(
    """
    accelerate accelerates accelerated achieve achieves achieved advance advances advanced advancing beat beats beating
    benefit benefits benefited best better boom booms booming boost boosts boosted boosting breakthrough bright brighter
    bull bullish bulls buoyant climb climbs climbed climbing confident confidence exceed exceeds exceeded excellent expand
    expands expanded expansion favorable favourable firmer gain gains gained gaining grow grows grew growing growth
    healthy higher improve improves improved improving improvement increase increases increased jump jumps jumped jumping
    leap leaps leaped optimism optimistic outperform outperforms outperformed outperforming positive profit profits
    profitable profitability progress prosper prosperity rally rallies rallied rallying rebound rebounds rebounded
    rebounding recover recovers recovered recovering recovery relief resilience resilient rise rises rose rising robust
    soar soars soared soaring solid stabilise stabilises stabilize stabilizes strength strengthen strengthens strengthened
    strong stronger strongest succeed succeeds succeeded success successful surge surges surged surging surpass surpasses
    surpassed thrive thrives thriving top tops topped up upbeat upgrade upgrades upgraded upside uptick upturn win wins
    winner winners winning won
    """
)

NEGATIVE = _words(
    """
    abandon abandons abandoned accuse accuses accused bad bankrupt bankruptcy bear bearish bears bubble burden collapse
    collapses collapsed collapsing concern concerns contraction crash crashes crashed crisis damage damages damaged
    decline declines declined declining default defaults defaulted deficit delay delays delayed deteriorate deteriorates
    deteriorated disappoint disappoints disappointed disappointing disappointment disrupt disrupts disruption down
    downbeat downgrade downgrades downgraded downside downturn drag drags dragged drop drops dropped dropping fail fails
    failed failing failure fall falls fallen falling fear fears fell fined fines fraud gloom gloomy halt halts halted harm
    hurt hurts investigate investigation jitters lag lags lagged lawsuit lawsuits layoff layoffs lose loses losing loss
    losses lost lower miss misses missed missing negative panic penalty pessimism pessimistic plummet plummets plummeted
    plunge plunges plunged plunging poor pressured probe probes recession retreat retreats retreated risk risks scandal
    sink sinks sinking sank selloff shock shocks shortage shortages shortfall shrink shrinks shrank slash slashes slashed
    slide slides slid sliding slip slips slipped slow slower slowdown slowing slows slump slumps slumped slumping sue sued
    sues suffer suffers suffered tension tensions threat threaten threatens threatened threats trouble troubled troubles
    tumble tumbles tumbled tumbling turmoil uncertain uncertainty underperform underperforms underperformed unemployment
    unprofitable volatile volatility war warn warned warning warnings warns weak weaken weakened weakening weakens weaker
    weakest weakness worries worry worse worsen worsens worsened worst wrong
    """
)

# A word that judges tells what its writer makes of a fact rather than the fact.
JUDGING = _words(
    """
    absurd alarming allegedly amazing apparently appears arguably astonishing awful bad believe believes best better
    bizarre bleak bold brilliant brutal clearly could crazy dangerous dire disappointing disastrous doubt doubts dramatic
    dramatically dreadful dubious excellent exciting expect expects extraordinary fantastic fear fears feel feels foolish
    frankly frightening great greedy grim guess horrible huge impressive incredible incredibly inevitable ironic likely
    looks love luckily massive maybe might mistake must nasty nervous obviously opinion opinions perfect perhaps possibly
    probably promising reckless remarkable ridiculous risky sad scary seem seems shameful shocking should silly
    spectacular stunning stupid supposedly surely surprising surprisingly suspect terrible terrific think thinks thrilling
    tough troubling ugly unbelievable unfair unfortunately unlikely unwise view views vital welcome why wonderful worrying
    worse worst wrong
    """
)

# Up to three words before one of the lists' words they turn it round: "not strong", "no sign of recovery".
NEGATIONS = _words(
    """
    arent avoid avoids barely cannot cant couldnt denies deny didnt doesnt dont hardly havent isnt neither never no none
    nor not refuses shouldnt unlikely wasnt werent without wont wouldnt
    """
)
# The same before a phrase of policy alone: who ends easing tightens, who pauses rate hikes does not.
STOPS = _words(
    """
    against delay delayed delays end ended ending ends fewer halt halted halts less oppose opposes patience patient pause
    paused pauses pausing postpone postpones resist resists skip skipped skips slow slower slows stop stopped stops
    """
)

_RATES = ("rate", "rates", "interest rate", "interest rates", "key rate", "policy rate", "benchmark rate", "borrowing costs")
_UP = ("raise", "raises", "raised", "raising", "hike", "hikes", "hiked", "hiking", "lift", "lifts", "lifted", "increase")
_DOWN = ("cut", "cuts", "cutting", "lower", "lowers", "lowered", "lowering", "slash", "slashes", "slashed", "reduce", "reduces")


def _phrases(text: str) -> frozenset[str]:
    return frozenset(" ".join(phrase.split()) for phrase in text.split(","))


def _products(first: tuple[str, ...], then: tuple[str, ...]) -> frozenset[str]:
    return frozenset(f"{one} {other}" for one, other in product(first, then))


HAWKISH = (
    _products(_UP, _RATES)
    | _products(_RATES, ("hike", "hikes", "increase", "increases", "rise", "rises"))
    | _phrases(
        """hawk, hawks, hawkish, hawkishness, tightening, tighten policy, tightens policy, tighter policy,
        tighter monetary policy, higher rates, higher interest rates, higher for longer, taper, tapers, tapering,
        balance sheet reduction, balance sheet runoff, restrictive, overheating, fight inflation, fights inflation,
        curb inflation, tame inflation, combat inflation, inflation surges, inflation accelerates, inflation jumps,
        sticky inflation, inflation too high"""
    )
)

DOVISH = (
    _products(_DOWN, _RATES)
    | _products(_RATES, ("cut", "cuts", "reduction", "reductions"))
    | _phrases(
        """dove, doves, dovish, dovishness, easing, ease policy, eases policy, easier policy, looser policy, loose policy,
        lower rates, lower interest rates, lower for longer, accommodative, accommodation, stimulus, bond buying, bond purchases,
        asset purchases, patient on rates, inflation cools, inflation eases, inflation slows, cooling inflation,
        muted inflation, disinflation"""
    )
)
