local api = require "container.api"
local spec = require "container.config.spec"
local sys = require "container.sys"

local function refusal(namespaces, more)
  local options = more or {}
  options[1], options.namespaces = "true", namespaces
  local ctx, err = spec.read(options)
  assert(not ctx, "it was taken")
  return (tostring(err):gsub("^spec: ", ""))
end

local function output(script, options)
  options[1], options[2], options[3] = "sh", "-c", script
  options.stdout, options.stderr = "capture", "capture"
  local result, err = api.run(options)
  return result and result.stdout .. result.stderr or tostring(err)
end

local function own(kind)
  return sys.readlink("/proc/self/ns/" .. kind) .. "\n"
end

describe("the option namespaces is refused", function()
  it("for a kind that is chosen elsewhere, or is none", function()
    assert.equal("namespaces: network is the option network", refusal { network = "host" })
    assert.equal("namespaces: mount is always the container's own", refusal { mount = "host" })
    assert.equal("namespaces: expected ipc, pid, time or uts, got \"colour\"",
      refusal { colour = "host" })
  end)

  it("for a value that says no namespace", function()
    local expected = "expected \"private\", \"host\", a pid, a path or \"container:NAME\", got "
    assert.equal("namespaces.pid: " .. expected .. "\"none\"", refusal { pid = "none" })
    assert.equal("namespaces.pid: " .. expected .. "0", refusal { pid = 0 })
    assert.equal("namespaces.ipc: expected 1 to 128 letters, digits, _, +, - and . (not first), "
      .. "got \"/a\"", refusal { ipc = "container:/a" })
  end)

  it("where a name would be changed for others", function()
    assert.equal("namespaces.uts: does not go with hostname and domainname: the names would be "
      .. "changed for all that are in it", refusal({ uts = "host" }, { hostname = "a" }))
    assert.equal("sysctl[\"kernel.msgmni\"]: is the host's, for the container has no ipc namespace "
      .. "of its own", refusal({ ipc = "host" }, { sysctl = { ["kernel.msgmni"] = 1 } }))
  end)
end)

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

describe("namespaces #root", function()
  it("are the host's, and what is left of the container is ended by its cgroup", function()
    local text = output("sleep 600 & echo $!; cd /proc/self/ns; for n in pid ipc uts; do "
      .. "readlink $n; done; echo $HOSTNAME",
      { namespaces = { pid = "host", ipc = "host", uts = "host" } })
    assert.equal(own "pid" .. own "ipc" .. own "uts" .. "\n", (text:gsub("^%d+\n", "")))
    local stat = sys.read_file(("/proc/%s/stat"):format(text:match("^%d+")))
    assert.is_true(stat == nil or stat:find(") Z", 1, true) ~= nil) -- or not waited for yet
  end)

  it("are those of a process, of a path, and of another container", function()
    local name = ("ns-%d"):format(sys.getpid())
    local c <close> = assert(api.spawn { "sleep", "600", name = name, hostname = "first" })
    for _, which in ipairs { c.pid, ("/proc/%d/ns/uts"):format(c.pid), "container:" .. name } do
      assert.equal("first\n", output("hostname", { namespaces = { uts = which } }))
    end
    assert.equal("2\n", output("set -- $(cat /proc/1/comm /proc/2/comm); echo $#",
      { namespaces = { pid = "container:" .. name } }))
    assert.is_falsy(c:poll())
    c:kill()
  end)

  it("are not shared where nothing would end the processes, or with what is not there", function()
    assert.matches("^cgroup: a container without a PID namespace of its own takes a cgroup",
      output("true", { pids = "max", namespaces = { pid = "host" } }))
    assert.equal("namespace: no running container of this user has the name no-such",
      output("true", { namespaces = { ipc = "container:no-such" } }))
    assert.matches("^namespace: open /nope: No such file", output("true",
      { namespaces = { ipc = "/nope" } }))
  end)
end)
