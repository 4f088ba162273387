"""Problems that a request meets before its route: at the connection, the gate, the reading of its body.

Belongs here: their codes. Does not: problems of routes and what a problem is (`problems`), which of these an operation names
(`everywhere`).
"""

from http import HTTPStatus

from serving.problems import Problem


class Unauthorized(Problem):
    status, code, title = HTTPStatus.UNAUTHORIZED, "unauthorized", "A key is needed"


class ForeignHost(Problem):
    status, code, title = HTTPStatus.MISDIRECTED_REQUEST, "foreign_host", "Not answered by that name"


class ForeignOrigin(Problem):
    status, code, title = HTTPStatus.FORBIDDEN, "foreign_origin", "Pages of that origin may not connect"


class TooManyRequests(Problem):
    status, code, title = HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", "Too many requests"


class MalformedRequest(Problem):
    status, code, title = HTTPStatus.BAD_REQUEST, "bad_request", "Not an HTTP request"


class HeadersTooLarge(Problem):
    status, code, title = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "Too many or too large headers"


class TooSlow(Problem):
    status, code, title = HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request took too long to arrive"


class BodyTooLarge(Problem):
    status, code, title = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The body is too large"


class TooManyConnections(Problem):
    code, title = "too_many_connections", "Too many open connections"


class KeysUnavailable(Problem):
    code, title = "keys_unavailable", "The keys of the home cannot be read"


class NoSuchSocket(Problem):
    status, code, title = HTTPStatus.NOT_FOUND, "not_found", "Not Found"
