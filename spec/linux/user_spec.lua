local sys = require "container.sys"
local support = require "spec.support"
local user = require "container.linux.user"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

local PASSWD <const> = [[
root:x:0:0:root:/root:/bin/sh
someone:x:1001:1002:Some One:/home/someone:/bin/sh
nohome:x:1003:1003
broken:x:many:1::/broken:
short
]]

local GROUP <const> = "root:x:0:\nteam:x:2002:someone\nodd:x:y:\n"

local function root(passwd, group)
  local path = support.tmpdir()
  assert(sys.mkdir(path .. "/etc"))
  for name, text in pairs { passwd = passwd or PASSWD, group = group or GROUP } do
    local file <close> = assert(sys.open(path .. "/etc/" .. name, "wronly,creat"))
    sys.write(file, text)
  end
  return path
end

-- The ids that this names: uid, gid and HOME; or nil, message, errno.
local function who(name, path, more)
  local c = { user = name, config = { root = { path = path or root() }, linux = {}, process = {
    env = { "PATH=/bin", "HOME=/root" }, user = { uid = 0, gid = 0 } } } }
  for key, value in pairs(more or {}) do
    c[key] = value
  end
  local ok, message, errno = user.prepare(c)
  if not ok then
    return nil, message, errno
  end
  local p = c.config.process
  return p.user.uid, p.user.gid, p.env[2]:match("^HOME=(.*)$")
end

describe("user.prepare", function()
  it("is root where nobody is named", function()
    assert.same({ 0, 0, "/root" }, { who(nil) })
  end)

  it("finds names and their groups and homes in the root's own files", function()
    assert.same({ 1001, 1002, "/home/someone" }, { who("someone") })
    assert.same({ 1001, 2002, "/home/someone" }, { who("someone:team") })
    assert.same({ 1001, 7, "/home/someone" }, { who("someone:7") })
    assert.same({ 0, 0, "/root" }, { who("root") })
  end)

  it("has / as the home of whom the files give none", function()
    assert.same({ 1003, 1003, "/" }, { who("nohome") })
  end)

  it("takes ids as they are, with what the files say of them", function()
    assert.same({ 1001, 1002, "/home/someone" }, { who("1001") })
    assert.same({ 1001, 2002, "/home/someone" }, { who("1001:team") })
    assert.same({ 4242, 0, "/" }, { who("4242") })
    assert.same({ 4242, 4343, "/" }, { who("4242:4343") })
  end)

  it("leaves a home that was given", function()
    assert.same({ 1001, 1002, "/root" }, { who("someone", nil, { home_given = true }) })
  end)

  it("refuses a name that is not there, or has no id", function()
    for name, file in pairs { nobody = "passwd", broken = "passwd", short = "passwd",
      ["someone:nothing"] = "group", ["someone:odd"] = "group" } do
      local unknown = name:match("[^:]*$")
      local ok, message, errno = who(name)
      support.refused(("user %s: not in the container's /etc/%s"):format(unknown, file), "ENOENT",
        ok, message, errno)
    end
  end)

  it("takes ids where there are no files, and no names", function()
    local path = support.tmpdir()
    assert.same({ 7, 0, "/" }, { who("7", path) })
    assert.is_nil((who("someone", path)))
  end)

  it("reads nothing outside of the root, whatever its links say", function()
    local path, outside = support.tmpdir(), root()
    assert(sys.symlink(outside .. "/etc", path .. "/etc"))
    assert.is_nil((who("someone", path)))
    path = support.tmpdir()
    assert(sys.mkdir(path .. "/etc"))
    assert(sys.symlink("../../" .. outside:match("[^/]*$") .. "/etc/passwd",
      path .. "/etc/passwd"))
    assert.is_nil((who("someone", path)))
  end)

  it("does not wait for a pipe, and finds nothing in a directory", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/etc"))
    assert(sys.mknod(path .. "/etc/passwd", "fifo", 420))
    assert.is_nil((who("someone", path)))
    path = support.tmpdir()
    assert(os.execute("mkdir -p " .. path .. "/etc/passwd"))
    assert.is_nil((who("someone", path)))
  end)

  it("reads no file that is larger than a list of users is", function()
    local path = support.tmpdir()
    assert(os.execute("mkdir " .. path .. "/etc && truncate -s 1T " .. path .. "/etc/passwd"))
    assert.is_true(support.child(function()
      sys.setrlimit("as", 1 << 27)
      return who("someone", path) == nil
    end))
  end)

  it("reads no device #root", function()
    local path = support.tmpdir()
    assert(sys.mkdir(path .. "/etc"))
    assert(sys.mknod(path .. "/etc/passwd", "char", 438, 1, 5)) -- zero
    assert.is_true(support.child(function()
      sys.setrlimit("as", 1 << 27)
      return who("someone", path) == nil
    end))
  end)

  it("refuses an id that is none", function()
    for _, id in ipairs { "4294967295", "4294967296", "99999999999999999999" } do
      local path = root("odd:x:" .. id .. ":0::/:/s\n")
      local uid, message = who("odd", path)
      assert.is_nil(uid)
      assert.is_string(message)
    end
  end)

  it("takes files without a last line end, and with every byte", function()
    assert.same({ 9, 9, "/h" }, { who("last", root("\0\xff:x\n:::::\nlast:x:9:9::/h:/s")) })
  end)

  it("refuses whom the user namespace has not", function()
    local function mapped(name, uids, gids)
      local c = { user = name, config = { root = { path = root() },
        linux = {
          uidMappings = { { containerID = 0, hostID = 100, size = uids } },
          gidMappings = { { containerID = 0, hostID = 100, size = gids } },
        },
        process = { env = {}, user = { uid = 0, gid = 0 } } } }
      return user.prepare(c)
    end
    for _, sizes in ipairs { { 1, 1 }, { 1001, 1003 }, { 1002, 1002 } } do
      local ok, message, errno = mapped("someone", table.unpack(sizes))
      support.refused("user 1001:1002: not mapped into this user namespace", "EINVAL",
        ok, message, errno)
      assert.is_true(mapped("root", table.unpack(sizes)))
    end
    assert.is_true(mapped("someone", 1002, 1003))
  end)
end)

