"""`make compose-test`: every promise in turn, a line each; exit code 1 at the first that is broken."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from spx_assets_tests.compose import steps, tls
from spx_assets_tests.compose.stack import PROXY, Stack, StackError, no_engine


def main() -> int:
    if reason := no_engine():
        print(f"skipped: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        stack.compose("down", "--volumes", "--remove-orphans", check=False)
        try:
            if "--no-build" not in sys.argv:
                stack.compose("build")
            _try(stack)
        except StackError as error:
            print(f"broken: {error}")
            print(stack.compose("logs", "--tail", "30", check=False)[-12000:])
            return 1
        finally:
            if "--keep" not in sys.argv:
                stack.compose("down", "--volumes", check=False)
    return 0


def _try(stack: Stack) -> None:
    _say("secrets", lambda: steps.refuses_to_start_without_secrets(stack))
    _say("up", lambda: steps.comes_up_from_nothing(stack))
    key = stack.run("serving-blue", "spx", "keys", "create", "desk", "--role", "operator").split()[0]
    with httpx.Client(base_url=PROXY, headers={"x-api-key": key}, timeout=30) as desk:
        _say("graph", lambda: steps.graph_is_made_through_the_ui(stack, desk))
        _say("predict", lambda: steps.forecasts_through_the_proxy(desk))
        _say("canary", lambda: steps.canary_gets_its_share(stack, desk, percent=10, requests=2000))
        _say("cutover", lambda: steps.cutover_and_rollback_drop_nothing(stack, key))
        _say("take back", lambda: steps.green_is_taken_back_when_it_hangs(stack, desk))
        _say("tls", lambda: tls.spoken_by_setting(stack, key))
        _say("kill -9", lambda: steps.each_container_comes_back(stack, desk))
        _say("down, up", lambda: steps.down_and_up_keep_everything(stack, desk))


def _say(name: str, step: Callable[[], str]) -> None:
    start = time.monotonic()
    figures = step()
    print(f"{name:10} {time.monotonic() - start:6.0f} s  {figures}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
