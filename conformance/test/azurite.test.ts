import { Buffer } from "node:buffer";
import {
  BlobSASPermissions,
  BlobServiceClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { type AzureUserDelegationKey, azureAccountSigner, azureSigner, azureUserDelegationSigner } from "daypass/azure";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../tools/needs.ts";
import { HOSTILE_KEYS } from "../random/hostile-keys.ts";
import { hasDotSegment } from "../random/keys.ts";
import { type Answer, type Sent, send } from "../send.ts";
import { type Azurite, startAzurite } from "../servers/azurite.ts";

const VERSIONS = [
  ...["2015-04-05", "2018-03-28", "2018-11-09", "2019-12-12", "2020-02-10", "2020-10-02", "2020-12-06", "2022-11-02"],
  ...["2025-05-05", "2025-07-05", "2026-02-06", "2026-04-06", "2026-06-06", "2026-10-06"],
] as const;
const CONTAINER = "media";
const BLOB = "talks/key note.txt";
const life = { expiresIn: 900 };
const permitted = { container: CONTAINER, blob: BLOB, permissions: "r", ...life };

const soon = (): Date => new Date(Date.now() + 60_000);
const get = (url: string): Promise<Answer> => send({ method: "GET", url });

/**
 * URLs with one parameter of the SAS changed at a time, the signature among them, and one with another path. Its name goes
 * with each.
 */
function tampered(url: string): readonly (readonly [what: string, url: string])[] {
  const mark = url.indexOf("?");
  const tokens = url.slice(mark + 1).split("&");
  const changed = tokens.map((token, index): readonly [string, string] => {
    const [name = "", value = ""] = token.split("=");
    return [
      name,
      `${url.slice(0, mark)}?${tokens.with(index, `${name}=${another(name, decodeURIComponent(value))}`).join("&")}`,
    ];
  });
  return [...changed, ["path", url.replace("talks/key%20note", "talks/key%20other")]];
}

/** Another legal value, so that the refusal is the signature's. */
function another(name: string, value: string): string {
  const known: Readonly<Record<string, string>> = {
    ...{
      sv: "2021-06-08",
      sp: value === "r" ? "racwd" : "r",
      spr: "https,http",
      sr: value === "b" ? "c" : "b",
      ss: "bq",
    },
    ...{ srt: "so", sip: "0.0.0.0-255.255.255.254", skv: "2019-02-02", sks: "f" },
  };
  if (/^(?:st|se|skt|ske)$/.test(name))
    return encodeURIComponent(value.replace(/\d{4}/, (year) => String(Number(year) + 1)));
  if (name === "sig") return encodeURIComponent(value.replace(/^./, (letter) => (letter === "A" ? "B" : "A")));
  return encodeURIComponent(known[name] ?? `${value}x`);
}

describe("URLs of Daypass, judged by Azurite 3.37.0", () => {
  let azurite: Azurite;
  let admin: BlobServiceClient;
  let options: { account: string; endpoint: string; credentials: { accountKey: string } };

  beforeAll(async () => {
    azurite = await startAzurite({ tls: false });
    const { account, endpoint, accountKey } = azurite;
    options = { account, endpoint, credentials: { accountKey } };
    admin = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, accountKey));
    await admin.getContainerClient(CONTAINER).create();
    await admin.getContainerClient(CONTAINER).getBlockBlobClient(BLOB).upload("hello", 5);
  });
  afterAll(() => azurite?.stop());

  test.each(VERSIONS)("a service SAS of %s reads a blob, by itself and through its container", async (version) => {
    const azure = azureSigner({ ...options, version });
    expect(await get(azure.sign(permitted).url)).toMatchObject({ status: 200, body: Buffer.from("hello") });
    const { url } = azure.sign({ container: CONTAINER, resource: "container", permissions: "rl", ...life });
    expect((await get(`${url}&restype=container&comp=list`)).body.toString()).toContain(
      "<Name>talks/key note.txt</Name>",
    );
    expect((await get(url.replace("?", `/${encodeURIComponent(BLOB)}?`))).status).toBe(200);
  });

  test.each(VERSIONS)("an account SAS of %s reads a blob and lists its container", async (version) => {
    const azure = azureAccountSigner({ ...options, version });
    const all = { resourceTypes: "sco", permissions: "rl", ...life };
    expect((await get(azure.sign({ ...all, container: CONTAINER, blob: BLOB }).url)).status).toBe(200);
    const list = await get(`${azure.sign({ ...all, container: CONTAINER }).url}&restype=container&comp=list`);
    expect(list.status).toBe(200);
    expect((await get(`${azure.sign(all).url}&comp=list`)).body.toString()).toContain("<Name>media</Name>");
  });

  test.each(HOSTILE_KEYS.filter((key) => !hasDotSegment(key)))("%j is put, read, and deleted", async (blob) => {
    const azure = azureSigner(options);
    const call = (permissions: string, more: Partial<Sent> = {}) => {
      const { url, method, headers } = azure.sign({ container: CONTAINER, blob, permissions, ...life });
      return send({ method, url, headers, ...more });
    };
    expect((await call("cw", { body: `of ${blob}` })).status).toBe(201);
    expect((await call("r")).body.toString()).toBe(`of ${blob}`);
    expect((await call("r", { method: "HEAD" })).status).toBe(200);
    expect((await call("d")).status).toBe(202);
    expect((await call("r")).status).toBe(404);
  });

  test("a backslash in a name is a slash to the server: the SDK's bare function signs another name than it sees", async () => {
    const blobName = "talks\\key note.txt";
    const { account, accountKey, endpoint } = azurite;
    const values = {
      containerName: CONTAINER,
      blobName,
      permissions: BlobSASPermissions.parse("r"),
      expiresOn: soon(),
    };
    const theirs = generateBlobSASQueryParameters(
      values,
      new StorageSharedKeyCredential(account, accountKey),
    ).toString();
    expect((await get(`${endpoint}/${CONTAINER}/${encodeURIComponent(blobName)}?${theirs}`)).status).toBe(403);
    const ours = azureSigner(options).sign({ ...permitted, blob: blobName });
    expect((await get(ours.url)).body.toString()).toBe("hello");
  });

  test("permissions, times and protocol hold", async () => {
    const azure = azureSigner(options);
    const { url } = azure.sign(permitted);
    for (const method of ["PUT", "DELETE"]) {
      const answer = await send({ method, url, headers: { "x-ms-blob-type": "BlockBlob" }, body: "x" });
      expect([answer.status, answer.code]).toEqual([403, "AuthorizationPermissionMismatch"]);
    }
    const early = azure.sign({ ...permitted, notBefore: new Date(Date.now() + 60_000) });
    const past = azureSigner({ ...options, clock: () => new Date(Date.now() - 3_600_000) }).sign(permitted);
    const tls = azure.sign({ ...permitted, protocol: "https" });
    expect((await get(early.url)).code).toBe("AuthorizationFailure");
    expect((await get(past.url)).code).toBe("AuthorizationFailure");
    expect((await get(tls.url)).code).toBe("AuthorizationProtocolMismatch");
    expect((await get(azure.sign({ ...permitted, protocol: "https,http", notBefore: new Date() }).url)).status).toBe(
      200,
    );
  });

  test("response overrides are answered", async () => {
    const response = {
      contentType: "text/x-own",
      contentDisposition: 'attachment; filename="a b.txt"',
      cacheControl: "no-store",
    };
    const { headers } = await get(azureSigner(options).sign({ ...permitted, response }).url);
    expect(headers["content-type"]).toBe("text/x-own");
    expect(headers["content-disposition"]).toBe('attachment; filename="a b.txt"');
    expect(headers["cache-control"]).toBe("no-store");
  });

  test("a stored access policy opens a URL, and takes it along", async () => {
    const container = admin.getContainerClient(CONTAINER);
    const accessPolicy = {
      startsOn: new Date(Date.now() - 60_000),
      expiresOn: new Date(Date.now() + 60_000),
      permissions: "r",
    };
    await container.setAccessPolicy(undefined, [{ id: "weekly é", accessPolicy }]);
    const { url } = azureSigner(options).sign({ container: CONTAINER, blob: BLOB, identifier: "weekly é" });
    expect((await get(url)).status).toBe(200);
    for (const [what, other] of tampered(url)) expect([what, (await get(other)).status]).toEqual([what, 403]);
    await container.setAccessPolicy(undefined, []);
    expect((await get(url)).status).toBe(403);
  });

  test("a snapshot is read by its own SAS, and no other is", async () => {
    const { snapshot = "" } = await admin.getContainerClient(CONTAINER).getBlobClient(BLOB).createSnapshot();
    const { url } = azureSigner(options).sign({ ...permitted, snapshot });
    expect((await get(url)).status).toBe(200);
    expect((await get(url.replace(/snapshot=[^&]*&/, ""))).status).toBe(403);
    for (const [what, other] of tampered(url)) expect([what, (await get(other)).status >= 400]).toEqual([what, true]);
  });

  test("every tampered service SAS is refused, of every version", async () => {
    for (const version of VERSIONS) {
      const { url } = azureSigner({ ...options, version }).sign({
        ...permitted,
        notBefore: new Date(Date.now() - 60_000),
        protocol: "https,http",
        bind: { ip: "0.0.0.0/0" },
        response: { contentType: "text/plain", contentLanguage: "de" },
      });
      expect((await get(url)).status).toBe(200);
      for (const [what, other] of tampered(url)) {
        // `spr` is the same value again.
        if (what !== "spr") expect([version, what, (await get(other)).status]).toEqual([version, what, 403]);
      }
    }
  });

  test("every tampered account SAS is refused", async () => {
    const { url } = azureAccountSigner(options).sign({
      ...{ container: CONTAINER, blob: BLOB, resourceTypes: "o", permissions: "r", ...life },
      notBefore: new Date(Date.now() - 60_000),
      bind: { ip: "0.0.0.0/0" },
    });
    expect((await get(url)).status).toBe(200);
    for (const [what, other] of tampered(url)) {
      // An account SAS signs no path, so another blob is refused only if it does not exist.
      expect([what, (await get(other)).status]).toEqual([what, what === "path" ? 404 : 403]);
    }
  });

  test("what Azurite leaves out: sip is signed and not enforced, encryption scopes are not there", async () => {
    const azure = azureSigner(options);
    expect((await get(azure.sign({ ...permitted, bind: { ip: "203.0.113.9" } }).url)).status).toBe(200);
    expect((await get(azure.sign({ ...permitted, encryptionScope: "one" }).url)).status).toBe(500);
  });

  test("what Azurite leaves out: a SAS for a version or a directory, the SDK's as well", async () => {
    const azure = azureSigner(options);
    const versionId = "2026-01-02T03:04:05.1234567Z";
    expect((await get(azure.sign({ ...permitted, versionId }).url)).status).toBe(403);
    expect((await get(azure.sign({ ...permitted, blob: undefined, prefix: "talks/" }).url)).status).toBe(403);
    const { account, accountKey, endpoint } = azurite;
    const theirs = (more: object): string =>
      generateBlobSASQueryParameters(
        { containerName: CONTAINER, permissions: BlobSASPermissions.parse("r"), expiresOn: soon(), ...more },
        new StorageSharedKeyCredential(account, accountKey),
      ).toString();
    const blob = `${endpoint}/${CONTAINER}/${encodeURIComponent(BLOB)}`;
    const ofVersion = `versionid=${encodeURIComponent(versionId)}&${theirs({ blobName: BLOB, versionId })}`;
    const ofDirectory = theirs({ blobName: "talks", isDirectory: true });
    for (const sas of [ofVersion, ofDirectory]) expect((await get(`${blob}?${sas}`)).status).toBe(403);
  });
});

