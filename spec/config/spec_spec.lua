local sys = require "container.sys"
local api = require "container.api"
local spec = require "container.config.spec"
local support = require "spec.support"

-- Something of `container` is another function as long as the returned value is in scope.
local function replace(name, fn)
  local original = sys[name]
  sys[name] = fn
  return setmetatable({}, { __close = function() sys[name] = original end })
end

local function read(options)
  options[1] = options[1] or "true"
  return assert(spec.read(options))
end

local function config(options)
  return read(options).config
end

-- The sentence of a refusal, after its step.
local function refusal(options)
  local c, err = spec.read(options)
  assert.is_nil(c)
  assert.equal("spec", err.step)
  local sentence = tostring(err):match("^spec: (.*)$")
  assert.equal(err.subject .. ": ", sentence:sub(1, #err.subject + 2))
  return sentence, err
end

local function refuses(name, sentence, options)
  it("refuses " .. name, function()
    if type(options) == "table" and getmetatable(options) == nil then
      options[1] = options[1] or "true"
    end
    assert.equal(sentence, (refusal(options)))
  end)
end

-- A table that answers every question with an error.
local function hostile(t)
  local function raise()
    error("asked")
  end
  return setmetatable(t, { __index = raise, __newindex = raise, __len = raise, __pairs = raise,
    __call = raise, __tostring = raise, __eq = raise, __lt = raise, __concat = raise, __name = 1 })
end

describe("spec.read", function()
  describe("of the command", function()
    it("keeps the program and its arguments as they are", function()
      assert.same({ "/bin/sh", "-c", "", "a b", "\xff" },
        config({ "/bin/sh", "-c", "", "a b", "\xff" }).process.args)
    end)

    refuses("no options at all", "options: expected a table, got nil", nil)
    refuses("a string", "options: expected a table, got \"true\"", "true")

    it("refuses an empty table", function()
      assert.equal("args: no command", (refusal({})))
    end)

    it("refuses options without a command", function()
      assert.equal("args: no command", (refusal({ hostname = "box" })))
    end)

    refuses("a number as the program", "args[1]: expected a string, got 5", { 5 })
    refuses("a number as an argument", "args[2]: expected a string, got 5", { "echo", 5 })
    refuses("a table as an argument", "args[2]: expected a string, got a table", { "echo", {} })
    refuses("false as an argument", "args[2]: expected a string, got false", { "echo", false })
    refuses("a NUL byte in the program", "args[1]: contains a NUL byte", { "ec\0ho" })
    refuses("a NUL byte in an argument", "args[2]: contains a NUL byte", { "echo", "a\0" })
    refuses("a hole", "args[2]: is missing: the array has a hole", { "echo", [3] = "c" })
    refuses("a hole far away", "args[2]: is missing: the array has a hole",
      { "echo", [math.maxinteger] = "c" })
    refuses("an argument 0", "args[0]: an array begins at 1", { "echo", [0] = "lua" })
    refuses("an argument -1", "args[-1]: an array begins at 1", { "echo", [-1] = "lua" })
  end)

  describe("of names that are no options", function()
    refuses("one", "options: unknown option \"hostnam\"", { hostnam = "box" })
    refuses("one that OCI has and this has not", "options: unknown option \"mounts\"",
      { mounts = {} })
    refuses("the old name of userns", "users: is now called userns", { users = "auto" })
    refuses("the old name of stop_timeout", "grace: is now called stop_timeout", { grace = 1 })
    refuses("the empty one", "options: unknown option \"\"", { [""] = 1 })
    refuses("a long one, without repeating it", "options: unknown option a string of 65 bytes",
      { [("x"):rep(65)] = 1 })
    refuses("a fraction", "options: unknown option 1.5", { [1.5] = "x" })
    refuses("a boolean", "options: unknown option true", { [true] = "x" })
    refuses("a table", "options: unknown option a table", { [{}] = "x" })
    refuses("one with a line break, in one line", "options: unknown option \"a\\nb\"",
      { ["a\nb"] = 1 })
  end)

  it("says in one short line what is wrong with a value, however long or strange", function()
    local function said(options)
      options[1] = "true"
      local sentence = refusal(options)
      assert.is_nil(sentence:find("%c"))
      assert.is_true(#sentence < 700, #sentence)
      return sentence
    end
    for _, value in ipairs { ("x"):rep(1 << 20), "a\nb\27[2J", ("\u{20ac}"):rep(1 << 18) } do
      said { env = { [value] = 1 } }
      said { volumes = { "./" .. value .. ":/mnt" } }
      said { io = { ["/dev/" .. value] = { read_bps = 1 } } }
      said { unified = { [value] = "1" } }
      said { [value] = 1 }
    end
    assert.equal("env.a\\x0ab: expected a string, got 1", said { env = { ["a\nb"] = 1 } })
  end)

  describe("of name", function()
    it("keeps 1 to 128 letters, digits and _ + - .", function()
      for _, name in ipairs { "a", "0", "-", "_.", "+x..y", "Web-1_a+b.c", ("x"):rep(128) } do
        assert.equal(name, read({ name = name }).name)
      end
    end)

    it("has none as its default", function()
      assert.is_nil(read({}).name)
    end)

    local EXPECTED <const> =
      "name: expected 1 to 128 letters, digits, _, +, - and . (not first), got "
    for _, name in ipairs { "", ".", "..", ".x", "/", "a/b", "../x", "a b", "\xe9", "a:b" } do
      refuses(("%q"):format(name), EXPECTED .. ("%q"):format(name), { name = name })
    end
    refuses("a line break", EXPECTED .. "\"a\\n\"", { name = "a\n" })
    refuses("129 bytes", EXPECTED .. "a string of 129 bytes", { name = ("x"):rep(129) })
    refuses("a NUL byte", "name: contains a NUL byte", { name = "a\0" })
    refuses("a number", "name: expected a string, got 1", { name = 1 })
    refuses("false", "name: expected a string, got false", { name = false })
  end)

  describe("of rootfs", function()
    it("keeps a path", function()
      for _, path in ipairs { "/srv/debian", "rootfs", "./x", "/a b,c:d", "/.hidden" } do
        assert.equal(path, config({ rootfs = path }).root.path)
      end
    end)

    it("has the view as its default", function()
      assert.equal("/", config({}).root.path)
    end)

    for _, path in ipairs { "/", "//", "/.", "/..", "/./", "/../..", "//..//." } do
      it("takes " .. path .. " for the view", function()
        assert.equal("/", config({ rootfs = path }).root.path)
      end)
    end

    refuses("an empty path", "rootfs: expected the path of a directory, got \"\"", { rootfs = "" })
    refuses("a number", "rootfs: expected the path of a directory, got 1", { rootfs = 1 })
    refuses("true", "rootfs: expected the path of a directory, got true", { rootfs = true })
    refuses("false", "rootfs: expected the path of a directory, got false", { rootfs = false })
    refuses("a NUL byte", "rootfs: contains a NUL byte", { rootfs = "/srv\0" })
  end)

  describe("of hostname", function()
    it("takes 1 to 64 bytes", function()
      for _, name in ipairs { "b", ("x"):rep(64) } do
        assert.equal(name, config({ hostname = name }).hostname)
      end
    end)

    it("has container as its default", function()
      assert.equal("container", config({}).hostname)
    end)

    refuses("no byte", "hostname: expected a name of 1 to 64 bytes, got \"\"", { hostname = "" })
    refuses("65 bytes", "hostname: expected a name of 1 to 64 bytes, got a string of 65 bytes",
      { hostname = ("x"):rep(65) })
    refuses("false", "hostname: expected a name of 1 to 64 bytes, got false", { hostname = false })
    refuses("a number", "hostname: expected a name of 1 to 64 bytes, got 7", { hostname = 7 })
    refuses("a NUL byte", "hostname: contains a NUL byte", { hostname = "a\0b" })
  end)

  describe("of env", function()
    local function env(value, hostname)
      return config({ env = value, hostname = hostname }).process.env
    end

    local DEFAULTS <const> = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
      "HOSTNAME=container", os.getenv("TERM") and "TERM=" .. os.getenv("TERM"),
    }

    it("has PATH, HOME, HOSTNAME and the caller's TERM as its default", function()
      assert.same(DEFAULTS, config({}).process.env)
      assert.same(DEFAULTS, env {})
    end)

    it("has no TERM where the caller has none", function()
      local script = [[
        local c = require("container.config.spec").read { "true" }
        print(table.concat(c.config.process.env, " "):match("TERM.*"))
      ]]
      local command = support.lua .. " -e " .. support.quote(script)
      assert.equal("nil\n", support.run("unset TERM; " .. command).stdout)
      assert.equal("TERM=vt52\n", support.run("TERM=vt52 " .. command).stdout)
    end)

    it("says the host name that was asked for", function()
      assert.equal("HOSTNAME=box", env({}, "box")[3])
    end)

    it("adds those of the array in their order, then the names in alphabetical order", function()
      local list = env { "Z=1", zeta = "3", "A=2", B = "2", alpha = "" }
      assert.same({ "Z=1", "A=2", "B=2", "alpha=", "zeta=3" },
        table.move(list, #DEFAULTS + 1, #list, 1, {}))
    end)

    it("lets the last of two win, at the place of the first", function()
      local list = env { "A=1", "B=1", "A=2" }
      assert.same({ "A=2", "B=1" }, table.move(list, #DEFAULTS + 1, #list, 1, {}))
      list = env { "A=1", "B=1", A = "2" }
      assert.same({ "A=2", "B=1" }, table.move(list, #DEFAULTS + 1, #list, 1, {}))
    end)

    it("lets each of the defaults be overridden", function()
      local list = env { "PATH=/bin", HOME = "/home", HOSTNAME = "other", TERM = "dumb" }
      assert.same({ "PATH=/bin", "HOME=/home", "HOSTNAME=other", "TERM=dumb" }, list)
    end)

    it("keeps = and every other byte in a value", function()
      local list = env { "A=b=c", D = "=\n\xff" }
      assert.same({ "A=b=c", "D==\n\xff" }, table.move(list, #DEFAULTS + 1, #list, 1, {}))
    end)

    refuses("a string", "env: expected a table, got \"A=b\"", { env = "A=b" })
    refuses("a name alone", "env[1]: expected NAME=value, got \"A\"", { env = { "A" } })
    refuses("an empty name", "env[1]: expected NAME=value, got \"=b\"", { env = { "=b" } })
    refuses("a number", "env[2]: expected a string, got 1", { env = { "A=b", 1 } })
    refuses("a NUL byte in an entry", "env[1]: contains a NUL byte", { env = { "A=b\0" } })
    refuses("a NUL byte in a value", "env.A: contains a NUL byte", { env = { A = "b\0" } })
    refuses("a NUL byte in a name", "env: expected names without = or NUL, got \"A\\0\"",
      { env = { ["A\0"] = "b" } })
    refuses("= in a name", "env: expected names without = or NUL, got \"A=b\"",
      { env = { ["A=b"] = "c" } })
    refuses("an empty key", "env: expected names without = or NUL, got \"\"",
      { env = { [""] = "c" } })
    refuses("a key that is no name", "env: expected names without = or NUL, got true",
      { env = { [true] = "c" } })
    refuses("a fraction as key", "env: expected names without = or NUL, got 1.5",
      { env = { [1.5] = "A=b" } })
    refuses("a value that is no string", "env.A: expected a string, got 1", { env = { A = 1 } })
    refuses("a hole", "env[1]: is missing: the array has a hole", { env = { [2] = "A=b" } })
  end)

  describe("of cwd", function()
    it("keeps an absolute path", function()
      assert.equal("/srv/a b", config({ cwd = "/srv/a b" }).process.cwd)
    end)

    it("drops dots and slashes that go nowhere", function()
      assert.equal("/srv/x", config({ cwd = "//srv/./x//" }).process.cwd)
      assert.equal("/", config({ cwd = "/." }).process.cwd)
    end)

    it("has / as its default", function()
      assert.equal("/", config({}).process.cwd)
    end)

    refuses("a relative path", "cwd: expected an absolute path, got \"srv\"", { cwd = "srv" })
    refuses("an empty path", "cwd: expected an absolute path, got \"\"", { cwd = "" })
    refuses("a number", "cwd: expected an absolute path, got 1", { cwd = 1 })
    refuses("a NUL byte", "cwd: contains a NUL byte", { cwd = "/srv\0" })
  end)

  describe("of volumes", function()
    local defaults = #config({}).mounts

    local function volumes(value)
      local mounts = config({ volumes = value }).mounts
      return table.move(mounts, defaults + 1, #mounts, 1, {})
    end

    local function bind(source, destination, ...)
      return { type = "bind", source = source, destination = destination,
        options = { "rbind", "nodev", ... } }
    end

    it("are mounted after all others, in their order", function()
      assert.same({ bind("/tmp", "/b"), bind("/", "/a") }, volumes { "/tmp:/b", "/:/a" })
    end)

    it("can be written with all that is mounted in them unless ro or rro stands there", function()
      assert.same({ bind("/tmp", "/a"), bind("/tmp", "/b"), bind("/tmp", "/c", "ro") },
        volumes { "/tmp:/a", "/tmp:/b:rw", "/tmp:/c:ro" })
    end)

    it("take a source that begins with . or /", function()
      assert.same({ bind(".", "/a"), bind("..", "/b"), bind("./spec", "/c") },
        volumes { ".:/a", "..:/b", "./spec:/c" })
    end)

    it("take a destination as a path without double, dead and last slashes", function()
      assert.same({ bind("/", "/a/b"), bind("/", "/c d"), bind("/", "/...") },
        volumes { "/://a/./b//", "/:/c d/.", "/:/..." })
    end)

    it("take files, and devices, which alone can be opened as such", function()
      assert.same({ bind("/etc/passwd", "/n") }, volumes { "/etc/passwd:/n" })
      assert.same({ "rbind" }, volumes({ "/dev/null:/n" })[1].options)
      assert.same({ "rbind", "ro" }, volumes({ "/dev/null:/n:ro" })[1].options)
    end)

    it("take options that ask for what is the case anyway, in any order", function()
      assert.same({ bind("/tmp", "/a"), bind("/tmp", "/b", "ro"),
        bind("/tmp", "/c", "rro"), bind("/tmp", "/d", "ro") },
        volumes { "/tmp:/a:cached,rw", "/tmp:/b:nocopy,ro,consistent",
          "/tmp:/c:rro,rprivate,private", "/tmp:/d:ro,delegated,ro" })
    end)

    for options, reason in pairs {
      ["z"] = "option z asks for an SELinux label, and nothing is labelled here",
      ["ro,Z"] = "option Z asks for an SELinux label, and nothing is labelled here",
      ["U"] = "option U asks to give the source another owner, and no file of the host's is "
        .. "changed here",
    } do
      refuses("the option " .. options, "volumes[1]: " .. reason,
        { volumes = { "/:/b:" .. options } })
    end
    it("take a word that says which mounts are passed on, and one alone", function()
      assert.same({ bind("/tmp", "/a", "ro", "rslave"), bind("/tmp", "/b", "rshared") },
        volumes { "/tmp:/a:rslave,ro", "/tmp:/b:rshared" })
    end)
    refuses("two ways of passing on",
      "volumes[1]: expected one of slave and shared, got \"rslave,rshared\"",
      { volumes = { "/:/b:rslave,rshared" } })

    local FORM <const> = "volumes[1]: expected SOURCE:DESTINATION[:OPTION,...], got "
    local MODE <const> = "volumes[1]: expected ro, rro or rw after the destination, got "
    local ONE <const> = "volumes[1]: expected one of ro, rro and rw, got "
    for value, sentence in pairs {
      [""] = FORM .. '""', ["/a"] = FORM .. '"/a"', [":/b"] = FORM .. '":/b"',
      ["/a:"] = FORM .. '"/a:"', ["/a::/b"] = FORM .. '"/a::/b"',
      ["/a:/b:ro:rw"] = FORM .. '"/a:/b:ro:rw"',
      ["/a:/b:"] = MODE .. '""', ["/a:/b:rx"] = MODE .. '"rx"', ["/a:/b:ro,"] = MODE .. '""',
      ["/a:/b:,ro"] = MODE .. '""', ["/a:/b:RO"] = MODE .. '"RO"',
      ["/a:/b:nodev"] = MODE .. '"nodev"',
      ["/a:/b:ro,rw"] = ONE .. '"ro,rw"', ["/a:/b:rro,ro"] = ONE .. '"rro,ro"',
      ["/:/b:idmap"] = "volumes[1]: idmap is for a range of ids: userns = \"auto\"",
      ["/a:b"] = "volumes[1]: expected an absolute destination, got \"b\"",
      ["/a:./b"] = "volumes[1]: expected an absolute destination, got \"./b\"",
      ["data:/b"] =
        "volumes[1]: expected a path as source, such as /srv/data or ./data, got \"data\"",
      ["/:/a/../b"] = "volumes[1]: destination goes up by ..",
      ["/:/.."] = "volumes[1]: destination goes up by ..",
      ["/:/"] = "volumes[1]: destination / is the container's own",
      ["/://."] = "volumes[1]: destination / is the container's own",
      ["/:/proc"] = "volumes[1]: destination /proc is the container's own",
      ["/:/./proc/"] = "volumes[1]: destination /proc is the container's own",
      ["/:/proc/sys"] = "volumes[1]: destination /proc/sys is the container's own",
      ["/a\0:/b"] = "volumes[1]: contains a NUL byte",
    } do
      refuses(("%q"):format(value), sentence, { volumes = { value } })
    end

    it("refuses a source that is not there, with the kernel's reason and number", function()
      local sentence, err = refusal({ "true", volumes = { "/:/a", "/no/such/place:/b" } })
      assert.equal("volumes[2]: stat /no/such/place: No such file or directory", sentence)
      assert.equal(sys.errno.ENOENT, err.errno)
      assert.equal("volumes[2]", err.subject)
    end)

    refuses("a string", "volumes: expected a table, got \"/a:/b\"", { volumes = "/a:/b" })
    refuses("a number in the list", "volumes[1]: expected SOURCE:DESTINATION[:OPTION,...], got 1",
      { volumes = { 1 } })
    refuses("a hole", "volumes[1]: is missing: the array has a hole",
      { volumes = { [2] = "/:/a" } })
  end)

  describe("of pids", function()
    local function limit(value)
      return config({ pids = value }).linux.resources.pids.limit
    end

    it("takes 1 to 2^22", function()
      assert.equal(1, limit(1))
      assert.equal(1 << 22, limit(1 << 22))
    end)

    it("has 20 as its default", function()
      assert.equal(20, limit(nil))
    end)

    it("takes max for -1, which is OCI's word for it", function()
      assert.equal(-1, limit("max"))
    end)

    local EXPECTED <const> = "pids: expected a positive integer or \"max\", got "
    refuses("0", EXPECTED .. "0", { pids = 0 })
    refuses("-2", EXPECTED .. "-2", { pids = -2 })
    refuses("1e30", EXPECTED .. "1e+30", { pids = 1e30 })
    refuses("2^22 + 1", EXPECTED .. "4194305", { pids = (1 << 22) + 1 })
    refuses("the smallest integer", EXPECTED .. "-9223372036854775808", { pids = math.mininteger })
    refuses("1.5", EXPECTED .. "1.5", { pids = 1.5 })
    refuses("infinity", EXPECTED .. "inf", { pids = math.huge })
    refuses("many", EXPECTED .. "\"many\"", { pids = "many" })
    refuses("a number in a string", EXPECTED .. "\"20\"", { pids = "20" })
    refuses("true", EXPECTED .. "true", { pids = true })
    refuses("false", EXPECTED .. "false", { pids = false })
    refuses("a table", EXPECTED .. "a table", { pids = {} })
    refuses("a function", EXPECTED .. "a function", { pids = print })
    refuses("a coroutine", EXPECTED .. "a thread", { pids = coroutine.create(print) })
    refuses("a file", EXPECTED .. "a userdata", { pids = io.stdout })
  end)

  describe("of user", function()
    local function user(value)
      return read({ user = value }).user
    end

    it("keeps names and ids for the time when there are files to look them up in #root", function()
      local _ <close> = replace("geteuid", function() return 0, 0 end)
      for _, value in ipairs { "nobody", "nobody:tty", "0", "1000:1000", "nobody:4294967294" } do
        assert.equal(value, user(value))
      end
    end)

    it("is root, as default", function()
      assert.is_nil(user(nil))
      assert.same({ uid = 0, gid = 0 }, config({}).process.user)
    end)

    for _, value in ipairs { "", ":", ":tty", "nobody:", "a:b:c" } do
      refuses(("%q"):format(value), ("user: expected NAME[:GROUP], got %q"):format(value),
        { user = value })
    end
    refuses("a number", "user: expected NAME[:GROUP], got 1000", { user = 1000 })
    refuses("a NUL byte", "user: contains a NUL byte", { user = "a\0" })
    refuses("the id that is none", "user: expected an id below 4294967295, got \"4294967295\"",
      { user = "4294967295" })
    refuses("a group that is too large",
      "user: expected an id below 4294967295, got \"99999999999\"", { user = "0:99999999999" })
  end)

  describe("of users", function()
    -- What root reads with userns = "auto".
    local function auto(options)
      local _ <close> = replace("geteuid", function() return 0, 0 end)
      options.userns = "auto"
      return read(options)
    end

    it("has a user namespace with a range that is yet to be chosen for auto #root", function()
      local c = auto {}
      assert.equal("auto", c.userns)
      assert.same({ type = "user" }, c.config.linux.namespaces[#c.config.linux.namespaces])
      assert.same({ { containerID = 0, size = 65536 } }, c.config.linux.uidMappings)
      assert.same({ { containerID = 0, size = 65536 } }, c.config.linux.gidMappings)
    end)

    it("has the group of terminals, and idmap for volumes #root", function()
      local c = auto { volumes = { "/:/a:ro,idmap", "/:/b:idmap", "/:/c" } }
      local found = {}
      for _, mount in ipairs(c.config.mounts) do
        found[mount.destination] = table.concat(mount.options, " ")
      end
      assert.matches("gid=5", found["/dev/pts"])
      assert.equal("rbind nodev ro idmap", found["/a"])
      assert.equal("rbind nodev idmap", found["/b"])
      assert.equal("rbind nodev", found["/c"])
    end)

    it("has no device to be opened in a volume of a privileged one #root", function()
      local mounts = auto({ privileged = true, volumes = { "/:/a" } }).config.mounts
      assert.same({ "rbind", "nodev" }, mounts[#mounts].options)
    end)

    it("takes ids that are in the range, and refuses others #root", function()
      assert.equal("65535:65535", auto({ user = "65535:65535" }).user)
      for id, wrong in pairs { ["65536"] = "65536", ["65536:65536"] = "65536",
        ["0:70000"] = "70000", ["nobody:70000"] = "70000" } do
        local _ <close> = replace("geteuid", function() return 0, 0 end)
        assert.equal("user: the user namespace has no id " .. wrong,
          (refusal { "true", userns = "auto", user = id }))
      end
    end)

    it("refuses what is for root to an ordinary user, and the other way round #root", function()
      local _ <close> = replace("geteuid", function() return 1000, 100 end)
      assert.equal("userns: expected \"subid\" for a caller that is not the host's root, "
        .. "got \"auto\"",
        (refusal { "true", userns = "auto" }))
      local _ <close> = replace("geteuid", function() return 0, 0 end)
      assert.equal("userns: expected \"auto\" for root, got \"subid\"",
        (refusal { "true", userns = "subid" }))
    end)

    refuses("another word", "userns: expected \"auto\" or \"subid\", got \"host\"",
      { userns = "host" })
    refuses("no word", "userns: expected \"auto\" or \"subid\", got true", { userns = true })
  end)

  describe("of capabilities", function()
    local capability = require "container.linux.capabilities"

    local function bounding(options)
      return config(options).process.capabilities.bounding
    end

    local function default_without(name)
      local list = {}
      for _, one in ipairs(capability.DEFAULT) do
        list[#list + 1] = one ~= name and one or nil
      end
      table.sort(list)
      return list
    end

    it("has docker's default set, none of which is inherited", function()
      local list = default_without(nil)
      assert.same({ bounding = list, effective = list, permitted = list, inheritable = {},
        ambient = {} }, config({}).process.capabilities)
    end)

    it("takes names in any case, with CAP_ or without", function()
      assert.same({ "CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN" },
        bounding { capabilities = { "chown", "CAP_KILL", "Sys_Admin", "CAP_CHOWN" } })
    end)

    it("takes none", function()
      assert.same({}, bounding { capabilities = {} })
      assert.same({}, bounding { cap_drop = { "ALL" } })
    end)

    it("adds to the default and drops from it", function()
      assert.same(default_without("CAP_KILL"), bounding { cap_drop = { "kill" } })
      assert.same({ "CAP_SYS_TIME" }, bounding { cap_drop = { "all" }, cap_add = { "SYS_TIME" } })
      assert.same(default_without(nil), bounding { cap_drop = { "KILL" }, cap_add = { "KILL" } })
    end)

    it("takes ALL for every one there is a name for", function()
      assert.same(#sys.capability_names(), #bounding { cap_add = { "ALL" } })
      assert.same(#sys.capability_names(), #bounding { capabilities = { "ALL" } })
    end)

    for _, field in ipairs { "capabilities", "cap_add", "cap_drop" } do
      refuses("an unknown name in " .. field,
        field .. "[2]: expected the name of a capability, got \"CAP_NOSUCH\"",
        { [field] = { "KILL", "CAP_NOSUCH" } })
      refuses("a string as " .. field, field .. ": expected a table, got \"KILL\"",
        { [field] = "KILL" })
      refuses("a number in " .. field, field .. "[1]: expected a string, got 1",
        { [field] = { 1 } })
      refuses("a NUL byte in " .. field, field .. "[1]: contains a NUL byte",
        { [field] = { "KILL\0" } })
      refuses("a hole in " .. field, field .. "[1]: is missing: the array has a hole",
        { [field] = { [2] = "KILL" } })
    end

    refuses("all of them and changes of the default",
      "capabilities: says all that there are; it does not go with cap_add and cap_drop",
      { capabilities = {}, cap_add = { "KILL" } })
  end)

  describe("of readonly, no_new_privileges and privileged", function()
    it("can write the root, and gains no privileges, as default", function()
      local c = config {}
      assert.is_false(c.root.readonly)
      assert.is_true(c.process.noNewPrivileges)
      assert.are_not.same({}, c.linux.maskedPaths)
      assert.are_not.same({}, c.linux.readonlyPaths)
    end)

    it("takes true and false", function()
      assert.is_true(config({ readonly = true }).root.readonly)
      assert.is_false(config({ no_new_privileges = false }).process.noNewPrivileges)
      assert.is_true(config({ privileged = false }).process.noNewPrivileges)
    end)

    it("takes away nothing from a privileged one", function()
      local c = config { privileged = true }
      assert.is_false(c.process.noNewPrivileges)
      assert.is_nil(c.process.capabilities)
      assert.same({}, c.linux.maskedPaths)
      assert.same({}, c.linux.readonlyPaths)
      for _, mount in ipairs(c.mounts) do
        -- But for its limits, which are the launcher's to change.
        local ro = (" " .. table.concat(mount.options, " ") .. " "):find(" ro ", 1, true)
        assert.equal(mount.type == "cgroup", ro ~= nil)
      end
    end)

    it("takes it away from the next one again", function()
      read { privileged = true }
      assert.are_not.same({}, config({}).linux.maskedPaths)
    end)

    for _, field in ipairs { "readonly", "no_new_privileges", "privileged" } do
      refuses("another " .. field, field .. ": expected true or false, got \"yes\"",
        { [field] = "yes" })
    end
  end)

  describe("of tmpfs", function()
    local defaults = #config({}).mounts

    local function tmpfs(...)
      local mounts = config({ tmpfs = { ... } }).mounts
      return table.move(mounts, defaults + 1, #mounts, 1, {})
    end

    it("is mounted after the default filesystems, with docker's options", function()
      assert.same({ { type = "tmpfs", source = "tmpfs", destination = "/a/b",
        options = { "nosuid", "nodev", "noexec" } } }, tmpfs("/a//./b/"))
    end)

    it("takes options of a tmpfs", function()
      assert.same({ "nosuid", "nodev", "noexec", "size=64k", "mode=1777", "ro" },
        tmpfs("/a:size=64k,mode=1777,ro")[1].options)
      assert.same({ "nosuid", "nodev", "noexec", "size=50%" },
        tmpfs("/a:rw,size=50%")[1].options)
    end)

    it("takes docker's other options, and of two contrary ones the last", function()
      for words, options in pairs {
        exec = { "nosuid", "nodev" }, ["suid,dev,exec"] = {},
        ["exec,noexec"] = { "nosuid", "nodev", "noexec" },
        ["ro,rw"] = { "nosuid", "nodev", "noexec" },
        ["defaults,uid=5,gid=7"] = { "nosuid", "nodev", "noexec", "uid=5", "gid=7" },
        ["nr_blocks=4k,relatime,norelatime,async"] = { "nosuid", "nodev", "noexec",
          "nr_blocks=4k" },
      } do
        assert.same(options, tmpfs("/a:" .. words)[1].options)
      end
    end)

    it("may be a mapping, as docker's SDK has it", function()
      local mounts = config({ tmpfs = { ["/x:y"] = "size=1M,exec", ["/a"] = "" } }).mounts
      assert.same({
        { type = "tmpfs", source = "tmpfs", destination = "/a",
          options = { "nosuid", "nodev", "noexec" } },
        { type = "tmpfs", source = "tmpfs", destination = "/x:y",
          options = { "nosuid", "nodev", "size=1M" } },
      }, table.move(mounts, defaults + 1, #mounts, 1, {}))
    end)

    refuses("a mapping to no text", "tmpfs[\"/a\"]: expected the options of a tmpfs, such as "
      .. "\"size=1M\", got true", { tmpfs = { ["/a"] = true } })
    refuses("a mapping to another option",
      "tmpfs[\"/a\"]: expected an option of tmpfs, got \"bind\"", { tmpfs = { ["/a"] = "bind" } })
    refuses("a mapping of no path", "tmpfs[\"a\"]: expected an absolute destination, got \"a\"",
      { tmpfs = { a = "" } })
    refuses("a key that is no text", "tmpfs: expected absolute paths, got 1.5",
      { tmpfs = { [1.5] = "" } })

    it("and volumes are mounted the outer first, however the table is ordered", function()
      local place = require "container.config.mounts"
      local given = { tmpfs = { "/b", "/v/in", "/t", "/ab" },
        volumes = { "/:/t/in", "/:/v", "/:/b", "/:/a" } }
      for _, order in ipairs { { "tmpfs", "volumes" }, { "volumes", "tmpfs" } } do
        local c, at = { config = { mounts = { { destination = "/v/in/dev", type = "tmpfs" } } },
          volumes = {}, volume_fields = {} }, {}
        for _, name in ipairs(order) do
          place[name](c, given[name])
        end
        for i, mount in ipairs(c.config.mounts) do
          at[mount.destination .. (mount.type == "bind" and " bind" or "")] = i
        end
        assert.equal(1, at["/v/in/dev"]) -- a default one stays the first
        assert.is_true(at["/t"] < at["/t/in bind"])
        assert.is_true(at["/v bind"] < at["/v/in"])
        assert.is_true(at["/b"] < at["/b bind"])
        assert.equal(9, #c.config.mounts)
      end
    end)

    local OPTION <const> = "tmpfs[1]: expected an option of tmpfs, got "
    for value, sentence in pairs {
      [""] = "tmpfs[1]: expected DESTINATION[:OPTION,...], got \"\"",
      ["a"] = "tmpfs[1]: expected an absolute destination, got \"a\"",
      ["/"] = "tmpfs[1]: destination / is the container's own",
      ["/proc/x"] = "tmpfs[1]: destination /proc/x is the container's own",
      ["/a/../b"] = "tmpfs[1]: destination goes up by ..",
      ["/a:bind"] = OPTION .. "\"bind\"", ["/a:size"] = OPTION .. "\"size\"",
      ["/a:huge=always"] = OPTION .. "\"huge=always\"",
      ["/a:size=x"] = OPTION .. "\"size=x\"", ["/a:mode=9"] = OPTION .. "\"mode=9\"",
      ["/a:size=1,remount"] = OPTION .. "\"remount\"", ["/a:size=1:2"] = OPTION .. "\"size=1:2\"",
      ["/a\0"] = "tmpfs[1]: contains a NUL byte",
    } do
      refuses(("%q"):format(value), sentence, { tmpfs = { value } })
    end
    refuses("a string", "tmpfs: expected a table, got \"/a\"", { tmpfs = "/a" })
  end)

  describe("of network", function()
    local function types(c)
      local set = {}
      for _, namespace in ipairs(c.linux.namespaces) do
        set[namespace.type] = true
      end
      return set
    end

    it("has its own, as default and by none", function()
      assert.is_true(types(config({})).network)
      assert.is_true(types(config({ network = "none" })).network)
    end)

    it("shares the host's, with a sysfs that shows it, which a user has to borrow #root", function()
      local borrowed = { "bind", "/sys", { "rbind", "ro" } }
      local own = { "sysfs", "sysfs", { "nosuid", "nodev", "noexec", "ro" } }
      for uid, expected in pairs { [0] = own, [1000] = borrowed } do
        local _ <close> = replace("geteuid", function() return uid, uid end)
        local c = config { network = "host" }
        assert.is_nil(types(c).network)
        for _, mount in ipairs(c.mounts) do
          if mount.destination == "/sys" then
            assert.same(expected, { mount.type, mount.source, mount.options })
          end
        end
      end
    end)

    local NETWORKS <const> = "network: expected \"none\", \"host\", \"pasta\", \"ns:PATH\", "
      .. "\"container:NAME\" or the name of a network of CNI, got "
    refuses("another", NETWORKS .. "\"bridge:x\"", { network = "bridge:x" })
    refuses("a boolean", NETWORKS .. "false", { network = false })
  end)

  for option, field in pairs { masked_paths = "maskedPaths", readonly_paths = "readonlyPaths" } do
    describe("of " .. option, function()
      it("takes OCI's list instead of the default, as clean paths", function()
        assert.same({ "/proc/x", "/a b" },
          config({ [option] = { "//proc/./x/", "/a b" } }).linux[field])
        assert.same({}, config({ [option] = {} }).linux[field])
        local masks = require "container.fs.masks"
        assert.equal(masks[option == "masked_paths" and "MASKED" or "READONLY"],
          config({}).linux[field])
      end)

      it("holds for a privileged container when it is asked for", function()
        assert.same({ "/x" }, config({ [option] = { "/x" }, privileged = true }).linux[field])
      end)

      local AT <const> = option .. "[2]: "
      for value, sentence in pairs {
        ["proc/x"] = "expected an absolute path, got \"proc/x\"",
        [""] = "expected an absolute path, got \"\"",
        ["/proc/../x"] = "path goes up by ..", ["/.."] = "path goes up by ..",
        ["/"] = "expected a path below the root, got \"/\"",
        ["/./"] = "expected a path below the root, got \"/\"", ["/x\0"] = "contains a NUL byte",
      } do
        refuses(("%q"):format(value), AT .. sentence, { [option] = { "/proc/x", value } })
      end
      refuses("a string", option .. ": expected a table, got \"/x\"", { [option] = "/x" })
      refuses("a number", AT .. "expected an absolute path, got 7", { [option] = { "/x", 7 } })
    end)
  end

  describe("of init and announce", function()
    it("has an init and says nothing, as default", function()
      local c = read {}
      assert.is_true(c.init)
      assert.is_false(c.announce)
    end)

    it("takes true and false", function()
      local c = read { init = false, announce = true }
      assert.is_false(c.init)
      assert.is_true(c.announce)
    end)

    refuses("another init", "init: expected true or false, got \"no\"", { init = "no" })
    refuses("0 as init", "init: expected true or false, got 0", { init = 0 })
    refuses("another announce", "announce: expected true or false, got 1", { announce = 1 })
  end)

  describe("of tables with a metatable", function()
    local SENTENCE <const> = "expected a plain table, got one with a metatable"
    refuses("the options", "options: " .. SENTENCE, hostile { "true" })
    refuses("env", "env: " .. SENTENCE, { env = hostile { "A=b" } })
    refuses("volumes", "volumes: " .. SENTENCE, { volumes = hostile { "/:/a" } })
    refuses("one that hides its metatable", "env: " .. SENTENCE,
      { env = setmetatable({}, { __metatable = false }) })
    refuses("one where something else belongs", "hostname: expected a name of 1 to 64 bytes, "
      .. "got a table", { hostname = hostile {} })
    refuses("one as the name of an option", "options: unknown option a table",
      { [hostile {}] = 1 })
  end)

  it("raises nothing, whatever an option is", function()
    local values = { false, true, 0, -1, 1.5, 0 / 0, math.huge, "", "\0", ("x"):rep(100000), {},
      { {} }, { [0] = 1 }, hostile {}, print, coroutine.create(print), io.stdout }
    for _, name in ipairs { "rootfs", "hostname", "env", "cwd", "volumes", "pids", "init",
      "announce", "user", "capabilities", "cap_add", "cap_drop", "no_new_privileges",
      "privileged", "readonly", "tmpfs", "network", 1, 2, 0 } do
      for _, value in ipairs(values) do
        local options = { "true" }
        options[name] = value
        assert.is_true(pcall(spec.read, options))
      end
    end
    for _, value in ipairs(values) do
      assert.is_true(pcall(spec.read, value))
    end
  end)

  it("refuses before anything is done: it calls nothing that changes something", function()
    local options <const> = {
      {}, { "true", nosuch = 1 }, { "true", rootfs = "" }, { "true", hostname = "" },
      { "true", env = { "A" } }, { "true", cwd = "." }, { "true", volumes = { "/:/" } },
      { "true", volumes = { "/no/such/place:/b" } }, { "true", pids = "many" },
      { "true", init = 1 }, { "true", announce = 1 }, { "true", user = "" },
      { "true", cap_add = { "NOSUCH" } }, { "true", tmpfs = { "/" } }, { "true", network = "" },
    }
    local called, originals = {}, {}
    for name, fn in next, sys do
      local asks = name == "geteuid" or name == "stat" or name:find("^capability_name")
      if type(fn) == "function" and not asks then
        originals[name] = fn
      end
    end
    for name in pairs(originals) do
      sys[name] = function()
        called[#called + 1] = name
      end
    end
    local errors = {}
    for i, given in ipairs(options) do
      errors[i] = select(2, api.spawn(given))
    end
    for name, fn in pairs(originals) do
      sys[name] = fn
    end
    assert.same({}, called)
    assert.equal(#options, #errors)
    for _, err in ipairs(errors) do
      assert.equal("spec", err.step)
    end
  end)

  it("leaves what it was given as it is, and shares nothing with it", function()
    local function given()
      return { "echo", "a", env = { "A=b", C = "d" }, volumes = { "/:/a:ro" }, pids = "max" }
    end
    local options = given()
    local c = read(options)
    assert.same(given(), options)
    c.config.process.args[1] = "other"
    c.config.process.env[1] = "other"
    c.config.mounts[1].destination = "/other"
    assert.same(given(), options)
    assert.are_not.equal("/other", config(options).mounts[1].destination)
  end)

  describe("as OCI's config.json", function()
    -- The names of the specification's config and config-linux; true is a value, {} an array of
    -- values.
    local MAPPINGS <const> = { { containerID = true, hostID = true, size = true } }
    local OCI <const> = {
      ociVersion = true, hostname = true, domainname = true, annotations = true, hooks = true,
      root = { path = true, readonly = true },
      mounts = { { destination = true, type = true, source = true, options = {},
        uidMappings = MAPPINGS, gidMappings = MAPPINGS } },
      process = {
        terminal = true, cwd = true, env = {}, args = {}, noNewPrivileges = true,
        apparmorProfile = true, selinuxLabel = true, oomScoreAdj = true,
        rlimits = { { type = true, soft = true, hard = true } },
        user = { uid = true, gid = true, umask = true, additionalGids = {}, username = true },
        capabilities = { bounding = {}, permitted = {}, inheritable = {}, effective = {},
          ambient = {} },
      },
      linux = {
        namespaces = { { type = true, path = true } },
        uidMappings = MAPPINGS, gidMappings = MAPPINGS, cgroupsPath = true, sysctl = true,
        rootfsPropagation = true, seccomp = true, maskedPaths = {}, readonlyPaths = {},
        resources = { pids = { limit = true }, memory = { limit = true, reservation = true,
          swap = true }, cpu = { shares = true, quota = true, period = true, cpus = true } },
      },
    }

    local function check(value, names, path)
      if names == true or next(names) == nil and type(value) ~= "table" then
        return
      end
      assert.equal("table", type(value), path)
      for key, inner in pairs(value) do
        local place = path .. "." .. key
        local expected = math.type(key) == "integer" and (names[1] or true) or names[key]
        assert.is_truthy(expected, place .. " is no name of OCI")
        check(inner, expected, place)
      end
    end

    it("has OCI's names and no other", function()
      check(config { env = { A = "b" }, volumes = { "/:/a:ro" }, hostname = "box", cwd = "/srv",
        pids = 5, rootfs = "/srv", user = "nobody", cap_add = { "SYS_TIME" }, readonly = true,
        tmpfs = { "/x:size=1m" }, network = "host" }, OCI, "config")
      check(config { privileged = true }, OCI, "config")
    end)

    it("has what OCI requires", function()
      local c = config {}
      assert.matches("^1%.%d+%.%d+$", c.ociVersion)
      assert.is_string(c.root.path)
      assert.equal("/", c.process.cwd)
      assert.same({ "true" }, c.process.args)
      assert.equal("integer", math.type(c.linux.resources.pids.limit))
      for _, mount in ipairs(c.mounts) do
        assert.matches("^/", mount.destination)
        for _, option in ipairs(mount.options) do
          assert.is_string(option)
        end
      end
    end)

    it("asks for namespaces by OCI's words, each once", function()
      local seen = {}
      for _, namespace in ipairs(config({}).linux.namespaces) do
        assert.is_nil(seen[namespace.type])
        seen[namespace.type] = true
      end
      for _, name in ipairs { "mount", "uts", "pid", "ipc", "network", "cgroup" } do
        assert.is_true(seen[name], name)
      end
    end)

    it("has the default filesystems, in an order in which each finds its place", function()
      local places = {}
      for i, mount in ipairs(config({}).mounts) do
        places[mount.destination] = i
      end
      for _, path in ipairs { "/proc", "/dev", "/sys", "/dev/pts", "/dev/shm", "/dev/mqueue" } do
        assert.is_truthy(places[path], path)
      end
      for _, path in ipairs { "/dev/pts", "/dev/shm", "/dev/mqueue" } do
        assert.is_true(places["/dev"] < places[path])
      end
    end)
  end)

  describe("for root", function()
    it("has no user namespace and no mappings #root", function()
      local _ <close> = replace("geteuid", function() return 0, 0 end)
      local c = config {}
      for _, namespace in ipairs(c.linux.namespaces) do
        assert.are_not.equal("user", namespace.type)
      end
      assert.is_nil(c.linux.uidMappings)
      assert.is_nil(c.linux.gidMappings)
      for _, mount in ipairs(c.mounts) do
        assert.equal(mount.destination == "/dev/pts",
          table.concat(mount.options, " "):find("gid=5", 1, true) ~= nil)
      end
    end)
  end)

  describe("for an ordinary user", function()
    local c

    before_each(function()
      local _ <close> = replace("geteuid", function() return 1000, 100 end)
      c = config {}
    end)

    it("has a user namespace in which the user alone is root", function()
      assert.same({ type = "user" }, c.linux.namespaces[#c.linux.namespaces])
      assert.same({ { containerID = 0, hostID = 1000, size = 1 } }, c.linux.uidMappings)
      assert.same({ { containerID = 0, hostID = 100, size = 1 } }, c.linux.gidMappings)
    end)

    it("has no other user than root", function()
      local _ <close> = replace("geteuid", function() return 1000, 100 end)
      for id, wrong in pairs { ["1"] = "1", ["1:1"] = "1", ["0:7"] = "7" } do
        assert.equal("user: the user namespace has no id " .. wrong,
          (refusal { "true", user = id }))
      end
      assert.equal("0:0", read({ user = "0:0" }).user)
    end)

    it("has no terminals of a group that is not mapped", function()
      for _, mount in ipairs(c.mounts) do
        assert.is_nil(table.concat(mount.options, " "):find("gid=", 1, true))
      end
    end)
  end)
end)

describe("spec.read, of every option that is an array", function()
  for _, case in ipairs {
    { "cap_add", { "ALL" } }, { "cap_drop", { "ALL" } }, { "capabilities", { "KILL" } },
    { "devices", { "/dev/null" } }, { "masked_paths", { "/x" } }, { "readonly_paths", { "/x" } },
    { "stdin", { "text" } },
  } do
    local field, list = case[1], case[2]
    for _, key in ipairs { "ALL", "/etc", 1.5, true } do
      refuses(("the key %s in %s"):format(key, field), ("%s: expected an array, got the key %s")
        :format(field, type(key) == "string" and ('"%s"'):format(key) or tostring(key)),
        { [field] = { list[1], [key] = true } })
      refuses(("the key %s alone in %s"):format(key, field),
        ("%s: expected an array, got the key %s"):format(field,
          type(key) == "string" and ('"%s"'):format(key) or tostring(key)),
        { [field] = { [key] = true } })
    end
    refuses("a hole in " .. field, field .. "[2]: is missing: the array has a hole",
      { [field] = { list[1], [3] = list[1] } })
    refuses("an entry 0 in " .. field, field .. "[0]: an array begins at 1",
      { [field] = { [0] = list[1] } })
  end

  refuses("a named key in what a hook has for an array",
    "hooks.prestart[1].args: expected an array of strings, got the key \"x\"",
    { hooks = { prestart = { { path = "/x", args = { "x", x = "y" } } } } })
  for name, options in pairs {
    volumes = { ["/etc"] = "/x" }, env = { [1.5] = "A" }, rlimits = { "nofile=64" },
    unified = { "memory.high=1" }, hugepages = { "2MB" }, io = { "/dev/sda" },
    on = { print }, hooks = { print }, landlock = { "/" },
  } do
    it("refuses by name what " .. name .. " has not", function()
      local sentence = refusal { "true", [name] = options }
      assert.equal(name, sentence:match("^%l+"))
    end)
  end
end)

describe("spec.read, of a mapping of volumes", function()
  it("is that of docker's SDK: by source, with bind and mode", function()
    local c = read { volumes = { "/:/first", ["/usr"] = { bind = "/b", mode = "ro" },
      ["/etc"] = { bind = "/a" } } }
    local seen = {}
    for i, entry in ipairs(c.volumes) do
      seen[i] = entry.source .. " " .. entry.destination .. " " .. table.concat(entry.options, ",")
    end
    assert.same({ "/ /first rbind,nodev", "/etc /a rbind,nodev", "/usr /b rbind,nodev,ro" }, seen)
  end)

  local ROOT <const> = "volumes[\"/etc\"]"
  refuses("a mapping to text", ROOT .. ": expected { bind = DESTINATION, mode = OPTIONS }, got "
    .. "\"/x\"", { volumes = { ["/etc"] = "/x" } })
  refuses("another field", ROOT .. ": expected bind or mode, got \"ro\"",
    { volumes = { ["/etc"] = { bind = "/x", ro = true } } })
  refuses("no destination", ROOT .. ".bind: expected an absolute path, got nil",
    { volumes = { ["/etc"] = { mode = "ro" } } })
  refuses("a destination that is the root's", ROOT .. ": destination / is the container's own",
    { volumes = { ["/etc"] = { bind = "/" } } })
  refuses("another mode", ROOT .. ": expected ro, rro or rw after the destination, got \"x\"",
    { volumes = { ["/etc"] = { bind = "/x", mode = "x" } } })
  refuses("idmap without a range of ids",
    ROOT .. ": idmap is for a range of ids: userns = \"auto\"",
    { volumes = { ["/etc"] = { bind = "/x", mode = "idmap" } } })
end)

describe("spec.read, of numbers", function()
  it("takes a float that is an integer as that integer", function()
    local c = read { memory = 64 * 2 ^ 20, pids = 20.0, output_limit = 2 ^ 20, cpu_weight = 2 ^ 10,
      io_weight = 100.0, oom_score_adj = 100.0, rlimits = { nofile = 64.0, fsize = 2 ^ 20 },
      memory_swap = 2 ^ 27, hugepages = { ["2MB"] = 2 ^ 21 },
      unified = { ["memory.high"] = 2 ^ 25 },
      tty = { height = 24.0, width = 80.0 } }
    local resources, process = c.config.linux.resources, c.config.process
    for _, pair in ipairs {
      { 67108864, resources.memory.limit }, { 134217728, resources.memory.swap },
      { 20, resources.pids.limit }, { 1048576, c.stream.limit }, { 1024, resources.cpu.shares },
      { 100, resources.blockIO.weight }, { 100, process.oomScoreAdj },
      { 2097152, resources.hugepageLimits[1].limit }, { 64, process.rlimits[2].hard },
      { 1048576, process.rlimits[1].soft }, { 24, process.consoleSize.height },
      { 80, process.consoleSize.width },
    } do
      assert.equal(pair[1], pair[2])
      assert.equal("integer", math.type(pair[2]))
    end
    assert.equal("33554432", resources.unified["memory.high"])
  end)

  refuses("a fraction", "pids: expected a positive integer or \"max\", got 20.5", { pids = 20.5 })

  it("takes docker's -1 as no limit", function()
    local resources = config({ pids = -1, memory = -1, memory_swap = -1 }).linux.resources
    assert.same({ -1, -1, -1 },
      { resources.pids.limit, resources.memory.limit, resources.memory.swap })
  end)

  it("takes a timeout of 0 as none", function()
    assert.is_nil(read({ timeout = 0 }).timeout)
    assert.equal(0.5, read({ timeout = 0.5 }).timeout)
  end)
end)

describe("spec.read, of the order of what it says", function()
  it("names an unknown option where there is no command either", function()
    assert.equal("options: unknown option \"command\"", (refusal { command = { "ls" } }))
    assert.equal("args: no command", (refusal { env = {} }))
  end)
end)
