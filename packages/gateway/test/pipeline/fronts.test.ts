import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WireRequest } from "daypass";
import { s3Signer } from "daypass/s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gatewayOf } from "../../src/gateway.ts";
import type { Storage } from "../../src/index.ts";
import { listen } from "../../src/node/index.ts";
import type { OpenOptions } from "../../src/protocols.ts";
import { fronts, ownersOf } from "../../src/protocols.ts";
import { disk } from "../../src/storage/disk/index.ts";
import { type Sent, send } from "../e2e/clients.ts";
import { type DummyProtocol, dummyFront } from "./dummy-front.ts";

const key = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const host = "127.0.0.1:8080";
const endpoint = `http://${host}`;
const root = mkdtempSync(join(tmpdir(), "daypass-fronts-"));
let storage: Storage;
let close: Storage["close"];
beforeAll(async () => {
  for (const bucket of ["media", "other"]) {
    mkdirSync(join(root, bucket));
    writeFileSync(join(root, bucket, "a.txt"), bucket);
  }
  const opened = await disk({ root });
  // Every gateway of this file closes its storage.
  storage = { ...opened, close: async () => {} };
  close = opened.close;
});
afterAll(async () => {
  await close();
  rmSync(root, { recursive: true });
});

const keys = { s3: (id: string) => (id === key.accessKeyId ? key : undefined), dummy: ["anna"] };

/** Serves S3 and the dummy dialect on a socket, and sends one request. */
async function reply(sent: Sent, more: Partial<OpenOptions> = {}, front: Partial<DummyProtocol> = {}) {
  const options = { storage, origins: [endpoint], keys, ...more };
  const server = await listen(gatewayOf({ ...fronts, dummy: dummyFront(front) }, options), { port: 0 });
  try {
    const got = await send(server, { ...sent, headers: { host, ...sent.headers } });
    return { ...got, body: got.body.toString() };
  } finally {
    await server.drain(0);
  }
}

const DUMMY = "/dummy/media/a.txt?dummy-key=anna";
const s3Target = s3Signer({ endpoint, region: "us-east-1", addressing: "path", credentials: key })
  .sign({ bucket: "media", key: "a.txt", expiresIn: 60 })
  .url.slice(endpoint.length);

it("serves a dialect that a folder and a row add, beside S3", async () => {
  const dummy = await reply({ target: DUMMY });
  expect([dummy.status, dummy.headers["x-dialect"], dummy.body]).toEqual([200, "dummy", "media"]);
  const s3 = await reply({ target: s3Target });
  expect([s3.status, s3.headers["x-dialect"], s3.body]).toEqual([200, undefined, "media"]);
});

it.each([
  ["UNKNOWN_KEY", "/dummy/media/a.txt?dummy-key=berta", {}],
  ["KEY_SCOPE", "/dummy/other/a.txt?dummy-key=anna", {}],
  ["NO_SUCH_KEY", "/dummy/media/b.txt?dummy-key=anna", {}],
  ["NO_SIGNATURE", DUMMY, { hosts: { [host]: ["s3"] } }],
])("refuses with %s in the words of the added dialect", async (code, target, more) => {
  const { status, body } = await reply({ target }, more);
  expect([status, body]).toEqual([400, `dummy ${code}`]);
});

it("does not serve an added dialect without keys", async () => {
  const { status, body } = await reply({ target: DUMMY }, { keys: { s3: keys.s3 } });
  expect([status, body]).toEqual([403, expect.stringContaining("AccessDenied")]);
});

it.each<[string, Partial<OpenOptions>]>([
  ["keys.dummy is not valid. Pass a list of names", { keys: { dummy: "anna" } }],
  ["keys is not valid. Pass an object with s3, url, dummy or several", { keys: {} }],
  [
    'hosts["127.0.0.1:8080"] is "dummy". Pass a list, each item a dialect that has keys (s3)',
    { keys: { s3: keys.s3 } },
  ],
])("says %j", (message, more) => {
  const options = { storage, origins: [endpoint], keys, hosts: { [host]: ["dummy"] }, ...more };
  expect(() => gatewayOf({ ...fronts, dummy: dummyFront() }, options)).toThrow(message);
});

it("finds the scopes of owners among the keys of every dialect", async () => {
  const rows = { ...fronts, dummy: dummyFront() };
  const scopesOf = async (id: string) => Promise.all(ownersOf(keys, rows).map((find) => find(id)));
  expect(await scopesOf("anna")).toEqual([undefined, { buckets: ["media"] }]);
  expect(await scopesOf(key.accessKeyId)).toEqual([{}, undefined]);
});

it("refuses a signature of S3 beside the marks of an added dialect", async () => {
  const front = { marks: ({ target }: WireRequest) => target.includes("dummy-mark=") };
  const own = await reply({ target: `${DUMMY.replace("?", "?dummy-mark=1&")}` }, {}, front);
  expect([own.status, own.body]).toEqual([200, "media"]);
  const { status, body } = await reply({ target: `${s3Target}&dummy-mark=1` }, {}, front);
  expect([status, body]).toEqual([400, expect.stringContaining("InvalidArgument")]);
});
