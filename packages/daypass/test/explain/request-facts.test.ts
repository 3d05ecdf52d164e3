import { akamaiSigner } from "daypass/akamai";
import { azureAccountSigner, azureSigner } from "daypass/azure";
import { type ExplainOptions, explain, explainForm } from "daypass/explain";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { urlSigner } from "daypass/url";
import { describe, expect, it } from "vitest";
import { credentials } from "./raw-requests.ts";

const clock = () => new Date("2026-11-24T12:00:00Z");
const soon = () => new Date("2026-11-24T12:05:00Z");
const causeOf = async (url: string, options: ExplainOptions = {}) =>
  (await explain(url, { clock: soon, ...options })).cause;
const from = (remoteAddress: string) => ({ request: { remoteAddress } });

describe("explain with the wrong client, with a key and without", () => {
  const jwk = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
  const akamai = { scheme: "akamai", secret: "52a152a152a152a152a152a152a1", parameter: "hdnts" } as const;
  const target = { url: "https://media.example.com/hls/a.m3u8", expiresIn: 900 } as const;

  it("reports the client of a Daypass URL", async () => {
    const bind = { ip: ["203.0.113.0/24", "2001:db8::/32"] };
    const { url } = urlSigner({ key: jwk, clock }).sign({ ...target, bind });
    for (const keys of [[], [jwk]]) {
      expect(await causeOf(url, { keys, ...from("198.51.100.7") })).toMatchObject({
        code: "IP",
        sentence: expect.stringContaining("203.0.113.0/24 or 2001:db8::/32"),
      });
      for (const address of ["203.0.113.9", "::ffff:203.0.113.9", "2001:db8::1"])
        expect(await causeOf(url, { keys, ...from(address) })).toBeUndefined();
      expect(await causeOf(url, { keys })).toBeUndefined();
    }
  });

  it("reports the client of an Akamai token", async () => {
    const { url } = akamaiSigner({ ...akamai, clock }).sign({ ...target, bind: { ip: "203.0.113.9" } });
    for (const keys of [[], [akamai]]) {
      expect(await causeOf(url, { keys, ...from("198.51.100.7") })).toMatchObject({ code: "IP" });
      expect(await causeOf(url, { keys, ...from("203.0.113.9") })).toBeUndefined();
    }
  });
});

describe("explain with a SAS", () => {
  const accountKey = Buffer.alloc(32, 1).toString("base64");
  const options = { account: "acme", credentials: { accountKey }, clock } as const;
  const { url } = azureSigner(options).sign({
    ...{ container: "media", blob: "a.txt", permissions: "r", protocol: "https", expiresIn: 900 },
    bind: { ip: "203.0.113.9" },
  });
  const account = (services: string, resourceTypes: string) =>
    azureAccountSigner(options).sign({
      ...{ services, resourceTypes, container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 },
    }).url;

  it.each([
    ["http", url.replace("https:", "http:"), undefined, "PROTOCOL"],
    ["another client", url, "198.51.100.7", "IP"],
    ["its own client", url, "203.0.113.9", undefined],
    ["its own client, by a dual-stack socket", url, "::ffff:203.0.113.9", undefined],
    ["its own client, mapped in hexadecimal", url, "::ffff:cb00:7109", undefined],
    ["an unknown client", url, undefined, undefined],
    ["a blob by a SAS for containers", account("b", "c"), undefined, "SERVICE"],
    ["a blob by a SAS for queues", account("q", "o"), undefined, "SERVICE"],
    ["a blob by a SAS for blobs", account("b", "o"), undefined, undefined],
    ["itself behind another one", `${url}&${url.split("?")[1]}`, undefined, "MALFORMED"],
  ])("checks it for %s", async (_, asked, remoteAddress, code) => {
    for (const keys of [[], [{ accountKey }]]) {
      const cause = await causeOf(asked, { keys, request: { remoteAddress } });
      expect(cause?.code).toBe(code);
      expect(cause?.fix).not.toBe("");
    }
  });
});

