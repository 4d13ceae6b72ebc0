local sys = require "container.sys"
local ids = require "spec.fixtures.ids"
local subid = require "container.linux.subid"
local support = require "spec.support"
local cleanup = require "container.engine.cleanup"

-- Runs `fn` on a machine of its own, and returns what that returns.
local function on(uids, gids, fn)
  return support.child(function()
    ids.machine(uids, gids)
    return fn()
  end, { "mount" })
end

-- A process that takes a range and is held until it is killed.
local function holder()
  local reader, writer = assert(sys.pipe())
  local pid = assert(sys.clone({}, function()
    sys.pdeathsig("KILL")
    sys.write(writer, tostring(subid.take(cleanup.new(), "uid")))
    sys.ppoll({})
  end))
  writer:close()
  local first = math.tointeger(sys.read(reader))
  reader:close()
  return first, function()
    assert(sys.kill(pid, "KILL"))
    sys.wait(pid)
  end
end

describe("range.take #root", function()
  it("has ranges from 0x80000000 on, each once, where nothing was given away", function()
    assert.same({ 0x80000000, 0x80010000, 0x80000000, 0x80020000 }, { on(nil, nil, function()
      local stack <close> = cleanup.new()
      return subid.take(stack, "uid"), (subid.take(stack, "uid")), (subid.take(stack, "gid")),
        (subid.take(stack, "uid"))
    end) })
  end)

  it("leaves out what was given to somebody there", function()
    assert.same({ 0x80020000, 0x80000000 }, { on("x:2147549183:2\n", nil, function()
      local stack <close> = cleanup.new()
      return subid.take(stack, "uid"), (subid.take(stack, "gid"))
    end) })
  end)

  it("cuts ranges out of the entries of containers, or else of root", function()
    local uids = "root:100000:65536\ncontainers:200000:140000\ncontainers:400000:65536\n"
    assert.same({ 200000, 265536, 400000, 500000 },
      { on(uids, "x:9:65536\nroot:500000:65536\n", function()
        local stack <close> = cleanup.new()
        return subid.take(stack, "uid"), subid.take(stack, "uid"), subid.take(stack, "uid"),
          (subid.take(stack, "gid"))
      end) })
  end)

  it("is refused when every range is in use, and leaves those that are", function()
    local message, errno, locks = on("root:100000:65536\n", nil, function()
      local stack <close> = cleanup.new()
      assert(subid.take(stack, "uid"))
      local _, message, errno = subid.take(stack, "uid")
      return message, errno, table.concat(ids.locks(), " ")
    end)
    assert.same({ "/etc/subuid: every range of 65536 ids for containers is in use",
      sys.errno.EUSERS, "uid:100000" }, { message, errno, locks })
  end)

  it("passes over what is no entry, or too small", function()
    local uids = "\n#\nroot\nroot:x:65536\nroot:1:-5\nroot:100:65535\nroot:4294967290:65536\n"
      .. "root:99999999999999999999:65536\nroot:300000:65536"
    assert.equal(300000, on(uids, nil, function()
      return (subid.take(cleanup.new(), "uid"))
    end))
  end)

  it("gives the range back when its stack runs", function()
    assert.same({ 0x80000000, "uid:2147483648", "", 0x80000000 }, { on(nil, nil, function()
      local stack <close> = cleanup.new()
      local first = subid.take(stack, "uid")
      local locks = table.concat(ids.locks(), " ")
      stack:run()
      return first, locks, table.concat(ids.locks(), " "), (subid.take(stack, "uid"))
    end) })
  end)

  it("has no range that overlaps one in use, also where the entries have changed", function()
    assert.same({ 100000, 185536 }, { on("root:100000:65536\n", nil, function()
      local stack <close> = cleanup.new()
      local first = subid.take(stack, "uid")
      ids.write("subuid", "root:120000:140000\n")
      return first, (subid.take(stack, "uid"))
    end) })
  end)

  it("frees the range of a process that was killed, for the run after the next", function()
    assert.same({ 0x80000000, 0x80010000, 0x80000000 }, { on(nil, nil, function()
      local first, kill = holder()
      kill()
      local stack <close> = cleanup.new()
      local second = subid.take(stack, "uid")
      stack:run()
      return first, second, (subid.take(stack, "uid"))
    end) })
  end)

  it("uses the range of a process that was killed at once where there is no other", function()
    assert.same({ 100000, 100000 }, { on("root:100000:65536\n", nil, function()
      local first, kill = holder()
      kill()
      local stack <close> = cleanup.new()
      return first, (subid.take(stack, "uid"))
    end) })
  end)

  it("gives each of twenty processes a range of its own", function()
    local ranges = on(nil, nil, function()
      local kills, seen, count = {}, {}, 0
      for i = 1, 20 do
        local first, kill = holder()
        kills[i] = kill
        count = count + (seen[first] and 0 or 1)
        seen[first] = true
      end
      for _, kill in ipairs(kills) do
        kill()
      end
      return count
    end)
    assert.equal(20, ranges)
  end)

  it("is refused a directory of locks that others can write, and one behind a link", function()
    for _, make in ipairs { "mkdir -m 777 /run/lua-container",
      "mkdir /run/x; ln -s x /run/lua-container",
      "mkdir /run/lua-container; chown 5 /run/lua-container" } do
      local first, message = on(nil, nil, function()
        assert(os.execute(make))
        return subid.take(cleanup.new(), "uid")
      end)
      assert.is_nil(first)
      assert.matches("^open /run/lua%-container: ", message)
    end
  end)
end)

describe("range.given #root", function()
  it("has what a user was given, by name and by id, and where that is written", function()
    assert.same({ 2, "100-109", "7-7", "/etc/subgid" }, { on(nil,
      "other:1:5\nsomeone:100:10\n54321:7:1\nsomeone:x:1\n", function()
        local list, path = subid.given("gid", { "someone", "54321" })
        return #list, list[1].first .. "-" .. list[1].last, list[2].first .. "-" .. list[2].last,
          path
      end) })
  end)

  it("has nothing where there is no file", function()
    assert.equal(0, on(nil, nil, function() return #subid.given("uid", { "someone" }) end))
  end)
end)
