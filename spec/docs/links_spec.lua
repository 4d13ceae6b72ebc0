-- What the documents point to is there: relative links, and files of the tree that they name.

local sys = require "container.sys"

local PAGES <const> = { "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md",
  "CHANGELOG.md", "examples/README.md", "bench/README.md" }

local pages = table.move(PAGES, 1, #PAGES, 1, {})
for _, name in ipairs(assert(sys.list("docs"))) do
  pages[#pages + 1] = name:find("%.md$") and "docs/" .. name or nil
end

-- Files that a document says must not exist.
local ABSENT <const> = { ["lua/container.lua"] = true, ["lua/container/init.lua"] = true }

--- Whether a path is there; one that ends in / is a directory.
local function exists(path)
  return sys.stat((path:gsub("/$", ""))) ~= nil
end

describe("the document", function()
  for _, page in ipairs(pages) do
    local text = assert(sys.read_file(page))
    local here = page:match("^(.*/)") or ""

    it(page .. " links to files that exist", function()
      for target in text:gmatch("%]%(([^)#]+)[^)]*%)") do
        assert.is_truthy(target:find("^%a+:") or exists(here .. target), target)
      end
    end)

    it(page .. " names files of the tree that exist", function()
      for path in text:gmatch("`([%w_/]+/[%w_]+%.%w+)`") do
        local in_modules = exists("lua/container/" .. path)
        assert.is_truthy(in_modules or exists(path) or exists(here .. path)
          or path:find("^build/") or path:find("FILE") or ABSENT[path], path)
      end
    end)
  end

  it("CHANGELOG.md has each version once, and Unreleased first", function()
    local seen, first = {}, nil
    for heading in assert(sys.read_file("CHANGELOG.md")):gmatch("\n## ([^\n]+)") do
      first = first or heading
      assert.is_nil(seen[heading], heading)
      seen[heading] = true
    end
    assert.equal("Unreleased", first)
  end)

  it("README.md has at most 200 lines", function()
    local _, lines = assert(sys.read_file("README.md")):gsub("\n", "")
    assert.is_true(lines <= 200)
  end)
end)
