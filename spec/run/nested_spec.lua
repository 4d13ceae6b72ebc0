-- A caller that is root, but not the host's: in a user namespace, or without CAP_SYS_ADMIN.

local support = require "spec.support"

local RUN <const> = support.lua .. " run.lua -q "

local function told(result)
  return { result.status, result.stdout, result.stderr }
end

describe("the root of a user namespace of a user's #userns", function()
  it("runs a container as the user itself would", function()
    local result = support.as_user("unshare -Urm " .. RUN .. "--pids-limit max id -u")
    assert.same({ 0, "0\n", "" }, told(result))
  end)

  it("runs one in a user namespace of its own, and in a directory", function()
    local rootfs = support.busybox_rootfs()
    local result = support.as_user(("unshare -Urm sh -c %s"):format(support.quote(
      "readlink /proc/self/ns/user;" .. RUN .. "--pids-limit max --rootfs " .. rootfs
      .. " /bin/readlink /proc/self/ns/user")))
    local outside, inside = result.stdout:match("^(%S+)\n(%S+)\n$")
    assert.is_string(inside, result.stderr)
    assert.not_equal(outside, inside)
  end)

  it("has the limit of processes", function()
    local result = support.as_user("unshare -Urm " .. RUN .. "--pids-limit 5 sh -c "
      .. support.quote("for i in 1 2 3 4 5 6 7; do sleep 9 & done; echo no"))
    assert.not_equal(0, result.status)
    assert.equal("", result.stdout)
    assert.matches("Cannot fork", result.stderr)
  end)

  it("shares its names with the user", function()
    local program = ([[
      local c <close> = require("container").spawn { "sleep", "99", pids = "max", name = "nested" }
      os.execute(%q)]]):format("unshare -Urm " .. RUN .. "--pids-limit max --name nested true")
    local result = support.as_user(
      "LUA_CPATH_5_4='./?.so' LUA_PATH_5_4='./lua/?.lua' " .. support.lua .. " -e "
      .. support.quote(program))
    assert.equal("lua-container: name: claim nested: another container has this name\n",
      result.stderr)
  end)

  it("is asked for subid where it asks for auto", function()
    local result = support.as_user("unshare -Urm " .. RUN .. "--userns auto true")
    assert.same({ 125, "", "lua-container: --userns: expected \"subid\" for a caller that is not "
      .. "the host's root, got \"auto\"\n" }, told(result))
  end)
end)

describe("the root of a user namespace of root's #root", function()
  it("runs a container", function()
    assert.same({ 0, "0\n", "" }, told(support.run("unshare -Urm " .. RUN .. "id -u")))
  end)

  -- RLIMIT_NPROC is no limit for user 0 of the host.
  it("is refused a limit of processes that would not hold", function()
    local result = support.run("unshare -Urm sh -c " .. support.quote(
      "mount -t tmpfs -o ro none /sys/fs/cgroup && " .. RUN .. "true"))
    assert.same({ 125, "" }, { result.status, result.stdout })
    assert.matches("the limit of processes cannot hold.*pids = \"max\" asks for none",
      result.stderr)
  end)
end)

describe("the root of a user namespace with a range of ids #root #newuidmap", function()
  -- What an administrator has given to root.
  local function inside(commands)
    local given = support.tmpdir() .. "/given"
    local file <close> = assert(io.open(given, "w"))
    assert(file:write("root:100000:65536\n") and file:flush())
    local mount = "mount --bind " .. given .. " /etc/sub"
    return support.run("unshare -m sh -c " .. support.quote(mount .. "uid && " .. mount
      .. "gid && unshare --map-auto -Urm sh -c " .. support.quote(commands)))
  end

  it("runs a container whose root is its own", function()
    assert.same({ 0, "0\n", "" }, told(inside(RUN .. "id -u")))
  end)

  it("gives it the range with --userns subid", function()
    local result = inside(RUN .. "--userns subid -u 1000:1000 sh -c 'id -u; id -g; id -G'")
    assert.same({ 0, "1000\n1000\n1000\n", "" }, told(result))
  end)
end)

describe("root without CAP_NET_ADMIN #root #userns", function()
  it("runs a container in a user namespace", function()
    local result = support.run("setpriv --inh-caps=-all --bounding-set=-net_admin " .. RUN
      .. "cat /proc/self/uid_map")
    assert.same({ 0, "0 0 1", "" },
      { result.status, result.stdout:gsub("^%s+", ""):gsub("%s+", " "):sub(1, 5), result.stderr })
  end)
end)

