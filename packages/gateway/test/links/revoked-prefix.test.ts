import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { urlSigner } from "daypass/url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openRoutes } from "../../src/upstream/index.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { adminCalls } from "./admin-calls.ts";
import { BROWSER, linkBench, URL_KEY } from "./link-bench.ts";

const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI" };
let upstream: Server;
beforeAll(async () => {
  upstream = createServer((request, response) => response.end(request.url)).listen(0, "127.0.0.1");
  await once(upstream, "listening");
});
afterAll(() => void upstream.close());

const bench = linkBench(
  () => ({ url: [URL_KEY], s3: (id) => (id === key.accessKeyId ? key : undefined) }),
  (origin) => ({
    routes: openRoutes([
      { origin, prefix: "/app/", upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` },
    ]),
  }),
);
const places = () => [{ origin: bench.url, prefix: "/app/", countsBytes: true }];
const admin = adminCalls(bench, { places });

beforeEach(() => {
  mkdirSync(join(bench.folder, "root/media/holiday/private/deep"), { recursive: true });
  for (const name of ["a", "b", "c", "deep/d"]) bench.write(`holiday/private/${name}.txt`, "secret");
  bench.write("holiday/private-not.txt", "shown");
  bench.write("holiday/z.txt", "shown");
});

const revoke = async (prefix = "media/holiday/private/", id = prefix): Promise<void> =>
  bench.links.apply([await bench.links.state.revoke({ id, selector: { kind: "prefix", id: prefix } }, "operator")]);

interface S3Call {
  readonly method?: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function s3({ method = "GET", key: name, query = {}, headers = {}, body }: S3Call) {
  const signer = s3Signer({
    ...{ credentials: key, region: "us-east-1", endpoint: bench.url, addressing: "path", clock: bench.clock },
  });
  const target = name === undefined ? { resource: "bucket" as const } : { key: name };
  const { url } = signer.sign({ method, bucket: "media", ...target, expiresIn: 60, bind: { query, headers } });
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  const plain = (found: string): string => found.replace("&lt;", "<").replace("&gt;", ">");
  const all = (path: string) =>
    Array.from(text.matchAll(new RegExp(`<${path}>([^<]*)`, "g")), ([, found = ""]) => plain(found));
  return { status: answer.status, text, all };
}

/** Follows the pages of a listing. */
async function pages(query: Readonly<Record<string, string>>, next: Readonly<Record<string, string>>) {
  const found: string[][] = [];
  let more: Record<string, string> = {};
  for (;;) {
    const { status, text, all } = await s3({ query: { ...query, ...more } });
    expect(status).toBe(200);
    expect(text).not.toContain("private/");
    found.push([...all("Key"), ...all("CommonPrefixes><Prefix")].sort());
    if (all("IsTruncated")[0] !== "true") return found;
    more = Object.fromEntries(Object.entries(next).map(([name, element]) => [name, all(element)[0] ?? "missing"]));
    expect(found.length).toBeLessThan(20);
  }
}

describe("a revocation of a prefix, and a link of a folder", () => {
  it.each([
    ["in the prefix", "holiday/private/", ""],
    ["below the prefix", "holiday/private/deep/", ""],
    ["above the prefix, opened in it", "holiday/", "private/"],
    ["above the prefix, opened below it", "holiday/", "private/deep/"],
  ])("refuses the listing, the zip and every step before a visit of a link %s", async (_, folder, rest) => {
    const { variant } = await bench.make({ kind: "prefix", key: folder });
    const path = `/l/${variant.id}/${rest}`;
    for (const target of [path, `${path}?zip`]) expect((await bench.get(target)).status).toBe(200);
    const counted = await bench.make({ kind: "prefix", key: folder, maxDeliveries: 1 });
    await revoke();
    for (const target of [path, `${path}?zip`, `${path}?sort=date`]) {
      for (const headers of [{}, BROWSER]) expect((await bench.get(target, { headers })).status).toBe(410);
    }
    if (rest !== "") return;
    expect((await bench.get(`/l/${counted.variant.id}/`, { headers: BROWSER })).status).toBe(410);
    expect((await bench.press(`/l/${counted.variant.id}/`, { claim: "claim-key-0123456789" })).status).toBe(410);
    expect((await bench.links.state.getLink(counted.link.id))?.variants[0]?.used).toBe(0);
  });

  it("leaves the prefix out of the listing and the zip of a folder above it", async () => {
    const { variant } = await bench.make({ kind: "prefix", key: "holiday/" });
    await revoke();
    const page = await (await bench.get(`/l/${variant.id}/`, { headers: BROWSER })).text();
    expect(page).toContain("z.txt");
    expect(page).toContain("private-not.txt");
    expect(page).not.toContain("private/");
    const zip = Buffer.from(await (await bench.get(`/l/${variant.id}/?zip`)).arrayBuffer()).toString("latin1");
    expect(zip).toContain("z.txt");
    expect(zip).not.toContain("private/");
    expect(zip).not.toContain("secret");
  });

  it.each([
    ["in the prefix", "holiday/private/"],
    ["above the prefix", "holiday/"],
  ])("cuts the running zip of a folder %s, and no zip of another folder", async (_, folder) => {
    // More than the buffers of a socket, so that the zip is in progress.
    bench.write("holiday/private/a.txt", "s".repeat(32_000_000));
    bench.write("holiday/day 2/b.txt", "b".repeat(32_000_000));
    const [inside, other] = [
      await bench.make({ kind: "prefix", key: folder }),
      await bench.make({ kind: "prefix", key: "holiday/day 2/" }),
    ];
    const running = await Promise.all([inside, other].map(({ variant }) => bench.get(`/l/${variant.id}/?zip`)));
    await revoke();
    const ends = running.map((answer) =>
      answer.arrayBuffer().then(
        () => "whole",
        () => "cut",
      ),
    );
    expect(await Promise.all(ends)).toEqual(["cut", "whole"]);
  });

  it("does not cut a zip that began after the revocation when another process reports the revocation again", async () => {
    bench.write("holiday/z.txt", "z".repeat(32_000_000));
    await revoke();
    const { variant } = await bench.make({ kind: "prefix", key: "holiday/" });
    const running = await bench.get(`/l/${variant.id}/?zip`);
    await revoke();
    expect((await running.arrayBuffer()).byteLength).toBeGreaterThan(32_000_000);
  });
});

describe("a revocation of a prefix, and S3", () => {
  it.each<readonly [name: string, query: Readonly<Record<string, string>>]>([
    ["ListObjectsV2", { "list-type": "2" }],
    ["ListObjects", {}],
    ["ListObjectVersions", { versions: "" }],
    ["ListMultipartUploads", { uploads: "" }],
  ])("%s of keys in the prefix is refused", async (_, query) => {
    for (const prefix of ["holiday/private/", "holiday/private/deep/", "holiday/private/x"]) {
      expect((await s3({ query: { ...query, prefix } })).status).toBe(200);
    }
    await revoke();
    for (const prefix of ["holiday/private/", "holiday/private/deep/", "holiday/private/x"]) {
      const { status, all } = await s3({ query: { ...query, prefix } });
      expect([prefix, status, all("Code")]).toEqual([prefix, 403, ["AccessDenied"]]);
    }
    await revoke("media/");
    expect((await s3({ query })).status).toBe(403);
  });

  const V2 = [{ "list-type": "2" }, { "continuation-token": "NextContinuationToken" }] as const;
  const V1 = [{}, { marker: "NextMarker" }] as const;
  const VERSIONS = [
    { versions: "" },
    { "key-marker": "NextKeyMarker", "version-id-marker": "NextVersionIdMarker" },
  ] as const;
  it.each([
    ["ListObjectsV2", "1", ...V2],
    ["ListObjectsV2", "2", ...V2],
    ["ListObjectsV2", "3", ...V2],
    ["ListObjectsV2", "1000", ...V2],
    ["ListObjectVersions", "1", ...VERSIONS],
    ["ListObjectVersions", "3", ...VERSIONS],
  ])(
    "%s above the prefix, by pages of %s, leaves it out and reaches every other key once",
    async (_, limit, query, next) => {
      const asked = { ...query, "max-keys": limit };
      await revoke();
      await revoke("media/holiday/day", "second");
      const all = ["film.mp4", "holiday/<b>.txt", "holiday/private-not.txt", "holiday/z.txt"];
      for (const prefix of ["", "h", "holiday", "holiday/priv"]) {
        const found = await pages({ ...asked, prefix }, next);
        expect(found.flat()).toEqual(all.filter((one) => one.startsWith(prefix)));
        expect(found.every((page) => page.length <= Number(limit))).toBe(true);
      }
    },
  );

  it.each([
    ["ListObjectsV2", "1", ...V2],
    ["ListObjects", "1", ...V1],
    ["ListObjects", "2", ...V1],
    ["ListObjectVersions", "1", { versions: "" }, { "key-marker": "NextKeyMarker" }],
  ])(
    "%s with a delimiter, by pages of %s, leaves out a common prefix that lies in the revoked one",
    async (_, limit, query, next) => {
      await revoke();
      const found = await pages({ ...query, "max-keys": limit, prefix: "holiday/", delimiter: "/" }, next);
      expect(found.flat()).toEqual(["holiday/<b>.txt", "holiday/day 2/", "holiday/private-not.txt", "holiday/z.txt"]);
    },
  );

  it("ListMultipartUploads above the prefix leaves out its uploads", async () => {
    for (const name of ["holiday/private/up", "holiday/private/up", "holiday/y", "holiday/y", "holiday/z"])
      expect((await s3({ method: "POST", key: name, query: { uploads: "" } })).status).toBe(200);
    await revoke();
    for (const limit of ["1", "2", "1000"]) {
      const next = { "key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker" };
      expect((await pages({ uploads: "", "max-uploads": limit }, next)).flat()).toEqual([
        "holiday/y",
        "holiday/y",
        "holiday/z",
      ]);
    }
    const rolled = await s3({ query: { uploads: "", prefix: "holiday/", delimiter: "/" } });
    expect(rolled.text).not.toContain("private/");
  });

  it("a copy from the prefix is refused, whole or as a part", async () => {
    const headers = { "x-amz-copy-source": "media/holiday/private/a.txt" };
    const created = await s3({ method: "POST", key: "big", query: { uploads: "" } });
    const part = { uploadId: created.all("UploadId")[0] ?? "", partNumber: "1" };
    await revoke();
    const copies = [
      await s3({ method: "PUT", key: "copy.txt", headers }),
      await s3({ method: "PUT", key: "big", headers, query: part }),
    ];
    expect(copies.map(({ status, all }) => [status, ...all("Code")])).toEqual([
      [403, "AccessDenied"],
      [403, "AccessDenied"],
    ]);
  });

  it("DeleteObjects refuses the keys in the prefix one by one, and deletes the others", async () => {
    await revoke();
    const keys = ["holiday/private/a.txt", "holiday/z.txt", "holiday/private/deep/d.txt"];
    const body = `<Delete>${keys.map((one) => `<Object><Key>${one}</Key></Object>`).join("")}</Delete>`;
    const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
    const { status, text } = await s3({ method: "POST", query: { delete: "" }, headers, body });
    expect(status).toBe(200);
    expect(text.match(/<Error><Key>[^<]*<\/Key><Code>\w+/g)).toEqual([
      "<Error><Key>holiday/private/a.txt</Key><Code>AccessDenied",
      "<Error><Key>holiday/private/deep/d.txt</Key><Code>AccessDenied",
    ]);
    expect(text).toContain("<Deleted><Key>holiday/z.txt</Key></Deleted>");
    const left = await Promise.all(keys.map((one) => bench.storage.head({ bucket: "media", key: one })));
    expect(left.map((info) => info !== undefined)).toEqual([true, false, true]);
  });

  it("every call on an object in the prefix is refused, and so is a form upload", async () => {
    const name = "holiday/private/a.txt";
    const uploadId = (await s3({ method: "POST", key: name, query: { uploads: "" } })).all("UploadId")[0] ?? "";
    await revoke();
    const calls: readonly S3Call[] = [
      {},
      { method: "HEAD" },
      { method: "PUT", body: "new" },
      { method: "DELETE" },
      { query: { tagging: "" } },
      { query: { attributes: "" }, headers: { "x-amz-object-attributes": "ETag" } },
      { method: "PUT", query: { tagging: "" }, body: "<Tagging/>" },
      { method: "POST", query: { uploads: "" } },
      { method: "PUT", query: { uploadId, partNumber: "1" }, body: "part" },
      { query: { uploadId } },
      { method: "POST", query: { uploadId }, body: "<CompleteMultipartUpload/>" },
      { method: "DELETE", query: { uploadId } },
    ];
    for (const call of calls) expect([call, (await s3({ ...call, key: name })).status]).toEqual([call, 403]);
    const signer = s3FormSigner({ credentials: key, region: "us-east-1", endpoint: bench.url, clock: bench.clock });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the placeholder of S3
    const form = await signer.sign({ bucket: "media", key: "holiday/private/${filename}", expiresIn: 60 });
    const data = new FormData();
    for (const [field, value] of Object.entries(form.fields)) data.append(field, value);
    data.append("file", new Blob(["new"]), "a.txt");
    expect((await fetch(form.url, { method: "POST", body: data })).status).toBe(403);
  });

  it("ListBuckets leaves out a bucket that is revoked as a whole", async () => {
    mkdirSync(join(bench.folder, "root/other"));
    const list = async () => {
      const headers = headerSignature({
        method: "GET",
        path: "/",
        host: new URL(bench.url).host,
        key,
        at: bench.clock(),
      });
      return Array.from(
        (await (await fetch(bench.url, { headers })).text()).matchAll(/<Name>(\w+)/g),
        ([, name]) => name,
      );
    };
    expect(await list()).toEqual(["files", "media", "other"]);
    await revoke();
    expect(await list()).toEqual(["files", "media", "other"]);
    await revoke("media/");
    expect(await list()).toEqual(["files", "other"]);
  });
});

describe("a revocation of a prefix, and a route", () => {
  const signed = async (path: string, more: { readonly prefix?: string } = {}) => {
    const signer = urlSigner({ key: URL_KEY, clock: bench.clock });
    return (await signer.sign({ url: `${bench.url}${path}`, expiresIn: 60, ...more })).url;
  };

  it.each(["/app/a(1)/x", "/app/a%281%29/x", "/app/a(1%29/x"])(
    "refuses a URL, a URL for a prefix and a visit for %s, although the revocation spells the path in another way",
    async (path) => {
      const { variant } = await bench.make({ kind: "route", bucket: `route:${bench.url}`, key: "app/" });
      const visit = await bench.press(`/-/daypass/l/${variant.id}`, { claim: "claim-key-0123456789" });
      const cookie = visit.headers.get("set-cookie")?.split(";")[0] ?? "";
      const below = (await signed("/app/other", { prefix: "/app/" })).replace("/app/other", path);
      const urls = [await signed(path), below, bench.url + path];
      const statuses = () =>
        Promise.all(urls.map(async (url) => (await fetch(url, url === urls[2] ? { headers: { cookie } } : {})).status));
      expect(await statuses()).toEqual([200, 200, 200]);
      await revoke(`route:${bench.url}/app/a(1)/`);
      expect(await statuses()).toEqual([403, 403, 403]);
      expect((await fetch(await signed("/app/a2/x"))).status).toBe(200);
    },
  );

  it("names the origin itself if the operator leaves it out, and refuses an origin or a path that no route has", async () => {
    const add = (prefix: string) => admin("/revocations", { method: "POST", body: { prefix } }, true);
    expect((await add("route:/app/album/")).body.value).toBe(`route:${bench.url}/app/album/`);
    expect((await fetch(await signed("/app/album/x"))).status).toBe(403);
    expect((await add("route:/")).body.value).toBe(`route:${bench.url}/`);
    for (const prefix of ["route:https://nowhere.example/", "route:/other/", "route:/app/%2e%2e/", "route:"])
      expect([prefix, (await add(prefix)).status]).toEqual([prefix, 400]);
  });
});
