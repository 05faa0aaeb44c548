# The Stripe simulator, for trying things; never for production.
ARG PYTHON_IMAGE=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
COPY requirements.lock /
RUN python -m venv --without-pip /venv && python -m pip --python /venv/bin/python install \
    --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    -r /requirements.lock

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
    && install -d -o 10001 -g root -m 700 /data
COPY --from=build /venv /venv
COPY docker/check-http /usr/local/bin/check-http
COPY stripe_simulator /app/stripe_simulator
WORKDIR /app
RUN python -m compileall -q stripe_simulator
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /data
EXPOSE 12111
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s --retries=3 CMD ["check-http", "12111", "/"]
CMD ["python", "-m", "stripe_simulator", "--host=0.0.0.0", "--port=12111", "--state=/data/simulator.json", "--seed-catalogue"]
ARG RELEASE=dev
LABEL org.opencontainers.image.title="stripe-simulator" org.opencontainers.image.version=$RELEASE \
    org.opencontainers.image.licenses="MIT"
