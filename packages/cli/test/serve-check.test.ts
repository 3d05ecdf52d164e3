import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, Server, Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

afterEach(() => vi.restoreAllMocks());

/** A folder with a bucket, a loose file and a configuration. */
function served(config: object = {}) {
  const folder = temporaryFolder();
  const root = join(folder, "files");
  mkdirSync(join(root, "media"), { recursive: true });
  writeFileSync(join(root, "a.txt"), "a");
  const file = join(folder, "daypass.json");
  writeFileSync(file, JSON.stringify({ root: "files", ...config }));
  return { folder, root, file, state: join(root, ".daypass") };
}

const entries = (folder: string) => readdirSync(folder, { recursive: true }).sort();

const faultsOf = (stderr: string, folder: string) =>
  stderr
    .trimEnd()
    .split("\n")
    .map((line) => line.replaceAll(`${folder}/`, ""));

test("serve --check prints what it would serve, opens no socket and creates no file", async () => {
  const { folder, root, file } = served({
    publicUrl: "https://files.example.com",
    routes: [{ origin: "https://app.example.com", prefix: "/x/", upstream: "http://127.0.0.1:3000" }],
  });
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const before = entries(folder);
  const opened = [vi.spyOn(Server.prototype, "listen"), vi.spyOn(Socket.prototype, "connect")];
  const run = await daypass(["serve", "--config", file, "--check", "--port", `${port}`]);
  expect([run.status, run.stderr]).toEqual([0, ""]);
  for (const line of [
    `serves   ${root}, buckets: files, media`,
    "origins  https://files.example.com",
    `listens  127.0.0.1, port ${port}, HTTP, one process`,
    "keys     a start creates one for S3 and one for Daypass URLs",
    `state    ${root}/.daypass (a start creates it)`,
    "links    on https://files.example.com, from the first daypass share",
    "route 1  https://app.example.com/x/ to http://127.0.0.1:3000",
  ])
    expect(run.stdout.split("\n")).toContain(line);
  expect(opened.map((spy) => spy.mock.calls)).toEqual([[], []]);
  expect(entries(folder)).toEqual(before);
});

test("serve --check reports every fault of the schema, and ends with 1", async () => {
  const { folder, file } = served({ root: 1, rooot: "files", colour: 2, listen: { port: "x" } });
  const { status, stdout, stderr } = await daypass(["serve", "--config", file, "--check"]);
  expect([status, stdout]).toEqual([1, ""]);
  expect(faultsOf(stderr, folder)).toEqual([
    "fault: root in daypass.json is 1. Set it to a string",
    'fault: listen.port in daypass.json is "x". Set it to a whole number',
    "fault: rooot in daypass.json is not a setting. Did you mean root?",
    expect.stringContaining("fault: colour in daypass.json is not a setting."),
  ]);
});

test("serve --check reports every fault of settings, files and keys", async () => {
  const { folder, file, state } = served({
    publicUrl: "https://a.example",
    root: "none",
    state: "files/.daypass",
    links: { origin: "https://b.example", handOver: { via: "x-accel-redirect" } },
    cors: { methods: ["GET"] },
    tls: { certFile: "cert.pem", keyFile: "key.pem" },
    urlKeySetFile: "keys.json",
    forwardAuth: {
      listen: "127.0.0.1:9000",
      hosts: [{ origin: "https://c.example", prefix: "/a/../" }],
    },
  });
  expect((await daypass(["keys", "create", "--out", join(folder, "key"), "--state", state])).status).toBe(0);
  writeFileSync(join(folder, "keys.json"), "[]");
  rmSync(join(state, "master.key"));
  const { status, stdout } = await daypass(["serve", "--config", file, "--check", "--json"]);
  const { faults, keys } = JSON.parse(stdout);
  expect([status, keys]).toEqual([1, "see the faults"]);
  expect(faultsOf(faults.join("\n"), folder)).toEqual([
    expect.stringContaining("the folder to serve, none, does not exist"),
    expect.stringContaining('links.origin in daypass.json is "https://b.example"'),
    expect.stringContaining("cors.origins in daypass.json is missing"),
    expect.stringContaining("tls.certFile names cert.pem, which does not exist"),
    expect.stringContaining("urlKeySetFile names keys.json, which is not a JWK set"),
    expect.stringContaining("the master key files/.daypass/master.key of these keys does not exist"),
    expect.stringContaining("links.handOver.prefix must begin and end with /"),
    expect.stringContaining("hosts[0].prefix is"),
  ]);
});

test("serve --check names the active keys, and the gateway that runs", async () => {
  const { root } = served();
  const { child, said } = await serve(root, "--port", "0");
  const { status, stdout } = await daypass(["serve", root, "--check", "--json"]);
  expect([status, JSON.parse(stdout)]).toMatchObject([
    0,
    {
      keys: `${said.accessKeyId}, ${said.urlKeyId}`,
      running: `process ${child.pid} serves ${root} with this state`,
      faults: [],
    },
  ]);
});
