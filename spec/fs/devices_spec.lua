local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local devices = support.catching(require "container.fs.devices")

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

-- Name, major and minor as stat(1) prints them.
local NODES <const> = [[
full char 1:7
null char 1:3
random char 1:8
tty char 5:0
urandom char 1:9
zero char 1:5
]]

local LINKS <const> = [[
fd -> /proc/self/fd
ptmx -> pts/ptmx
stderr -> /proc/self/fd/2
stdin -> /proc/self/fd/0
stdout -> /proc/self/fd/1
]]

local DIRECTORIES <const> = "mqueue\npts\nshm\n"

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true" }
end)

-- What is in /dev, by kind, and all that is of another kind.
local LIST <const> = [[
cd /dev
for f in $(ls -A); do [ -L $f ] && echo "$f -> $(readlink $f)"; done
for f in $(ls -A); do [ -c $f ] && [ ! -L $f ] && echo "$f char $(stat -c %t:%T $f)"; done
for f in $(ls -A); do [ -d $f ] && [ ! -L $f ] && echo $f; done
for f in $(ls -A); do [ -c $f ] || [ -d $f ] || [ -L $f ] || echo "odd $f"; done
]]

describe("device.child #root", function()
  -- The container's own /dev, as mount.child holds it.
  local function dev_of(root)
    return { ["/dev"] = assert(sys.open_beneath(root, "/dev", "path,directory")) }
  end

  -- A container with nothing but this root, and no device that anybody asked for.
  local function described(root)
    return { root = root, held = dev_of(root), config = { linux = {} } }
  end

  it("makes the nodes for everyone to use, and the links", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/dev"))
    assert.is_true(support.child(function()
      sys.umask(0)
      local root <close> = assert(sys.open(path, "path,directory"))
      return devices.child(described(root))
    end))
    assert.equal(LINKS .. NODES,
      support.run((LIST:gsub("cd /dev", "cd " .. path .. "/dev"))).stdout)
    for name in NODES:gmatch("(%w+) char") do
      assert.equal(438, sys.stat(path .. "/dev/" .. name).mode, name) -- 0666
    end
  end)

  it("answers the refusal where a node is in the way", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/dev"))
    assert(sys.mknod(path .. "/dev/null", "file", 420))
    local root <close> = assert(sys.open(path, "path,directory"))
    support.refused("mknod null: File exists", "EEXIST",
      devices.child(described(root)))
  end)

  it("answers the refusal where a link is in the way", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/dev"))
    assert(sys.symlink("/etc/passwd", path .. "/dev/ptmx"))
    local root <close> = assert(sys.open(path, "path,directory"))
    local ok, message, errno = devices.child(described(root))
    support.refused("symlink ptmx: File exists", "EEXIST", ok, message, errno)
  end)

  it("binds the host's own where no node may be made", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/dev"))
    local same = support.child(function()
      local mknod = sys.mknod
      sys.mknod = function(name, kind, ...)
        if kind == "char" then
          return nil, "mknod " .. name .. ": Operation not permitted", sys.errno.EPERM
        end
        return mknod(name, kind, ...)
      end
      local root <close> = assert(sys.open(path, "path,directory"))
      assert(devices.child(described(root)))
      local same = {}
      for _, name in ipairs { "null", "zero", "full", "random", "urandom", "tty" } do
        local ours = sys.stat(path .. "/dev/" .. name)
        local theirs = sys.stat("/dev/" .. name)
        same[#same + 1] = ours.ino == theirs.ino and ours.dev == theirs.dev and name or nil
      end
      return table.concat(same, " ")
    end, { "mount" })
    assert.equal("null zero full random urandom tty", same)
    -- On the host there are empty files, on which they were mounted.
    assert.equal("file", sys.stat(path .. "/dev/null").type)
  end)

  it("follows no link where it binds the host's own", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/dev"))
    assert(sys.symlink("/victim", path .. "/dev/null"))
    local ok, message, errno = support.child(function()
      sys.mknod = function()
        return nil, "mknod null: Operation not permitted", sys.errno.EPERM
      end
      local root <close> = assert(sys.open(path, "path,directory"))
      return devices.child(described(root))
    end, { "mount" })
    support.refused("openat2 null: Too many levels of symbolic links", "ELOOP", ok, message, errno)
    assert.is_nil(sys.stat(path .. "/victim"))
  end)
end)

describe("a container's /dev", function()
  -- What can be done with it; each line is a fact.
  local USE <const> = [[
    echo gone > /dev/null && [ ! -s /dev/null ] && echo null
    [ "$(head -c 3 /dev/zero | tr '\0' z)" = zzz ] && echo zero
    echo x 2>/dev/null > /dev/full || echo full
    [ $(head -c 8 /dev/urandom | wc -c) = 8 ] && echo urandom
    [ $(head -c 8 /dev/random | wc -c) = 8 ] && echo random
    [ "$(echo in | cat /dev/stdin)" = in ] && [ "$(echo out > /dev/stdout)" = out ] && echo streams
    echo x > /dev/shm/x && [ $(stat -c %a /dev/shm) = 1777 ] && echo shm
  ]]
  local USED <const> = "null\nzero\nfull\nurandom\nrandom\nstreams\nshm\n"

  it("has these nodes and links and nothing else #root", function()
    assert.equal(LINKS .. NODES .. DIRECTORIES,
      support.run(BOX .. "sh -c " .. support.quote(LIST)).stdout)
  end)

  it("has these and nothing else, an ordinary user's too #userns", function()
    assert.equal(LINKS .. NODES .. DIRECTORIES,
      support.as_user(BOX .. "sh -c " .. support.quote(LIST)).stdout)
  end)

  it("can be used #root", function()
    assert.equal(USED, support.run(BOX .. "sh -c " .. support.quote(USE)).stdout)
  end)

  it("can be used by an ordinary user #userns", function()
    assert.equal(USED, support.as_user(BOX .. "sh -c " .. support.quote(USE)).stdout)
  end)

  it("takes nothing from an image's /dev #root", function()
    local rootfs = support.tmpdir()
    assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), rootfs)))
    assert(sys.mknod(rootfs .. "/dev/null", "file", 420))
    assert(sys.symlink("/etc/x", rootfs .. "/dev/zero"))
    assert(sys.mknod(rootfs .. "/dev/evil", "file", 420))
    assert.equal(LINKS .. NODES .. DIRECTORIES,
      support.run(BOX .. "--rootfs " .. rootfs .. " sh -c " .. support.quote(LIST)).stdout)
    local names = sys.list(rootfs .. "/dev")
    table.sort(names)
    assert.same({ "evil", "null", "zero" }, names)
    assert.equal(0, sys.stat(rootfs .. "/dev/null").size)
  end)

  it("is not what a volume at /dev holds: that stays as it is #root", function()
    local volume = support.tmpdir()
    api.run { "true", volumes = { volume .. ":/dev" }, pids = "max" }
    assert.same({}, sys.list(volume))
  end)

  it("is not what a volume behind an image's link to /dev holds #root", function()
    local rootfs, volume = support.tmpdir(), support.tmpdir()
    assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), rootfs)))
    assert(sys.symlink("dev", rootfs .. "/data"))
    api.run { "true", rootfs = rootfs, volumes = { volume .. ":/data" }, pids = "max" }
    assert.same({}, sys.list(volume))
  end)

  -- One that every user may open: what is shown is that nodes are none, not the rights of users.
  local OPEN <const> = "head -c 1 %s >/dev/null 2>&1 && echo open || echo closed"

  it("is where alone a node can be opened, whoever made it #root", function()
    local rootfs, volume = support.tmpdir(), support.tmpdir()
    assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), rootfs)))
    assert(sys.mknod(rootfs .. "/node", "char", 0x1b6, 1, 5))
    assert(sys.mknod(volume .. "/node", "char", 0x1b6, 1, 5))
    local options = ("--volume %s:/volume "):format(volume)
    local ask = support.quote((OPEN .. "; " .. OPEN):format("/node", "/volume/node"))
    assert.equal("closed\nclosed\n",
      support.run(BOX .. options .. "--rootfs " .. rootfs .. " sh -c " .. ask).stdout)
    -- But on a /tmp that is mounted without devices.
    assert.equal(sys.open(volume .. "/node") and "open\nopen\n" or "closed\nclosed\n",
      support.run(BOX .. "--privileged " .. options .. "--rootfs " .. rootfs .. " sh -c " .. ask)
        .stdout)
  end)

  it("is joined by a device that is a volume itself #root", function()
    assert.equal("open\n", support.run(BOX .. "-v /dev/zero:/log sh -c "
      .. support.quote(OPEN:format("/log"))).stdout)
  end)

  it("takes no new node, and another place none that can be opened #root", function()
    local script = "for d in /dev /tmp; do mknod $d/node c 1 5 2>/dev/null && echo made; "
      .. OPEN:format("$d/node") .. "; done"
    for _, rootfs in ipairs { "", "--rootfs " .. support.busybox_rootfs() .. " " } do
      local inside = " sh -c " .. support.quote(script)
      assert.equal("closed\nclosed\n", support.run(BOX .. rootfs .. inside).stdout)
      assert.equal("made\nopen\nmade\nclosed\n",
        support.run(BOX .. "--tmpfs /tmp --cap-add MKNOD " .. rootfs .. inside).stdout)
    end
  end)
end)
