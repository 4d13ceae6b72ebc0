-- What people run: everyday programs in the host overlay, as root and by the default, which means
-- without a network, with 20 processes and with docker's capabilities. A program that this machine
-- does not have leaves its test pending; `sh .ci/needs everyday` installs them all.

local command = require "spec.fixtures.command"
local support = require "spec.support"

-- Waits in a script for what a server has no other sign for.
local WAIT <const> = [[
wait_for() { timeout 20 sh -c 'until "$@" >/dev/null 2>&1; do sleep .05; done' sh "$@"; }
]]

-- A repository of packages with one package, as a mirror has it. Its account is made when it is
-- installed, and owns directories of its own below /var/log and /var/spool.
local REPOSITORY <const> = [[
p=/srv/repo/p
mkdir -p $p/DEBIAN $p/usr/bin $p/var/log/greet $p/var/spool/greet
cat >$p/DEBIAN/control <<END
Package: greet
Version: 1
Architecture: all
Maintainer: spec
Description: greets
END
cat >$p/DEBIAN/postinst <<END
#!/bin/sh -e
useradd --system --home-dir /var/lib/greet greet
chown greet:greet /var/log/greet /var/spool/greet
echo installed >/var/log/greet/log
END
chmod 755 $p/DEBIAN/postinst
printf '#!/bin/sh\necho greetings\n' >$p/usr/bin/greet
chmod 755 $p/usr/bin/greet
cd /srv/repo
dpkg-deb --root-owner-group -b p greet.deb >/dev/null
{ cat p/DEBIAN/control
  echo "Filename: ./greet.deb"
  echo "Size: $(stat -c %s greet.deb)"
  echo "SHA256: $(sha256sum greet.deb | cut -d' ' -f1)"
} >Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
]]

