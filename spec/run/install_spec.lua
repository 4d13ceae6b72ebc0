-- The command where it is installed, by make and by LuaRocks, and in a source tree that changes.
-- All of it in copies of the tree: nothing is built or written in the tree itself.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- As a user's own shell has it: neither what a make around this test says, nor where the specs find
-- their modules.
local CLEAN <const> = "unset MAKEFLAGS MFLAGS MAKELEVEL LUA_PATH LUA_CPATH LUA_PATH_5_4 \z
  LUA_CPATH_5_4 DESTDIR PREFIX; "

local function shell(text)
  return support.run(CLEAN .. text)
end

-- A copy that was made of the tree, with what is built in it. What is there of a build is taken, so
-- that only what has changed since is compiled.
local function copy()
  support.needs("make", "cc")
  local path = support.tmpdir()
  local result = shell(("cp -a Makefile LICENSE completion csrc lua man rockspec run.lua %s && \z
    { cp -a build container container.so lua-container %s || true; } && make -s -C %s all"):format(
    path, path, path))
  assert.equal(0, result.status, result.stderr)
  return path
end

local function files(directory)
  local list = {}
  local found = shell(("cd %s && find . ! -type d | LC_ALL=C sort"):format(directory))
  for path in found.stdout:gmatch("[^\n]+") do
    list[#list + 1] = path
  end
  return list
end

describe("make install", function()
  it("puts the command, the module and every room below DESTDIR and PREFIX", function()
    local tree, root = copy(), support.tmpdir()
    local result = shell(("make -s -C %s install DESTDIR=%s PREFIX=/usr"):format(tree, root))
    assert.equal(0, result.status, result.stderr)
    local expected = { "./usr/bin/lua-container", "./usr/lib/lua/5.4/container.so",
      "./usr/lib/lua/5.4/container/libseccomp.so", "./usr/lib/lua/5.4/container/seccomp.bpf",
      "./usr/share/man/man1/lua-container.1",
      "./usr/share/bash-completion/completions/lua-container.bash",
      "./usr/share/fish/vendor_completions.d/lua-container.fish",
      "./usr/share/zsh/site-functions/_lua-container" }
    for _, path in ipairs(files(tree .. "/lua/container")) do
      expected[#expected + 1] = "./usr/share/lua/5.4/container" .. path:sub(2)
    end
    table.sort(expected)
    assert.same(expected, files(root))

    result = shell(("make -s -C %s uninstall DESTDIR=%s PREFIX=/usr"):format(tree, root))
    assert.equal(0, result.status, result.stderr)
    assert.same({}, files(root))
  end)

  -- The environment is one in which nothing but that is found, and the command by PATH.
  local function runs(caller, root, environment)
    local result = caller:shell(CLEAN .. ("cd / && %s PATH=%s/usr/bin:$PATH lua-container sh -c \z
      'hostname; exit 3'"):format(environment, root))
    assert.equal("container\n", result.stdout, result.stderr)
    assert.matches("^Running %[sh %-c hostname; exit 3%] as %d+\n\z
      Running in child %[sh %-c hostname; exit 3%] as 1\n$", result.stderr)
    assert.equal(3, result.status)
  end

  for _, caller in ipairs(command.callers) do
    it("makes a command that runs from anywhere, in one file, for " .. caller.name, function()
      local tree, root = copy(), support.tmpdir()
      support.needs(tree .. "/lua-container")
      local result = shell(("make -s -C %s install DESTDIR=%s PREFIX=/usr && rm -r %s \z
        %s/usr/lib %s/usr/share"):format(tree, root, tree, root, root))
      assert.equal(0, result.status, result.stderr)
      runs(caller, root, "")
    end)

    it("makes one of run.lua where there is no such file, for " .. caller.name, function()
      local tree, root = copy(), support.tmpdir()
      local result = shell(("make -s -C %s install COMMAND= DESTDIR=%s PREFIX=/usr && rm -r %s")
        :format(tree, root, tree))
      assert.equal(0, result.status, result.stderr)
      assert.equal(sys.read_file("run.lua"),
        sys.read_file(root .. "/usr/bin/lua-container"))
      runs(caller, root, ("LUA_PATH_5_4='%s/usr/share/lua/5.4/?.lua' \z
        LUA_CPATH_5_4='%s/usr/lib/lua/5.4/?.so'"):format(root, root))
    end)
  end
end)

describe("luarocks make #root", function()
  it("makes a command and a module that are found in its tree", function()
    support.needs("luarocks", "cc")
    local tree, rocks = support.tmpdir(), support.tmpdir()
    local result = shell(("cp -a LICENSE Makefile completion csrc lua man rockspec run.lua %s && \z
      cd %s && luarocks --lua-version=5.4 make --tree %s rockspec/*.rockspec 2>&1 && \z
      rm -r %s"):format(tree, tree, rocks, tree))
    assert.equal(0, result.status, result.stdout)
    result = shell(("cd / && %s/bin/lua-container --quiet sh -c 'hostname; exit 3'"):format(rocks))
    assert.equal("container\n", result.stdout)
    assert.equal("", result.stderr)
    assert.equal(3, result.status)
    result = shell(("cd / && LUA_PATH_5_4='%s/share/lua/5.4/?.lua' LUA_CPATH_5_4=\z
      '%s/lib/lua/5.4/?.so' %s -e 'print(require(\"container\").run({\"false\"}).status)'"):format(
      rocks, rocks, support.lua))
    assert.equal("1\n", result.stdout, result.stderr)
  end)
end)

-- Which sources of the modules a program reads: what begins otherwise than bytecode does.
local function compiled(line, root)
  support.needs("strace")
  local log = support.tmpdir() .. "/log"
  -- A file for each process and thread, so that no call stands in two lines.
  local result = shell(("cd / && strace -f -ff -e trace=openat -o %s %s && cat %s.*"):format(
    log, line, log))
  assert.equal(0, result.status, result.stderr)
  local list, count = {}, 0
  for path in result.stdout:gmatch('"(/[^"]+%.lua)", O_RDONLY%) = %d') do
    local text = path:find(root, 1, true) and assert(sys.read_file(path)) or "\27Lua"
    count = count + (path:find("/container/", 1, true) and 1 or 0)
    list[#list + 1] = text:sub(1, 4) ~= "\27Lua" and not path:find("run%.lua$") and path or nil
  end
  assert.is_true(count > 40, count .. " modules are read")
  return table.concat(list, " ")
end

describe("an installed run.lua #root", function()
  it("compiles no module, by make", function()
    local tree, root = copy(), support.tmpdir()
    local made = shell(("make -s -C %s install COMMAND= DESTDIR=%s PREFIX=/usr"):format(tree, root))
    assert.equal(0, made.status, made.stderr)
    local line = ("env LUA_PATH_5_4='%s/usr/share/lua/5.4/?.lua' LUA_CPATH_5_4=\z
      '%s/usr/lib/lua/5.4/?.so' %s %s/usr/bin/lua-container -q %s true"):format(
      root, root, support.lua, root, "%s")
    assert.equal("", compiled(line:format(""), root))
    assert.equal("", compiled(line:format("--memory 64M --volume /etc:/mnt"), root))
  end)

  it("compiles no module, by LuaRocks", function()
    support.needs("luarocks", "cc")
    local tree, rocks = copy(), support.tmpdir()
    local result = shell(("cd %s && COMMAND= MAKEFLAGS=e luarocks --lua-version=5.4 make \z
      --tree %s rockspec/*.rockspec 2>&1"):format(tree, rocks))
    assert.equal(0, result.status, result.stdout)
    assert.equal("", compiled(rocks .. "/bin/lua-container -q true", rocks))
  end)
end)

describe("a source tree", function()
  local OTHER <const> = "lua-container 9.9.9"

  -- A change in the source of a room that does not change its size. Returns what was there.
  local function change(tree)
    local path = tree .. "/lua/container/api.lua"
    local text = sys.read_file(path)
    local from, to = text:find("lua%-container %d%.%d%.%d")
    assert(sys.write_file(path, text:sub(1, from - 1) .. OTHER .. text:sub(to + 1)))
    return text:sub(from, to)
  end

  local function version(tree)
    local result = shell(("cd / && %s %s/run.lua --version"):format(support.lua, tree))
    assert.equal("", result.stderr)
    return result.stdout:match("[^\n]*")
  end

  it("runs what `make` compiled", function()
    local tree = copy()
    local before = change(tree)
    assert.equal(before, version(tree))
    assert.equal(0, shell("make -s -C " .. tree).status)
    assert.equal(OTHER, version(tree))
  end)

  it("runs the sources where nothing was compiled", function()
    local tree = copy()
    change(tree)
    assert.equal(0, shell("rm -r " .. tree .. "/build/lua").status)
    assert.equal(OTHER, version(tree))
  end)

  it("is run from any directory, by any path, also one with blanks #userns", function()
    local above = command.user:directory()
    assert(sys.mkdir(above .. "/a b"))
    assert.equal(0, shell(("cp -a %s/. '%s/a b'"):format(copy(), above)).status)
    for _, line in ipairs { "cd '%s/a b' && %s run.lua", "cd '%s/a b/lua' && %s ../run.lua",
      "cd '%s' && %s 'a b/run.lua'", "cd '%s/a b' && %s ./run.lua" } do
      local result = command.user:shell(CLEAN .. line:format(above, support.lua) .. " -q hostname")
      assert.equal("container\n", result.stdout, result.stderr)
    end
  end)

  it("is run by symbolic links to it, with every byte in their names #userns", function()
    local above = command.user:directory()
    local links = above .. "/a 'b\"$c"
    assert(sys.mkdir(above .. "/tree"))
    assert(sys.mkdir(links))
    assert.equal(0, shell(("cp -a %s/. %s/tree && chmod 755 %s/tree/run.lua"):format(copy(), above,
      above)).status)
    assert(sys.symlink(above .. "/tree/run.lua", links .. "/c"))
    assert(sys.symlink("c", links .. "/-cc"))
    for _, line in ipairs { "./-cc", "%s ./c", "%s c", "PATH=$PWD:$PATH c",
      "cd / && \"$OLDPWD\"/c" } do
      local result = command.user:shell(CLEAN .. "cd " .. support.quote(links) .. " && "
        .. line:format(support.lua) .. " -q hostname")
      assert.same({ "container\n", "" }, { result.stdout, result.stderr }, line)
    end
  end)

  it("says what is missing where it lies alone", function()
    local path = support.tmpdir()
    assert.equal(0, shell(("cp run.lua %s && ln -s run.lua %s/c"):format(path, path)).status)
    for _, name in ipairs { "run.lua", "c" } do
      local result = shell(("cd %s && %s %s true"):format(path, support.lua, name))
      assert.equal(125, result.status)
      assert.matches("^lua%-container: cannot load its modules, [^\n]*\n$", result.stderr)
    end
  end)
end)