const missing = needs("openssl");

describe.skipIf(missing)(`user delegation SAS of Daypass, judged by Azurite 3.37.0${missing ?? ""}`, () => {
  let azurite: Azurite;
  let userDelegationKey: AzureUserDelegationKey;

  beforeAll(async () => {
    azurite = await startAzurite({ tls: true });
    const { account, endpoint, accountKey } = azurite;
    // The SDK would ask for a certificate that a machine trusts, so the two calls of the set-up are made by hand.
    const azure = azureAccountSigner({ account, endpoint, credentials: { accountKey } });
    const created = azure.sign({ container: CONTAINER, resourceTypes: "c", permissions: "c", ...life });
    expect((await send({ method: "PUT", url: `${created.url}&restype=container` })).status).toBe(201);
    const put = azureSigner({ account, endpoint, credentials: { accountKey } }).sign({
      ...permitted,
      permissions: "cw",
    });
    expect((await send({ ...put, body: "hello" })).status).toBe(201);
    userDelegationKey = await lentKey(endpoint);
  });
  afterAll(() => azurite?.stop());

  const signer = (version: string | undefined) =>
    azureUserDelegationSigner({
      account: azurite.account,
      endpoint: azurite.endpoint,
      version,
      credentials: { userDelegationKey },
    });

  test.each([undefined, ...VERSIONS.filter((version) => version >= "2018-11-09")])(
    "of version %s read a blob, and are refused when tampered with",
    async (version) => {
      const { url } = signer(version).sign({
        ...permitted,
        protocol: "https",
        notBefore: new Date(Date.now() - 60_000),
      });
      expect(await get(url)).toMatchObject({ status: 200, body: Buffer.from("hello") });
      for (const [what, other] of tampered(url)) {
        const { status } = await get(other);
        expect([what, status === 403 || status === 400]).toEqual([what, true]);
      }
      const { url: container } = signer(version).sign({
        container: CONTAINER,
        resource: "container",
        permissions: "l",
        ...life,
      });
      expect((await get(`${container}&restype=container&comp=list`)).status).toBe(200);
    },
  );

  test("a version that is newer than Azurite is refused as a header, and not as the sv of a SAS", async () => {
    const { url } = signer("2026-10-06").sign(permitted);
    const asked = async (version: string) =>
      (await send({ method: "GET", url, headers: { "x-ms-version": version } })).status;
    expect([(await get(url)).status, await asked("2026-06-06"), await asked("2026-10-06")]).toEqual([200, 200, 400]);
  });

  test.each([
    ["signed headers", { requestHeaders: { "x-ms-client-request-id": "a" } }],
    ["signed parameters", { requestQueryParameters: { timeout: "30" } }],
    ["saoid", { preauthorizedAgentObjectId: "33333333-3333-3333-3333-333333333333" }],
    ["scid", { correlationId: "44444444-4444-4444-4444-444444444444" }],
    ["sduoid", { delegatedUserObjectId: "66666666-6666-6666-6666-666666666666" }],
  ])("Azurite knows no %s: the SDK's are refused as well", async (_, more) => {
    const version = "2026-04-06";
    const {
      requestHeaders: headers,
      requestQueryParameters: query,
      ...users
    } = more as {
      readonly requestHeaders?: Readonly<Record<string, string>>;
      readonly requestQueryParameters?: Readonly<Record<string, string>>;
    };
    expect((await send(signer(version).sign({ ...permitted, ...users, bind: { headers, query } }))).status).toBe(403);
    const key = {
      ...userDelegationKey,
      signedStartsOn: new Date(userDelegationKey.signedStartsOn),
      signedExpiresOn: new Date(userDelegationKey.signedExpiresOn),
    };
    const values = { containerName: CONTAINER, blobName: BLOB, permissions: BlobSASPermissions.parse("r"), version };
    const sas = generateBlobSASQueryParameters({ ...values, ...more, expiresOn: soon() }, key, azurite.account);
    const parameters = [...Object.entries(query ?? {}).map((pair) => pair.join("=")), sas.toString()].join("&");
    const url = `${azurite.endpoint}/${CONTAINER}/${encodeURIComponent(BLOB)}?${parameters}`;
    expect((await send({ method: "GET", url, headers })).status).toBe(403);
  });
});

