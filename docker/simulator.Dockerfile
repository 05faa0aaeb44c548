# The Stripe simulator, for trying things; never for production.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
COPY requirements.lock /
RUN python -m venv /venv && /venv/bin/python -m pip install --no-cache-dir \
    --disable-pip-version-check --only-binary :all: --require-hashes -r /requirements.lock

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o 10001 -g root -m 700 /data
COPY --from=build /venv /venv
COPY stripe_simulator /app/stripe_simulator
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /data
EXPOSE 12111
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:12111/', timeout=2)"]
CMD ["python", "-m", "stripe_simulator", "--host=0.0.0.0", "--port=12111", "--state=/data/simulator.json", "--seed-catalogue"]
