-- The options about users, capabilities and access control.

local capabilities = require "container.config.capabilities"
local mounts = require "container.config.mounts"
local values = require "container.config.values"

return {
  title = "Users and security",
  {
    name = "userns", type = "\"auto\"|\"subid\"", formerly = "users",
    default_text = "none for root; one with the caller's id for others",
    oci = "linux.uidMappings, linux.gidMappings", runs = "run call", read = values.userns,
    cli = { { "--userns", value = "auto|subid", choices = { "auto", "subid" } } },
    help = "User namespace: auto has 65536 ids of its own, for root; subid has those of "
      .. "/etc/subuid, for others.",
    more = "No other container has the ids of auto. For the root of a user namespace, subid takes "
      .. "all ids that it has.",
  },
  {
    name = "capabilities", type = "string[]", oci = "process.capabilities",
    default_text = "docker's without CAP_MKNOD", runs = "run call exec",
    read = capabilities.capabilities,
    help = "The whole set of capabilities that root has.",
  },
  {
    name = "cap_add", type = "string[]", oci = "process.capabilities", runs = "run call",
    read = capabilities.cap_add,
    cli = { { "--cap-add", value = "NAME", list = true, complete = "capability" } },
    help = "Add a capability to the default set; ALL adds every one.",
  },
  {
    name = "cap_drop", type = "string[]", oci = "process.capabilities", runs = "run call exec",
    read = capabilities.cap_drop,
    cli = { { "--cap-drop", value = "NAME", list = true, complete = "capability" } },
    help = "Remove a capability; ALL removes every one.",
  },
  {
    name = "no_new_privileges", type = "boolean", default = true,
    oci = "process.noNewPrivileges", runs = "run call", read = values.no_new_privileges,
    cli = { { "--security-opt", value = "no-new-privileges=false", as = "security",
      choices = { "no-new-privileges=false", "seccomp=unconfined", "seccomp=" },
      help = "Let set-user-ID programs gain privileges." } },
    help = "Keep set-user-ID programs from gaining privileges.",
  },
  {
    name = "seccomp", type = "false|string|table", default = "default", oci = "linux.seccomp",
    runs = "run call", read = values.seccomp,
    cli = { { "--security-opt", value = "seccomp=unconfined|FILE", as = "security",
      help = "Use no system call filter, or the JSON profile in FILE." } },
    help = "System call filter: \"default\", the path of a JSON profile, or a table as OCI's.",
    more = "false is no filter. The format of a profile is docker's.",
  },
  {
    name = "landlock", type = "{ read?: string[], write?: string[] }", runs = "run call",
    read = values.landlock,
    cli = {
      { "--landlock", value = "read=PATH", as = "paths", choices = { "read=", "write=" },
        help = "Allow reading and executing only below the paths that are given; repeatable." },
      { "--landlock", value = "write=PATH", as = "paths",
        help = "As read=PATH, and allow writing there." },
    },
    help = "Allow the program to read and execute, or also to write, only below these paths.",
    more = "The paths are absolute paths in the container. The program itself and its libraries "
      .. "have to be below one of them.",
  },
  {
    name = "privileged", type = "boolean", default = false, runs = "run call",
    read = values.privileged, cli = { { "--privileged", set = true } },
    help = "Give all capabilities, and all of /proc and /sys, writable.",
    more = "There is no system call filter unless another option asks for one.",
  },
  {
    name = "masked_paths", type = "string[]", oci = "linux.maskedPaths",
    default_text = "OCI's list", runs = "run call", read = mounts.masked_paths,
    help = "Absolute paths in the container that are hidden.",
  },
  {
    name = "readonly_paths", type = "string[]", oci = "linux.readonlyPaths",
    default_text = "OCI's list", runs = "run call", read = mounts.readonly_paths,
    help = "Absolute paths in the container that are read-only.",
  },
}
