"""What the service says of its own state.

Belongs here: problems in words, from models, vectors and refreshes. Does not: judging them (`model_store`, `freshness`).
"""

from typing import TYPE_CHECKING

from serving.contracts import Health

if TYPE_CHECKING:
    from serving.service import Service


def report(service: "Service") -> Health:
    """healthy, or degraded with everything that is wrong."""
    models, vectors = service.models, service.vectors
    problems = models.problems()
    problems += [f"{name}: {why}" for name, why in vectors.failed.items()]
    if vectors.unreadable:
        problems.append(f"lake: {vectors.unreadable}")
    else:
        covered = {name for model in models.models.values() for name in model.manifest.instruments}
        silent = sorted(covered - vectors.vectors.keys() - vectors.failed.keys())
        problems += [f"{name}: has no feature vector yet" for name in silent]
    if any(model.news for model in models.models.values()):
        stale = {name: vectors.stale_news(vector) for name, vector in vectors.vectors.items()}
        problems += [f"{name}: {why}" for name, why in stale.items() if why]
    problems += service.ledger.problems()
    problems += service.stream.problems()
    if service.audit.problem:
        problems.append(service.audit.problem)
    if not models.models:
        problems.append("no model is loaded; train one with `spx train`")
    if service.refresh.defect:
        problems.append(
            f"models and features: {service.refresh.defects} refreshes in a row failed: {service.refresh.defect}; "
            "the log has the traceback"
        )
    return Health(
        status="degraded" if problems else "healthy",
        timestamp=service.now(),
        models_loaded=len(models.models),
        models=list(models.models),
        instruments={name: vector.ts for name, vector in vectors.vectors.items()},
        problems=problems,
        stream=service.stream.brings,
        manual={name: told.words for name, told in models.manual.items()},
    )
