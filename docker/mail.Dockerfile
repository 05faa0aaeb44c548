# A mail catcher for trying things: it prints every mail and delivers none.
ARG PYTHON_IMAGE=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
COPY requirements-mail.lock /
RUN python -m venv --without-pip /venv && python -m pip --python /venv/bin/python install \
    --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    -r /requirements-mail.lock

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 1025
HEALTHCHECK --interval=5s --timeout=5s --retries=3 CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/1025"]
CMD ["python", "-m", "aiosmtpd", "--nosetuid", "--listen=0.0.0.0:1025", "--class=aiosmtpd.handlers.Debugging", "stdout"]
ARG RELEASE=dev
LABEL org.opencontainers.image.title="mail-catcher" org.opencontainers.image.version=$RELEASE
