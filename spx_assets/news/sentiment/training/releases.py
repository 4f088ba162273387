"""Sentences of press releases and wires made by rules of our own: many wordings of few kinds of news.

Belongs here: templates of good and bad news in which `[a|b]` is one of the wordings, what a wire puts before and after. Does not:
news that moves nothing (`notices`), templates said one way only (`events`), figures (`figures`), word lists (`wording`).

A wire tells in one sentence who, where and what; that it is good or bad often hangs on a word in the middle. So the same kinds of
news stand in several classes here: an order won, an order described, an order lost; a stake bought to grow, a stake reported.
"""

import random

from spx_assets.news.sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE, Example
from spx_assets.news.sentiment.training.notices import PLAIN
from spx_assets.news.sentiment.training.wording import fill, templates

GOOD = """
{co} has [won|landed|clinched|received|bagged] [an order|a major order|a repeat order|an additional order] for {product} [from
    {rival}|in {country}|to {country}|worth {money}]
{co} has been [chosen|selected|picked] to [supply|deliver|provide] {product} to {rival} [in {country}|under a {small}-year
    agreement|, a deal worth {money}]
{rival} [awards|has awarded|gave] {co} a [contract|maintenance contract|framework agreement] [worth {money}|in {country}|on
    {product}]
{co} [signed|inked|has concluded] a [{money} contract|deal valued at {money}|long-term supply deal] with {rival} [on|for]
    {product}
{co} [said it will|is to|will] supply {rival} with {product} [in a {money} deal|for its {site} in {city}|in the coming {small}
    years]
{co} and {rival} [have agreed to|will] [cooperate|work together|team up|join forces] [in {product}|to sell {product} in
    {country}|to develop {product}] [, which [speeds up|supports] {co} 's growth|]
the [order|contract|agreement|partnership] [strengthens|reinforces|improves] [our|{co} 's|the company 's]
    [position|foothold|standing] [in {country}|in the {industry} sector]
the [acquisition|deal|purchase|merger] [gives|brings] {co} [a strong position in {country}|new customers in {country}|access to
    new markets|a wider range of {product}]
the [acquisition|deal|transaction] will [have a positive impact on|raise|boost|lift] {co} 's [earnings|earnings per
    share|result|operating profit] [in {year}|from {year} on|]
[{co} aims|the aim is|{co} plans] to [double its sales|become the leading supplier of {product}|expand strongly|grow faster than
    the market] in {country} [by {year}|]
{co} [opens|will open|is building|plans to build] [a new|a second|another] {site} in {city} [to meet demand|as its sales in
    {country} grow|to serve its growing number of customers]
{co} [expands|is expanding|enlarges] its {site} in {city} [to raise its capacity|, doubling its capacity|by {count} square
    metres as demand grows]
the [new|modernised|expanded] {site} [raises|will raise|increases] [capacity|output|production] [by {pct}|to {count} tonnes a
    year|considerably]
the new [system|technology|process|software] [cuts|reduces|lowers] [costs|energy use|waste|maintenance costs] [by
    {pct}|considerably|] and [improves quality|shortens delivery times|raises efficiency]
[customers|users|clients] [benefit from|will get|are given] [faster deliveries|better service|lower costs|a wider choice]
    [thanks to|as a result of] the [new system|cooperation|investment]
[sales|deliveries|orders|exports|bookings] [have developed well|developed favourably|have been brisk|were at a record
    level|picked up] [in {country}|in the {quarter}|, {person} said]
[the market for {product}|demand for {product}|the {industry} market] [is growing|has picked up|is recovering|grew by {pct}] [in
    {country}|, which benefits {co}|, {co} said]
[growth|the increase|the rise|the improvement] was [driven by|due to|based on] [good demand|higher sales of {product}|new
    customers|strong sales in {country}]
profitability [improved|was good|developed well|strengthened] [in all business areas|in {country}|as costs fell|clearly]
the result was [better than|above|ahead of|clearly better than] [expected|our expectations|analysts' forecasts|that of {earlier}]
{co} [beat|exceeded|topped] [market expectations|analysts' estimates|its own targets] [in the {quarter}|with a profit of {money}|]
[{rival}|the bank|the analysts] [raised|lifted|upped] [its|their] [recommendation on|rating of|target price for] {co} [to
    {price}|to buy|to accumulate|]
{co} [hires|is to hire|recruits|will recruit] {count} [people|new employees|engineers] [for its {site} in {city}|to meet
    demand|as its order book grows]
{co} [cancels|ends] the [lay-offs|temporary lay-offs] [at its {site} in {city}|as demand has recovered]
{co} [has obtained|received|was granted] [a patent for|approval for|a certificate for|marketing approval for] its {product} in
    {country}
{co} 's [board|board of directors] [proposes|will propose] [a higher dividend|an extra dividend of {price} a share|to raise the
    dividend to {price} from {price}]
{co} [stock|shares|share] [rose|gained|climbed|jumped|was up|ended higher by] {pct} [to {price}|on the news|in {city}|after the
    announcement]
[passenger numbers|visitor numbers|the number of subscribers|the customer base|cargo volumes] [grew|rose|increased|climbed] [to
    {count}|by {pct}] [in {month}|from {earlier}]
the [order backlog|order book|balance sheet|financial position|cash position] [is strong|remained strong|has grown stronger|is
    at a record level]
[efficiency|productivity|quality|customer satisfaction|delivery reliability] [has improved|improved by {pct}|is better than
    ever|rose further]
[with the help of|thanks to|with] the [new {site}|investment|contract|programme] {co} [can meet|responds to|is able to serve]
    the growing demand in {country}
[{co}|the group|the firm] [saves|will save|expects to save] [{money} a year|some {money} annually|{money} in costs]
    [through|by|thanks to] [the measures|centralising its purchases|moving into one {site}]
{co} has [paid off its debts|reduced its net debt by {money}|cut its gearing to {pct}|improved its equity ratio]
{co} [won|was given] [the award|first prize|a prize] for [best {industry} company|its {product}|good corporate governance]
{co} [turned|was back] [profitable|in profit|to profit] [in the {quarter}|after {small} years of losses|thanks to cost cuts]
[I am|we are] [happy|pleased|delighted|proud] [with the result|with the progress in {country}|to start working with {rival}] ,
    [said|says|comments] {person} , {role} of {co}
[the outlook|the outlook for {year}|the market outlook] is [bright|positive|good|better than {earlier}] , [according to
    {co}|said {person}]
{co} [believes|is confident|expects] that [its growth continues|its profitability will improve|its market share will grow] [in
    {year}|in {country}|]
[the new {product}|the {product} of {co}|its {product}] [sell well|have become a success|are in great demand|have found many
    buyers] in {country}
the [deal|order|contract] is [the largest|one of the largest|the biggest] [in {co} 's history|of its kind in {country}|that {co}
    has received]
{co} [makes it possible|enables its customers|helps its customers] to [save energy|cut costs|grow|work faster] with [its new
    {product}|the new service]
"""
BAD = """
{co} [plans to cut|will cut|is cutting|axes|sheds] {count} jobs [in {country}|at its {site} in {city}|to save costs|, {person}
    said]
{co} [will dismiss|is to dismiss|gives notice to|makes redundant] {count} [employees|people|workers] [in {city}|as orders have
    fallen|]
{co} [starts|has started|will begin] [statutory talks|co-operation negotiations|negotiations] with its
    [staff|personnel|employees] [on job cuts|on temporary lay-offs|in order to cut costs]
[the talks|the negotiations|the measures] [affect|concern] {count} [people|employees] [and may lead to dismissals|, of whom
    {small} will lose their jobs]
{co} [closes|will close|shuts|is to shut down] [{unit}|its {site} in {city}|one of its {small} sites] [because of losses|as it
    is unprofitable|by the end of {year} , with the loss of {count} jobs]
{co} [lost|has lost] [an order|a contract|a customer|the dispute] [to {rival}|worth {money}|in {country}]
{rival} [cancelled|postponed|has withdrawn|will not renew] its [order|contract|project] [with {co}|for {product}|worth {money}]
[the delivery|the project|the opening|the launch] [is delayed|has been delayed|will be late|is postponed] [by {small}
    months|until {year}|because of technical problems]
{co} [had to stop|stopped|interrupted|is suspending] production [at its {site} in {city}|of {product}] [because of a strike|due
    to weak demand|for {small} weeks|after a fire]
[sales|deliveries|orders|exports|volumes] [have developed poorly|were weak|remained low|came to a standstill|suffered] [in
    {country}|in the {quarter}|, {person} said]
[the market for {product}|demand for {product}|the {industry} market] [is shrinking|has collapsed|is falling|weakened further]
    [in {country}|, which hurts {co}|, {co} said]
[the decrease|the decline|the fall|the drop|the loss] was [due to|caused by|a result of] [weak demand|lower sales of
    {product}|higher costs|poor sales in {country}|write-downs]
profitability [weakened|was poor|was unsatisfactory|suffered] [in all business areas|in {country}|as raw material prices
    rose|clearly]
the result was [worse than|below|clearly below|weaker than] [expected|our expectations|analysts' forecasts|that of {earlier}]
{co} [missed|fell short of|failed to meet] [market expectations|analysts' estimates|its own targets] [in the {quarter}|with a
    profit of {money}|]
[{rival}|the bank|the analysts] [lowered|cut|reduced] [its|their] [recommendation on|rating of|target price for] {co} [to
    {price}|to sell|to reduce|]
[rising|higher|soaring] [raw material prices|energy costs|fuel costs|wages|interest costs] [burdened|weakened|hit|ate into] [the
    result|the margin|profitability]
[price competition|fierce competition|overcapacity|the weak dollar|the recession] [weakened|hurt|pressed|cut] [{co} 's
    margins|sales in {country}|prices of {product}]
{co} [books|will book|recorded] [a write-down of {money}|non-recurring costs of {money}|credit losses of {money}|a loss of
    {money} on {unit}]
{co} [has been fined|must pay|was ordered to pay] {money} [for a cartel|in damages|for late deliveries] [in {country}|to {rival}|]
{co} [stock|shares|share] [fell|lost|dropped|slid|was down|ended lower by] {pct} [to {price}|on the news|in {city}|after the
    announcement]
[passenger numbers|visitor numbers|the number of subscribers|the customer base|cargo volumes] [fell|shrank|decreased|declined]
    [to {count}|by {pct}] [in {month}|from {earlier}]
the [order backlog|order book|balance sheet|financial position|cash position] [is weak|has become weaker|has shrunk|worsened]
{co} [pays no dividend|will leave out the dividend|cuts its dividend] [for {year}|because of its loss]
{co} [warns|warned|says] that [its result will weaken|sales will fall short|its loss will grow|the year will be difficult]
[the outlook|the outlook for {year}|the market outlook] is [poor|uncertain|gloomy|weaker than {earlier}] , [according to
    {co}|said {person}]
{co} has been [unprofitable|loss-making|in difficulties] [for {small} years|since {year}|in {country}]
[the company|{co}|the subsidiary] [filed for bankruptcy|was declared bankrupt|applied for debt restructuring] [in {month}|in
    {country}|]
[we are not happy|nobody can be satisfied|I am disappointed] with [the result|these figures|the development in {country}] , said
    {person} , {role} of {co}
"""
CLASSES = (
    (templates(GOOD), POSITIVE, 0.27),
    (templates(BAD), NEGATIVE, 0.15),
    (templates(PLAIN), NEUTRAL, 0.58),
)
"""With how often they are drawn: of what companies publish, well over half moves no share."""
LEADS = (
    *("",) * 9,
    "{city} , {month} {day} , {year} - ",
    "( {city} News ) - {month} {day} , {year} - ",
    "{month} {day} ( {city} Wire ) - ",
    "{day} {month} {year} - ",
)
WHO = (
    *("{co}",) * 5,
    "{nation} {industry} company {name}",
    "{nation} {industry} group {name} ( {list} : {tick} )",
    "{name} ( {list} : {tick} )",
    "{nation} {name}",
    "{name} , a {nation} maker of {product} ,",
)
TAILS = (
    *("",) * 7,
    " , the company said [today|on Monday|on {day} {month}|in a statement]",
    " , {person} [says|said|told the paper]",
    " , [a release|the daily|the agency] said",
    " [, according to {person} , {role}|in {year}]",
)


def make(rng: random.Random) -> Example:
    those, label, _ = rng.choices(CLASSES, [weight for *_, weight in CLASSES])[0]
    template = rng.choice(those)
    if template.startswith("{co} "):
        # What kind of company it is, where it is listed: wires say so at first mention.
        template = rng.choice(WHO) + template.removeprefix("{co}")
    text = " ".join(fill(rng.choice(LEADS) + template + rng.choice(TAILS), rng).split())
    return Example(text + rng.choice((".", " .", "")), label)
