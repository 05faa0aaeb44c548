# The gateway with this example's module, and the library that it needs.
FROM pocketbase-gateway/gateway
USER root
COPY requirements.lock /
RUN python -m pip install --no-cache-dir --disable-pip-version-check \
    --only-binary :all: --require-hashes -r /requirements.lock
COPY *.py /app/examples/posts/
USER 10001
