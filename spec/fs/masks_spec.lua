local sys = require "container.sys"
local support = require "spec.support"

local masks = support.catching(require "container.fs.masks")

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

-- What of these is there and is neither empty nor the null device.
local function shown(paths)
  return "for p in " .. paths .. "; do if [ -d $p ]; then [ -z \"$(ls -A $p)\" ] || echo $p; "
    .. "elif [ -e $p ]; then [ $(stat -c %t:%T $p) = 1:3 ] || echo $p; fi; done"
end

local function inside(options, script)
  local result = support.run(BOX .. options .. " sh -c " .. support.quote(script))
  assert.equal("", result.stderr)
  return result.stdout
end

describe("mask.child #root", function()
  -- In a root with a /dev/null and these things to be masked.
  local function masked(prepare, linux, look, view)
    local path = support.tmpdir()
    assert(os.execute(("mkdir %s/dev %s/secrets %s/secrets/inner; echo secret > %s/secret"):format(
      path, path, path, path)))
    prepare(path)
    return support.child(function()
      -- With devices, without which /tmp may be mounted.
      assert(sys.mount(path, path, nil, "bind"))
      assert(sys.mount(nil, path, nil, "bind,remount"))
      local root <close> = assert(sys.open(path, "path,directory"))
      local ok, message, errno =
        masks.child { root = root, view = view, config = { linux = linux } }
      if not ok then
        return nil, message, errno
      end
      return look(path)
    end, { "mount" })
  end

  local function null(path)
    assert(sys.mknod(path .. "/dev/null", "char", 438, 1, 3)) -- 0666
  end

  it("makes files empty and directories too, and neither can be written", function()
    local text, names, refusal = masked(null,
      { maskedPaths = { "/secret", "/secrets", "/missing" }, readonlyPaths = {} }, function(path)
        local _, message = sys.mkdir(path .. "/secrets/new")
        return sys.read_file(path .. "/secret"), #sys.list(path .. "/secrets"), message
      end)
    assert.equal("", text)
    assert.equal(0, names)
    assert.matches("Read%-only file system", refusal)
  end)

  it("makes paths read-only, with what they hold", function()
    local text, refusal, other = masked(null,
      { maskedPaths = {}, readonlyPaths = { "/secret", "/secrets", "/missing" } }, function(path)
        local _, message = sys.mkdir(path .. "/secrets/inner/new")
        local _, file = sys.write_file(path .. "/secret", "x")
        return sys.read_file(path .. "/secret"), message, file
      end)
    assert.equal("secret\n", text)
    assert.matches("Read%-only file system", refusal)
    assert.matches("Read%-only file system", other)
  end)

  it("needs nothing where nothing is to be masked", function()
    assert.is_true(masked(function() end, { maskedPaths = {}, readonlyPaths = {} }, function()
      return true
    end))
  end)

  it("takes nothing but the null device for it", function()
    local linux <const> = { maskedPaths = { "/secret" }, readonlyPaths = {} }
    local ok, message, errno = masked(function(path)
      assert(sys.mknod(path .. "/dev/null", "file", 438))
    end, linux)
    support.refused("stat /dev/null: not the null device", "EINVAL", ok, message, errno)
    ok, message, errno = masked(function(path)
      assert(sys.mknod(path .. "/dev/null", "char", 438, 1, 5))
    end, linux)
    support.refused("stat /dev/null: not the null device", "EINVAL", ok, message, errno)
    ok, message, errno = masked(function(path)
      assert(sys.symlink("/secret", path .. "/dev/null"))
    end, linux)
    support.refused("openat2 /dev/null: Too many levels of symbolic links", "ELOOP",
      ok, message, errno)
  end)

  it("follows no link to what it masks", function()
    local ok, message, errno = masked(function(path)
      null(path)
      assert(sys.symlink("secret", path .. "/link"))
    end, { maskedPaths = { "/link" }, readonlyPaths = {} })
    support.refused("mask /link: openat2 /link: Too many levels of symbolic links", "ELOOP",
      ok, message, errno)
    ok, message, errno = masked(function(path)
      null(path)
      assert(sys.symlink("secret", path .. "/link"))
    end, { maskedPaths = {}, readonlyPaths = { "/link" } })
    support.refused("protect /link: openat2 /link: Too many levels of symbolic links", "ELOOP",
      ok, message, errno)
  end)
end)

