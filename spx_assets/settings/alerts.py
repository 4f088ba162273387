"""Settings of alerts: who is told, how often, and the limits that the service and the machine are held to.

Belongs here: names, types, defaults. Does not: raising or delivering an alert (`monitoring.alerts`).
"""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

Severity = Literal["info", "warning", "critical"]

COOL_DOWNS_MIN = {"promotion": 0.0, "digest": 0.0, "test": 0.0, "run_failure": 15.0, "drift": 360.0, "degradation": 360.0}
"""A promotion is always told; a measure of a day is told once in the six hours after which retraining may follow it."""


class AlertSettings(BaseModel):
    on: bool = Field(False, description="whether the alert sensors and schedules run from the start; `spx up` switches them on")
    channels: dict[str, SecretStr] = Field(
        {},
        description="where alerts go, an apprise URL a name: SPX_ALERTS__CHANNELS__MAIL=mailtos://user:password@host?to=ops@host",
    )
    min_severity: Severity = Field("info", description="what is below is kept and told in the digest alone")
    cool_down_min: float = Field(60.0, ge=0, description="minutes after a delivery in which others of its kind are held")
    cool_downs_min: dict[str, float] = Field({}, description='the same for one kind, as JSON: {"drift": 360}')
    attempts: int = Field(6, ge=1, description="deliveries tried before one is given up: with 60 s doubling, half an hour")
    backoff_s: float = Field(60.0, gt=0, description="pause after the first failed delivery; doubled after each further one")
    stale_h: float = Field(24.0, gt=0, description="age from which an alert that nobody was told of goes to the digest alone")
    timeout_s: float = Field(20.0, gt=0, description="how long one message over one channel may take")
    attachment_mb: float = Field(10.0, gt=0, description="largest report that is attached; a larger one is only named")
    digest_hour: int = Field(18, ge=0, le=23, description="hour of the daily digest, New York: after the trading day's close")
    service_url: str = Field("", description="the service whose /metrics are watched, http://host:8000; empty: none")
    service_key: SecretStr = Field(SecretStr(""), description="a viewer's key for it, where it runs in production mode")
    latency_ms: float = Field(500.0, gt=0, description="latency that at most one answer in twenty may exceed")
    error_share: float = Field(0.05, gt=0, lt=1, description="largest share of answers that may be errors of the service (5xx)")
    min_requests: int = Field(20, ge=1, description="answers between two looks below which their shares say nothing")
    cpu_percent: float = Field(
        85.0,
        gt=0,
        le=100,
        description="share of the processors busy over the five minutes between two looks; no shorter peak",
    )
    memory_percent: float = Field(85.0, gt=0, le=100, description="share of the memory in use")
    disk_percent: float = Field(90.0, gt=0, le=100, description="share of the home's disk in use")

    def cool_down_of(self, kind: str) -> float:
        """Minutes for which a delivered alert of this kind keeps others of it quiet."""
        return (COOL_DOWNS_MIN | self.cool_downs_min).get(kind, self.cool_down_min)
