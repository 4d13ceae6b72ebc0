-- Options that change which capabilities the container's root has.

local sys = require "container.sys"
local capabilities = require "container.linux.capabilities"
local check = require "container.check"

local expect, text, array = check.expect, check.text, check.array

local rights = {}

--- An array of capabilities as a set; ALL is every one there is a name for.
local function read_capabilities(ctx, field, value)
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
      ctx.asked_capabilities[name] = true
    end
  end
  return set
end

--- Leaves the container's root these capabilities.
-- @tparam table set names as keys
function rights.set(ctx, set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  ctx.config.process.capabilities = {
    bounding = list, effective = list, permitted = list, inheritable = {}, ambient = {},
  }
end

--- The default set with what is added and dropped; dropped first when it is ALL, as docker has it.
function rights.change(ctx, add, drop)
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
  rights.set(ctx, set)
end

function rights.capabilities(ctx, value)
  ctx.capabilities_given = true
  rights.set(ctx, read_capabilities(ctx, "capabilities", value))
end

function rights.cap_add(ctx, value)
  ctx.cap_add = read_capabilities(ctx, "cap_add", value)
end

function rights.cap_drop(ctx, value)
  local asked = ctx.asked_capabilities
  ctx.asked_capabilities = {} -- what is dropped need not be there
  ctx.cap_drop = read_capabilities(ctx, "cap_drop", value)
  ctx.asked_capabilities = asked
end

return rights
