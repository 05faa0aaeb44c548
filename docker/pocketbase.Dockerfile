# PocketBase with this repository's migrations and hooks. Secrets come at run time, never into a
# layer.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
COPY requirements-pocketbase.lock /
RUN python -m venv /venv && /venv/bin/python -m pip install --no-cache-dir \
    --disable-pip-version-check --only-binary :all: --require-hashes -r /requirements-pocketbase.lock

# The same base as the other images: one to download, and its Python makes the health check.
FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o 10001 -g root -m 700 /pb/data && install -d /pb/public
COPY --from=build /venv/bin/pocketbase /usr/local/bin/pocketbase
COPY docker/pocketbase-start.sh /usr/local/bin/pocketbase-start
COPY gateway/dev/superuser /pb/superuser
COPY pb_migrations /pb/migrations
COPY pb_hooks /pb/hooks
USER 10001
WORKDIR /pb
VOLUME /pb/data
EXPOSE 8090
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8090/api/health', timeout=2)"]
CMD ["sh", "/usr/local/bin/pocketbase-start"]
