import { afterEach, describe, expect, it } from "vitest";
import type { KeyScope, S3AccessKey } from "../../src/index.ts";
import { contentMd5 } from "../e2e/bucket-client.ts";
import { type S3Sent, send, sendS3, useGateway } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { ASSUME, callSts, credentialsIn, type SessionCredentials } from "../e2e/sts-call.ts";

const ID = "AKIDSHARED";
const SECRETS = ["the older secret", "the younger secret"] as const;
let scopes: readonly KeyScope[] = [{}];
const keys = (): readonly S3AccessKey[] =>
  scopes.map((scope, i) => ({ accessKeyId: ID, secretAccessKey: SECRETS[i] ?? "", scope }));

const gateway = useGateway({
  files: { "media/in/a.txt": "a", "media/out.txt": "out", "other/b.txt": "b" },
  gateway: () => ({
    keys: { s3: (id) => (id === ID ? keys() : undefined) },
    sessionSecret: Buffer.alloc(32, 7),
  }),
});
afterEach(() => {
  scopes = [{}];
});

async function outcome(
  sent: S3Sent,
  credentials: Pick<SessionCredentials, "accessKeyId" | "secretAccessKey"> = {
    accessKeyId: ID,
    secretAccessKey: SECRETS[0],
  },
): Promise<string> {
  const { status, text, code } = await sendS3(gateway, sent, { credentials });
  const denied = text.includes("<Code>AccessDenied</Code>");
  return status < 300 && !denied ? "allowed" : (code ?? "AccessDenied");
}

const list = (prefix: string): S3Sent => ({ query: { "list-type": "2", prefix } });
const DELETE = "<Delete><Object><Key>none.txt</Key></Object></Delete>";

/** What the second scope forbids, and the first would allow. */
const FORBIDDEN: readonly (readonly [name: string, scope: KeyScope, sent: S3Sent])[] = [
  ["a read outside its prefix", { prefix: "in/" }, { key: "out.txt" }],
  ["a read in another bucket", { buckets: ["media"] }, { bucket: "other", key: "b.txt" }],
  ["a write", { methods: ["GET"] }, { method: "PUT", key: "in/new.txt", body: "new" }],
  ["a link that lasts too long", { maxLife: 59 }, { key: "in/a.txt" }],
  ["a read after its end", { until: new Date(0) }, { key: "in/a.txt" }],
  ["a list above its prefix", { prefix: "in/" }, list("")],
  ["a call on the bucket", { prefix: "in/" }, { method: "GET", query: { cors: "" } }],
  [
    "the source of a copy",
    { prefix: "in/" },
    { method: "PUT", key: "in/copy.txt", headers: { "x-amz-copy-source": "/media/out.txt" } },
  ],
  [
    "a line of a list of deletions",
    { prefix: "in/" },
    { method: "POST", query: { delete: "" }, headers: contentMd5(DELETE), body: DELETE },
  ],
];

describe("of two keys under one id", () => {
  it.each(FORBIDDEN)("either one forbids %s", async (_, narrow, sent) => {
    for (const both of [
      [{}, narrow],
      [narrow, {}],
    ]) {
      scopes = both;
      expect(await outcome(sent)).toBe("AccessDenied");
    }
    scopes = [{}, {}];
    expect(await outcome(sent)).not.toBe("AccessDenied");
  });

  it("neither lists a bucket that the other one may not see", async () => {
    for (const both of [
      [{}, { buckets: ["media"] }],
      [{ buckets: ["media"] }, {}],
    ]) {
      scopes = both;
      const key = { accessKeyId: ID, secretAccessKey: SECRETS[0] };
      const headers = headerSignature({ method: "GET", path: "/", host: `127.0.0.1:${gateway.port}`, key });
      const { body } = await send(gateway, { target: "/", headers });
      expect(body.toString()).toContain("<Name>media</Name>");
      expect(body.toString()).not.toContain("<Name>other</Name>");
    }
  });
});

describe("a session whose key was narrowed after it was issued", () => {
  it.each(FORBIDDEN)("is refused %s", async (_, narrow, sent) => {
    scopes = [{}, {}];
    const [key] = keys();
    const reply = await callSts(gateway, ASSUME, { key: key as S3AccessKey });
    expect(reply.status).toBe(200);
    const credentials = credentialsIn(reply);
    expect(await outcome(sent, credentials)).not.toBe("AccessDenied");
    for (const now of [[narrow], [narrow, {}], [{}, narrow]]) {
      scopes = now;
      expect(await outcome(sent, credentials)).toBe("AccessDenied");
    }
  });
});
