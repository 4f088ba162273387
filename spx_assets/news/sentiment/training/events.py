"""Report sentences about what happens, made by rules of our own: good news, bad news, and plain facts.

Belongs here: templates and their classes. Does not: figures that rise and fall (`figures`), word lists (`wording`).

Half of a company's sentences say nothing that moves its share; headlines and tweets hold few of that kind, so most templates
are facts, some of them with words of rising and falling (a holding falls below 5 %, the share capital is increased).
"""

import random

from spx_assets.news.sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE, Example
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
PLAIN = """
{co} is headquartered in {city} and employs {count} people
the {industry} company has {count} employees in {small} countries
{co} was founded in {year} and makes {product}
{co} , listed on the stock exchange in {city} , is a supplier of {product}
{co} offers {product} and {product} to customers in the {industry} industry
the {site} is located in {city} , {country}
the {site} has a total floor area of {count} square metres
the building will have {count} square metres of office space and {small} floors
{co} has appointed {person} {role} as of {day} {month} {year}
{person} , {role} of {co} , will leave the company to join {rival}
{person} has been elected member of the board of directors of {co}
{person} succeeds {person} , who retires in {month}
{person} holds a master 's degree and has worked for {co} since {year}
he has earlier been {role} of {rival}
the annual general meeting of {co} will be held in {city} on {day} {month} {year}
{co} will publish its interim report for the {quarter} on {day} {month}
a conference call for analysts will be held at {day}.00 in {city}
the stock exchange release is available on the website of {co}
{co} has bought back {count} of its own shares at an average price of {price}
the repurchased shares represent {pct} of the share capital of {co}
a total of {count} new shares have been subscribed with stock options
the new shares have been entered in the trade register on {day} {month} {year}
the share capital of {co} was increased by {money} as options were exercised
after the increase , the share capital of {co} is {money} and the number of shares is {count}
{rival} 's holding in {co} has fallen below {pct} of the votes
{rival} 's share of the capital of {co} rose above {small} percent following a share transaction
{co} has received a notice under {law} on a change of holdings
{rival} owns {pct} of {co}
the largest shareholders of {co} are {rival} and the state
the value of the contract was not disclosed
financial details of the transaction were not disclosed
the parties have agreed not to publish the price
the transaction requires approval by the competition authorities
the deal is expected to be closed in {month}
{co} acquires {unit} from {rival}
{co} sells {unit} to {rival} for {money}
{rival} , the buyer , makes {product} in {country}
the contract covers {product} , installation and training
the project includes {small} {product} and starts in {month} {year}
deliveries will take place between {month} and {month} {year}
the {site} will be completed by the end of {year}
the order includes {product} for the {site} in {city}
construction of the {site} in {city} will begin in {month}
the {site} produces {count} tonnes of {product} a year
{co} uses {product} made by {rival} in its {site}
{co} is planning to open a {site} in {city}
{co} is considering a listing of {unit}
{co} presents its new {product} at the trade fair in {city}
{co} will move its head office from {city} to {city}
{co} changes its name to {rival}
the companies will keep their own names and brands
{co} will combine {unit} and the sales unit into one business area
the business areas of {co} are {industry} , {industry} and services
{co} has no plans to move production from {city} , says {role} {person}
{person} declined to comment on the price
{person} did not say when the decision would be made
it is too early to comment on the offer , said {person}
the talks between {co} and {rival} are continuing
the board of {co} will discuss the offer in {month}
{co} has submitted an application to the authorities in {country}
the shares will be traded on the main list in {city} from {day} {month}
the closing price of the share on {day} {month} was {price}
the issue price is {price} per share and the subscription period ends on {day} {month}
the offer price is {price} in cash for each share
the loan has a maturity of {small} years and is arranged by {rival}
{co} issues a bond of {money} due in {year}
the board proposes a dividend of {price} per share for {year}
the record date of the dividend is {day} {month}
the company will apply the new accounting standard as of {year}
the figures of {year} have not been audited
the interim report is prepared in accordance with {law}
the board decided on a new share-based incentive plan for the key personnel of {co}
under the plan {count} options may be granted to {small} managers
{co} reports in three segments
the survey was made among {count} companies in {country}
the {industry} market in {country} is worth some {money} a year
the sale is in line with the strategy of {co} , which focuses on {product}
the system consists of {product} and software that can be used with a mobile phone
the service allows users to see their bills on the internet
the product is sold in {small} stores in {country}
the new {product} come in {small} sizes and colours
{co} and {rival} together own the {site} in {city}
{co} will pay {money} for the shares
the purchase price will be paid in cash in {small} instalments
the {site} is owned by {rival} , a subsidiary of {co}
the company has {small} sites in {country} and {country}
the investment in the {site} totals {money}
the employees will transfer to {rival} with their present terms of employment
the agreement is valid until {month} {year}
the tender offer begins on {day} {month} and ends on {day} {month}
the city of {city} has chosen {small} bidders for the final round
the share of {country} in the exports of {product} is {pct}
the role of {co} in the project is to supply {product}
the group consists of the parent company and {small} subsidiaries
in addition , {co} has an office in {city}
the responsibilities of {person} include sales and marketing
the following information was given in {co} 's annual report for {year}
what to expect from {co} 's {quarter} report
{co} has chosen {rival} as its supplier of {site} services
{person} owns {count} shares of {co}
{person} will be responsible for the {industry} business of {co}
the parties aim to sign the final agreement in {month}
{co} and {rival} have ended their talks on {unit}
the {industry} company {co} was previously known as {rival}
the plant of {co} in {city} makes {product} for cars
the test will be run by {co} and {rival} in {city}
the term of the loan is {small} years
the transaction price is {money}
{co} is part of the {rival} group
{co} , {rival} and the city of {city} study the building of a {site}
{co} serves customers in {small} countries , among them {country} and {country}
{co} has signed a lease on {count} square metres in {city}
{co} will tell more about its plans in {month}
trading in the shares of {co} begins in {city} on {day} {month}
the decision concerns the offices in {city} and {city}
{co} will arrange a capital markets day in {city} on {day} {month}
the holdings of {co} in {rival} are now {count} shares
most of the raw material comes from {country}
in {year} the {site} handled {count} tonnes of cargo
the company 's {product} are used in the {industry} industry
about {pct} of the personnel work outside {country}
"""
CLASSES = ((GOOD, POSITIVE, 0.2), (BAD, NEGATIVE, 0.2), (PLAIN, NEUTRAL, 0.6))
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
