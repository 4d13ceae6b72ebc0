-- Hostile roots: each place that is opened, mounted on, made or entered is a
-- link, or something that it should not be. The container stays in its root or is refused in one
-- sentence, and what lies beside the root on the host is neither changed nor even read.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- Where the evil is, and the options that make a container go there.
local places = {
  { "/proc" }, { "/dev" }, { "/dev/null" }, { "/dev/pts" }, { "/dev/shm" }, { "/sys" },
  { "/etc", "--user=evil" }, { "/etc/passwd", "--user=evil" }, { "/etc/group", "--user=0:evil" },
  { "/vol", "--volume=%s:/vol/a/b" }, { "/vol/a", "--volume=%s:/vol/a/b" },
  { "/vol/a/b", "--volume=%s:/vol/a/b" }, { "/vol/a/b", "--volume=%s:/vol/a/b:ro" },
  { "/vol/a/b", "--volume=%s/file:/vol/a/b" }, { "/t", "--tmpfs=/t/a" }, { "/t/a", "--tmpfs=/t/a" },
  { "/w", "--workdir=/w/a" }, { "/w/a", "--workdir=/w/a" },
}

-- What it is: the text of a link, where %s is a directory of the host, which the root has as well
-- (one that stays in the root leads there); or a word for mknod.
local links = {
  absolute = "%s", relative = ("../"):rep(16) .. "%s", dots = "/bin/../../..%s", loop = "loop",
  proc = "/proc/self/root%s",
}
local more_links = {
  new = "%s/new/new", parent = "..", root = "/proc/self/root", fd = "/proc/self/fd/3/%s",
  pid1 = "/proc/1/root%s",
}
local others = { "fifo", "char", "file" }

-- The names that could be looked for behind a link; as a user, root by another name.
local HOST <const> = [[
  mkdir -p dir/a/b dir/pts dir/shm dir/self && cd dir && echo 'evil:x:0:0::/:/bin/sh' >passwd &&
  echo 'evil:x:0:' >group && for f in null file ptmx a/file self/mountinfo; do echo $f >$f; done &&
  find .. -type f -exec touch -a -d '2 days ago' {} +]]

-- A shell that uses the place. A FIFO is left alone: that would wait for itself alone.
local PROGRAM <const> = [[[ -p "$0" ] || { echo w >"$0"; echo w >"$0/written"; mkdir "$0/made"; }
  echo inside]]

local function execute(text, ...)
  assert(os.execute(text:format(...)), text)
end

local function tree(caller)
  local top = support.tmpdir()
  local path = { top = top, root = top .. "/root", host = top .. "/host" }
  path.source = top .. "/source"
  local st = assert(sys.stat(caller:directory()))
  path.owner = ("%d:%d"):format(st.uid, st.gid)
  execute("mkdir %s %s && cd %s && %s", path.host, path.source, path.host, HOST)
  execute("cd %s && mkdir image && cd image && mkdir bin dev etc proc sys tmp && \z
    cp %s/bin/busybox bin && ln -s busybox bin/sh && ln -s busybox bin/mkdir && \z
    mkdir -p .%s/dir/a/b .%s/dir/pts .%s/dir/shm", top, support.busybox_rootfs(), path.host,
    path.host, path.host)
  execute("echo source >%s/file && chown -R %s %s", path.source, path.owner, top)
  return path
end

-- Everything of the host's tree: names, kinds, owners, sizes and times, of files also the last time
-- that they were read.
local function snapshot(path)
  local pipe <close> = assert(io.popen(("cd %s && find . \z
    -printf '%%p %%y %%m %%U %%G %%s %%l %%T@ %%C@ ' \\( -type f -printf '%%A@\n' -o \z
    -printf '\n' \\) | sort"):format(path.host)))
  return pipe:read("a")
end

-- A new root with the evil in its place.
local function build(path, place, link, kind)
  execute("cd %s && rm -rf root && cp -al image root && rm -rf root%s && mkdir -p root%s", path.top,
    place, place:match("^(.*)/"))
  local target = path.root .. place
  if link then
    local text = link == "loop" and place:match("[^/]*$") or link:format(path.host .. "/dir"
      .. (place:match("^/etc(/.*)") or place:match("^/dev(/.*)") or ""))
    assert(sys.symlink(text, target))
  else
    assert(sys.mknod(target, kind, tonumber("666", 8), 1, 5))
  end
  if path.owner ~= "0:0" then
    execute("chown -hR %s %s", path.owner, path.root)
  end
end

for _, caller in ipairs(command.callers) do
  describe("a root of " .. caller.name, function()
    local path, before
    local contained = 0 -- so many were not refused

    setup(function()
      path = tree(caller)
      before = snapshot(path)
    end)

    local function try(place, option, what)
      local result = caller:shell(command.words(support.lua, "run.lua", "-q",
        option, "--rootfs", path.root, "sh", "-c", PROGRAM, place))
      what = place .. " " .. option .. " " .. what .. ": " .. result.stderr
      if result.status == 0 then
        assert.matches("inside\n$", result.stdout, what)
        -- The name is known to the host's files alone.
        assert.falsy(option:find("evil", 1, true), what)
      else
        assert.equal(125, result.status, what)
        assert.matches("^lua%-container: [^\n]+\n$", result.stderr, what)
      end
      contained = contained + (result.status == 0 and 1 or 0)
    end

    for _, entry in ipairs(places) do
      local place, option = entry[1], entry[2] or "--quiet"
      it(("with anything as %s does not lead out (%s) #root"):format(place, option), function()
        local function all(list)
          for name, link in pairs(list) do
            build(path, place, link)
            try(place, option:format(path.source), name)
          end
        end
        all(links)
        if not caller.ordinary then
          all(more_links)
        end
        for i = 1, caller.ordinary and 1 or #others do
          build(path, place, nil, others[i])
          try(place, option:format(path.source), others[i])
        end
        assert.equal(before, snapshot(path))
      end)
    end

    it("is mostly one in which the container runs, where a link stays in it #root", function()
      assert.truthy(contained >= 35, contained)
    end)
  end)
end

describe("what lies beside such a root #root", function()
  it("is looked at: that a file was read shows, and that one was made", function()
    local path = tree(command.root)
    local first = snapshot(path)
    execute("cat %s/dir/passwd >/dev/null", path.host)
    local second = snapshot(path)
    assert.not_equal(first, second)
    execute(": >%s/dir/a/b/new", path.host)
    assert.not_equal(second, snapshot(path))
  end)
end)
