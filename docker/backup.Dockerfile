# Litestream: copies PocketBase's databases continuously to another machine (profile backup).
ARG PYTHON_IMAGE=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
COPY requirements-backup.lock /
RUN python -m venv --without-pip /venv && python -m pip --python /venv/bin/python install \
    --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    -r /requirements-backup.lock

FROM ${PYTHON_IMAGE}
# The user of PocketBase's image: Litestream writes next to the databases.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o 10001 -g root -m 700 /pb/data /backup
COPY --from=build /venv/bin/litestream /usr/local/bin/litestream
COPY docker/litestream.yml /etc/litestream.yml
COPY docker/backup-start.sh /usr/local/bin/backup-start
USER 10001
VOLUME /pb/data /backup
HEALTHCHECK --interval=30s --timeout=5s --retries=3 CMD ["bash", "-c", "for name in /proc/[0-9]*/comm; do grep -qx litestream $name && exit; done; exit 1"]
ENTRYPOINT ["sh", "/usr/local/bin/backup-start"]
ARG RELEASE=dev
LABEL org.opencontainers.image.title="litestream" org.opencontainers.image.version=$RELEASE
