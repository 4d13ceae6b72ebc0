-- What a container reads and writes of a disk: limits hold, and it is counted. The disk is a file,
-- by a loop device; the same on either version of cgroups.

local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local _, version = sys.cgroup_place("pids")
local MEBIBYTE <const> = 1 << 20

setup(function()
  api.run { "true" }
end)

-- The path of a disk of 8 MiB, and its holder. It is detached at once, which the kernel does when
-- no process has it open any more, also when this process is killed.
local function disk()
  support.needs "io"
  local image = support.tmpdir() .. "/disk"
  assert(os.execute("head -c 8M /dev/zero >" .. support.quote(image)))
  local made = support.run("losetup --find --show " .. support.quote(image))
  if made.status ~= 0 then
    pending("needs a loop device: " .. made.stderr)
  end
  local path = made.stdout:match("%S+")
  local fd = assert(sys.open(path, "rdwr"))
  assert(os.execute("losetup --detach " .. path))
  return path, fd
end

-- Past the cache of the kernel, so that it is of the disk.
local READ <const> = "exec dd if=%s of=/dev/null bs=256K count=16 iflag=direct 2>/dev/null"
local WRITE <const> = "exec dd if=/dev/zero of=%s bs=256K count=16 oflag=direct 2>/dev/null"

-- Four mebibytes in a container, and the seconds that it took.
local function move(path, text, rates)
  local start = sys.clock_gettime()
  local result = assert(api.run { "sh", "-c", text:format(path), devices = { path },
    io = rates and { [path] = rates }, stats = true })
  assert.equal(0, result.status)
  return sys.clock_gettime() - start, result.stats
end

local function numbers(path)
  local st = sys.stat(path)
  return ("%d:%d"):format(st.major, st.minor)
end

for _, case in ipairs {
  { "read", READ, "read_bps", "read_bytes", "read_operations" },
  { "write", WRITE, "write_bps", "write_bytes", "write_operations" },
} do
  local verb, text, rate, bytes, operations = table.unpack(case)
  describe("what a container may " .. verb .. " #root #cgroup", function()
    it("comes at the rate that it may, is quick without, and is counted", function()
      local path, held <close> = disk()
      assert(held)
      local free, counted = move(path, text)
      local slow, same = move(path, text, { [rate] = "1M" })
      assert.truthy(slow >= 3 and slow <= 8 * support.patience, slow)
      assert.truthy(free < slow / 2, free)
      -- Before Linux 6.5 version 1 does not count what is not limited.
      for _, stats in ipairs(version == 2 and { same, counted } or { same }) do
        local found = assert(stats.io[numbers(path)])
        assert.truthy(found[bytes] >= 4 * MEBIBYTE, found[bytes])
        assert.truthy(found[operations] >= 16, found[operations])
      end
    end)
  end)
end

describe("the operations of a disk #root #cgroup", function()
  it("come at their rate, of the command too", function()
    local path, held <close> = disk()
    assert(held)
    local start = sys.clock_gettime()
    local result = support.run(("%s run.lua -q --device %s --device-read-iops %s:8 "
      .. "dd if=%s of=/dev/null bs=4K count=24 iflag=direct"):format(support.lua, path, path, path))
    local took = sys.clock_gettime() - start
    assert.equal(0, result.status, result.stderr)
    assert.truthy(took >= 1.5 and took <= 6 * support.patience, took)
  end)
end)

describe("the rate of a disk #root #cgroup", function()
  it("is changed while the container reads, for the others of it as well", function()
    local path, held <close> = disk()
    assert(held)
    local c <close> = assert(api.spawn { "sleep", "1000", devices = { path },
      io = { [path] = { read_bps = "64K" } } })
    local program <close> = assert(c:exec { "sh", "-c", READ:format(path) })
    assert.is_nil((program:wait(1))) -- it would take a minute
    assert.is_true(c:update { io = { [path] = { read_bps = "64M" } } })
    assert.equal(0, assert(program:wait(20)).status)
  end)
end)
