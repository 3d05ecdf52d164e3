import { readFileSync } from "node:fs";
import { join } from "node:path";
import { explainForm } from "daypass/explain";
import { type S3FormRequest, type SignedForm, s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestGateway, testGateway } from "../../src/testing/index.ts";
import { s3Code, s3Field, send, sendS3 } from "./clients.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await testGateway({
    files: { "media/hello.txt": "hello", "other/x.txt": "x" },
    gateway: () => ({ redirectOrigins: ["https://app.example.com"] }),
  });
});
afterAll(() => gateway.close());

const signForm = (request: Partial<S3FormRequest> = {}, clock = () => new Date()): SignedForm =>
  s3FormSigner({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey, clock }).sign({
    bucket: "media",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the placeholder of S3
    key: "up/${filename}",
    expiresIn: 60,
    ...request,
  } as S3FormRequest);

interface Posted {
  readonly file?: string | Blob | undefined;
  readonly name?: string;
  readonly change?: (fields: Record<string, string>) => Record<string, string>;
  readonly after?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Posts as a browser does: the engine of `fetch` writes the form. */
async function post(
  form: SignedForm,
  {
    file = "content",
    name = "a.txt",
    change = (fields) => fields,
    after = {},
    url = form.url,
    headers = {},
  }: Posted = {},
) {
  const data = new FormData();
  for (const [field, value] of Object.entries(change({ ...form.fields }))) data.append(field, value);
  data.append("file", typeof file === "string" ? new Blob([file], { type: "text/plain" }) : file, name);
  for (const [field, value] of Object.entries(after)) data.append(field, value);
  const reply = await fetch(url, { method: "POST", body: data, redirect: "manual", headers });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, text, code: s3Code(text) };
}

const stored = async (key: string) => {
  const reply = await sendS3(gateway, { key });
  return reply.status === 200 ? reply.text : reply.status;
};

