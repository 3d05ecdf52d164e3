import { createHmac } from "node:crypto";
import { azureSigner } from "daypass/azure";
import type { CauseCode, ExplainOptions } from "daypass/explain";
import { describe, expect, it } from "vitest";
import { ACCOUNT, CREDENTIALS, OTHER_KEY } from "../azure/fixture.ts";
import { askingAt } from "./asking.ts";
import {
  account,
  azure,
  azureXml,
  delegatedKey,
  delegation,
  FIELDS,
  key,
  LINES,
  now,
  type Wrong,
  wish,
  withPlus,
  wrongUrl,
} from "./azure-urls.ts";

const { ask, causeOf } = askingAt(now);

describe("explain with an answer of Azure", () => {
  const { url } = azure.sign(wish);
  const times = (start: string, end: string) =>
    `Signature not valid in the specified time frame: Start [${start}] - Expiry [${end}] - Current [Fri, 02 Jan 2026 05:00:00 GMT]`;

  it.each<readonly [CauseCode, string, string]>([
    ["EXPIRED", "AuthenticationFailed", times("Fri, 02 Jan 2026 03:00:00 GMT", "Fri, 02 Jan 2026 04:00:00 GMT")],
    ["NOT_YET_VALID", "AuthenticationFailed", times("Fri, 02 Jan 2026 06:00:00 GMT", "Fri, 02 Jan 2026 07:00:00 GMT")],
    ["MALFORMED", "AuthenticationFailed", "Signature fields not well formed."],
    ["MALFORMED", "AuthenticationFailed", "sp is mandatory. Cannot be empty"],
    [
      "POLICY",
      "AuthenticationFailed",
      "Access policy fields can be associated with signature or SAS identifier but not both",
    ],
    ["POLICY", "AuthenticationFailed", "Signed identifier could not be found"],
    ["TIME", "AuthenticationFailed", "Signed expiry must be after signed start"],
    ["PERMISSION", "AuthorizationPermissionMismatch", ""],
    ["PROTOCOL", "AuthorizationProtocolMismatch", ""],
    ["IP", "AuthorizationSourceIPMismatch", ""],
    ["SERVICE", "AuthorizationServiceMismatch", ""],
    ["SERVICE", "AuthorizationResourceTypeMismatch", ""],
    ["PERMISSION", "AuthorizationFailure", ""],
    ["PERMISSION", "KeyBasedAuthenticationNotPermitted", ""],
    ["PERMISSION", "UnauthorizedBlobOverwrite", ""],
    ["AMBIGUOUS_AUTHENTICATION", "InvalidAuthenticationInfo", ""],
    ["MALFORMED", "NoAuthenticationInformation", ""],
    ["NOT_FOUND", "BlobNotFound", ""],
  ])("returns %s for %s %s", async (code, answer, detail) => {
    const cause = await causeOf(url, { errorBody: azureXml(answer, detail) });
    expect(cause?.code).toBe(code);
    expect(cause?.evidence[0]).toContain(answer);
    expect(cause?.fix).not.toBe("");
  });

  it("names the header or parameter of the answer", async () => {
    const named = (code: string, element: string, name: string) =>
      azureXml(code).replace("</Error>", `<${element}>${name}</${element}></Error>`);
    const upload = azure.sign({ ...wish, permissions: "cw" }).url;
    expect(
      await causeOf(upload, { errorBody: named("MissingRequiredHeader", "HeaderName", "x-ms-blob-type") }),
    ).toMatchObject({
      code: "HEADER",
      sentence: expect.stringContaining("lacks the header x-ms-blob-type"),
      fix: "Send x-ms-blob-type: BlockBlob.",
    });
    expect(await causeOf(url, { errorBody: named("InvalidHeaderValue", "HeaderName", "x-ms-lease-id") })).toMatchObject(
      { code: "MALFORMED", sentence: expect.stringContaining("but not x-ms-lease-id") },
    );
    expect(
      await causeOf(url, { errorBody: named("InvalidQueryParameterValue", "QueryParameterName", "comp") }),
    ).toMatchObject({ sentence: expect.stringContaining("but not comp") });
  });

  it("omits the id and the time of the request", async () => {
    const cause = await causeOf(url, { errorBody: azureXml("LeaseIdMissing") });
    expect(cause).toMatchObject({ code: "SERVER", sentence: expect.not.stringMatching(/RequestId|Time:|\n/) });
  });

  const lines =
    "r\n\n2026-01-02T04:04:05Z\n/blob/myaccount/media/talks/a b.txt\n\n\n\n2022-11-02\nb\n\n\n\n\n\n\n".split("\n");
  const mismatch = (text: string) =>
    azureXml("AuthenticationFailed", `Signature did not match. String to sign used was ${text}`);

  it.each<readonly [number, string, CauseCode, string]>([
    [0, "rw", "QUERY", "permissions (sp)"],
    [1, "2026-01-02T03:00:00Z", "TIME", "start (st)"],
    [2, "2026-01-02T05:00:00Z", "TIME", "end (se)"],
    [3, "/blob/myaccount/media/talks/a%20b.txt", "PATH", "canonical resource"],
    [3, "/blob/myaccount/media/talks/a+b.txt", "PATH", "canonical resource"],
    [4, "weekly", "QUERY", "stored policy (si)"],
    [5, "203.0.113.9", "QUERY", "client address (sip)"],
    [6, "https", "QUERY", "protocol (spr)"],
    [8, "c", "QUERY", "kind of resource (sr)"],
    [15, "text/html", "QUERY", "rsct"],
  ])("names line %i of the string to sign if it differs (%s)", async (at, text, code, name) => {
    const cause = await causeOf(url, { errorBody: mismatch(lines.with(at, text).join("\n")) });
    expect(cause).toMatchObject({ code, evidence: [expect.any(String), `the server saw: ${text}`] });
    expect(cause?.sentence).toContain(`The ${name} differs`);
  });

  it("returns WRONG_SECRET for an equal string to sign, with and without the last line ends", async () => {
    for (const text of [lines.join("\n"), lines.join("\n").trimEnd()]) {
      expect((await causeOf(url, { errorBody: mismatch(text) }))?.code).toBe("WRONG_SECRET");
    }
  });

  it("returns VERSION if the server signs more lines", async () => {
    const cause = await causeOf(url, { errorBody: mismatch([...lines, "a", "b"].join("\n")) });
    expect(cause).toMatchObject({ code: "VERSION" });
  });

  it("finds the signer's change with the key, although server and URL agree", async () => {
    const wrong = wrongUrl({ signed: { sp: "rw" }, fields: { sp: "wr" } });
    const shown = `wr\n\n${FIELDS.se}\n/blob/myaccount/media/talks/a b.txt\n\n\n\n2022-11-02\nb\n\n\n\n\n\n`;
    expect((await causeOf(wrong, { errorBody: mismatch(shown), keys: [key] }))?.code).not.toBe("WRONG_SECRET");
  });
});

