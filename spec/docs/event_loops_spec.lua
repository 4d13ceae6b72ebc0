-- The programs of docs/event-loops.md, as they stand there.

local sys = require "container.sys"
local support = require "spec.support"

local ENDS <const> = { "busy\ttimeout", "captured\t1000000", "cat\t0", "echoed\t500000",
  "sum\t5\tdone" }

--- The one piece of Lua in the section of a name.
local function program(name)
  local page = assert(sys.read_file("docs/event-loops.md"))
  local _, from = assert(page:find("\n## " .. name .. "\n", 1, true))
  local text = page:match("\n```lua\n(.-\n)```\n", from)
  assert.is_string(text)
  return text
end

for _, name in ipairs { "luv", "cqueues" } do
  describe("the program for " .. name, function()
    it("gets all that its containers give #root", function()
      if not package.searchpath(name, package.cpath)
          and not package.searchpath(name, package.path) then
        return pending("needs lua-" .. name .. " for Lua 5.4")
      end
      local path = support.tmpdir() .. "/program.lua"
      do
        local file <close> = assert(io.open(path, "w"))
        file:write(program(name))
      end
      local result = support.run(support.lua .. " " .. path)
      assert.equal("", result.stderr)
      local lines = {}
      for line in result.stdout:gmatch("[^\n]+") do
        lines[#lines + 1] = line
      end
      table.sort(lines)
      assert.same(ENDS, lines)
      assert.equal(0, result.status)
    end)
  end)
end
