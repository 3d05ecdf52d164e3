import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypass, temporaryFolder } from "./command.ts";

/** The files of the gateway that a command loads, as V8's coverage lists them. */
async function loadedOfGateway(...args: readonly string[]): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const env = { NODE_V8_COVERAGE: folder, AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const { status, stderr } = await daypass(args, { env, input: "" });
  expect(status, stderr).toBe(0);
  const scripts = readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), "utf8")) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  expect(scripts.some((url) => url.includes("/cli/dist/commands/"))).toBe(true);
  return scripts.filter((url) => url.includes("/gateway/dist/")).map((url) => url.replace(/^.*\/gateway\/dist\//, ""));
}

// Loading all of it takes longer than all else that signing one URL does.
test.each([
  [["sign", "s3://b/k", "--region", "us-east-1"]],
  [["sign", "--batch", "-"]],
  [["verify", "--batch", "-"]],
  [["keys", "list", "--state", "."]],
  [["scan", "-"]],
])("does not load the gateway for %j", async (args) => {
  const loaded = await loadedOfGateway(...args);
  expect(loaded.filter((file) => !["scope.js", "pipeline/reach.js"].includes(file))).toEqual([]);
});
