-- Where this library was loaded from, as it was then: what is loaded on use is looked for there and
-- nowhere else, so that a later change of package.path or of the current directory decides nothing.

local sys = require "container.sys"

local search = {}

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

search.path = absolute((sys.lua_path or "") .. package.path)
search.cpath = absolute(package.cpath)

--- What is loaded on use, because it is large and few starts need it. All else is loaded at the
-- start of the program.
search.ON_USE = { "container.linux.seccomp.compile", "container.linux.features",
  "container.runtime.network", "container.runtime.ports", "container.linux.cni",
  "container.oci.main" }

--- Requires a module of ON_USE. Not for the child: its files are the container's.
-- @string name
-- @return the module; or nil and a message
function search.load(name)
  local path = package.path
  package.path = search.path
  local done, module = pcall(require, name)
  package.path = path
  if done then
    return module
  end
  return nil, ("loading %s: %s"):format(name, tostring(module):match("^[^\n]*"))
end

return search
