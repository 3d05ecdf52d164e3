import { s3FormSigner } from "daypass/s3/form";
import { s3V4aSigner } from "daypass/s3/v4a";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { testGateway } from "../../src/testing/index.ts";
import { daypassUrl, s3Code, s3For, send } from "../e2e/clients.ts";
import { headerSignature } from "../e2e/header-signature.ts";
import { attack, gateway, get, openSite, revokeScopedKey, revokeScopedKeyAfter, scopedKey, targetOf } from "./site.ts";

openSite();

describe("the operator's last word", () => {
  const cases = [
    ["methods", { methods: ["PUT"] }, 403],
    ["longest life", { maxLife: 30 }, 403],
    ["end", { until: new Date(Date.now() - 1000) }, 403],
    ["nothing", {}, 200],
  ] as const;
  it.each(cases)("CVE-2026-35604: the scope's %s is applied when the URL is used", async (_, scope, status) => {
    const target = targetOf(
      s3For(gateway, { credentials: scopedKey() }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url,
    );
    expect((await attack({ target })).status).toBe(200);
    scopedKey(scope);
    const reply = await attack({ target });
    expect([reply.status, reply.status === 403 ? reply.calls : 0]).toEqual([status, 0]);
  });

  it("CVE-2026-35604: a key that was taken back opens nothing more", async () => {
    const target = targetOf(
      s3For(gateway, { credentials: scopedKey() }).sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url,
    );
    expect((await attack({ target })).status).toBe(200);
    revokeScopedKey();
    const reply = await attack({ target });
    expect([reply.status, s3Code(reply.body), reply.calls]).toEqual([403, "InvalidAccessKeyId", 0]);
  });

  it("CVE-2026-35604: a key that is taken back while its signature is checked opens nothing, and has no scope less", async () => {
    const credentials = scopedKey({ buckets: ["media"] });
    const target = targetOf(s3For(gateway, { credentials }).sign({ bucket: "private", key: "a", expiresIn: 60 }).url);
    for (const [lookups, code] of [
      [2, "AccessDenied"],
      [1, "InvalidAccessKeyId"],
      [0, "InvalidAccessKeyId"],
    ] as const) {
      revokeScopedKeyAfter(lookups);
      const reply = await attack({ target });
      expect([lookups, reply.status, s3Code(reply.body), reply.calls]).toEqual([lookups, 403, code, 0]);
    }
  });

  it("algorithm confusion: a key of one dialect verifies nothing in another", async () => {
    const key = { ...gateway.urlKey, kid: gateway.accessKey.accessKeyId };
    const url = urlSigner({ key }).sign({ url: `${gateway.url}/media/hello.txt`, expiresIn: 60 }).url;
    expect((await attack({ target: targetOf(url) })).status).toBe(403);
    const s3 = s3For(gateway, { credentials: { accessKeyId: gateway.urlKey.kid, secretAccessKey: gateway.urlKey.k } });
    const reply = await attack({ target: targetOf(s3.sign({ bucket: "media", key: "hello.txt", expiresIn: 60 }).url) });
    expect(s3Code(reply.body)).toBe("InvalidAccessKeyId");
  });

  it("two dialects' marks in one request are refused", async () => {
    const both = `${get()}&${targetOf(daypassUrl(gateway, "/media/hello.txt")).split("?")[1]}`;
    const reply = await attack({ target: both });
    expect([reply.status, reply.calls]).toEqual([400, 0]);
    const v2 = await attack({ target: `${get()}&AWSAccessKeyId=x&Signature=y&Expires=9999999999` });
    expect([v2.status, v2.calls]).toEqual([400, 0]);
  });

  // A proxy in front, or the storage behind, may know the dialect that this gateway does not.
  it("refuses parameters of an unsupported scheme beside a valid signature", async () => {
    const [path, query] = targetOf(daypassUrl(gateway, "/media/hello.txt")).split("?");
    const good = `${path}?${query}`;
    expect((await attack({ target: good })).status).toBe(200);
    for (const marked of [
      `${path}?sig=x&sv=2022-11-02&${query}`,
      `${good}&sv=2022-11-02&sig=x`,
      `${path}?X-Goog-Algorithm=GOOG4-RSA-SHA256&${query}`,
      `${good}&X-Goog-Credential=a`,
      `${good}&x-goog-signature=ab`,
      `${good}&GoogleAccessId=a`,
    ]) {
      const reply = await attack({ target: marked });
      expect([marked, reply.status, reply.calls]).toEqual([marked, 400, 0]);
    }
    for (const authorization of [
      "SharedKey myaccount:c2ln",
      "sharedkeylite a:b",
      "GOOG4-HMAC-SHA256 Credential=a",
      "GOOG1 a:b",
    ]) {
      const reply = await attack({ target: good, headers: { authorization } });
      expect([authorization, reply.status, reply.calls]).toEqual([authorization, 400, 0]);
    }
  });

  it("rails 41413, wrong region: what was signed for another purpose or region opens nothing, in whatever form it is signed", async () => {
    const own = await testGateway({
      files: { "media/hello.txt": "hello" },
      gateway: () => ({ audience: "files", region: "eu-central-1" }),
    });
    const codeOf = async (url: string, init?: RequestInit) => s3Code(await (await fetch(url, init)).text());
    const statusOf = async (audience?: string) =>
      (await fetch(daypassUrl(own, "/media/hello.txt", audience === undefined ? {} : { audience }))).status;
    expect([await statusOf("files"), await statusOf("mail"), await statusOf()]).toEqual([200, 403, 403]);

    const object = { bucket: "media", key: "hello.txt", expiresIn: 60 };
    const found: Record<string, readonly (string | undefined)[]> = {};
    for (const region of ["eu-central-1", "us-east-1"]) {
      const options = { region, endpoint: own.url, credentials: own.accessKey };
      const { fields, url } = s3FormSigner(options).sign({ ...object, key: "form.txt" });
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.append(name, value);
      body.append("file", "x");
      found[region] = [
        await codeOf(s3For(own, { region }).sign(object).url),
        await codeOf((await s3V4aSigner({ ...options, regionSet: [region], addressing: "path" }).sign(object)).url),
        await codeOf(url, { method: "POST", body }),
      ];
    }
    expect(found).toEqual({
      "eu-central-1": [undefined, undefined, undefined],
      "us-east-1": ["AuthorizationQueryParametersError", "AuthorizationQueryParametersError", "InvalidArgument"],
    });
    const headers = headerSignature({
      method: "GET",
      path: "/media/hello.txt",
      host: `127.0.0.1:${own.port}`,
      key: own.accessKey,
    });
    const reply = await send(own, { target: "/media/hello.txt", headers });
    expect([reply.status, s3Code(reply.body)]).toEqual([400, "AuthorizationHeaderMalformed"]);
    await own.close();
  });
});
