#!/bin/bash
# containerd.sh ctr|cri: containerd with this runtime, by its own client and as a kubelet calls it,
# with a runtime handler.

# shellcheck source=spec/oci/common.sh
. "${0%/*}/common.sh"

# The client's gRPC, fetched where there is a network still.
node=${CLIENT_NODE:-$scratch.node}
if [ "$1" = cri ] && [ ! -d "$node/node_modules/@grpc/grpc-js" ]; then
  npm install --silent --no-audit --no-fund --cache "$node/cache" \
    --prefix "$node" @grpc/grpc-js @grpc/proto-loader \
    >"$scratch/npm.log" 2>&1 || fail "npm install" "$scratch/npm.log"
fi

apart "$@"

socket=$scratch/containerd.sock

c() {
  ctr --address "$socket" "$@"
}

# Nothing is to have a better oom_score_adj than containerd, which may lack CAP_SYS_RESOURCE here.
daemon() {
  mkdir -p "$scratch/opt"
  cat >"$scratch/config.toml" <<END
version = 2
root = "$scratch/root"
state = "$scratch/state"
[grpc]
  address = "$socket"
[plugins."io.containerd.internal.v1.opt"]
  path = "$scratch/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "local/pause:1"
  disable_apparmor = true
  disable_tcp_service = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    default_runtime_name = "handler"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.handler]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.handler.options]
        BinaryName = "$runtime"
END
  containerd --config "$scratch/config.toml" >"$scratch/log" 2>&1 &
  soon "containerd answers" c version
}

digest() {
  sha256sum "$1" | cut -d ' ' -f 1
}

# An archive as `docker save` writes it, with the name $1 and what it runs, as JSON, in $2.
image() {
  local made=$scratch/image layer
  rm -rf "$made"
  mkdir -p "$made"
  tar -C "$scratch/rootfs" -cf "$made/layer.tar" .
  layer=$(digest "$made/layer.tar")
  cat >"$made/config.json" <<END
{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":$2},
 "rootfs":{"type":"layers","diff_ids":["sha256:$layer"]}}
END
  echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$1\"],\"Layers\":[\"layer.tar\"]}]" \
    >"$made/manifest.json"
  tar -C "$made" -cf "$scratch/image.tar" manifest.json config.json layer.tar
  c -n k8s.io images import --snapshotter native "$scratch/image.tar" >/dev/null ||
    fail "import of $1"
}

start() {
  busybox_root "$scratch/rootfs"
  daemon
}

by_ctr() {
  start
  local run=(run --runc-binary "$runtime" --cgroup "$own/tried" --rootfs)
  says "run prints what the program prints" hello \
    c "${run[@]}" --rm "$scratch/rootfs" one /bin/echo hello
  ends "run ends as the program does" 7 c "${run[@]}" --rm "$scratch/rootfs" two /bin/sh -c 'exit 7'
  ends "a program that is not there is refused" 1 c "${run[@]}" --rm "$scratch/rootfs" three /nosuch
  holds "a container in the background" c "${run[@]}" -d "$scratch/rootfs" back /bin/sleep 1000
  says "exec runs a second program" second \
    c tasks exec --exec-id e1 back /bin/echo second
  ends "exec ends as the program does" 5 c tasks exec --exec-id e2 back /bin/sh -c 'exit 5'
  holds "pause" c tasks pause back
  says "it is paused" PAUSED bash -c "ctr --address '$socket' tasks ls | awk '/^back/ {print \$3}'"
  holds "resume" c tasks resume back
  holds "its processes" c tasks ps back
  holds "metrics" c tasks metrics back
  holds "kill" c tasks kill --signal KILL back
  soon "it has ended" bash -c "ctr --address '$socket' tasks ls | grep -q 'back.*STOPPED'"
  holds "delete" c tasks delete -f back
  holds "delete of the container" c containers delete back
}

cri() {
  start
  image docker.io/local/pause:1 '["/bin/sleep","1000000"]'
  image docker.io/local/busybox:1 '["/bin/sh"]'
  NODE_PATH=$node/node_modules node "${0%/*}/cri.js" "$socket" "$own" \
    "${0%/*}/cri.proto" handler || fail "the client ended with $?"
}

case $1 in
ctr) by_ctr ;;
*) "$1" ;;
esac
