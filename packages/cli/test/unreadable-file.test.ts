import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { daypassProcess, temporaryFolder } from "./command.ts";
import { serveWith } from "./serving.ts";

/** Root may read every file. */
const uid = process.getuid?.() === 0 ? 65_534 : undefined;

test("a file that the gateway may not read is 500 without Retry-After, by URL and by link, with the reason in the log", async () => {
  const [folder, cwd] = [temporaryFolder(), temporaryFolder()];
  const path = join(folder, "media/a.txt");
  mkdirSync(join(folder, "media"));
  writeFileSync(path, "text");
  for (const name of [folder, join(folder, "media"), cwd]) if (uid !== undefined) chownSync(name, uid, uid);
  const { said, log } = await serveWith({ uid, cwd }, folder, "--port", "0");
  const state = join(folder, ".daypass");
  const { stdout } = await daypassProcess(["links", "create", "media/a.txt", "--state", state], { uid, cwd });
  const link = /http\S+/.exec(stdout)?.[0] ?? "";
  const answers = async () => {
    const found = await Promise.all([said.presignedUrl, link].map((address) => fetch(address)));
    return Promise.all(found.map(async (one) => [one.status, one.headers.get("retry-after"), await one.text()]));
  };
  expect(await answers()).toEqual([
    [200, null, "text"],
    [200, null, "text"],
  ]);
  chmodSync(path, 0);
  expect(await answers()).toEqual([
    [500, null, expect.stringContaining("<Code>InternalError</Code><Message>The storage denies")],
    [500, null, "the server may not read this file: tell the sender\n"],
  ]);
  await expect.poll(() => log().match(/"code":"STORAGE_DENIED".*EACCES/g)).toHaveLength(2);
});
