-- Networks of CNI, by the plugins that Debian has, in a network namespace and a mount namespace of
-- each test's own: the interfaces and rules of this machine are not touched.

local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "

local NETWORK <const> = [=[{ "cniVersion": "1.0.0", "name": "test", "plugins": [
  { "type": "bridge", "bridge": "test0", "isGateway": true, "ipMasq": true,
    "ipam": { "type": "host-local", "routes": [{ "dst": "0.0.0.0/0" }], "dataDir": "/run/ipam",
      "ranges": [[{ "subnet": "198.51.100.0/24" }]] },
    "dns": { "nameservers": ["198.51.100.1"], "search": ["example.test"] } },
  { "type": "firewall", "backend": "iptables" },
  { "type": "portmap", "capabilities": { "portMappings": true } }
] }]=]

-- What tells of a container of this network, but for the bridge and the empty chains.
local LEFT <const> = [[left() {
  iptables-save | grep -c '198\.51\.100'
  ls /run/ipam/test | grep -c '^198'
  ip -brief link | grep -c veth
  ls /run/lua-container | grep -c net
}
]]

--- Runs commands where there are no other networks.
-- @string commands
-- @string[opt] before how the directories are filled
local function apart(commands, before)
  return support.run("exec unshare --net --mount sh -c " .. support.quote([[
    mount --make-rprivate /
    mount -t tmpfs run /run
    mkdir /run/net.d /run/plugins /run/lua-container
    chmod 700 /run/lua-container
    ip link set lo up
    export NETCONFPATH=/run/net.d
    ]] .. LEFT .. (before
    or ("cat >/run/net.d/10-test.conflist <<'END'\n%s\nEND\n"):format(NETWORK)) .. commands))
end

