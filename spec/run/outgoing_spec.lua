-- Outgoing connections by host name: `allow`, as programs and the caller see it. The world outside
-- is network namespaces of this machine: spec/fixtures/outside.lua.

local container = require "container"
local dns = require "container.linux.network.dns"
local outside = require "spec.fixtures.outside"
local support = require "spec.support"
local sys = require "container.sys"

--- The options of a container, with those given.
local function options(given, ...)
  local asked = { allow = { "web.example" }, pids = 100, ... }
  for name, value in pairs(given or {}) do
    asked[name] = value
  end
  return asked
end

--- Runs a shell script in a container of the world.
local function run(script, given)
  local asked = options(given, "sh", "-c", script)
  asked.stdout, asked.stderr = "capture", "stdout"
  local result, err = container.run(asked)
  return result and result.stdout or "refused: " .. tostring(err), result and result.status
end

-- Prints what a page says, or that there is none.
local FETCH <const> = "for url in %s; do wget -q -t 1 -T 5 -O - $url 2>/dev/null || echo no; done"

local function fetch(urls, given)
  return (run(FETCH:format(urls), given))
end

-- Inside a container, by system calls ------------------------------------------------------------

local inside = {}

local function await(readers, writers)
  local can_read, can_write = sys.ppoll(readers, 10, writers)
  return can_read and (can_read[1] or can_write[1]) or error("nothing comes")
end

function inside.resolve(name)
  local socket <close> = assert(sys.inet_connect("127.0.0.11", 53, "datagram"))
  local tries = 0
  repeat -- a flood of others leaves no room for one
    tries = tries + 1
    assert(tries < 100 and sys.sendto(socket, dns.query(7, name, dns.A), "127.0.0.11", 53))
  until sys.ppoll({ socket }, 0.1)[1]
  local _, list = dns.read_answer(assert(sys.recvfrom(socket, 512)), 7, name, dns.A)
  return list and list[1] and sys.inet_text(list[1])
end

function inside.connect(name, port)
  local fd = assert(sys.inet_connect(inside.resolve(name) or error("no " .. name), port))
  await({}, { fd })
  assert(sys.socket_error(fd))
  return fd
end

--- Reads to the end: how much came, and the errno that ended it.
function inside.drain(fd)
  local size = 0
  while true do
    await { fd }
    local piece, _, errno = sys.read(fd, 65536)
    if not piece or piece == "" then
      return size, errno
    end
    size = size + #piece
  end
end

