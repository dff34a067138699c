"""Describe errors of requests that got no usable response, in one sentence that names the host.

Twisted and Scrapy wrap errors in each other: the causes are searched for the first one that says what happened. The
original goes to the debug log, since nobody should have to read it on a page or in an alert.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator

from OpenSSL import SSL
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from service_identity import VerificationError
from twisted.internet import error as twisted_error
from twisted.python.failure import Failure
from twisted.web import _newclient as http_error
from twisted.web.error import SchemeNotSupported
from twisted.web.http import PotentialDataLoss, _DataLoss

from pressmark.outcomes import Outcome
from pressmark.urls import url_host

logger = logging.getLogger(__name__)

_SENTENCES: tuple[tuple[tuple[type[BaseException], ...], Outcome, str], ...] = (
    ((twisted_error.DNSLookupError, twisted_error.UnknownHostError, CannotResolveHostError),
     Outcome.NETWORK_ERROR, "the host name {host} could not be resolved"),
    ((twisted_error.ConnectionRefusedError, DownloadConnectionRefusedError, ConnectionRefusedError),
     Outcome.NETWORK_ERROR, "{host} refused the connection"),
    ((twisted_error.NoRouteError,), Outcome.NETWORK_ERROR, "there is no route to {host}"),
    ((twisted_error.TimeoutError, twisted_error.TCPTimedOutError, DownloadTimeoutError, TimeoutError),
     Outcome.TIMEOUT, "{host} did not send a complete response in time"),
    ((VerificationError,), Outcome.NETWORK_ERROR, "the TLS certificate of {host} is for another name"),
    ((SSL.Error, twisted_error.SSLError, twisted_error.VerifyError, twisted_error.CertificateError),
     Outcome.NETWORK_ERROR, "the TLS connection to {host} failed{detail}"),
    ((_DataLoss, PotentialDataLoss, http_error.WrongBodyLength, ResponseDataLossError),
     Outcome.NETWORK_ERROR, "{host} closed the connection before the end of the response"),
    ((http_error.BadResponseVersion, http_error.BadHeaders, http_error.ParseError),
     Outcome.NETWORK_ERROR, "{host} sent a response that is not valid HTTP"),
    ((ConnectionResetError,), Outcome.NETWORK_ERROR, "{host} reset the connection"),
    ((twisted_error.ConnectionAborted, http_error.ConnectionAborted),
     Outcome.NETWORK_ERROR, "the connection to {host} was aborted"),
    ((twisted_error.ConnectionLost,), Outcome.NETWORK_ERROR, "the connection to {host} was lost"),
    ((twisted_error.ConnectionClosed,), Outcome.NETWORK_ERROR, "{host} closed the connection without a response"),
    ((DownloadCancelledError,), Outcome.TOO_LARGE, "the response of {host} is larger than {detail}"),
    ((UnsupportedURLSchemeError, SchemeNotSupported, twisted_error.UnsupportedAddressFamily,
      twisted_error.InvalidAddressError), Outcome.NETWORK_ERROR, "the address {url} cannot be requested"),
    ((twisted_error.ConnectError, twisted_error.ConnectInProgressError, twisted_error.ConnectingCancelledError,
      twisted_error.NoProtocol), Outcome.NETWORK_ERROR, "no connection to {host} could be made"),
    ((http_error.RequestGenerationFailed, http_error.RequestTransmissionFailed, http_error.RequestNotSent),
     Outcome.NETWORK_ERROR, "the request could not be sent to {host}"),
    ((IgnoreRequest,), Outcome.HTTP_ERROR, "{detail}"),
)  # fmt: skip
_SYSTEM_ERRORS = {
    errno.ECONNRESET: "{host} reset the connection",
    errno.EPIPE: "{host} closed the connection while the request was sent",
    errno.ENETUNREACH: "there is no route to {host}",
    errno.EHOSTUNREACH: "there is no route to {host}",
    errno.EMFILE: "too many files are open on this machine",
    errno.ENFILE: "too many files are open on this machine",
}
_LIMIT = re.compile(r"(?:max size|maxsize|limit)\D*(\d+)")


def describe(error: BaseException, url: str) -> tuple[Outcome, str]:
    """Return (outcome, reason) for a failed request of a URL."""
    host = url_host(url)
    causes = list(_causes(error))
    for kinds, outcome, sentence in _SENTENCES:
        for cause in causes:
            if isinstance(cause, kinds):
                logger.debug("%s: %r", url, error)
                number = getattr(cause, "osError", None) or getattr(cause, "errno", None)
                if outcome is Outcome.NETWORK_ERROR and number in _SYSTEM_ERRORS:
                    sentence = _SYSTEM_ERRORS[number]
                return outcome, sentence.format(host=host, url=url, detail=_detail(cause))
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno in _SYSTEM_ERRORS:
            return Outcome.NETWORK_ERROR, _SYSTEM_ERRORS[cause.errno].format(host=host)
    logger.warning("%s: unknown error of a request: %r", url, error)
    return Outcome.NETWORK_ERROR, f"the request to {host} failed; the log of the crawl has the error"


def _causes(error: BaseException | None, depth: int = 0) -> Iterator[BaseException]:
    """Yield an error and what it wraps: its cause, or the reasons of a failed response of Twisted."""
    if error is None or depth > 5:
        return
    yield error
    reasons = getattr(error, "reasons", None)
    for reason in reasons if isinstance(reasons, (list, tuple)) else ():
        inner = reason.value if isinstance(reason, Failure) else reason
        if isinstance(inner, BaseException):
            yield from _causes(inner, depth + 1)
    yield from _causes(error.__cause__, depth + 1)


def _detail(error: BaseException) -> str:
    """Return what the message of an error adds to its sentence."""
    if isinstance(error, DownloadCancelledError):
        limit = _LIMIT.search(str(error))
        return f"{int(limit[1]):,} bytes" if limit else "the limit"
    if isinstance(error, IgnoreRequest):
        return " ".join(str(error).split())[:300] or "the request was ignored"
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    words = "; ".join(str(reason[-1]) for reason in reasons if isinstance(reason, tuple) and reason)
    return f": {words}" if words else ""