describe("explain for a SAS with a key", () => {
  it("returns the string to sign of a good URL of each kind", async () => {
    const right: readonly (readonly [string, ExplainOptions["keys"]])[] = [
      [azure.sign(wish).url, [key]],
      [azure.sign({ ...wish, snapshot: "2026-01-01T00:00:00.1234567Z" }).url, [{ accountKey: OTHER_KEY }, key]],
      [azure.sign({ container: "media", prefix: "a/b", permissions: "r", expiresIn: 3600 }).url, [key]],
      [account.sign({ ...wish, resourceTypes: "o" }).url, [{ ...key, account: ACCOUNT }]],
      [delegation.sign(wish).url, [delegatedKey]],
    ];
    for (const [url, keys] of right) {
      const { cause, stringToSign } = await ask(url, { keys });
      expect(cause, url).toBeUndefined();
      expect(stringToSign?.split("\n").length).toBeGreaterThan(9);
    }
  });

  it.each<readonly [CauseCode, string, Wrong]>([
    ["SIGNATURE", "percent-encoded twice", { spell: (signature) => encodeURIComponent(encodeURIComponent(signature)) }],
    ["WRONG_SECRET", "used as text", { key: CREDENTIALS.accountKey }],
    ["QUERY", "signed as rw, but", { signed: { sp: "rw" }, fields: { sp: "wr" } }],
    ["TIME", "with milliseconds", { signed: { se: "2026-01-02T04:04:05.000Z" } }],
    ["TIME", "without Z", { signed: { se: "2026-01-02T04:04:05" } }],
    ["TIME", "added after signing", { fields: { st: "2026-01-02T03:00:00Z" }, signed: { st: "" } }],
    ["PATH", "without /blob in front", { signed: { resource: "/myaccount/media/talks/a b.txt" } }],
    ["PATH", "the account twice", { signed: { resource: "/blob/myaccount/myaccount/media/talks/a b.txt" } }],
    ["PATH", "for the container, with sr=c", { signed: { resource: "/blob/myaccount/media", sr: "c" } }],
    ["PATH", "for the container, under the sr", { signed: { resource: "/blob/myaccount/media" } }],
    ["PATH", "a%20b.txt", { signed: { resource: "/blob/myaccount/media/talks/a%20b.txt" } }],
    ["QUERY", "added after signing", { fields: { rscd: "attachment" }, signed: { rscd: "" } }],
    ["QUERY", "signed percent-encoded", { fields: { rscd: "attachment; x" }, signed: { rscd: "attachment%3B%20x" } }],
    ["VERSION", "fields of 2018-11-09", { lines: LINES.filter((name) => name !== "ses") }],
    ["VERSION", "fields of 2015-04-05", { lines: LINES.filter((name) => !/^(?:ses|sr|time)$/.test(name)) }],
    ["VERSION", "after the last field", { end: "\n" }],
  ])("returns %s: %s", async (code, sentence, wrong) => {
    const { cause, hypotheses } = await ask(wrongUrl(wrong), { keys: [key] });
    expect(cause?.sentence).toContain(sentence);
    expect(cause?.code).toBe(code);
    expect(hypotheses?.[0]).toMatchObject({ code, fits: true });
  });

  it("returns SIGNATURE for a plus that became a space", async () => {
    const url = withPlus((signature) => signature.replaceAll("=", "%3D").replaceAll("/", "%2F"));
    const cause = await causeOf(url, { keys: [key] });
    expect(cause).toMatchObject({ code: "SIGNATURE" });
    expect(cause?.sentence).toContain("%2B");
    expect((await causeOf(url))?.code).toBe("SIGNATURE");
  });

  it("returns the missing line feed of an account SAS", async () => {
    const fields = { sv: "2022-11-02", ss: "b", srt: "o", se: "2026-01-02T04:04:05Z", sp: "r" };
    const text = ["myaccount", "r", "b", "o", "", fields.se, "", "", fields.sv, ""].join("\n");
    const signature = createHmac("sha256", Buffer.from(CREDENTIALS.accountKey, "base64")).update(text).digest("base64");
    const query = new URLSearchParams({ ...fields, sig: signature }).toString();
    const cause = await causeOf(`https://myaccount.blob.core.windows.net/media/a?${query}`, { keys: [key] });
    expect(cause?.sentence).toContain("line feed at the end");
  });

  it("returns two faults of one URL", async () => {
    const url = wrongUrl({ signed: { se: "2026-01-02T04:04:05.000Z", resource: "/myaccount/media/talks/a b.txt" } });
    const cause = await causeOf(url, { keys: [key] });
    expect(cause?.sentence).toContain("Also: ");
  });

  it("returns WRONG_SECRET for another key, and UNKNOWN_KEY for another kind", async () => {
    const { url } = azure.sign(wish);
    expect(await causeOf(url, { keys: [{ accountKey: OTHER_KEY }] })).toMatchObject({ code: "WRONG_SECRET" });
    expect(await causeOf(url, { keys: [delegatedKey] })).toMatchObject({ code: "UNKNOWN_KEY" });
    expect(await causeOf(url, { keys: [{ ...key, account: "another" }] })).toMatchObject({ code: "UNKNOWN_KEY" });
    expect(await causeOf(delegation.sign(wish).url, { keys: [key] })).toMatchObject({ code: "UNKNOWN_KEY" });
  });

  it("returns the change between signing and sending", async () => {
    const { url } = azure.sign(wish);
    const sent = url.replace("a%20b.txt", "a+b.txt");
    expect(await causeOf(url, { keys: [key], request: { url: sent } })).toMatchObject({
      code: "PATH",
      sentence: expect.stringContaining("was sent as"),
    });
  });

  it("hides key and signature in every text", async () => {
    const { url } = azure.sign(wish);
    const signature = new URL(url).searchParams.get("sig") as string;
    const text = JSON.stringify(await ask(url, { keys: [{ accountKey: OTHER_KEY }] }));
    for (const secret of [OTHER_KEY, signature, encodeURIComponent(signature)]) expect(text).not.toContain(secret);
  });
});

