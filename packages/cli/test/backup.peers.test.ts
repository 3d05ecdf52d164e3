import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { s3Signer } from "daypass/s3";
import { describe, expect, test } from "vitest";
import { needs } from "../../../tools/needs.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { exampleFiles, type Running, serve } from "./serving.ts";

const reason = needs("rsync", "sqlite3");
const guide = readFileSync(new URL("../../../docs/guide/on-a-server.md", import.meta.url), "utf8");
const [, section = ""] = guide.split("## Backup and restore");
/** The commands of the guide: with a stopped gateway, with a running one, and to restore. */
const [stopped, running, restored] = [...section.matchAll(/```console\n([^`]*)```/g)].map(([, lines = ""]) =>
  lines
    .split("\n")
    .filter((line) => line.startsWith("# ") && !line.includes("systemctl"))
    .map((line) => line.slice(2).replaceAll(" --chown=daypass:daypass", "")),
);

function type(commands: readonly string[] | undefined, places: Readonly<Record<string, string>>): void {
  expect(commands?.length).toBeGreaterThan(0);
  let script = (commands ?? []).join("\n");
  for (const [place, folder] of Object.entries(places)) script = script.replaceAll(place, folder);
  execFileSync("sh", ["-euc", script], { stdio: ["ignore", "inherit", "inherit"] });
}

const BODY = "hello, backup";
const KEYS = ["talks/a.txt", "talks//b.txt", "talks/a.txt/below"];

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const signerOf = ({ said }: Running, credentials: Credentials) =>
  s3Signer({ region: "us-east-1", endpoint: said.s3Endpoint, credentials });

async function upload(gateway: Running, credentials: Credentials, body = BODY): Promise<void> {
  const sha256 = createHash("sha256").update(body).digest("base64");
  const headers = { "x-amz-meta-who": "me", "x-amz-checksum-sha256": sha256, "cache-control": "max-age=9" };
  for (const key of KEYS) {
    const bind = { contentType: "text/x-own", headers };
    const link = signerOf(gateway, credentials).sign({ method: "PUT", bucket: "media", key, expiresIn: 60, bind });
    const answer = await fetch(link.url, { method: "PUT", headers: link.headers, body });
    expect(answer.status).toBe(200);
  }
}

/** The properties of an object for clients. */
async function seen(gateway: Running, credentials: Credentials) {
  const all = [];
  for (const key of KEYS) {
    const bind = { headers: { "x-amz-checksum-mode": "ENABLED" } };
    const link = signerOf(gateway, credentials).sign({ bucket: "media", key, expiresIn: 60, bind });
    const answer = await fetch(link.url, { headers: link.headers });
    const names = ["etag", "content-type", "x-amz-meta-who", "x-amz-checksum-sha256", "last-modified"];
    all.push([answer.status, await answer.text(), ...names.map((name) => answer.headers.get(name))]);
  }
  return all;
}

describe.skipIf(reason)(`a backup as the guide describes it${reason ?? ""}`, () => {
  test.each([
    ["of a gateway that is stopped", "in another place", { isLive: false, hasCrashed: false }],
    ["of one that serves", "in another place", { isLive: true, hasCrashed: false }],
    ["of one that serves", "over what a crash has left", { isLive: true, hasCrashed: true }],
  ])("%s brings everything back %s", async (_, _place, { isLive, hasCrashed }) => {
    const [root, state] = [exampleFiles(), join(temporaryFolder(), "state")];
    mkdirSync(join(root, "media"), { recursive: true });
    const gateway = await serve(root, "--state", state, "--port", "0", "--show-secret");
    const { accessKeyId, secretAccessKey = "" } = gateway.said;
    const credentials = { accessKeyId, secretAccessKey };
    await upload(gateway, credentials);
    const before = await seen(gateway, credentials);
    expect(before[1]).toEqual([
      200,
      BODY,
      expect.any(String),
      "text/x-own",
      "me",
      expect.any(String),
      expect.any(String),
    ]);
    if (!isLive) await gateway.stop();
    const backup = temporaryFolder();
    const [otherRoot, otherState] = [join(temporaryFolder(), "files"), join(temporaryFolder(), "state")];
    const from = { "/srv/files": root, "/var/lib/daypass": state, "/backup": backup };
    type(isLive ? running : stopped, from);
    // A second one goes over the first.
    type(isLive ? running : stopped, from);
    if (hasCrashed) {
      // The new body has another length, because rsync compares times in whole seconds.
      await upload(gateway, credentials, `${BODY} and more`);
      // Without the end of the gateway, which would move the log of its index into it.
      execFileSync("cp", ["-a", root, otherRoot]);
      expect(readdirSync(join(otherRoot, ".daypass"))).toContain("index.db-wal");
    }
    if (isLive) await gateway.stop();
    rmSync(root, { recursive: true });
    rmSync(state, { recursive: true });
    type(restored, { "/srv/files": otherRoot, "/var/lib/daypass": otherState, "/backup": backup });

    const again = await serve(otherRoot, "--state", otherState, "--port", "0");
    expect(again.said).toMatchObject({ accessKeyId, urlKeyId: gateway.said.urlKeyId });
    expect(await seen(again, credentials)).toEqual(before);
    const path = `${again.said.url}/media/talks/a.txt`;
    const signed = await daypass(["sign", path, "--state", otherState]);
    expect(await (await fetch(signed.stdout.trim())).text()).toBe(BODY);
    await again.stop();
  });
});
