-- The error object: which step, about what, the kernel's number, and one sentence. All that the
-- public API refuses is `nil, err` with such an object.

local errors = {}

local function words(value)
  return getmetatable(value) == errors.metatable and tostring(value) or value
end

errors.metatable = {
  __name = "container.error",
  __tostring = function(self)
    return ("%s: %s"):format(self.step, self.message)
  end,
  __concat = function(a, b)
    return words(a) .. words(b)
  end,
}

--- Makes an error. What it is about is the middle of "call subject: reason", or the entry of a list
-- that the message begins with, unless it is given.
-- @string step
-- @string message
-- @int[opt] errno
-- @string[opt] subject
function errors.new(step, message, errno, subject)
  subject = subject or message:match("^%a+%[%d+%]") or message:match("^[%w_]+ (.*): [^:]*$") or ""
  return setmetatable({ step = step, subject = subject, errno = errno, message = message },
    errors.metatable)
end

--- A text of unknown origin as a part of a sentence: one line, which does nothing to a terminal;
-- of a long one the beginning and the end.
-- @string text
-- @int[opt=200] size how many bytes of the beginning, and of the end
function errors.plain(text, size)
  size = size or 200
  if #text > 3 * size then
    -- Not in the middle of a character.
    text = text:sub(1, size):gsub("[\xc0-\xff][\x80-\xbf]*$", "") .. "..."
      .. text:sub(-size):gsub("^[\x80-\xbf]+", "")
  end
  return (text:gsub("%c", function(byte)
    return ("\\x%02x"):format(byte:byte())
  end))
end

--- What a step says as it is told: what a hook says is its own, with a traceback.
function errors.told(step, message)
  return step == "hooks" and message or errors.plain(message)
end

--- Makes an error of what may have a value of the caller's in its message.
function errors.refusal(step, message, ...)
  return errors.new(step, errors.told(step, message), ...)
end

-- What a step raises to say that it was refused: seen by `caught` alone.
local refusal = {}

--- Goes on with what a call answered, or raises its refusal: try(sys.mkdir(path)).
-- @param value what is true if the call succeeded
-- @param ... message, errno, subject if it did not
-- @return value and the others, if it did
function errors.try(value, ...)
  if value then
    return value, ...
  end
  error(setmetatable(table.pack(...), refusal), 0)
end

local function answer(done, value, ...)
  if done then
    return value, ...
  elseif getmetatable(value) == refusal then
    return nil, table.unpack(value, 1, value.n)
  end
  error(value, 0)
end

--- Calls a function, and turns a refusal that is raised in it into values.
-- @func fn
-- @param ... its arguments
-- @return what it returns; or nil, message, errno, subject
function errors.caught(fn, ...)
  return answer(pcall(fn, ...))
end

--- What was raised, as text.
function errors.text(value)
  return getmetatable(value) == refusal and tostring(value[1]) or tostring(value)
end

return errors
