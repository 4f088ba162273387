"""Report sentences about what happens, made by rules of our own: good news, bad news, and plain facts.

Belongs here: templates of good and bad news, how often each class is drawn. Does not: plain facts (`notices`), figures that rise
and fall (`figures`), word lists (`wording`).

Half of a company's sentences say nothing that moves its share; headlines and tweets hold few of that kind, so most templates
are facts, some of them with words of rising and falling (a holding falls below 5 %, the share capital is increased).
"""

import random

from spx_assets.news.sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE, Example
from spx_assets.news.sentiment.training.notices import FACTS
from spx_assets.news.sentiment.training.wording import fill

GOOD = """
{co} has won an order worth {money} to supply {product} to {country}
{co} has received an order for {small} {product} from {rival}
{co} secured a contract from {rival} to deliver {product} for a new {site} in {city}
{co} has been awarded a {small}-year contract by {rival} in {country}
{co} and {rival} have signed an agreement on the supply of {product}
{co} has signed a long-term agreement with {rival} to deliver {product} to {country}
{co} and {rival} have entered into a strategic cooperation agreement to develop {product}
{rival} has chosen {co} as its supplier of {product} in {country}
{co} will deliver {product} to the {rival} {site} under a contract valued at {money}
the value of the order won by {co} is more than {money}
{co} expands its operations in {country} to meet growing demand for {product}
{co} will double the capacity of its {site} in {city} because of strong demand
the new {site} will increase {co} 's annual production capacity by {pct}
{co} will hire {count} new employees for its {site} in {city} as orders grow
the acquisition strengthens {co} 's position in {country}
the deal will improve {co} 's earnings from {year} onwards
the investment will improve efficiency and lower production costs
the measures are expected to bring annual cost savings of {money}
the efficiency programme improves {co} 's competitiveness and profitability
{co} has become the market leader in {product} in {country}
{co} gained market share in {country} during the {quarter}
{co} raised its dividend to {price} per share
demand for {product} has been strong in {country} , says {person} , {role} of {co}
we are very pleased with the result , said {person} , {role} of {co}
the {quarter} was the best in {co} 's history
{co} reached record sales in {country}
our order book is strong and the outlook is good , said {role} {person}
{co} has received approval from the authorities to sell {product} in {country}
{rival} upgraded {co} to buy and raised its target price to {price}
{co} was named the best {industry} company of the year
{co} strengthens its presence in {country} with a new {site}
the new {product} of {co} cut energy use by {pct} and save customers money
{co} will benefit from the recovery of the {industry} market
{co} is well positioned to grow in {country}
{co} has paid back its loans ahead of schedule , and its balance sheet is strong
profitability improved thanks to the restructuring of {unit}
{co} has settled its dispute with {rival} and will get {money} in compensation
sales of {product} have started better than expected in {country}
{co} calls back the staff laid off at its {site} in {city} as orders recover
{co} launches a new generation of {product} that opens up new markets
{co} extends its cooperation with {rival} , adding {product} to the agreement
the cooperation gives {co} access to customers in {country} and supports growth
{co} and {rival} form a joint venture to sell {product} in {country}
{rival} has extended its contract with {co} by {small} years
{co} delivers {product} worth {money} to {rival}
the city of {city} has selected {co} to modernise its {industry} network
the frame agreement makes it possible for {co} to sell {product} to all units of {rival}
{co} invests {money} in a new {site} in {city} to raise capacity
{co} has found savings of {money} , more than it had planned
growth has been fastest in {country} , where sales have doubled
{co} exceeded its targets for the {quarter}
the share of {co} hit an all-time high in {city}
earnings beat the forecasts of analysts
both net sales and operating profit improved on {earlier}
the solvency of {co} has become stronger and its debt has been reduced
{co} completes the project ahead of time and under budget
the merger creates the largest {industry} company in {country}
{co} gets a patent for its {product} technology in {country}
{co} plans to recruit {count} people this year
customers have received the new {product} well and deliveries are growing
{co} receives a repeat order for {product}
{co} regains profitability after years of losses
"""
BAD = """
{co} will cut {count} jobs at its {site} in {city}
{co} is to lay off {count} people in {country}
{co} starts negotiations with personnel on temporary lay-offs at {unit}
the lay-offs concern {count} employees in {city}
{co} will close its {site} in {city} and dismiss {small} employees
{co} plans to shut down {unit} due to poor profitability
{co} has to reduce production at its {site} as demand has weakened
demand for {product} has fallen sharply in {country}
the market situation in the {industry} sector remains difficult , said {person}
{co} warned that its result will be hit by rising raw material costs
{co} issued a profit warning
{rival} has cancelled its order for {product} from {co}
{co} loses a contract with {rival} worth {money}
the start-up of the {site} in {city} has been delayed by {small} months
{co} books an impairment charge of {money} on {unit}
{co} will record a write-down of {money} in the {quarter}
a strike has halted production at {co} 's {site} in {city}
a fire at the {site} in {city} stopped deliveries of {product}
{co} was fined {money} for breach of competition law
{rival} has sued {co} for {money} over {product}
authorities in {country} are investigating {co} on suspicion of fraud
{co} has filed for bankruptcy in {country}
{co} recalls {product} because of a fault
{rival} cut its rating on {co} to sell and lowered its target price
{co} will not pay a dividend for {year}
{co} proposes to cut the dividend to {price} per share
{co} is losing market share to {rival} in {country}
the poor result was due to weak demand in {country}
{co} has breached the covenants of its loans and is in talks with its banks
{co} ended the {quarter} in the red because of {unit}
sales of {product} have suffered from the economic crisis
uncertainty in {country} weighs on orders for {product}
we are disappointed with the result , said {person} , {role} of {co}
{co} has failed to win the tender in {city} and will appeal the decision
costs of the {site} project have exceeded the budget by {money}
{co} is forced to sell {unit} to pay its debts
profitability was burdened by costs of {money} from closing {unit}
the strong currency and price competition weakened {co} 's margins
{co} 's rating was downgraded as its debt has grown
stock exchange trading in {co} was suspended after the share plunged {pct}
the number of bankruptcies among {co} 's customers has risen and payments are late
{co} gave up its plan to build a {site} because funding was not found
{co} will shed {pct} of its workforce
some {count} employees will be made redundant in {country}
{co} temporarily lays off the personnel of its {site} for {small} weeks
{co} suspends production at the {site} in {city} until further notice
{co} withdraws from {country} after heavy losses
earnings missed the forecasts of analysts
both net sales and operating profit were below those of {earlier}
{co} has not reached its targets for the {quarter}
the share of {co} hit its lowest level since {year}
prices of {product} have dropped and competition is getting tougher
orders from {country} have dried up
the number of orders is clearly smaller than {earlier}
{rival} terminates its agreement with {co}
the delivery of {product} is late and {co} must pay penalties
{co} has lost its appeal against {rival} and has to pay {money}
{co} needs {money} of new capital to cover its losses
{co} made a provision of {money} for bad debts
the {industry} sector in {country} is in a deep recession
{co} is suffering from overcapacity and rising costs
accident at the {site} of {co} in {city} injures {small} workers
{co} put the investment in {city} on hold due to the weak economy
weak sales of {product} will hurt the result of the {quarter} , {person} warned
"""
CLASSES = ((GOOD, POSITIVE, 0.2), (BAD, NEGATIVE, 0.2), (FACTS, NEUTRAL, 0.6))
LEADS = (*("",) * 5, "{month} {day} - ", "( {city} ) - ", "according to {person} , ", "on {day} {month} {year} , ", "{co} : ")
TAILS = (
    *("",) * 5,
    " , the company said",
    " , said {person}",
    " , {co} said in a statement",
    " in {year}",
    " , according to the report",
)


def make(rng: random.Random) -> Example:
    templates, label, _ = rng.choices(CLASSES, [weight for *_, weight in CLASSES])[0]
    template = rng.choice(templates.strip().split("\n"))
    return Example(fill(rng.choice(LEADS) + template + rng.choice(TAILS), rng) + rng.choice((".", " .", "")), label)
