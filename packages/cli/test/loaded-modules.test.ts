import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { daypassProcess, temporaryFolder } from "./command.ts";

const SIGN = ["sign", "s3://b/k", "--region", "us-east-1"];

/** The modules that a command loads, by V8's coverage and the source maps: `package/path`, or the name of a package of others. */
async function loadedBy(...args: readonly string[]): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const env = { NODE_V8_COVERAGE: folder, AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const { status, stderr } = await daypassProcess(args, { env, input: "" });
  expect(status, stderr).toBe(0);
  const scripts = readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  const loaded = scripts.flatMap((url) => {
    if (!url.includes("/cli/dist/")) return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [];
    const { sources } = JSON.parse(readFileSync(fileURLToPath(`${url}.map`), "utf8")) as { sources: string[] };
    return sources.map((source) => (/(\w+)\/src\/(.*)$/.exec(new URL(source, url).href) ?? []).slice(1).join("/"));
  });
  expect(loaded).toContain("cli/program.ts");
  return loaded;
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
  expect(loaded.filter((file) => !["gateway/scope.ts", "gateway/pipeline/scope-match.ts"].includes(file))).toEqual([]);
});

// The schema of the configuration takes as long to load as Node itself.
test.each([[SIGN], [["--version"]]])("loads no package of others for %j", async (args) => {
  const loaded = await loadedBy(...args);
  expect(loaded.filter((file) => !file.includes("/") || file.startsWith("@"))).toEqual([]);
});

// Each module takes half a millisecond, for every URL of a script.
test("loads neither batches, verifiers, stored keys nor other versions for one S3 URL", async () => {
  const loaded = await loadedBy(...SIGN);
  const foreign =
    /^cli\/(?:batch\/(?!options)|state-folder\/key-store)|^daypass\/schemes\/(?:s3\/(?:\w+\/|verify)|url\/)/;
  expect(loaded.filter((file) => foreign.test(file))).toEqual([]);
});
