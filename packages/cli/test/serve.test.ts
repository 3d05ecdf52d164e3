import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { urlSigner } from "daypass/url";
import { expect, onTestFinished, test } from "vitest";
import { keyStore } from "../src/state-folder/key-store.ts";
import { daypass, start, temporaryFolder } from "./command.ts";
import { EXAMPLES, exampleFiles, serve, status } from "./serving.ts";

test.each(["0", "2"])(
  "prints a working URL, and rejects the URL with one changed character (%s workers)",
  async (workers) => {
    const root = exampleFiles();
    const { said, stop } = await serve(root, "--port", "0", "--workers", workers);
    const { presignedUrl } = said;
    expect(await (await fetch(presignedUrl)).text()).toBe(readFileSync(join(root, "readme.txt"), "utf8"));
    for (const at of [presignedUrl.indexOf("readme"), presignedUrl.indexOf("Expires=") + 8, presignedUrl.length - 1]) {
      const changed = presignedUrl[at] === "1" ? "2" : "1";
      expect(await status(presignedUrl.slice(0, at) + changed + presignedUrl.slice(at + 1))).toBe(403);
    }
    expect(await status(said.url)).toBe(403);

    const sign = async (...args: readonly string[]) =>
      (await daypass(["sign", ...args, "--state", root])).stdout.trim();
    const put = await sign("s3://media/new.txt", "--method", "PUT", "--endpoint", said.s3Endpoint);
    expect(await status(put, { method: "PUT", body: "new" })).toBe(200);
    expect(readFileSync(join(root, "media/new.txt"), "utf8")).toBe("new");
    const get = await sign(`${said.url}/media/new.txt`);
    expect(await (await fetch(get)).text()).toBe("new");
    expect(await stop()).toBe(0);
  },
);

test.each(["0", "2"])("logs only JSON, without warnings of Node (%s workers)", async (workers) => {
  const { said, log, stop } = await serve(exampleFiles(), "--port", "0", "--workers", workers);
  expect(await status(said.presignedUrl)).toBe(200);
  await stop();
  const lines = log().trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(2);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number) });
});

test("prints neither a URL nor a secret to a pipe, and how to sign one", async () => {
  const child = start(["serve", exampleFiles(), "--port", "0"]);
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  await expect.poll(() => stdout, { timeout: 15_000 }).toContain("Stop with Ctrl-C.");
  expect(stdout).not.toMatch(/X-Amz-Signature|[\w-]{40}/);
  expect(stdout).toMatch(/Sign a URL:\n +\S.* sign s3:\/\/files\/readme.txt --endpoint http:\/\/127\.0\.0\.1:\d+\n/);
});

test("prints no secret to a pipe", async () => {
  const root = exampleFiles();
  const first = await serve(root, "--port", "0");
  expect(first.said.secretAccessKey).toBeUndefined();
  // A killed gateway must leave a complete state.
  await first.stop("SIGKILL");
  const second = await serve(root, "--port", "0", "--show-secret");
  expect(second.said.accessKeyId).toBe(first.said.accessKeyId);
  expect(second.said.secretAccessKey).toBeUndefined();
  expect(await status(second.said.presignedUrl)).toBe(200);
});

test("prints the secret of the first key once with --show-secret", async () => {
  const root = exampleFiles();
  const first = await serve(root, "--port", "0", "--show-secret");
  const { secretAccessKey = "", accessKeyId, s3Endpoint } = first.said;
  expect(secretAccessKey).toMatch(/^[\w-]{40}$/);
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const signed = await daypass(["sign", "s3://welcome/hello.txt", "--endpoint", s3Endpoint], { env });
  expect(await status(signed.stdout.trim())).toBe(200);
  await first.stop();
  const second = await serve(root, "--port", "0", "--show-secret");
  expect(second.line + second.log()).not.toContain(secretAccessKey);
});

test.each(["0", "2"])("creates no key in a failed start (%s workers)", async (workers) => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const root = exampleFiles();
  const failed = await daypass(["serve", root, "--port", String(port), "--workers", workers, "--show-secret"]);
  expect([failed.status, failed.stdout]).toEqual([1, ""]);
  expect(existsSync(join(root, ".daypass"))).toBe(false);
  const { said, stop } = await serve(root, "--port", "0", "--workers", workers, "--show-secret");
  expect(said.secretAccessKey).toMatch(/^[\w-]{40}$/);
  const stored = JSON.parse(readFileSync(join(root, ".daypass/keys.json"), "utf8"));
  expect(stored.keys).toHaveLength(2);
  expect(await status(said.presignedUrl)).toBe(200);
  await stop();
});

