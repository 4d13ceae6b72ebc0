-- The declaration of the options: what everything that is made from it relies on.

local options = require "container.config.options"

local RUNS <const> = { run = true, call = true, exec = true, update = true }

describe("the declaration of the options", function()
  it("names each option once, and no old name is an option", function()
    local seen = {}
    for _, entry in ipairs(options.list) do
      assert.is_nil(seen[entry.name])
      seen[entry.name] = true
      assert.equal(entry, options.entries[entry.name])
    end
    for old, new in pairs(options.renamed) do
      assert.is_nil(options.entries[old])
      assert.is_table(options.entries[new])
    end
  end)

  for _, entry in ipairs(options.list) do
    it("says of " .. entry.name .. " its type, one sentence, and which runs take it", function()
      assert.is_string(entry.type)
      assert.matches("^%u.*%.$", entry.help)
      assert.is_function(entry.read)
      assert.is_truthy(next(entry.runs))
      for run in pairs(entry.runs) do
        assert.is_true(RUNS[run], run)
      end
      for _, spelling in ipairs(entry.cli or {}) do
        assert.matches("^%-%-%l[%l-]+$", spelling[1])
        assert.is_true(spelling.value ~= nil or spelling.set ~= nil, spelling[1])
        assert.matches("^%u.*%.$", spelling.help or entry.help)
      end
    end)
  end

  it("uses a letter of the command line once", function()
    local seen = {}
    for _, entry in ipairs(options.list) do
      for _, spelling in ipairs(entry.cli or {}) do
        assert.is_nil(spelling.short and seen[spelling.short])
        seen[spelling.short or ""] = true
      end
    end
  end)
end)
