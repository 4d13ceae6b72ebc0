-- A program that is run to its end for what it says. Knows no containers.

local subprocess = require "container.linux.subprocess"
local sys = require "container.sys"

local program = {}

-- How much is kept of what it says.
local KEPT <const> = 1 << 20

--- In a new process that has this memory: becomes the program, in a session of its own.
local function become(asked, parent, fds)
  for number = 0, 2 do
    sys.dup2(fds[number], number)
  end
  sys.close_others {}
  sys.setsid()
  sys.pdeathsig("KILL")
  if sys.getppid() ~= parent then
    sys._exit(128 + 9)
  end
  sys.umask(0x12) -- 022
  sys.sigdefault { "CHLD", "PIPE", "INT", "TERM", "HUP" }
  sys.sigprocmask("setmask", {})
  local _, message = sys.exec(asked.args, asked.env, asked.path)
  return message
end

--- Reads both streams until the process ends, or until its time is up.
-- @treturn table of texts; and whether it was late
local function listen(pid, pidfd, readers, seconds)
  local said, deadline, late = { "", "" }, sys.clock_gettime() + seconds, false
  local fds, which = { pidfd, readers[1], readers[2] }, { 0, 1, 2 }
  local ready
  repeat
    local left = math.max(deadline - sys.clock_gettime(), 0)
    ready = sys.ppoll(fds, not late and left or nil) or {}
    for i = #fds, 2, -1 do
      local piece = ready[i] and sys.read(fds[i], KEPT) or ""
      said[which[i]] = (said[which[i]] .. piece):sub(1, KEPT)
      if ready[i] and piece == "" then
        table.remove(fds, i)
        table.remove(which, i)
      end
    end
    if left == 0 and not late and not ready[1] then
      late = true
      sys.killpg(pid, "KILL")
    end
  until ready[1]
  return said, late
end

--- Runs it.
-- @tparam table asked path, args, env (array), input (text), timeout (seconds)
-- @treturn table { how, value, stdout, stderr }, as container.wait has the first two; or nil,
-- message, errno
function program.run(asked)
  local input <close>, message, errno = sys.memfd("input", asked.input, "noexec")
  if not input then
    return nil, message, errno
  end
  local out <const>, out_end <const>, number = sys.pipe()
  if not out then
    return nil, out_end, number
  end
  local _ <close> = out
  local _ <close> = out_end
  local err <const>, err_end <const>, code = sys.pipe()
  if not err then
    return nil, err_end, code
  end
  local _ <close> = err
  local _ <close> = err_end
  local parent, refusal = sys.getpid(), nil
  local pid, why, wrong = subprocess.start({}, function()
    refusal = become(asked, parent, { [0] = input, out_end, err_end })
    sys._exit(127)
  end)
  out_end:close()
  err_end:close()
  if not pid then
    return nil, why, wrong
  end
  local pidfd <close> = sys.pidfd_open(pid)
  local said, late = { "", "" }, false
  if pidfd then
    said, late = listen(pid, pidfd, { out, err }, asked.timeout)
  end
  local how, value = sys.wait(pidfd or pid)
  for i, reader in ipairs { out, err } do
    -- Not to its end, for what the program has started may have it open.
    if #said[i] < KEPT and sys.ppoll({ reader }, 0)[1] then
      said[i] = said[i] .. (sys.read(reader, KEPT - #said[i]) or "")
    end
  end
  if refusal then
    return nil, refusal
  elseif late then
    return nil, ("did not end within %g seconds"):format(asked.timeout), sys.errno.ETIMEDOUT
  end
  return { how = how, value = value, stdout = said[1], stderr = said[2] }
end

--- Where a program is, in directories.
-- @string name
-- @string directories with a colon between them
-- @treturn string|nil
function program.find(name, directories)
  for directory in directories:gmatch("[^:]+") do
    local st = sys.stat(directory .. "/" .. name)
    if st and st.type == "file" and st.mode & 0x49 ~= 0 then -- 0111
      return directory .. "/" .. name
    end
  end
  return nil
end

return program