--- Sends many bytes, and reads what comes meanwhile.
function inside.send(fd, size)
  local piece, sent, got = ("x"):rep(65536), 0, 0
  while sent < size do
    local can_read, can_write = sys.ppoll({ fd }, 10, { fd })
    if can_write[1] then
      sent = sent + (sys.write(fd, piece) or 0)
    end
    got = got + (can_read[1] and #(sys.read(fd, 65536) or "") or 0)
  end
  return sent, got
end

--- Calls a function in a container of the world.
local function call(given, fn, ...)
  local values = table.pack(container.call(options(given), fn, ...))
  if values[1] == nil then
    error(tostring(values[2]), 0)
  end
  return table.unpack(values, 1, values.n)
end

describe("outgoing connections #root", function()
  it("reach a name that is allowed, at the ports that are, and nothing else", function()
    assert.equal("you asked for /a\nno\nno\nno\n", outside.run(function()
      local began <const> = sys.clock_gettime()
      local said = fetch("http://web.example/a http://other.example/ http://192.0.2.80/ \z
        http://web.example:7/")
      assert.is_true(sys.clock_gettime() - began < 4) -- each fails at once, and not after 5 s
      return said
    end))
  end)

  it("know names in any case, with a final dot, by wildcard, and with letters beyond ASCII",
    function()
      local words = "you asked for /\n"
      assert.equal(words .. words .. "no\n" .. words .. words, outside.run(function()
        return fetch("http://WEB.Example/ http://web.example./")
          .. fetch("http://web.example/ http://www.web.example/", { allow = { "*.web.example" } })
          .. fetch("http://xn--bcher-kva.example/", { allow = { "b\u{fc}cher.example" } })
      end))
    end)

  it("do not reach private addresses by a name, nor this machine", function()
    local said, reasons = outside.run(function()
      local list = {}
      local said = fetch("http://private.example/ http://metadata.example/ \z
        http://loopback.example/ http://mapped.example/ http://here.example/ \z
        http://intranet.example/ http://nothing.example/ http://broken.example/ \z
        http://mixed.example/",
        { allow = { "*.example" }, network_log = function(event)
          list[#list + 1] = event.reason
        end })
      return said, table.concat(list, "\n")
    end)
    assert.equal(("no\n"):rep(8) .. "you asked for /\n", said)
    assert.equal("10.9.8.7 is a private address\n169.254.169.254 is a link-local address\n\z
      127.0.0.1 is a loopback address\n127.0.0.1 is a loopback address\n\z
      192.0.2.1 is an address of this machine\n10.9.8.7 is a private address\n\z
      has no address\nis not answered by the servers of this machine", reasons)
  end)

  it("reach addresses that are allowed by themselves", function()
    local words = "you asked for /\n"
    assert.equal(words .. "no\n" .. words .. "no\nconnect: Connection refused",
      outside.run(function()
        local why
        return fetch("http://192.0.2.80/ http://192.0.2.81/", { allow = { "192.0.2.80" } })
          .. fetch("http://192.0.2.80/", { allow = { "192.0.2.0/24:80" } })
          .. fetch("http://here.example/", { allow = { "here.example", "192.0.2.1:80" },
            network_log = function(event)
              why = event.reason or why
            end }) .. why
      end))
  end)

  it("go by IPv6 where a name or an entry has such an address", function()
    local words = "you asked for /\n"
    assert.equal(words .. words .. "no\n", outside.run(function()
      return fetch("http://six.example/", { allow = { "six.example" } })
        .. fetch("http://[2001:db8::80]/ http://[2001:db8::81]/",
          { allow = { "[2001:db8::80]:80" } })
    end))
  end)

  it("try all addresses of a name, and know the host's own names and domain", function()
    assert.equal(("you asked for /\n"):rep(3), outside.run(function()
      return fetch("http://second.example/ http://file.example/ http://web/", { allow = { "*" } })
    end))
  end)

  it("are asked for by on.connect, which may choose another place", function()
    local said, asked = outside.run(function()
      local list = {}
      local said = fetch("http://web.example/ http://no.example/ http://else.example/", {
        allow = { "*:80" }, on = { connect = function(c, request)
          list[#list + 1] = ("%s %s %s %d %s"):format(type(c), request.name, request.address,
            request.port, request.protocol)
          if request.name == "else.example" then
            return outside.SERVER, 80
          end
          return request.name == "web.example"
        end } })
      return said, table.concat(list, "\n")
    end)
    assert.equal("you asked for /\nno\nyou asked for /\n", said)
    assert.equal("userdata web.example 192.0.2.80 80 tcp\nuserdata no.example nil 80 tcp\n\z
      userdata else.example nil 80 tcp", asked:gsub("table", "userdata"))
  end)

  it("end the container when on.connect raises or answers something else", function()
    local first, second = outside.run(function()
      return (fetch("http://web.example/", { on = { connect = function() error("oh") end } })),
        (fetch("http://web.example/", { on = { connect = function() return "web", 80 end } }))
    end)
    assert.matches("refused: on.connect: .*oh", first)
    assert.equal("refused: on.connect: expected true, false, or an address and a port", second)
  end)

  it("are told to a log, and counted", function()
    local path = support.tmpdir() .. "/log"
    local log, counts = outside.run(function()
      local c <close> = assert(container.spawn(options({ network_log = path, name = "logged" },
        "sh", "-c", FETCH:format("http://web.example/ http://web.example/ http://no.example/ \z
          http://no.example/") .. " >/dev/null")))
      assert(c:wait())
      local text = assert(sys.read_file(path)):gsub("\"time\": \"[%d:TZ-]+\"", "TIME")
      local n = c:wait().stats
      assert.is_nil(n)
      return text, true
    end)
    assert.is_true(counts)
    assert.equal([[
{"allowed": true,"container": "logged","event": "name","name": "web.example",TIME}
{"address": "192.0.2.80","allowed": true,"container": "logged","event": "connect",]]
      .. [["name": "web.example","port": 80,"protocol": "tcp",TIME}
]], log:match("^[^\n]*\n[^\n]*\n"))
    assert.equal(1, select(2, log:gsub("\"name\": \"no.example\"", "")))
    assert.equal(2, select(2, log:gsub("\"event\": \"end\"", "")))
  end)

  it("are counted by the stats", function()
    assert.same({ 0, 2, 0, 2, 2 }, { outside.run(function()
      local result = assert(container.run(options({ stats = true, stdout = "null" },
        "sh", "-c", FETCH:format("http://web.example/ http://web.example/ http://no.example/"))))
      local n = result.stats.network
      assert.is_true(n.sent > 20 and n.received > 20)
      return n.connections, n.accepted, n.refused, n.names, n.names_refused > 0 and 2
    end) })
  end)

  it("pass on much in both directions, and each end by itself", function()
    local sent, got, counted = outside.run(function()
      return call({ allow = { "web.example:7,9" } }, function()
        local fd <close> = inside.connect("web.example", 7)
        local sent, got = inside.send(fd, 32 << 20)
        sys.shutdown(fd)
        got = got + inside.drain(fd)
        local other <close> = inside.connect("web.example", 9)
        local size = inside.send(other, 1 << 20)
        sys.shutdown(other)
        await { other }
        return sent, got, tonumber(sys.read(other)) == size
      end)
    end)
    assert.equal(sent, got)
    assert.is_true(counted)
  end)

  it("pass on a reset", function()
    assert.equal(sys.errno.ECONNRESET, outside.run(function()
      return call({ allow = { "web.example:11" } }, function()
        local fd <close> = inside.connect("web.example", 11)
        sys.write(fd, "x")
        return select(2, inside.drain(fd))
      end)
    end))
  end)

  it("serve others while some are slow, and many at once by turns", function()
    assert.same({ 500, 16 << 20 }, { outside.run(function()
      return call({ allow = { "web.example:7,19" }, connections = 50, rlimits = { nofile = 600 } },
        function()
          local slow <close> = inside.connect("web.example", 19)
          local address, list, done = inside.resolve("web.example"), {}, 0
          for i = 1, 500 do
            list[i] = assert(sys.inet_connect(address, 7))
            sys.write(list[i], "x")
          end
          while list[1] do
            local ready = sys.ppoll(list, 10)
            for i = #list, 1, -1 do
              if ready[i] and sys.read(list[i]) ~= nil then
                done = done + 1
                table.remove(list, i):close()
              end
            end
          end
          return done, (inside.drain(slow))
        end)
    end) })
  end)

  it("leave nothing behind when the container ends with some open", function()
    assert.equal(0, outside.run(function()
      assert(call({}, function() return true end)) -- what is kept for all containers is there
      collectgarbage()
      local before = #sys.list("/proc/self/fd")
      for _ = 1, 3 do
        assert(call({ allow = { "web.example:7,19", "*.example" } }, function()
          for _ = 1, 20 do
            inside.connect("web.example", 19)
            inside.connect("silent.example", 80) -- which is still being connected to
          end
          return true
        end))
      end
      collectgarbage()
      return #sys.list("/proc/self/fd") - before
    end))
  end)

  it("answer names by UDP and TCP, in a flood, and with nonsense among them", function()
    assert.same({ true, "198.18.0.1", "198.18.0.1", dns.NOERROR, dns.NXDOMAIN, 0 },
      { outside.run(function()
        return call({}, function()
          local socket <close> = assert(sys.inet_connect("127.0.0.11", 53, "datagram"))
          for i = 1, 5000 do
            local name = i % 2 == 0 and "web.example" or ("n%d.example"):format(i)
            sys.sendto(socket, dns.query(i, name, dns.A):sub(1, i % 5 == 0 and i % 30 or -1),
              "127.0.0.11", 53)
          end
          local after = inside.resolve("web.example")
          local stream <close> = assert(sys.inet_connect("127.0.0.11", 53))
          await({}, { stream })
          local ask = (">s2"):pack(dns.query(1, "web.example", dns.A))
          sys.write(stream, ask:sub(1, 5))
          sys.write(stream, ask:sub(6))
          await { stream }
          local _, list = dns.read_answer(sys.read(stream):sub(3), 1, "web.example", dns.A)
          local codes = {}
          for i, about in ipairs { { "web.example", dns.AAAA }, { "no.example", dns.A } } do
            local one <close> = assert(sys.inet_connect("127.0.0.11", 53, "datagram"))
            repeat
              sys.sendto(one, dns.query(i, about[1], about[2]), "127.0.0.11", 53)
            until sys.ppoll({ one }, 0.1)[1]
            codes[i] = dns.read_answer(sys.recvfrom(one, 512), i, about[1], about[2])
          end
          -- No other datagram goes anywhere.
          local udp <close> = assert(sys.inet_connect(after, 443, "datagram"))
          sys.write(udp, "quic")
          return select(3, sys.read(udp)) == sys.errno.ECONNREFUSED, after, sys.inet_text(list[1]),
            codes[1], codes[2], #sys.list("/proc/self/fd") - #sys.list("/proc/self/fd")
        end)
      end) })
  end)

  it("have so many names at once, of which the oldest makes room", function()
    assert.same({ "198.18.0.1", "198.18.16.4", true, true }, { outside.run(function()
      return call({ allow = { "*:80" }, on = { connect = function() return true end } }, function()
        local stream <close> = assert(sys.inet_connect("127.0.0.11", 53))
        await({}, { stream })
        local first, last
        for i = 1, 4100 do
          local name = i == 1 and "web.example" or ("n%d.example"):format(i)
          sys.write(stream, (">s2"):pack(dns.query(i, name, dns.A)))
          await { stream }
          local _, list = dns.read_answer(sys.read(stream):sub(3), i, name, dns.A)
          last = sys.inet_text(list[1])
          first = first or last
        end
        local old <close> = assert(sys.inet_connect(first, 80))
        local errno = select(2, inside.drain(old))
        return first, last, errno == sys.errno.ECONNRESET, inside.resolve("web.example") ~= first
      end)
    end) })
  end)

  it("take little of a turn of the caller's loop, however much there is to do", function()
    local most = { outside.run(function()
      local c <close> = assert(container.spawn_call(options { allow = { "192.0.2.80:7" },
        stdout = "pipe" }, function()
          local list = {}
          for i = 1, 200 do
            list[i] = assert(sys.inet_connect("192.0.2.80", 7))
          end
          local socket <close> = assert(sys.inet_connect("127.0.0.11", 53, "datagram"))
          for i = 1, 100 do
            sys.write(socket, dns.query(i, ("n%d.example"):format(i), dns.A))
          end
          sys.write(1, "ready")
          sys.ppoll({}, 60)
          return #list
        end))
      assert(sys.ppoll({ c.stdout:fd() }, 10)[1])
      local accepted, refused, turns = 0, 0, 0
      repeat
        local before = c:stats().network
        assert(sys.ppoll({ c:fd() }, 10)[1])
        c:poll()
        local after = c:stats().network
        accepted = math.max(accepted, after.accepted - before.accepted)
        refused = math.max(refused, after.names_refused - before.names_refused)
        turns = turns + 1
      until after.accepted == 200 and after.names_refused == 100
      return accepted <= 64, refused <= 32, turns > 10
    end) }
    assert.same({ true, true, true }, most)
  end)

  it("go on while a program of exec alone is waited for, or an event loop asks", function()
    assert.same({ 0, 0 }, { outside.run(function()
      local c <close> = assert(container.spawn(options(nil, "sleep", "60")))
      local script = "wget -q -T 5 -O - http://web.example/"
      local program <close> = assert(c:exec { "sh", "-c", script, stdout = "null" })
      local first = assert(program:wait()).status
      local other <close> = assert(c:exec { "sh", "-c", script, stdout = "null" })
      local result = false
      while not result do
        assert(sys.ppoll({ other:fd() }, 10)[1])
        result = other:poll()
      end
      return first, result.status
    end) })
  end)

  it("are those of a container that joins the network, too", function()
    local name = support.name()
    assert.equal("you asked for /\nno\n", outside.run(function()
      local owner <close> = assert(container.spawn(options({ name = name }, "sleep", "60")))
      local c <close> = assert(container.spawn { "sh", "-c",
        FETCH:format("http://web.example/ http://no.example/"), stdout = "capture",
        network = "container:" .. name })
      assert.equal(c, assert(container.poll({ owner, c }, 20))[1])
      return assert(c:wait()).stdout
    end))
  end)

  it("work without an init, with a root directory, and with one that has no /etc", function()
    local words = "you asked for /\n"
    local root, bare = support.busybox_rootfs(), support.tmpdir()
    assert.equal(words .. words .. words .. "true", outside.run(function()
      assert(os.execute(("mkdir -p %s/bin && cp $(command -v busybox) %s/bin/wget"):format(bare,
        bare)))
      local busybox = { "/bin/wget", "-q", "-O", "-", "http://web.example/",
        allow = { "web.example" }, rootfs = bare, stdout = "capture" }
      return fetch("http://web.example/", { init = false })
        .. run("wget -q -O - http://web.example/", { rootfs = root })
        .. assert(container.run(busybox)).stdout
        .. tostring(sys.stat(bare .. "/etc") == nil)
    end))
  end)

  it("take a file of names that the caller gives, and show no address that is not reached",
    function()
      local own = support.tmpdir() .. "/own"
      local resolv, hosts = outside.run(function()
        local file <close> = assert(io.open(own, "w"))
        file:write("nameserver 127.0.0.11\n# own\n")
        file:close()
        return (run("cat /etc/resolv.conf", { volumes = { own .. ":/etc/resolv.conf:ro" } })),
          (run("cat /etc/hosts"))
      end)
      assert.equal("nameserver 127.0.0.11\n# own\n", resolv)
      assert.equal("127.0.0.1 localhost\n127.0.1.1\tcontainer\n", hosts)
    end)
end)

describe("--allow #root", function()
  it("is served by the command, also for an ordinary user", function()
    support.as_user("true") -- makes its directory
    local root, user = outside.run(function()
      local words = " run.lua -q --allow web.example --allow '*.other.example:80' -- \z
        sh -c 'wget -q -T 5 -O - http://web.example/c; wget -q -T 5 http://no.example/ || echo no'"
      return support.run(support.lua .. words).stdout, support.as_user(support.lua .. words).stdout
    end)
    assert.equal("you asked for /c\nno\n", root)
    assert.equal(root, user)
  end)

  it("allows a socket of the host by unix:PATH", function()
    local path = support.tmpdir() .. "/socket"
    local listener <close> = assert(sys.socket_bind(path))
    assert.equal("socket", support.child(function()
      return container.call({ allow = { "unix:" .. path } }, function()
        local fd <close> = assert(sys.socket_connect(path))
        return fd and sys.stat(path, "type")
      end)
    end))
    assert(sys.socket_accept(listener)):close()
  end)

  it("names the log that cannot be opened", function()
    local result = support.run(support.lua
      .. " run.lua -q --allow web.example --network-log /none/such -- true")
    assert.same({ 125, "lua-container: network: network_log: open /none/such: "
      .. "No such file or directory\n" }, { result.status, result.stderr })
  end)
end)

-- Programs that people run, each with what it needs and what it prints of a page.
local PROGRAMS <const> = {
  curl = { "for name in web no; do curl -sS -m 5 http://$name.example/ 2>/dev/null; done; echo $?",
    "you asked for /\n6\n" },
  python3 = { "/usr/bin/python3 -c 'from urllib.request import urlopen\n\z
    print(urlopen(\"http://web.example/p\", timeout=5).read().decode(), end=\"\")'",
    "you asked for /p\n" },
  node = { "node -e 'fetch(\"http://web.example/n\").then(r => r.text()).then(t => \z
    process.stdout.write(t))'", "you asked for /n\n" },
  java = { "echo 'public class A { public static void main(String[] a) throws Exception { \z
    System.out.print(new String(new java.net.URL(\"http://web.example/j\").openStream()\z
    .readAllBytes())); } }' >/tmp/A.java; java /tmp/A.java", "you asked for /j\n" },
}

describe("outgoing connections of everyday programs #root", function()
  for name, about in pairs(PROGRAMS) do
    it("serve " .. name, function()
      support.needs(name)
      assert.equal(about[2], outside.run(function()
        return (run(about[1]))
      end))
    end)
  end

  -- A server of files, as mirrors are, made by a script in its directory.
  local function serves(name, make, script, said)
    it("serve " .. name, function()
      support.needs((name:match("^%S+")))
      local directory = support.tmpdir()
      assert.equal(0, support.run(("cd %s && { %s; } >/dev/null"):format(directory, make)).status)
      assert.equal(said, outside.run(function()
        return (run(script, { allow = { "web.example:8000" } }))
      end, directory))
    end)
  end

  serves("git over http", [[
    git init -q made && cd made && echo hello >file && git add file &&
    git -c user.name=a -c user.email=a@b.example commit -qm made && git update-server-info]],
    "git clone -q http://web.example:8000/made/.git /tmp/got && cat /tmp/got/file", "hello\n")

  serves("apt-get with a repository", [[
    mkdir -p p/DEBIAN && cd p && printf '%s\n' 'Package: greet' 'Version: 1' 'Architecture: all' \
      'Maintainer: spec' 'Description: greets' >DEBIAN/control && mkdir -p usr/bin &&
    printf '#!/bin/sh\necho greetings\n' >usr/bin/greet && chmod 755 usr/bin/greet && cd .. &&
    dpkg-deb --root-owner-group -b p greet.deb && { cat p/DEBIAN/control
      echo Filename: ./greet.deb; echo Size: $(stat -c %s greet.deb)
      echo SHA256: $(sha256sum greet.deb | cut -d' ' -f1); } >Packages]], [[
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/*
    echo 'deb [trusted=yes] http://web.example:8000 ./' >/etc/apt/sources.list
    { apt-get update -qq && apt-get install -qq -y greet; } >/tmp/log 2>&1 || cat /tmp/log
    greet]], "greetings\n")
end)
