-- Where volumes, tmpfs and devices that were asked for are seen: in the place that was named, over
-- what the host overlay hides, the outer before the inner, and where links of the root lead.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

local quote = support.quote

local function file(caller, text)
  local path = caller:directory() .. "/file"
  assert(os.execute(("echo %s >%s && chmod 644 %s"):format(quote(text), path, path)))
  return path
end

for _, caller in ipairs(command.callers) do
  describe("what " .. caller.name .. " asks for", function()
    it("is seen over what the host overlay hides", function()
      local source = caller:directory()
      assert.equal("", caller:print("-v", source .. ":/var/log", "touch", "/var/log/x"))
      assert.is_truthy(sys.stat(source .. "/x"))
      for _, place in ipairs { "/var/log", "/var/spool", "/var/lib/postgresql", "/etc/ssl/private",
        "/var/mail" } do
        if sys.stat(place) then
          assert.equal("tmpfs\n", caller:print("--tmpfs", place, "sh", "-c",
            "touch $0/x && grep \" $0 \" /proc/mounts | tail -n 1 | cut -d' ' -f3", place))
        end
      end
    end)

    it("is seen as a file over one that is hidden", function()
      local source = file(caller, "mine")
      for _, place in ipairs { "/etc/shadow", "/etc/gshadow", "/etc/sudoers" } do
        assert.equal("mine\n", caller:print("-v", source .. ":" .. place, "cat", place))
      end
    end)

    it("is seen below a directory that is hidden, beside what that has", function()
      local source = caller:directory()
      assert(os.execute("touch " .. source .. "/here"))
      for _, place in ipairs { "/var/log/nginx", "/var/log/new/deep", "/etc/sudoers.d/x" } do
        assert.equal("here\n", caller:print("-v", source .. ":" .. place, "ls", place))
      end
      if sys.stat("/var/log/apt") then
        assert.equal("apt\nnew\n", caller:print("-v", source .. ":/var/log/new", "sh", "-c",
          "ls /var/log | grep -e '^apt$' -e '^new$'"))
      end
    end)

    it("does not uncover what else is hidden", function()
      local source = caller:directory()
      assert.equal("", caller:print("-v", source .. ":/var/log/x", "find", "/var/log", "-type",
        "f"))
      assert.equal("", caller:print("-v", source .. ":/etc/x", "sh", "-c",
        "ls -A /etc/ssl/private 2>&-; grep '[$]' /etc/shadow 2>&-; true"))
    end)

    it("does not go over the masks of /proc and /sys", function()
      local source = caller:directory()
      assert(os.execute("mkdir " .. source .. "/firmware && touch " .. source .. "/firmware/f"))
      assert.equal("", caller:print("-v", source .. ":/sys", "ls", "-A", "/sys/firmware"))
      local result = caller:run("-q", "-v", source .. ":/proc/x", "true")
      assert.matches("destination /proc/x is the container's own", result.stderr)
    end)

    it("is mounted the outer before the inner, in any order", function()
      local inner, outer = caller:directory(), caller:directory()
      assert(os.execute("touch " .. inner .. "/inner " .. outer .. "/outer"))
      local a, b = inner .. ":/x/y", outer .. ":/x"
      assert.equal("inner\n", caller:print("-v", a, "-v", b, "ls", "/x/y"))
      assert.equal("inner\n", caller:print("-v", b, "-v", a, "ls", "/x/y"))
      assert.equal("inner\n", caller:print("-v", a, "--tmpfs", "/x", "ls", "/x/y"))
      assert.equal("inner\n", caller:print("--tmpfs", "/x", "-v", a, "ls", "/x/y"))
      assert.equal("outer\ny\n", caller:print("--tmpfs", "/x/y", "-v", b, "ls", "/x"))
      assert.equal("", caller:print("--tmpfs", "/x/y/z", "-v", b, "-v", a, "ls", "/x/y/z"))
      assert.equal("inner\nz\n", caller:print("--tmpfs", "/x/y/z", "-v", b, "-v", a, "ls", "/x/y"))
    end)

    it("is mounted the outer before the inner where links lead to it", function()
      local inner, outer = caller:directory(), caller:directory()
      assert(os.execute("touch " .. inner .. "/inner " .. outer .. "/outer"))
      local root = caller:rootfs()
      assert(os.execute(("mkdir -p %s/usr/lib && ln -s usr/lib %s/lib && ln -s usr/new %s/new \z
        && chown -R --reference=%s %s/usr"):format(root, root, root, root, root)))
      for link, place in pairs { ["/lib"] = "/usr/lib", ["/new"] = "/usr/new" } do
        assert.equal("inner\n", caller:print("--rootfs", root, "-v", inner .. ":" .. link .. "/x/y",
          "-v", outer .. ":" .. place .. "/x", "ls", place .. "/x/y"), link)
      end
    end)

    it("keeps its order in one place, where a volume lies on a tmpfs", function()
      local one, other = caller:directory(), caller:directory()
      assert(os.execute("touch " .. one .. "/one " .. other .. "/other"))
      assert.equal("other\n", caller:print("-v", one .. ":/x", "-v", other .. ":/x", "ls", "/x"))
      assert.equal("one\n", caller:print("-v", one .. ":/x", "--tmpfs", "/x", "ls", "/x"))
    end)

    it("lies on a device of the container's", function()
      local source = file(caller, "mine")
      assert.equal("mine\n", caller:print("-v", source .. ":/dev/random", "cat", "/dev/random"))
    end)

    it("is made where a link leads that leads nowhere", function()
      local source, directory = file(caller, "mine"), caller:directory()
      assert(os.execute("touch " .. directory .. "/here"))
      local root = caller:rootfs()
      assert(os.execute(("ln -sf ../run/resolve/stub %s/etc/resolv.conf; ln -s /run/lock %s/lock; \z
        ln -s ../../../../run/up %s/up"):format(root, root, root)))
      assert.equal("mine\nmine\n", caller:print("--rootfs", root, "-v",
        source .. ":/etc/resolv.conf", "cat", "/etc/resolv.conf", "/run/resolve/stub"))
      assert.equal("here\n", caller:print("--rootfs", root, "-v", directory .. ":/lock/a/b", "ls",
        "/run/lock/a/b"))
      assert.equal("here\n", caller:print("--rootfs", root, "-v", directory .. ":/up", "ls",
        "/run/up"))
      assert.equal("tmpfs\n", caller:print("--rootfs", root, "--tmpfs", "/lock", "stat", "-f", "-c",
        "%T", "/run/lock"))
      assert.equal("../run/resolve/stub", sys.readlink(root .. "/etc/resolv.conf"))
    end)

    it("stays inside a root whose links lead out, also to what is missing", function()
      local outside, source = caller:directory(), caller:directory()
      local root = caller:rootfs()
      assert(os.execute(("ln -s %s/new %s/absolute; ln -s ../../../../../../../..%s/new %s/up")
        :format(outside, root, outside, root)))
      for _, link in ipairs { "/absolute", "/up" } do
        for _, below in ipairs { "", "/deep/er" } do
          assert.equal("", caller:print("--rootfs", root, "-v", source .. ":" .. link .. below,
            "--tmpfs", link .. "2" .. below, "ls", link .. below))
        end
      end
      assert.same({}, sys.list(outside))
      assert.is_truthy(sys.stat(root .. outside .. "/new/deep/er"))
    end)

    it("is refused where a link leads into /proc, or to itself", function()
      local source = file(caller, "mine")
      local root = caller:rootfs()
      assert(os.execute(("ln -s /proc/self/attr %s/attr; ln -s /proc/meminfo %s/info; \z
        ln -s loop %s/loop"):format(root, root, root)))
      local function refused(...)
        local result = caller:run("-q", "--rootfs", root, ...)
        assert.equal(125, result.status)
        return result.stderr
      end
      assert.equal("lua-container: mount: mount /info: a link of the root leads into /proc\n",
        refused("-v", source .. ":/info", "true"))
      assert.equal("lua-container: mount: mount /attr: a link of the root leads into /proc\n",
        refused("--tmpfs", "/attr", "true"))
      assert.matches("/loop: Too many levels of symbolic links",
        refused("--tmpfs", "/loop", "true"))
    end)

    it("has --workdir made where a link leads that leads nowhere", function()
      local root = caller:rootfs()
      assert(os.execute("ln -s ../../run/deep " .. root .. "/deep"))
      assert.equal("/run/deep/here\n", caller:print("--rootfs", root, "-w", "/deep/here", "pwd"))
    end)

    it("comes from a source that goes up to the host's / by ..", function()
      local result = caller:shell("here=$PWD; cd /tmp && " .. support.lua .. " $here/run.lua -q "
        .. "-v ../etc/passwd:/x cmp /x /etc/passwd")
      assert.same({ 0, "" }, { result.status, result.stderr })
      local source = caller:directory()
      assert(sys.symlink("../../../../../../../../etc/passwd", source .. "/link"))
      assert.equal("", caller:print("-v", source .. "/link:/x", "cmp", "/x", "/etc/passwd"))
    end)
  end)
end

describe("a device that root asks for #root", function()
  it("is seen in a tmpfs or volume around it, in any order", function()
    local source = support.tmpdir()
    for _, around in ipairs { "--tmpfs=/dev/own", "--volume=" .. source .. ":/dev/own" } do
      for _, device in ipairs { "/dev/own/zero", "/dev/own/deep/zero" } do
        local option = "--device=/dev/zero:" .. device
        for _, options in ipairs { { option, around }, { around, option } } do
          assert.equal("character special file\n", command.root:print(options[1], options[2],
            "stat", "-c", "%F", device))
        end
      end
    end
    -- What stands for it in the volume is an empty file, and no node.
    assert.equal("file", sys.stat(source .. "/zero", "type"))
  end)
end)

describe("a device of the default #root", function()
  it("can be asked for, and be another one", function()
    assert.equal("c null\n", command.root:print("--device=/dev/null", "--device=/dev/null", "sh",
      "-c", "stat -c %F /dev/null | cut -c1 | tr '\\n' ' '; echo x >/dev/null; echo null"))
    assert.equal("2\n", command.root:print("--device=/dev/zero:/dev/full", "sh", "-c",
      "head -c 2 /dev/full | wc -c"))
  end)
end)

describe("a hostile root #root", function()
  it("has nothing made or mounted outside while its links are swapped", function()
    local outside, root, source = support.tmpdir(), command.root:rootfs(), support.tmpdir()
    local pid = assert(sys.clone({}, function()
      sys.pdeathsig("KILL")
      while true do
        sys.mkdir(root .. "/d")
        sys.rmdir(root .. "/d")
        sys.symlink(outside .. "/new", root .. "/d")
        os.remove(root .. "/d")
        sys.symlink("../../../../../../../.." .. outside .. "/new", root .. "/d")
        os.remove(root .. "/d")
      end
    end))
    for _ = 1, 40 do
      command.root:run("-q", "--rootfs", root, "-v", source .. ":/d/x", "--tmpfs", "/d/y", "touch",
        "/d/x/made", "/d/y/made")
    end
    sys.kill(pid, "KILL")
    sys.wait(pid)
    assert.same({}, sys.list(outside))
  end)
end)
