# PocketBase with this repository's migrations and hooks. Secrets come at run time, never into a
# layer.
ARG PYTHON_IMAGE=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
COPY requirements-pocketbase.lock /
RUN python -m venv --without-pip /venv && python -m pip --python /venv/bin/python install \
    --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    -r /requirements-pocketbase.lock

# The same base as the other images: one to download.
FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o 10001 -g root -m 700 /pb/data && install -d /pb/public
COPY --from=build /venv/bin/pocketbase /usr/local/bin/pocketbase
COPY docker/check-http /usr/local/bin/check-http
COPY docker/pocketbase-start.sh /usr/local/bin/pocketbase-start
COPY gateway/dev/superuser /pb/superuser
COPY pb_migrations /pb/migrations
COPY pb_hooks /pb/hooks
USER 10001
WORKDIR /pb
VOLUME /pb/data
EXPOSE 8090
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["check-http", "8090", "/api/health"]
CMD ["sh", "/usr/local/bin/pocketbase-start"]
ARG RELEASE=dev
LABEL org.opencontainers.image.title="pocketbase" org.opencontainers.image.version=$RELEASE \
    org.opencontainers.image.licenses="MIT"
