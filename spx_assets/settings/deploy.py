"""Settings of two services behind one address: where the split lies, and when the newer one is taken back.

Belongs here: names, types, defaults. Does not: changing the split or judging by it (`serving.rollout`).
"""

from pydantic import BaseModel, Field, SecretStr


class DeploySettings(BaseModel):
    folder: str = Field("", description="folder of the split that the proxy reads; empty: `deploy` in the home")
    blue_url: str = Field("http://127.0.0.1:8001", description="the service that follows the champion")
    green_url: str = Field("http://127.0.0.1:8002", description="the service that follows the challenger")
    key: SecretStr = Field(SecretStr(""), description="a viewer's key for both, where they run in production mode")
    interval_s: float = Field(5.0, gt=0, description="how often the metrics of both are read")
    window_s: float = Field(60.0, gt=0, description="how long back green is compared with blue")
    min_requests: int = Field(50, ge=1, description="answers in the window below which a colour is not judged")
    error_share: float = Field(0.02, gt=0, lt=1, description="by how much green's share of failed answers may exceed blue's")
    latency_ratio: float = Field(1.5, ge=1, description="how many times blue's p95 latency green's may be")
    latency_floor_ms: float = Field(5.0, ge=0, description="difference of p95 latencies that is taken for noise")
    unreachable: int = Field(
        3, ge=1, description="looks in a row at which green did not answer, blue did, and green is taken back"
    )
    timeout_s: float = Field(2.0, gt=0, description="how long one look may take")
