"""What instruments hang on: phrases by topic, by currency and by index.

Belongs here: the phrases, in the form `titles.words` gives ("S&P 500" is "s p 500", "U.S." is "u s"). Does not: weights, counting
(`relevance`).
"""


def _phrases(text: str) -> frozenset[str]:
    return frozenset(" ".join(phrase.split()) for phrase in text.split(","))


MARKETS = _phrases(
    """stocks, shares, stock market, stock markets, equities, equity markets, investors, traders, bull market, bear market,
    markets, market, earnings, earnings season, profit warning, bond yields, bonds, volatility, vix, selloff, sell off, rally,
    futures, risk appetite, safe haven, oil prices, crude, credit spreads, global growth, trade war, tariffs"""
)

# Central bank, its people, figures of the economy: what moves a currency and the shares of its country together.
MACRO = {
    "USD": _phrases(
        """fed, federal reserve, fomc, powell, yellen, bernanke, jackson hole, beige book, nonfarm payrolls, payrolls,
        jobs report, jobless claims, u s jobs, us jobs, u s inflation, us inflation, cpi, pce, core inflation, consumer prices,
        u s gdp, us gdp, u s economy, us economy, treasury yields, treasury yield, treasuries, 10 year yield, yield curve, ism,
        retail sales, consumer confidence, consumer sentiment, debt ceiling, government shutdown, rate hike, rate hikes, rate cut,
        rate cuts, interest rates, recession, dollar"""
    ),
    "EUR": _phrases(
        """ecb, european central bank, lagarde, draghi, euro zone, eurozone, euro area, euro, bund, bunds, bundesbank, ifo, zew,
        hicp, german gdp, german economy, italian bonds, btp"""
    ),
    "GBP": _phrases("boe, bank of england, mpc, carney, bailey, sterling, pound, gilt, gilts, uk inflation, uk gdp, uk economy"),
    "JPY": _phrases("boj, bank of japan, kuroda, ueda, yen, jgb, jgbs, tankan, yield curve control, japan inflation, japan gdp"),
    "AUD": _phrases("rba, reserve bank of australia, aussie dollar, australian dollar, iron ore, australian economy"),
    "CAD": _phrases("bank of canada, boc, loonie, canadian dollar, canadian economy"),
    "CHF": _phrases("snb, swiss national bank, swiss franc, franc"),
    "CNY": _phrases("pboc, people s bank of china, yuan, renminbi, china gdp, china pmi, chinese economy, china economy"),
}

COUNTRY = {
    "USD": _phrases(
        """u s, us, usa, united states, america, american, americans, washington, white house, congress, senate, trump, biden,
        obama, treasury, sec, wall street"""
    ),
    "EUR": _phrases("europe, european, eu, germany, german, france, french, italy, italian, spain, spanish, brussels, greece"),
    "GBP": _phrases("uk, u k, britain, british, united kingdom, england, london, brexit, downing street"),
    "JPY": _phrases("japan, japanese, tokyo"),
    "AUD": _phrases("australia, australian, sydney, canberra"),
    "CAD": _phrases("canada, canadian, ottawa, toronto"),
    "CHF": _phrases("switzerland, swiss, zurich"),
    "CNY": _phrases("china, chinese, beijing"),
}

_US_INDICES = _phrases(
    "wall street, u s stocks, us stocks, american stocks, u s equities, us equities, stock futures, us futures"
)
_SPX = _phrases("s p 500, s p500, sp500, s p, spx, spy, dow, dow jones, djia, nasdaq, russell 2000") | _US_INDICES
_NAS = (
    _phrases("nasdaq, nasdaq 100, qqq, ndx, tech stocks, big tech, faang, technology shares, chipmakers, chip stocks")
    | _US_INDICES
)
_RUT = _phrases("russell 2000, small caps, small cap stocks") | _US_INDICES
_DOW = _phrases("dow, dow jones, djia, blue chips, industrial average") | _US_INDICES

# The fifteen or so companies that make up a third of the index; `SPX_NEWS__RELEVANCE` adds others.
_HEAVY = _phrases(
    """apple, aapl, microsoft, msft, nvidia, nvda, amazon, amzn, alphabet, google, googl, facebook, meta, tesla, tsla,
    berkshire hathaway, berkshire, buffett, jpmorgan, jp morgan, johnson johnson, exxon, exxonmobil, visa, unitedhealth,
    procter gamble, broadcom, eli lilly, bank of america, goldman, goldman sachs, boeing, netflix, intel"""
)
_TECH = _phrases(
    "apple, microsoft, nvidia, amazon, alphabet, google, facebook, meta, tesla, netflix, broadcom, intel, amd, adobe"
)

# Symbol without its quote currency -> (currency of its country, its names, its members).
INDICES: dict[str, tuple[str, frozenset[str], frozenset[str]]] = {
    **dict.fromkeys(("SPX500", "US500", "SPX", "SPY", "ES", "VOO"), ("USD", _SPX, _HEAVY)),
    **dict.fromkeys(("NAS100", "US100", "NDX", "QQQ", "NQ"), ("USD", _NAS, _TECH)),
    **dict.fromkeys(("US30", "DJI", "DIA", "YM"), ("USD", _DOW, _HEAVY)),
    **dict.fromkeys(("US2000", "RUT", "IWM"), ("USD", _RUT, _HEAVY)),
    **dict.fromkeys(("DE30", "DE40", "GER40"), ("EUR", _phrases("dax, german stocks, german shares"), _phrases("sap, siemens"))),
    **dict.fromkeys(("UK100",), ("GBP", _phrases("ftse, ftse 100, uk stocks, british shares"), _phrases("hsbc, bp, shell"))),
    **dict.fromkeys(("JP225",), ("JPY", _phrases("nikkei, topix, japanese stocks"), _phrases("toyota, sony, softbank"))),
}

CURRENCY_NAMES = {
    "USD": _phrases("dollar, greenback, dollar index, usd"),
    "EUR": _phrases("euro, eur"),
    "GBP": _phrases("sterling, pound, gbp, cable"),
    "JPY": _phrases("yen, jpy"),
    "AUD": _phrases("aussie, australian dollar, aud"),
    "CAD": _phrases("loonie, canadian dollar, cad"),
    "CHF": _phrases("franc, swiss franc, chf"),
    "CNY": _phrases("yuan, renminbi, cny"),
}
