import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";
import { exampleFiles, serveWith, status } from "./serving.ts";

/** A gateway whose user has a home, and the commands of this user. */
async function served(config: readonly string[] = []) {
  const root = exampleFiles();
  const HOME = temporaryFolder();
  const gateway = await serveWith({ env: { HOME } }, root, "--port", "0", ...config);
  const sign = (args: readonly string[], env = {}) => daypass(["sign", ...args], { env: { HOME, ...env } });
  return { ...gateway, root, HOME, sign };
}

test("finds the state of the gateway that serves the endpoint or the origin, until the gateway ends", async () => {
  const { said, sign, stop, HOME } = await served();
  // The variables belong to another server.
  const env = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const signed = await sign(["s3://files/readme.txt", "--endpoint", said.s3Endpoint], env);
  expect([signed.stderr, await status(signed.stdout.trim())]).toEqual(["", 200]);
  for (const origin of [said.url, said.url.replace("127.0.0.1", "localhost")])
    expect(await status((await sign([`${origin}/files/readme.txt`])).stdout.trim())).toBe(200);
  const elsewhere = await sign(["https://other.example/a"]);
  expect([elsewhere.status, elsewhere.stderr]).toEqual([
    1,
    expect.stringContaining("there is no key for Daypass URLs"),
  ]);
  await stop();
  expect(readdirSync(join(HOME, ".local/state/daypass/serving"))).toEqual([]);
  expect((await sign([`${said.url}/files/readme.txt`])).status).toBe(1);
});

test("verifies with the state of the gateway that serves the URL, unless other keys are given", async () => {
  const { said, sign, HOME } = await served();
  const verify = async (url: string, env = {}, ...args: readonly string[]) => {
    const { status, stdout, stderr } = await daypass(["verify", url, ...args], { env: { HOME, ...env } });
    return [status, stdout.split("\n", 1)[0], stderr];
  };
  const aws = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const jwk = { DAYPASS_KEY: JSON.stringify({ kty: "oct", alg: "HS256", kid: "k1", k: "A".repeat(43) }) };
  const url = (await sign([`${said.url}/files/readme.txt`])).stdout.trim();
  const s3 = (await sign(["s3://files/readme.txt", "--endpoint", said.s3Endpoint])).stdout.trim();
  for (const [one, env] of [[url], [url, aws], [s3], [s3, aws], [s3, jwk]] as const)
    expect(await verify(one, env)).toEqual([0, "granted", ""]);
  expect(await verify(url, jwk)).toEqual([1, "refused: UNKNOWN_KEY", ""]);
  const file = join(temporaryFolder(), "schemes.json");
  writeFileSync(
    file,
    JSON.stringify({ scheme: "nginx", credentials: { secret: "x" }, expression: "$secure_link_expires$uri $secret" }),
  );
  expect((await verify(url, {}, "--schemes", file))[0]).toBe(1);
  expect((await verify(url.replace("127.0.0.1", "192.0.2.1")))[2]).toContain("there is no key to verify with");
});

test("explains the last character of a signature that was changed, with the answer and the key of the gateway", async () => {
  const { said, sign, root, HOME } = await served();
  const { stdout } = await sign(["s3://files/readme.txt", "--endpoint", said.s3Endpoint]);
  const url = stdout.trim().replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
  const answer = await fetch(url);
  const body = join(temporaryFolder(), "body.xml");
  writeFileSync(body, await answer.text());
  for (const known of [[], ["--status", "403"], ["--error", body]]) {
    const told = await daypass(["explain", url, "--state", root, ...known], { env: { HOME } });
    expect([answer.status, told.stdout]).toEqual([
      403,
      expect.stringMatching(/^One character of the signature, the character 64 of 64, differs/),
    ]);
  }
});

test.each(["0", "2"])("finds a gateway by an origin that a reload has added (%s workers)", async (workers) => {
  const root = exampleFiles();
  const file = join(root, "..", "daypass.json");
  const configure = (config: object) =>
    writeFileSync(file, JSON.stringify({ root: "files", listen: { port: 0 }, ...config }));
  configure({});
  const HOME = temporaryFolder();
  const { child } = await serveWith({ env: { HOME } }, "--config", file, "--workers", workers);
  const sign = async () =>
    (await daypass(["sign", "https://files.example.com/files/readme.txt"], { env: { HOME } })).status;
  expect(await sign()).toBe(1);
  configure({ publicUrl: "https://files.example.com" });
  child.kill("SIGHUP");
  await expect.poll(sign).toBe(0);
});

test("ignores the record of a gateway that was killed", async () => {
  const { said, sign, stop } = await served();
  await stop("SIGKILL");
  expect((await sign([`${said.url}/files/readme.txt`])).status).toBe(1);
});

test("refuses what the gateway would refuse, and warns for a folder", async () => {
  const { said, sign, root } = await served();
  for (const [option, value, reason] of [
    ["--uses", "1", "counts no uses yet"],
    ["--subject", "cus_42", "compares no subjects"],
  ] as const) {
    for (const state of [[], ["--state", root]]) {
      const { status, stdout, stderr } = await sign([`${said.url}/files/readme.txt`, option, value, ...state]);
      expect([status, stdout, stderr]).toEqual([1, "", expect.stringContaining(reason)]);
    }
  }
  for (const args of [
    [`${said.url}/media/talks/`],
    [`${said.url}/welcome`],
    ["s3://media/talks", "--endpoint", said.url],
  ]) {
    const { status, stderr } = await sign(args);
    expect([status, stderr]).toEqual([0, expect.stringContaining("is a folder, and the gateway serves files only")]);
  }
});

test("signs --uses for a gateway that counts them", async () => {
  const { said, sign, root, child, log } = await served();
  expect((await daypass(["links", "list", "--state", root])).status).toBe(0);
  expect(existsSync(join(root, ".daypass/state.db"))).toBe(true);
  child.kill("SIGHUP");
  await expect.poll(log).toContain("were reloaded");
  const url = (await sign([`${said.url}/files/readme.txt`, "--uses", "1"])).stdout.trim();
  expect([await status(url), await status(url)]).toEqual([200, 403]);
});
