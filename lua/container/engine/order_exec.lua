-- The steps of an exec, as order.lua has those of a start.

local capabilities = require "container.linux.capabilities"
local join = require "container.engine.join"
local keyring = require "container.linux.keyring"
local landlock = require "container.linux.landlock"
local leaf = require "container.linux.cgroup.leaf"
local process = require "container.linux.process"
local rlimits = require "container.linux.rlimits"
local schedule = require "container.linux.schedule"
local seccomp = require "container.linux.seccomp"
local streams = require "container.engine.streams"
local sync = require "container.engine.sync"
local terminal = require "container.engine.terminal"
local user = require "container.linux.user"
local userns = require "container.linux.userns"

--- A further process in a running container. No process moves into a PID namespace, only children
-- are born in it: so there is a process between, "join", which joins the container and makes the
-- program's process, "child", as a child of its own parent.
return {
  { name = "user.find", side = "prepare", fn = user.prepare, only = "user",
    why = "reads /etc/passwd of the container" },
  { name = "process.check", side = "prepare", fn = process.prepare,
    why = "the sealed image that its process runs from" },
  { name = "cgroup.make", side = "prepare", fn = leaf.prepare,
    why = "a cgroup of its own, by which all that comes from it is ended" },
  { name = "stream.open", side = "prepare", fn = streams.prepare, only = "stream",
    why = "pipes and files in the place of the caller's streams" },
  { name = "stream.permit", side = "prepare", fn = streams.permit, needs = { "stream.open" },
    why = "pipes that another user in the container may open, as /dev/stdout" },
  { name = "channel.open", side = "prepare", fn = sync.prepare,
    why = "the pipe for refusals and the socket" },

  { name = "stream.place", side = "join", fn = streams.child, only = "stream",
    why = "from files of the caller, which are closed next" },
  { name = "channel.close_others", side = "join", fn = join.keep, needs = { "stream.place" },
    why = "no file of the caller is open after this but the container's pidfd" },
  { name = "limit.oom_score", side = "join", fn = rlimits.score,
    why = "while /proc is the host's and shows this process to itself" },
  { name = "join.hide", side = "join", fn = join.hide,
    why = "before a process of the container could look" },
  { name = "process.follow", side = "join", fn = process.follow,
    why = "from here on it dies with the launcher" },
  { name = "process.initial_cpus", side = "join", fn = schedule.initial, only = "schedule",
    why = "before the container's cgroup says where it may run" },
  { name = "cgroup.join", side = "join", fn = join.cgroup, why = "by a path of the host's" },
  { name = "cgroup.join_own", side = "join", fn = leaf.join, only = "leaf",
    needs = { "cgroup.join" }, why = "below the container's, whose limits hold for it" },
  { name = "join.enter", side = "join", fn = join.enter, needs = { "join.hide", "cgroup.join" },
    why = "all namespaces at once: the host's files end here, and its next child is in them" },
  { name = "channel.wait", side = "child", fn = sync.await,
    why = "the launcher knows by now which process to end if this fails" },
  { name = "process.session", side = "child", fn = process.child, needs = { "channel.wait" },
    why = "from here on it too dies with the launcher" },
  { name = "idmap.become", side = "child", fn = userns.join, needs = { "process.session" },
    why = "without ids nothing can be opened" },
  { name = "join.hide_again", side = "child", fn = join.hide, needs = { "idmap.become" },
    why = "a change of ids undoes it" },
  { name = "terminal.open", side = "child", fn = terminal.join, only = "terminal",
    needs = { "idmap.become" }, why = "has the rights" },
  { name = "process.enter", side = "child", fn = process.enter, needs = { "idmap.become" },
    why = "with the rights to make a directory" },
  { name = "limit.set", side = "child", fn = rlimits.child, needs = { "process.enter" },
    why = "after the last step that could need more than the limit" },
  { name = "process.schedule", side = "child", fn = schedule.child, only = "schedule",
    why = "takes rights that end below" },
  { name = "process.final_cpus", side = "child", fn = schedule.final, only = "schedule",
    why = "in the container's cgroup" },
  { name = "keyring.join", side = "child", fn = keyring.child,
    why = "a session keyring of its own" },
  { name = "landlock.restrict", side = "child", fn = landlock.child, only = "landlock",
    needs = { "process.enter" }, why = "from here on as in a start" },
  { name = "seccomp.early", side = "child", fn = seccomp.early, only = "seccomp",
    needs = { "landlock.restrict" },
    why = "without no_new_privs it takes a right that ends below" },
  { name = "capability.bound", side = "child", fn = capabilities.bound,
    needs = { "landlock.restrict" }, why = "takes a right that the next step may end" },
  { name = "user.become", side = "child", fn = user.child, needs = { "capability.bound" },
    why = "takes rights that end below" },
  { name = "join.hide_last", side = "child", fn = join.hide, needs = { "user.become" },
    why = "a change of ids undoes it" },
  { name = "capability.set", side = "child", fn = capabilities.child, needs = { "user.become" },
    why = "with no_new_privs there is no way back" },
  { name = "join.conceal", side = "child", fn = process.conceal, needs = { "capability.set" },
    why = "so that the exec of the image does not undo it" },
  { name = "seccomp.filter", side = "child", fn = seccomp.child, only = "seccomp",
    needs = { "join.conceal" }, why = "it would refuse the other steps" },
  { name = "exec.init", side = "child", fn = process.exec, needs = { "seccomp.filter" },
    why = "becomes init's image, which becomes the program" },
}
