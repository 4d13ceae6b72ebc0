local container = require "container"
local sys = require "container.sys"
local support = require "spec.support"

describe("require \"container\"", function()
  it("exports two names to the host program, and needs no library but the C library's", function()
    support.needs("nm", "objdump")
    local module = support.quote(assert(package.searchpath("container", package.cpath)))
    assert.equal("luaopen_container\nluaopen_container_sys\n",
      support.run("nm -D --defined-only " .. module .. " | awk '{ print $3 }'").stdout)
    for library in support.run("objdump -p " .. module).stdout:gmatch("NEEDED%s+(%S+)") do
      -- The sanitizers bring their own.
      assert.is_truthy(library:find("^libc%.") or library:find("^ld%-") or library:find("san%."),
        library)
    end
  end)

  it("answers the API that the README documents, and nothing else", function()
    local names = {}
    for name in pairs(container) do
      names[#names + 1] = name
    end
    table.sort(names)
    assert.same({ "_VERSION", "call", "cgroup_pids", "cgroup_place", "chdir", "chroot",
      "clock_gettime", "clone", "exec", "features", "gethostname", "getpid", "kill", "mount",
      "mount_proc", "pivot_root", "plan", "poll", "ppoll", "read_signal", "rmdir", "run",
      "sethostname", "setns", "signal_name", "signalfd", "sigprocmask", "spawn", "spawn_call",
      "umount", "unshare", "wait" },
      names)
    local readme = assert(sys.read_file("README.md"))
    for _, name in ipairs(names) do
      assert.is_truthy(name == "_VERSION" or readme:find("`" .. name .. "(", 1, true)
        or readme:find("container." .. name, 1, true), name)
    end
  end)

  it("has container.sys in the same file: functions, numbers of errors, where it is", function()
    local others = { errno = "table", directory = "string", lua_path = "string" }
    for name, value in pairs(sys) do
      assert.equal(others[name] or "function", type(value), name)
    end
    local path = assert(package.searchpath("container", package.cpath)):gsub("%.so$", "")
    assert.equal(sys.stat(path, "ino"), sys.stat(sys.directory, "ino"))
    assert.equal("/", sys.directory:sub(1, 1))
  end)

  it("finds its Lua modules in the tree that it lies in, and leaves package.path alone", function()
    support.needs("native")
    local tree = support.quote(sys.directory:match("^(.*)/container/$"))
    local result = support.run(("cd / && env -u LUA_PATH_5_4 LUA_CPATH_5_4=%s/?.so %s \z
      -e %s"):format(tree, support.lua, support.quote [[
        local before = package.path
        local container = require "container"
        print(type(container.run), package.path == before)]]))
    assert.same({ status = 0, stdout = "function\ttrue\n", stderr = "" }, result)
  end)

  it("can be loaded by two states of one process, one after the other", function()
    assert.equal("container.fd\tcontainer.fd\n", support.script([[
      local first = sys.open("/")
      package.loaded["container.sys"] = nil
      local again = require "container.sys"
      print(tostring(first):match("^%S+"), tostring(again.open("/")):match("^%S+"))
      assert(again ~= sys and again.stat(first) and sys.stat(again.open("/")))]])
      .stdout)
  end)

  it("leaves standard error and standard output alone", function()
    local result = support.script("")
    assert.same({ status = 0, stdout = "", stderr = "" }, result)
  end)
end)
