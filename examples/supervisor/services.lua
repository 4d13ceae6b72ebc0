-- Services of supervisor.lua: something that others need, something that needs it and fails now and
-- then, and something that runs once.

return {
  { "sh", "-c", "sleep 0.3; echo listening; while :; do sleep 1; echo tick; done",
    name = "clock", ready = "listening", pids = 5 },
  { "sh", "-c", "echo working; sleep 0.5; echo 'something is wrong' >&2; exit 1",
    name = "worker" },
  { "sh", "-c", "echo 'the host is called' $(hostname)",
    name = "once", hostname = "box", restart = false },
}
