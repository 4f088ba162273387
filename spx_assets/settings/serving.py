"""Settings of the service.

Belongs here: what `spx serve` can be told, each room's own group of settings as a model of its own. Does not: what the rooms do.
"""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr


class RateSettings(BaseModel):
    per_key: float | None = Field(
        None,
        ge=0,
        description="requests a second of one key, each of a batch counts, 0 without limit; unset 500 in production, else 0",
    )
    per_address: float | None = Field(
        None, ge=0, description="requests a second of one address without a valid key, 0 without limit; unset 20, else 0"
    )
    burst_s: float = Field(2.0, gt=0, description="seconds' worth of requests that may come at once")
    callers: int = Field(20_000, ge=1, description="callers remembered, the latest: 20,000 x 200 bytes = 4 MB")


class LimitSettings(BaseModel):
    connections: int = Field(4_096, ge=1, description="open connections of one worker; further ones are answered 503")
    headers: int = Field(64, ge=1, description="header lines of a request; more are answered 431")
    header_bytes: int = Field(16_384, ge=256, description="bytes of a request's line and headers; more are answered 431")
    read_s: float = Field(10.0, gt=0, description="time a request may take to arrive, headers and body; then 408")
    write_s: float = Field(
        20.0, gt=0, description="time in which a client must take something of an answer that waits for it; else it is cut"
    )
    idle_s: int = Field(65, ge=1, description="time a connection may stay open between requests; proxies keep theirs 60 s")


class WebSettings(BaseModel):
    origins: tuple[str, ...] = Field(
        (), description="origins of other sites whose pages may read answers, e.g. https://desk.example"
    )
    hsts_s: int = Field(0, ge=0, description="seconds for which browsers are told to use TLS only; 0: not told")
    session_h: float = Field(12.0, gt=0, description="hours after which a browser that signed in has to give its key again")
    proxies: tuple[str, ...] = Field((), description="addresses or networks whose X-Forwarded-For and -Proto are believed")


class AuditSettings(BaseModel):
    rotate_mb: int = Field(16, ge=1, description="size from which the audit log is put aside: about 80,000 lines")
    keep: int = Field(20, ge=1, description="older audit logs that are kept")


class LedgerSettings(BaseModel):
    sync: Literal["group", "each"] = Field(
        "group", description="group: the journal is synced to the disk every sync_ms; each: before every answer"
    )
    sync_ms: float = Field(50.0, gt=0, description="what a power cut may cost in mode group; a killed process costs nothing")
    flush_s: float = Field(60.0, gt=0, description="how often answers go from the journal into the lake; sooner if 4 MB wait")
    rotate_mb: int = Field(32, ge=1, description="size of a journal file while the lake takes none: 600,000 answers")
    limit_mb: int = Field(
        1024, ge=1, description="journals of the home beyond which answers are refused until the lake takes some"
    )
    settle: bool = Field(True, description="whether the schedule that settles forecasts is on from the start")


class ServingSettings(BaseModel):
    mode: Literal["local", "production"] = Field(
        "local", description="local: reads are open, on loopback only; production: every call needs a key, rates are limited"
    )
    secret: SecretStr = Field(SecretStr(""), description="what keys are kept under; empty: 32 random bytes in the home")
    rates: RateSettings = RateSettings()
    limits: LimitSettings = LimitSettings()
    web: WebSettings = WebSettings()
    ledger: LedgerSettings = LedgerSettings()
    audit: AuditSettings = AuditSettings()
    dagster_url: str = Field("http://127.0.0.1:3000", description="Dagster's webserver, which starts what is asked for over HTTP")
    dagster_timeout_s: float = Field(10.0, gt=0, description="how long one question to it may take")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    workers: int = Field(1, ge=1, description="processes that answer, each with its own models, vectors and journal")
    alias: Literal["champion", "challenger"] = Field(
        "champion", description="who answers: the champion, or the newest challenger and the champion while there is none"
    )
    max_bar_age_s: int = Field(300, description="oldest bar a live forecast may start from, seconds")
    signal_threshold: float = Field(0.6, ge=0.5, le=1, description="confidence from which the signal is buy or sell")
    poll_s: float = Field(1.0, description="how often the model store and the lake are looked at for something new")
