import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { callBucket } from "../e2e/bucket-client.ts";
import { sendS3, useGateway } from "../e2e/clients.ts";

const gateway = useGateway({ files: { "media/a.txt": "a" } });

const DEEP = `deep/${"d/".repeat(500)}leaf`;

function foldersBelow(path: string): number {
  const folders = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.reduce((count, { name }) => count + 1 + foldersBelow(join(path, name)), 0);
}

const send = (method: "GET" | "PUT" | "DELETE", key: string) =>
  sendS3(gateway, { method, bucket: "media", key, ...(method === "PUT" ? { body: key } : {}) });
const list = async (query: Readonly<Record<string, string>>) =>
  String((await callBucket(gateway, { method: "GET", bucket: "media", query: { "list-type": "2", ...query } })).body);

describe("the sender of a key of five hundred folders", () => {
  it("has none of them made, and the object is like any other", async () => {
    const before = foldersBelow(join(gateway.root, "media"));
    expect((await send("PUT", DEEP)).status).toBe(200);
    expect(foldersBelow(join(gateway.root, "media"))).toBe(before);
    expect((await send("GET", DEEP)).text).toBe(DEEP);
    expect(await list({})).toContain(`<Key>${DEEP}</Key>`);
    expect(await list({ prefix: "deep/d/d/", delimiter: "/" })).toContain("<Prefix>deep/d/d/d/</Prefix>");
    expect((await send("DELETE", DEEP)).status).toBe(204);
    expect((await send("GET", DEEP)).status).toBe(404);
    expect(await list({})).not.toContain(DEEP);
  });

  it("finds the folders of others where they are, however deep", async () => {
    const folder = join(gateway.root, "media", "own", ...Array.from({ length: 100 }, () => "d"));
    mkdirSync(folder, { recursive: true });
    const key = `own/${"d/".repeat(100)}leaf`;
    expect((await send("PUT", key)).status).toBe(200);
    expect(readFileSync(join(folder, "leaf"), "utf8")).toBe(key);
    expect((await send("GET", key)).text).toBe(key);
  });

  it("leaves keys of some folders the files that they are", async () => {
    const key = `some/${"d/".repeat(63)}leaf`;
    expect((await send("PUT", key)).status).toBe(200);
    expect(readFileSync(join(gateway.root, "media", key), "utf8")).toBe(key);
  });
});
