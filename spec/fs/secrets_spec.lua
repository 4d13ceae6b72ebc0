-- What the host overlay hides of the host, and that it can be written all the same.

local sys = require "container.sys"
local support = require "spec.support"

local BOX <const> = support.lua .. " run.lua -q --pids-limit max "
local quote = support.quote

local FILES <const> = { "/etc/gshadow", "/etc/gshadow-", "/etc/krb5.keytab", "/etc/shadow",
  "/etc/shadow-", "/etc/ssh/ssh_host_rsa_key", "/etc/sudoers", "/etc/security/opasswd" }
local DIRECTORIES <const> = { "/etc/letsencrypt", "/etc/ssl/private", "/etc/sudoers.d",
  "/var/backups", "/var/lib/docker", "/var/lib/mysql", "/var/lib/private", "/var/log", "/var/mail",
  "/var/spool/cron/crontabs" }

local MARKER <const> = "kept from containers"

local function inside(options, script)
  local result = support.run(BOX .. options .. " sh -c " .. quote(script))
  assert.equal("", result.stderr)
  return result.stdout
end

-- Hosts of the test's own, in a mount namespace: one whose /etc and /var are mounts, and one whose
-- root is a filesystem with both.
local HOSTS <const> = {
  ["mounts"] = [[
    mount -t tmpfs none /srv
    for d in etc var; do
      mkdir /mnt/upper-$d /mnt/work-$d
      mount -t overlay none /$d \
        -o lowerdir=/$d,upperdir=/mnt/upper-$d,workdir=/mnt/work-$d
    done]],
  ["one root"] = [[
    mkdir /mnt/upper /mnt/work /mnt/top
    mount -t overlay none /mnt/top -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work
    for d in dev proc sys tmp; do mount --rbind /$d /mnt/top/$d; done
    here=$PWD; cd /mnt/top; pivot_root . mnt; cd $here; umount -l /mnt; mount -t tmpfs none /mnt]],
}

