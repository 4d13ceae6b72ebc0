rockspec_format = "3.0"
package = "lua-container"
version = "scm-1"

source = {
  url = "git+https://example.org/lua-container.git",
}

description = {
  summary = "Linux containers from Lua",
  detailed = [[
    A C module with one function a kernel call, a library that runs a program in a
    container and gives back one honest answer, and a command, lua-container.
  ]],
  license = "MIT",
}

supported_platforms = { "linux" }

dependencies = {
  "lua ~> 5.4",
}

external_dependencies = {
  SECCOMP = { header = "seccomp.h" },
}

build = {
  type = "builtin",
  -- `make lint` compares these lists with the files that there are.
  modules = {
    container = {
      sources = {
        "csrc/bpf.c",
        "csrc/capability.c",
        "csrc/cgroup.c",
        "csrc/clone3.c",
        "csrc/container.c",
        "csrc/fd.c",
        "csrc/features.c",
        "csrc/file.c",
        "csrc/identity.c",
        "csrc/image.c",
        "csrc/init.c",
        "csrc/io.c",
        "csrc/landlock.c",
        "csrc/limit.c",
        "csrc/mount.c",
        "csrc/namespace.c",
        "csrc/network.c",
        "csrc/notify.c",
        "csrc/process.c",
        "csrc/seccomp.c",
        "csrc/signal.c",
        "csrc/sys.c",
        "csrc/terminal.c",
        "csrc/time.c",
        "csrc/tree.c",
        "csrc/uts.c",
      },
      incdirs = { "csrc" },
    },
    ["container.apart"] = "lua/container/apart.lua",
    ["container.attend"] = "lua/container/attend.lua",
    ["container.call"] = "lua/container/call.lua",
    ["container.capability"] = "lua/container/capability.lua",
    ["container.cgroup"] = "lua/container/cgroup.lua",
    ["container.cgroup.device"] = "lua/container/cgroup/device.lua",
    ["container.cgroup.home"] = "lua/container/cgroup/home.lua",
    ["container.cgroup.stats"] = "lua/container/cgroup/stats.lua",
    ["container.cgroup.v1"] = "lua/container/cgroup/v1.lua",
    ["container.cgroup.v2"] = "lua/container/cgroup/v2.lua",
    ["container.channel"] = "lua/container/channel.lua",
    ["container.check"] = "lua/container/check.lua",
    ["container.child"] = "lua/container/child.lua",
    ["container.cli"] = "lua/container/cli.lua",
    ["container.control"] = "lua/container/control.lua",
    ["container.device"] = "lua/container/device.lua",
    ["container.features"] = "lua/container/features.lua",
    ["container.file"] = "lua/container/file.lua",
    ["container.hook"] = "lua/container/hook.lua",
    ["container.hostname"] = "lua/container/hostname.lua",
    ["container.idmap"] = "lua/container/idmap.lua",
    ["container.join"] = "lua/container/join.lua",
    ["container.json"] = "lua/container/json.lua",
    ["container.keyring"] = "lua/container/keyring.lua",
    ["container.landlock"] = "lua/container/landlock.lua",
    ["container.library"] = "lua/container/library.lua",
    ["container.libseccomp"] = {
      sources = { "csrc/libseccomp.c" },
      incdirs = { "csrc" },
      libraries = { "seccomp" },
    },
    ["container.limit"] = "lua/container/limit.lua",
    ["container.mask"] = "lua/container/mask.lua",
    ["container.meter"] = "lua/container/meter.lua",
    ["container.mount"] = "lua/container/mount.lua",
    ["container.object"] = "lua/container/object.lua",
    ["container.pipe"] = "lua/container/pipe.lua",
    ["container.name"] = "lua/container/name.lua",
    ["container.namespace"] = "lua/container/namespace.lua",
    ["container.network"] = "lua/container/network.lua",
    ["container.process"] = "lua/container/process.lua",
    ["container.proxy"] = "lua/container/proxy.lua",
    ["container.range"] = "lua/container/range.lua",
    ["container.resource"] = "lua/container/resource.lua",
    ["container.rootfs"] = "lua/container/rootfs.lua",
    ["container.run"] = "lua/container/run.lua",
    ["container.seccomp"] = "lua/container/seccomp.lua",
    ["container.seccomp.cache"] = "lua/container/seccomp/cache.lua",
    ["container.seccomp.default"] = "lua/container/seccomp/default.lua",
    ["container.seccomp.number"] = "lua/container/seccomp/number.lua",
    ["container.seccomp.profile"] = "lua/container/seccomp/profile.lua",
    ["container.spec"] = "lua/container/spec.lua",
    ["container.spec.capability"] = "lua/container/spec/capability.lua",
    ["container.spec.default"] = "lua/container/spec/default.lua",
    ["container.spec.hook"] = "lua/container/spec/hook.lua",
    ["container.spec.opened"] = "lua/container/spec/opened.lua",
    ["container.spec.place"] = "lua/container/spec/place.lua",
    ["container.spec.second"] = "lua/container/spec/second.lua",
    ["container.terminal"] = "lua/container/terminal.lua",
    ["container.tree"] = "lua/container/tree.lua",
    ["container.stream"] = "lua/container/stream.lua",
    ["container.undo"] = "lua/container/undo.lua",
    ["container.user"] = "lua/container/user.lua",
    ["container.value"] = "lua/container/value.lua",
    ["container.view"] = "lua/container/view.lua",
  },
  install = {
    bin = {
      ["lua-container"] = "run.lua",
    },
  },
}
