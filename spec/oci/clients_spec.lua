-- The programs that call an OCI runtime run their containers with lua-container: each a script of
-- this directory, which prints a line for each thing that holds, in namespaces of its own.

local support = require "spec.support"

describe("a client of the OCI runtime #root #slow", function()
  -- Seconds; none takes half of it.
  local PATIENCE <const> = 150 * support.patience

  local function client(script, scenario, ...)
    local programs = { ... }
    return function()
      support.needs(table.unpack(programs))
      local dir = support.tmpdir()
      local command = ("CLIENT_SCRATCH=%s timeout -k 5 %d bash spec/oci/%s.sh %s 2>&1 </dev/null")
        :format(support.quote(dir), PATIENCE, script, scenario)
      local pipe <close> = assert(io.popen(command))
      local said = pipe:read("a")
      assert.is_true(pipe:close(), said)
    end
  end

  it("is docker: programs, limits, exec, a life", client("docker", "basics", "dockerd"))
  it("is docker: services on a bridge", client("docker", "bridge", "dockerd", "iptables"))
  it("is docker: restart policies", client("docker", "restart", "dockerd"))
  it("is docker: a swarm of two nodes, one of which ends", client("docker", "swarm", "dockerd"))
  it("is containerd: ctr", client("containerd", "ctr", "containerd"))
  it("is containerd: a kubelet's calls", client("containerd", "cri", "containerd", "npm"))
  it("is podman: programs, limits, exec, a life", client("podman", "basics", "podman"))
  it("is podman: pods, health, user namespaces", client("podman", "more", "podman"))
  it("is podman: an ordinary user's", client("podman", "rootless", "podman", "newuidmap"))
  it("is podman: hooks in Lua", client("podman", "lua_hooks", "podman"))
  it("is buildah: a Dockerfile", client("buildah", "build", "buildah"))
end)
