-- Options that change which capabilities the container's root has. Loaded only for who asks.

local sys = require "container.sys"
local capabilities = require "container.linux.capabilities"
local check = require "container.check"

local expect, text, array = check.expect, check.text, check.array

local rights = {}

--- An array of capabilities as a set; ALL is every one there is a name for.
local function read_capabilities(c, field, value)
  local set = {}
  for i = 1, array(field, value) do
    local at = ("%s[%d]"):format(field, i)
    local given = text(at, rawget(value, i))
    if given:upper() == "ALL" then
      for _, name in ipairs(sys.capability_names()) do
        set[name] = true
      end
    else
      local name = sys.capability_name(given)
      expect(name, at, "the name of a capability", given)
      set[name] = true
      c.asked_capabilities[name] = true
    end
  end
  return set
end

--- Leaves the container's root these capabilities.
-- @tparam table set names as keys
function rights.set(c, set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  c.config.process.capabilities = {
    bounding = list, effective = list, permitted = list, inheritable = {}, ambient = {},
  }
end

--- The default set with what is added and dropped; dropped first when it is ALL, as docker has it.
function rights.change(c, add, drop)
  local set = {}
  for _, name in ipairs(capabilities.DEFAULT) do
    set[name] = true
  end
  for name in pairs(drop) do
    set[name] = nil
  end
  for name in pairs(add) do
    set[name] = true
  end
  rights.set(c, set)
end

function rights.capabilities(c, value)
  c.capabilities_given = true
  rights.set(c, read_capabilities(c, "capabilities", value))
end

function rights.cap_add(c, value)
  c.cap_add = read_capabilities(c, "cap_add", value)
end

function rights.cap_drop(c, value)
  local asked = c.asked_capabilities
  c.asked_capabilities = {} -- what is dropped need not be there
  c.cap_drop = read_capabilities(c, "cap_drop", value)
  c.asked_capabilities = asked
end

return rights
