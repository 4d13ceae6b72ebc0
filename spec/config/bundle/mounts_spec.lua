local api = require "container.api"
local bundle = require "container.config.bundle"
local bundles = require "spec.fixtures.bundle"
local support = require "spec.support"
local sys = require "container.sys"

local output = bundles.output

-- The options of the mount at a place, as mountinfo has them in the container.
local LOOK <const> = [[look() { while read -r _ _ _ _ at how rest; do [ "$at" = "$1" ] &&
  echo "$how ${rest%%- *}"; done < /proc/self/mountinfo; :; }; ]]

local function with(entry)
  return function(c)
    c.mounts[#c.mounts + 1] = entry
  end
end

-- The first container makes the image of init, which stays open for those to come.
setup(function()
  api.run { "true" }
end)

describe("mounts of a bundle", function()
  it("are refused where a word asks for what cannot be", function()
    local function why(entry)
      return (bundles.refusal(with(entry)):gsub("^config: mounts%[4%]", ""))
    end
    assert.equal(".options: idmap takes a user namespace, or uidMappings and gidMappings",
      why { destination = "/a", source = "/b", options = { "rbind", "idmap" } })
    assert.equal(".options: tmpcopyup takes the type tmpfs",
      why { destination = "/a", source = "/b", options = { "rbind", "tmpcopyup" } })
    assert.equal(".gidMappings: is missing", why { destination = "/a", source = "/b",
      options = { "bind" }, uidMappings = { { containerID = 0, hostID = 1, size = 1 } } })
    assert.equal(".source: is missing", why { destination = "/a", options = { "rbind" } })
    assert.equal(".type: is missing", why { destination = "/a" })
  end)

  it("have a relative destination beneath the root, and a relative source in the bundle", function()
    local asked = assert(bundle.read(bundles.config("true",
      with { destination = "a/./b", source = "c", options = { "bind" } }), "/bundle"))
    local entry = asked.config.mounts[5]
    assert.equal("/a/b /bundle/c", entry.destination .. " " .. entry.source)
  end)
end)

describe("mounts of a bundle #root", function()
  it("are as their words say, of which the last of two contrary ones holds", function()
    local source = support.tmpdir()
    assert.equal("ro,nosuid,noexec,noatime \nrw,nodev,relatime \nrw,nosuid,noexec,relatime \n",
      (output(LOOK .. "look /a; look /b; look /tmp", function(c)
        with { destination = "/a", source = source, options = { "rbind", "rw", "nosuid", "nodev",
          "noexec", "ro", "dev", "noatime", "rprivate" } }(c)
        with { destination = "/b", source = source, type = "none",
          options = { "bind", "ro", "rw", "suid", "nodev", "exec", "strictatime", "atime" } }(c)
        c.mounts[4].options = { "nosuid", "nodev", "noexec", "dev", "rprivate", "async", "loud" }
      end)))
  end)

  it("restrict themselves alone, and with an r in front all that is below", function()
    assert.same({ "ro,relatime \nrw,relatime \nro,nosuid,relatime \nro,nosuid,relatime \n" },
      { support.child(function()
        assert(sys.mount(nil, "/", nil, "rprivate"))
        assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
        assert(sys.mkdir("/mnt/below"))
        assert(sys.mount("tmpfs", "/mnt/below", "tmpfs"))
        return (output(LOOK .. "look /a; look /a/below; look /b; look /b/below", function(c)
          with { destination = "/a", source = "/mnt", options = { "rbind", "ro" } }(c)
          with { destination = "/b", source = "/mnt", options = { "rbind", "rro", "rnosuid" } }(c)
        end))
      end, { "mount" }) })
  end)

  it("pass on what their propagation says, and the host's mounts stay", function()
    local seen, private, slave, shared, later, after = support.child(function()
      assert(sys.mount(nil, "/", nil, "rprivate"))
      assert(sys.mount("tmpfs", "/mnt", "tmpfs"))
      assert(sys.mount(nil, "/mnt", nil, "shared"))
      assert(sys.mkdir("/mnt/a"))
      local function run(word, script, more)
        return (output(LOOK .. script, function(c)
          with { destination = "/v", source = "/mnt", options = { "rbind", word } }(c)
          c.process.capabilities.bounding = { "CAP_SYS_ADMIN" }
          c.process.capabilities.effective = { "CAP_SYS_ADMIN" }
          c.process.capabilities.permitted = { "CAP_SYS_ADMIN" }
          if more then
            more(c)
          end
        end))
      end
      local before = sys.read_file("/proc/self/mountinfo")
      local function kind(text)
        return text:match("(%a+):%d+") or "private"
      end
      local list = { kind(run("rprivate", "look /v")), kind(run("rslave", "look /v")),
        kind(run("rshared", "look /v")) }
      run("shared", "mount -t tmpfs none /v/a")
      local after_shared = sys.read_file("/proc/self/mountinfo"):find("/mnt/a", 1, true) ~= nil
      sys.umount("/mnt/a")
      return before == sys.read_file("/proc/self/mountinfo"), list[1], list[2], list[3],
        after_shared, kind(run("private", "look /", function(c)
          c.linux.rootfsPropagation = "shared"
        end))
    end, { "mount" })
    assert.same({ true, "private", "master", "shared", true, "shared" },
      { seen, private, slave, shared, later, after })
  end)

  it("of the kind tmpfs have the mode of what they cover, and by tmpcopyup its files", function()
    local directory = bundles.directory()
    local place = directory .. "/rootfs/var"
    assert(os.execute(("mkdir -p %s/deep/x && chmod 750 %s && echo text > %s/deep/x/f && "
      .. "chmod 4711 %s/deep/x/f && ln -s /etc/shadow %s/l && mkfifo %s/p && chown 7:8 %s/deep")
      :format(place, place, place, place, place, place, place)))
    assert.equal("750 tmpfs\n7 8\n4711\ntext\n/etc/shadow\nfifo\n750 no\n", (output([[
      echo $(stat -c %a /var) $(stat -f -c %T /var); stat -c '%u %g' /var/deep
      stat -c %a /var/deep/x/f; cat /var/deep/x/f; readlink /var/l; stat -c %F /var/p
      echo $(stat -c %a /empty) $([ -e /empty/deep ] || echo no)]], function(c)
        with { destination = "/var", type = "tmpfs", source = "tmpfs",
          options = { "rw", "rprivate", "nosuid", "nodev", "tmpcopyup" } }(c)
        assert(os.execute(("mkdir -m 750 %s/rootfs/empty"):format(directory)))
        with { destination = "/empty", type = "tmpfs", source = "tmpfs" }(c)
      end, directory)))
  end)

  it("follow links inside the root, but not into /proc nor for proc itself", function()
    local directory = bundles.directory()
    local root = directory .. "/rootfs"
    assert(os.execute(("ln -s /run/deep %s/away; ln -s /proc/sys %s/bad"):format(root, root)))
    assert.equal("tmpfs\n", (output("stat -f -c %T /run/deep",
      with { destination = "/away", type = "tmpfs", source = "tmpfs" }, directory)))
    assert.equal("mount: mount /bad: a link of the root leads into /proc",
      bundles.failure("true", with { destination = "/bad", type = "tmpfs" }, directory))
    assert.equal("mount: mount /away: it is, or lies behind, a symbolic link in the root",
      bundles.failure("true", with { destination = "/away", type = "proc" }, directory))
  end)

  it("may cover files of /proc, as lxcfs does, and remount what is there", function()
    local directory = support.tmpdir()
    local f <close> = assert(io.open(directory .. "/uptime", "w"))
    f:write("1.00 1.00\n")
    f:flush()
    assert.equal("1.00 1.00\nro,nosuid,relatime \n", (output(
      LOOK .. "cat /proc/uptime; look /tmp", function(c)
        with { destination = "/proc/uptime", source = directory .. "/uptime",
          options = { "bind" } }(c)
        with { destination = "/tmp", options = { "remount", "bind", "ro", "nosuid" } }(c)
      end)))
  end)

  it("have ids of their own, without a user namespace of the container's and with one", function()
    local source = support.tmpdir()
    assert(os.execute(("touch %s/f %s/g && chown 5:6 %s/f && chmod 777 %s"):format(source, source,
      source, source)))
    local function entry(options)
      return { destination = "/v", source = source, options = options,
        uidMappings = { { containerID = 0, hostID = 100, size = 10 } },
        gidMappings = { { containerID = 0, hostID = 200, size = 10 } } }
    end
    assert.equal("105 206\n", (output("stat -c '%u %g' /v/f", with(entry { "bind" }))))
    local directory = bundles.directory()
    assert(os.execute("chown -R 100:200 " .. directory .. "/rootfs"))
    assert.equal("5 6\n0 0\n", (output("stat -c '%u %g' /v/f; touch /v/new; stat -c '%u %g' /v/new",
      function(c)
        with(entry { "rbind", "ridmap" })(c)
        c.linux.namespaces[6] = { type = "user" }
        c.linux.uidMappings = { { containerID = 0, hostID = 100, size = 10 } }
        c.linux.gidMappings = { { containerID = 0, hostID = 200, size = 10 } }
        c.mounts[3].options = { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" }
      end, directory)))
    assert.equal("0 0", support.run(("stat -c '%%u %%g' %s/new"):format(source)).stdout:sub(1, 3))
  end)
end)
