-- The table of all sections as text.

local report = {}

local function number(value, unit)
  return (unit == "ms" or value < 100 and unit == "KiB") and ("%.2f"):format(value)
    or ("%.0f"):format(value)
end

report.number = number

local function section_lines(section, lines)
  local spread = false
  for _, row in ipairs(section) do
    spread = spread or row.summary.count > 1
  end
  local heading = ("%-42s %11s %9s %9s"):format(section.title, spread and "median " .. section.unit
    or section.unit, spread and "p10" or "", spread and "p90" or "")
  for _, against in ipairs(section.against) do
    heading = heading .. (" %12s"):format(against[1])
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = (heading:gsub("%s+$", ""))
  for _, row in ipairs(section) do
    local s = row.summary
    local several = s.count > 1
    local line = ("%-42s %11s %9s %9s"):format(row.title, number(s.median, section.unit),
      several and number(s.p10, section.unit) or "", several and number(s.p90, section.unit) or "")
    for _, against in ipairs(section.against) do
      local base = against[2].summary
      line = line .. (base and (" %12.2f"):format(s.median / base.median) or (" %12s"):format("-"))
    end
    lines[#lines + 1] = (line:gsub("%s+$", ""))
  end
  lines[#lines + 1] = section.note
end

--- @string machine what it was measured on, in a line
-- @tparam table sections arrays of rows, each { title, summary }, with title, unit, against, note
-- @tparam table left_out array of { { title = t }, why }
function report.text(machine, sections, left_out)
  local lines = { machine }
  for _, section in ipairs(sections) do
    if #section > 0 or section.note then
      section_lines(section, lines)
    end
    if section == sections[1] then
      for _, entry in ipairs(left_out) do
        lines[#lines + 1] = ("left out: %s: %s"):format(entry[1].title, entry[2])
      end
    end
  end
  return table.concat(lines, "\n")
end

return report
