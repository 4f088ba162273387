"""The page at `/`: its text, and the policy under which a browser shows it.

Belongs here: who gets the page and who the API information, the template, the headers. Does not: numbers (they come from the
routes once the page is there), the files it loads (`files`).

The policy lets run what this origin serves as a file, and nothing else: no inline script, no `eval`. plotly.js keeps to that, and
sets styles through the CSSOM, which no policy forbids. It also inserts two constant style elements when it loads, an empty one
and the controls of its maps, which are let through by their digests.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from serving.dashboard.files import Files
from serving.service import Service

if TYPE_CHECKING:
    from jinja2 import Template

_PLOTLY_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-gG0b4ixT/IQUp7JJLbyKcpYcYDjq2Wp8NGv3f+aasqo='",
)
POLICY: Final = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {' '.join(_PLOTLY_STYLES)}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
REPORT_POLICY: Final = (
    "sandbox allow-scripts allow-popups; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; worker-src blob:; connect-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""A drift report is what Evidently wrote, with scripts inline: in a sandbox without an origin it can ask for nothing here."""
HEADERS: Final[Mapping[str, str]] = {"content-security-policy": POLICY, "vary": "Accept", "cache-control": "no-cache"}


def wanted(accept: str) -> bool:
    """Whether a caller is a browser that shows pages: it names HTML, and not JSON before it."""
    html, json = accept.find("text/html"), accept.find("application/json")
    return html >= 0 and not 0 <= json < html


class Page:
    """The page of one service."""

    def __init__(self, service: Service, files: Files, version: str) -> None:
        self._service, self._files, self._version = service, files, version

    @cached_property
    def _template(self) -> "Template":
        # Imported by the first who looks: a service whose page nobody opens spares 3 MB and 60 ms.
        from jinja2 import Environment, PackageLoader, StrictUndefined

        found = Environment(
            loader=PackageLoader("serving.dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return found.get_template("page.html.j2")

    def text(self) -> str:
        """The page, with what is known without a look at the lake."""
        settings = self._service.settings
        choices: dict[str, list[int]] = {name: [] for name in sorted(self._service.vectors.live)}
        for instrument, horizon in sorted(self._service.by_default()):
            choices.setdefault(instrument, []).append(horizon)
        return self._template.render(
            build=self._files.build,
            version=self._version,
            choices=choices,
            production=settings.serving.mode == "production",
            dagster_url=settings.serving.dagster_url,
        )
