"""TLS of the proxy, by setting: with a certificate made here, renewed without a restart, refused where it is absent.

Belongs here: that one promise. Does not: what else the containers must do (`steps`).
"""

import ssl
import subprocess
from pathlib import Path

import httpx

from spx_assets_tests.compose.stack import PROXY, Stack, StackError, until

SECURE = PROXY.replace("http://", "https://")
ASKED = {"instrument": "SPX500_USD"}


def spoken_by_setting(stack: Stack, key: str) -> str:
    lacking = stack.compose("run", "--rm", "--no-deps", "-e", "NGINX_TLS=1", "nginx", check=False)
    if "NGINX_TLS=1 needs /certs/tls.crt" not in lacking:
        raise StackError(f"without a certificate nginx said: {lacking[-500:]}")
    certs = stack.folder / "certs"
    certs.mkdir()
    _certificate(certs)
    stack.compose("up", "--detach", "nginx", env={"NGINX_TLS": "1", "NGINX_CERTS": str(certs)})
    try:
        until(lambda: _ask(certs, key).status_code == httpx.codes.OK, "a forecast over TLS", 60)
        version = _ask(certs, key).http_version
        sent = httpx.get(f"{PROXY}/docs", timeout=10)
        if (sent.status_code, sent.headers.get("location")) != (308, f"{SECURE}/docs"):
            raise StackError(f"plain HTTP on the port of TLS: {sent.status_code} {dict(sent.headers)}")
        before = _serial()
        _certificate(certs)
        stack.signal("nginx", "HUP")
        took = until(lambda: _serial() != before, "the renewed certificate shown", 30)
        renewed = _ask(certs, key)
    finally:
        stack.compose("up", "--detach", "nginx")
    until(lambda: httpx.get(f"{PROXY}/health/live", timeout=5).status_code == httpx.codes.OK, "plain HTTP again", 60)
    if renewed.status_code != httpx.codes.OK:
        raise StackError(f"after the renewal: {renewed.status_code}")
    return f"forecast over {version} with TLS, plain HTTP sent on by 308, renewed by HUP in {took:.1f} s; refused without files"


def _certificate(folder: Path) -> None:
    """A self-signed one for this machine, in the place of an earlier one; readable for the user of the container."""
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    made = ("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt"), "-days", "2")
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subprocess.run(["openssl", "req", "-x509", *kind, *made, *names], check=True, capture_output=True)
    (folder / "tls.key").chmod(0o644)


def _ask(folder: Path, key: str) -> httpx.Response:
    trusted = ssl.create_default_context(cafile=str(folder / "tls.crt"))
    with httpx.Client(base_url=SECURE, verify=trusted, headers={"x-api-key": key}, timeout=10) as client:
        return client.post("/predict", json=ASKED)


def _serial() -> str:
    return ssl.get_server_certificate(("127.0.0.1", int(PROXY.rpartition(":")[2])))
