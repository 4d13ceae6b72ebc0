-- The commands that make a container, ours and others', as data, and what they need.

local tool = require "bench.tool"

local command = {}

--- The smallest root: a static busybox, and links to it for the programs that run.
function command.make_rootfs(path)
  local busybox = tool.output("command -v busybox")
  tool.check(busybox ~= "", "no ROOTFS given, and no busybox to make one of (busybox-static)")
  tool.check(os.execute(("mkdir %s && cd %s && mkdir -p bin dev etc proc root run sys tmp usr var "
    .. "&& cp %s bin/busybox && for name in true sh sleep dd; do ln -s busybox bin/$name || "
    .. "exit; done"):format(tool.quote(path), tool.quote(path), tool.quote(busybox))))
end

--- A bundle for the OCI runtimes: the same six namespaces, a proc, a /dev of its own because they
-- fill it with devices, no limits, no seccomp.
local CONFIG <const> = [[
{
  "ociVersion": "1.0.0",
  "process": {
    "terminal": false,
    "user": { "uid": 0, "gid": 0 },
    "args": [ %s ],
    "env": [ "PATH=/bin" ],
    "cwd": "/"
  },
  "root": { "path": "%s" },
  "hostname": "bench",
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc",
      "options": [ "nosuid", "nodev", "noexec" ] },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
      "options": [ "nosuid", "mode=755", "size=64k" ] }
  ],
  "linux": {
    "cgroupsPath": "/%s",
    "namespaces": [
      { "type": "mount" }, { "type": "uts" }, { "type": "pid" }, { "type": "ipc" },
      { "type": "network" }, { "type": "cgroup" }
    ]
  }
}
]]

--- crun refuses a machine that has both versions of cgroups mounted. In a mount namespace where it
-- sees version 2 alone, it works there, too.
command.UNIFIED = {
  "unshare", "--mount", "sh", "-c",
  "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec \"$@\"", "sh",
}

-- In the environment of all: systemd-nspawn has something to say about a root that lies in /tmp.
command.SILENCE = "SYSTEMD_LOG_LEVEL=emerg"

