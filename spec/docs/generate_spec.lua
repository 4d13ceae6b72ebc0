-- What docs/generate.lua makes: it is what lies in the tree, and its readers take it.

local support = require "spec.support"

local FILES <const> = "types/container.lua docs/reference-options.md docs/reference-objects.md \z
  completion/lua-container.bash completion/_lua-container completion/lua-container.fish \z
  man/lua-container.1"

--- What bash offers for the last of these words, by its own separators.
local function offers(line)
  local text = ([[
    . completion/lua-container.bash
    compopt() { :; }
    COMP_LINE=%s
    COMP_WORDS=(%s)
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _lua_container
    printf '%%s\n' "${COMPREPLY[@]}"]]):format(support.quote(line.text), line.words)
  local result = support.run("bash -c " .. support.quote(text))
  assert.equal("", result.stderr)
  return result.stdout
end

describe("the generated files", function()
  it("are in the tree as docs/generate.lua makes them", function()
    local result = support.run([[
      directory=$(mktemp -d) && trap 'rm -r "$directory"' EXIT
      ]] .. support.lua .. [[ docs/generate.lua "$directory" &&
      for file in ]] .. FILES .. [[; do diff -u "$file" "$directory/$file" || exit 1; done]])
    assert.same({ status = 0, stdout = "", stderr = "" }, result)
  end)

  it("are Lua, where they are editor types", function()
    assert.is_function(loadfile("types/container.lua"))
  end)

  it("complete options, their values and the command in bash", function()
    for expected, line in pairs {
      ["--network\n"] = { text = "lua-container --netw", words = "lua-container --netw" },
      ["auto\n"] = { text = "lua-container --userns=a", words = "lua-container --userns = a" },
      ["subid\n"] = { text = "lua-container --userns s", words = "lua-container --userns s" },
      ["SYS_PTRACE\n"] = { text = "lua-container -q --cap-add SYS_PT",
        words = "lua-container -q --cap-add SYS_PT" },
      ["json\n"] = { text = "lua-container --stats=", words = "lua-container --stats =" },
      ["false\n"] = { text = "lua-container --security-opt no-new-privileges=",
        words = "lua-container --security-opt no-new-privileges =" },
      ["printf\n"] = { text = "lua-container -m 4M -e A=b -- print",
        words = "lua-container -m 4M -e A = b -- print" },
    } do
      local found = offers(line)
      assert.is_truthy(("\n" .. found):find("\n" .. expected, 1, true), line.text .. ": " .. found)
    end
  end)

  it("complete no option after the command", function()
    assert.equal("\n", offers { text = "lua-container true --netw",
      words = "lua-container true --netw" })
  end)
end)
