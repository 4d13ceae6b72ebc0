-- Makes what is made from the declaration of the options and from docs/generate/api.lua: the
-- reference, the editor types, the completions and the man page.
-- Called by `make generate` from the top of the tree: lua5.4 docs/generate.lua [DIRECTORY]

package.path, package.cpath = "./lua/?.lua;./docs/?.lua", "./?.so"

local api = require "container.api"
local completion = require "generate.completion"
local manual = require "generate.manual"
local reference = require "generate.reference"
local types = require "generate.types"

local FILES <const> = {
  ["types/container.lua"] = types,
  ["docs/reference-options.md"] = reference.options,
  ["docs/reference-objects.md"] = reference.objects,
  ["completion/lua-container.bash"] = completion.bash,
  ["completion/_lua-container"] = completion.zsh,
  ["completion/lua-container.fish"] = completion.fish,
  ["man/lua-container.1"] = function() return manual(api._VERSION) end,
}

local top = arg[1] or "."
for name, make in pairs(FILES) do
  local path = top .. "/" .. name
  assert(os.execute(("mkdir -p '%s'"):format(path:match("^(.*)/"))))
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(make()))
end
