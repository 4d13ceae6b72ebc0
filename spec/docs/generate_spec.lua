-- What docs/generate.lua makes: it is what lies in the tree, and its readers take it.

local container = require "container"
local support = require "spec.support"

local reference = assert(loadfile("docs/generate/api.lua"))()

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

describe("the data of the references", function()
  local classes = {}
  for _, class in ipairs(reference.classes) do
    classes[class.name] = class
  end

  -- The names of a class's methods, one a line.
  local function methods(class)
    local names = {}
    for i, method in ipairs(classes[class].methods) do
      names[i] = method.name
    end
    table.sort(names)
    return table.concat(names, "\n") .. "\n"
  end

  it("has every function that run and its like are", function()
    for _, one in ipairs(reference.functions) do
      assert.is_function(container[one.name])
    end
  end)

  it("has every method of objects and streams, and every field of a result", function()
    local result = support.script([[
      local function names(list)
        local found = {}
        for name in pairs(list) do found[#found + 1] = name end
        table.sort(found)
        return table.concat(found, "\n") .. "\n"
      end
      local c <close> = assert(container.spawn { "true", stdout = "pipe", stderr = "capture" })
      io.write(names(getmetatable(c).__index), "-\n", names(getmetatable(c.stdout).__index), "-\n",
        names(assert(c:wait())))
    ]])
    assert.equal("", result.stderr)
    local object, stream, ended = result.stdout:match("^(.-)%-\n(.-)%-\n(.*)$")
    assert.equal(object, methods("container.Container"))
    assert.equal(stream, methods("container.Stream"))
    local fields = {}
    for _, field in ipairs(classes["container.Result"].fields) do
      fields[field[1]] = true
    end
    for name in ended:gmatch("[^\n]+") do
      assert.is_true(fields[name], name)
    end
  end)
end)
