-- Links beneath a directory that is the root for them. What is made where they lead: path_spec.lua.

local sys = require "container.sys"
local links = require "container.fs.links"
local support = require "spec.support"

-- A root with real/file and links to what is there and to what is not.
local function place()
  local path = support.tmpdir()
  assert(os.execute(("cd %s && mkdir -p real/deep && touch real/file && ln -s real one && \z
    ln -s /real/file two && ln -s ../../../real/new real/deep/up && ln -s nowhere/below three && \z
    ln -s loop loop && ln -s /etc/passwd out"):format(path)))
  return path, assert(sys.open(path, "path,directory"))
end

describe("links.where", function()
  it("says where a path leads, or would lead once it is made", function()
    local path, root = place()
    local _ <close> = root
    for given, wanted in pairs {
      ["/real/file"] = "/real/file", ["one/file"] = "/real/file", ["/two"] = "/real/file",
      ["/one/new"] = "/real/new", ["/one/a/b"] = "/real/a/b", ["/new/a"] = "/new/a",
      ["/one/deep/up"] = "/real/new", ["/one/deep/up/x"] = "/real/new/x",
      ["/three"] = "/nowhere/below", ["/three/x"] = "/nowhere/below/x", ["/out"] = "/etc/passwd",
      ["/"] = "", ["/../.."] = "",
    } do
      assert.equal(path .. wanted, links.where(root, given), given)
    end
    assert.is_nil(sys.stat(path .. "/nowhere"))
  end)

  it("answers that links lead nowhere for ever", function()
    local _, root = place()
    local _ <close> = root
    support.refused("openat2 /loop/x: Too many levels of symbolic links", "ELOOP",
      links.where(root, "/loop/x"))
  end)
end)

describe("links.last", function()
  it("gives the directory and the name of what a path leads to", function()
    local path, root = place()
    local _ <close> = root
    for given, wanted in pairs {
      ["/real/file"] = "/real file", ["/two"] = "/real file", ["/one"] = " real",
      ["/one/new"] = "/real new", ["/one/deep/up"] = "/real new", ["/out"] = false,
      ["/three"] = false,
    } do
      local parent <close>, name = links.last(root, given)
      if wanted then
        assert.equal(path .. wanted,
          sys.readlink("/proc/self/fd/" .. parent:fileno()) .. " " .. name, given)
      else
        assert.is_nil(parent, given)
      end
    end
  end)

  it("answers that links lead nowhere for ever", function()
    local _, root = place()
    local _ <close> = root
    support.refused("openat2 /loop: Too many levels of symbolic links", "ELOOP",
      links.last(root, "/loop"))
  end)
end)
