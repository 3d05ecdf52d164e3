import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DIST, daypassProcess, temporaryFolder } from "./command.ts";

const SIGN = ["sign", "s3://b/k", "--region", "us-east-1"];

/** The URLs of the files that a command loads, by V8's coverage. */
async function scriptsOf(...args: readonly string[]): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const env = { NODE_V8_COVERAGE: folder, AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const { status, stderr } = await daypassProcess(args, { env, input: "", script: DIST });
  expect(status, stderr).toBe(0);
  return readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
}

/** Our files among them: `package/path`. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const scripts = await scriptsOf(...args);
  expect(scripts.some((url) => url.includes("/cli/dist/commands/"))).toBe(true);
  return scripts.flatMap((url) => (/(\w+)\/dist\/(.*)$/.exec(url) ?? []).slice(1).join("/") || []);
}

// Loading the gateway takes longer than signing a URL.
test.each([
  [SIGN],
  [["sign", "--batch", "-"]],
  [["verify", "--batch", "-"]],
  [["keys", "list", "--state", "."]],
  [["scan", "-"]],
])("does not load the gateway for %j", async (args) => {
  const loaded = (await loadedBy(...args)).filter((file) => file.startsWith("gateway/"));
  expect(loaded.filter((file) => !["gateway/scope.js", "gateway/pipeline/scope-match.js"].includes(file))).toEqual([]);
});

// Each module takes half a millisecond, for every URL of a script.
test("loads neither batches, verifiers, stored keys nor other versions for one S3 URL", async () => {
  const loaded = await loadedBy(...SIGN);
  const foreign = /^cli\/(?:batch\/(?!options)|state\/key-store)|^daypass\/schemes\/(?:s3\/(?:\w+\/|verify)|url\/)/;
  expect(loaded.filter((file) => foreign.test(file))).toEqual([]);
});

// Only the configuration needs zod, which is many modules.
test.each([[SIGN], [["--version"]]])("loads no zod for %j", async (args) => {
  expect((await scriptsOf(...args)).filter((url) => url.includes("/node_modules/zod/"))).toEqual([]);
});
