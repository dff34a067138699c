"""All errors that Pressmark raises on purpose.

    PressmarkError
    +-- ConfigError          a setting or an outlet file is wrong
    +-- ServerError          Postgres cannot be started, reached or used
    |   +-- LockTimeout      another session has held a lock for too long
    +-- DiscoveryError       a feed or sitemap cannot be read
    +-- FetchError           a request failed, or Pressmark did not make it
    |   +-- RefusedAddress   the host resolves to an address outside the public internet
    +-- ArchiveError         a WARC file or archive pointer cannot be read or written
    |   +-- NoSpace          the disk of the archive or the spool is full
    |   +-- ArchiveUnavailable   the object store of the archive cannot be reached
    +-- ExtractionError      a page could not be extracted
    +-- LoadError            a segment could not be loaded
    +-- HostRefuses          a host answers with refusals only, so the crawl ends
    +-- OutletsFailed        outlets gave nothing, and trying again within minutes would not help
    +-- RunFailed            too much of a run went wrong

Each message states what happened, to which outlet, URL or file, and what to do next. The command
line prints it without a traceback and exits with `exit_code`.
"""


class PressmarkError(Exception):
    """Base class of all errors whose message is written for users."""

    exit_code = 1


class ConfigError(PressmarkError):
    """A setting or an outlet file is wrong."""

    exit_code = 2


class ServerError(PressmarkError):
    """Postgres cannot be started, reached or used."""

    exit_code = 3


class LockTimeout(ServerError):
    """Another session has held a lock for too long."""


class DiscoveryError(PressmarkError):
    """A feed or sitemap cannot be read."""


class FetchError(PressmarkError):
    """A request failed, or Pressmark did not make it."""


class HostRefuses(PressmarkError):
    """A host answers with nothing but refusals. The crawl of its outlet ends and is not retried soon."""


class OutletsFailed(PressmarkError):
    """The outlets of a job gave nothing. Their endpoints' back-off decides when they are polled again."""


class RunFailed(PressmarkError):
    """Too much of a run went wrong. Running its evaluation again gives the same result."""


class RefusedAddress(FetchError):
    """The host resolves to an address outside the public internet."""


class ArchiveError(PressmarkError):
    """A WARC file or an archive pointer cannot be read or written."""


class NoSpace(ArchiveError):
    """The disk that holds the archive or the spool is full."""

    exit_code = 4


class ArchiveUnavailable(ArchiveError):
    """The object store of the archive cannot be reached. Nothing is lost: the next crawl on this machine continues."""

    exit_code = 3


class ExtractionError(PressmarkError):
    """A page could not be extracted."""


class LoadError(PressmarkError):
    """A segment could not be loaded into the warehouse."""
