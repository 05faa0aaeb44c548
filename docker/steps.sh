# Steps of release, upgrade and rollback; sourced by them.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
STEADY="caddy pocketbase"
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)

compose() {
    if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

# The tag of this checkout: version and commit; with uncommitted changes the time as well.
name_release() {
    local commit
    commit=$(git rev-parse --short=10 HEAD 2>/dev/null) || commit=$(date +%Y%m%d%H%M%S)
    [ -z "$(git status --porcelain 2>/dev/null)" ] || commit=$commit-$(date +%Y%m%d%H%M%S)
    echo "$VERSION-$commit"
}

read_setting() { sed -n "s/^$1=//p" .env | tail -n 1; }

# The tag of a variable of .env, by default the version.
read_tag() { read_setting "$1" | grep . || echo "$VERSION"; }

# Stores the present tags for docker/rollback.
store_tags() {
    local name
    for name in RELEASE SERVICES_RELEASE CADDY_RELEASE; do
        write_setting "PREVIOUS_$name" "$(read_tag "$name")"
    done
}

# What an image contains and runs, without its labels.
describe_image() { docker image inspect --format \
    '{{json .RootFS.Layers}} {{json .Config.Cmd}} {{json .Config.Env}} {{json .Config.Healthcheck}}' "$1"; }

# Sets a line of .env in place, so that owner and mode stay.
write_setting() {
    local rest
    rest=$(grep -v "^$1=" .env || true)
    printf '%s\n%s=%s\n' "$rest" "$1" "$2" > .env
}

# Services that run now, with those of profiles.
list_running() { docker ps --filter "label=com.docker.compose.project=$(find_project)" \
    --format '{{.Label "com.docker.compose.service"}}' | sort -u; }

find_project() {
    local container
    container=$(compose ps -q pocketbase | head -n 1)
    [ -n "$container" ] || { echo "Start the services first: docker compose up -d" >&2; return 1; }
    docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$container"
}

# Runs a command of the gateway. `compose exec` of 1.29 looks for the first replica ever made.
run_gateway() { docker exec "$(compose ps -q gateway | head -n 1)" python -m gateway "$@"; }

check_http() { docker exec "$1" check-http "$2" "$3" >/dev/null 2>&1; }

# wait_for SECONDS COMMAND…: repeats a command until it succeeds.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

show_readiness() {
    docker exec "$1" bash -c 'exec 3<>/dev/tcp/127.0.0.1/8000 &&
        printf "GET /ready HTTP/1.0\r\n\r\n" >&3 && tail -n 1 <&3' 2>/dev/null |
        sed -n 's/.*"detail":"\([^"]*\)".*/\1/p'
}

# Adds one gateway of the present RELEASE, waits until it is ready, and removes an old one; repeats
# for each. Caddy sends requests to all that accept connections.
replace_gateways() {
    local old container known new
    old=$(compose ps -q gateway)
    for container in $old; do
        known=$(compose ps -q gateway)
        compose up -d --no-deps --no-recreate --no-build \
            --scale "gateway=$(($(wc -w <<<"$known") + 1))" gateway >/dev/null
        new=$(comm -13 <(sort <<<"$known") <(compose ps -q gateway | sort))
        if ! wait_for 60 check_http "$new" 8000 /ready; then
            echo "The new gateway is not ready: $(show_readiness "$new")" >&2
            docker logs --tail 3 "$new" >&2
            docker rm -f "$new" >/dev/null
            echo "It was removed; the old gateways still serve." >&2
            return 1
        fi
        # Its open requests end first.
        docker stop --time 30 "$container" >/dev/null
        docker rm "$container" >/dev/null
        echo "Replaced gateway ${container:0:12} by ${new:0:12}."
    done
}

# Workers give their items back to the queue, and other processes run them meanwhile.
replace_workers() {
    ! list_running | grep -qx worker || compose up -d --no-deps --no-build worker
}

replace_steady() {
    local service container
    for service in "$@"; do
        compose up -d --no-deps --no-build "$service"
        container=$(compose ps -q "$service")
        wait_for 90 is_healthy "$container" || {
            docker logs --tail 5 "$container" >&2
            echo "$service is not healthy." >&2
            return 1
        }
    done
}

is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; }
