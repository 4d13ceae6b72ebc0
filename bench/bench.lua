-- bench.lua [--quick | --rounds N]: how long a container takes, ours and others', side by side.
-- README.md beside it says what is measured and how to read it. ROOTFS in the environment names
-- the directory to use as root; else one with nothing but busybox is made and removed again.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local top = here .. "/.."
package.path = top .. "/lua/?.lua;" .. package.path
package.cpath = top .. "/?.so;" .. package.cpath
local mask = require "container.mask"

local CHUNK <const> = 10 -- rounds between two changes of the cgroup view, see `unified`

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function shell(argv)
  local words = {}
  for i, word in ipairs(argv) do
    words[i] = quote(word)
  end
  return table.concat(words, " ")
end

local function check(condition, message)
  if not condition then
    error(message, 0)
  end
  return condition
end

local function output(command)
  local pipe <close> = check(io.popen(command))
  return (pipe:read("a"):gsub("%s+$", ""))
end

local function installed(program)
  return (os.execute("command -v " .. quote(program) .. " >/dev/null 2>&1"))
end

local function write(path, text)
  local file <close> = check(io.open(path, "w"))
  check(file:write(text))
end

--- A temporary directory, and a pipe on whose closing it is removed: by a shell at its other end,
-- so that it goes however we go, Ctrl-C included. What the runtimes may have left goes before it.
local function temporary(name)
  local path = output("mktemp -d")
  check(path ~= "", "mktemp failed")
  local script = { "trap '' INT TERM HUP; cat >/dev/null" }
  for _, runtime in ipairs { "crun", "runc" } do
    if installed(runtime) then
      script[#script + 1] = ("%s --root %s delete --force %s 2>/dev/null")
        :format(runtime, quote(path .. "/" .. runtime), name)
    end
  end
  script[#script + 1] = "rm -rf --one-file-system " .. quote(path)
  return path, check(io.popen(table.concat(script, "\n"), "w"))
end

--- The smallest root: a static busybox, and a link to it for the one program that runs.
local function make_rootfs(path)
  local busybox = output("command -v busybox")
  check(busybox ~= "", "no ROOTFS given, and no busybox to make one of (package busybox-static)")
  check(os.execute(("cd %s && mkdir bin proc dev sys tmp etc root && cp %s bin/busybox && "
    .. "for name in true sh sleep head; do ln -s busybox bin/$name || exit; done")
    :format(quote(path), quote(busybox))))
end

--- A bundle for the OCI runtimes: the same six namespaces, a proc, a /dev of its own because they
-- fill it with devices, no limits, no seccomp.
local CONFIG <const> = [[
{
  "ociVersion": "1.0.0",
  "process": {
    "terminal": false,
    "user": { "uid": 0, "gid": 0 },
    "args": [ "/bin/true" ],
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
local UNIFIED <const> = {
  "unshare", "--mount", "sh", "-c",
  "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec \"$@\"", "sh",
}

local function candidates(rootfs, work, name)
  local lua, run = os.getenv("LUA") or "lua5.4", top .. "/run.lua"
  local bundle = work .. "/bundle"
  return {
    { title = "/bin/true, no container", "/bin/true" },
    { title = lua .. " -e \"\", no container", lua, "-e", "" },
    { title = "the C limit", base = true, here .. "/limit", rootfs, "/bin/true" },
    { title = "the C limit, with all mounts", same = true, here .. "/limit", "--mounts",
      table.concat(mask.MASKED, ":"), table.concat(mask.READONLY, ":"), rootfs, "/bin/true" },
    { title = "run.lua --rootfs", lua, run, "--quiet", "--rootfs", rootfs, "/bin/true" },
    { title = "run.lua --rootfs, bare", lua, run, "--quiet", "--no-init", "--privileged",
      "--pids-limit", "max", "--rootfs", rootfs, "/bin/true" },
    { title = "run.lua --rootfs --no-init",
      lua, run, "--quiet", "--no-init", "--rootfs", rootfs, "/bin/true" },
    { title = "run.lua, root a view of the host's", lua, run, "--quiet", "/bin/true" },
    { title = "unshare -mupinC --fork --root", "unshare", "-mupinC", "--fork", "--root=" .. rootfs,
      "--mount-proc", "/bin/true" },
    { title = "bwrap --unshare-all --bind", "bwrap", "--unshare-all", "--bind", rootfs, "/",
      "--proc", "/proc", "--dev", "/dev", "/bin/true" },
    { title = "crun run", unified = true,
      "crun", "--root", work .. "/crun", "run", "--bundle", bundle, name },
    { title = "runc run", "runc", "--root", work .. "/runc", "run", "--bundle", bundle, name },
  }
end

--- Runs a command once. On failure, why: what it said, in one line.
local function try(command, wrapper)
  local argv = table.move(command, 1, #command, #wrapper + 1, { table.unpack(wrapper) })
  local said = output(shell(argv) .. " 2>&1 >/dev/null </dev/null; echo :$?")
  local text, status = said:match("^(.-)%s*:(%d+)$")
  if status == "0" then
    return true
  end
  return false, ("status %s: %s"):format(status, (text:gsub("%s+", " ")))
end

local function percentile(sorted, p)
  return sorted[math.max(1, math.ceil(#sorted * p / 100))]
end

local function measure(commands, wrapper, rounds, work)
  if #commands == 0 then
    return
  end
  local lines = {}
  for _, command in ipairs(commands) do
    lines[#lines + 1] = #command
    table.move(command, 1, #command, #lines + 1, lines)
  end
  local list = work .. "/commands"
  write(list, table.concat(lines, "\n") .. "\n")
  local argv = table.move({ here .. "/timer", tostring(rounds), list }, 1, 3, #wrapper + 1,
    { table.unpack(wrapper) })
  local pipe = check(io.popen(shell(argv)))
  for line in pipe:lines() do
    local index, nanoseconds = line:match("^(%d+) (%d+)$")
    table.insert(commands[tonumber(index)].times, tonumber(nanoseconds) / 1e6)
  end
  check(pipe:close(), "a command failed in the middle of the measurement; no result")
end

local function report(commands, rounds)
  local base, same
  for _, command in ipairs(commands) do
    table.sort(command.times)
    command.median = percentile(command.times, 50)
    base = command.base and command.median or base
    same = command.same and command.median or same
  end
  print(("%d rounds, interleaved; %s, %s processors"):format(rounds, output("uname -srm"),
    output("nproc")))
  print(("%-36s %9s %8s %8s %12s %12s"):format("", "median ms", "p10", "p90", "to C limit",
    "with mounts"))
  for _, command in ipairs(commands) do
    print(("%-36s %9.2f %8.2f %8.2f %12s %12s"):format(command.title, command.median,
      percentile(command.times, 10), percentile(command.times, 90),
      base and ("%.2f"):format(command.median / base) or "-",
      same and ("%.2f"):format(command.median / same) or "-"))
  end
end

local function main(work, name)
  local rounds = 100
  if arg[1] == "--quick" then
    rounds = 20
  elseif arg[1] == "--rounds" then
    rounds = check(math.tointeger(tonumber(arg[2])), "--rounds wants a number")
  elseif arg[1] then
    error("usage: bench.lua [--quick | --rounds N]", 0)
  end

  local rootfs = os.getenv("ROOTFS")
  if rootfs then
    rootfs = output("realpath -e " .. quote(rootfs))
    check(rootfs ~= "", "no such ROOTFS")
  else
    rootfs = work .. "/rootfs"
    check(os.execute("mkdir " .. quote(rootfs)))
    make_rootfs(rootfs)
  end
  check(os.execute("mkdir " .. quote(work .. "/bundle")))
  write(work .. "/bundle/config.json", CONFIG:format(rootfs, name))

  -- What fails is said and makes the whole fail; what is not installed is only said.
  local plain, unified, all, failed = {}, {}, {}, false
  for _, command in ipairs(candidates(rootfs, work, name)) do
    command.times = {}
    if not installed(command[1]) then
      print(("not installed: %s"):format(command.title))
      goto continue
    end
    local group = plain
    local done, why = try(command, {})
    if not done and command.unified and try(command, UNIFIED) then
      done, group = true, unified
    end
    if done then
      all[#all + 1] = command
      group[#group + 1] = command
    else
      print(("failed: %s: %s"):format(command.title, why))
      failed = true
    end
    ::continue::
  end

  local left = rounds
  while left > 0 do
    local n = math.min(left, CHUNK)
    measure(plain, {}, n, work)
    measure(unified, UNIFIED, n, work)
    left = left - n
  end
  report(all, rounds)
  print()
  io.stdout:flush()
  local held = os.execute(shell { os.getenv("LUA") or "lua5.4", here .. "/library.lua", rootfs,
    rounds < 50 and "--quick" or nil })
  return held and not failed
end

local name = ("lua-container-bench-%x"):format(os.time())
local work, janitor = temporary(name)
local done, result = pcall(main, work, name)
janitor:close()
if not done then
  io.stderr:write("bench: ", tostring(result), "\n")
end
os.exit(done and result, true)
