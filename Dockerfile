# Image of Pressmark with Airflow, used by docker-compose.yml and deploy/kubernetes/.
FROM python:3.11-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir "uv>=0.5" \
    && useradd --create-home --uid 50000 pressmark \
    && install --directory --owner=pressmark --group=pressmark \
        /opt/pressmark /var/lib/airflow /var/lib/pressmark /var/lib/pressmark-archive

WORKDIR /opt/pressmark
USER pressmark
ENV PATH=/opt/pressmark/.venv/bin:$PATH PYTHONUNBUFFERED=1 UV_COMPILE_BYTECODE=1

# For Kubernetes: --build-arg EXTRAS="--extra s3 --extra kubernetes"
ARG EXTRAS="--extra s3 --extra celery"
COPY --chown=pressmark pyproject.toml uv.lock README.md ./
RUN uv sync --frozen --no-dev $EXTRAS --no-install-project --no-cache
COPY --chown=pressmark . .
RUN uv sync --frozen --no-dev $EXTRAS --no-cache

ARG VERSION=unknown
LABEL org.opencontainers.image.title=Pressmark org.opencontainers.image.version=$VERSION

CMD ["pressmark", "--help"]
