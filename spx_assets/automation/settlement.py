"""The job that settles answered forecasts, and when it runs.

Belongs here: one op, its job, its schedule. Does not: verdicts (`scoring.settlement`), which `spx settle` gives as well.

It is no asset: a forecast is answered at any time and settled an hour later, whatever week that is, and only ever added to.
"""

from datetime import UTC, datetime

import dagster as dg

from spx_assets.lake import Lake
from spx_assets.scoring import settlement
from spx_assets.settings import Settings

NAME = "settle"


@dg.op(
    name="settle_forecasts",
    required_resource_keys={"settings"},
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS),
    out=dg.Out(dg.Nothing),
)
def _settle(context: dg.OpExecutionContext) -> None:
    """Judges every answered forecast whose horizon has passed; their realised returns go to serving.outcomes."""
    done = settlement.settle(Lake.open(context.resources.settings), now=datetime.now(UTC))
    context.log.info("verdicts: %s; waiting: %d", done.verdicts or "none", done.waiting)


@dg.job(name=NAME, description="Settle the forecasts that were answered and whose horizon has passed.")
def settle() -> None:
    _settle()


def schedule(settings: Settings) -> dg.ScheduleDefinition:
    """`settle` every 15 minutes, where there is something to judge."""

    @dg.schedule(
        name=NAME,
        job_name=NAME,
        cron_schedule="7-59/15 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.serving.ledger.settle else dg.DefaultScheduleStatus.STOPPED,
        description="Every 15 minutes settles the forecasts whose horizon has passed, if there are any.",
    )
    def quarterly(_: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        waiting = settlement.due(Lake.open(settings, read_only=True))
        return dg.RunRequest() if waiting else dg.SkipReason("no answered forecast waits whose bars have come")

    return quarterly
