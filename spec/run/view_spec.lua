-- The container's files: the view of the host's own, another directory as the root, volumes, and
-- what a program starts with.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- What a view has as empty directories: users' files, and what runs on the host.
local EMPTY <const> = { "/home", "/mnt", "/root", "/run", "/tmp", "/var/tmp" }

-- For find(1): all that is hidden of /etc, if it is there.
local NO_SECRETS <const> = "\\( -path /etc/docker -o -path /etc/kubernetes -o -path /etc/rancher \z
  -o -path /etc/letsencrypt -o -path /etc/wireguard -o -path /etc/wpa_supplicant -o -name private \z
  -o -name 'sudoers*' -o -name 'system-connections' -o -name 'ssh_host_*_key' \\) -prune -o"

local MODE <const> = tonumber("644", 8)

local function write(path, text)
  if not sys.stat(path) then
    assert(sys.mknod(path, "file", MODE, 0, 0))
  end
  assert(sys.write_file(path, text))
end

for _, caller in ipairs(command.callers) do
  describe("the view of " .. caller.name, function()
    it("has the names of the host's root", function()
      local names = "ls -A / | grep -v -e '^lost+found$'"
      assert.equal(caller:shell(names).stdout, caller:print("sh", "-c", names))
    end)

    it("shows every system file that the caller can read, with its contents", function()
      -- Its own name is in /etc/hosts: fs/hosts_spec.lua.
      local look = ("find /etc -xdev %s -type f ! -path /etc/hosts -perm -004 -readable \z
        -exec md5sum {} + 2>/dev/null | sort"):format(NO_SECRETS)
      local inside = "\n" .. caller:print("sh", "-c", look)
      for line in caller:shell(look).stdout:gmatch("[^\n]+") do
        assert(inside:find("\n" .. line .. "\n", 1, true), line)
      end
    end)

    it("has the host's programs and libraries, all of them", function()
      local look = "cd /usr && find bin sbin lib local -maxdepth 2 2>/dev/null | sort | md5sum"
      assert.equal(caller:shell(look).stdout, caller:print("sh", "-c", look))
      assert.equal("ok\n", caller:print(support.lua, "-e", "print 'ok'"))
    end)

    it("shows links as links", function()
      local look = "find / /etc -maxdepth 1 -type l -printf '%p %l\\n' | sort"
      assert.equal(caller:shell(look).stdout, caller:print("sh", "-c", look))
    end)

    it("has none of the users' and services' files", function()
      for _, path in ipairs(EMPTY) do
        if sys.stat(path) then
          local names = caller:print("ls", "-A", path)
          assert.equal("", (names:gsub("^lock\n", path == "/run" and "" or "lock\n")), path)
        end
      end
      local place = support.tmpdir() .. "/file"
      write(place, "of the host")
      assert.not_equal(0, caller:run("--quiet", "cat", place).status)
    end)

    it("takes what is written, and nothing of it survives", function()
      local name = support.name()
      for _, path in ipairs { "", "/etc", "/usr", "/tmp", "/var/tmp", "/root", "/dev/shm" } do
        local file = path .. "/" .. name
        assert.equal("written\n", caller:print("sh", "-c", "echo written >$0 && cat $0", file))
        assert.is_nil((sys.stat(file)))
        assert.not_equal(0, caller:run("--quiet", "test", "-e", file).status, file)
      end
    end)

    it("lets directories be made in it and what was made be removed", function()
      local name = support.name()
      assert.equal("", caller:print("sh", "-c",
        "mkdir /etc/$0 && echo a >/etc/$0/a && mv /etc/$0 /usr/$0 && rm -r /usr/$0", name))
      assert.is_nil((sys.stat("/etc/" .. name)))
      assert.is_nil((sys.stat("/usr/" .. name)))
    end)

    it("is what --rootfs / asks for, however that is written", function()
      local name = support.name()
      for _, root in ipairs { "/", "//", "/.", "/./", "/.." } do
        assert.equal("", caller:print("--rootfs", root, "touch", "/" .. name))
        assert.is_nil((sys.stat("/" .. name)))
      end
    end)
  end)

  describe("the root of " .. caller.name .. " from --rootfs", function()
    it("is the directory and nothing else", function()
      local root = caller:rootfs()
      write(root .. "/etc/mark", "this one")
      assert.equal("bin\ndev\netc\nproc\nroot\nsys\ntmp\n",
        caller:print("--rootfs", root, "ls", "/"))
      assert.equal("this one", caller:print("--rootfs", root, "cat", "/etc/mark"))
    end)

    it("is the directory itself: what is written stays", function()
      local root = caller:rootfs()
      caller:print("--rootfs", root, "sh", "-c", "echo kept >/etc/kept")
      assert.equal("kept\n", sys.read_file(root .. "/etc/kept"))
      assert.equal("", caller:shell("ls -A " .. root .. "/dev " .. root .. "/proc | grep -v :")
        .stdout:gsub("\n", ""))
    end)

    it("can be named by a relative path, a link and one with odd letters", function()
      local above = caller:directory()
      local odd = above .. "/a:b,c d\\e"
      assert(os.execute(("cp -a %s %s && ln -s a:b,c\\ d\\\\e %s/link"):format(
        caller:rootfs(), support.quote(odd), above)))
      for _, name in ipairs { "./a:b,c d\\e", "link", "link/", odd .. "//" } do
        local result = caller:shell(("here=$PWD; cd %s && %s $here/run.lua -q --rootfs %s echo in"):
          format(above, support.lua, support.quote(name)))
        assert.equal("in\n", result.stdout, result.stderr)
      end
    end)

    it("has no file of the host's where a link of it leads outside", function()
      local root = caller:rootfs()
      assert(sys.symlink("../../../../../../etc", root .. "/outside"))
      write(root .. "/etc/mark", "inside")
      assert.equal("inside", caller:print("--rootfs", root, "cat", "/outside/mark"))
    end)

    it("may not have a link for /proc", function()
      local root = caller:rootfs()
      assert(sys.rmdir(root .. "/proc"))
      assert(sys.symlink("tmp", root .. "/proc"))
      local result = caller:run("--quiet", "--rootfs", root, "true")
      assert.equal("lua-container: mount: mount /proc: it is, or lies behind, a symbolic link in \z
        the root\n", result.stderr)
      assert.equal(125, result.status)
    end)

    it("is used by two containers at once", function()
      local root = caller:rootfs()
      local first <close> = caller:start("--rootfs", root, "probe", "wait")
      local second <close> = caller:start("--rootfs", root, "probe", "wait")
      first:expect("ready\n")
      second:expect("ready\n")
    end)
  end)

  describe("a volume of " .. caller.name, function()
    it("is a directory of the host's, in which what is written stays", function()
      local source = caller:directory()
      write(source .. "/in", "from outside")
      assert.equal("from outside", caller:print("-v", source .. ":/new/deep/place", "sh", "-c",
        "cat /new/deep/place/in; echo from inside >/new/deep/place/out"))
      assert.equal("from inside\n", sys.read_file(source .. "/out"))
      assert.is_nil((sys.stat("/new")))
    end)

    it("is a file of the host's", function()
      local source = caller:directory() .. "/file"
      write(source, "a file")
      assert.equal("a file", caller:print("--volume", source .. ":/etc/hostname", "cat",
        "/etc/hostname"))
      assert.equal("a file", caller:print("--volume=" .. source .. ":/etc/new/name:rw", "cat",
        "/etc/new/name"))
    end)

    it("cannot be written with :ro", function()
      local source = caller:directory()
      local result = caller:run("-q", "-v", source .. ":/mnt:ro", "touch", "/mnt/file")
      assert.matches("Read%-only file system", result.stderr)
      assert.is_nil((sys.stat(source .. "/file")))
      result = caller:run("-q", "-v", source .. ":/mnt:ro",
        "mount", "-o", "remount,rw,bind", "/mnt")
      assert.not_equal(0, result.status)
    end)

    it("is one of several, each where it was asked for", function()
      local one, two = caller:directory(), caller:directory()
      write(one .. "/name", "one")
      write(two .. "/name", "two")
      assert.equal("onetwo", caller:print("-v", one .. ":/mnt/a", "-v", two .. ":/mnt/a/b:ro",
        "cat", "/mnt/a/name", "/mnt/a/b/name"))
    end)

    it("is named from the directory that the command is called in", function()
      local source = caller:directory()
      assert(sys.mkdir(source .. "/data"))
      write(source .. "/data/name", "relative")
      local result = caller:shell(("here=$PWD; cd %s && %s $here/run.lua -q -v ./data:/data \z
        cat /data/name"):format(source, support.lua))
      assert.equal("relative", result.stdout)
    end)

    it("lies inside a root whose links lead elsewhere", function()
      local root, source = caller:rootfs(), caller:directory()
      write(source .. "/name", "inside")
      assert(sys.symlink("/../../../../../../tmp", root .. "/link"))
      assert.equal("inside", caller:print("--rootfs", root, "-v", source .. ":/link/place", "cat",
        "/tmp/place/name"))
      assert.truthy(sys.stat(root .. "/tmp/place"))
    end)

    it("leaves the host's file as it was where it covers one", function()
      local source = caller:directory() .. "/file"
      write(source, "covers")
      local before = sys.read_file("/etc/passwd")
      assert.equal("covers", caller:print("-v", source .. ":/etc/passwd", "cat", "/etc/passwd"))
      assert.equal(before, sys.read_file("/etc/passwd"))
    end)
  end)

  describe("the program of " .. caller.name, function()
    it("starts in --workdir, which is made where it is missing", function()
      assert.equal("/usr\n", caller:print("--workdir", "/usr", "pwd"))
      assert.equal("/made/deep\n", caller:print("-w", "/made/deep", "pwd"))
      assert.is_nil((sys.stat("/made")))
      local root = caller:rootfs()
      assert.equal("/made\n", caller:print("--rootfs", root, "-w", "/made", "pwd"))
      assert.equal("directory", sys.stat(root .. "/made").type)
    end)

    it("does not start where --workdir is a file", function()
      local result = caller:run("--quiet", "--workdir", "/etc/passwd", "true")
      assert.matches("^lua%-container: process: chdir /etc/passwd: Not a directory\n$",
        result.stderr)
      assert.equal(125, result.status)
    end)

    it("has the variables of --env, of two of a name the last", function()
      assert.equal("1 a=b \n", caller:print("-e", "A=0", "--env", "A=1", "-eB=a=b", "--env=C=",
        "sh", "-c", "echo $A $B \"$C\""))
      assert.equal("/nowhere\n", caller:print("-e", "HOME=/nowhere", "sh", "-c", "echo $HOME"))
      assert.equal("HOME=/x\n", caller:print("-e", "HOME=/x", "sh", "-c", "env | grep ^HOME"))
    end)

    it("has the caller's own variable where --env gives only a name", function()
      local result = caller:shell(("A=mine; export A; unset NONE; %s run.lua -q -e A -e NONE env")
        :format(support.lua))
      assert.matches("\nA=mine\n", result.stdout)
      assert.is_nil(result.stdout:find("NONE", 1, true))
    end)

    it("is searched in the PATH that it has", function()
      assert.equal("hello\n", caller:print("-e", "PATH=/nowhere:/usr/bin", "echo", "hello"))
      local result = caller:run("-q", "-e", "PATH=/nowhere", "echo", "hello")
      assert.equal("lua-container: exec: echo: not found in PATH\n", result.stderr)
      assert.equal(127, result.status)
    end)
  end)
end

describe("the view #root", function()
  -- On a host of the test's own: a mount namespace in which `script` mounts something first.
  local function on_a_host(script)
    return support.run("unshare --mount --propagation private sh -e -c " .. support.quote(script))
  end

  it("shows what is mounted on the host, and takes what is written there", function()
    local place
    for _, path in ipairs { "/usr/local", "/usr/src", "/media", "/srv", "/opt" } do
      place = sys.stat(path) and path or place
    end
    if not place then
      pending("needs a directory of the host's on which something can be mounted")
    end
    local file = place .. "/file"
    local result = on_a_host(([[mount -t tmpfs spec %s; echo mounted >%s
      %s run.lua -q sh -c 'cat %s; echo lost >%s; cat %s'; cat %s]]):format(
      place, file, support.lua, file, file, file, file))
    assert.equal("", result.stderr)
    assert.equal("mounted\nlost\nmounted\n", result.stdout)
  end)

  it("shows a file that is mounted over another", function()
    local source = support.tmpdir() .. "/passwd"
    write(source, "mounted over\n")
    local result = on_a_host(("mount --bind %s /etc/passwd; %s run.lua -q cat /etc/passwd"):format(
      source, support.lua))
    assert.equal("", result.stderr)
    assert.equal("mounted over\n", result.stdout)
  end)

  it("changes owner and mode of a file for itself only", function()
    local before = sys.stat("/etc/passwd")
    assert.equal("600 1\n", command.root:print("sh", "-c",
      "chmod 600 /etc/passwd && chown 1 /etc/passwd && stat -c '%a %u' /etc/passwd"))
    local after = sys.stat("/etc/passwd")
    assert.equal(before.mode, after.mode)
    assert.equal(before.uid, after.uid)
  end)

  it("lets a file of the host be changed and removed, for itself only", function()
    local before = sys.read_file("/etc/passwd")
    assert.equal("gone\n", command.root:print("sh", "-c",
      "echo x >>/etc/passwd && rm /etc/passwd && ! test -e /etc/passwd && echo gone"))
    assert.equal(before, sys.read_file("/etc/passwd"))
  end)

  it("has a volume's mounts below it read-only too with :ro", function()
    local source = support.tmpdir()
    assert(sys.mkdir(source .. "/below"))
    local result = on_a_host(("mount -t tmpfs spec %s/below; touch %s/below/seen; %s run.lua -q \z
      -v %s:/mnt:ro sh -c 'ls /mnt/below; touch /mnt/below/file' || true"):format(
      source, source, support.lua, source))
    assert.equal("seen\n", result.stdout)
    assert.matches("Read%-only file system", result.stderr)
  end)
end)
