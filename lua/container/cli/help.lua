-- The text of --help, made from the declaration of the options.

local declared = require "container.config.options"
local options = require "container.cli.parse"

local help = {}

local COLUMN <const>, WIDTH <const> = 30, 90

local HEAD <const> = [[
Usage: lua-container [OPTIONS] [--] COMMAND [ARG...]
       lua-container network list

Runs COMMAND in a Linux container. Without --rootfs the root is a copy-on-write overlay of
this machine's own files: they can be read and run, and nothing that is written is kept.
]]

local TAIL <const> = [[

These options open the container to the host: --network host, --pid, --ipc, --uts, --device,
--security-opt and --privileged.

The exit status is that of COMMAND, or 128+N after signal N; 125 if there was no container,
126 if COMMAND could not be executed, 127 if it was not found.
]]

--- Breaks a text into lines.
-- @string text
-- @int width
-- @treturn table
function help.wrap(text, width)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line ~= "" and #line + 1 + #word > width then
      lines[#lines + 1], line = line, word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return lines
end

--- A number of bytes as a person reads it.
local function shown(value, unit)
  if unit == "bytes" and math.type(value) == "integer" and value % (1 << 20) == 0 then
    return ("%d MiB"):format(value >> 20)
  end
  return tostring(value)
end

--- The default of an option in words.
-- @treturn string|nil
function help.default(entry)
  if entry.default_text then
    return entry.default_text
  elseif entry.default ~= nil then
    return shown(entry.default, entry.unit)
  end
  return nil
end

--- How a spelling is written: -m, --memory BYTES.
function help.spelling(spelling)
  local value = spelling.value and " " .. spelling.value
    or spelling.values and ("[=%s]"):format(table.concat(spelling.values, "|")) or ""
  return (spelling.short and ("-%s, "):format(spelling.short) or "") .. spelling[1] .. value
end

--- What a spelling does, with the default where it takes a value.
function help.sentence(entry, spelling)
  local text = spelling.help or entry.help
  local default = spelling.value and not spelling.help and help.default(entry)
  return default and ("%s (default: %s)."):format((text:gsub("%.$", "")), default)
    or text
end

local function add(lines, entry, spelling)
  local word = (spelling.short and "  " or "      ") .. help.spelling(spelling)
  for i, text in ipairs(help.wrap(help.sentence(entry, spelling), WIDTH - COLUMN)) do
    if i == 1 and #word < COLUMN - 1 then
      lines[#lines + 1] = word .. (" "):rep(COLUMN - #word) .. text
    else
      lines[#lines + 1] = i == 1 and word or nil
      lines[#lines + 1] = (" "):rep(COLUMN) .. text
    end
  end
end

--- Calls a function with each group of spellings, in order.
-- @func fn of the group's title and an array of { entry, spelling }
function help.groups(fn)
  local title, list
  local function take(group, entry)
    if group ~= title then
      if title then
        fn(title, list)
      end
      title, list = group, {}
    end
    for _, spelling in ipairs(entry.cli or {}) do
      list[#list + 1] = { entry = entry, spelling = spelling }
    end
  end
  for _, entry in ipairs(declared.list) do
    take(entry.group, entry)
  end
  for _, entry in ipairs(options.OWN) do
    take("Others", entry)
  end
  fn(title, list)
end

--- Makes the text.
function help.text()
  local lines = { HEAD }
  help.groups(function(title, list)
    lines[#lines + 1] = (#lines > 1 and "\n" or "") .. title .. ":"
    for _, one in ipairs(list) do
      add(lines, one.entry, one.spelling)
    end
  end)
  return table.concat(lines, "\n") .. "\n" .. TAIL
end

return help
