#!/bin/bash
# docker.sh basics|bridge|restart|swarm: docker's daemon with this runtime as its default.

# shellcheck source=spec/oci/common.sh
. "${0%/*}/common.sh"
apart "$@"

# docker, to the daemon NAME.
to() {
  local name=$1
  shift
  /usr/bin/docker --host "unix://$scratch/$name/socket" "$@"
}

d() {
  to main "$@"
}

# daemon NAME OPTION...: starts one.
daemon() {
  local name=$1
  shift
  mkdir -p "$scratch/$name"
  ${within:+within "$name"} dockerd --data-root "$scratch/$name/data" --exec-root "$scratch/$name/exec" \
    --pidfile "$scratch/$name/pid" --host "unix://$scratch/$name/socket" --storage-driver vfs \
    --cgroup-parent "$own" --add-runtime "tried=$runtime" --default-runtime tried "$@" \
    >"$scratch/$name/log" 2>&1 &
  soon "the daemon $name answers" to "$name" info
}

# An image called "busybox" for the daemon NAME.
image() {
  [ -d "$scratch/root" ] || busybox_root "$scratch/root"
  tar -C "$scratch/root" -c . | to "$1" import - busybox >/dev/null || fail "docker import"
}

# docker exec -t NAME COMMAND under a terminal of its own.
terminal() {
  script -qec "/usr/bin/docker --host unix://$scratch/main/socket exec -t $* && echo a terminal" \
    /dev/null </dev/null | tr -d '\r'
}

running() {
  [ "$(d inspect -f '{{.State.Running}}' "$1")" = "$2" ]
}

basics() {
  daemon main
  image main
  says "the daemon uses the runtime" tried d info -f '{{.DefaultRuntime}}'
  says "run prints what the program prints" hello d run --rm busybox echo hello
  ends "run ends as the program does" 7 d run --rm busybox sh -c 'exit 7'
  ends "a program that is not there is 127" 127 d run --rm busybox nosuch
  ends "one that cannot be executed is 126" 126 d run --rm busybox /etc/passwd
  says "the program is another user" "1000 1000" \
    d run --rm -u user busybox sh -c 'echo $(id -u) $(id -g)'
  says "it has the environment" value d run --rm -e NAME=value busybox sh -c 'echo $NAME'
  says "a volume is there" inside \
    d run --rm -v "$scratch/root/etc/passwd:/there:ro" busybox sh -c 'test -s /there && echo inside'
  ends "a read-only root is one" 1 d run --rm --read-only busybox touch /file
  says "memory is limited" 33554432 \
    d run --rm --memory 32m busybox cat /sys/fs/cgroup/memory/memory.limit_in_bytes
  says "processes are limited" 20 d run --rm --pids-limit 20 busybox cat /sys/fs/cgroup/pids/pids.max
  ends "capabilities can be dropped" 1 d run --rm --cap-drop ALL busybox chown 1 /etc/passwd
  ends "too much memory is the end" 137 \
    d run --rm --memory 16m --memory-swap 16m busybox sh -c 'tail /dev/zero'

  holds "a container runs in the background" \
    d run -d --name loop --init busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
  says "exec runs a second program" loop-ok d exec loop echo loop-ok
  ends "exec ends as the program does" 5 d exec loop sh -c 'exit 5'
  says "exec as another user" 1000 d exec -u user loop id -u
  says "exec has a terminal" "a terminal" terminal loop test -t 0
  holds "pause" d pause loop
  says "it is paused" paused d inspect -f '{{.State.Status}}' loop
  holds "unpause" d unpause loop
  holds "top shows its processes" d top loop
  holds "stats are there" d stats --no-stream loop
  holds "limits are changed while it runs" d update --pids-limit 30 --memory 64m --memory-swap 64m loop
  says "the new limit holds" 30 d exec loop cat /sys/fs/cgroup/pids/pids.max
  holds "stop asks the program" d stop -t 5 loop
  says "which ended by itself" 0 d inspect -f '{{.State.ExitCode}}' loop
  holds "start again" d start loop
  holds "kill" d kill loop
  says "which shows" 137 d wait loop
  holds "rm" d rm loop
  says "logs keep what a container printed" "out" \
    bash -c "c=\$(/usr/bin/docker -H unix://$scratch/main/socket run -d busybox echo out); /usr/bin/docker -H unix://$scratch/main/socket wait \$c >/dev/null; /usr/bin/docker -H unix://$scratch/main/socket logs \$c"
  says "nothing of the runtime is left" "" d ps -q
}

