"""Dagster as its webserver's GraphQL endpoint shows it: which runs are under way, starting one.

Belongs here: queries, and what may go wrong with them. Does not: HTTP routes, which assets (`routes`).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from filelock import FileLock, Timeout

from serving.problems import DagsterUnavailable, HomeUnwritable, RetrainRunning
from spx_assets.settings import Settings

if TYPE_CHECKING:
    import httpx  # 0.1 s and 10 MB, which a service nobody tells to train need not have

JOB = "retrain"
UNDER_WAY = ("QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING")
PARTITION_TAG = "dagster/partition"
LOOK_S = 0.02
TURNS = 3
"""Answers of Dagster that a call waits for: two of the call before it, and one to spare."""
FIND = """
query($filter: RunsFilter!) {
  repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { name location { name } pipelines { name } } }
    ... on PythonError { message }
  }
  runsOrError(filter: $filter, limit: 1) {
    __typename
    ... on Runs { results { runId status } }
    ... on PythonError { message }
  }
}"""
START = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId status } }
    ... on Error { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""


@dataclass(frozen=True)
class Run:
    """A run that was started."""

    id: str
    url: str


class Dagster:
    """One webserver. Every method raises DagsterUnavailable where it does not answer as Dagster does."""

    def __init__(self, settings: Settings) -> None:
        serving = settings.serving
        self._url, self._timeout_s = serving.dagster_url.rstrip("/"), serving.dagster_timeout_s
        self._turn = settings.home / "serving" / "retrain.lock"

    async def retrain(self, *, week: str, assets: Sequence[Sequence[str]] | None, tags: dict[str, str]) -> Run:
        """Starts the job for a week, all of it or these assets; RetrainRunning if one is under way.

        One call after the other in all processes of the home: two at once would each find no run.
        """
        async with self._alone(), await asyncio.to_thread(self._client) as client:
            found = await self._ask(client, FIND, {"filter": {"pipelineName": JOB, "statuses": UNDER_WAY}})
            selector = self._selector(found["repositoriesOrError"])
            if running := self._of(found["runsOrError"], "Runs")["results"]:
                run = running[0]
                raise RetrainRunning(
                    f"run {run['runId']} of {JOB} is {run['status']}; wait for it or end it at {self._url}/runs/{run['runId']}"
                )
            if assets is not None:
                selector["assetSelection"] = [{"path": list(path)} for path in assets]
            told = [{"key": key, "value": value} for key, value in {PARTITION_TAG: week, **tags}.items()]
            params = {"selector": selector, "executionMetadata": {"tags": told}}
            made = (await self._ask(client, START, {"params": params}))["launchRun"]
        run_id = self._of(made, "LaunchRunSuccess")["run"]["runId"]
        return Run(run_id, f"{self._url}/runs/{run_id}")

    def _client(self) -> "httpx.AsyncClient":
        """Made beside the event loop: 0.2 s for the first import, 40 ms for the authorities' certificates, where there is TLS."""
        import httpx

        return httpx.AsyncClient(timeout=self._timeout_s, verify=self._url.startswith("https:"))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """While nobody else of the home asks; the kernel ends the turn of a process that dies."""
        lock = FileLock(self._turn, timeout=0)
        deadline = asyncio.get_running_loop().time() + TURNS * self._timeout_s
        while True:
            try:
                self._turn.parent.mkdir(parents=True, exist_ok=True)
                lock.acquire()
                break
            except OSError as error:
                if not isinstance(error, Timeout):
                    raise HomeUnwritable(f"{self._turn} cannot be locked ({error.strerror}); see its permissions") from error
                if asyncio.get_running_loop().time() > deadline:
                    raise RetrainRunning("another call is starting a training; see whether it did, and ask again") from None
                await asyncio.sleep(LOOK_S)
        try:
            yield
        finally:
            lock.release()

    def _selector(self, answer: dict[str, Any]) -> dict[str, Any]:
        for repository in self._of(answer, "RepositoryConnection")["nodes"]:
            if any(job["name"] == JOB for job in repository["pipelines"]):
                names = {"repositoryName": repository["name"], "repositoryLocationName": repository["location"]["name"]}
                return {"jobName": JOB, **names}
        raise self._unavailable(f"has no job {JOB}: its code location failed to load, or it is another project's")

    def _of(self, answer: dict[str, Any], wanted: str) -> dict[str, Any]:
        """The answer, if it is of the type that was wanted."""
        if answer["__typename"] != wanted:
            said = answer.get("message") or "; ".join(error["message"] for error in answer.get("errors", []))
            raise self._unavailable(f"answered {answer['__typename']}: {said[:500]}")
        return answer

    async def _ask(self, client: "httpx.AsyncClient", query: str, variables: dict[str, Any]) -> dict[str, Any]:
        import httpx

        try:
            answer = await client.post(f"{self._url}/graphql", json={"query": query, "variables": variables})
            answer.raise_for_status()
            said = msgspec.json.decode(answer.content)
            data: dict[str, Any] = said["data"]
        except httpx.HTTPError as error:
            raise self._unavailable(f"does not answer ({type(error).__name__}: {error})") from error
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise self._unavailable("does not answer as Dagster's webserver does") from error
        if not isinstance(data, dict) or said.get("errors"):
            raise self._unavailable(f"refused the question: {str(said.get('errors'))[:500]}")
        return data

    def _unavailable(self, why: str) -> DagsterUnavailable:
        return DagsterUnavailable(f"Dagster at {self._url} {why}; start it with `spx up`, or set SPX_SERVING__DAGSTER_URL")
