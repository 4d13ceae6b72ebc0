-- The network by pasta, in a network namespace of each test's own, whose interfaces are the
-- outside, and with a /dev/net/tun of its own that every user may open.

local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max --network pasta "
local USER <const> = "setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps=-all "
  .. "--bounding-set=-all "

local KINDS <const> = { { "root #root", "" }, { "an ordinary user #userns", USER } }

--- Runs commands where there are no other networks, in a copy of the tree that others can read.
local function apart(commands)
  return support.run("exec unshare --net --mount sh -c " .. support.quote([[
    mount --make-rprivate /
    mkdir -p /dev/net
    mount -t tmpfs dev /dev/net
    mknod -m 666 /dev/net/tun c 10 200
    mount -t tmpfs -o mode=1777 tmp /tmp
    cp -r run.lua lua container "$MODULE" /tmp
    cd /tmp
    echo nameserver 203.0.113.53 >resolv.conf
    mount --bind resolv.conf "$(readlink -f /etc/resolv.conf)"
    ip link set lo up
    ip link add out0 type veth peer out1
    ip address add 203.0.113.2/24 dev out0; ip link set out0 up; ip link set out1 up
    ip route add default via 203.0.113.1
    ip address add 198.51.100.9/32 dev lo
    busybox nc -ll -p 7 -e echo there >/dev/null & server=$!
    ask() { for i in $(seq 200); do "$@" && return; sleep 0.02; done; false; }
    ask busybox nc 127.0.0.1 7 </dev/null >/dev/null 2>&1
    ]] .. commands .. "\nkill $server"):gsub("%$MODULE", package.searchpath("container",
      package.cpath)))
end

describe("network = pasta #pasta", function()
  for _, kind in ipairs(KINDS) do
    it("leads outside, and not to the host's own servers, for " .. kind[1], function()
      local result = apart(kind[2] .. BOX .. [[sh -c '
        ip -brief -4 address show out0; cat /etc/resolv.conf
        timeout 2 busybox nc 198.51.100.9 7 </dev/null | head -n 1
        for address in 127.0.0.1 203.0.113.1; do
          timeout 2 busybox nc $address 7 </dev/null || echo closed
        done' 2>/dev/null]])
      assert.equal("out0 UNKNOWN 203.0.113.2/24 nameserver 203.0.113.53 there closed closed ",
        (result.stdout:gsub("%s+", " ")), result.stderr)
    end)

    it("ends with the container, and with a launcher that is killed, for " .. kind[1], function()
      local result = apart([[
        count() { ps -eo pid,state,args | grep -c '[0-9] [^Z] pasta.*--pid /proc/self/fd/3'; }
        before=$(count)
        ]] .. kind[2] .. BOX .. [[true
        echo $(($(count) - before))
        cat >kills <<'END'
        for i in $(seq 10); do
          mkfifo ready
          ]] .. BOX .. [[sh -c 'echo; exec sleep 60' >ready & launcher=$!
          exec 3<ready
          read -r _ <&3
          kill -KILL $launcher
          cat <&3
          rm ready
        done 2>/dev/null
END
        ]] .. kind[2] .. [[sh kills
        gone() { [ $(count) = $before ]; }
        ask gone && echo gone]])
      assert.equal("0\ngone\n", result.stdout, result.stderr)
    end)
  end

  it("has published ports #root", function()
    local result = apart(BOX .. [[-p 8007:8 busybox nc -l -p 8 -e echo inside & launcher=$!
      ask sh -c 'busybox nc 127.0.0.1 8007 </dev/null 2>/dev/null | grep inside'
      wait $launcher]])
    assert.equal("inside\n", result.stdout, result.stderr)
  end)

  it("is refused with what pasta says, or what is missing #root", function()
    local result = apart([[
      chmod 600 /dev/net/tun; ]] .. USER .. BOX .. [[true
      ]] .. BOX:gsub("pasta ", "pasta:--nonsense ") .. [[true
      rm /dev/net/tun; ]] .. BOX .. [[true
      PATH=/nowhere $(command -v ]] .. support.lua .. [[) run.lua -q --network pasta true]])
    local device <const> = "lua-container: pasta: cannot open /dev/net/tun here: "
    assert.equal(device .. "Permission denied; most systems let every user (mode 0666)\n"
      .. "lua-container: pasta: unrecognized option '--nonsense'\n"
      .. device .. "No such file or directory\n"
      .. "lua-container: pasta: not in PATH; Debian's package passt has it\n", result.stderr)
  end)
end)
