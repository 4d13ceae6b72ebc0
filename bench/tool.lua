-- What the measurements share: words for the shell, files, other programs, and the processes that
-- are asked to measure.

local tool = {}

--- Raises the message, without a place, if the condition does not hold.
function tool.check(condition, message)
  if not condition then
    error(message, 0)
  end
  return condition
end

function tool.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- An array of words as one command of the shell.
function tool.shell(argv)
  local words = {}
  for i, word in ipairs(argv) do
    words[i] = tool.quote(word)
  end
  return table.concat(words, " ")
end

--- The words of both, in a new array.
function tool.join(first, second)
  return table.move(second, 1, #second, #first + 1, { table.unpack(first) })
end

--- What a command of the shell writes, without the end of its last line.
function tool.output(command)
  local pipe <close> = tool.check(io.popen(command))
  return (pipe:read("a"):gsub("%s+$", ""))
end

function tool.installed(program)
  return (os.execute("command -v " .. tool.quote(program) .. " >/dev/null 2>&1"))
end

function tool.read(path)
  local file <close> = io.open(path)
  return file and file:read("a")
end

function tool.write(path, text)
  local file <close> = tool.check(io.open(path, "w"))
  tool.check(file:write(text))
end

-- A process that measures: a line to it is a question, a line from it the answer, a number, or why
-- there is none.
local Worker = { __name = "worker" }
Worker.__index = Worker

--- Starts one. It must be asked nothing before all of them are started, for what a later one is
-- started from would keep the ways to the earlier ones open.
-- @tparam table argv of the process
-- @string fifo where to make the way to it
function tool.worker(argv, fifo)
  tool.check(os.execute("mkfifo " .. tool.quote(fifo)), "mkfifo failed")
  local command = ("exec %s <%s"):format(tool.shell(argv), tool.quote(fifo))
  return setmetatable({ fifo = fifo, answers = tool.check(io.popen(command)) }, Worker)
end

--- @treturn number the answer; or nil and why not
function Worker:ask(question)
  if not self.questions then
    self.questions = tool.check(io.open(self.fifo, "w"))
    self.questions:setvbuf("line")
  end
  local answer = self.questions:write(question, "\n") and self.answers:read("l")
  local number = tonumber(answer)
  if number then
    return number
  end
  return nil, answer or "it ended"
end

--- Ends it and waits until it has ended.
function Worker:close()
  -- One that was never asked still waits for the way to it to be opened.
  local questions = self.questions or io.open(self.fifo, "w")
  questions:close()
  self.answers:close()
end

return tool