test.each(["0", "2"])("rejects a revoked key (%s workers)", async (workers) => {
  const root = exampleFiles();
  const { said } = await serve(root, "--port", "0", "--workers", workers);
  const store = keyStore({ folder: join(root, ".daypass"), env: {}, clock: () => new Date() });
  // Each request uses a new connection, so that all workers answer some of them.
  const statuses = (url: string) =>
    Promise.all(Array.from({ length: 20 }, () => status(url, { headers: { connection: "close" } })));
  const made = await store.create({ algorithm: "HS256", scope: {} });
  if (made.kind !== "url" || made.jwk.kty !== "oct") throw new Error("expected a shared key");
  const { url } = await urlSigner({ key: made.jwk }).sign({ url: `${said.url}/welcome/hello.txt`, expiresIn: 60 });
  await expect.poll(() => statuses(url)).toEqual(Array(20).fill(200));
  await store.revoke(made.record.id);
  await expect.poll(() => statuses(url)).toEqual(Array(20).fill(403));
  expect(await status(said.presignedUrl)).toBe(200);
});

test("logs a missing folder, and serves again when the folder is back", async () => {
  const root = exampleFiles();
  const { said, log } = await serve(root, "--port", "0");
  renameSync(root, `${root}-away`);
  await expect.poll(log, { timeout: 5000 }).toContain("the key file is missing");
  expect(await status(said.presignedUrl)).toBe(403);
  expect(await status(`${said.url}/-/readyz`)).toBe(503);
  renameSync(`${root}-away`, root);
  await expect.poll(() => status(said.presignedUrl), { timeout: 5000 }).toBe(200);
  expect(await status(`${said.url}/-/readyz`)).toBe(200);
});

test("prints a configuration error once for all workers", async () => {
  const root = exampleFiles();
  const config = join(root, "..", "daypass.json");
  writeFileSync(config, JSON.stringify({ root: "files", listen: { port: 0 }, origins: ["http://*.s3.test"] }));
  const { status, stdout } = await daypass(["serve", "--config", config, "--workers", "3", "--json"]);
  expect([
    status,
    stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).error.code),
  ]).toEqual([1, ["FAILED"]]);
});

test("rejects a port in use and a folder that another gateway serves", async () => {
  const root = exampleFiles();
  const { said } = await serve(root, "--port", "0");
  const port = new URL(said.url).port;
  const taken = await daypass(["serve", exampleFiles(), "--port", port]);
  expect([taken.status, taken.stderr]).toEqual([1, expect.stringContaining(`another program uses port ${port}. `)]);
  const workers = await daypass(["serve", exampleFiles(), "--port", port, "--workers", "2"]);
  expect([workers.status, workers.stderr]).toEqual([1, expect.stringContaining(`another program uses port ${port}. `)]);
  const twice = await daypass(["serve", root, "--port", "0"]);
  expect([twice.status, twice.stderr]).toEqual([1, expect.stringContaining("another gateway serves with the state")]);
  const otherState = await daypass(["serve", root, "--port", "0", "--state", join(root, "..", "state")]);
  expect([otherState.status, otherState.stderr]).toEqual([
    1,
    expect.stringContaining("another gateway serves this folder"),
  ]);
  const nowhere = await daypass(["serve", join(root, "nowhere")]);
  expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringContaining("the folder to serve, ")]);
});

test("redirects after a form only to configured origins", async () => {
  const root = exampleFiles();
  const config = join(root, "..", "daypass.json");
  const configure = (redirectOrigins: readonly string[]) =>
    writeFileSync(config, JSON.stringify({ root: "files", listen: { port: 0 }, redirectOrigins }));
  configure(["https://app.example.com"]);
  const { said, child, log } = await serve("--config", config, "--show-secret");
  const { s3Endpoint: endpoint, accessKeyId, secretAccessKey = "" } = said;
  const signer = s3FormSigner({ region: "us-east-1", endpoint, credentials: { accessKeyId, secretAccessKey } });
  const upload = async (redirect: string) => {
    const fields = { success_action_redirect: redirect };
    const form = signer.sign({ bucket: "media", key: "form.txt", fields, expiresIn: 60 });
    const data = new FormData();
    for (const [field, value] of Object.entries(form.fields)) data.append(field, value);
    data.append("file", new Blob(["content"]), "form.txt");
    const reply = await fetch(form.url, { method: "POST", body: data, redirect: "manual" });
    await reply.arrayBuffer();
    return [reply.status, reply.headers.get("location")?.replace(/\?.*/, "")];
  };
  expect(await upload("https://app.example.com/done")).toEqual([303, "https://app.example.com/done"]);
  expect(await upload("https://evil.example.com/done")).toEqual([403, undefined]);
  configure(["https://other.example.com"]);
  child.kill("SIGHUP");
  await expect.poll(log, { timeout: 5000 }).toContain("were reloaded");
  expect(await upload("https://app.example.com/done")).toEqual([403, undefined]);
  expect(await upload("https://other.example.com/done")).toEqual([303, "https://other.example.com/done"]);
  configure(["https://Other.example.com:443"]);
  child.kill("SIGHUP");
  await expect.poll(log, { timeout: 5000 }).toMatch(/redirectOrigins\[0\] .*Write .{1,4}https:\/\/other\.example\.com/);
  expect(await upload("https://other.example.com/done")).toEqual([303, "https://other.example.com/done"]);
});
/** Waits until an upload into a folder has begun. */
async function begun(root: string, folder: string): Promise<void> {
  const before = readdirSync(join(EXAMPLES, folder)).length;
  await expect.poll(() => readdirSync(join(root, folder)).length, { timeout: 5000 }).toBeGreaterThan(before);
}

