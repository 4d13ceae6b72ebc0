#!/bin/bash
# podman.sh basics|more|lua_hooks|rootless: podman with this runtime.

# shellcheck source=spec/oci/common.sh
. "${0%/*}/common.sh"
apart "$@"

# conmon and what podman keeps go with the namespaces.
p() {
  podman --root "$scratch/root" --runroot /run/storage --tmpdir /run/libpod --storage-driver vfs \
    --cgroup-manager cgroupfs --events-backend none --runtime "$runtime" "$@"
}

# podman run, without a network unless another is said.
run() {
  plain --network none "$@"
}

plain() {
  p run --cgroup-parent "/$own" "$@"
}

image() {
  busybox_root "$scratch/busybox"
  tar -C "$scratch/busybox" -c . | p import --change ENV=PATH=/bin - busybox >/dev/null 2>&1 ||
    fail "podman import"
}

# podman exec -t under a terminal of its own.
terminal() {
  script -qec "podman --root $scratch/root --runroot /run/storage --tmpdir /run/libpod \
    --storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime $runtime \
    exec -it $* && echo a terminal" /dev/null </dev/null | tr -d '\r' | sed 's/.*a terminal/a terminal/'
}

running() {
  [ "$(p inspect -f '{{.State.Running}}' "$1")" = "$2" ]
}

basics() {
  image
  says "run prints what the program prints" hello run --rm busybox echo hello
  ends "run ends as the program does" 7 run --rm busybox sh -c 'exit 7'
  ends "a program that is not there is 127" 127 run --rm busybox nosuch
  ends "one that cannot be executed is 126" 126 run --rm busybox /etc/passwd
  says "the program is another user" "1000 1000" \
    run --rm -u user busybox sh -c 'echo $(id -u) $(id -g)'
  says "it has the environment" value run --rm -e NAME=value busybox sh -c 'echo $NAME'
  says "a volume is there" inside \
    run --rm -v "$scratch/busybox/etc:/there:ro" busybox sh -c 'test -s /there/passwd && echo inside'
  ends "a read-only root is one" 1 run --rm --read-only busybox touch /file
  says "memory is limited" 33554432 run --rm --memory 32m busybox sh -c \
    'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes'
  ends "capabilities can be dropped" 1 run --rm --cap-drop all busybox chown 1 /etc/passwd
  ends "too much memory is the end" 137 run --rm --memory 16m --memory-swap 16m busybox \
    sh -c 'tail /dev/zero'
  says "the program has a terminal" "a terminal" \
    run --rm -t busybox sh -c 'test -t 0 && printf "a terminal"'
  says "a hostname" there run --rm --hostname there busybox hostname
  says "a setting of the kernel" 1 \
    run --rm --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward

  holds "a container runs in the background" run -d --name loop busybox \
    sh -c 'trap "exit 0" TERM; echo began; while :; do sleep 0.1; done'
  says "exec runs a second program" second p exec loop echo second
  ends "exec ends as the program does" 5 p exec loop sh -c 'exit 5'
  says "exec as another user" 1000 p exec -u user loop id -u
  says "exec has a terminal" "a terminal" terminal loop test -t 0
  holds "pause" p pause loop
  says "it is paused" paused p inspect -f '{{.State.Status}}' loop
  holds "unpause" p unpause loop
  holds "top shows its processes" p top loop
  holds "stats are there" p stats --no-stream loop
  says "logs" began p logs loop
  holds "stop asks the program" p stop -t 5 loop
  says "which ended by itself" 0 p inspect -f '{{.State.ExitCode}}' loop
  holds "start again" p start loop
  holds "kill" p kill loop
  says "which shows" 137 p wait loop
  holds "rm" p rm loop
}

