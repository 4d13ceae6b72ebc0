-- Every promise of the default container, asked of the kernel from inside by spec/fixtures/probe.c:
-- in any container, with whichever root, and however untidy that process is.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- Fewer were asked than there are: some never ran.
local LEAST <const> = { rootfs = 280, view = 305 }

local PATH <const> = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
-- docker's default set but for MKNOD.
local CAPABILITIES <const> = "00000000a00425fb"

-- A file of the host that no process in a container is to find.
local canary = support.tmpdir() .. "/canary"
assert(sys.mknod(canary, "file", tonumber("644", 8), 0, 0))

--- The devices of what is mounted on the host, but those that the container's files are on. A
-- hierarchy of cgroups has one device for all, wherever in it one is.
local function foreign_devices(...)
  local own, list = {}, {}
  for _, path in ipairs { ... } do
    local dev = assert(sys.stat(path)).dev
    own[("%d:%d"):format(dev >> 8 & 0xfff, dev & 0xff | dev >> 12 & 0xfff00)] = true
  end
  local text = sys.read_file("/proc/self/mountinfo")
  for device, kind in text:gmatch("%S+ %S+ (%d+:%d+) [^\n]- %- (%S+) [^\n]*\n") do
    list[#list + 1] = not own[device] and not kind:find("^cgroup") and device or nil
  end
  return table.concat(list, " ")
end

-- What only the starter can know, as KEY=VALUE.
local function knowledge(caller, rootfs)
  local program = command.program "probe"
  local words = {
    "canary=" .. canary, "devices=" .. foreign_devices(rootfs or "/", program),
    "uid=0", "gid=0", "caps=" .. CAPABILITIES, "map=" .. caller.map,
    "oom=" .. sys.read_file("/proc/self/oom_score_adj"):match("-?%d+"),
    "env=HOME=/root HOSTNAME=container PATH=" .. PATH .. " TERM=vt52 ",
  }
  for _, name in ipairs { "mnt", "uts", "ipc", "pid", "net", "cgroup", "user" } do
    words[#words + 1] = ("ns.%s=%s"):format(name, sys.readlink("/proc/self/ns/" .. name))
  end
  for _, word in ipairs(caller.words) do
    words[#words + 1] = word
  end
  if not rootfs then
    words[#words + 1] = "view=1"
  elseif sys.geteuid() == 0 then -- root could make it
    words[#words + 1] = "node=/zero"
  end
  return words
end

--- What a probe said: the lines that are not ok, and how many checks there were.
local function faults(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    list[#list + 1] = line:match("^not ok (.*)")
  end
  return list, math.tointeger(text:match("\n(%d+) checks, %d+ not ok\n$")) or 0
end

local function assert_all_ok(result, least)
  local list, count = faults(result.text)
  assert.same({}, list)
  assert.truthy(count >= least, ("%d checks: %s"):format(count, result.stderr))
  assert.equal(0, result.status)
end

-- A root of the caller's own, in which there is a device.
local function image(caller)
  local path = caller:rootfs()
  if sys.geteuid() == 0 then
    assert(sys.mknod(path .. "/zero", "char", tonumber("666", 8), 1, 5))
  end
  return path
end

--- Runs the probe in a container as this caller's program, started by what `before` says.
local function run(mode, before, rootfs, more)
  local words = { "env", "TERM=vt52" }
  local function add(list)
    table.move(list, 1, #list, #words + 1, words)
  end
  add(before)
  add { support.lua, mode.caller:path() .. "/run.lua", "-q" }
  add(mode.options)
  add(rootfs and { "--rootfs", rootfs, "probe" } or { command.probe() })
  add { "checks" }
  add(knowledge(mode, rootfs))
  add(more)
  local result = mode.caller:shell(command.words(table.unpack(words)))
  result.text = result.stdout ~= "" and result.stdout or result.stderr
  return result
end

-- Each way to start it; what the container has to look like then.
local modes = {
  { name = "root #root", caller = command.root, map = "4294967295\n", words = { "init=1" },
    options = {} },
  { name = "root, without an init #root", caller = command.root, map = "4294967295\n", words = {},
    options = { "--no-init" } },
  { name = "root, with a range of ids #root #idmapview", caller = command.root, map = "65536\n",
    words = { "init=1", "userns=1" }, options = { "--userns", "auto" } },
  { name = "root, with a range of ids, without an init #root #idmapview", caller = command.root,
    map = "65536\n", words = { "userns=1" }, options = { "--userns", "auto", "--no-init" } },
  { name = "an ordinary user #userns", caller = command.user, map = "1\n",
    words = { "init=1", "userns=1", "groups=1" }, options = {} },
  { name = "an ordinary user, without an init #userns", caller = command.user, map = "1\n",
    words = { "userns=1", "groups=1" }, options = { "--no-init" } },
}

for _, mode in ipairs(modes) do
  describe("all that the probe asks in the default container of " .. mode.name, function()
    it("holds in a view", function()
      assert_all_ok(run(mode, {}, nil, {}), LEAST.view)
    end)

    it("holds in a root of its own", function()
      assert_all_ok(run(mode, {}, image(mode.caller), {}), LEAST.rootfs)
    end)

    for _, closed in ipairs { "-", "0", "1", "2", "01", "02" } do
      it("holds in a view where the caller is untidy, and closed are: " .. closed, function()
        assert_all_ok(run(mode, { command.program "untidy", closed }, nil, { "null=" .. closed }),
          LEAST.view)
      end)
    end

    it("holds in a root of its own where the caller is untidy", function()
      local result = run(mode, { command.program "untidy", "-" }, image(mode.caller), {})
      assert_all_ok(result, LEAST.rootfs)
    end)

    it("holds where all the standard streams of an untidy caller are closed", function()
      local rootfs = image(mode.caller)
      local result = run(mode, { command.program "untidy", "012" }, rootfs,
        { "null=012", "to=/answer" })
      result.text = assert(sys.read_file(rootfs .. "/answer"))
      assert_all_ok(result, LEAST.rootfs)
    end)
  end)
end

describe("pid 1 #root", function()
  it("is in the namespaces of the program, each of them", function()
    local s <close> = command.root:start(command.probe "wait")
    s:expect("ready\n")
    local init = command.children(s.pid)[1]
    local program = command.children(init)[1]
    for _, name in ipairs { "mnt", "uts", "ipc", "pid", "net", "cgroup", "user" } do
      assert.equal(sys.readlink(("/proc/%d/ns/%s"):format(program, name)),
        sys.readlink(("/proc/%d/ns/%s"):format(init, name)))
    end
  end)
end)

-- That a check can fail is shown where there is nothing to hold.
describe("what the probe asks fails", function()
  -- Of each point one or more.
  local PRIVILEGED <const> = {
    "namespace net", "network has lo alone", "network of sysfs", "bounding set, asked one by one",
    "CapPrm", "CapEff", "CapBnd", "no_new_privs", "seccomp", "no node of zero in /tmp",
    "no node of disk in /", "call mount", "call clone.user", "call unshare.mnt", "call setns.mnt",
    "call tiocsti", "call bpf", "call keyctl", "call io_uring_setup", "call by x32",
    "unwritable /proc/sys/kernel/core_pattern", "empty /proc/keys", "no address in kallsyms",
    "no physical address in pagemap", "priority cannot be raised", "parent is pid 1",
  }
  local OUTSIDE <const> = {
    "namespace mnt", "namespace uts", "namespace ipc", "namespace pid", "namespace cgroup",
    "a path of the host", "no filesystem of the host", "nodev on all but /dev",
    "flags of /dev/shm", "names in /dev", "uids", "SigBlk", "SigIgn",
    "SigPnd", "umask", "working directory", "environment", "fds 0, 1 and 2 alone",
    "host name", "cgroup", "empty /proc/interrupts", "no file in /run", "no other process",
  }

  local function assert_not_ok(names, text, least)
    local failed, list = {}, faults(text)
    for _, line in ipairs(list) do
      failed[line:match("^(.-): ")] = true
    end
    local _, interfaces = sys.read_file("/proc/net/dev"):gsub(":", "")
    for _, name in ipairs { "network has lo alone", "network of sysfs" } do
      failed[name] = failed[name] or interfaces == 1 -- here too
    end
    for _, name in ipairs(names) do
      assert.truthy(failed[name], name .. " is ok")
    end
    assert.truthy(#list >= least, #list .. " are not ok")
  end

  it("with --privileged and --network host #root", function()
    local mode = setmetatable({ options = { "--privileged", "--no-init", "--network", "host" },
      words = { "init=1" } }, { __index = modes[1] })
    assert_not_ok(PRIVILEGED, run(mode, {}, nil, {}).text, 150)
  end)

  it("in a root that was only changed #root", function()
    -- In a PID namespace all the same: the probe stops pid 1 if it can, and that is not to be the
    -- machine's.
    local result = support.run(command.words("unshare", "--mount", "--pid", "--fork", "chroot",
      image(command.root), "probe", "checks", table.unpack(knowledge(modes[1], "/"))))
    assert_not_ok({ "no way out by chroot", "a node of the image cannot be opened", "CapPrm",
      "no node of zero in /tmp", "flags of /" }, result.stdout, 50)
  end)

  it("outside of any container", function()
    local result = command.user:shell(command.words(command.program "untidy", "-",
      command.program "probe", "checks", table.unpack(knowledge(modes[5]))))
    local names = table.move(OUTSIDE, 1, #OUTSIDE, 1, {})
    names[#names + 1] = command.user:shell("ulimit -c 1").status == 0 and "core limit" or nil
    assert_not_ok(names, result.stdout, 100)
  end)
end)
