import { ceph } from "daypass/presets";
import { s3Signer } from "daypass/s3";
import { type S3FormRequest, s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { s3V4aSigner } from "daypass/s3/v4a";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { needs } from "../../tools/needs.ts";
import { type Radosgw, startRadosgw } from "../../tools/radosgw-server.ts";
import { multipart } from "../multipart.ts";
import { awsSdkForm } from "../oracles/forms.ts";
import { targetOf } from "../oracles/oracle.ts";
import { FILE_NAME } from "../random/forms.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";
import { type Answer, send } from "../send.ts";

const missing = needs("radosgw", "radosgw-admin");
const BUCKET = "media";

describe.skipIf(missing)(`forms of Daypass, judged by radosgw${missing ?? ""}`, () => {
  let radosgw: Radosgw;
  beforeAll(async () => {
    radosgw = await startRadosgw();
    for (const bucket of [BUCKET, "other"]) expect((await call({ bucket, method: "PUT" })).status).toBe(200);
  });
  afterAll(() => radosgw?.stop());

  const options = (addressing: "path" | "virtual") => ({
    ...ceph({ endpoint: addressing === "path" ? radosgw.endpoint : radosgw.virtualEndpoint }),
    addressing,
    credentials: radosgw.credentials,
  });
  const call = ({ key, ...request }: { bucket: string; key?: string; method: string }): Promise<Answer> => {
    const { url, method } = s3Signer(options("path")).sign({
      ...request,
      ...targetOf(key),
      dotSegments: "sign",
      expiresIn: 60,
    });
    return send({ url, method });
  };
  const signers = { SigV4: s3FormSigner, SigV2: s3FormV2Signer } as const;
  type Fields = readonly (readonly [string, string])[];
  interface Upload {
    readonly url: string;
    readonly fields: Fields;
    readonly fileName?: string;
    readonly file?: string;
  }
  const post = ({ url, fields, fileName = "a b.png", file = "content" }: Upload): Promise<Answer> => {
    const { contentType, body } = multipart({ fields, fileName, file });
    return send({ url, method: "POST", headers: { "content-type": contentType }, body });
  };

  describe.each(["SigV4", "SigV2"] as const)("%s", (version) => {
    const sign = (request: Partial<S3FormRequest>, addressing: "path" | "virtual" = "path"): Upload => {
      const form = signers[version](options(addressing)).sign({
        bucket: BUCKET,
        expiresIn: 60,
        dotSegments: "sign",
        ...request,
      });
      return { url: form.url, fields: Object.entries(form.fields) };
    };

    test.each(["path", "virtual"] as const)(
      "takes an upload in %s style, and stores what it binds",
      async (addressing) => {
        const form = sign(
          {
            key: `up/${FILE_NAME}`,
            contentLength: { min: 1, max: 100 },
            bind: { contentType: "image/png" },
            fields: { "x-amz-meta-note": "a b, c", success_action_status: "201" },
            conditions: [["starts-with", "$x-amz-meta-free", "f"]],
          },
          addressing,
        );
        const answer = await post({ ...form, fields: [...form.fields, ["x-amz-meta-free", "free"]] });
        expect([answer.status, answer.code]).toEqual([201, ""]);
        const { status, headers, body } = await call({ bucket: BUCKET, key: "up/a b.png", method: "GET" });
        expect([status, body.toString()]).toEqual([200, "content"]);
        expect(headers["content-type"]).toBe("image/png");
        expect([headers["x-amz-meta-note"], headers["x-amz-meta-free"]]).toEqual(["a b, c", "free"]);
      },
    );

    test("takes hostile keys as they are", async () => {
      // What a form cannot carry to this server: a NUL, and line breaks, which it reads as the end of a field.
      for (const key of HOSTILE_KEYS.filter((candidate) => !/[\0\r\n]/.test(candidate))) {
        const answer = await post({ ...sign({ key }), file: `content of ${key}` });
        expect([key, answer.status, answer.code]).toEqual([key, 204, ""]);
        expect((await call({ bucket: BUCKET, key, method: "GET" })).body.toString()).toBe(`content of ${key}`);
      }
    });

    test("sends the browser on", async () => {
      const redirect = "https://app.example/done?x=1";
      const answer = await post(sign({ key: "redirected", fields: { success_action_redirect: redirect } }));
      expect(answer.status).toBe(303);
      expect(answer.headers.location).toMatch(/^https:\/\/app\.example\/done\?/);
    });

    test("refuses every tampered form", async () => {
      const form = sign({
        key: `up/${FILE_NAME}`,
        contentLength: { min: 2, max: 10 },
        bind: { contentType: "image/png" },
        fields: { "x-amz-meta-note": "bound" },
      });
      expect((await post(form)).status).toBe(204);
      const set = (name: string, value: string): Fields =>
        form.fields.map(([field, old]) => [field, field === name ? value : old]);
      const without = (name: string): Fields => form.fields.filter(([field]) => field !== name);
      const isV4 = version === "SigV4";
      const policyField = isV4 ? "Policy" : "policy";
      const signature = isV4 ? "X-Amz-Signature" : "signature";
      const policy = form.fields.find(([name]) => name === policyField)?.[1] ?? "";
      const signed = form.fields.find(([name]) => name === signature)?.[1] ?? "";
      const wider = Buffer.from(Buffer.from(policy, "base64").toString().replace('"up/"', '""')).toString("base64");

      const another = sign({ key: "other/x", bind: { contentType: "text/html" } }).fields;
      const tampered: readonly (readonly [string, Partial<Upload>])[] = [
        ["another key", { fields: set("key", "other/x") }],
        ["no key", { fields: without("key") }],
        ["another type", { fields: set("Content-Type", "text/html") }],
        ["no type", { fields: without("Content-Type") }],
        ["another note", { fields: set("x-amz-meta-note", "free") }],
        ["one more field", { fields: [...form.fields, ["x-amz-meta-more", "1"]] }],
        ["another acl", { fields: [...form.fields, ["acl", "public-read"]] }],
        ["a longer file", { file: "12345678901" }],
        ["a shorter file", { file: "1" }],
        ["a wider policy", { fields: set(policyField, wider) }],
        [
          "the policy of another form",
          { fields: set(policyField, another.find(([name]) => name === policyField)?.[1] ?? "") },
        ],
        // One in base64 may begin with either.
        ["another signature", { fields: set(signature, (signed.startsWith("z") ? "y" : "z") + signed.slice(1)) }],
        ["no policy", { fields: without(policyField) }],
        ["no signature", { fields: without(signature) }],
        ["another bucket", { url: form.url.replace(`/${BUCKET}`, "/other") }],
        [
          "a field that names another bucket (CVE-2023-43040)",
          { url: form.url.replace(`/${BUCKET}`, "/other"), fields: [...form.fields, ["bucket", BUCKET]] },
        ],
      ];
      const accepted: string[] = [];
      for (const [name, change] of tampered) {
        const { status } = await post({ ...form, ...change });
        if (status < 400) accepted.push(name);
      }
      expect(accepted).toEqual([]);
    });

    test("refuses a form that has ended", async () => {
      const clock = () => new Date(Date.now() - 120_000);
      const { url, fields } = signers[version]({ ...options("path"), clock }).sign({
        bucket: BUCKET,
        key: "late",
        expiresIn: 60,
      });
      expect((await post({ url, fields: Object.entries(fields) })).status).toBe(403);
    });

    test("accepts a form whose key continues after the name of the file", async () => {
      const answer = await post(sign({ key: `up/${FILE_NAME}.txt` }));
      expect(answer.status).toBe(204);
      expect((await call({ bucket: BUCKET, key: "up/a b.png.txt", method: "GET" })).status).toBe(200);
    });
  });

  test("refuses such a form of @aws-sdk/s3-presigned-post, which binds the placeholder as it stands", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { url, fields } = await awsSdkForm({
      ...options("path"),
      bucket: BUCKET,
      key: `up/${FILE_NAME}.txt`,
      fields: {},
      conditions: [],
      expiresIn: 60,
      signedAt: new Date(),
    });
    vi.useRealTimers();
    expect((await post({ url, fields: Object.entries(fields) })).status).toBe(403);
  });

  test("has what its preset says, and knows no SigV4A", async () => {
    const { supports } = ceph({ endpoint: radosgw.endpoint }).provider;
    expect(supports).toEqual({ forms: true, filename: true, sigv2: true, sigv4a: false, virtual: true, path: true });
    const { provider: _, ...server } = options("path");
    const { url, method } = await s3V4aSigner(server).sign({ bucket: BUCKET, key: "plain.txt", expiresIn: 60 });
    expect((await send({ url, method })).status).toBe(403);
    expect((await call({ bucket: BUCKET, key: "missing.txt", method: "GET" })).status).toBe(404);
  });
});
