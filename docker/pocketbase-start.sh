#!/bin/sh
# Makes the superuser if it is missing, adds the project's hooks and migrations, then serves.
# The password is read from the environment or from /run/secrets, is never an argument (`ps` would
# show it), and is gone when serving begins.
set -eu

# After a wrong setting: print a sentence and wait. Docker would restart a container that exits for
# ever; one that waits is shown as unhealthy, with the sentence as the log's end.
hold() {
    echo "$1" >&2
    echo "PocketBase waits: correct it and run \`docker compose up -d\`" \
        "(\`restart\` would keep the old environment)." >&2
    trap 'exit 1' TERM INT
    while :; do
        sleep 3600 &
        wait $!
    done
}

# Fills an empty variable from the secret of its name.
read_secret() {
    file=/run/secrets/$(echo "$1" | tr '[:upper:]' '[:lower:]')
    if [ -z "$(printenv "$1")" ] && [ -f "$file" ]; then
        [ -r "$file" ] || hold "User $(id -u) can't read $file: set its mode to 0444."
        export "$1=$(cat "$file")"
    fi
}

# merge NAME: makes /tmp/NAME of the gateway's files and the project's.
merge() {
    rm -rf "/tmp/$1"
    cp -r "/pb/$1" "/tmp/$1"
    clash=$(cd "/project/pb_$1" && find . -type f | while read -r file; do
        [ ! -e "/pb/$1/$file" ] || echo "pb_$1/${file#./}"
    done)
    [ -z "$clash" ] || hold "The gateway has a file of the name of $clash: rename it."
    cp -r "/project/pb_$1/." "/tmp/$1/"
}

for name in POCKETBASE_SUPERUSER_EMAIL POCKETBASE_SUPERUSER_PASSWORD GATEWAY_HOOK_SECRETS; do
    read_secret $name
done
for name in POCKETBASE_SUPERUSER_EMAIL POCKETBASE_SUPERUSER_PASSWORD; do
    [ -n "$(printenv $name)" ] || hold "$name is not set."
done
[ -w /pb/data ] || hold "User $(id -u) can't write /pb/data: chown -R $(id -u) the volume."
set -- --publicDir=/pb/public --migrationsDir=/pb/migrations --hooksDir=/pb/hooks
if [ -d /project/pb_public ]; then set -- "$@" --publicDir=/project/pb_public; fi
if [ -d /project/pb_migrations ]; then
    merge migrations
    set -- "$@" --migrationsDir=/tmp/migrations
fi
if [ -d /project/pb_hooks ]; then
    merge hooks
    set -- "$@" --hooksDir=/tmp/hooks
fi

code=0
pocketbase ensure-superuser --dir=/pb/data --hooksDir=/pb/superuser || code=$?
case $code in
    0) ;;
    3) hold "The superuser $POCKETBASE_SUPERUSER_EMAIL has another password in this volume: correct POCKETBASE_SUPERUSER_PASSWORD." ;;
    4) hold "PocketBase refuses this superuser: correct POCKETBASE_SUPERUSER_EMAIL or POCKETBASE_SUPERUSER_PASSWORD." ;;
    *) exit "$code" ;;
esac

unset POCKETBASE_SUPERUSER_PASSWORD
exec pocketbase serve --http=0.0.0.0:8090 --dir=/pb/data --hooksWatch=false --hooksPool=50 \
    --automigrate=false "$@"