async function listensNoMore(url: string): Promise<void> {
  const answer = () => status(url).catch(() => "no answer");
  await expect.poll(answer, { timeout: 5000 }).toBe("no answer");
}

/** The processes that log that they listen. */
function listeners(log: string): readonly number[] {
  return [...log.matchAll(/"pid":(\d+)[^\n]*"msg":"listening"/g)].map(([, pid]) => Number(pid));
}

// systemd sends SIGTERM to every process of the service.
test.each([
  ["0", "the single process"],
  ["2", "the primary"],
  ["2", "every process"],
])("finishes uploads after SIGTERM (%s workers, %s)", async (workers, told) => {
  const root = exampleFiles();
  const { said, child, stop, log } = await serve(root, "--port", "0", "--workers", workers);
  await expect.poll(() => listeners(log()).length).toBe(Math.max(1, Number(workers)));
  const put = (
    await daypass(["sign", "s3://media/slow.bin", "--method", "PUT", "--endpoint", said.s3Endpoint, "--state", root])
  ).stdout.trim();
  let finish: () => void = () => undefined;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(new Uint8Array(70_000));
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      controller.enqueue(new Uint8Array(10));
      controller.close();
    },
  });
  const upload = status(put, {
    method: "PUT",
    body,
    duplex: "half",
    headers: { "content-length": "70010" },
  } as RequestInit);
  await begun(root, "media");
  if (told === "every process") for (const pid of listeners(log())) process.kill(pid, "SIGTERM");
  const stopped = stop();
  await listensNoMore(said.presignedUrl);
  expect(child.exitCode).toBe(null);
  finish();
  expect(await upload).toBe(200);
  expect(await stopped).toBe(0);
});

test.each(["0", "2"])("reloads its configuration after a SIGHUP during the start (%s workers)", async (workers) => {
  const root = exampleFiles();
  const child = start(["serve", root, "--port", "0", "--workers", workers, "--json"]);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const line = once(createInterface({ input: child.stdout }), "line");
  const closed = once(child, "close");
  // The first file that a start creates.
  while (!existsSync(join(root, ".daypass"))) await sleep(1);
  child.kill("SIGHUP");
  const said = await Promise.race([line, closed.then((how) => new Error(`ended: ${how}`))]);
  expect(said).toEqual([expect.stringContaining("accessKeyId")]);
  await expect.poll(() => log).toContain("were reloaded");
  child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);
});

test("opens no debugger at SIGUSR1", async () => {
  const { child, log, said, stop } = await serve(exampleFiles(), "--port", "0", "--workers", "1");
  await expect.poll(() => listeners(log())).toHaveLength(1);
  for (const pid of [child.pid, ...listeners(log())]) process.kill(pid ?? 0, "SIGUSR1");
  expect(await status(said.presignedUrl)).toBe(200);
  await stop();
  expect(log()).not.toContain("Debugger");
});

test("exits at once after the second signal", async () => {
  const root = exampleFiles();
  const { said, child, stop } = await serve(root, "--port", "0");
  const put = (
    await daypass(["sign", "s3://media/never.bin", "--method", "PUT", "--endpoint", said.s3Endpoint, "--state", root])
  ).stdout.trim();
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(10)) });
  const headers = { "content-length": "20" };
  const upload = status(put, { method: "PUT", body, duplex: "half", headers } as RequestInit).catch(() => "cut");
  await begun(root, "media");
  const stopped = stop();
  await listensNoMore(said.presignedUrl);
  child.kill("SIGTERM");
  expect(await stopped).toBe(1);
  expect(await upload).toBe("cut");
  expect(existsSync(join(root, "media/never.bin"))).toBe(false);
});

