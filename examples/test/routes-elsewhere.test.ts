import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { signedRoute } from "daypass/routes";
import { urlSigner } from "daypass/url";
import { expect, it, onTestFinished } from "vitest";
import { freePort } from "../../tools/free-port.ts";
import { bundle } from "./bundle.ts";
import { countsEachUseOnce } from "./one-time.ts";
import { workerd } from "./workerd.ts";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

it("opens a signed route in a Worker, and refuses a changed parameter", async () => {
  const worker = await workerd(await bundle("routes/worker.js", "workerd"), { DAYPASS_KEY: key.k });
  const route = signedRoute({ path: "/invoices/:id", origin: "https://api.example.com", signer: urlSigner({ key }) });
  const { url } = route.sign({ id: "a b" }, { expiresIn: 60 });
  const opened = await worker.get(url);
  const refused = await worker.get(url.replace("a%20b", "a%20c"));
  await worker.stop();
  expect([opened.status, JSON.parse(opened.body).id]).toEqual([200, "a b"]);
  expect([refused.status, JSON.parse(refused.body).code]).toEqual([403, "SIGNATURE_MISMATCH"]);
});

it("verifies a URL from a queue, and refuses a URL that was changed there", async () => {
  process.env["DAYPASS_KEY"] = key.k;
  const { enqueue, work } = await import("../routes/queue.js");
  const urls: string[] = [];
  for await (const url of enqueue(["cus_42", "", "cus_44"])) urls.push(url);
  expect(urls[1]).toContain("params.customer");
  expect(await work(urls[0] ?? "")).toBe("report for cus_42");
  await expect(work((urls[2] ?? "").replace("cus_44", "cus_45"))).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
});

it("counts each use once in the state of a gateway", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-uses-"));
  process.env["STATE_FILE"] = join(folder, "uses.db");
  const { uses } = await import("../routes/one-time-gateway.js");
  await countsEachUseOnce(uses);
  rmSync(folder, { recursive: true });
});

it("counts each use once over the admin API of a running gateway", async () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [root, config, state] = ["root", "config.json", "root/.daypass"].map((name) => join(folder, name));
  const listen = `127.0.0.1:${await freePort()}`;
  mkdirSync(root ?? "");
  writeFileSync(config ?? "", JSON.stringify({ root: "./root", admin: { listen } }));
  const command = fileURLToPath(new URL("../node_modules/.bin/daypass", import.meta.url));
  const tokens = ["tokens", "create", "--scope", "claims:write", "--state", state ?? ""];
  const gateway = spawn(command, ["serve", "--config", config ?? "", "--port", "0", "--json"], { stdio: "pipe" });
  onTestFinished(() => stop(gateway));
  await once(gateway.stdout, "data");
  process.env["DAYPASS_ADMIN_TOKEN"] = execFileSync(command, tokens, { encoding: "utf8", stdio: "pipe" }).trim();
  process.env["DAYPASS_ADMIN"] = `http://${listen}`;
  const { uses } = await import("../routes/one-time-admin-api.js");
  await countsEachUseOnce(uses);
});

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill();
  await ended;
}
