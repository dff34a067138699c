"""Stands in for the S3-compatible store of docker-compose.yml: moto on port 8333, with a health check."""

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.wrappers import Response

backend = DomainDispatcherApplication(create_backend_app)


def app(environ, start_response):
    if environ["PATH_INFO"] == "/healthz":
        return Response("ok")(environ, start_response)
    return backend(environ, start_response)


run_simple("0.0.0.0", 8333, app, threaded=True)  # noqa: S104 - in a container of the tests