--- Runs a script on one that has each of these, with a text that everyone could read.
local function planted(script, kind)
  local plant = { "mount -t tmpfs none /mnt", HOSTS[kind or "mounts"], [[
    plant() {
      mkdir -p "${1%/*}"; chmod 755 "${1%/*}"; rm -f $1; echo ']] .. MARKER .. [[' >$1
    }]] }
  for _, path in ipairs(FILES) do
    plant[#plant + 1] = "plant " .. path
  end
  for _, path in ipairs(DIRECTORIES) do
    plant[#plant + 1] = ("plant %s/file; plant %s/below/file"):format(path, path)
  end
  return support.run("exec unshare --mount --propagation private sh -ec "
    .. quote(table.concat(plant, "\n") .. "\n" .. script))
end

local LOOK <const> = "grep -rl " .. quote(MARKER) .. " /etc /var 2>&-; for f in "
  .. table.concat(FILES, " ") .. "; do [ -f $f ] || echo none $f; done; for d in "
  .. table.concat(DIRECTORIES, " ") .. "; do [ -d $d ] || echo none $d; done"

for kind in pairs(HOSTS) do
  describe("the host overlay hides what is secret on a host of " .. kind, function()
    local NOTHING <const> = { status = 0, stdout = "", stderr = "" }

    it("from root #root", function()
      assert.same(NOTHING, planted(BOX .. "sh -c " .. quote(LOOK), kind))
    end)

    if kind == "mounts" then -- of the other the root cannot be idmapped
      it("from root with a range of ids #root #idmapview", function()
        assert.same(NOTHING, planted(BOX .. "--userns auto sh -c " .. quote(LOOK), kind))
      end)
    end

    it("from an ordinary user, whether that user can read it or not #root #userns", function()
      local copy = support.as_user("pwd").stdout:match("^[^\n]+")
      assert.same(NOTHING, planted("cd " .. copy
        .. "; exec setpriv --reuid=54321 --regid=54321 --clear-groups --inh-caps=-all "
        .. "--bounding-set=-all " .. BOX .. "sh -c " .. quote(LOOK), kind))
    end)

    it("where a link leads to it #root", function()
      local result = planted([[
        mv /etc/shadow /etc/kept; ln -s kept /etc/shadow
        mv /etc/gshadow /srv/gshadow; ln -s ../srv/gshadow /etc/gshadow
        mv /var/lib/mysql /srv/mysql; ln -s ../../srv/mysql /var/lib/mysql
        mkdir /etc/elsewhere; mv /etc/ssl/private /etc/elsewhere/p
        ln -s /etc/elsewhere/p /etc/ssl/private
        mv /etc/letsencrypt /srv/l; ln -s ../srv/l /etc/letsencrypt
        ]] .. BOX .. "sh -c " .. quote(LOOK .. "; grep -r " .. quote(MARKER)
        .. " /srv; readlink /etc/shadow; head -n 1 /etc/kept"), kind)
      assert.same({ status = 0, stdout = "kept\nroot:*:::::::\n", stderr = "" }, result)
    end)

    it("where a file or directory of it is a mount point #root", function()
      assert.same(NOTHING, planted("echo " .. quote(MARKER) .. " >/mnt/secret; "
        .. "mount --bind /mnt/secret /etc/shadow; mkdir /mnt/d; cp /mnt/secret /mnt/d; "
        .. "mount --bind /mnt/d /var/lib/docker; mount --bind /mnt/d /var/log; " .. BOX
        .. "sh -c " .. quote(LOOK), kind))
    end)
  end)
end

describe("the host overlay", function()
  it("hides nothing of it from a privileged container #root", function()
    assert.equal(sys.read_file("/etc/shadow"), inside("--privileged", "cat /etc/shadow"))
  end)
end)

describe("what the host overlay hides", function()
  it("has the same names, owners and types in /etc as there #root", function()
    local look = "find /etc /etc/ssl -maxdepth 1 -printf '%p %y %u %g\\n' | sort"
    assert.equal(support.run(look).stdout, inside("", look))
  end)

  it("has no file in a directory, which can be written #root", function()
    assert.equal("", inside("", "for d in /var/log /var/spool /var/backups /etc/ssl/private \z
      /etc/sudoers.d /var/lib/postgresql; do \z
      [ ! -d $d ] || { find $d -type f; echo x >$d/made && mkdir $d/dir && rm -r $d/dir; }; done"))
  end)

  it("has the directories of packages in /var/log and /var/spool, with their owners #root",
    function()
      local look = "find /var/log/* /var/spool/* -maxdepth 0 \\( -type d -o -type l \\) \z
        -printf '%p %y %u %g %l\\n' | sort"
      assert.equal(support.run(look).stdout, inside("", look))
    end)

  it("shows no directory of deeper state #root", function()
    assert.same({ status = 0, stdout = "/var/log/pods:\n\n/var/spool/mta/queue:\n", stderr = "" },
      planted("mkdir -p /var/log/pods/state /var/spool/mta/queue/0; " .. BOX
        .. "ls -A /var/log/pods /var/spool/mta/queue"))
  end)

  it("has at most 256 directories of packages #root", function()
    assert.same({ status = 0, stdout = "256\n", stderr = "" }, planted([[
      i=0; while [ $i -lt 300 ]; do mkdir /var/log/d$i; i=$((i + 1)); done
      ]] .. BOX .. "sh -c 'ls /var/log | wc -l'"))
  end)

  it("are no mount points, which root could take off or not rename #root", function()
    assert.equal("log old\n", inside("--cap-add SYS_ADMIN", [[
      umount /var/log 2>&-; umount /etc/shadow 2>&-; grep -q '[$]' /etc/shadow && echo hash
      find /var/log -type f; mv /var/log /var/old; mkdir /var/log; cd /var
      echo $(ls -d log old)]]))
  end)

  it("lets a file be renamed over an account file, for itself only #root", function()
    local before = sys.read_file("/etc/shadow")
    assert.equal("new\n", inside("", "for f in shadow gshadow sudoers; do \z
      echo new >/etc/$f+ && mv /etc/$f+ /etc/$f || exit 3; done; cat /etc/shadow"))
    assert.equal(before, sys.read_file("/etc/shadow"))
  end)

  it("says of every account that it is locked #root", function()
    assert.equal("", inside("", [[cut -d: -f1 /etc/passwd >/tmp/a; cut -d: -f1 /etc/shadow >/tmp/b
      cmp /tmp/a /tmp/b; cut -d: -f2 /etc/shadow | grep -v '^\*$'
      cut -d: -f1,4 /etc/group >/tmp/a; cut -d: -f1,4 /etc/gshadow >/tmp/b; cmp /tmp/a /tmp/b
      cut -d: -f2 /etc/gshadow | grep -v '^\*$'; true]]))
  end)
end)

describe("the host overlay's links into /run", function()
  it("lead to a directory of locks #root", function()
    if sys.readlink("/var/lock") ~= "/run/lock" then
      pending("needs a /var/lock that is a link to /run/lock")
    end
    assert.equal("1777\n", inside("", "touch /var/lock/file && stat -c %a /run/lock"))
  end)

  local RESOLVER <const> = [[
    mount -t tmpfs none /run; mkdir -p /run/systemd/resolve
    echo nameserver 192.0.2.1 >/run/systemd/resolve/stub-resolv.conf
    rm -f /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
    ]]

  local function resolver(options)
    return planted(RESOLVER .. BOX .. options .. " sh -c 'cat /etc/resolv.conf 2>&-; echo end'")
  end

  it("show the host's resolver with the host's network, and without it nothing #root", function()
    assert.equal("nameserver 192.0.2.1\nend\n", resolver("--network host").stdout)
    assert.equal("nameserver 192.0.2.1\nend\n", resolver("--network host --privileged").stdout)
    assert.equal("end\n", resolver("").stdout)
  end)

  it("show it with a range of ids #root #idmapview", function()
    assert.equal("nameserver 192.0.2.1\nend\n", resolver("--network host --userns auto").stdout)
  end)

  it("take a volume where they lead #root", function()
    local result = resolver("-v /etc/resolv.conf:/etc/resolv.conf")
    assert.same({ status = 0, stdout = "nameserver 192.0.2.1\nend\n", stderr = "" }, result)
  end)

  it("are as the host's where that has a file of its own #root", function()
    local result = planted("rm -f /etc/resolv.conf; echo nameserver 192.0.2.2 >/etc/resolv.conf; "
      .. BOX .. "--network host cat /etc/resolv.conf")
    assert.equal("nameserver 192.0.2.2\n", result.stdout)
  end)
end)