-- A plugin that writes down how it is called, and refuses what the file /run/refused names.
local PLUGIN <const> = [[
cat >/run/plugins/one <<'END'
#!/bin/sh
input=$(cat)
name=${0##*/}
echo "$name $CNI_COMMAND ${CNI_NETNS:+in a namespace}" >>/run/log
printf '%s' "$input" >"/run/$name.$CNI_COMMAND"
if [ "$(cat /run/refused 2>/dev/null)" = "$name $CNI_COMMAND" ]; then
  echo '{ "cniVersion": "1.0.0", "code": 7, "msg": "no room", "details": "none at all" }'
  exit 1
fi
[ $CNI_COMMAND != ADD ] || echo '{ "cniVersion": "1.0.0", "ips": [], "by": "'$name'" }'
END
chmod +x /run/plugins/one
ln -s one /run/plugins/two
export CNI_PATH=/run/plugins
cat >/run/net.d/10-own.conflist <<'END'
{ "cniVersion": "1.0.0", "name": "own", "plugins": [
  { "type": "one", "empty": [], "nothing": {}, "null": null }, { "type": "two" } ] }
END
]]

describe("network = NAME #cni #root", function()
  it("is attached by the plugins, and detached at the end", function()
    local result = apart(BOX .. [[--hostname web --network test sh -c '
      ip -brief -4 address show eth0; ip route show default
      cat /etc/resolv.conf; getent hosts web; cat /proc/sys/net/ipv4/ip_unprivileged_port_start'
      left]])
    local lines = result.stdout:gsub("%s+\n", "\n"):gsub("eth0@if%d+ +UP +", "eth0 ")
    assert.equal("eth0 198.51.100.2/24\ndefault via 198.51.100.1 dev eth0\n"
      .. "nameserver 198.51.100.1\nsearch example.test\n198.51.100.2    web\n0\n0\n0\n0\n0\n",
      lines, result.stderr)
  end)

  it("has containers that talk to each other, and with the host", function()
    local result = apart([[
      mkfifo /run/ready
      ]] .. BOX .. [[--network test sh -c 'echo; exec >&-; echo one | busybox nc -l -p 7
        echo two | busybox nc -l -p 7' >/run/ready &
      read -r _ </run/ready
      ask() { for i in $(seq 50); do "$@" && break; sleep 0.05; done; }
      ask ]] .. BOX .. [[--userns auto --network test busybox nc 198.51.100.2 7 </dev/null
      ask busybox nc 198.51.100.2 7 </dev/null
      wait
      left]])
    assert.equal("one\ntwo\n0\n0\n0\n0\n", result.stdout, result.stderr)
  end)

  it("has ports that are mapped by its plugins", function()
    local result = apart([[
      ]] .. BOX .. [[--network test -p 8007:7 busybox nc -l -p 7 -e cat &
      ask() { for i in $(seq 200); do "$@" && break; sleep 0.02; done; }
      ask sh -c 'iptables -t nat -S | grep -q "to-destination 198.51.100.2:7"'
      ask sh -c 'echo hello | busybox nc -w 5 127.0.0.1 8007 2>/dev/null | grep hello'
      wait
      left]])
    assert.equal("hello\n0\n0\n0\n0\n", result.stdout, result.stderr)
  end)

  it("is detached by the next one where a launcher was killed", function()
    local result = apart([[
      mkfifo /run/ready
      ]] .. BOX .. [[--network test sh -c 'echo; exec sleep 60' >/run/ready & launcher=$!
      exec 3</run/ready
      read -r _ <&3
      kill -KILL $launcher
      cat <&3
      [ $(iptables-save | grep -c '198\.51\.100') != 0 ] && echo there
      ]] .. BOX .. [[--network test true
      left]])
    assert.equal("there\n0\n0\n0\n0\n", result.stdout, result.stderr)
  end)
end)

describe("the plugins of a network #cni #root", function()
  it("get their own part of the file and the result of the one before", function()
    local result = apart(BOX .. [[--network own true; cat /run/log
      cat /run/one.ADD; echo; cat /run/two.DEL]], PLUGIN)
    assert.equal([[
one ADD in a namespace
two ADD in a namespace
two DEL in a namespace
one DEL in a namespace
{ "type": "one", "empty": [], "nothing": {}, "null": null ,"name":"own","cniVersion":"1.0.0"}
{ "type": "two" ,"name":"own","cniVersion":"1.0.0",]]
      .. [["prevResult":{ "cniVersion": "1.0.0", "ips": [], "by": "two" }}]], result.stdout,
      result.stderr)
  end)

  it("check the network when the caller asks for it", function()
    local result = apart(support.lua .. [[ - <<'END'
      local container = require "container"
      local c <close> = assert(container.spawn { "sleep", "60", network = "own" })
      print(c:check_network())
      assert(io.open("/run/refused", "w")):write("two CHECK"):close()
      print(c:check_network())
END
      grep CHECK /run/log; grep -o 'prevResult.*' /run/one.CHECK]], PLUGIN)
    assert.equal("true\tnil\nnil\tcheck_network: own: two CHECK: no room: none at all\n"
      .. ("one CHECK in a namespace\ntwo CHECK in a namespace\n"):rep(2)
      .. "prevResult\":{ \"cniVersion\": \"1.0.0\", \"ips\": [], \"by\": \"two\" }}\n",
      result.stdout, result.stderr)
  end)

  it("are undone when one refuses", function()
    local result = apart("echo two ADD >/run/refused\n" .. BOX .. [[--network own true; echo $?
      cat /run/log]], PLUGIN)
    assert.equal("125\none ADD in a namespace\ntwo ADD in a namespace\ntwo DEL in a namespace\n"
      .. "one DEL in a namespace\n", result.stdout)
    assert.equal("lua-container: network: own: two ADD: no room: none at all\n", result.stderr)
  end)

  it("are called again for what could not be detached", function()
    local result = apart("echo one DEL >/run/refused\n" .. BOX .. [[--network own true
      rm /run/refused /run/log
      ]] .. BOX .. [[--network own true; head -n 3 /run/log; left]], PLUGIN)
    assert.equal("two DEL in a namespace\none DEL in a namespace\none ADD in a namespace\n"
      .. "0\n0\n0\n0\n", result.stdout, result.stderr)
  end)
end)

describe("the networks of CNI #cni #root", function()
  it("are listed, with what is wrong with them", function()
    local result = apart(support.lua .. " run.lua network list", PLUGIN .. [[
      echo '{ "cniVersion": "0.4.0", "name": "old", "type": "absent" }' >/run/net.d/20-old.conf
      echo '{ "name": }' >/run/net.d/30-bad.conflist
      echo '{}' >/run/net.d/README
      ]])
    assert.equal(0, result.status, result.stderr)
    for _, words in ipairs { "own one,two /run/net.d/10-own.conflist\n",
      "old absent /run/net.d/20-old.conf; the plugin absent of",
      "- /run/net.d/30-bad.conflist: " } do
      assert.is_truthy(result.stdout:gsub(" +", " "):find(words, 1, true), result.stdout)
    end
    assert.is_nil(result.stdout:find("README"))
  end)

  it("are named where another one is asked for", function()
    local result = apart(BOX .. "--network none-such true", PLUGIN)
    assert.equal("lua-container: network: no file of /run/net.d describes a network none-such; "
      .. "there are own\n", result.stderr)
    assert.equal(125, result.status)
  end)

  it("are refused to an ordinary user #userns", function()
    local result = support.as_user(BOX .. "--network own true")
    assert.equal("lua-container: --network: the network own of CNI is made by root alone\n",
      result.stderr)
  end)
end)
