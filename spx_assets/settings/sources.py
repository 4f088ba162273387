"""Settings of the market data providers.

Belongs here: names, types, defaults. Does not: any behaviour that a setting switches.
"""

from pydantic import BaseModel, Field, SecretStr


class SimulatorSettings(BaseModel):
    seed: int = 7
    days: int = Field(120, ge=1, description="trading days of history before the fixed end, the open last day included")
    edge: float = Field(1.0, ge=0.0, description="strength of the planted drift: 0 is a driftless walk, 1 the documented default")
    volatility: float = Field(1.0, gt=0.0, description="multiplies the volatility of every bar")
    spread: float = Field(1.0, gt=0.0, description="multiplies the quoted spread of every bar")


class OandaSettings(BaseModel):
    token: SecretStr = SecretStr("")
    url: str = "https://api-fxpractice.oanda.com"
    timeout_s: float = 20.0
    account: str = Field("", description="account whose prices are streamed, e.g. 101-004-1234567-001")
    stream_url: str = "https://stream-fxpractice.oanda.com"
    silence_s: float = Field(12.0, gt=0, description="silence after which a price stream is taken for broken; it beats every 5 s")


class DukascopySettings(BaseModel):
    url: str = "https://datafeed.dukascopy.com/datafeed"
    timeout_s: float = 20.0
