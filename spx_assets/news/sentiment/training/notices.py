"""What companies publish that moves no share: who, where, when, how many, whose.

Belongs here: such templates, one wording each or many (`[a|b]`). Does not: what is drawn from them, news (`events`, `releases`).

Many of them hold words that sound like news: a holding that rose, an order that has a value, a price that stays secret.
"""

PLAIN = """
the [order|contract|delivery] [includes|comprises|covers|consists of] {product} [and their installation|, training and spare
    parts|for {small} {site}s]
the [order|contract|agreement|deal] [has a value of|is worth|amounts to|totals] {money}
the [order|contract|agreement] [runs until|is valid until|covers] [{year}|the years {year}-{year}|{small} years]
the [equipment|first deliveries|machines|systems] will be [delivered|installed|handed over|shipped] [in {month} {year}|during
    {year}|by the end of {year}]
the [value|price|size|amount] of the [deal|order|transaction|investment] [was not given|has not been disclosed|will not be
    published|was kept secret]
the [acquired|sold] [company|business|unit] [employs|has] {count} people and [had|has annual] [net sales|turnover|revenue] of
    [about|some|] {money}
{co} [has bought|buys|acquired|has agreed to buy] [{pct}|the entire share capital|the remaining shares|a majority] of {rival}
    [from its founders|for {money}|in {country}|]
{co} [has sold|sells|divests|is selling] [its holding in {rival}|{unit}|its shares in {rival}|the real estate of its {site}] [to
    a fund|for {money}|to {rival}|]
[the sale|the transaction|the deal|the acquisition] [will be|is to be|was] [closed|completed|carried out] [in {month}|on {day}
    {month} {year}|by the end of {month}] [, subject to approval by the authorities|]
[the transaction|the sale|the arrangement] has no [significant|material] [effect|impact] on {co} 's [result|figures for
    {year}|balance sheet]
{rival} [owns|holds|controls] [{pct}|a majority|about {pct}] of [{co} 's shares|the votes in {co}|{co} 's share capital]
[following|after|as a result of] the [transaction|share purchase|issue] {rival} 's [holding|stake|ownership] in {co} [is|amounts
    to|rose to|fell to] {pct}
{rival} [has increased|raised|has reduced|cut] its [holding|stake] in {co} to {pct} [from {pct}|of the shares|]
{co} [issues|issued|will issue] [{count} new shares|a bond of {money}|stock options to its managers|a convertible bond]
{co} has [acquired|repurchased|transferred|annulled] {count} [own shares|of its shares] [on {day} {month}|at {price}
    apiece|under the authorisation of the general meeting]
the [shares|new shares|options] [entitle to|carry] [a dividend for {year}|one vote each|subscribe for {count} shares]
the [subscription period|offer period|acceptance period] [begins|ends|expires] on {day} {month} {year}
the [number of shares|total number of votes|share capital] of {co} is {count} [after the registration|as of {day} {month}|]
{co} [signed|has signed|agreed] a [loan agreement|credit facility|syndicated loan] of {money} with [{rival}|{small} banks|a
    group of banks] [to refinance its debts|for general corporate purposes|for {small} years]
[{co} will publish|the company releases|{co} is due to post] its [{quarter} results|interim report|annual report|financial
    statements] on {day} {month} [{year}|at 8.30 am|]
the [meeting|annual general meeting|extraordinary meeting] [elected|re-elected] {person} [to the board|chairman|as auditor]
the [meeting|board|supervisory board] [decided|resolved] [on the payment of a dividend of {price} per share|to authorise the
    board to buy own shares|that the board has {small} members]
{person} , {age} , [has been appointed|was named|takes over as|is to become] {role} [of {co}|at {co} in
    {country}|from {day} {month}]
{person} [has worked|has served|worked] [as {role} of {rival}|at {co} since {year}|in the {industry} industry for {small} years]
{person} will [report to|succeed|be replaced by] {person} [, {role}|]
{co} [is|remains] [a family company|an unlisted company|a subsidiary of {rival}|a holding company] [based in {city}|registered
    in {country}|that makes {product}]
{co} [makes|manufactures|produces|sells|markets|designs|imports] {product} [and {product}|for the {industry} industry|in
    {country}|under the {rival} brand]
{co} [operates|runs|has|owns] {small} {site}s in {country} [and {small} in {country}|with a staff of {count}|]
{co} [provides|offers] [{product}|services] [for the {industry} sector|to households and companies|to customers in {small}
    countries]
{co} [is listed|has been listed|will be listed] on the [stock exchange in {city}|main list|small-cap list] [under the ticker
    {tick}|since {year}|]
{co} 's [clients|customers|owners|partners] include {rival} [and {rival}|, the city of {city} and the state|]
{co} is [organised in|divided into|made up of] {small} [divisions|segments|business units]
[{co} will combine|the group merges|{co} transfers] [{unit} with its other business|its {small} companies in {country}|its head
    office staff] [into one company|from {day} {month}|in {year}]
the [{site}|building|complex|area] [has|will have|comprises|covers] [{count} square metres|{small} floors|room for {count} people]
the [{site}|building] [is situated|stands|lies|will rise] [in the centre of {city}|{small} kilometres from {city}|next to the
    {site} of {rival}]
[work|construction|building] [starts|will start|began] in {month} [{year}|] and [will take {small} months|the {site} should be
    ready in {year}]
the [investment|project|programme] [costs|is worth|is estimated at|has a budget of] {money}
[{rival}|the city of {city}|the state] [finances|pays|will cover] {pct} of the [costs|project|investment]
the [phone|device|product|service|system] [has|comes with|includes|features] [a camera and a keyboard|a colour display|{small}
    different functions|a warranty of {small} years]
the [product|service|software|machine] is [used|intended|meant] for [measuring|cleaning|printing|payments|storing data] [in
    hospitals|in the {industry} industry|at home|]
the [new service|product|new model] [is available|will be sold|goes on sale] [in {country}|from {month}|at {price}|in {small}
    countries]
{co} [unveils|presents|introduces|has introduced] [its {product}|a new model|a service for {industry} companies] [at a fair in
    {city}|in {country}|in {month}]
{co} [studies|is looking into|considers|will study] [the sale of {unit}|moving its head office to {city}|building a {site} in
    {country}|a listing in {city}]
[no decision|no final decision] [on the matter|on the {site}|on the sale] [has been made|has been taken|will be made before
    {month}]
[according to {person}|{person} said|{person} says] , [the company has no comment|talks are under way|it is too early to
    tell|details will follow in {month}|the matter is being studied]
{co} [and|together with] {rival} [takes part in|is taking part in] [a study of|a project on|the planning of] {product} [in
    {country}|]
the [case|complaint|application|plan] [is being handled by|has been sent to|was passed to] [the court in {city}|the ministry|the
    competition authority]
[in {year}|in the {quarter}|last year] , {co} [had|posted|generated] [net sales|turnover|revenue|sales] of {money} [and employed
    {count} people|with a staff of {count}|]
[net sales|turnover|operating profit|pretax profit|revenue] [for {year}|in {year}|in the {quarter}|for the period]
    [was|were|totalled|amounted to] {money}
[{country}|the {industry} division|{unit}] [accounts for|makes up|brings] {pct} of [the group 's sales|{co} 's net sales|turnover]
{co} [expects|estimates|believes] that [net sales for {year} will be {money}|its result will be at the level of {earlier}|the
    market will stay as it is]
{co} [reiterates|repeats|keeps] its [forecast|estimate|outlook] for {year}
[the share|{co} 's share] [closed at|cost|was quoted at|last traded at] {price} [on {day} {month}|in {city}|]
the [figures|numbers|amounts] are [unaudited|in euros|rounded|those of continuing operations]
[more information|the release|the presentation|the prospectus] [is available|can be found] [on the company 's website|from
    {co}|at the office in {city}]
[the cooperation|the agreement|the project] [began|dates|has been running since] [in {year}|from {year}|{month} {year}]
[the remaining|another|about] {pct} [is|are] [owned|held] by [{rival}|the management|the city of {city}]
[the consortium|the joint venture|the group of buyers] [consists of|includes|is made up of] {co} , {rival} and {rival}
"""
FACTS = """
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
