#!/bin/bash
# A Docker engine and docker-compose on a plain Debian 12 machine, and stand-ins for the images of docker-compose.yml.
#
#   engine.sh start FOLDER    install what is missing, start the daemon, make the images; prints the path of docker-compose
#   engine.sh stop FOLDER     stop the daemon and delete FOLDER
#
# The official images are not used, so that no registry of images is needed: python:3.11-slim is made of bookworm,
# postgres:18 and redis:7 of trixie (PostgreSQL 17, Redis 8), and the S3-compatible store is moto.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$2
MIRROR=${MIRROR:-http://deb.debian.org/debian}

install_packages() {
    command -v dockerd >/dev/null && command -v mmdebstrap >/dev/null && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        docker.io mmdebstrap debian-archive-keyring iptables >/dev/null
}

start_daemon() {
    docker info >/dev/null 2>&1 && return
    setsid nohup dockerd --data-root "$WORK/data" --pidfile "$WORK/pid" >"$WORK/log" 2>&1 </dev/null &
    for _ in $(seq 60); do docker info >/dev/null 2>&1 && return; sleep 0.5; done
    tail -20 "$WORK/log" >&2
    return 1
}

fetch_compose() { # trixie's docker-compose is one program that also runs on bookworm
    [ -x "$COMPOSE" ] && return
    local A=$WORK/apt
    mkdir -p "$A/lists/partial" "$A/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR trixie main" > "$A/sources.list"
    touch "$A/status"
    local options=(-qq -o Dir::Etc::sourcelist="$A/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::State::Lists="$A/lists" -o Dir::Cache="$A/cache" -o Dir::State::status="$A/status"
        -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$A" && apt-get "${options[@]}" download docker-compose)
    dpkg-deb -x "$A"/docker-compose_*.deb "$WORK/compose"
}

root() { # suite packages
    mmdebstrap --mode=root --variant=minbase --include="$2" "$1" "$WORK/roots/$1" "$MIRROR" >"$WORK/roots/$1.log" 2>&1 ||
        { tail -20 "$WORK/roots/$1.log" >&2; return 1; }
}

import() { # root image options...
    local R=$1 image=$2
    shift 2
    tar -C "$R" --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c . | docker import "$@" - "$image" >/dev/null
}

build() { DOCKER_BUILDKIT=0 docker build --quiet --network host --tag "$1" "${@:2}" >/dev/null; }

has() { docker image inspect "$1" >/dev/null 2>&1; }

make_images() {
    has pressmark-stand-ins:s3 && return
    mkdir -p "$WORK/roots"
    root bookworm ca-certificates,python3.11,python3-venv,python3-pip & local first=$!
    root trixie ca-certificates,postgresql-17,redis-server & local second=$!
    wait $first && wait $second

    local R=$WORK/roots/bookworm C=/etc/ssl/certs/ca-certificates.crt
    rm -f "$R"/usr/lib/python3.*/EXTERNALLY-MANAGED
    ln -sf python3 "$R/usr/bin/python"
    # The certificates of this machine: its network may have another authority.
    mkdir -p "$R/usr/local/share/ca-certificates"
    cp -r /usr/local/share/ca-certificates/. "$R/usr/local/share/ca-certificates/"
    chroot "$R" update-ca-certificates >/dev/null 2>&1
    import "$R" python:3.11-slim -c "ENV SSL_CERT_FILE=$C" -c "ENV PIP_CERT=$C" -c "ENV LANG=C.UTF-8" -c 'CMD ["python3"]'

    R=$WORK/roots/trixie
    install -m 0755 "$HERE/postgres_entrypoint.sh" "$R/usr/local/bin/docker-entrypoint.sh"
    mkdir -p "$R/data" && chroot "$R" chown redis:redis /data
    rm -rf "$R/var/lib/postgresql/17" # the cluster that Debian's package made
    sed -i "s/^#\?listen_addresses.*/listen_addresses = '*'/" "$R/usr/share/postgresql/17/postgresql.conf.sample"
    import "$R" pressmark-stand-ins:trixie
    build postgres:18 - <<'END'
FROM pressmark-stand-ins:trixie
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV PGDATA=/var/lib/postgresql/18/docker LANG=C.UTF-8
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
END
    build redis:7 - <<'END'
FROM pressmark-stand-ins:trixie
WORKDIR /data
USER redis
END
    build pressmark-stand-ins:s3 - <<'END'
FROM python:3.11-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends wget && \
    pip install --quiet --no-cache-dir "moto[s3]>=5" flask flask-cors
END
    rm -rf "$WORK/roots"
}

mkdir -p "$WORK"
COMPOSE=$WORK/compose/usr/libexec/docker/cli-plugins/docker-compose
case $1 in
start)
    { install_packages && start_daemon && fetch_compose && make_images; } >&2
    echo "$COMPOSE"
    ;;
stop)
    if [ -f "$WORK/pid" ]; then
        kill "$(cat "$WORK/pid")"
        for _ in $(seq 60); do [ -f "$WORK/pid" ] || break; sleep 0.5; done
        rm -rf "$WORK"
    fi
    ;;
esac
