-- Published ports: what arrives on the host's loopback interface is passed on into the container.

local container = require "container"
local support = require "spec.support"

local RUN <const> = support.lua .. " run.lua --pids-limit max "

--- Runs commands beside a container whose port 7 is published: `$port` is the host's.
-- @string options
-- @string server a command of the shell
-- @string commands in which `ask` tries a command until it succeeds
local function beside(options, server, commands)
  return ([[
    said=$(mktemp)
    exec 9>&1
    %s -p 0:7 %s sh -c %s >&9 9>&- 2>"$said" & launcher=$!
    ask() { for i in $(seq 200); do "$@" && return; sleep 0.02; done; false; }
    published() { port=$(sed -n 's/^Published 127\.0\.0\.1:\([0-9]*\) as 7$/\1/p' "$said")
      [ "$port" ]; }
    ask published
    %s
    wait $launcher
    rm "$said"]]):format(RUN, options, support.quote(server), commands)
end

local ECHO <const> = "busybox nc -l -p 7 -e cat"

describe("a published port", function()
  setup(function()
    container.run { "true", pids = "max" } -- from here on the library keeps its image of init
  end)

  for _, case in ipairs {
    { "of a container of root's #root", "run", "" },
    { "of one with ids of its own #root #userns", "run", "--userns auto" },
    { "of one without an init #root", "run", "--no-init" },
    { "of an ordinary user's #userns", "as_user", "" },
  } do
    it("passes bytes on in both directions, " .. case[1], function()
      local result = support[case[2]](beside(case[3], ECHO, "ask sh -c 'echo there and back | \z
        busybox nc 127.0.0.1 '$port' 2>/dev/null | grep back'"))
      assert.equal("there and back\n", result.stdout, result.stderr)
    end)
  end

  it("tells each side when the other one has no more to say #root", function()
    local result = support.run(beside("", "busybox nc -l -p 7 -e sh -c 'wc -c; echo end'",
      "ask sh -c 'head -c 3000000 /dev/zero | busybox nc 127.0.0.1 '$port' 2>/dev/null | grep .'"))
    assert.equal("3000000\nend\n", result.stdout, result.stderr)
  end)

  it("is served while many connect at once #root", function()
    local result = support.run(beside("", "busybox nc -ll -p 7 -e head -c 200000 /dev/zero", [[
      count() { busybox nc 127.0.0.1 $port </dev/null 2>/dev/null | wc -c; }
      ask sh -c 'busybox nc 127.0.0.1 '$port' </dev/null 2>/dev/null | grep -q .'
      for i in $(seq 40); do count >>"$said.counts" & pids="$pids $!"; done
      wait $pids
      sort "$said.counts" | uniq -c; rm "$said.counts"
      kill $launcher]]))
    assert.equal("40 200000", result.stdout:gsub("%s+", " "):match("^ *(.-) *$"), result.stderr)
  end)

  it("resets a connection that no server takes #root", function()
    local client = "port=$port %s -e '%s'; kill $launcher"
    local result = support.run(beside("", "exec sleep 60", client:format(support.lua, [[
        local sys = require "container" and require "container.sys"
        local port = math.tointeger(os.getenv("port"))
        local fd = assert(sys.inet_connect("127.0.0.1", port))
        sys.ppoll({ fd }, 10)
        print(select(3, sys.read(fd)) == sys.errno.ECONNRESET)]])))
    assert.equal("true\n", result.stdout, result.stderr)
  end)

  it("is refused where another process has it", function()
    local c <close> = assert(container.spawn { "sleep", "60", pids = "max", publish = { "0:7" } })
    local port = c:ports()[1].host_port
    local other, err = container.run { "true", pids = "max", publish = { port .. ":7" } }
    assert.is_nil(other)
    assert.equal(("port: 127.0.0.1:%d: Address already in use"):format(port), tostring(err))
    c:close()
    assert(container.run { "true", pids = "max", publish = { port .. ":7" } })
  end)

  it("is told, in the order that was asked for #root", function()
    local c <close> = assert(container.spawn { "sleep", "60",
      publish = { "[::1]::80", { address = "127.0.0.2", port = 81 }, ":82" } })
    local list = c:ports()
    assert.same({ "::1", "127.0.0.2", "127.0.0.1" },
      { list[1].address, list[2].address, list[3].address })
    assert.same({ 80, 81, 82 }, { list[1].port, list[2].port, list[3].port })
    for _, entry in ipairs(list) do
      assert.is_true(entry.host_port > 0)
    end
  end)
end)
