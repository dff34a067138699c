"""Every error that Pressmark raises on purpose.

    PressmarkError
    +-- ConfigError          a setting or an outlet file is wrong
    +-- ServerError          Postgres cannot be started, reached or used
    +-- DiscoveryError       a feed or sitemap cannot be read
    +-- FetchError           a request could not be made or was refused by us
    |   +-- RefusedAddress
    +-- ArchiveError         a WARC file or pointer cannot be read or written
    |   +-- NoSpace
    +-- ExtractionError      a page broke its extraction
    +-- LoadError            a segment could not be loaded
    +-- RightsError          a removal or a reservation forbids it

A message says what happened, to which outlet, URL or file, and what the reader can do. The
command line prints it without a traceback and exits with `exit_code`.
"""


class PressmarkError(Exception):
    """Base of all errors that are meant to be read by a person."""

    exit_code = 1


class ConfigError(PressmarkError):
    """A setting or an outlet file is wrong."""

    exit_code = 2


class ServerError(PressmarkError):
    """Postgres cannot be started, reached or used."""

    exit_code = 3


class DiscoveryError(PressmarkError):
    """A feed or sitemap cannot be read."""


class FetchError(PressmarkError):
    """A request could not be made, or Pressmark refused to make it."""


class HostRefuses(PressmarkError):
    """A host answers with nothing but walls; the crawl of its outlet ends, and is not tried again soon.

    The crawl's row keeps the message alone, so that it begins in a way of its own.
    """

    BEGINNING = "Refused: "

    def __init__(self, message: str) -> None:
        super().__init__(self.BEGINNING + message)


class RefusedAddress(FetchError):
    """The host resolves to an address that is not on the public internet."""


class ArchiveError(PressmarkError):
    """A WARC file or an archive pointer cannot be read or written."""


class NoSpace(ArchiveError):
    """The disk that holds the archive or the spool is full."""

    exit_code = 4


class ExtractionError(PressmarkError):
    """A page broke its extraction."""


class LoadError(PressmarkError):
    """A segment could not be loaded into the warehouse."""


class RightsError(PressmarkError):
    """A removal or a reservation forbids what was asked."""
