import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { get } from "node:https";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { s3Signer } from "daypass/s3";
import { expect, onTestFinished, test } from "vitest";
import { renewedTls, tls } from "../../gateway/test/node/fixtures/tls.ts";
import { exampleFiles, type Running, serve, status } from "./serving.ts";

/** A gateway with a configuration file. `configure` writes the file, `reload` sends SIGHUP. */
async function configured(first: object, workers: string) {
  const root = exampleFiles();
  const file = join(root, "..", "daypass.json");
  const configure = (config: object) =>
    writeFileSync(file, JSON.stringify({ root: "files", listen: { port: 0 }, ...config }));
  configure(first);
  const running = await serve("--config", file, "--workers", workers, "--show-secret");
  const processes = Math.max(1, Number(workers));
  const reload = async (what: "were reloaded" | "reload failed" = "were reloaded"): Promise<void> => {
    const before = count(running, what);
    running.child.kill("SIGHUP");
    await expect.poll(() => count(running, what), { timeout: 5000 }).toBe(before + processes);
  };
  return { ...running, root, file, configure, reload };
}

const count = ({ log }: Pick<Running, "log">, text: string) => log().split(text).length - 1;

/** An upload that is let in and never comes. */
async function slowUpload({ said }: Pick<Running, "said">): Promise<Socket> {
  const { s3Endpoint: endpoint, accessKeyId, secretAccessKey = "" } = said;
  const signer = s3Signer({ endpoint, region: "us-east-1", credentials: { accessKeyId, secretAccessKey } });
  const put = signer.sign({ method: "PUT", bucket: "media", key: "slow.bin", expiresIn: 60 }).url;
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  const lines = [`PUT ${put.slice(endpoint.length)} HTTP/1.1`, `Host: ${hostname}:${port}`, "Content-Length: 1"];
  socket.write(`${[...lines, "Expect: 100-continue"].join("\r\n")}\r\n\r\n`);
  expect(String(await once(socket, "data"))).toContain("100 Continue");
  return socket;
}

const cors = (origin: string) => ({ cors: { origins: [origin] } });

async function allows({ said }: Pick<Running, "said">, origin: string): Promise<boolean> {
  const { headers } = await fetch(said.presignedUrl, { headers: { origin, connection: "close" } });
  return headers.get("access-control-allow-origin") === origin;
}

test.each(["0", "2"])(
  "reloads its configuration at SIGHUP, and keeps the old one if the new one is invalid (%s workers)",
  async (workers) => {
    const gateway = await configured(cors("https://one.example"), workers);
    expect(await allows(gateway, "https://one.example")).toBe(true);
    gateway.configure(cors("https://two.example"));
    await gateway.reload();
    expect(await allows(gateway, "https://two.example")).toBe(true);
    expect(await allows(gateway, "https://one.example")).toBe(false);
    writeFileSync(gateway.file, '{"root":"files","cros":{}}');
    await gateway.reload("reload failed");
    expect(await allows(gateway, "https://two.example")).toBe(true);
  },
);

test("serves Prometheus metrics while they are configured", async () => {
  const gateway = await configured({}, "0");
  const metrics = `${gateway.said.url}/-/metrics`;
  expect(await status(metrics)).toBe(403);
  gateway.configure({ metrics: true });
  await gateway.reload();
  expect(await status(gateway.said.presignedUrl)).toBe(200);
  const reply = await fetch(metrics);
  expect(reply.headers.get("content-type")).toContain("version=0.0.4");
  expect(await reply.text()).toContain('daypass_requests_total{scheme="s3",method="GET",status="200"} 1');
  gateway.configure({});
  await gateway.reload();
  expect(await status(metrics)).toBe(403);
});