describe("explain for a SAS without answer and key", () => {
  it.each<readonly [CauseCode, string]>([
    [
      "EXPIRED",
      azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock: () => new Date("2026-01-01") }).sign(wish).url,
    ],
    ["NOT_YET_VALID", azure.sign({ ...wish, notBefore: new Date("2026-01-02T04:00:00Z") }).url],
    ["MALFORMED", wrongUrl({ fields: { sp: "wr" } })],
    ["MALFORMED", wrongUrl({ fields: { se: "2026-01-02T04:04:05" } })],
    ["MALFORMED", wrongUrl({ fields: { sv: "2014-02-14" } })],
    ["MALFORMED", wrongUrl({ fields: { sv: "2018-11-09", sp: "t" } })],
    ["UNSIGNED_PARAMETER", wrongUrl({ fields: { sv: "2018-11-09", ses: "scope" } })],
    ["SIGNATURE", azure.sign(wish).url.slice(0, -5)],
    ["PATH", wrongUrl({ path: "/Media/a.txt" })],
  ])("returns %s by grammar and clock", async (code, url) => {
    expect((await causeOf(url))?.code).toBe(code);
  });

  it.each(["se", "sr", "sp"])("names a missing %s, with and without the key", async (name) => {
    const url = azure.sign(wish).url.replace(new RegExp(`([?&])${name}=[^&]*&?`), "$1");
    for (const keys of [[], [key]]) {
      const { cause, summary } = await ask(url, { keys });
      expect(cause).toMatchObject({ code: "MALFORMED", sentence: expect.stringContaining(`lacks ${name}`) });
      expect(summary).not.toContain("stored policy");
    }
    const policy = azure.sign({ container: "media", blob: "a", identifier: "weekly" }).url;
    expect(await causeOf(policy, { keys: [key] })).toBeUndefined();
  });

  it("returns HEADER for an upload without a type, and rejects further credentials", async () => {
    const { url } = azure.sign({ ...wish, permissions: "cw" });
    const sent = (headers?: Record<string, string>) =>
      causeOf(url, { keys: [key], request: { method: "PUT", headers } });
    expect(await sent({})).toMatchObject({ code: "HEADER", fix: "Send x-ms-blob-type: BlockBlob." });
    expect(await sent()).toBeUndefined();
    const type = { "x-ms-blob-type": "BlockBlob" };
    expect(await sent(type)).toBeUndefined();
    expect(await sent({ ...type, authorization: "Bearer x" })).toMatchObject({ code: "AMBIGUOUS_AUTHENTICATION" });
    const user = delegation.sign({ ...wish, delegatedUserObjectId: "u" }).url;
    const request = { method: "GET", headers: { authorization: "Bearer x" } };
    expect(await causeOf(user, { keys: [delegatedKey], request })).toBeUndefined();
  });

  it.each([
    ["sp", "", "malformed: send "],
    ["sr", "x", "malformed: send "],
    ["spr", "http", "malformed: send https or https,http"],
    ["rscd", "", "malformed: send "],
    ["saoid", "u", "not signed. Leave it out, or send nothing, as 2022-11-02 does not sign it (none does)"],
    ["srh", "a", "not signed. Leave it out, or send nothing, as 2022-11-02 does not sign it (none does)"],
  ])("explains the invalid value %s=%s", async (name, value, expected) => {
    const cause = await causeOf(wrongUrl({ fields: { [name]: value } }));
    expect(cause?.sentence).toContain(`${name} is ${expected}`);
  });

  it("returns PERMISSION or METHOD for a request beyond the permissions", async () => {
    const { url } = azure.sign(wish);
    expect(await causeOf(url, { request: { method: "PUT" } })).toMatchObject({
      code: "PERMISSION",
      sentence: "put-blob needs the permission c or w, but the URL has r.",
    });
    expect(await causeOf(url, { request: { method: "HEAD" } })).toBeUndefined();
    expect(await causeOf(url, { request: { method: "PATCH" } })).toMatchObject({ code: "METHOD" });
    expect(await causeOf(`${url}&comp=tags`, { request: { method: "GET" } })).toMatchObject({ code: "PERMISSION" });
    const copy = azure.sign({ ...wish, permissions: "r" }).url;
    expect(
      await causeOf(copy, { request: { method: "PUT", headers: { "x-ms-copy-source": "https://x" } } }),
    ).toMatchObject({
      sentence: expect.stringContaining("copy-blob"),
    });
  });
});

