-- The container's own host name, asked for as programs ask.

local sys = require "container.sys"
local support = require "spec.support"

local RUN <const> = support.lua .. " run.lua -q --pids-limit max "
local ASK <const> = "getent hosts \"$(hostname)\" | tr -s ' '"

local function told(result)
  return { result.status, result.stdout, result.stderr }
end

local function with_hosts(text)
  local path = support.tmpdir() .. "/hosts"
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
  return path
end

describe("the container's own host name #getent", function()
  local wanted = { 0, "127.0.1.1 container\n", "" }

  it("resolves in the host's files #root", function()
    assert.same(wanted, told(support.run(RUN .. "sh -c " .. support.quote(ASK))))
  end)

  it("resolves for an ordinary user #userns", function()
    assert.same(wanted, told(support.as_user(RUN .. "sh -c " .. support.quote(ASK))))
  end)

  it("resolves with a range of ids #root #idmap", function()
    assert.same(wanted, told(support.run(RUN .. "--userns auto sh -c " .. support.quote(ASK))))
  end)

  it("is the one that was asked for #root", function()
    assert.same({ 0, "127.0.1.1 a-b.c\n", "" },
      told(support.run(RUN .. "-h a-b.c sh -c " .. support.quote(ASK))))
  end)

  it("leaves a file that can be replaced, beside the host's names #root", function()
    local result = support.run(RUN .. "sh -c " .. support.quote(
      "cp /etc/hosts /tmp/new && echo 127.0.0.9 more >>/tmp/new && mv /tmp/new /etc/hosts && "
      .. "getent hosts more | tr -s ' ' && head -n -2 /etc/hosts"))
    local own = sys.read_file("/etc/hosts")
      or "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    assert.same({ 0, "127.0.0.9 more\n" .. own, "" }, told(result))
  end)

  it("resolves in a directory, whose own file stays as it is #root", function()
    local rootfs = support.busybox_rootfs()
    local file <close> = assert(io.open(rootfs .. "/etc/hosts", "w"))
    assert(file:write("127.0.0.1 localhost\n") and file:flush())
    local result = support.run(RUN .. "--rootfs " .. rootfs .. " /bin/cat /etc/hosts")
    local after = sys.read_file(rootfs .. "/etc/hosts")
    assert(os.remove(rootfs .. "/etc/hosts"))
    assert.same({ 0, "127.0.0.1 localhost\n127.0.1.1\tcontainer\n", "" }, told(result))
    assert.equal("127.0.0.1 localhost\n", after)
  end)

  it("resolves where the host's file is a mount #root", function()
    local path = with_hosts("127.0.0.1 localhost")
    local result = support.run("unshare -m sh -c " .. support.quote("mount --bind " .. path
      .. " /etc/hosts && " .. RUN .. "cat /etc/hosts"))
    assert.same({ 0, "127.0.0.1 localhost\n127.0.1.1\tcontainer\n", "" }, told(result))
    assert.equal("127.0.0.1 localhost", sys.read_file(path))
  end)

  it("is not added where it is known, nor to a volume's file #root", function()
    local text = "127.0.0.7 other container # a comment\n"
    local path = with_hosts(text)
    for _, way in ipairs { "unshare -m sh -c " .. support.quote("mount --bind " .. path
      .. " /etc/hosts && " .. RUN .. "cat /etc/hosts"), RUN .. "-h volume -v " .. path
      .. ":/etc/hosts cat /etc/hosts" } do
      assert.same({ 0, text, "" }, told(support.run(way)))
    end
  end)

  it("is left alone where it is no name of a host #root", function()
    local result = support.run(RUN .. "-h 'a b' cat /etc/hosts")
    assert.same({ 0, sys.read_file("/etc/hosts"), "" }, told(result))
  end)
end)