test("sums the metrics of all workers in one scrape, a crashed one included", async () => {
  const gateway = await configured({ metrics: true }, "3");
  const close = { headers: { connection: "close" } };
  for (let i = 0; i < 24; i++) expect(await status(gateway.said.presignedUrl, close)).toBe(200);
  const scrape = async () => (await fetch(`${gateway.said.url}/-/metrics`, close)).text();
  const series = 'daypass_requests_total{scheme="s3",method="GET",status="200"} 24\n';
  for (const text of await Promise.all(Array.from({ length: 6 }, scrape))) expect(text).toContain(series);
  await expect.poll(() => count(gateway, '"msg":"listening"'), { timeout: 10_000 }).toBe(3);
  const [, pid] = /"pid":(\d+)[^\n]*"msg":"listening"/.exec(gateway.log()) ?? [];
  process.kill(Number(pid), "SIGKILL");
  await expect.poll(() => count(gateway, '"msg":"listening"'), { timeout: 10_000 }).toBe(4);
  const text = await scrape();
  expect(text).toContain(series);
  expect(text).toContain("daypass_in_flight 1\n");
});

test("keeps its counters over a reload", async () => {
  const limited = (inFlight: number) => ({ metrics: true, limits: { inFlight } });
  const gateway = await configured(limited(10), "0");
  expect(await status(gateway.said.presignedUrl)).toBe(200);
  const upload = await slowUpload(gateway);
  gateway.configure(limited(1));
  await gateway.reload();
  expect(await status(gateway.said.presignedUrl)).toBe(503);
  upload.destroy();
  await expect.poll(() => status(gateway.said.presignedUrl)).toBe(200);
  const text = await (await fetch(`${gateway.said.url}/-/metrics`)).text();
  expect(text).toContain('daypass_requests_total{scheme="s3",method="GET",status="200"} 2');
  expect(text).toContain("daypass_in_flight 1\n");
});

test.each(["0", "2"])("ignores changes that need a restart (%s workers)", async (workers) => {
  const gateway = await configured({}, workers);
  mkdirSync(join(dirname(gateway.root), "others"));
  gateway.configure({
    root: "others",
    state: "state",
    listen: { host: "127.0.0.2" },
    tls: { certFile: "none.pem", keyFile: "none.pem" },
    ...cors("https://two.example"),
  });
  await gateway.reload();
  // Its host would be the only name that clients may use, and with TLS the only scheme.
  expect(await status(gateway.said.presignedUrl)).toBe(200);
  expect(await allows(gateway, "https://two.example")).toBe(true);
});

test("keeps the configuration in a replacement worker after the file has changed", async () => {
  const gateway = await configured(cors("https://one.example"), "1");
  gateway.configure(cors("https://two.example"));
  await gateway.reload();
  writeFileSync(gateway.file, "{");
  await expect.poll(() => count(gateway, '"msg":"listening"'), { timeout: 10_000 }).toBe(1);
  const [, pid] = /"pid":(\d+)[^\n]*"msg":"listening"/.exec(gateway.log()) ?? [];
  process.kill(Number(pid), "SIGKILL");
  await expect.poll(() => count(gateway, '"msg":"listening"'), { timeout: 10_000 }).toBe(2);
  expect(await allows(gateway, "https://two.example")).toBe(true);
  await gateway.reload("reload failed");
});

test.each(["0", "2"])("applies a reloaded drainSeconds (%s workers)", async (workers) => {
  const gateway = await configured({ drainSeconds: 600 }, workers);
  gateway.configure({ drainSeconds: 0 });
  await gateway.reload();
  await slowUpload(gateway);
  expect(await gateway.stop()).toBe(0);
});

test("applies the last of two overlapping reloads", async () => {
  const root = exampleFiles();
  const inFolder = (name: string): string => join(root, "..", name);
  const write = (config: object): void =>
    writeFileSync(inFolder("daypass.json"), JSON.stringify({ root: "files", listen: { port: 0 }, ...config }));
  write({});
  const gateway = await serve("--config", inFolder("daypass.json"));
  // A reader waits for a writer.
  execFileSync("mkfifo", [inFolder("set.json")]);
  write({ urlKeySetFile: "set.json" });
  gateway.child.kill("SIGHUP");
  // Fails until a reader opens the pipe, so that the first reload reads before the second file exists.
  const openForReader = () => openSync(inFolder("set.json"), constants.O_WRONLY | constants.O_NONBLOCK);
  let set = -1;
  await expect.poll(() => (set = openForReader())).toBeGreaterThan(-1);
  write({ metrics: true });
  gateway.child.kill("SIGHUP");
  // An overtaking reload would be done by now.
  await sleep(500);
  writeSync(set, '{"keys":[]}');
  closeSync(set);
  await expect.poll(() => count(gateway, "were reloaded")).toBe(2);
  expect(await status(`${gateway.said.url}/-/metrics`)).toBe(200);
});

