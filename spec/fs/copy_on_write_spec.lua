-- Directories that a container changes for itself alone: --rootfs DIR:O, --volume SRC:DST:O.

local container = require "container"
local support = require "spec.support"

local function run(options)
  options.pids, options.stdout = "max", "capture"
  local result, err = container.run(options)
  return result and result.stdout or tostring(err)
end

local function tree()
  local path = support.tmpdir()
  assert(os.execute(("cd %s && mkdir sub && echo one >file && echo two >sub/two && mkdir 'a,b:c'")
    :format(path)))
  return path
end

local function listing(path)
  return support.run(("cd %s && find . | sort; cat file sub/two; stat -c '%%a %%u' . file"):format(
    support.quote(path))).stdout
end

local CHANGES <const> = "cat file; echo new >file; rm sub/two; rmdir sub; mkdir made; cat file; "
  .. "find . | sort | tr '\n' ' '"
local SEEN <const> = "one\nnew\n. ./a,b:c ./file ./made "

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  run { "true" }
end)

describe("a volume with O #userns", function()
  it("shows its source, which stays as it is", function()
    local path = tree()
    local before = listing(path)
    assert.equal(SEEN, run { "sh", "-c", "cd /tree && " .. CHANGES,
      volumes = { path .. ":/tree:O" } })
    assert.equal(before, listing(path))
  end)

  it("takes a source with a comma and a colon in its name", function()
    local path = tree()
    assert.equal("made\n", run { "sh", "-c", "mkdir /tree/made; ls /tree",
      volumes = { [path .. "/a,b:c"] = { bind = "/tree", mode = "O" } } })
  end)

  it("is new for each container", function()
    local path = tree()
    for _ = 1, 2 do
      assert.equal("one\nx\n", run { "sh", "-c", "cd /tree; cat file; echo x >file; cat file",
        volumes = { path .. ":/tree:O" } })
    end
  end)

  it("stays one when the program is an ordinary user", function()
    local path = tree()
    assert(os.execute("chmod 755 " .. path))
    local copy = support.as_user(("%s run.lua -q --pids-limit max -v %s:/tree:O "
      .. "sh -c 'rm /tree/file && ls /tree'"):format(support.lua, path))
    assert.equal("a,b:c\nsub\n", copy.stdout, copy.stderr)
    assert.matches("^one\n", support.run("cat " .. path .. "/file").stdout)
  end)

  it("is refused what it cannot be", function()
    local path = tree()
    assert.matches("O, which keeps the source as it is, stands alone",
      run { "true", volumes = { path .. ":/tree:O,ro" } }, 1, true)
    assert.matches("expected a directory as the source of a volume with O",
      run { "true", volumes = { path .. "/file:/tree:O" } }, 1, true)
  end)
end)

describe("a root with O #userns", function()
  local function root()
    local path = support.tmpdir()
    assert(os.execute(("cp -r %s/. %s && echo one >%s/file"):format(support.busybox_rootfs(), path,
      path)))
    return path
  end

  it("is written to, and stays as it is", function()
    local path = root()
    local before = support.run("cd " .. path .. " && find . | sort").stdout
    assert.equal("one\nnew\n", run { "sh", "-c", "cat /file; echo new >/file; cat /file; "
      .. "rm -r /bin", rootfs = path .. ":O" })
    assert.equal(before, support.run("cd " .. path .. " && find . | sort").stdout)
    assert.equal("one\n", support.run("cat " .. path .. "/file").stdout)
  end)

  it("goes with a range of ids #root #idmap", function()
    local path = root()
    assert.equal("new\n0\n", run { "sh", "-c", "echo new >/file; cat /file; id -u",
      rootfs = path .. ":O", userns = "auto" })
    assert.equal("one\n", support.run("cat " .. path .. "/file").stdout)
  end)

  it("can be read-only", function()
    assert.equal("", run { "sh", "-c", "echo new >/file", rootfs = root() .. ":O", readonly = true,
      stderr = "null" })
  end)

  it("is refused a directory that is not there", function()
    assert.matches("/nosuch: No such file or directory", run { "true", rootfs = "/nosuch:O" }, 1,
      true)
    assert.matches("rootfs: expected the path of a directory", run { "true", rootfs = ":O" }, 1,
      true)
  end)
end)
