import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Which cores a process may use: `0`, `1` or `0,1`. */
export type Cores = "0" | "1" | "0,1";

/** Starts a process on some cores. Its standard output is a pipe unless told; what it says on standard error is dropped. */
export function start(cores: Cores, command: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn("taskset", ["-c", cores, ...command], { stdio: ["ignore", "pipe", "ignore"], ...options });
}

/** Ends a process by its id and waits until it is gone. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 3000);
  await exit;
  clearTimeout(late);
}

/** Runs a process to its end on any core. Returns its duration and its peak memory. */
export async function run(
  command: string,
  args: readonly string[],
): Promise<{ readonly seconds: number; readonly peakBytes: number }> {
  const begin = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  let peakBytes = 0;
  // The kernel's high-water mark only grows, so only the last reading before the end counts.
  const look = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid) ?? 0);
  }, 20);
  const [code] = (await once(child, "exit")) as [number | null];
  const seconds = (performance.now() - begin) / 1000;
  clearInterval(look);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`);
  return { seconds, peakBytes };
}

/** Waits for the process's whole standard output. */
export async function output(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${child.spawnargs.join(" ")} ended with ${code}`);
  return text;
}

/** The most memory that a process has held since the last {@link forgetPeak}, bytes. */
export function peakOf(pid: number | undefined): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}

/** proc(5): writing 5 to clear_refs resets the peak to what is held now. */
export function forgetPeak(pid: number | undefined): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** The processor time that a process and its children have used, microseconds: user and system time, in steps of 10 ms (proc(5)). */
export function processorTime(pid: number | undefined): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ")
    .slice(11);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").match(/\d+/g) ?? [];
  const ownTime = (Number(user) + Number(system)) * 10_000;
  return children.reduce((sum, child) => sum + processorTime(Number(child)), ownTime);
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves when something listens there. */
export async function listening(port: number): Promise<void> {
  for (let attempts = 0; attempts < 200; attempts++) {
    const socket = connect(port, "127.0.0.1");
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (connected) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port} after 10 s`);
}
