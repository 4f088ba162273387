"""Settings of the market data providers.

Belongs here: names, types, defaults. Does not: any behaviour that a setting switches.
"""

from pydantic import BaseModel, Field, SecretStr


class SimulatorSettings(BaseModel):
    seed: int = Field(7, description="what the simulated market draws from")
    days: int = Field(120, ge=1, description="trading days of history before the fixed end, the open last day included")
    edge: float = Field(1.0, ge=0.0, description="strength of the planted drift: 0 is a driftless walk, 1 the documented default")
    volatility: float = Field(1.0, gt=0.0, description="multiplies the volatility of every bar")
    spread: float = Field(1.0, gt=0.0, description="multiplies the quoted spread of every bar")


class OandaSettings(BaseModel):
    token: SecretStr = Field(SecretStr(""), description="account token of the practice or live environment")
    url: str = Field("https://api-fxpractice.oanda.com", description="address of candles; the practice environment by default")
    timeout_s: float = Field(20.0, description="how long one answer may take")
    account: str = Field("", description="account whose prices are streamed, e.g. 101-004-1234567-001")
    stream_url: str = Field("https://stream-fxpractice.oanda.com", description="address of the price stream")
    silence_s: float = Field(12.0, gt=0, description="silence after which a price stream is taken for broken; it beats every 5 s")


class DukascopySettings(BaseModel):
    url: str = Field("https://datafeed.dukascopy.com/datafeed", description="address of the minute files")
    timeout_s: float = Field(20.0, description="how long one answer may take")