/** Get User Delegation Key, with an unsigned token: Azurite's "basic" level checks only its claims. */
async function lentKey(endpoint: string): Promise<AzureUserDelegationKey> {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const tenant = "22222222-2222-2222-2222-222222222222";
  const claims = {
    ...{
      aud: "https://storage.azure.com",
      iss: `https://sts.windows.net/${tenant}/`,
      iat: now,
      nbf: now - 60,
      exp: now + 3600,
    },
    ...{ oid: "11111111-1111-1111-1111-111111111111", tid: tenant },
  };
  const token = `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
  const time = (seconds: number): string => `${new Date((now + seconds) * 1000).toISOString().slice(0, 19)}Z`;
  const { status, body } = await send({
    method: "POST",
    url: `${endpoint}?restype=service&comp=userdelegationkey`,
    headers: { authorization: `Bearer ${token}`, "x-ms-version": "2021-10-04", "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="utf-8"?><KeyInfo><Start>${time(-60)}</Start><Expiry>${time(3600)}</Expiry></KeyInfo>`,
  });
  const field = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body.toString())?.[1] ?? "";
  expect([status, field("Value") !== ""]).toEqual([200, true]);
  return {
    signedObjectId: field("SignedOid"),
    signedTenantId: field("SignedTid"),
    signedStartsOn: field("SignedStart"),
    signedExpiresOn: field("SignedExpiry"),
    signedService: field("SignedService"),
    signedVersion: field("SignedVersion"),
    value: field("Value"),
  };
}