test("signs for the public URL, and accepts a client's address only from a trusted proxy", async () => {
  const root = exampleFiles();
  const state = join(root, ".daypass");
  const proxied = async (trustedProxies: readonly string[]) => {
    const config = join(root, "..", "daypass.json");
    writeFileSync(
      config,
      JSON.stringify({
        root,
        listen: { port: 0 },
        publicUrl: "https://files.example.com",
        origins: ["http://127.0.0.1"],
        trustedProxies,
      }),
    );
    const running = await serve("--config", config);
    const listening = (): string => /"url":"(http:[^"]+)"/.exec(running.log())?.[1] ?? "";
    await expect.poll(listening, { timeout: 5000 }).toMatch(/^http:/);
    const signed = (
      await daypass(["sign", "https://files.example.com/welcome/hello.txt", "--ip", "192.0.2.0/24", "--state", state])
    ).stdout.trim();
    const ask = (forwarded: string) =>
      statusAs(`${listening()}${signed.slice("https://files.example.com".length)}`, forwarded);
    const answers = [await ask("192.0.2.7"), await ask("198.51.100.1"), await ask("192.0.2.7, 198.51.100.1")];
    await running.stop();
    expect(running.said.presignedUrl).toMatch(/^https:\/\/files\.example\.com\//);
    return answers;
  };
  expect(await proxied([])).toEqual([403, 403, 403]);
  expect(await proxied(["127.0.0.0/8"])).toEqual([200, 403, 403]);
});

test("limits unverified forms by the client behind a trusted proxy", async () => {
  const root = exampleFiles();
  const config = join(root, "..", "daypass.json");
  const settings = { root, listen: { port: 0 }, trustedProxies: ["127.0.0.0/8"], limits: { inFlight: 8 } };
  writeFileSync(config, JSON.stringify(settings));
  const { said } = await serve("--config", config);
  const { port } = new URL(said.url);
  const post = async (forwarded: string) => {
    const socket = connect(Number(port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answer += text;
    });
    await once(socket, "connect");
    return {
      begin: () =>
        void socket.write(
          `POST /media HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx-forwarded-for: ${forwarded}\r\ncontent-type: multipart/form-data; boundary=B\r\ncontent-length: 1000\r\n\r\n--B\r\n`,
        ),
      end: () => void socket.write("x".repeat(995)),
      status: () => answer.split(" ")[1],
    };
  };
  // Each client has one of two slots.
  const [first, same, other] = [await post("198.51.100.1"), await post("198.51.100.1"), await post("198.51.100.2")];
  first.begin();
  same.begin();
  await expect.poll(() => [first.status(), same.status()].filter((status) => status === "503").length).toBe(1);
  other.begin();
  other.end();
  await expect.poll(other.status).toBe("400");
});

/** Sends a request like a proxy. fetch() cannot set Host. */
async function statusAs(url: string, forwarded: string): Promise<number> {
  const { request } = await import("node:http");
  const sent = request(url, { headers: { host: "files.example.com", "x-forwarded-for": forwarded } });
  sent.end();
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

test("prints no URL for an empty folder", async () => {
  const root = join(temporaryFolder(), "empty");
  mkdirSync(join(root, "inbox"), { recursive: true });
  const { said } = await serve(root, "--port", "0");
  expect(said.presignedUrl).toBeUndefined();
  expect(said.accessKeyId).toMatch(/^DP/);
});

test.each(["0", "2"])("accepts the credentials of `keys session` within their scope (%s workers)", async (workers) => {
  const root = exampleFiles();
  const { said, stop } = await serve(root, "--port", "0", "--workers", workers);
  const state = join(root, ".daypass");
  const args = ["keys", "session", said.accessKeyId, "--expires-in", "15m", "--bucket", "welcome", "--state", state];
  const hidden = await daypass(args);
  expect([hidden.status, hidden.stdout]).toEqual([2, ""]);
  const { stdout } = await daypass([...args, "--show-secret", "--json"]);
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = JSON.parse(stdout);
  const signer = s3Signer({
    region: "us-east-1",
    endpoint: said.s3Endpoint,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  });
  const open = (bucket: string, key: string) => status(signer.sign({ bucket, key, expiresIn: 60 }).url);
  expect([await open("welcome", "hello.txt"), await open("files", "readme.txt")]).toEqual([200, 403]);
  await stop();
});
