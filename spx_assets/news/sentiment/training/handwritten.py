"""Report sentences written by hand, to judge by; no rule makes them and nothing is learned from them.

Belongs here: such sentences with their classes. Does not: rows of any set.
"""

from spx_assets.news.sentiment.training.corpus import NEGATIVE, NEUTRAL, POSITIVE, Example

GOOD = """
Group EBIT for the period came in at 41.2 million euros, clearly ahead of the 33.0 million posted twelve months before.
Thanks to brisk trading in December, like-for-like store sales finished the year 4 % higher.
The pharmaceuticals maker has obtained marketing authorisation for its asthma inhaler in Japan.
Norwegian operator Telvik picked Sandera to build its new fibre network, a deal valued at roughly NOK 200 million.
Thanks to lower fuel prices the airline returned to the black in the spring quarter.
The lift manufacturer clinched a breakthrough order in Doha.
Order intake was lively and all divisions beat their targets, CEO Hanna Rask commented.
Margins are set to widen once the new boiler cuts energy use at the mill.
The bank's core capital ratio strengthened to 13.4 % from 11.9 %.
Net gearing dropped to 34 % from 58 %, the firm noted.
The Estonian subsidiary trebled its customer base within a year.
Rautia's share gained nearly five percent after the announcement.
The framework contract makes Norbit the preferred supplier of signalling gear to the Danish railways for the next six years.
The shipyard is recruiting 150 welders to cope with a swelling order book.
The board intends to distribute an extra dividend of EUR 0.40 on top of the ordinary one.
Loss before tax shrank to SEK 3.1 million, against SEK 14.8 million in the comparable period.
Kestor bought the remaining stake in its Polish joint venture, a move it says will lift earnings straight away.
The partners will jointly bring the sensor to mass production, opening a market worth hundreds of millions.
Both the number of passengers and the yield developed favourably.
The insurer's combined ratio improved to 92 per cent.
"""
BAD = """
Operating result shrank to EUR 2.3 million as sawn timber prices kept sliding.
The ferry line carried 12 % fewer cars than in the summer before.
About 85 people at the Oulu research unit are about to lose their positions.
Pretax result was EUR -4.4 million, having been EUR 1.9 million positive in the spring.
The publisher said advertising had dried up faster than foreseen and that it no longer stands by its estimate.
Staff at the Kotka mill will be put on furlough for up to 90 days.
The dispute with the contractor has pushed the opening of the reactor back by another year.
Vesla's stock tumbled 7 percent in early trading on the news.
Bad loans in the Baltics forced the lender to set aside a further EUR 60 million.
The retailer blamed mild weather for sluggish sales of winter clothing.
The court ordered the forestry group to pay damages of EUR 12 million.
Its order backlog stood at EUR 310 million at the end of June, EUR 95 million less than a year before.
Turnover was EUR 7.6 million, having been EUR 9.2 million in 2008.
The customer has gone into administration and the receivable of EUR 3 million is unlikely to be recovered.
Gross margin suffered from soaring cotton prices.
Two of the four production lines will be idle for the rest of the autumn.
The rating agency placed the airline's debt on review for a possible downgrade.
Deliveries of the new handset have slipped to next year because of component shortages.
EPS came to EUR 0.11, less than half of the EUR 0.25 recorded a year before.
The group's loss deepened in the last three months of the year.
"""
PLAIN = """
The Tampere-based firm designs welding robots for shipyards.
Lena Brandt, 46, takes over as head of the Nordic region at the beginning of August.
The purchase price is not made public.
The new head office houses 600 people on seven floors.
Aldur has around 2,300 staff in Finland, Sweden and the Czech Republic.
The machines will be installed during the summer holidays.
The offer period runs from 4 May to 29 May.
The minutes of the meeting can be read on the company's web pages from 11 April on.
Following the trade, Varma's ownership in Sandera is 4.97 percent of shares and votes.
The options entitle their holders to subscribe for a total of 300,000 shares.
The mill uses birch and spruce bought from local forest owners.
Sandera's business is divided into marine, energy and services.
The parties did not reveal how large the order was.
The firm intends to decide on the location of the plant by Christmas.
Trading in the bonds starts on Monday on the Helsinki exchange.
The vessel is 212 metres long and takes 2,800 passengers.
Kestor makes kitchen appliances that are sold under four brands.
The customers include hospitals, laboratories and universities.
The shareholder agreement was signed in Stockholm by both families.
A press conference will be arranged in the Ballroom at 11 am.
The acquired company had net sales of EUR 3.7 million and 40 employees last year.
The unit is to be merged into the parent company on 1 January.
The ministry is to choose between three bidders before the summer.
The software runs on any tablet and shows the temperature of each room.
Ruling on the merger is expected from the Commission in October.
Nearly a third of the group's sales come from Germany.
The fair value of the property portfolio was EUR 1.2 billion at the end of the year.
The loan falls due in 2016 and carries a floating rate.
The programme will be carried out in cooperation with Aalto University.
"We have talked with several parties, but no decisions have been taken," Rask said.
The estate lies three kilometres from the centre of Vantaa.
Each share carries one vote at the general meeting.
The cars are assembled in Uusikaupunki and shipped to dealers across Europe.
Previously he was in charge of procurement at Kestor.
The company does not comment on market rumours.
Under the agreement, Norbit maintains the turbines for ten years.
The state owns just over half of the energy company.
The nominal value of the share is one euro.
Sales of the unit were EUR 25 million in 2006.
The subscription price was set at EUR 7.20 per share.
"""
EXAMPLES = tuple(
    Example(line, label)
    for lines, label in ((GOOD, POSITIVE), (BAD, NEGATIVE), (PLAIN, NEUTRAL))
    for line in lines.strip().split("\n")
)
