local sys = require "container.sys"
local userns = require "container.linux.userns"
local support = require "spec.support"

-- What is written where, in this order, with no namespace at hand.
local function recorded(linux, refused)
  local original, written = sys.write_file, {}
  sys.write_file = function(path, data)
    written[#written + 1] = path .. " " .. data
    if path == refused then
      return nil, "write " .. path .. ": Operation not permitted", 1
    end
    return true
  end
  local result = table.pack(userns.child { config = { linux = linux } })
  sys.write_file = original
  return written, result
end

local function mapping(container_id, host_id, size)
  return { containerID = container_id, hostID = host_id, size = size }
end

local LINUX <const> = {
  uidMappings = { mapping(0, 1000, 1) },
  gidMappings = { mapping(0, 100, 1), mapping(1, 100000, 65535) },
}

describe("idmap.child", function()
  it("writes nothing where no ids are mapped", function()
    local written, result = recorded {}
    assert.same({}, written)
    assert.is_true(result[1])
  end)

  it("gives setgroups up before it maps groups", function()
    local written, result = recorded(LINUX)
    assert.same({
      "/proc/self/setgroups deny",
      "/proc/self/uid_map 0 1000 1\n",
      "/proc/self/gid_map 0 100 1\n1 100000 65535\n",
    }, written)
    assert.is_true(result[1])
  end)

  for i, name in ipairs { "setgroups", "uid_map", "gid_map" } do
    it("goes no further than a refused " .. name, function()
      local written, result = recorded(LINUX, "/proc/self/" .. name)
      assert.equal(i, #written)
      support.refused("write /proc/self/" .. name .. ": Operation not permitted", "EPERM",
        table.unpack(result, 1, result.n))
    end)
  end
end)

describe("an ordinary user's container #userns", function()
  it("maps the user and its group alone, to root", function()
    local command = support.lua .. " run.lua -q --pids-limit max "
    local result = support.as_user("echo $(id -u) $(id -g);" .. command
      .. "sh -c 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id -u; id -g'")
    local uid, gid, maps = result.stdout:match("^(%d+) (%d+)\n(.*)$")
    assert.equal(("0 %s 1\n0 %s 1\ndeny\n0\n0\n"):format(uid, gid), (maps:gsub(" +", " ")
      :gsub("\n ", "\n"):gsub("^ ", "")))
  end)

  it("makes files of the user's on the host", function()
    local command = support.lua .. " run.lua -q --pids-limit max "
    local result = support.as_user("d=$(mktemp -d); " .. command
      .. "-v $d:/out sh -c 'echo > /out/made; stat -c %u:%g /out/made'; "
      .. "id -u; stat -c %u $d/made; rm -r $d")
    local inside, user, owner = result.stdout:match("^(.-)\n(.-)\n(.-)\n$")
    assert.equal("0:0", inside)
    assert.equal(user, owner)
  end)
end)