describe("explain with an account SAS", () => {
  const accountKey = Buffer.alloc(32, 1).toString("base64");
  const sas = (services: string, resourceTypes: string) =>
    new URL(
      azureAccountSigner({ account: "acme", credentials: { accountKey }, clock }).sign({
        ...{ services, resourceTypes, container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 },
      }).url,
    ).search;
  const domain = "core.windows.net";

  it.each([
    [`https://acme.queue.${domain}/jobs/messages`, "q", "o", undefined],
    [`https://acme.file.${domain}/share/a/b.txt`, "f", "o", undefined],
    [`https://acme.table.${domain}/people`, "t", "o", undefined],
    [`https://acme.table.${domain}/people(PartitionKey='a',RowKey='b')`, "t", "o", undefined],
    [`https://acme.dfs.${domain}/media/a.txt`, "b", "o", undefined],
    [`https://acme.blob.${domain}/`, "b", "o", undefined],
    [`https://acme.blob.${domain}/`, "b", "co", undefined],
    ["https://files.example.com/media/a.txt", "b", "o", undefined],
    ["https://files.example.com/media/a.txt", "q", "o", undefined],
    ["http://127.0.0.1:10001/acme/jobs/messages", "q", "o", undefined],
    [`https://acme.queue.${domain}/jobs/messages`, "b", "o", "SERVICE"],
    [`https://acme.blob.${domain}/media/a.txt`, "q", "o", "SERVICE"],
  ])("checks the service of %s with ss=%s and srt=%s", async (place, services, types, code) => {
    const signed = place + sas(services, types);
    expect((await causeOf(signed))?.code).toBe(code);
    expect((await causeOf(signed, { keys: [{ account: "acme", accountKey }] }))?.code).toBe(
      place.includes("example.com") && services === "q" ? "SERVICE" : code,
    );
  });

  it("requires srt=s for a request to the account", async () => {
    const signed = `https://acme.blob.${domain}/${sas("b", "o")}`;
    expect(await causeOf(signed, { request: { method: "GET" } })).toMatchObject({ code: "SERVICE" });
  });
});

describe("explain with a request", () => {
  it("reports another body than the signed one", async () => {
    const sha256 = "a".repeat(64);
    const { url, headers } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
      ...{ bucket: "media", key: "a", method: "PUT", expiresIn: 900 },
      bind: { sha256 },
    });
    const ask = (bodySha256: string) =>
      causeOf(url, { keys: [credentials], request: { method: "PUT", headers, bodySha256 } });
    expect(await ask("b".repeat(64))).toMatchObject({ code: "PAYLOAD" });
    expect(await ask(sha256)).toBeUndefined();
  });

  it("returns the signed hash of the body that the key proves", async () => {
    const sha256 = "a".repeat(64);
    const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
      ...{ bucket: "media", key: "a", method: "PUT", expiresIn: 900 },
      bind: { sha256 },
    });
    const request = { method: "PUT", bodySha256: sha256 };
    const { cause, mustSend } = await explain(url, { clock: soon, keys: [credentials], request });
    expect(cause).toBeUndefined();
    expect(mustSend).toContainEqual({ name: "x-amz-content-sha256", value: sha256 });
  });

  it("reports a header with the hash of another body", async () => {
    const [sha256, other] = ["a".repeat(64), "b".repeat(64)];
    const { url } = s3Signer({ region: "eu-west-1", credentials, clock }).sign({
      ...{ bucket: "media", key: "a", method: "PUT", expiresIn: 900 },
      bind: { sha256 },
    });
    const request = { method: "PUT", headers: { "x-amz-content-sha256": other }, bodySha256: sha256 };
    expect(await causeOf(url, { keys: [credentials], request })).toMatchObject({
      code: "HEADER",
      evidence: [expect.stringContaining("this one change")],
    });
    expect(await causeOf(url, { request })).toMatchObject({ code: "HEADER" });
  });

  it("names the bucket that a form is posted to, not the one of its field", async () => {
    const form = s3FormSigner({ region: "eu-west-1", credentials, clock }).sign({
      ...{ bucket: "media", key: "a", expiresIn: 900 },
    });
    const fields = [...Object.entries(form.fields), ["bucket", "media"]] as const;
    const sent = { url: "https://s3.eu-west-1.amazonaws.com/other", fields };
    const { cause } = await explainForm(form, { clock: soon, sent });
    expect(cause).toMatchObject({ code: "BUCKET", sentence: expect.stringMatching(/media, but is posted to other/) });
  });
});