-- Each: its name, what it needs, what the script prints, options.
local programs <const> = {
  { "gcc", { "gcc" }, "42\n", [[
    cd /tmp; echo 'int main(void) { return 42; }' >a.c; gcc -o a a.c; ./a || echo $?]] },
  { "make -j", { "make", "gcc" }, "8 built\n", [[
    cd /tmp
    for i in 1 2 3 4 5 6 7 8; do echo "int f$i(void) { return $i; }" >f$i.c; done
    printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\n' >Makefile
    make -s -j 4; echo $(ls *.o | wc -l) built]] },
  { "python3 -m venv", { "python3", "/usr/bin/python3", "ensurepip" }, "/tmp/own\npip there\n", [[
    /usr/bin/python3 -m venv /tmp/own
    /tmp/own/bin/python -c 'import sys; print(sys.prefix)'
    /tmp/own/bin/pip --version >/dev/null; echo pip there]] },
  { "node", { "node" }, "hello 3\n", [[
    node -e 'require("fs").writeFileSync("/tmp/x", "abc");
      setTimeout(() => console.log("hello", require("fs").statSync("/tmp/x").size), 1)']] },
  { "git clone", { "git" }, "first\n", [[
    cd /root
    git init -q -b main a; cd a; echo first >file; git add file
    git -c user.name=spec -c user.email=spec@example commit -qm first
    git clone -q file:///root/a /root/b; cat /root/b/file]] },
  { "apt-get install", { "apt-get", "dpkg-deb", "useradd" },
    "greetings\ngreet greet:greet\nhistory\n", REPOSITORY .. [[
    { apt-get -q update; apt-get -q -y install greet; } >/tmp/out 2>&1 || { cat /tmp/out; exit 1; }
    greet; stat -c 'greet %U:%G' /var/log/greet
    grep -q greet /var/log/apt/history.log /var/log/dpkg.log && echo history]] },
  { "useradd, chpasswd, usermod and su", { "useradd", "su" },
    "/home/jo jo\njo users\nchanged\n", [[
    useradd -m -s /bin/sh jo; su - jo -c 'echo $HOME $(id -un)'
    usermod -aG users jo; su jo -c 'id -Gn'
    echo jo:secret | chpasswd; grep -q '^jo:[$]' /etc/shadow && echo changed
    userdel -r jo 2>&-]] },
  { "su to an account of the host's", { "su" }, "nobody\n", [[
    su -s /bin/sh nobody -c 'id -un']] },
  { "adduser", { "adduser" }, "/home/jo jo\n", [[
    adduser --quiet --disabled-password --gecos '' jo; su - jo -c 'echo $HOME $(id -un)']] },
  { "sudo", { "sudo", "useradd" }, "root\njo\n", [[
    useradd jo; sudo id -un; sudo -u jo id -un]] },
  { "nginx", { "nginx", "bash" }, "HTTP/1.1 200 OK\nlogged\n", [[
    nginx
    exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/80; printf "HEAD / HTTP/1.0\r\n\r\n" >&3
      head -n 1 <&3 | tr -d "\r"; nginx -s quit 2>&-
      wait_for() { timeout 20 sh -c "until $1; do sleep .05; done"; }
      wait_for "grep -q HEAD /var/log/nginx/access.log" && echo logged']] },
  { "redis-server", { "redis-server", "redis-cli", "su" }, "value\nlogged\n", WAIT .. [[
    su redis -s /bin/sh -c 'redis-server /etc/redis/redis.conf --pidfile /tmp/pid' >/dev/null
    wait_for redis-cli ping
    redis-cli set key value >/dev/null; redis-cli get key; redis-cli shutdown
    [ -s /var/log/redis/redis-server.log ] && echo logged]] },
  { "postgres", { "su", "initdb", "psql" }, "42\n", [[
    export PATH="$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' :)"
    cd /var/lib/postgresql
    su postgres -c 'set -e; initdb -D data >/dev/null
      pg_ctl -D data -o "-k /tmp" -l log -w start >/dev/null
      psql -h /tmp -Atc "select 6 * 7"; pg_ctl -D data -m fast stop >/dev/null']] },
  { "tmux", { "tmux" }, "inside\n", [[
    tmux new-session -d -s one 'echo inside >/tmp/out; tmux wait-for -S done; exec sleep 60'
    tmux wait-for done; cat /tmp/out; tmux kill-server]] },
  { "vi", { "vi", "script" }, "hello\n", [[
    export TERM=xterm
    printf 'ihello\033:wq\r' | timeout 20 script -qec 'vi /tmp/file' /dev/null >/dev/null 2>&1
    cat /tmp/file]] },
  { "ssh-keygen", { "ssh-keygen" }, "ssh-ed25519\nhost key\n", [[
    ssh-keygen -q -t ed25519 -N '' -f /root/key; cut -d' ' -f1 /root/key.pub
    ssh-keygen -A >/dev/null; [ -s /etc/ssh/ssh_host_ed25519_key ] && echo host key]] },
  { "java", { "java" }, "started\n", [[
    java -version 2>/dev/null; echo started]], { "--pids-limit", "100" } },
  { "gdb", { "gdb", "gcc" }, "caught\n", [[
    cd /tmp; echo 'int main(void) { __builtin_trap(); }' >a.c; gcc -g -o a a.c
    gdb -q -batch -ex run -ex bt ./a 2>/dev/null | grep -q 'in main\|main ()' && echo caught]] },
  { "strace", { "strace" }, "traced\n", [[
    strace -f -o /tmp/trace sh -c 'true; id' >/dev/null
    grep -q execve /tmp/trace && echo traced]] },
}

local function installed(name)
  if name == "ensurepip" then
    return support.run("/usr/bin/python3 -c 'import venv, ensurepip'").status == 0
  elseif name == "initdb" then
    return support.run("ls /usr/lib/postgresql/*/bin/initdb").status == 0
  end
  return support.run("command -v " .. name).status == 0
end

describe("in the host overlay of root #root", function()
  for _, entry in ipairs(programs) do
    local name, needs, expected, script, options = table.unpack(entry)
    it(name .. " runs", function()
      for _, need in ipairs(needs) do
        if not installed(need) then
          pending("needs " .. need .. ", which is not installed")
        end
      end
      local words = { "-q", table.unpack(options or {}) }
      table.move({ "sh", "-ec", script }, 1, 3, #words + 1, words)
      local result = command.root:run(table.unpack(words))
      assert.same({ 0, expected }, { result.status, result.stdout }, result.stderr)
    end)
  end
end)
