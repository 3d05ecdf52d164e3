import { explainForm } from "daypass/explain";
import { type SignedForm, s3FormSigner } from "daypass/s3/form";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { byAnswer, refusalOf, s3Code, send, useGateway } from "./clients.ts";
import { FORM_GATEWAY, formCalls, type Posted } from "./form-posts.ts";

const gateway = useGateway(FORM_GATEWAY);
const { signForm, post, stored } = formCalls(() => gateway);

describe("the answer to a refused form", () => {
  it("the answer to a refused form is all that explain needs to find the cause", async () => {
    const sized = (): SignedForm => signForm({ contentLength: { min: 3, max: 5 }, fields: { acl: "private" } });
    const without = (name: string) => (fields: Record<string, string>) =>
      Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
    const hourAgo = (): Date => new Date(Date.now() - 3_600_000);
    const cases: readonly (readonly [form: SignedForm, sent: Posted, code: string, says: RegExp])[] = [
      [sized(), { file: "12" }, "FILE", /too small: the policy takes at least 3 bytes/],
      [sized(), { file: "123456" }, "FILE", /too large: the policy takes at most 5 bytes/],
      [sized(), { file: "1234", change: (all) => ({ ...all, acl: "public-read" }) }, "FIELD", /the field acl/],
      [sized(), { file: "1234", change: without("acl"), after: { acl: "private" } }, "FIELD", /the field acl/],
      [
        sized(),
        { file: "1234", change: (all) => ({ ...all, submit: "Go" }) },
        "FIELD",
        /submit is sent, but the policy/,
      ],
      [
        sized(),
        { file: "1234", change: without("key") },
        "FILE",
        /The field key did not reach the server before the file/,
      ],
      [sized(), { file: "1234", url: `${gateway.url}/other/` }, "BUCKET", /bucket/],
      [signForm({}, hourAgo), {}, "EXPIRED", /The form has expired/],
      [
        sized(),
        { file: "1234", change: (all) => ({ ...all, Policy: "e30=" }) },
        "POLICY",
        /The policy that reached the server differs from this form's/,
      ],
      [
        sized(),
        { file: "1234", change: (all) => ({ ...all, "X-Amz-Signature": "0".repeat(64) }) },
        "WRONG_SECRET",
        /./,
      ],
    ];
    for (const [form, sent, code, says] of cases) {
      const { status, text } = await post(form, sent);
      expect(status).toBeGreaterThanOrEqual(400);
      const { cause } = await explainForm(form, { errorBody: text });
      expect([cause?.code, cause?.sentence]).toEqual([code, expect.stringMatching(says)]);
    }
  });
});