describe("a container's user #root", function()
  local LOOK <const> = " sh -c 'echo $(id -u):$(id -g) $HOME; grep -E ^Groups /proc/self/status'"

  local function prints(expected, options)
    local result = support.run(BOX .. options .. LOOK)
    assert.same({ expected, "" }, { result.stdout:gsub("%s+\n", "\n"), result.stderr })
  end

  it("is root, without the launcher's other groups", function()
    prints("0:0 /root\nGroups:\n", "")
  end)

  it("is who was asked for", function()
    prints("1234:4321 /\nGroups:\n", "-u 1234:4321")
    local path = support.tmpdir()
    assert(os.execute(("cp -al %s/. %s"):format(support.busybox_rootfs(), path)))
    assert(os.execute(("cp -r %s/etc %s"):format(root(), path)))
    prints("1001:2002 /home/someone\nGroups:\n", "--rootfs " .. path .. " --user someone:team")
  end)

  it("is refused with one sentence when it is unknown", function()
    local result = support.run(BOX .. "-u nobody-of-this-name true")
    assert.same({ 125, "lua-container: user: user nobody-of-this-name: not in the container's "
      .. "/etc/passwd\n" }, { result.status, result.stderr })
  end)

  it("dies with the launcher, whoever it is", function()
    for _, init in ipairs { "true", "false" } do
      local result = support.script(([[
        local c = assert(container.spawn { "sleep", "1000", pids = "max", user = "1234",
          init = %s })
        print(c.pid)
        io.stdout:flush()
        sys.kill(sys.getpid(), "KILL")
      ]]):format(init))
      local pidfd <close> = sys.pidfd_open(tonumber(result.stdout))
      assert.is_true(not pidfd or sys.ppoll({ pidfd }, 10)[1])
    end
  end)
end)
