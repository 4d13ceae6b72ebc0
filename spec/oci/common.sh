# shellcheck shell=bash
# common.sh: what the scripts of this directory share. Each runs in namespaces of its own (mounts,
# processes, network), so that all it starts ends with it and nothing of the host changes. It
# prints a line for each thing that holds, and ends with 1 at the first that does not.

set -uo pipefail

# The runtime that is tried; CLIENT_RUNTIME=/usr/sbin/runc shows what another one does.
runtime=${CLIENT_RUNTIME:-$PWD/lua-container}
own=${CLIENT_NAME:-client$$}
scratch=${CLIENT_SCRATCH:?a directory that the caller takes away}

# Again, apart from the host: as pid 1 of namespaces, whose end ends everything. Cgroups alone outlive them: those with
# the name are taken away afterwards.
apart() {
  if [ "${CLIENT_APART:-}" ]; then
    hide
    return
  fi
  CLIENT_APART=1 CLIENT_NAME=$own unshare --mount --net --pid --fork --kill-child \
    --mount-proc --propagation private bash "$0" "$@"
  local status=$?
  find /sys/fs/cgroup -depth -type d \( -path "*/$own" -o -path "*/$own/*" \) \
    -exec rmdir {} + 2>/dev/null
  exit "$status"
}

# What is written from here on is in memory and goes with the namespace.
hide() {
  local name
  mount -t tmpfs tmpfs "$scratch"
  for name in etc opt root var; do
    mkdir -p "$scratch/upper/$name" "$scratch/work/$name"
    mount -t overlay overlay "/$name" \
      -o "lowerdir=/$name,upperdir=$scratch/upper/$name,workdir=$scratch/work/$name"
  done
  mount -t tmpfs tmpfs /run
  ip link set lo up
}

fail() {
  echo "not ok: $1"
  [ -z "${2:-}" ] || tail -n 30 "$2"
  exit 1
}

# holds WORDS COMMAND...
holds() {
  local words=$1 said
  shift
  said=$("$@" 2>&1) || fail "$words: $* ended with $?: $said"
  echo "ok: $words"
}

# says WORDS EXPECTED COMMAND...: the command succeeds and prints just that.
says() {
  local words=$1 expected=$2 said
  shift 2
  said=$("$@" 2>&1) || fail "$words: $* ended with $?: $said"
  [ "$said" = "$expected" ] || fail "$words: expected '$expected', got '$said'"
  echo "ok: $words"
}

# ends WORDS STATUS COMMAND...
ends() {
  local words=$1 expected=$2 status=0 said
  shift 2
  said=$("$@" 2>&1) || status=$?
  [ "$status" = "$expected" ] || fail "$words: expected status $expected, got $status: $said"
  echo "ok: $words"
}

# soon WORDS COMMAND...: the command succeeds within a minute.
soon() {
  local words=$1 until=$((SECONDS + 60))
  shift
  while [ "$SECONDS" -lt "$until" ]; do
    if "$@" >/dev/null 2>&1; then
      echo "ok: $words"
      return
    fi
    sleep 0.1
  done
  fail "$words: not within a minute: $*"
}

# A root file system of a static busybox in the directory $1.
busybox_root() {
  local name
  mkdir -p "$1/bin" "$1/etc" "$1/tmp" "$1/root"
  chmod 1777 "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  for name in $(busybox --list); do
    [ "$name" = busybox ] || ln -s busybox "$1/bin/$name"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n' >"$1/etc/passwd"
  # A static program of glibc finds no address by a name: its name service is in libraries.
  cat >"$1/bin/get" <<'END'
#!/bin/sh
# get HOST:PORT/PATH
host=${1%%:*}
address=$(nslookup "$host" | sed -n "/^Name/,\$s/^Address: *//p" | head -n 1)
exec wget -qO- "http://${address:?}:${1#*:}"
END
  chmod +x "$1/bin/get"
  printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
}