describe("a form that is refused", () => {
  const named = (fields: Record<string, string>, name: string): string =>
    Object.keys(fields).find((field) => field.toLowerCase() === name) ?? name;
  const changed = (name: string, value: string) => (fields: Record<string, string>) => ({
    ...fields,
    [named(fields, name)]: value,
  });
  const refused = byAnswer<NonNullable<Posted["change"]>>({
    "403 AccessDenied": {
      "with another key": changed("key", "elsewhere.txt"),
      "with a field that its policy does not name": changed("x-amz-meta-a", "1"),
      "with a field that its policy names otherwise": changed("bucket", "other"),
    },
    "403 SignatureDoesNotMatch": {
      "with a changed policy": (fields) =>
        changed("policy", `${fields[named(fields, "policy")]?.slice(0, -4)}AAA=`)(fields),
      "with a changed signature": changed("x-amz-signature", "0".repeat(64)),
    },
    "400 InvalidArgument": { "without a key": ({ key: _, ...fields }) => fields },
    "400 MalformedPOSTRequest": {
      "with a field in capitals beside itself": (fields) => ({ ...fields, KEY: "up/x.txt" }),
    },
  });
  it.each(refused)("a form %s is refused as %s", async (_, answer, change) => {
    const reply = await post(signForm({ key: "up/fixed.txt" }), { change });
    expect(`${reply.status} ${reply.code}`).toBe(answer);
    expect(await stored("elsewhere.txt")).toBe(404);
  });

  it("CVE-2023-43040: a form is refused on another bucket than its policy's, whatever its field says", async () => {
    const reply = await post(signForm(), { url: `${gateway.url}/other` });
    expect([reply.status, reply.code]).toEqual([403, "AccessDenied"]);
    const field = await post(signForm(), { url: `${gateway.url}/other`, change: changed("bucket", "media") });
    expect([field.status, field.code]).toEqual([403, "AccessDenied"]);
  });

  it("a form is refused after its end", async () => {
    const reply = await post(signForm({ expiresIn: 60 }, () => new Date(Date.now() - 120_000)));
    expect([reply.status, reply.code]).toEqual([403, "AccessDenied"]);
  });

  it("a form is refused that a key signed which may not write there", async () => {
    const key = { ...gateway.accessKey, scope: { prefix: "mine" } };
    const narrow = await testGateway({ files: { "media/a": "a" }, gateway: () => ({ keys: { s3: () => key } }) });
    try {
      const form = s3FormSigner({ region: "us-east-1", endpoint: narrow.url, credentials: key }).sign({
        bucket: "media",
        key: "yours/a.txt",
        expiresIn: 60,
      });
      expect((await post(form)).code).toBe("AccessDenied");
      const own = s3FormSigner({ region: "us-east-1", endpoint: narrow.url, credentials: key }).sign({
        bucket: "media",
        key: "mine/a.txt",
        expiresIn: 60,
      });
      expect((await post(own)).status).toBe(204);
    } finally {
      await narrow.close();
    }
  });

  const raw = (body: string, type = "multipart/form-data; boundary=b") =>
    send(gateway, {
      method: "POST",
      target: "/media",
      headers: {
        host: `127.0.0.1:${gateway.port}`,
        "content-type": type,
        "content-length": String(Buffer.byteLength(body)),
      },
      body,
    });
  const part = (name: string, value: string, more = "") =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

  const head = "--b\r\nContent-Disposition: form-data";
  const file = part("file", "x");
  const many = Array.from({ length: 120 }, (_, at) => part(`f${at}`, "1")).join("");
  const malformed = byAnswer({
    "403 AccessDenied": {
      "without a signature": part("key", "k") + file,
      "with bytes that are no text": part("key", "\ud800") + file,
    },
    "400 InvalidArgument": {
      "without a file": part("key", "k"),
      "whose file has another name": part("key", "k") + part("upload", "x", '; filename="a"'),
    },
    "400 MalformedPOSTRequest": {
      "with a field twice": part("key", "k") + part("key", "l") + file,
      "with a part without a name": `${head}\r\n\r\nx\r\n`,
      "with two names in a part": `${head}; name="key"; name="file"\r\n\r\nx\r\n`,
      "with a folded header": `${head};\r\n name="key"\r\n\r\nx\r\n`,
      "with bare line feeds": part("key", "k").replaceAll("\r", ""),
      "with a transfer encoding": `${head}; name="key"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n`,
    },
    "400 MaxPostPreDataLengthExceeded": {
      "that does not begin with its boundary": `hello\r\n${part("key", "k")}`,
      "with more fields than S3 takes": part("x", "y".repeat(30_000)) + file,
      "with too many fields": many + file,
    },
  });
  it.each(malformed)("a form %s is refused as %s", async (_, answer, body) => {
    expect(refusalOf(await raw(`${body}--b--\r\n`))).toBe(answer);
  });

  it("a form that is cut off in the middle of its file stores nothing", async () => {
    const form = signForm({ key: "cut.txt" });
    const fields = Object.entries(form.fields)
      .map(([name, value]) => part(name, value))
      .join("");
    const reply = await raw(`${fields}${part("file", "half of").trimEnd()}`);
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "MalformedPOSTRequest"]);
    expect(await stored("cut.txt")).toBe(404);
  });
});