--- Compiles our filter of system calls and leaves it as bwrap takes it.
-- @treturn table the capabilities that our containers have
local function export_filter(path)
  local held = require("container.linux.capabilities").DEFAULT
  local capabilities = table.move(held, 1, #held, 1, {})
  table.sort(capabilities)
  local c = { config = { process = { capabilities = { bounding = capabilities } },
    linux = { seccomp = "default" } } }
  tool.check(require("container.linux.seccomp").prepare(c))
  tool.write(path, c.seccomp.program)
  return capabilities
end

--- bwrap's words for what run.lua does unasked, as far as there are such words.
local function isolation(capabilities)
  local mask = require "container.fs.masks"
  local words = { "--mqueue", "/dev/mqueue", "--ro-bind", "/sys", "/sys", "--hostname",
    "container" }
  local function add(...)
    table.move({ ... }, 1, select("#", ...), #words + 1, words)
  end
  local function there(path, kind)
    return (os.execute(("test -%s %s"):format(kind, tool.quote(path))))
  end
  for _, path in ipairs(mask.MASKED) do
    if there(path, "d") then
      add("--tmpfs", path)
    elseif there(path, "e") then
      add("--ro-bind", "/dev/null", path)
    end
  end
  for _, path in ipairs(mask.READONLY) do
    if there(path, "d") then
      add("--ro-bind", path, path)
    end
  end
  add("--cap-drop", "ALL")
  for _, name in ipairs(capabilities) do
    add("--cap-add", name)
  end
  return words
end

--- Writes the bundle of the OCI runtimes.
-- @treturn string its directory
local function write_bundle(at)
  local bundle = at.work .. "/" .. at.program[1]:match("[^/]*$")
  local words = {}
  for i, word in ipairs(at.program) do
    words[i] = ('"%s"'):format(word)
  end
  tool.check(os.execute("mkdir -p " .. tool.quote(bundle)))
  tool.write(bundle .. "/config.json",
    CONFIG:format(table.concat(words, ", "), at.rootfs, at.name))
  return bundle
end

--- What there is to compare with: the program, the interpreter, and limit.c.
local function add_base(at, filter, add, contained)
  local mask, rootfs = require "container.fs.masks", at.rootfs
  local masked, readonly = table.concat(mask.MASKED, ":"), table.concat(mask.READONLY, ":")
  local limit = at.bench .. "/limit"
  add({ key = "true", title = "/bin/true, no container", whose = "base" }, "/bin/true")
  add({ key = "lua", title = at.lua .. " -e \"\", no container", whose = "base" }, at.lua, "-e", "")
  contained({ key = "limit", title = "the C limit", whose = "base" }, limit, rootfs)
  contained({ key = "mounts", title = "the C limit, with all mounts", whose = "base" },
    limit, "--mounts", masked, readonly, rootfs)
  local place = require("container.sys").cgroup_place("pids")
  if place then
    contained({ key = "all", title = "the C limit, with all that run.lua does", whose = "base" },
      limit, "--all", masked, readonly, filter, place .. "/" .. at.name .. "-limit", rootfs)
  end
end

local function add_ours(at, contained)
  local function ours(key, title, ...)
    contained({ key = key, title = title, whose = "ours" }, at.lua, at.top .. "/run.lua", "--quiet",
      ...)
  end
  local function alone(key, title, ...)
    contained({ key = key, title = title, whose = "ours" }, at.top .. "/lua-container", "--quiet",
      ...)
  end
  local rootfs = at.rootfs
  local bare <const> = { "--no-init", "--privileged", "--pids-limit", "max", "--rootfs", rootfs }
  ours("run", "run.lua", "--rootfs", rootfs)
  ours("bare", "run.lua, bare", table.unpack(bare))
  alone("command", "lua-container", "--rootfs", rootfs)
  alone("command-bare", "lua-container, bare", table.unpack(bare))
  ours("noinit", "run.lua --no-init", "--no-init", "--rootfs", rootfs)
  ours("tty", "run.lua --tty", "--tty", "--rootfs", rootfs)
  ours("cgroup", "run.lua, all cgroup controllers", "--memory", "64M", "--cpus", "0.5",
    "--cpu-shares", "512", "--cpuset-cpus", "0", "--pids-limit", "20", "--rootfs", rootfs)
  ours("overlay", "run.lua, root an overlay of the host's")
end

local function add_sandboxes(at, filter, isolated, contained)
  contained({ key = "unshare", title = "unshare", whose = "others" },
    "unshare", "-mupinC", "--fork", "--root=" .. at.rootfs, "--mount-proc")
  local bwrap <const> = { "bwrap", "--unshare-all", "--bind", at.rootfs, "/", "--proc", "/proc",
    "--dev", "/dev" }
  contained({ key = "bwrap", title = "bwrap", whose = "others" }, table.unpack(bwrap))
  bwrap[#bwrap + 1], bwrap[#bwrap + 2] = "--seccomp", "9"
  contained({ key = "bwrap-seccomp", title = "bwrap, with our filter", whose = "others",
    file = filter }, table.unpack(bwrap))
  contained({ key = "bwrap-all", title = "bwrap, isolated as run.lua", whose = "others",
    file = filter }, table.unpack(tool.join(bwrap, isolated)))
end

local function add_engines(at, bundle, add, contained)
  local rootfs = at.rootfs
  for _, name in ipairs { "crun", "runc" } do
    add({ key = name, title = name .. " run", whose = "others", container = true, wrapped = true },
      name, "--root", at.work .. "/" .. name, "run", "--bundle", bundle, at.name)
  end
  contained({ key = "nspawn", title = "systemd-nspawn", whose = "others", share = 0.2 },
    "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--link-journal=no",
    "--resolv-conf=off", "--timezone=off", "--directory=" .. rootfs)
  for _, runtime in ipairs { "crun", "runc" } do
    -- Limits that a process without the right to raise them can have, too.
    contained({ key = "podman-" .. runtime, title = "podman run, by " .. runtime,
      whose = "others", share = 0.1, wrapped = true },
      "podman", "--root", at.work .. "/podman", "--runroot", at.work .. "/podman-run",
      "--tmpdir", at.work .. "/podman-tmp", "--storage-driver", "vfs",
      "--cgroup-manager", "cgroupfs", "--runtime", runtime, "run", "--rm",
      "--cgroup-parent", "/" .. at.name .. "-podman", "--ulimit", "nofile=1024:1024",
      "--ulimit", "nproc=1024:1024", "--network", "none", "--rootfs", rootfs)
  end
end

--- Each is { key, title, whose, argv... }: `whose` is "base" for what there is to compare with,
-- "ours" or "others". `share` is the share of the rounds that a slow one runs in; `file` is open
-- as its descriptor 9; `wrapped` runs where only cgroup v2 is mounted if it does not work else.
-- @tparam table at { bench, top, rootfs, work, name, program, lua }: directories; what the
-- cgroups are called; the words of the program that runs
-- @treturn table array
function command.all(at)
  local list, filter = {}, at.work .. "/filter.bpf"
  local isolated = isolation(export_filter(filter))
  local function add(entry, ...)
    entry.argv = { ... }
    list[#list + 1] = entry
  end
  local function contained(entry, ...)
    entry.container = true
    add(entry, table.unpack(tool.join({ ... }, at.program)))
  end
  add_base(at, filter, add, contained)
  add_ours(at, contained)
  add_sandboxes(at, filter, isolated, contained)
  add_engines(at, write_bundle(at), add, contained)
  return list
end

--- What takes away what the runtimes may have left, as lines of the shell.
function command.cleaning(work, name)
  local lines = {}
  for _, runtime in ipairs { "crun", "runc" } do
    if tool.installed(runtime) then
      lines[#lines + 1] = ("%s --root %s delete --force %s 2>/dev/null")
        :format(runtime, tool.quote(work .. "/" .. runtime), name)
    end
  end
  lines[#lines + 1] = ("find /sys/fs/cgroup -depth -type d -path '*/%s*' -exec rmdir {} + "
    .. "2>/dev/null"):format(name)
  lines[#lines + 1] = "rm -rf --one-file-system " .. tool.quote(work)
  return lines
end

--- Runs it once. On failure, why: what it said, in one line.
local function try(entry, wrapper)
  local said = tool.output(("%s 2>&1 >/dev/null </dev/null %s; echo :$?"):format(
    tool.shell(tool.join(wrapper, entry.argv)), entry.file and "9<" .. entry.file or ""))
  local text, status = said:match("^(.-)%s*:(%d+)$")
  if status == "0" then
    return true
  end
  return false, ("status %s: %s"):format(status, (text:gsub("%s+", " ")))
end

--- Which of them work here, and in which view of the cgroups.
-- @return array of those that do, each with `unified` if in that view alone
-- @return array of { entry, why } of the others
function command.working(list)
  local working, left_out = {}, {}
  for _, entry in ipairs(list) do
    if not tool.installed(entry.argv[1]) then
      left_out[#left_out + 1] = { entry, "not installed" }
      goto continue
    end
    local done, why = try(entry, {})
    if not done and entry.wrapped and try(entry, command.UNIFIED) then
      done, entry.unified = true, true
    end
    if done then
      working[#working + 1] = entry
    else
      left_out[#left_out + 1] = { entry, why }
    end
    ::continue::
  end
  return working, left_out
end

--- A list of commands as timer.c reads it.
function command.for_timer(list)
  local lines = {}
  for _, entry in ipairs(list) do
    lines[#lines + 1] = #entry.argv .. (entry.file and " " .. entry.file or "")
    table.move(entry.argv, 1, #entry.argv, #lines + 1, lines)
  end
  return table.concat(lines, "\n") .. "\n"
end

return command
