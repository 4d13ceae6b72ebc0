-- Functions of the caller's, called so that an error in one is a value.

local callback = {}

--- Calls a function, which may neither raise nor yield.
-- @func fn
-- @param ... its arguments
-- @treturn boolean whether it returned
-- @return its first value; or the error's text with a traceback
-- @return its second value
function callback.call(fn, ...)
  local thread = coroutine.create(fn)
  local ok, value, second = coroutine.resume(thread, ...)
  if ok and coroutine.status(thread) ~= "dead" then
    ok, value = false, "the function yields, which it may not"
  elseif not ok then
    local named, text = pcall(tostring, value) -- which is the caller's too
    value = debug.traceback(thread, named and text or "an error that does not print")
  end
  coroutine.close(thread)
  return ok, value, second
end

return callback
