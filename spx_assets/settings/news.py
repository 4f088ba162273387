"""Settings of news: providers, identity of articles, sentiment, signals.

Belongs here: names, types, defaults. Does not: any behaviour that a setting switches.
"""

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr


class GdeltSettings(BaseModel):
    url: str = Field("https://api.gdeltproject.org/api/v2/doc/doc", description="address of the provider")
    query: str = Field(
        '("stock market" OR "federal reserve" OR "wall street") sourcelang:english', description="GDELT DOC 2.0 query"
    )
    pace_s: float = Field(5.0, ge=0, description="seconds between two calls: GDELT asks for one every five")
    timeout_s: float = Field(30.0, description="how long one answer of the provider may take")


class RssSettings(BaseModel):
    urls: tuple[str, ...] = Field((), description="addresses of RSS or Atom feeds")
    timeout_s: float = Field(20.0, description="how long one answer of the provider may take")


class AlphaVantageSettings(BaseModel):
    key: SecretStr = Field(SecretStr(""), description="account key; without one the provider is not asked")
    url: str = Field("https://www.alphavantage.co/query", description="address of the provider")
    topics: str = Field("financial_markets", description="topics asked for, comma separated")
    tickers: str = Field("", description="tickers asked for, comma separated; empty: any")
    calls_per_day: int = Field(25, ge=1, description="calls the free plan allows in 24 hours")
    timeout_s: float = Field(20.0, description="how long one answer of the provider may take")


class FinnhubSettings(BaseModel):
    token: SecretStr = Field(SecretStr(""), description="account token; without one the provider is not asked")
    url: str = Field("https://finnhub.io/api/v1", description="address of the provider")
    symbol: str = Field("", description="company whose news are asked for; empty: general market news")
    calls_per_minute: int = Field(60, ge=1, description="calls the free plan allows in a minute")
    timeout_s: float = Field(20.0, description="how long one answer of the provider may take")


class NewsSimulatorSettings(BaseModel):
    seed: int = Field(11, description="what the simulated newsroom draws from")
    per_day: float = Field(40.0, ge=0, description="mean number of articles of a trading day")


class NewsSettings(BaseModel):
    model: str = Field("embedded", description="sentiment model: embedded, a hub name (ProsusAI/finbert) or a folder")
    batch: int = Field(64, ge=1, description="texts scored together by a transformers model; halved when memory runs out")
    precision: str = Field("bf16", pattern="^(bf16|float32)$", description="of a transformers model")
    threads: int = Field(2, ge=1, description="texts that the embedded scorer scores at a time")
    bodies: bool = Field(
        False, description="fetch the pages of new articles of live providers for their text, where robots.txt allows it"
    )
    same_story_h: float = Field(48.0, gt=0, description="hours within which a like title is the same story")
    same_story_score: float = Field(90.0, gt=0, le=100, description="rapidfuzz token ratio from which two titles are one story")
    relevance: dict[str, dict[str, Annotated[float, Field(ge=0, le=1)]]] = Field(
        {}, description="by instrument, phrases and how much an article that holds one is about it; 0 takes a built-in phrase out"
    )
    max_poll_age_s: int = Field(7200, description="age of a live provider's last successful poll from which its news are stale")
    drop: str = Field("", description="folder watched for article files; empty: `news-drop` in the home")
    live: tuple[str, ...] = Field((), description="providers that the online job polls")
    poll_pause_s: int = Field(300, ge=0, description="a provider heard within so many seconds is not asked again by the next run")
    online: bool | None = Field(
        None, description="the schedule of the online job is on from the start; unset: under `spx up` where providers are live"
    )
    watch: bool | None = Field(
        None, description="the sensor on the drop folder is on from the start; unset: under `spx up` in any home"
    )
    gdelt: GdeltSettings = GdeltSettings()
    rss: RssSettings = RssSettings()
    alphavantage: AlphaVantageSettings = AlphaVantageSettings()
    finnhub: FinnhubSettings = FinnhubSettings()
    simulator: NewsSimulatorSettings = NewsSimulatorSettings()
