-- network.lua: what outgoing connections by host name cost, beside plain loopback, pasta and
-- slirp4netns. A question is a line on standard input, the answer a number, or why there is none,
-- in a line on standard output. bench.lua starts and asks. All traffic stays on loopback.
--
-- network.lua client ADDRESS PORT WHAT COUNT: the client, for tools that start a program.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local top = here .. "/.."
package.path = top .. "/lua/?.lua;" .. package.path
package.cpath = top .. "/?.so;" .. package.cpath
local sys = require "container.sys"

local clock = sys.clock_gettime
local MEBIBYTE <const> = 1 << 20
local PIECE <const> = ("x"):rep(MEBIBYTE)

-- Blocking reads and writes, of sockets that do not block ---------------------------------------

local function read(fd)
  while true do
    local piece, message, errno = sys.read(fd, 1 << 18)
    if piece or errno ~= sys.errno.EAGAIN then
      return piece or error(message, 0)
    end
    sys.ppoll({ fd }, 20)
  end
end

local function write(fd, data)
  local from = 1
  while from <= #data do
    local n, message, errno = sys.write(fd, data, from)
    if n then
      from = from + n
    elseif errno == sys.errno.EAGAIN then
      sys.ppoll({}, 20, { fd })
    else
      error(message, 0)
    end
  end
end

local function connect(address, port)
  local fd = assert(sys.inet_connect(address, port))
  sys.ppoll({}, 20, { fd })
  assert(sys.socket_error(fd))
  return fd
end

local client = {}

--- MB per second of what the server sends.
function client.transfer(address, port, mebibytes)
  local before, size = clock(), 0
  local fd <close> = connect(address, port)
  write(fd, ("%d\n"):format(mebibytes))
  repeat
    local piece = read(fd)
    size = size + #piece
  until piece == ""
  assert(size == mebibytes * MEBIBYTE, "the transfer was cut")
  return size / (clock() - before) / 1e6
end

--- Microseconds of a connection with a byte each way.
function client.connect(address, port, count)
  local before = clock()
  for _ = 1, count do
    local fd <close> = connect(address, port)
    write(fd, "0\n")
    assert(read(fd) == "0")
  end
  return (clock() - before) / count * 1e6
end

if arg[1] == "client" then
  print(client[arg[4]](arg[2], tonumber(arg[3]), tonumber(arg[5])))
  os.exit(true)
end

-- The server -------------------------------------------------------------------------------------

local function serve(listener)
  sys.pdeathsig("KILL")
  while true do
    sys.ppoll { listener }
    local fd <close> = sys.inet_accept(listener)
    local count = fd and tonumber(read(fd))
    for _ = 1, count or 0 do
      write(fd, PIECE)
    end
    if count == 0 then
      write(fd, "0")
    end
  end
end

local listener = assert(sys.inet_bind("127.0.0.1", 0))
local _, port = sys.getsockname(listener)
assert(sys.clone({}, function()
  pcall(serve, listener)
end))
listener:close()

-- The ways to it ---------------------------------------------------------------------------------

local container = require "container"
local way = {}

-- pasta leaves the working directory.
local file = arg[0]:sub(1, 1) == "/" and arg[0] or sys.readlink("/proc/self/cwd") .. "/" .. arg[0]

--- What a tool says of itself, on standard error, is not of interest.
local function run(command)
  local pipe <close> = assert(io.popen("(" .. command .. ") 2>/dev/null"))
  local said = pipe:read("a")
  return tonumber(said) or error("its client got no connection", 0)
end

local function command(address, what, count)
  return ("%s '%s' client %s %d %s %d"):format(os.getenv("LUA") or "lua5.4", file, address, port,
    what, count)
end

function way.plain(what, count)
  return run(command("127.0.0.1", what, count))
end

function way.allow(what, count)
  return assert(container.call({ allow = { "127.0.0.1:" .. port } }, client[what], "127.0.0.1",
    port, count))
end

function way.pasta(what, count)
  return run(("pasta --quiet --runas 0 --config-net -t none -u none -U none -T %d -- %s"):format(
    port, command("127.0.0.1", what, count)))
end

function way.slirp4netns(what, count)
  return run(([[unshare --net sleep 20 & inside=$!
    until [ "$(readlink /proc/$inside/exe)" = "$(readlink -f "$(command -v sleep)")" ]; do
      sleep 0.02; done
    slirp4netns --configure --mtu 65520 $inside tap0 >/dev/null & tool=$!
    timeout 5 sh -c "until nsenter --net=/proc/$inside/ns/net ip -brief address show tap0 |
      grep -q 10.0.2; do sleep 0.02; done"
    nsenter --net=/proc/$inside/ns/net %s
    kill $inside $tool; wait]]):format(command("10.0.2.2", what, count)))
end

io.stdout:setvbuf("line")
for line in io.lines() do
  local how, what, count = line:match("^(%S+) (%S+) (%d+)$")
  local _, result = pcall(way[how], what, tonumber(count))
  print((tostring(result):gsub("\n.*", "")))
end
