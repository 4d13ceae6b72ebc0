// cri.js SOCKET CGROUP PROTO HANDLER: what a kubelet does with a pod of a RuntimeClass. A line for
// each thing that holds.
"use strict";

const assert = require("assert");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [socket, cgroup, proto, handler] = process.argv.slice(2);
const { RuntimeService } = grpc.loadPackageDefinition(
  loader.loadSync(proto, { keepCase: true, longs: Number, enums: String, defaults: true })).runtime.v1;
const service = new RuntimeService(`unix://${socket}`, grpc.credentials.createInsecure());

const call = (name, request) => new Promise((done, refused) =>
  service[name](request, { deadline: Date.now() + 60000 },
    (error, response) => error ? refused(new Error(`${name}: ${error.message}`)) : done(response)));

const holds = (words, found, expected) => {
  assert.deepStrictEqual(found, expected, words);
  console.log(`ok: ${words}`);
};

const until = async (words, test) => {
  for (const end = Date.now() + 30000; Date.now() < end;) {
    if (await test()) {
      console.log(`ok: ${words}`);
      return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`not within 30 seconds: ${words}`);
};

async function main() {
  holds("CRI answers", (await call("Version", {})).runtime_name, "containerd");

  const host = { namespace_options: { network: "NODE", pid: "CONTAINER", ipc: "POD" } };
  const pod = {
    metadata: { name: "pod", uid: "1", namespace: "default", attempt: 0 },
    linux: { cgroup_parent: `/${cgroup}`, security_context: host },
  };
  const sandbox = await call("RunPodSandbox", { config: pod, runtime_handler: handler });
  holds("a pod runs", sandbox.pod_sandbox_id.length, 64);

  const program = "trap 'exit 3' TERM; while :; do sleep 0.1; done";
  const id = (await call("CreateContainer", {
    pod_sandbox_id: sandbox.pod_sandbox_id,
    sandbox_config: pod,
    config: {
      metadata: { name: "main", attempt: 0 },
      image: { image: "docker.io/local/busybox:1" },
      command: ["/bin/sh", "-c", program],
      envs: [{ key: "NAME", value: "value" }],
      linux: { resources: { memory_limit_in_bytes: 64 << 20 }, security_context: host },
    },
  })).container_id;
  const container = { container_id: id };
  const state = async () => (await call("ContainerStatus", container)).status.state;
  holds("a container is created", await state(), "CONTAINER_CREATED");
  await call("StartContainer", container);
  holds("and started", await state(), "CONTAINER_RUNNING");

  const exec = async (...cmd) => {
    const { stdout, exit_code } =
      await call("ExecSync", { container_id: id, cmd: ["/bin/sh", "-c", ...cmd], timeout: 10 });
    return [stdout.toString(), exit_code];
  };
  holds("ExecSync has the output and the status", await exec("echo $NAME; exit 4"), ["value\n", 4]);
  const limit = "cat /sys/fs/cgroup/memory.max 2>/dev/null || " +
    "cat /sys/fs/cgroup/memory/memory.limit_in_bytes";
  holds("memory is limited", await exec(limit), [`${64 << 20}\n`, 0]);
  const { stats } = await call("ContainerStats", container);
  holds("ContainerStats counts memory", stats.memory.working_set_bytes.value > 0, true);
  await call("UpdateContainerResources",
    { container_id: id, linux: { memory_limit_in_bytes: 96 << 20 } });
  holds("a limit is changed", await exec(limit), [`${96 << 20}\n`, 0]);

  await call("StopContainer", { container_id: id, timeout: 10 });
  await until("it has ended", async () => await state() === "CONTAINER_EXITED");
  holds("as it wanted", (await call("ContainerStatus", container)).status.exit_code, 3);
  await call("RemoveContainer", container);
  await call("StopPodSandbox", sandbox);
  await call("RemovePodSandbox", sandbox);
  console.log("ok: all is removed");
  service.close();
}

main().catch((error) => {
  console.log(`not ok: ${error.message}`);
  process.exit(1);
});
