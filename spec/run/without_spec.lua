-- Kernels that are older, and filters around the launcher: what the start does without one system
-- call. Either the container is as isolated as ever, or there is none, and one sentence says why.

local sys = require "container.sys"
local command = require "spec.fixtures.command"
local support = require "spec.support"

-- Without these there is another way of the same strength, or none is needed.
local REPLACED <const> = { "clone3", "faccessat2", "landlock_create_ruleset", "mfd_exec",
  "mount_setattr", "move_mount", "open_tree",
  "clone3 faccessat2 landlock_create_ruleset mfd_exec mount_setattr move_mount open_tree" }

-- Without these there is no container. The words are those that the sentence has for the call.
local NEEDED <const> = { close_range = "close_range", execveat = "execveat", keyctl = "keyctl",
  memfd_create = "memfd_create", openat2 = "openat2", pidfd_open = "pidfd_open",
  pidfd_send_signal = "pidfd_send_signal", seccomp = "seccomp", statx = "statx" }

--- The command, where the kernel does not know `calls`.
local function without(caller, calls, ...)
  return caller:shell(("%s %s -- %s"):format(support.quote(command.program "without"), calls,
    command.words(support.lua, "run.lua", "-q", ...)))
end

--- What of a mount is seen and what it forbids, one line each, without its numbers.
local function mounts(text)
  local list = {}
  for root, target, options, kind in
    text:gmatch("%S+ %S+ %S+ (%S+) (%S+) (%S+) [^\n]-%- (%S+) [^\n]*\n") do
    -- A directory of a cgroup, or of the scratch tmpfs, has another name each time.
    list[#list + 1] = table.concat({ kind == "tmpfs" and "" or root, target, options, kind }, " ")
  end
  assert(#list > 10)
  table.sort(list)
  return table.concat(list, "\n")
end

for _, caller in ipairs(command.callers) do
  for _, calls in ipairs(REPLACED) do
    describe(("without %s, for %s, a container"):format(calls, caller.name), function()
      it("is what it says it is: the calls are not there", function()
        local result = without(caller, calls, "--landlock=read=/", "true")
        assert.equal(calls:find("landlock") and 125 or 0, result.status, result.stderr)
      end)

      it("has the same mounts, with the same options", function()
        for _, rootfs in ipairs { "/", caller:rootfs() } do
          for _, option in ipairs { "--quiet", "--read-only" } do
            local words = table.pack(option, "--rootfs=" .. rootfs, "--volume=./lua:/mnt:ro", "cat",
              "/proc/self/mountinfo")
            local result = without(caller, calls, table.unpack(words))
            assert.equal("", result.stderr)
            assert.equal(mounts(caller:print(table.unpack(words))), mounts(result.stdout))
          end
        end
      end)

      it("cannot write what is read-only, nor read what is masked", function()
        local result = without(caller, calls, "--volume=./lua:/mnt:ro", "sh", "-c",
          "for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/power/state /mnt/a; do \z
             (echo a >$f) 2>/dev/null && echo wrote $f; done; cat /proc/keys /proc/timer_list; \z
           ls /proc/scsi /sys/firmware; grep -h Seccomp: /proc/self/status")
        assert.equal("Seccomp:\t2", result.stdout:match("Seccomp:\t2"))
        assert.falsy(result.stdout:find("wrote", 1, true), result.stdout)
        assert.falsy(result.stdout:find("keyring", 1, true), result.stdout)
      end)

      it("has the fds 0, 1 and 2, whatever the launcher has open", function()
        local result = caller:shell(("%s %s -- %s </dev/null 7</ 9</etc/passwd"):format(
          support.quote(command.program "without"), calls, command.words(support.lua, "run.lua",
            "-q", command.probe "fds")))
        assert.equal("0 1 2 ", result.stdout, result.stderr)
      end)

      it("keeps hostile links inside", function()
        local rootfs, outside = caller:rootfs(), caller:directory()
        assert(sys.symlink(outside, rootfs .. "/out"))
        assert(sys.symlink("../../../../../../../.." .. outside, rootfs .. "/up"))
        local function volume(link)
          return without(caller, calls, "--rootfs", rootfs, ("--volume=./lua:%s/v"):format(link),
            "ls", link .. "/v")
        end
        for _, link in ipairs { "/out", "/up" } do
          local result = volume(link) -- which leads to nothing inside, where it is made
          assert.equal("container\n", result.stdout, result.stderr)
        end
        assert.equal("directory", sys.stat(rootfs .. outside .. "/v", "type"))
        assert.same({}, sys.list(outside))
        -- What the kernel's own would be mounted on has to be no link.
        assert(os.execute(("rmdir %s/proc && ln -s %s %s/proc"):format(rootfs, outside, rootfs)))
        assert.equal(125, without(caller, calls, "--rootfs", rootfs, "true").status)
        assert.same({}, sys.list(outside))
      end)
    end)
  end

  for call, name in pairs(NEEDED) do
    it(("without %s, for %s, there is no container, and a reason"):format(call, caller.name),
      function()
        local result = without(caller, call, "sh", "-c", "echo ran")
        assert.equal("", result.stdout)
        assert.equal(125, result.status)
        assert.matches("^lua%-container: [^\n]*" .. name .. "[^\n]*Function not implemented; \z
          the launcher needs Linux 5%.10 or later, and no older filter of system calls around \z
          it\n$", result.stderr)
      end)
  end
end