/** The status for a client that trusts only this certificate. 0 for another certificate. */
const statusBy = (ca: string, url: string): Promise<number> =>
  new Promise((resolve) => {
    get(url, { ca, agent: false }, (response) => resolve(response.resume().statusCode ?? 0)).on("error", () =>
      resolve(0),
    );
  });

test.each(["0", "2"])("serves a renewed certificate after SIGHUP (%s workers)", async (workers) => {
  const root = exampleFiles();
  const inFolder = (name: string): string => join(root, "..", name);
  const write = (pair: typeof tls | typeof renewedTls): void => {
    writeFileSync(inFolder("cert.pem"), pair.cert);
    writeFileSync(inFolder("key.pem"), pair.key);
  };
  write(tls);
  const files = { certFile: "cert.pem", keyFile: "key.pem" };
  writeFileSync(inFolder("daypass.json"), JSON.stringify({ root: "files", listen: { port: 0 }, tls: files }));
  const gateway = await serve("--config", inFolder("daypass.json"), "--workers", workers);
  const { presignedUrl } = gateway.said;
  const processes = Math.max(1, Number(workers));
  const reload = async (what: string): Promise<void> => {
    gateway.child.kill("SIGHUP");
    await expect.poll(() => count(gateway, what), { timeout: 5000 }).toBe(processes);
  };
  expect(await statusBy(tls.cert, presignedUrl)).toBe(200);
  writeFileSync(inFolder("key.pem"), renewedTls.key);
  await reload("reload failed");
  expect(await statusBy(tls.cert, presignedUrl)).toBe(200);
  write(renewedTls);
  await reload("were reloaded");
  expect(await statusBy(renewedTls.cert, presignedUrl)).toBe(200);
  expect(await statusBy(tls.cert, presignedUrl)).toBe(0);
});

test("starts replacement workers without the configured files", async () => {
  const root = exampleFiles();
  const inFolder = (name: string): string => join(root, "..", name);
  const set = { keys: [{ kty: "oct", alg: "HS256", kid: "edge", k: Buffer.alloc(32, 1).toString("base64url") }] };
  const files = { "cert.pem": tls.cert, "key.pem": tls.key, "set.json": JSON.stringify(set) };
  for (const [name, text] of Object.entries(files)) writeFileSync(inFolder(name), text);
  const config = {
    root: "files",
    listen: { port: 0 },
    tls: { certFile: "cert.pem", keyFile: "key.pem" },
    urlKeySetFile: "set.json",
  };
  writeFileSync(inFolder("daypass.json"), JSON.stringify(config));
  const gateway = await serve("--config", inFolder("daypass.json"), "--workers", "2");
  const listening = (): readonly number[] =>
    [...gateway.log().matchAll(/"pid":(\d+)[^\n]*"msg":"listening"/g)].map(([, pid]) => Number(pid));
  await expect.poll(listening).toHaveLength(2);
  for (const name of Object.keys(files)) writeFileSync(inFolder(name), "broken");
  for (const pid of listening()) process.kill(pid, "SIGKILL");
  await expect.poll(listening, { timeout: 15_000 }).toHaveLength(4);
  expect(await statusBy(tls.cert, gateway.said.presignedUrl)).toBe(200);

  writeFileSync(join(root, ".daypass/keys.json"), "broken");
  process.kill(listening().at(-1) ?? 0, "SIGKILL");
  await expect
    .poll(gateway.log, { timeout: 15_000 })
    .toMatch(/keys\.json is not a JSON object[^\n]*a replacement worker could not start/);
  expect(await statusBy(tls.cert, gateway.said.presignedUrl)).toBe(200);
});
