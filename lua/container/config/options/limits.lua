-- The options that limit what a container uses.

local resources = require "container.config.resources"
local values = require "container.config.values"

local read = resources.read

return {
  title = "Limits and devices",
  {
    name = "pids", type = "integer|\"max\"", unit = "processes", default = 20,
    oci = "linux.resources.pids.limit", runs = "run call update", read = values.pids,
    cli = { { "--pids-limit", value = "N|max", as = "integer" } },
    help = "Maximum number of processes; max and -1 are no limit.",
  },
  {
    name = "memory", type = "integer|string", unit = "bytes", default_text = "no limit",
    oci = "linux.resources.memory.limit", runs = "run call update", read = read,
    cli = { { "--memory", short = "m", value = "BYTES", as = "max" } },
    help = "Maximum memory, such as 64M; a container that needs more is killed.",
    more = "max and -1 are no limit.",
  },
  {
    name = "memory_swap", type = "integer|string", unit = "bytes",
    default_text = "twice the memory", oci = "linux.resources.memory.swap",
    runs = "run call update", read = read,
    cli = { { "--memory-swap", value = "BYTES", as = "max" } },
    help = "Maximum of memory and swap together; -1 is no limit.",
  },
  {
    name = "memory_reservation", type = "integer|string", unit = "bytes",
    oci = "linux.resources.memory.reservation", runs = "run call update", read = read,
    cli = { { "--memory-reservation", value = "BYTES" } },
    help = "Memory that the kernel leaves to the container when the host is short of it.",
  },
  {
    name = "cpus", type = "number|\"max\"", unit = "processors", default_text = "all",
    oci = "linux.resources.cpu.quota, .period", runs = "run call update", read = read,
    cli = { { "--cpus", value = "N", as = "number" } },
    help = "Maximum processor time, in processors, such as 0.5.",
  },
  {
    name = "cpu_weight", type = "integer", default = 1024, oci = "linux.resources.cpu.shares",
    runs = "run call update", read = read,
    cli = { { "--cpu-shares", value = "N", as = "number" } },
    help = "Share of processor time under load, relative to others, 2 to 262144.",
  },
  {
    name = "cpuset_cpus", type = "string", default_text = "all",
    oci = "linux.resources.cpu.cpus", runs = "run call update", read = read,
    cli = { { "--cpuset-cpus", value = "LIST" } },
    help = "Processors that may be used, such as 0-2,7.",
  },
  {
    name = "cpuset_mems", type = "string", default_text = "all",
    oci = "linux.resources.cpu.mems", runs = "run call update", read = read,
    cli = { { "--cpuset-mems", value = "LIST" } },
    help = "Memory nodes that may be used, such as 0-1.",
  },
  {
    name = "io", type = "table<string, container.IoRates>",
    oci = "linux.resources.blockIO.throttle*Device", runs = "run call update", read = read,
    cli = {
      { "--device-read-bps", value = "DISK:BYTES", as = "rate", part = "read_bps",
        complete = "device", help = "Maximum bytes a second read from a disk." },
      { "--device-write-bps", value = "DISK:BYTES", as = "rate", part = "write_bps",
        complete = "device", help = "Maximum bytes a second written to a disk." },
      { "--device-read-iops", value = "DISK:N", as = "rate", part = "read_iops",
        complete = "device", help = "Maximum reads a second from a disk." },
      { "--device-write-iops", value = "DISK:N", as = "rate", part = "write_iops",
        complete = "device", help = "Maximum writes a second to a disk." },
    },
    help = "Maximum rates of disks, by the path of the device.",
    more = "{ [\"/dev/sda\"] = { read_bps = \"1M\", write_bps, read_iops, write_iops } }",
  },
  {
    name = "io_weight", type = "integer", oci = "linux.resources.blockIO.weight",
    runs = "run call update", read = read,
    cli = { { "--blkio-weight", value = "N", as = "number" } },
    help = "Share of disk time under load, relative to others, 10 to 1000.",
  },
  {
    name = "hugepages", type = "table<string, integer|string>", unit = "bytes",
    oci = "linux.resources.hugepageLimits", runs = "run call update", read = read,
    help = "Maximum memory in huge pages, by page size, such as { [\"2MB\"] = \"64M\" }.",
  },
  {
    name = "unified", type = "table<string, string|integer>", oci = "linux.resources.unified",
    runs = "run call update", read = read,
    cli = { { "--cgroup-conf", value = "FILE=VALUE", as = "assignment" } },
    help = "Write a file of a cgroup v2 controller, such as memory.high=32M.",
  },
  {
    name = "oom_score_adj", type = "integer", default_text = "the caller's",
    oci = "process.oomScoreAdj", runs = "run call", read = read,
    cli = { { "--oom-score-adj", value = "N", as = "number" } },
    help = "Adjust how early the kernel kills it when the host is out of memory, -1000 to 1000.",
  },
  {
    name = "stats", type = "boolean", default = false, runs = "run call", read = read,
    cli = { { "--stats", set = true, values = { "json" },
      help = "Show the usage in a line, and at the end; =json prints numbers at the end." } },
    help = "Count everything that c:stats() can report.",
  },
  {
    name = "devices", type = "string[]", oci = "linux.devices, linux.resources.devices",
    runs = "run call", read = read,
    cli = { { "--device", value = "SRC[:DST][:rwm]", list = true, complete = "device" } },
    help = "Add a device of the host, at DST below /dev.",
  },
}