describe("a file whose name is in the encoding of an old page", () => {
  /** The bytes that Chromium sends from a page without a charset: the name in windows-1252. */
  const send1252 = async (form: SignedForm, field = "file") => {
    const parts = Object.entries(form.fields).map(
      ([name, value]) => `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const head = `--edge\r\nContent-Disposition: form-data; name="${field}"; filename="\xfc.txt"\r\n\r\n`;
    const reply = await fetch(form.url, {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=edge" },
      body: Buffer.concat([Buffer.from(parts.join("")), Buffer.from(`${head}old\r\n--edge--\r\n`, "latin1")]),
    });
    return [reply.status, s3Code(await reply.text())];
  };

  it("is stored where its key does not need it", async () => {
    expect((await send1252(signForm({ key: "old.txt" })))[0]).toBe(204);
    expect(await stored("old.txt")).toBe("old");
  });

  it("is refused where it does, and so is any other field", async () => {
    expect(await send1252(signForm())).toEqual([400, "MalformedPOSTRequest"]);
    expect(await send1252(signForm({ key: "old.txt" }), "note")).toEqual([400, "MalformedPOSTRequest"]);
  });
});

describe("an upload by a form", () => {
  it("stores the file under its key, with SigV4 and with SigV2", async () => {
    const v4 = await post(signForm());
    expect([v4.status, v4.text, v4.headers.get("etag")]).toEqual([204, "", expect.stringMatching(/^"[0-9a-f]{32}"$/)]);
    expect(await stored("up/a.txt")).toBe("content");
    const v2 = s3FormV2Signer({ region: "us-east-1", endpoint: gateway.url, credentials: gateway.accessKey });
    const form = v2.sign({ bucket: "media", key: "old/b.txt", expiresIn: 60 });
    expect((await post(form, { file: "older" })).status).toBe(204);
    expect(await stored("old/b.txt")).toBe("older");
  });

  it("does not happen under a condition in a header, as a form has its own in a field", async () => {
    for (const [name, value] of Object.entries({ "If-None-Match": "*", "If-Match": '"x"' })) {
      const { status, code } = await post(signForm({ key: "conditional.txt" }), { headers: { [name]: value } });
      expect([status, code]).toEqual([501, "NotImplemented"]);
    }
    expect(await stored("conditional.txt")).toBe(404);
  });

  it("reduces a hostile file name to one segment below the prefix", async () => {
    for (const [name, key] of [
      ["../../etc/passwd", "up/passwd"],
      ["C:\\dir\\b.txt", "up/b.txt"],
      ["é ü.txt", "up/é ü.txt"],
      ['quo"te.txt', "up/quo%22te.txt"],
    ] as const) {
      const reply = await post(signForm(), { name, file: name });
      expect([name, reply.status]).toEqual([name, 204]);
      expect(await stored(key)).toBe(name);
    }
  });

  it("answers with the status, or the document, that the form asks for", async () => {
    for (const [status, expected] of [
      ["200", 200],
      ["201", 201],
      ["204", 204],
      ["999", 204],
    ] as const) {
      const reply = await post(signForm({ fields: { success_action_status: status } }));
      expect([status, reply.status]).toEqual([status, expected]);
      if (expected === 201) {
        expect(s3Field(reply.text, "Key")).toBe("up/a.txt");
        expect(s3Field(reply.text, "Location")).toBe(`${gateway.url}/media/up%2Fa.txt`);
      }
    }
  });

  it("goes to a folder of whatever name, and to nothing but one", async () => {
    const own = await testGateway({ files: { "My Photos_2026/.keep": "", "Büro/.keep": "" } });
    const upload = async (bucket: string, path?: string) => {
      const form = s3FormSigner({ region: "us-east-1", endpoint: own.url, credentials: own.accessKey }).sign({
        ...{ bucket, key: "a.txt", expiresIn: 60 },
      });
      const data = new FormData();
      for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
      data.append("file", new Blob(["content"]), "a.txt");
      const body = new Response(data);
      const target = path ?? form.url.slice(own.url.length);
      const headers = { host: `127.0.0.1:${own.port}`, "content-type": body.headers.get("content-type") ?? "" };
      const sent = { method: "POST", target, headers, body: Buffer.from(await body.arrayBuffer()) };
      return (await send(own, sent)).status;
    };
    for (const bucket of ["My Photos_2026", "Büro"]) {
      expect(await upload(bucket)).toBe(204);
      expect(readFileSync(join(own.root, bucket, "a.txt"), "utf8")).toBe("content");
    }
    for (const target of ["/B%C3%BCro%2Fa", "/B%C3%BCro/a", "/B%FCro", "/", "/B%C3%BCro?x"])
      expect([target, await upload("Büro", target)]).toEqual([target, 405]);
    // Signed for another bucket, whatever that is.
    for (const target of ["/..", "/%2e%2e", "/.daypass", "/My%20Photos_2026", "/b%C3%BCro", "/B%2575ro"])
      expect([target, await upload("Büro", target)]).toEqual([target, 403]);
    await own.close();
  });

  it("says where the file is by the origin that the form was sent to", async () => {
    const own = await testGateway({
      files: { "media/hello.txt": "hello" },
      gateway: (port) => ({
        origins: [`http://127.0.0.1:${port}`, "https://files.example.com", "https://*.s3.example.com"],
      }),
    });
    const { fields } = s3FormSigner({ region: "us-east-1", endpoint: own.url, credentials: own.accessKey }).sign({
      ...{ bucket: "media", key: "up/a.txt", expiresIn: 60 },
    });
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    data.append("file", new Blob(["content"]), "a.txt");
    const form = new Response(data);
    const contentType = form.headers.get("content-type") ?? "";
    const body = Buffer.from(await form.arrayBuffer());
    for (const [host, target, location] of [
      [`127.0.0.1:${own.port}`, "/media/", `${own.url}/media/up%2Fa.txt`],
      ["files.example.com", "/media", "https://files.example.com/media/up%2Fa.txt"],
      ["media.s3.example.com", "/", "https://media.s3.example.com/up%2Fa.txt"],
      ["Media.s3.example.com:443", "/", "https://Media.s3.example.com:443/up%2Fa.txt"],
    ] as const) {
      const reply = await send(own, { method: "POST", target, headers: { host, "content-type": contentType }, body });
      expect([reply.status, reply.headers.location]).toEqual([204, location]);
    }
    await own.close();
  });

  it("sends the browser on to an allowed origin, and stores nothing for another", async () => {
    const allowed = await post(
      signForm({ key: "go.txt", fields: { success_action_redirect: "https://app.example.com/done?x=1" } }),
    );
    expect([allowed.status, allowed.headers.get("location")]).toEqual([
      303,
      expect.stringMatching(
        /^https:\/\/app\.example\.com\/done\?x=1&bucket=media&key=go\.txt&etag=%22[0-9a-f]{32}%22$/,
      ),
    ]);
    for (const redirect of [
      "https://evil.example/",
      "https://app.example.com.evil.example/",
      "https://app.example.com@evil.example/",
      "https://name:password@app.example.com/",
      "//evil.example",
      "javascript:alert(1)",
    ]) {
      const reply = await post(signForm({ key: "stay.txt", fields: { success_action_redirect: redirect } }));
      expect([redirect, reply.status, reply.code]).toEqual([redirect, 403, "AccessDenied"]);
    }
    expect(await stored("stay.txt")).toBe(404);
  });

  it("keeps type, headers, metadata, tags and checksum that its policy names", async () => {
    const reply = await post(
      signForm({
        key: "full.txt",
        fields: {
          "Content-Type": "text/markdown",
          "Cache-Control": "max-age=5",
          "x-amz-meta-owner": "me",
          acl: "private",
          tagging: "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>",
        },
      }),
    );
    expect(reply.status).toBe(204);
    const read = await sendS3(gateway, { key: "full.txt" });
    expect([
      read.headers["content-type"],
      read.headers["x-amz-meta-owner"],
      read.headers["x-amz-tagging-count"],
    ]).toEqual(["text/markdown", "me", "1"]);
  });

  it("holds the file to the lengths of its policy, counting the file alone", async () => {
    const form = signForm({ key: "sized.txt", contentLength: { min: 3, max: 5 } });
    expect((await post(form, { file: "12" })).code).toBe("EntityTooSmall");
    expect((await post(form, { file: "123456" })).code).toBe("EntityTooLarge");
    expect(await stored("sized.txt")).toBe(404);
    expect((await post(form, { file: "12345" })).status).toBe(204);
  });

  it("streams a large file, whose bytes look like boundaries", async () => {
    const piece = new TextEncoder().encode("\r\n--boundary\r\n--\r\n\r\n--");
    const bytes = new Uint8Array(5_000_000);
    for (let at = 0; at + piece.length < bytes.length; at += piece.length) bytes.set(piece, at);
    const reply = await post(signForm({ key: "large.bin" }), { file: new Blob([bytes]) });
    expect(reply.status).toBe(204);
    expect((await sendS3(gateway, { key: "large.bin" })).body.equals(bytes)).toBe(true);
  });

  it("ignores what comes after the file, as S3 does", async () => {
    const reply = await post(signForm({ key: "after.txt" }), { after: { key: "other.txt", acl: "public-read" } });
    expect([reply.status, await stored("after.txt"), await stored("other.txt")]).toEqual([204, "content", 404]);
  });
});

