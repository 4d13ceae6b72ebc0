local sys = require "container.sys"
local api = require "container.api"
local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "
local NAMESPACE <const> = { "mount" }

-- The first container makes the image of init, which stays open for those to come, and sweeps away
-- what earlier ones may have left.
setup(function()
  api.run { "true" }
end)

local function ends(script)
  local result, err = api.run { "sh", "-c", script, pids = "max" }
  return result and result.status or tostring(err)
end

-- Where a filesystem of ours is mounted, in a mount namespace of ours: a view leaves out the places
-- of users, and so the directory of this run.
local SRV <const> = "/srv"
local MAKE <const> = "cd /srv && echo host > file && mkdir sub && echo deep > sub/file"

-- What a container can do to that, and the host is not to notice.
local HARM <const> = "cd /srv && [ $(cat file) = host ] && echo new > file && rm sub/file \z
  && rmdir sub && mkdir made && ln file made/link && mv made moved && chmod 0 file"

-- Overlay hides a removed directory with an attribute, which before Linux 6.6 tmpfs has
-- for root alone.
local HARM_OF_USER <const> = (function()
  local major, minor = sys.uname().release:match("^(%d+)%.(%d+)")
  local old = tonumber(major) * 1000 + tonumber(minor) < 6006
  return old and HARM:gsub("&& rmdir sub", "&& ! rmdir sub 2>&-") or HARM
end)()

-- Calls a function on a host with a file and a directory in /srv, which are to stay as they are.
local function on_a_host(fn)
  local value, file, deep, number = support.child(function()
    assert(sys.mount("tmpfs", SRV, "tmpfs"))
    assert(os.execute(MAKE))
    return fn(), sys.read_file(SRV .. "/file"), sys.read_file(SRV .. "/sub/file"),
      #sys.list(SRV)
  end, NAMESPACE)
  assert.same({ "host\n", "deep\n", 2 }, { file, deep, number })
  return value
end

-- A shell that is root in a mount namespace of its own, and what an ordinary user says in it.
local function private(prepare, command)
  local copy = support.as_user("pwd").stdout:match("^[^\n]+")
  return support.run("exec unshare --mount --propagation private sh -c " .. support.quote(
    "set -e; " .. prepare .. "; cd " .. copy .. "; exec setpriv --reuid=54321 --regid=54321 "
    .. "--clear-groups --inh-caps=-all --bounding-set=-all sh -c " .. support.quote(command)))
end

