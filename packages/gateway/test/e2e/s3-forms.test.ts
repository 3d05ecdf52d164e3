import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type SignedForm, s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { s3Code, s3Field, send, sendS3, useGateway } from "./clients.ts";
import { FORM_GATEWAY, formCalls } from "./form-posts.ts";

const gateway = useGateway(FORM_GATEWAY);
const { signForm, post, stored } = formCalls(() => gateway);

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

  it("refuses a form whose fields break its policy, and a field outside the policy", async () => {
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
