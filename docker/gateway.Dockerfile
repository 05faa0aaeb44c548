# The gateway. Secrets come at run time, never into a layer.
ARG PYTHON_IMAGE=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
# With what GATEWAY_DATABASE_URL and OTEL_EXPORTER_OTLP_ENDPOINT need; requirements.lock has the
# rest alone.
ARG REQUIREMENTS=requirements-image.lock
COPY requirements.lock /
COPY requirements-image.lock /
# Bytecode, because the root file system is read-only at run time: without it each start compiles.
RUN python -m venv /venv && /venv/bin/python -m pip install --no-cache-dir \
    --disable-pip-version-check --only-binary :all: --require-hashes -r /${REQUIREMENTS}

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && python -m compileall -q -x '/(tests?|lib2to3)/' "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
COPY --from=build /venv /venv
COPY docker/check-http /usr/local/bin/check-http
COPY gateway /app/gateway
# The vocabulary, and files with which `gateway doctor` compares PocketBase's.
COPY pb_hooks /app/gateway/_pocketbase/pb_hooks
RUN python -m compileall -q /app/gateway
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Threads that look up names: a lookup of Stripe that hangs must not delay PocketBase's.
ENV UV_THREADPOOL_SIZE=32
# The project's folder: app.py and the files that it needs; see docker/README.md.
WORKDIR /project
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["check-http", "8000", "/health"]
CMD ["python", "-m", "gateway", "serve", "--host=0.0.0.0", "--port=8000", "--hold"]
ARG RELEASE=dev
LABEL org.opencontainers.image.title="pocketbase-gateway" org.opencontainers.image.version=$RELEASE \
    org.opencontainers.image.licenses="MIT"