describe("root without CAP_SYS_ADMIN #root #userns", function()
  local DROP <const> = "setpriv --inh-caps=-all --bounding-set=-sys_admin"

  it("runs a container in a user namespace", function()
    assert.same({ 0, "0\n", "" }, told(support.run(DROP .. " " .. RUN .. "id -u")))
  end)

  it("is told of the capability that its map takes", function()
    local result = support.run(DROP .. ",-setfcap " .. RUN .. "id -u")
    assert.same({ 125, "", "lua-container: idmap: write /proc/self/uid_map: Operation not "
      .. "permitted; to map user 0 takes CAP_SETFCAP, since Linux 5.12\n" }, told(result))
  end)
end)

-- A sandbox with this tree at /work and, if asked for, more.
local function sandbox(more, command)
  local place = "$(pwd)"
  return ("bwrap --unshare-all --uid 0 --gid 0 --cap-add ALL --ro-bind / / --dev /dev --proc /proc "
    .. "--bind %s %s --chdir %s %s %s"):format(place, place, place, more, command)
end

describe("in bwrap #bwrap #userns", function()
  local function both(name, more, fn)
    it(name .. ", of a user's", function()
      fn(support.as_user(sandbox(more, RUN .. "--pids-limit max --rootfs "
        .. support.busybox_rootfs() .. " /bin/sh -c 'ls /sys; id -u; ls /proc/self/exe'")))
    end)
    -- Which covers parts of /proc.
    it(name .. ", of root's #root", function()
      fn(support.run(sandbox(more, RUN .. "--pids-limit max --rootfs "
        .. support.busybox_rootfs() .. " /bin/sh -c 'ls /sys; id -u; ls /proc/self/exe'")))
    end)
  end

  both("there is a container", "", function(result)
    assert.same({ 0, "" }, { result.status, result.stderr })
    assert.matches("kernel.*\n0\n/proc/self/exe\n$", result.stdout)
  end)

  both("there is one where a part of /sys is covered", "--tmpfs /sys/firmware", function(result)
    assert.same({ 0, "" }, { result.status, result.stderr })
    assert.matches("kernel.*\n0\n/proc/self/exe\n$", result.stdout)
  end)

  it("there is one with an empty /sys where there is none", function()
    local result = support.as_user(sandbox("--tmpfs /sys", RUN .. "--pids-limit max --rootfs "
      .. support.busybox_rootfs() .. " /bin/sh -c 'ls /sys; touch /sys/a || id -u'"))
    assert.same({ 0, "fs\n0\n" }, { result.status, result.stdout })
  end)

  it("there is a sentence where /proc is covered for good", function()
    local result = support.as_user(sandbox("--tmpfs /proc/sys", "unshare -Urm " .. RUN
      .. "--pids-limit max true"))
    assert.equal(125, result.status)
    assert.matches("mount /proc: Operation not permitted; in a user namespace", result.stderr)
  end)
end)

describe("root that may write no cgroup #root #cgroup", function()
  it("is told what the limit of processes needs", function()
    local result = support.run("unshare -m sh -c " .. support.quote(
      "while read -r _ place kind _; do case $kind in cgroup*) mount -o remount,bind,ro $place;; "
      .. "esac; done </proc/mounts; " .. RUN .. "true"))
    assert.equal(125, result.status)
    assert.matches("the limit of processes cannot hold; pids = \"max\" asks for none\n$",
      result.stderr)
  end)
end)

describe("behind a filter that an outer container has #root #userns", function()
  it("a refused name of the host is explained", function()
    local profile = support.tmpdir() .. "/profile"
    local file <close> = assert(io.open(profile, "w"))
    assert(file:write [[{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
      { "names": [ "sethostname" ], "action": "SCMP_ACT_ERRNO" } ] }]] and file:flush())
    local result = support.run(RUN .. "--pids-limit max --security-opt seccomp=" .. profile
      .. " -v $(pwd):/tree -w /tree " .. RUN .. "--pids-limit max true")
    assert.equal(125, result.status)
    assert.matches("^lua%-container: hostname: sethostname container: Operation not permitted; a "
      .. "filter of system calls", result.stderr)
  end)
end)
