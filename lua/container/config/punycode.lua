-- Host names with letters beyond ASCII, as they go over the network. RFC 3492

local punycode = {}

local BASE <const>, TMIN <const>, TMAX <const>, SKEW <const>, DAMP <const> = 36, 1, 26, 38, 700
local FIRST_BIAS <const>, FIRST <const> = 72, 0x80

local function adapt(delta, points, first)
  delta = first and delta // DAMP or delta // 2
  delta = delta + delta // points
  local k = 0
  while delta > (BASE - TMIN) * TMAX // 2 do
    delta, k = delta // (BASE - TMIN), k + BASE
  end
  return k + (BASE - TMIN + 1) * delta // (delta + SKEW)
end

local function digit(value)
  return string.char(value < 26 and 0x61 + value or 0x30 + value - 26)
end

--- Appends a number of variable length.
local function number(out, q, bias)
  local k = BASE
  while true do
    local t = k <= bias and TMIN or k >= bias + TMAX and TMAX or k - bias
    if q < t then
      break
    end
    out[#out + 1] = digit(t + (q - t) % (BASE - t))
    q, k = (q - t) // (BASE - t), k + BASE
  end
  out[#out + 1] = digit(q)
end

local function next_point(points, n)
  local least
  for _, point in ipairs(points) do
    least = point >= n and math.min(least or point, point) or least
  end
  return least
end

local function encode(label)
  local points, out = {}, {}
  for _, point in utf8.codes(label) do
    points[#points + 1] = point
    out[#out + 1] = point < FIRST and string.char(point) or nil
  end
  local basic = #out
  local n, delta, bias, handled = FIRST, 0, FIRST_BIAS, basic
  if basic > 0 then
    out[#out + 1] = "-"
  end
  while handled < #points do
    local m = next_point(points, n)
    delta, n = delta + (m - n) * (handled + 1), m
    for _, point in ipairs(points) do
      if point < n then
        delta = delta + 1
      elseif point == n then
        number(out, delta, bias)
        bias = adapt(delta, handled + 1, handled == basic)
        delta, handled = 0, handled + 1
      end
    end
    delta, n = delta + 1, n + 1
  end
  return "xn--" .. table.concat(out)
end

--- @string name in UTF-8; letters beyond ASCII have to be lower case
-- @treturn string|nil nil where it is no UTF-8
function punycode.host(name)
  if not name:find("[\x80-\xff]") then
    return name
  elseif not utf8.len(name) then
    return nil
  end
  return (name:gsub("[^.]+", function(label)
    return label:find("[\x80-\xff]") and encode(label) or label
  end))
end

return punycode