# What compose makes of three services: a bridge with names.
bridge() {
  daemon main
  image main
  holds "a network" d network create app
  holds "the data base" d run -d --name store --network app busybox \
    sh -c 'mkdir /data; echo 42 >/data/answer; exec httpd -f -p 8080 -h /data'
  holds "the application" d run -d --name middle --network app busybox \
    sh -c 'mkdir -p /www/cgi-bin; printf "#!/bin/sh\necho; get store:8080/answer\n" \
      >/www/cgi-bin/answer; chmod +x /www/cgi-bin/answer; exec httpd -f -p 80 -h /www'
  soon "one reaches the other by name" \
    d run --rm --network app busybox get store:8080/answer
  says "and through it a third" 42 d run --rm --network app busybox get middle:80/cgi-bin/answer
  holds "all are removed" d rm -f store middle
  holds "the network, too" d network rm app
}

restart() {
  daemon main
  image main
  holds "a container that fails, to be restarted three times" \
    d run -d --name failing --restart on-failure:3 busybox sh -c 'exit 3'
  soon "it ends" running failing false
  soon "after three times" \
    bash -c "[ \"\$(/usr/bin/docker -H unix://$scratch/main/socket inspect -f '{{.RestartCount}}' failing)\" = 3 ]"
  holds "one that is always to run" d run -d --name always --restart always busybox sleep 1000
  local first
  first=$(d inspect -f '{{.State.Pid}}' always)
  kill -9 "$first"
  again() {
    local now
    now=$(d inspect -f '{{.State.Pid}}' always)
    [ "$now" != 0 ] && [ "$now" != "$first" ]
  }
  soon "it runs again after its end" again
  holds "both are removed" d rm -f always failing
}

# within NODE COMMAND...: in the network of a node. A daemon has a directory /run to itself, too.
within() {
  nsenter --net="$scratch/netns/$1" unshare --mount --propagation private \
    sh -c 'mount -t tmpfs tmpfs /run; exec "$@"' sh "${@:2}"
}

# How many replicas run on the node $1.
replicas() {
  to "$1" ps -q --filter label=com.docker.swarm.service.name=web | wc -l
}

spread() {
  [ "$(replicas one)" = "$1" ] && { [ "$2" = - ] || [ "$(replicas two)" = "$2" ]; }
}

# Two daemons in two network namespaces, one swarm, four replicas. With one daemon ended all of
# them run on the other.
swarm() {
  local node token
  mkdir -p "$scratch/netns"
  for node in one two; do
    : >"$scratch/netns/$node"
    unshare --net="$scratch/netns/$node" ip link set lo up
  done
  ip link add veth-one type veth peer name veth-two
  for node in one two; do
    nsenter --net="$scratch/netns/$node" sleep 60 &
    sleep 0.1
    ip link set "veth-$node" netns $!
    kill $!
    within $node ip link set "veth-$node" up
  done
  within one ip address add 192.0.2.1/24 dev veth-one
  within two ip address add 192.0.2.2/24 dev veth-two
  within=yes
  swarming=(--bridge none --iptables=false --ip6tables=false)
  daemon one "${swarming[@]}"
  daemon two "${swarming[@]}"
  image one
  image two
  holds "a swarm" to one swarm init --advertise-addr 192.0.2.1
  token=$(to one swarm join-token -q worker)
  holds "joined by a second node" \
    to two swarm join --advertise-addr 192.0.2.2 --token "$token" 192.0.2.1:2377
  holds "a service of four" to one service create --name web --replicas 4 --network host \
    --no-resolve-image --detach busybox sh -c 'trap "exit 0" TERM; while :; do sleep 0.2; done'
  soon "is spread over both" spread 2 2
  kill "$(cat "$scratch/two/pid")"
  soon "with one node ended, all are on the other" spread 4 -
  holds "the service is removed" to one service rm web
  soon "and none of its containers is left" spread 0 -
}

"$1"