describe("the answer to a refused form", () => {
  it("is all that explain needs to find the cause", async () => {
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
        /submit is sent, and the policy/,
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
        /The policy that reached the server is another one than this form has/,
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
  it.each([
    ["with another key", 403, "AccessDenied", { change: changed("key", "elsewhere.txt") }],
    ["with a field that its policy does not name", 403, "AccessDenied", { change: changed("x-amz-meta-a", "1") }],
    ["with a field that its policy names otherwise", 403, "AccessDenied", { change: changed("bucket", "other") }],
    [
      "with a changed policy",
      403,
      "SignatureDoesNotMatch",
      {
        change: (fields: Record<string, string>) => ({
          ...fields,
          [named(fields, "policy")]: `${fields[named(fields, "policy")]?.slice(0, -4)}AAA=`,
        }),
      },
    ],
    ["with a changed signature", 403, "SignatureDoesNotMatch", { change: changed("x-amz-signature", "0".repeat(64)) }],
    ["without a key", 400, "InvalidArgument", { change: ({ key: _, ...fields }: Record<string, string>) => fields }],
    [
      "with a field in capitals beside itself",
      400,
      "MalformedPOSTRequest",
      { change: (fields: Record<string, string>) => ({ ...fields, KEY: "up/x.txt" }) },
    ],
  ] as const)("%s", async (_, status, code, posted) => {
    const reply = await post(signForm({ key: "up/fixed.txt" }), posted);
    expect([reply.status, reply.code]).toEqual([status, code]);
    expect(await stored("elsewhere.txt")).toBe(404);
  });

  it("CVE-2023-43040: is refused on another bucket than its policy's, whatever its field says", async () => {
    const reply = await post(signForm(), { url: `${gateway.url}/other` });
    expect([reply.status, reply.code]).toEqual([403, "AccessDenied"]);
    const field = await post(signForm(), { url: `${gateway.url}/other`, change: changed("bucket", "media") });
    expect([field.status, field.code]).toEqual([403, "AccessDenied"]);
  });

  it("after its end", async () => {
    const reply = await post(signForm({ expiresIn: 60 }, () => new Date(Date.now() - 120_000)));
    expect([reply.status, reply.code]).toEqual([403, "AccessDenied"]);
  });

  it("by a key that may not write there", async () => {
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

  it.each([
    ["without a signature", `${part("key", "k")}${part("file", "x")}--b--\r\n`, 403, "AccessDenied"],
    ["without a file", `${part("key", "k")}--b--\r\n`, 400, "InvalidArgument"],
    [
      "whose file has another name",
      `${part("key", "k")}${part("upload", "x", '; filename="a"')}--b--\r\n`,
      400,
      "InvalidArgument",
    ],
    [
      "with a field twice",
      `${part("key", "k")}${part("key", "l")}${part("file", "x")}--b--\r\n`,
      400,
      "MalformedPOSTRequest",
    ],
    ["that does not begin with its boundary", `hello\r\n${part("key", "k")}`, 400, "MaxPostPreDataLengthExceeded"],
    [
      "with a part without a name",
      `--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n`,
      400,
      "MalformedPOSTRequest",
    ],
    [
      "with two names in a part",
      `--b\r\nContent-Disposition: form-data; name="key"; name="file"\r\n\r\nx\r\n--b--\r\n`,
      400,
      "MalformedPOSTRequest",
    ],
    [
      "with a folded header",
      `--b\r\nContent-Disposition: form-data;\r\n name="key"\r\n\r\nx\r\n--b--\r\n`,
      400,
      "MalformedPOSTRequest",
    ],
    ["with bytes that are no text", `${part("key", "\ud800")}${part("file", "x")}--b--\r\n`, 403, "AccessDenied"],
    ["with bare line feeds", part("key", "k").replaceAll("\r", ""), 400, "MalformedPOSTRequest"],
    [
      "with more fields than S3 takes",
      `${part("x", "y".repeat(30_000))}${part("file", "x")}--b--\r\n`,
      400,
      "MaxPostPreDataLengthExceeded",
    ],
    [
      "with too many fields",
      `${Array.from({ length: 120 }, (_, at) => part(`f${at}`, "1")).join("")}${part("file", "x")}--b--\r\n`,
      400,
      "MaxPostPreDataLengthExceeded",
    ],
    [
      "with a transfer encoding",
      `--b\r\nContent-Disposition: form-data; name="key"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--b--\r\n`,
      400,
      "MalformedPOSTRequest",
    ],
  ] as const)("%s", async (_, body, status, code) => {
    const reply = await raw(body);
    expect([reply.status, s3Code(reply.body)]).toEqual([status, code]);
  });

  it("cut off in the middle of its file stores nothing", async () => {
    const form = signForm({ key: "cut.txt" });
    const fields = Object.entries(form.fields)
      .map(([name, value]) => part(name, value))
      .join("");
    const reply = await raw(`${fields}${part("file", "half of").trimEnd()}`);
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "MalformedPOSTRequest"]);
    expect(await stored("cut.txt")).toBe(404);
  });
});
