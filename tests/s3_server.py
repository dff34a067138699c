"""An S3 server on loopback: moto, which speaks the protocol over real HTTP and keeps objects in memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

KEY, SECRET = "canary-s3-key", "canary-s3-secret"


@dataclass(frozen=True)
class S3Server:
    """A running server with the bucket `archive`."""

    port: int
    client: Any

    def environment(self, port: int | None = None, prefix: str = "pressmark") -> dict[str, str]:
        """Return the variables of a machine that uses the bucket. port: of a proxy in front of the server."""
        return {
            "PRESSMARK_ARCHIVE": f"s3://archive/{prefix}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@contextlib.contextmanager
def running_s3() -> Iterator[S3Server]:
    """Run a server with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    try:
        client = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id=KEY, aws_secret_access_key=SECRET,
            region_name="us-east-1", config=Config(retries={"max_attempts": 1}),
        )  # fmt: skip
        client.create_bucket(Bucket="archive")
        yield S3Server(port, client)
    finally:
        server.stop()
