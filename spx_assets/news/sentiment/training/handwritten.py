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
Norbit ( OSL : NOR ) secured a follow-on order from the Indonesian coast guard , worth about USD 8 mn .
January-June pre-tax earnings came to EUR 6.9 mn , as against EUR 5.1 mn for the first half of 2005 .
Deliveries of tugboats to the Port of Santos nearly doubled .
EBITDA margin widened by 2.1 percentage points to 17.4 % .
Vesla is adding a second shift at its Kaunas works , as the order intake from carmakers keeps growing .
Revenue at the clinics chain crept up to SEK 911 mn , some 3 % ahead of the year before .
Brokerage Hallmann lifted Aldur to " outperform " from " market perform " .
The tie-up with the Korean partner opens the door to hospitals throughout South-East Asia for Sandera .
The investment pays for itself within two years , as heat that was let into the river now warms the town .
Danish brewer Rautia doubled operating profit in the three months to September .
In Lithuania , the company passed its largest rival and is now number one in frozen food .
The state railways renewed their maintenance agreement with Telvik for another seven years .
The new paper grade has been well received by printers in Benelux , the sales director said .
The Finnish crane maker will hand over six harbour cranes to Valparaiso , its first order from Chile .
The lender reported net fee income of DKK 402 mn , beating the average estimate of DKK 377 mn .
The loading rate on Asian routes climbed by 3.4 points to 81.2 per cent .
The regulator 's ruling lets Kestor keep EUR 30 million more each year .
Thanks to the merger , annual purchases become some EUR 15 million cheaper .
The company 's shares were 6.1 % firmer at EUR 9.35 by midday .
The chain expects like-for-like sales to pick up towards the end of the year .
Our cash position is the strongest it has been for a decade , says Hanna Rask .
The software house signed up 45 municipalities in the spring alone .
The Commission cleared the purchase of Polar Foods without conditions , which lets Rautia begin with the planned savings .
With the additional boats , the ferry operator can take a third more lorries across the Gulf .
Aldur was picked as preferred bidder for the EUR 90 million hospital in Gothenburg .
Underlying result of the mill 's owner improved by EUR 2.2 million on an annual basis .
The production bottleneck is now gone , and customers get their boilers in six weeks instead of ten .
Mobile data sales made a leap of 38 pct .
The municipality chose Sandera 's trams because they use a quarter less power than the others on offer .
The court dismissed the claims of EUR 44 million against the dredging company .
The plant will create 60 new jobs in Joensuu over two years .
Net interest income advanced 9 % , and write-offs stayed low .
The bioenergy unit made a profit for the first time since it was set up .
Following the upgrade , the saw line turns out 15 % more boards per hour .
Kestor now foresees a full-year profit exceeding its earlier estimate .
The two operators agreed to share masts , which brings down the costs of both .
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
Profit for the three months to end-March came to EUR 0.9 mn , down from EUR 3.0 mn in the same quarter of 2008 .
Norbit ( OSL : NOR ) will have to let 40 engineers go in Trondheim .
The number of overnight stays was 8 % smaller than in January last year .
Because of the weak rouble , Russian shoppers stayed away from the border stores .
Hallmann lowered its recommendation on Vesla to " reduce " .
The group no longer believes it can reach the margin it set out two years ago .
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
Finnish pump maker Aldur ( HEL : ALD1V ) is to take part in the trade fair in Hanover .
Norbit 's shares are quoted on the Oslo exchange 's main list .
The new ferry is named M/S Aurelia and will sail between Tallinn and Mariehamn .
Kestor has divested its 30 % holding in the Danish wholesaler Brix & Holm .
The handsets come in black , silver and burgundy .
The lease runs for fifteen years and covers two floors of the Pasila tower .
The board will propose to the meeting that five members be elected .
Varma has transferred 1.2 million of its class B shares to its subsidiary .
Vesla buys the land from the city and intends to rent it to small workshops .
The project is financed by the Nordic Investment Bank and three local lenders .
No compensation is paid for the shares annulled .
The company operates 42 petrol stations between Rovaniemi and Oulu .
The fund invests in mid-sized food companies in Poland and Hungary .
Sandera 's supervisory board has eleven members , four of whom represent the staff .
Trading code of the share is ALD1V .
Customers can order the service by sending a text message .
Total floor space of the complex comes to 31,000 square metres , of which shops take up two thirds .
The acquisition has to be approved by the Estonian competition board .
Negotiations with the other shareholders go on .
The deal comprises planning , equipment , erection and start-up .
In 2009 , the shipyard group had a turnover of EUR 148 million .
The value of the transaction was approximately EUR 5 mn .
Of the sum , one half is paid at closing and the other in January 2012 .
The programme began in 2004 and involves eight universities .
In the new organisation there are three divisions , each with its own managing director .
The final dividend for 2010 will be decided by the general meeting in April .
The brand is owned by Rautia , and the beer is brewed under licence in Riga .
The subsidiary will report to Hanna Rask .
Her successor will be named later .
The paper machine in question has an annual capacity of 280,000 tonnes .
Aldur has chosen Ernst Wiklund as project manager for the bridge in Turku .
Operating profit excluding one-off items totalled EUR 5.2 mn in January-March 2011 .
Handelsfonden 's stake now stands at 10.02 % of Norbit 's voting rights .
The stock exchange bulletin with all tables is attached to this release .
The rights to the drug in Japan belong to Kimura Pharma .
The centre is to be finished in time for the 2012 Christmas season .
Norwegian Telvik has been the sole owner of the network since 1998 .
The survey shows that one Finn in five reads the paper on a telephone .
The company said the offer was not solicited .
The conversion of the convertible bond led to 410,000 new shares .
The mine holds an estimated 3.1 million ounces of silver .
The machine can be connected to any office network .
Kestor leases the warehouse to a Belgian logistics company .
The statement of the auditors is on page 58 of the annual report .
The vessels fly the Swedish flag .
The parties have agreed to keep the terms confidential .
The decision is to be taken at a meeting on Thursday .
Vesla 's product range covers helmets , gloves and goggles .
The new district will have homes for some 9,000 people .
Rask joined the company in 1994 and has been on its executive team since 2001 .
Sales have been booked in the first quarter .
The city has asked seven architects for a plan of the harbour quarter .
The financing arrangement replaces a credit facility of EUR 50 million signed in 2006 .
The technology is based on near-infrared light .
Construction is carried out by Skoog Bygg .
The company plans no changes in the staff of the units it has bought .
At the close of trading the share cost EUR 14.20 .
The tender covers meals for schools in Espoo and Kauniainen .
The book describes the history of the mill from 1870 to our days .
Both companies will go on as separate legal entities .
The Baltic business will be run from Riga .
Aldur expects its 2012 result to be about the same as that of 2011 .
A wage agreement for the paper industry will be negotiated in the autumn .
Holders of the B share have one tenth of a vote per share .
The investment is part of the ten-year plan published in 2005 .
The publisher has six magazines for children .
The tests are due to start in June with 200 patients .
Telvik 's customers include the post office and two of the largest banks .
The joint venture is owned 60 % by Sandera and 40 % by its Chinese partner .
The store is on the ground floor of the Galleria centre in Vilnius .
The parent company 's name will be Rautia Group plc from 1 May .
The loan was raised to refinance debts that fall due in the summer .
The ship was built in Rauma in 1992 .
The price of the option right depends on the price of the share in May .
Nobody at Vesla could be reached for comment on Sunday .
The group 's headcount was 4,310 at the end of the period .
Norbit did not give figures for its separate business areas .
Finland , Sweden and Estonia are the company 's home markets .
The authorities received both applications in October .
Under the scheme , one share is given for every two that an employee buys .
"""
EXAMPLES = tuple(
    Example(line, label)
    for lines, label in ((GOOD, POSITIVE), (BAD, NEGATIVE), (PLAIN, NEUTRAL))
    for line in lines.strip().split("\n")
)
