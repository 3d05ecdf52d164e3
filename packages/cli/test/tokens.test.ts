import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { serve, status } from "./serving.ts";

test("tokens creates a token that the admin API accepts until it is revoked, and shows it once", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "files"));
  const [state, listen] = [join(folder, ".daypass"), `127.0.0.1:${await freePort()}`];
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify({ root: ".", admin: { listen } }));
  await serve(folder, "--port", "0", "--config", config);
  const tokens = async (...args: readonly string[]) => daypass(["tokens", ...args, "--state", state]);
  const made = await tokens("create", "--scope", "claims:write", "--scope", "links:read", "--label", "shop");
  expect(made).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^[\w-]{43}\n$/),
    stderr: expect.stringMatching(/^This token is shown only once\. Its id .* is \w+\n$/),
  });
  const id = made.stderr.trim().split(" ").at(-1) ?? "";
  const limited = await tokens("create", "--scope", "links:read", "--bucket", "files", "--prefix", "a/", "--json");
  expect(JSON.parse(limited.stdout)).toMatchObject({ buckets: ["files"], prefix: "a/", token: expect.any(String) });

  const authorization = `Bearer ${made.stdout.trim()}`;
  const until = new Date(Date.now() + 60_000).toISOString();
  const claim = async () =>
    fetch(`http://${listen}/claims`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ keyId: "k1", grantId: "g1", uses: 1, until }),
    });
  expect(await (await claim()).json()).toEqual({ claimed: true });
  expect(await (await claim()).json()).toEqual({ claimed: false });

  expect(await tokens("revoke", id)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await status(`http://${listen}/links`, { headers: { authorization } })).toBe(401);
  const { stdout } = await tokens("list");
  expect(stdout.split("\n").map((row) => row.split(/ {2,}/).slice(1))).toEqual(
    expect.arrayContaining([
      ["revoked", expect.any(String), "claims:write,links:read", "everything", "shop"],
      ["active", expect.any(String), "links:read", "buckets=files prefix=a/"],
    ]),
  );
  expect(stdout + (await tokens("list", "--json")).stdout).not.toContain(made.stdout.trim());
  expect((await tokens("revoke", "unknown")).stderr).toContain("NO_SUCH_TOKEN");
});

test.each([
  [["tokens", "create"], "--scope is missing"],
  [["tokens", "create", "x", "--scope", "links:read"], "takes no argument"],
  [["tokens", "create", "--scope", "links:read", "--prefix", ""], "--prefix is empty"],
  [["tokens", "list", "--scope", "links:read"], "only for tokens create"],
  [["tokens", "revoke"], "takes the id of a token"],
  [["tokens", "make"], 'the action is "make". Pass '],
])("refuses daypass %j", async (args, text) => {
  const finished = await daypass(args as string[]);
  expect([finished.status, finished.stderr]).toEqual([2, expect.stringContaining(text)]);
});
