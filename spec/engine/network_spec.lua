-- Networks that are there: of another container, and by the path of a namespace.

local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

--- Runs commands beside a container that has a name, `$name`, and is ready.
-- @string options of that container
-- @string commands
local function beside(options, commands)
  return ([[
    name=%s
    ready=$(mktemp -u) || exit 1
    mkfifo "$ready"
    %s %s --name $name sh -c 'readlink /proc/self/ns/net; exec sleep 60' >"$ready" &
    launcher=$!
    exec 3<"$ready"
    rm "$ready"
    read -r network <&3
    %s
    kill $launcher
    wait $launcher 2>/dev/null
    true]]):format(support.name(), BOX, options, commands)
end

local SAME <const> = "[ \"$(%s --network container:$name %s readlink /proc/self/ns/net)\" = "
  .. "\"$network\" ] && echo same"

describe("network = container:NAME", function()
  it("is the network of that container #root", function()
    local result = support.run(beside("", SAME:format(BOX, "") .. "\n"
      .. SAME:format(BOX, "--userns auto")))
    assert.equal("same\nsame\n", result.stdout, result.stderr)
  end)

  it("is that of a container with ids of its own, too #root #userns", function()
    local result = support.run(beside("--userns auto", SAME:format(BOX, "")))
    assert.equal("same\n", result.stdout, result.stderr)
  end)

  it("is that of an ordinary user's container, with its user namespace #userns", function()
    local result = support.as_user(beside("", SAME:format(BOX, "") .. "\n"
      .. BOX .. "--network container:$name ls /sys/class/net\n"
      .. BOX .. "--network container:$name sh -c 'id -u; cat /proc/self/setgroups'"))
    assert.equal("same\nlo\n0\ndeny\n", result.stdout, result.stderr)
  end)

  it("takes a further process by exec #userns", function()
    local result = support.as_user(beside("", ([[
      echo 'local container = require "container"
      local c <close> = assert(container.spawn { "sleep", "60", pids = "max",
        network = "container:" .. arg[1] })
      local p = assert(c:exec { "readlink", "/proc/self/ns/net", stdout = "capture" })
      print(p:wait().stdout == arg[2] .. "\\n")' | %s - "$name" "$network"]]):format(support.lua)))
    assert.equal("true\n", result.stdout, result.stderr)
  end)

  it("is refused for a name that no running container has #root", function()
    local result = support.run(BOX .. "--network container:none-of-that-name true")
    assert.equal(125, result.status)
    assert.equal("lua-container: network: no running container of this user has the name "
      .. "none-of-that-name\n", result.stderr)
  end)

  it("is refused for one that has ended, though a launcher was killed #root", function()
    local result = support.run(beside("", "kill -KILL $launcher; cat <&3; "
      .. BOX .. "--network container:$name true; echo $?"))
    assert.equal("125\n", result.stdout)
    assert.is_truthy(result.stderr:find("no running container", 1, true), result.stderr)
  end)
end)

describe("network = ns:PATH", function()
  it("is the network namespace of that path #root", function()
    local result = support.run([[
      unshare --net sleep 60 & pid=$!
      until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
      there=$(readlink /proc/$pid/ns/net)
      here=$(]] .. BOX .. [[--network ns:/proc/$pid/ns/net readlink /proc/self/ns/net)
      ]] .. BOX .. [[--network ns:/proc/$pid/ns/net ls /sys/class/net
      kill $pid
      [ "$here" = "$there" ] && echo same]])
    assert.equal("lo\nsame\n", result.stdout, result.stderr)
  end)

  it("leaves the settings of that network as they are #root", function()
    local result = support.run([[unshare --net sh -c '
      echo 1 0 >/proc/sys/net/ipv4/ping_group_range
      ]] .. BOX .. [[--network ns:/proc/$$/ns/net cat /proc/sys/net/ipv4/ping_group_range']])
    assert.equal("1\t0\n", result.stdout, result.stderr)
  end)

  it("is refused with the path for what is none #root", function()
    for path, words in pairs {
      ["/nowhere"] = "open /nowhere: No such file or directory",
      ["/etc/passwd"] = "network /etc/passwd: Invalid argument; it is no namespace of this type",
      ["/proc/self/ns/uts"] = "network /proc/self/ns/uts: Invalid argument",
    } do
      local result = support.run(BOX .. "--network ns:" .. path .. " true")
      assert.equal(125, result.status)
      assert.is_truthy(result.stderr:find(words, 1, true), result.stderr)
    end
  end)
end)
