# The gateway. Secrets come at run time, never into a layer.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
COPY requirements.lock /
RUN python -m venv /venv && /venv/bin/python -m pip install --no-cache-dir \
    --disable-pip-version-check --only-binary :all: --require-hashes -r /requirements.lock

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app
COPY --from=build /venv /venv
COPY gateway /app/gateway
COPY pb_hooks/lib/vocabulary.json /app/gateway/_pocketbase/pb_hooks/lib/vocabulary.json
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
CMD ["python", "-m", "gateway", "serve", "--host=0.0.0.0", "--port=8000"]
