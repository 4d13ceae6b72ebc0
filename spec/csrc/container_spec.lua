local container = require "container"
local sys = require "container.sys"
local support = require "spec.support"

describe("require \"container\"", function()
  it("exports one name to the host program, and needs no library but the C library's", function()
    support.needs("nm", "objdump")
    local module = support.quote(assert(package.searchpath("container", package.cpath)))
    assert.equal("luaopen_container\n",
      support.run("nm -D --defined-only " .. module .. " | awk '{ print $3 }'").stdout)
    for library in support.run("objdump -p " .. module).stdout:gmatch("NEEDED%s+(%S+)") do
      -- The sanitizers bring their own.
      assert.is_truthy(library:find("^libc%.") or library:find("^ld%-") or library:find("san%."),
        library)
    end
  end)

  it("answers a table of functions, the numbers of errors, and where it is from", function()
    local others = { errno = "table", directory = "string" }
    for name, value in pairs(sys) do
      assert.equal(others[name] or "function", type(value), name)
    end
    local path = assert(package.searchpath("container", package.cpath)):gsub("%.so$", "")
    assert.equal(sys.stat(path, "ino"), sys.stat(sys.directory, "ino"))
    assert.equal("/", sys.directory:sub(1, 1))
  end)

  it("loads the library at the first look at it, and not before", function()
    assert.equal("nil\nfunction\ttrue\ntrue\n", support.script([[
      print(package.loaded["container.api"])
      print(type(container.run), package.loaded["container.api"] ~= nil)
      print(rawget(container, "run") == require("container.api").run)]]).stdout)
  end)

  it("knows no other names", function()
    for _, key in ipairs { "nope", "", 1, true, 1.5 } do
      assert.is_nil(sys[key])
    end
    assert.is_nil(sys[container])
  end)

  it("can be loaded by two states of one process, one after the other", function()
    assert.equal("container.fd\tcontainer.fd\n", support.script([[
      local first = sys.open("/")
      package.loaded.container = nil
      local again = require "container"
      print(tostring(first):match("^%S+"), tostring(again.open("/")):match("^%S+"))
      assert(again ~= container and again.stat(first) and sys.stat(again.open("/")))]])
      .stdout)
  end)

  it("leaves standard error and standard output alone", function()
    local result = support.script("")
    assert.same({ status = 0, stdout = "", stderr = "" }, result)
  end)
end)
