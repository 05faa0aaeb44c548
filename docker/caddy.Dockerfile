# Caddy: the one service that other machines reach.
ARG PYTHON_IMAGE=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
COPY requirements-caddy.lock /
RUN python -m venv --without-pip /venv && python -m pip --python /venv/bin/python install \
    --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    -r /requirements-caddy.lock

FROM ${PYTHON_IMAGE}
# Certificates and their keys are in /data.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o 10001 -g root -m 700 /data
COPY --from=build /venv/bin/caddy /usr/local/bin/caddy
COPY docker/check-http /usr/local/bin/check-http
COPY docker/Caddyfile /etc/caddy/Caddyfile
ENV XDG_DATA_HOME=/data XDG_CONFIG_HOME=/tmp
USER 10001
VOLUME /data
EXPOSE 80 443 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["check-http", "8000", "/caddy-health"]
CMD ["caddy", "run", "--config=/etc/caddy/Caddyfile", "--adapter=caddyfile"]
ARG RELEASE=dev
LABEL org.opencontainers.image.title="caddy" org.opencontainers.image.version=$RELEASE
