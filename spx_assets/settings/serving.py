"""Settings of the service.

Belongs here: what `spx serve` can be told, each room's own group of settings as a model of its own. Does not: what the rooms do.
"""

from pydantic import BaseModel, Field


class ServingSettings(BaseModel):
    host: str = "127.0.0.1"
    port: int = 8000
    max_bar_age_s: int = Field(300, description="oldest bar a live forecast may start from, seconds")
    signal_threshold: float = Field(0.6, ge=0.5, le=1, description="confidence from which the signal is buy or sell")
    poll_s: float = Field(1.0, description="how often the model store and the lake are looked at for something new")
