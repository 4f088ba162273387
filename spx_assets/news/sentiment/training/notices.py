"""What companies publish that moves no share, in many wordings: who, where, when, how many, whose.

Belongs here: such templates. Does not: what is drawn from them (`releases`), news (`releases`, `events`).

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
