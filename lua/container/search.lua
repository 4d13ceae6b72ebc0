-- Where this library was loaded from, as it was then: what is loaded on use is looked for there and
-- nowhere else, so that a later change of package.path or of the current directory decides nothing.

local sys = require "container.sys"

--- The templates of a path with the current directory in the place of what begins there.
local function absolute(path)
  local here = sys.readlink("/proc/self/cwd")
  local list = {}
  for template in path:gmatch("[^;]+") do
    if template:sub(1, 1) == "/" then
      list[#list + 1] = template
    elseif here then
      list[#list + 1] = here .. "/" .. template:gsub("^%./", "")
    end
  end
  return table.concat(list, ";")
end

return {
  path = absolute((sys.lua_path or "") .. package.path),
  cpath = absolute(package.cpath),
}
