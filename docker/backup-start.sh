#!/bin/sh
# `backup-start`: copies PocketBase's databases continuously, and uploaded files every minute.
# `backup-start restore`: writes both into an empty volume.
set -eu
storage=/pb/data/storage
secret=/run/secrets/litestream_secret_access_key
if [ -s "$secret" ]; then
    LITESTREAM_SECRET_ACCESS_KEY=$(cat "$secret")
    export LITESTREAM_SECRET_ACCESS_KEY
fi

if [ "${1:-replicate}" = restore ]; then
    for name in data.db auxiliary.db; do
        if [ -e "/pb/data/$name" ]; then
            echo "/pb/data has a $name: restore into an empty volume." >&2
            exit 1
        fi
        litestream restore -config /etc/litestream.yml "/pb/data/$name"
    done
    [ ! -d /backup/storage ] || cp -r /backup/storage "$storage"
    echo "Restored. Start PocketBase, then run: gateway reconcile"
    exit
fi

# Files never change, so that copying the missing ones is enough. Other targets than a folder need
# PocketBase's own S3 storage for files.
case $BACKUP_URL in
    file:*)
        while :; do
            [ ! -d "$storage" ] || cp -ru "$storage" /backup/
            sleep 60
        done &
        ;;
esac
exec litestream replicate -config /etc/litestream.yml
