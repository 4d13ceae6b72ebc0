-- The options of the container itself and of its files.

local files = require "container.config.files"
local hooks = require "container.config.hooks"
local kernel = require "container.config.kernel"
local mounts = require "container.config.mounts"
local namespaces = require "container.config.namespaces"
local network = require "container.config.network"
local values = require "container.config.values"

return {
  title = "Container and files",
  {
    name = "name", type = "string", runs = "run call", read = values.name,
    cli = { { "--name", value = "NAME" } },
    help = "Name of the container, unique among your running containers.",
    more = "It has 1 to 128 of A-Z a-z 0-9 _ + - and \".\", which cannot be first.",
  },
  {
    name = "rootfs", type = "string", default_text = "an overlay of the host's root",
    oci = "root.path", runs = "run call", read = values.rootfs,
    cli = { { "--rootfs", value = "DIR[:O]", complete = "directory" } },
    help = "Directory that becomes the root; with :O what is written in it is thrown away.",
    more = "Without it, or with /, the root is a copy-on-write overlay of the host's files; "
      .. "everything that is written is lost at the end.",
  },
  {
    name = "hostname", type = "string", default = "container", oci = "hostname", runs = "run call",
    read = values.hostname, cli = { { "--hostname", short = "h", value = "NAME" } },
    help = "Host name, 1 to 64 bytes.",
  },
  {
    name = "domainname", type = "string", oci = "domainname", runs = "run call",
    read = kernel.domainname, cli = { { "--domainname", value = "NAME" } },
    help = "NIS domain name, 1 to 64 bytes.",
  },
  {
    name = "annotations", type = "table<string, string>", oci = "annotations", runs = "run call",
    read = values.annotations,
    cli = { { "--annotation", value = "NAME=VALUE", as = "assignment" } },
    help = "Set an annotation, which the state that hooks get has.",
  },
  {
    name = "sysctl", type = "table<string, string|integer>", oci = "linux.sysctl",
    runs = "run call", read = kernel.sysctl,
    cli = { { "--sysctl", value = "NAME=VALUE", as = "assignment" } },
    help = "Set a setting of the kernel that the container's namespaces have, such as "
      .. "net.ipv4.ip_forward=1.",
  },
  {
    name = "time_offsets", type = "table<string, number>", unit = "seconds",
    oci = "linux.timeOffsets", runs = "run call", read = kernel.time_offsets,
    cli = { { "--time-offset", value = "CLOCK=SECONDS", as = "assignment",
      choices = { "monotonic=", "boottime=" } } },
    help = "Move a clock of the container, monotonic or boottime, relative to the host's.",
    more = "It requires Linux 6.1.",
  },
  {
    name = "readonly", type = "boolean", default = false, oci = "root.readonly", runs = "run call",
    read = values.readonly, cli = { { "--read-only", set = true } },
    help = "Make the root read-only.",
  },
  {
    name = "volumes", type = "string[]|table<string, { bind: string, mode?: string }>",
    oci = "mounts", runs = "run call", read = mounts.volumes,
    cli = { { "--volume", short = "v", value = "SRC:DST[:OPTION,...]", list = true,
      complete = "file" } },
    help = "Mount a file or directory of the host at DST; options: rw, ro, rro, O, idmap, "
      .. "rslave, rshared.",
    more = "ro makes it read-only with its submounts; before Linux 5.12 it has no submounts. rro "
      .. "is the same, but is rejected before Linux 5.12. With O the container sees SRC, and "
      .. "what it writes is thrown away. idmap, with the user namespace auto, shows the ids of its "
      .. "files as ids inside the container. rslave shows what the host "
      .. "mounts below SRC later, and rshared, which takes rootfs, is the same both ways. Outer "
      .. "mounts are made before inner ones. A missing DST is created.",
    lua = "A table has the form { [SRC] = { bind = DST, mode = OPTIONS } }.",
  },
  {
    name = "tmpfs", type = "string[]|table<string, string>", oci = "mounts", runs = "run call",
    read = mounts.tmpfs, cli = { { "--tmpfs", value = "DST[:OPTIONS]", list = true } },
    help = "Mount an empty tmpfs at DST, with options such as size=1M,exec.",
    more = "The options are docker's, such as size, mode, uid, gid, ro and exec; the default is "
      .. "nosuid,nodev,noexec.",
    lua = "A table has the form { [DST] = OPTIONS }.",
  },
  {
    name = "files",
    type = "table<string, string|{ content: string, mode?: integer, user?: string }>",
    runs = "run call", read = files.files,
    cli = { { "--file", value = "DST=PATH|-", as = "file" } },
    help = "Put a read-only file at DST, with what PATH has now, or standard input.",
    more = "It is in memory and never on a disk of the host's. A missing DST is created. The mode "
      .. "is 0444 and the owner root, unless the entry says otherwise.",
    lua = "{ [\"/etc/app.conf\"] = \"text\", [\"/etc/key\"] = { content = \"text\", mode = 0x180, "
      .. "user = \"app\" } }.",
  },
  {
    name = "shm_size", type = "integer|string", unit = "bytes", default_text = "64M",
    oci = "mounts", runs = "run call", read = files.shm_size,
    cli = { { "--shm-size", value = "SIZE" } },
    help = "Size of /dev/shm.",
  },
  {
    name = "add_hosts", type = "string[]", runs = "run call", read = files.add_hosts,
    cli = { { "--add-host", value = "NAME:ADDRESS", list = true } },
    help = "Add a name and its address to /etc/hosts.",
  },
  {
    name = "dns", type = "string[]", runs = "run call", read = files.dns,
    cli = { { "--dns", value = "ADDRESS", list = true } },
    help = "Ask this server for names, instead of those of the network.",
    more = "It does not go with allow, for there the launcher answers.",
  },
  {
    name = "dns_search", type = "string[]", runs = "run call", read = files.dns_search,
    cli = { { "--dns-search", value = "DOMAIN", list = true } },
    help = "Look names without a dot up in this domain.",
  },
  {
    name = "network", type = "string", default = "none",
    oci = "linux.namespaces", runs = "run call", read = network.read,
    cli = { { "--network", value = "NETWORK",
      choices = { "none", "host", "pasta", "ns:", "container:" },
      help = "Network: none has only loopback; host is the host's own; pasta has a way out; "
        .. "ns:PATH and container:NAME join one that is there; another word is one of CNI." },
      { "--net", value = "NETWORK", help = "As --network." } },
    help = "Network: \"none\" has only loopback; \"host\" is the host's own; \"pasta\" has a way "
      .. "out; \"ns:PATH\" and \"container:NAME\" join one that is there; another word is one of "
      .. "CNI.",
    more = "PATH is that of a network namespace, such as /run/netns/NAME. NAME is the name of a "
      .. "running container of the same user. Networks of CNI are those of the files in "
      .. "/etc/cni/net.d, for root. Options of pasta(1) stand behind it: "
      .. "pasta:-t,8080.",
  },
  {
    name = "namespaces", type = "table<string, string|integer>", oci = "linux.namespaces",
    runs = "run call", read = namespaces.read,
    cli = {
      { "--pid", value = "WHICH", as = "namespace", part = "pid",
        choices = { "private", "host", "container:" },
        help = "PID namespace: private; host; a pid; a path; or container:NAME." },
      { "--ipc", value = "WHICH", as = "namespace", part = "ipc",
        choices = { "private", "host", "container:" }, help = "IPC namespace, as --pid." },
      { "--uts", value = "WHICH", as = "namespace", part = "uts",
        choices = { "private", "host", "container:" },
        help = "UTS namespace, that of the host name, as --pid." },
    },
    help = "Namespaces that are not the container's own, by ipc, pid, time or uts.",
    more = "Each is \"private\", \"host\", the pid of a process, the path of a namespace, or "
      .. "\"container:NAME\", a running container of the same user. Without a PID namespace of "
      .. "its own a container has no init, and its cgroup ends what is left of it.",
  },
  {
    name = "init", type = "boolean", default = true, runs = "run",
    refused = { call = "the function is pid 1" }, read = values.init,
    cli = { { "--no-init", set = false, help = "Make COMMAND pid 1 itself, without an init." } },
    help = "Run a small init as pid 1; with false the program is pid 1.",
  },
  {
    name = "hooks", type = "container.Hooks", oci = "hooks", runs = "run",
    refused = { call = "takes container.run" }, read = hooks.hooks,
    help = "Functions and programs to run at moments of the container's life.",
    more = "Fields: prestart, createRuntime, createContainer, startContainer, poststart and "
      .. "poststop; each is an array of functions and of { path, args, env, timeout }.",
  },
  {
    name = "announce", type = "boolean", default = false, runs = "run call", read = values.announce,
    cli = { { "--quiet", short = "q", set = false, help = "Do not print what runs." } },
    help = "Print on standard error what runs, and its pid.",
  },
  {
    name = "debug", type = "boolean|fun(line: string)", default = false, runs = "run call exec",
    read = values.debug, cli = { { "--debug", set = true,
      help = "Print every step of the start on standard error." } },
    help = "Trace every step of the start on standard error, or call the function with each line.",
    more = "The environment variable LUA_CONTAINER_DEBUG=1 does the same.",
  },
}
