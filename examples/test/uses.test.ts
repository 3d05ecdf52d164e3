import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { urlSigner } from "daypass/url";
import { expect, it, onTestFinished } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { start } from "./program.ts";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

it("counts the uses of a URL in a store of the app, once for requests at the same time, and keeps the count over a restart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "daypass-uses-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const run = () => start("protect/uses.js", { PORT: String(port), DAYPASS_KEY: key.k, USES_FOLDER: folder });
  const { url } = urlSigner({ key }).sign({ url: `http://127.0.0.1:${port}/ticket`, uses: 3, expiresIn: 60 });
  const get = async (method = "GET"): Promise<number> => (await fetch(url, { method })).status;
  const first = await run();
  expect(await get("HEAD")).toBe(200);
  expect(await get()).toBe(200);
  await first.stop();
  const second = await run();
  onTestFinished(() => second.stop());
  const statuses = await Promise.all(Array.from({ length: 10 }, () => get()));
  expect(statuses.filter((status) => status === 200)).toHaveLength(2);
  expect(statuses.filter((status) => status === 403)).toHaveLength(8);
});
