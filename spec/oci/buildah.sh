#!/bin/bash
# buildah.sh build: buildah builds an image of three steps with this runtime.

# shellcheck source=spec/oci/common.sh
. "${0%/*}/common.sh"
apart "$@"

b() {
  buildah --root "$scratch/root" --runroot /run/storage --storage-driver vfs "$@"
}

build() {
  busybox_root "$scratch/context/tree"
  cat >"$scratch/context/Dockerfile" <<'END'
FROM scratch
COPY tree /
ENV PATH=/bin
RUN mkdir /data && echo one >/data/file
USER user
RUN id -u >/tmp/uid && cat /data/file >>/tmp/uid
USER root
RUN grep -x 1000 /tmp/uid && grep -x one /tmp/uid && rm /data/file
CMD ["echo", "built"]
END
  holds "a Dockerfile of three steps is built" \
    b bud --runtime "$runtime" --isolation oci --network none --cgroup-parent "$own" \
    --tag built "$scratch/context"
  ends "a step that fails ends the build" 3 bash -c "printf 'FROM built\nRUN exit 3\n' |
    buildah --root '$scratch/root' --runroot /run/storage --storage-driver vfs bud \
      --runtime '$runtime' --isolation oci --network none --cgroup-parent '$own' -f - ."
  local container
  container=$(b from built) || fail "buildah from"
  says "what it made is there" 1000 b run --runtime "$runtime" --isolation oci --network none \
    "$container" head -n 1 /tmp/uid
  ends "what it removed is not" 1 b run --runtime "$runtime" --isolation oci --network none \
    "$container" cat /data/file
}

"$1"