more() {
  image
  holds "a container with a health check" run -d --name healthy --health-cmd 'test -e /tmp/fine' \
    --health-interval disable busybox sh -c 'touch /tmp/fine; sleep 1000'
  soon "is healthy" p healthcheck run healthy
  holds "and removed" p rm -f -t 0 healthy
  says "a user namespace" "0 100000 65536" run --rm --uidmap 0:100000:65536 busybox \
    sh -c 'echo $(cat /proc/self/uid_map)'
  says "without an own network" same plain --rm --network host busybox sh -c \
    '[ "$(readlink /proc/self/ns/net)" = '"$(readlink /proc/self/ns/net)"' ] && echo same'
  says "with the host's processes" yes run --rm --pid host busybox sh -c \
    '[ $$ != 1 ] && echo yes'
  says "more groups" "1000 10 20" run --rm -u 1000:1000 --group-add 10,20 busybox id -G
  holds "one that others join" run -d --name first busybox sleep 1000
  says "namespaces of another" first plain --rm --network container:first --ipc container:first \
    --pid container:first busybox sh -c 'grep -q sleep /proc/1/cmdline && echo first'
  holds "it is removed" p rm -f -t 0 first
}

# The same as an ordinary user, who is made here: /etc is in memory.
rootless() {
  local home=$scratch/home
  groupadd -g 4321 someone
  useradd -u 4321 -g 4321 -M -d "$home" -s /bin/bash someone
  echo someone:200000:65536 >/etc/subuid
  echo someone:200000:65536 >/etc/subgid
  mkdir -p "$home" /run/user/4321
  chown someone "$home" /run/user/4321
  chmod 755 "$scratch"
  install -m 755 "$runtime" "$scratch/runtime"
  busybox_root "$scratch/busybox"
  tar -C "$scratch/busybox" -cf "$scratch/busybox.tar" .
  cat >"$scratch/p" <<END
cd "$home"
export HOME="$home" XDG_CACHE_HOME="$home/cache" XDG_RUNTIME_DIR=/run/user/4321
exec podman --root "$home/root" --runroot /run/user/4321/run --tmpdir /run/user/4321/tmp \
  --storage-driver vfs --cgroup-manager cgroupfs --events-backend none --runtime "$scratch/runtime" "\$@" \
  2>>"$home/errors"
END
  p() {
    setpriv --reuid 4321 --regid 4321 --init-groups bash "$scratch/p" "$@"
  }
  holds "an image" p import --change ENV=PATH=/bin "$scratch/busybox.tar" busybox
  says "run, as root of a user namespace" "0 4321" p run --rm --network none busybox \
    sh -c 'echo $(id -u) $(awk "\$1 == 0 { print \$2 }" /proc/self/uid_map)'
  says "and as another user of it" 1000 p run --rm --network none --user user busybox id -u
  ends "run ends as the program does" 7 p run --rm --network none busybox sh -c 'exit 7'
  holds "a container in the background" p run -d --name back --network none busybox sleep 1000
  says "exec" in p exec back echo in
  holds "stop" p stop -t 1 back
  holds "rm" p rm -f back
}

# Hooks in Lua for all containers: /etc is in memory here.
lua_hooks() {
  image
  mkdir -p /etc/lua-container/hooks.d "$scratch/srv/data"
  chmod 755 /etc/lua-container /etc/lua-container/hooks.d
  echo there >"$scratch/srv/data/file"
  mkdir -p /srv
  mount --bind "$scratch/srv" /srv
  install -m 644 examples/hooks.d/10-mount-by-annotation.lua /etc/lua-container/hooks.d/
  says "a mount by annotation" there run --rm --annotation example.mount=/srv/data:/data busybox \
    cat /data/file
  says "no mount without it" none run --rm busybox sh -c 'test -e /data || echo none'
  ends "a wish that is refused" 126 run --rm --annotation example.mount=/etc:/data busybox true
  install -m 644 examples/hooks.d/20-refuse-without-label.lua /etc/lua-container/hooks.d/
  ends "a container without a label is refused" 126 run --rm busybox true
  says "one with it runs" fine run --rm --annotation example.team=red busybox echo fine
  chmod 666 /etc/lua-container/hooks.d/10-mount-by-annotation.lua
  ends "a hook that others can write stops all" 126 \
    run --rm --annotation example.team=red busybox true
}

"$1"
