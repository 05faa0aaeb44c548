#!/bin/sh
# Makes the superuser if it is missing, then serves. The password is read from the environment or
# from /run/secrets, is never an argument (`ps` would show it), and is gone when serving begins.
set -eu

secret=/run/secrets/pocketbase_superuser_password
if [ -z "${POCKETBASE_SUPERUSER_PASSWORD:-}" ] && [ -r "$secret" ]; then
    POCKETBASE_SUPERUSER_PASSWORD=$(cat "$secret")
    export POCKETBASE_SUPERUSER_PASSWORD
fi

hooks=/run/secrets/gateway_hook_secrets
if [ -z "${GATEWAY_HOOK_SECRETS:-}" ] && [ -r "$hooks" ]; then
    GATEWAY_HOOK_SECRETS=$(cat "$hooks")
    export GATEWAY_HOOK_SECRETS
fi

code=0
pocketbase ensure-superuser --dir=/pb/data --hooksDir=/pb/superuser || code=$?
if [ "$code" -eq 3 ]; then
    echo "The superuser $POCKETBASE_SUPERUSER_EMAIL has another password in this volume:" \
        "correct POCKETBASE_SUPERUSER_PASSWORD." >&2
fi
[ "$code" -eq 0 ] || exit "$code"

unset POCKETBASE_SUPERUSER_PASSWORD
exec pocketbase serve --http=0.0.0.0:8090 --dir=/pb/data --publicDir=/pb/public \
    --migrationsDir=/pb/migrations --hooksDir=/pb/hooks --hooksWatch=false --hooksPool=50 \
    --automigrate=false
