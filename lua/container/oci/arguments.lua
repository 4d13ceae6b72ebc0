-- The words behind a command of the OCI runtime: options, which are declared as data, and what
-- stands behind them. Options may stand behind arguments too, as Go's clients write them.

local arguments = {}

--- The option of a spelling.
local function find(list, spelling)
  for _, option in ipairs(list) do
    for _, one in ipairs(option) do
      if one == spelling then
        return option
      end
    end
  end
end

--- One option, with the value that is joined to it, or with the next word.
-- @return the index of the next word; or nil and a message
local function take(list, words, i, found)
  local spelling, value = words[i]:match("^(%-%-?[^=]+)=(.*)$")
  spelling = spelling or words[i]
  local option = find(list, spelling)
  if not option then
    return nil, ("unknown option %s"):format(spelling)
  elseif not option.value then
    if value and value ~= "true" and value ~= "false" then
      return nil, ("option %s takes no value"):format(spelling)
    end
    found[option.field] = value ~= "false"
    return i + 1
  elseif not value then
    i = i + 1
    value = words[i]
    if not value then
      return nil, ("option %s needs a value"):format(spelling)
    end
  end
  if option.many then
    found[option.field] = found[option.field] or {}
    table.insert(found[option.field], value)
  else
    found[option.field] = value
  end
  return i + 1
end

--- Reads words.
-- @tparam table list of options: { spellings..., value = name of it, field, help, many }
-- @tparam table words
-- @int from the first of them
-- @bool[opt] first stops at the first word that is no option
-- @bool[opt] rest what stands behind the first argument are words of a program
-- @treturn table the values by field, and the other words as an array
-- @treturn int the index of the first word that was not read; or nil and a message
function arguments.read(list, words, from, first, rest)
  local found, i = {}, from
  while words[i] do
    local word = words[i]
    if word == "--" then
      table.move(words, i + 1, #words, #found + 1, found)
      return found, #words + 1
    elseif word:sub(1, 1) ~= "-" or word == "-" then
      if first then
        break
      end
      found[#found + 1] = word
      i = i + 1
      if rest and #found == 1 then
        -- The program's own words begin behind the options.
        rest = "program"
      elseif rest == "program" then
        table.move(words, i, #words, #found + 1, found)
        return found, #words + 1
      end
    else
      local message
      i, message = take(list, words, i, found)
      if not i then
        return nil, message
      end
    end
  end
  return found, i
end

--- The lines of `--help` about options.
-- @tparam table list
-- @treturn string
function arguments.help(list)
  local lines = {}
  for _, option in ipairs(list) do
    local left = table.concat(option, ", ") .. (option.value and " " .. option.value or "")
    lines[#lines + 1] = ("  %-28s %s\n"):format(left, option.help)
  end
  return table.concat(lines)
end

return arguments
