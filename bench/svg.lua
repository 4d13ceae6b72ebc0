-- The table as a picture: a panel for each section, a bar for each row as long as its median, on
-- it a line from p10 to p90. Colours follow the reader's, light or dark.

local report = require "bench.report"

local svg = {}

local WIDTH <const> = 860
local LEFT <const> = 300 -- where the bars begin
local BARS <const> = 400 -- how long the longest is
local ROW <const> = 18
local HEAD <const> = 34
local BOTTOM <const> = 14

-- A bar that is longer than so many times the middle one is cut, so that the others can be told
-- from each other.
local CUT <const> = 4

local STYLE <const> = [[
text { font: 12px system-ui, sans-serif; fill: #24292f }
.head { font-weight: 600; font-size: 13px }
.small { font-size: 11px; fill: #57606a }
.base { fill: #afb8c1 } .ours { fill: #2f81f7 } .others { fill: #d29922 }
.spread { stroke: #24292f; stroke-width: 1.5 } .gap { stroke: #ffffff; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #8d96a0 }
.base { fill: #6e7681 } .ours { fill: #4493f8 } .others { fill: #bb8009 }
.spread { stroke: #e6edf3 } .gap { stroke: #0d1117 }
}
]]

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape(text)
  return (text:gsub('[&<>"]', ENTITIES))
end

--- The largest value that is drawn in full.
local function ceiling(section)
  local medians, largest = {}, 0
  for i, row in ipairs(section) do
    medians[i] = row.summary.median
  end
  table.sort(medians)
  local limit = medians[(#medians + 1) // 2] * CUT
  for _, row in ipairs(section) do
    if row.summary.median <= limit then
      largest = math.max(largest, math.min(row.summary.p90 or row.summary.median, limit))
    end
  end
  return largest
end

local function text(list, class, x, y, anchor, words)
  list[#list + 1] = ('<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>'):format(class, x,
    y, anchor, escape(words))
end

local function draw_row(list, row, unit, y, largest)
  local s = row.summary
  local middle = y + ROW // 2
  local function length(value)
    return largest > 0 and math.min(value / largest, 1) * BARS or 0
  end
  text(list, "label", LEFT - 8, middle + 4, "end", row.title)
  list[#list + 1] = ('<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>'):format(
    row.whose or "others", LEFT, y + 2, length(s.median), ROW - 5)
  if s.median > largest then
    list[#list + 1] = ('<path class="gap" d="M%d %dl6 %d"/>'):format(LEFT + BARS - 24, y + ROW,
      -ROW)
  elseif s.count > 1 then
    list[#list + 1] = ('<path class="spread" d="M%.1f %dH%.1f"/>'):format(LEFT + length(s.p10),
      middle, LEFT + length(s.p90))
  end
  local end_of = length(s.median > largest and s.median or math.max(s.median, s.p90 or 0))
  text(list, "small", LEFT + end_of // 1 + 6, middle + 4, "start",
    report.number(s.median, unit))
end

--- @string caption what it was measured on, in a line
-- @tparam table sections as report.text takes them
-- @treturn string an SVG document
function svg.chart(caption, sections)
  local list, y = {}, 24
  text(list, "small", 12, y, "start", caption .. "; bar: median, line: p10 to p90")
  for _, section in ipairs(sections) do
    if #section > 0 then
      text(list, "head", 12, y + HEAD - 8, "start", ("%s (%s)"):format(section.title, section.unit))
      y = y + HEAD
      local largest = ceiling(section)
      for _, row in ipairs(section) do
        draw_row(list, row, section.unit, y, largest)
        y = y + ROW
      end
    end
  end
  local height = y + BOTTOM
  table.insert(list, 1, ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
    .. 'viewBox="0 0 %d %d">\n<style>\n%s</style>'):format(WIDTH, height, WIDTH, height, STYLE))
  list[#list + 1] = "</svg>\n"
  return table.concat(list, "\n")
end

return svg