describe("the view of the host's files", function()
  describe("of root #root", function()
    it("shows them, and lets nothing that is written survive", function()
      assert.equal(0, on_a_host(function()
        return ends(HARM)
      end))
    end)

    it("takes new files in every directory, and starts anew with each container", function()
      local name = support.name()
      for _ = 1, 2 do
        for _, path in ipairs { "/", "/etc", "/usr", "/usr/bin", "/var" } do
          local file = path:gsub("/$", "") .. "/" .. name
          assert.equal(0, ends(("[ ! -e %s ] && echo x > %s"):format(file, file)))
          assert.is_nil(sys.stat(file))
        end
      end
    end)

    it("shows the system, and nothing of its users and of what runs on it", function()
      assert.equal(0, ends("for d in /home /mnt /root /run /tmp /var/tmp; do "
        .. "[ -z \"$(ls -A $d 2>&- | grep -v '^lock$')\" ] || exit 3; done; [ -e /etc/passwd ]"))
    end)

    it("is one overlay of /", function()
      local result = support.run(BOX .. "cat /proc/self/mountinfo")
      assert.matches("^%S+ %S+ %S+ / / rw,nodev,relatime [^\n]*%- overlay overlay ", result.stdout)
    end)

    it("has the owners and permissions of the host's directories", function()
      local look = "stat -c '%a %u:%g %n' / /tmp /etc /usr /root; true"
      local result = support.run(look .. "; " .. BOX .. "sh -c " .. support.quote(look))
      local half = #result.stdout // 2
      assert.equal(result.stdout:sub(1, half), result.stdout:sub(half + 1))
    end)

    it("has no fewer names in / than the host", function()
      local result = support.run("ls -A /; echo --; " .. BOX .. "ls -A /")
      local names, seen = result.stdout:match("^(.*)%-%-\n(.*)$")
      assert.equal(names, seen)
    end)

    for _, name in ipairs { "plain", "a,b", "a:b", "a b", "a\\b", "a\tb\nc", "x\\:lowerdir=,x" } do
      it(("shows a mount whose name is %q, and saves it from writing"):format(name), function()
        local path = SRV .. "/" .. name
        local status, kept, left = support.child(function()
          assert(sys.mount("tmpfs", SRV, "tmpfs"))
          assert(sys.mkdir(path))
          assert(sys.mount("tmpfs", path, "tmpfs"))
          assert(sys.mkdir(path .. "/inner"))
          local result = assert(api.run { "sh", "-c",
            "cd \"$1\" && [ -d inner ] && rmdir inner && mkdir made", "sh", path, pids = "max" })
          return result.status, sys.stat(path .. "/inner") ~= nil, #sys.list(path)
        end, NAMESPACE)
        assert.same({ 0, true, 1 }, { status, kept, left })
      end)
    end

    it("shows mounts in mounts", function()
      assert.equal(0, on_a_host(function()
        assert(sys.mount("tmpfs", SRV .. "/sub", "tmpfs"))
        assert(sys.mkdir(SRV .. "/sub/a"))
        assert(sys.mount("tmpfs", SRV .. "/sub/a", "tmpfs"))
        assert(sys.mkdir(SRV .. "/sub/a/b"))
        local status = ends("cd /srv && [ -f file ] && [ -d sub/a/b ] && rmdir sub/a/b")
        assert(sys.umount(SRV .. "/sub/a"))
        assert(sys.umount(SRV .. "/sub"))
        return status
      end))
    end)

    it("shows the topmost of what is mounted at one place", function()
      assert.equal(0, on_a_host(function()
        for _, name in ipairs { "/below", "/above" } do
          assert(sys.mount("tmpfs", SRV .. "/sub", "tmpfs"))
          assert(sys.mkdir(SRV .. "/sub" .. name))
        end
        local status = ends("[ \"$(ls /srv/sub)\" = above ]")
        assert(sys.umount(SRV .. "/sub"))
        assert(sys.umount(SRV .. "/sub"))
        return status
      end))
    end)

    it("does without what is mounted behind another mount", function()
      assert.equal(0, on_a_host(function()
        assert(sys.mount("tmpfs", SRV .. "/sub", "tmpfs"))
        assert(sys.mount("tmpfs", SRV, "tmpfs"))
        local status = ends("[ ! -e /srv/sub ] && [ ! -e /srv/file ]")
        assert(sys.umount(SRV))
        assert(sys.umount(SRV .. "/sub"))
        return status
      end))
    end)

    it("does without a mount over which its directory has been taken away", function()
      assert.equal(0, support.child(function()
        assert(sys.mount("tmpfs", SRV, "tmpfs"))
        assert(sys.mkdir(SRV .. "/a"))
        assert(sys.mount("tmpfs", SRV .. "/a", "tmpfs"))
        assert(sys.mount("tmpfs", SRV, "tmpfs", "ro"))
        return ends("[ ! -e /srv/a ]")
      end, NAMESPACE))
    end)

    it("shows a file that is mounted on a file, and saves it from writing", function()
      assert.equal(0, on_a_host(function()
        assert(sys.mount(SRV .. "/sub/file", SRV .. "/file", nil, "bind"))
        local status = ends("cd /srv && [ $(cat file) = deep ] && ! { echo x > file; } 2>&-")
        assert(sys.umount(SRV .. "/file"))
        return status
      end))
    end)

    it("leaves out filesystems through which one talks to the kernel", function()
      assert.equal(0, on_a_host(function()
        assert(sys.mount_proc(SRV .. "/sub"))
        local status = ends("[ $(cat /srv/sub/file) = deep ]")
        assert(sys.umount(SRV .. "/sub"))
        return status
      end))
    end)

    it("is shown by a host whose mounts are shared, which sees none of it", function()
      assert.is_true(support.child(function()
        assert(sys.mount(nil, "/", nil, "rshared"))
        local before = sys.read_file("/proc/self/mountinfo")
        return ends("true") == 0 and before == sys.read_file("/proc/self/mountinfo")
      end, NAMESPACE))
    end)

    it("answers in one sentence that there is no proc to see the mounts in", function()
      local message = support.child(function()
        assert(sys.umount("/proc", "detach"))
        return ends("true")
      end, NAMESPACE)
      assert.equal("rootfs: read /proc/self/mountinfo: No such file or directory", message)
    end)
  end)

  describe("of an ordinary user #userns", function()
    it("shows them, and lets nothing that is written survive #root", function()
      -- What belongs to others the user cannot change, in a view or not.
      local result = private("mount -t tmpfs none /srv; mkdir /srv/own; "
        .. MAKE:gsub("/srv", "/srv/own") .. "; chown -R 54321:54321 /srv/own",
        BOX .. "sh -c " .. support.quote((HARM_OF_USER:gsub("/srv", "/srv/own")))
        .. "; echo $?; cd /srv/own; cat file sub/file; ls")
      assert.same({ "0\nhost\ndeep\nfile\nsub\n", "" }, { result.stdout, result.stderr })
    end)

    it("has the host's links and directories in /", function()
      local result = support.as_user([[
        look() {
          for name in $(ls -A /); do
            [ -L /$name ] && echo "$name -> $(readlink /$name)" || { [ -d /$name ] && echo $name/; }
          done
        }
        look; echo --; ]] .. BOX .. "sh -c " .. support.quote [[
          for name in $(ls -A /); do
            [ -L /$name ] && echo "$name -> $(readlink /$name)" || { [ -d /$name ] && echo $name/; }
          done; true]])
      local names, seen = result.stdout:match("^(.*)%-%-\n(.*)$")
      assert.equal(names, seen)
    end)

    it("shows nothing that the user may not read #root", function()
      local result = private("mount -t tmpfs none /srv; " .. MAKE
        .. "; chmod 600 file; chmod 700 sub",
        BOX .. "sh -c 'cd /srv; cat file 2>&- || cat sub/file 2>&- || echo hidden'")
      assert.same({ "hidden\n", "" }, { result.stdout, result.stderr })
    end)

    it("is put together around what is mounted, which can be written and does not survive #root",
      function()
        local result = private([[
          mount -t tmpfs -o mode=777 none /srv
          mkdir /srv/free /srv/mounted; chmod 777 /srv/free
          mount -t tmpfs -o mode=777 none /srv/mounted
          echo a > /srv/free/file; echo b > /srv/mounted/file; echo c > /srv/file
          ln -s free /srv/link]],
          BOX .. [[sh -c 'cd /srv; cat free/file mounted/file file link/file
            touch free/made mounted/made made && echo written; touch file 2>&- || echo kept']]
          .. "; ls /srv /srv/free /srv/mounted | grep made")
        assert.same({ "a\nb\nc\na\nwritten\nkept\n", "" }, { result.stdout, result.stderr })
      end)

    it("is read-only where something is mounted far below #root", function()
      local result = private([[
        mount -t tmpfs -o mode=777 none /srv
        mkdir -p /srv/a/b/mounted /srv/other; chmod 777 /srv/a /srv/a/b /srv/other
        mount -t tmpfs -o mode=777 none /srv/a/b/mounted
        echo deep > /srv/a/b/mounted/file]],
        BOX .. [[sh -c 'cd /srv; cat a/b/mounted/file; touch other/made && echo written
          for d in a a/b a/b/mounted; do touch $d/made 2>&- || echo read-only; done']])
      assert.same({ "deep\nwritten\nread-only\nread-only\nread-only\n", "" },
        { result.stdout, result.stderr })
    end)

    it("shows mounts whose names have every kind of byte #root", function()
      local result = private([[
        mount -t tmpfs -o mode=777 none /srv
        for name in 'a,b' 'a:b' 'a b' 'a\b'; do
          mkdir "/srv/$name"; mount -t tmpfs none "/srv/$name"
          printf '%s;' "$name" > "/srv/$name/file"
        done]], BOX .. "sh -c 'cat \"/srv/a b/file\" /srv/a,b/file /srv/a:b/file /srv/a\\\\b/file'")
      assert.same({ "a b;a,b;a:b;a\\b;", "" }, { result.stdout, result.stderr })
    end)

    it("does without a directory of mounts that the user may not read #root", function()
      local result = private([[
        mount -t tmpfs -o mode=700 none /srv
        mkdir /srv/mounted; mount -t tmpfs none /srv/mounted]],
        BOX .. "sh -c 'echo there; ls /srv 2>&-; true'")
      assert.same({ "there\n", "" }, { result.stdout, result.stderr })
    end)
  end)
end)