it.each([
  ["REDACTED", "cut off"],
  ["AAAA%3D", "cut off"],
  ["%2A%2A%2A", "characters that base64 does not have"],
  [`${"A".repeat(43)}%3D%3D`, "something follows it"],
])("explain returns SIGNATURE for the incomplete signature %s", async (signature, said) => {
  const { url } = await azure.sign(wish);
  const cause = await causeOf(url.replace(/([?&]sig=)[^&]*/, `$1${signature}`));
  expect([cause?.code, cause?.sentence]).toEqual(["SIGNATURE", expect.stringContaining(said)]);
});

describe("explain for a SAS outside its scope", () => {
  const times = "[Fri, 02 Jan 2026 00:00:00 GMT] - Key expiry [Fri, 02 Jan 2026 03:00:00 GMT]";

  it.each([
    [
      `Key start ${times} - Current [Fri, 02 Jan 2026 03:30:00 GMT]`,
      "EXPIRED",
      /key that signed has expired: it was valid until/,
    ],
    [
      `Key start ${times} - Current [Thu, 01 Jan 2026 23:59:00 GMT]`,
      "NOT_YET_VALID",
      /key that signed is not valid yet/,
    ],
    ["", "EXPIRED", /key that signed has expired or is not valid yet/],
  ])("returns the lifetime of the key that signed: %s", async (frame, code, sentence) => {
    const { url } = delegation.sign(wish);
    const errorBody = azureXml("AuthenticationFailed", `Signature not valid in the specified key time frame: ${frame}`);
    expect(await causeOf(url, { errorBody })).toMatchObject({
      code,
      sentence: expect.stringMatching(sentence),
      fix: expect.stringMatching(/new user delegation key/),
    });
  });

  it("returns PATH for the container of a blob and the account of a container", async () => {
    const used = "Signature did not match. String to sign used was x";
    const blob = azure.sign(wish).url.replace("/talks/a%20b.txt", "");
    const listing = `${blob}&restype=container&comp=list`;
    const account = azure
      .sign({ ...wish, blob: undefined, resource: "container", permissions: "rl" })
      .url.replace("/media?", "/?");
    for (const [url, says] of [
      [listing, /for one blob \(sr=b\), but the URL asks for the container/],
      [`${account}&comp=list`, /for one container \(sr=c\), but the URL asks for the list/],
    ] as const) {
      for (const errorBody of [azureXml("AuthenticationFailed", used), azureXml("AuthorizationFailure"), undefined]) {
        expect(await causeOf(url, { errorBody })).toMatchObject({
          code: "PATH",
          sentence: expect.stringMatching(says),
        });
      }
    }
    expect(await causeOf(`${blob}&comp=list`)).toBeUndefined();
  });

  it("returns PATH for a path that was encoded twice, by the server's text", async () => {
    const url = wrongUrl({ path: "/media/talks/a%2520b.txt" });
    const values: Readonly<Record<string, string>> = { ...FIELDS, resource: `/blob/${ACCOUNT}/media/talks/a%20b.txt` };
    const used = LINES.map((name) => values[name] ?? "").join("\n");
    const errorBody = azureXml("AuthenticationFailed", `Signature did not match. String to sign used was ${used}`);
    expect(await causeOf(url, { errorBody })).toMatchObject({
      code: "PATH",
      sentence: expect.stringMatching(/Most likely the path was encoded twice/),
    });
  });
});