describe("what is masked", function()
  local MASKED <const> = table.concat(masks.MASKED, " ")

  it("has all that runc's default has", function()
    for _, path in ipairs { "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
      "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
      "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap" } do
      assert.is_truthy((MASKED .. " "):find(path .. " ", 1, true), path)
    end
  end)

  it("cannot be seen in a container #root", function()
    assert.equal("", inside("", shown(MASKED)))
    assert.equal("", inside("--rootfs " .. support.busybox_rootfs(), shown(MASKED)))
  end)

  it("can be seen in a privileged one #root", function()
    assert.are_not.equal("", inside("--privileged", shown(MASKED)))
  end)
end)

describe("what is protected #root", function()
  it("cannot be written", function()
    local script = "for p in " .. table.concat(masks.READONLY, " ") .. "; do [ ! -e $p ] || "
      .. "! { [ -d $p ] && mkdir $p/x || [ -f $p ] && echo x >> $p; } 2>&- || echo $p; done; "
      .. "echo x 2>&- > /proc/sys/kernel/hostname || echo refused"
    assert.equal("refused\n", inside("", script))
  end)

  it("can be written in a privileged container, whose host name is its own", function()
    assert.equal("other\n", inside("--privileged",
      "echo other > /proc/sys/kernel/hostname; uname -n"))
  end)
end)

describe("masked_paths and readonly_paths #root", function()
  local library = require "container.api"

  -- The first container makes the image of init, which stays open for those to come.
  setup(function()
    library.run { "true", pids = "max" }
  end)

  local function ends(options, script)
    options[1], options[2], options[3], options.pids = "sh", "-c", script, "max"
    return assert(library.run(options)).status
  end

  it("mask and protect what a person names, and what is absent is no error", function()
    local rootfs = support.tmpdir()
    assert(os.execute(("cp -al %s/. %s; mkdir %s/real; echo x >%s/real/file"):format(
      support.busybox_rootfs(), rootfs, rootfs, rootfs)))
    assert.equal(0, ends({ rootfs = rootfs, masked_paths = { "/real/file", "/absent" } },
      "[ ! -s /real/file ] && touch /real/new"))
    assert.equal(0, ends({ rootfs = rootfs, readonly_paths = { "/real", "/absent" } },
      "[ -s /real/file ] && ! touch /real/other 2>/dev/null"))
    assert.is_truthy(sys.stat(rootfs .. "/real/new"))
  end)

  it("are refused where a link of the root is in the way", function()
    local rootfs = support.tmpdir()
    assert(os.execute(("cp -al %s/. %s; mkdir %s/real"):format(support.busybox_rootfs(), rootfs,
      rootfs)))
    assert(sys.symlink("real", rootfs .. "/link"))
    for option, step in pairs { masked_paths = "mask", readonly_paths = "protect" } do
      local _, err = library.run { "true", rootfs = rootfs, pids = "max", [option] = { "/link" } }
      assert.equal(("mask: %s /link: openat2 /link: Too many levels of symbolic links")
        :format(step), tostring(err))
    end
  end)

  it("take the place of the default, but the view's secrets stay away", function()
    assert.equal(0, ends({ masked_paths = {}, readonly_paths = {} },
      "[ -n \"$(cat /proc/interrupts)\" ] && ! grep -q '[$]' /etc/shadow"))
    assert.equal(0, ends({ masked_paths = { "/etc/passwd" }, privileged = true },
      "[ ! -s /etc/passwd ]"))
  end)
end)
