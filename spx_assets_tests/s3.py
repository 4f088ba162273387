"""A local server that speaks as much of the S3 protocol as a lake uses: objects, ranges, multipart uploads, listings.

Belongs here: the fake service on a real socket. Does not: checking signatures; what is tested on it.
"""

import hashlib
import re
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

import pytest

NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class Bucket(ThreadingHTTPServer):
    """Objects in memory, by `bucket/key`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.unsigned = 0

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Bucket
    protocol_version = "HTTP/1.1"

    def _asked(self) -> tuple[str, dict[str, str]]:
        url = urlsplit(self.path)
        if "AWS4-HMAC-SHA256" not in self.headers.get("Authorization", ""):
            self.server.unsigned += 1
        return unquote(url.path).lstrip("/"), {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_PUT(self) -> None:
        name, query = self._asked()
        body = self._body()
        if "uploadId" in query:
            self.server.parts[query["uploadId"]][int(query["partNumber"])] = body
        else:
            self.server.objects[name] = body
        self._answer(200, ETag=f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')

    def do_POST(self) -> None:
        name, query = self._asked()
        body = self._body().decode(errors="replace")
        if "delete" in query:
            for key in re.findall(r"<Key>(.*?)</Key>", body):
                self.server.objects.pop(f"{name.strip('/')}/{unescape(key)}", None)
            self._answer(200, f"<DeleteResult {NAMESPACE}></DeleteResult>".encode())
            return
        if "uploads" in query:
            upload = uuid.uuid4().hex
            self.server.parts[upload] = {}
            inner = f"<Bucket>b</Bucket><Key>{escape(name)}</Key><UploadId>{upload}</UploadId>"
            self._answer(200, f"<InitiateMultipartUploadResult {NAMESPACE}>{inner}</InitiateMultipartUploadResult>".encode())
            return
        parts = self.server.parts.pop(query["uploadId"])
        self.server.objects[name] = b"".join(parts[number] for number in sorted(parts))
        inner = f'<Key>{escape(name)}</Key><ETag>"made-of-parts"</ETag>'
        self._answer(200, f"<CompleteMultipartUploadResult {NAMESPACE}>{inner}</CompleteMultipartUploadResult>".encode())

    def do_DELETE(self) -> None:
        name, _ = self._asked()
        self.server.objects.pop(name, None)
        self._answer(204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        name, query = self._asked()
        if "list-type" in query:
            self._list(name.strip("/"), query.get("prefix", ""))
            return
        body = self.server.objects.get(name)
        if body is None:
            self._answer(404, f"<Error><Code>NoSuchKey</Code><Key>{escape(name)}</Key></Error>".encode())
            return
        common = {"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"', "Accept_Ranges": "bytes"}
        common["Last_Modified"] = "Wed, 01 Jan 2020 00:00:00 GMT"
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, body, Content_Length=str(len(body)), **common)
            return
        first = int(asked[1]) if asked[1] else max(0, len(body) - int(asked[2]))
        last = min(int(asked[2]), len(body) - 1) if asked[1] and asked[2] else len(body) - 1
        piece = body[first : last + 1]
        self._answer(206, piece, Content_Range=f"bytes {first}-{last}/{len(body)}", Content_Length=str(len(piece)), **common)

    def _list(self, bucket: str, prefix: str) -> None:
        keys = [name.removeprefix(f"{bucket}/") for name in sorted(self.server.objects) if name.startswith(f"{bucket}/{prefix}")]
        inner = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.server.objects[f'{bucket}/{key}'])}</Size>"
            f"<LastModified>2020-01-01T00:00:00.000Z</LastModified><ETag>x</ETag></Contents>"
            for key in keys
        )
        head = f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(keys)}</KeyCount>"
        head += "<IsTruncated>false</IsTruncated>"
        self._answer(200, f"<ListBucketResult {NAMESPACE}>{head}{inner}</ListBucketResult>".encode())

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def s3_bucket() -> Iterator[Bucket]:
    """A running service with no objects."""
    server = Bucket()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
