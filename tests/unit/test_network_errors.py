"""Every error of Twisted and Scrapy is described in a sentence with the host, without names from their code."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Iterator

import pytest
import scrapy.exceptions
import twisted.internet.error
import twisted.web._newclient
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.python.failure import Failure

from pressmark.outcomes import Outcome
from spiders.outcomes import outcome_for_error

URL = "https://news.example/story"
# Not errors of a request, but of a program that uses these libraries.
OTHER = {
    "NotConfigured", "_InvalidOutput", "DontCloseSpider", "CloseSpider", "StopDownload", "DropItem", "NotSupported",
    "UsageError", "ScrapyDeprecationWarning", "ContractFail", "_WrapperException",
}  # fmt: skip


def instances() -> Iterator[BaseException]:
    modules = (scrapy.exceptions, twisted.internet.error, twisted.web._newclient)
    for module in modules:
        for name, kind in sorted(vars(module).items()):
            if not (inspect.isclass(kind) and issubclass(kind, Exception)) or name in OTHER:
                continue
            error = kind.__new__(kind)
            error.args = ("<twisted.python.failure.Failure twisted.internet.error.ConnectionDone>",)
            yield error


def described(error: BaseException) -> tuple[Outcome, str]:
    outcome, sentence = outcome_for_error(error, URL)
    assert "news.example" in sentence
    assert not {"<", "[", "twisted", "Failure", "Error", "Traceback", "errno"} & set(sentence.split()), sentence
    assert "<" not in sentence and "Error" not in sentence and "twisted" not in sentence and len(sentence) < 120
    return outcome, sentence


@pytest.mark.parametrize(
    "error", list(instances()), ids=lambda error: f"{type(error).__module__}.{type(error).__name__}"
)
def test_every_error_has_a_sentence(error: BaseException) -> None:
    if isinstance(error, scrapy.exceptions.IgnoreRequest):
        error.args = ("news.example asks not to be crawled",)
    described(error)
    # As Scrapy passes on what happened below it.
    failed = twisted.web._newclient.ResponseNeverReceived([Failure(error)])
    wrapped = scrapy.exceptions.DownloadFailedError(str(failed))
    wrapped.__cause__ = failed
    assert described(wrapped) == described(error) or isinstance(error, scrapy.exceptions.DownloadFailedError)


@pytest.mark.parametrize(
    ("error", "outcome", "sentence"),
    [
        (twisted.internet.error.ConnectionDone(), "network_error", "news.example closed the connection without a response"),
        (twisted.internet.error.ConnectionLost(), "network_error", "the connection to news.example was lost"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "network_error", "news.example reset the connection"),
        (twisted.internet.error.ConnectError(errno.ENETUNREACH, "x"), "network_error", "there is no route to news.example"),
        (twisted.internet.error.DNSLookupError(), "network_error", "the host name news.example could not be resolved"),
        (scrapy.exceptions.DownloadTimeoutError("took 5 s"), "timeout",
         "news.example did not send a complete response in time"),
        (scrapy.exceptions.DownloadCancelledError("Received 9 bytes which is larger than download max size (8000) in"),
         "too_large", "the response of news.example is larger than 8,000 bytes"),
        (SSL.Error([("SSL routines", "", "certificate has expired")]), "network_error",
         "the TLS connection to news.example failed: certificate has expired"),
        (VerificationError(errors=[]), "network_error", "the TLS certificate of news.example is for another name"),
        (OSError(errno.EHOSTUNREACH, "x"), "network_error", "there is no route to news.example"),
        (RuntimeError("surprise"), "network_error",
         "the request to news.example failed; the log of the crawl has the error"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)  # fmt: skip
def test_what_happened_is_named(error: BaseException, outcome: str, sentence: str) -> None:
    assert described(error) == (outcome, sentence)
