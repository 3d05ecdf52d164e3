import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sign, verdictOf, verify } from "./line-batches.ts";

const accountKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const otherKey = "HxEeHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE=";
const line = {
  scheme: "azure",
  account: "myaccount",
  container: "media",
  blob: "talks/key note.mp4",
  permissions: "r",
  credentials: { accountKey },
  expiresIn: 900,
  signedAt: "2026-01-02T03:04:05Z",
};
const userDelegationKey = {
  signedObjectId: "6b1e1f5c-2f1d-4a6a-9c5e-0d3c2b1a0f9e",
  signedTenantId: "72f988bf-86f1-41af-91ab-2d7cd011db47",
  signedStartsOn: "2026-01-01T00:00:00Z",
  signedExpiresOn: "2026-01-05T00:00:00Z",
  signedService: "b",
  signedVersion: "2020-12-06",
  value: otherKey,
};
const entry = { scheme: "azure", account: "myaccount", credentials: { accountKey } };
const at = "2026-01-02T03:05:00Z";

test("signs a line with the short names of its fields", async () => {
  const contract = {
    ...{ scheme: "azure", kind: "service", version: "2026-04-06", account: "a", container: "c", blob: "x" },
    ...{ endpoint: "https://a.blob.core.windows.net", resource: "b", permissions: "r", credentials: { accountKey } },
    ...{ expiresAt: "2026-01-02T04:04:05Z", signedAt: "2026-01-02T03:04:05Z" },
  };
  const [signed] = await sign([contract]);
  expect(signed?.url).toMatch(/^https:\/\/a\.blob\.core\.windows\.net\/c\/x\?sv=2026-04-06&/);
});

test("refuses empty and misspelt credentials with different errors", async () => {
  const request = { method: "GET", url: "https://myaccount.blob.core.windows.net/c/x?sig=a", headers: {} };
  const schemes = [[], [{ accountKey }, { acountKey: accountKey }], { acountKey: accountKey }].map((credentials) => [
    { ...entry, credentials },
  ]);
  const answers = await verify(schemes.map((own) => ({ request, at, schemes: own })));
  expect(answers.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^credentials is an empty list/),
    expect.stringMatching(/the field "acountKey"\. Did you mean accountKey\?$/),
    expect.stringMatching(/the field "acountKey"\. Did you mean accountKey\?$/),
  ]);
});

/** What Azure's own SDKs sign. */
interface Vector {
  readonly name: string;
  readonly url: string;
  readonly wish: Readonly<Record<string, unknown>> & { readonly kind: string; readonly version: string };
}

const { vectors } = JSON.parse(
  readFileSync(new URL("../../daypass/test/vectors/azure/sas.json", import.meta.url), "utf8"),
) as { readonly vectors: readonly Vector[] };

/** A vector in the words of a line. */
function vectorLine({ wish }: Vector): Readonly<Record<string, unknown>> {
  const { accountKey, userDelegationKey, startsOn, expiresOn, directory, headers, query, response, ...rest } = wish;
  return {
    scheme: "azure",
    ...rest,
    notBefore: startsOn,
    expiresAt: expiresOn,
    prefix: directory,
    resource: wish.kind === "account" || (wish["blob"] ?? directory) !== undefined ? undefined : "container",
    credentials: wish.kind === "user-delegation" ? { userDelegationKey } : { accountKey },
    ...(wish.kind === "account" ? {} : { response }),
    ...(headers === undefined && query === undefined ? {} : { bind: { headers, query } }),
  };
}

test("signs the bytes of Azure's SDKs in every kind and version", async () => {
  const answers = await sign(vectors.map(vectorLine));
  expect(vectors.length).toBeGreaterThan(25);
  for (const [i, { name, url, wish }] of vectors.entries()) {
    // The SDK leaves the parameters that it signs to the caller, and the one for directories writes `sdd` last.
    const names = Object.keys((wish["query"] ?? {}) as object);
    const tokens = (text: string | undefined): readonly string[] =>
      (text ?? "")
        .split(/[?&]/)
        .filter((token) => !names.includes(token.split("=")[0] ?? ""))
        .sort();
    expect([name, answers[i]?.error, tokens(answers[i]?.url)]).toEqual([name, undefined, tokens(url)]);
  }
});

test("reads the account of an entry from the host", async () => {
  const lines = [
    line,
    { ...line, kind: "user-delegation", credentials: { userDelegationKey } },
    { ...line, endpoint: "https://myaccount-secondary.blob.core.windows.net" },
    { ...line, account: "other" },
    { ...line, endpoint: "http://127.0.0.1:10000/myaccount" },
  ];
  const signed = await sign([...lines, { ...line, permissions: undefined, identifier: "p", expiresIn: undefined }]);
  const credentials = [{ accountKey }, { userDelegationKey }];
  const schemesOf = (more: object): readonly object[] => [{ scheme: "azure", credentials, ...more }];
  const ask = ({ url }: { readonly url: string }, more: object = {}): object => {
    return { request: { method: "GET", url }, at, schemes: schemesOf(more) };
  };
  const [first, , , , emulated, stored] = signed;
  const policy = { container: "media", identifier: "p", permissions: "r", expiresOn: "2026-01-03T00:00:00Z" };
  const answers = await verify([
    ...signed.slice(0, 5).map((one) => ask(one)),
    ask(emulated as never, { endpoint: "http://127.0.0.1:10000/myaccount" }),
    ask(stored as never, { policies: [policy] }),
    ask({ url: first?.url.replace("myaccount", "another") ?? "" }),
  ]);
  expect(answers.map(({ ok, code, grant }) => (ok ? grant?.["account"] : code))).toEqual([
    ...["myaccount", "myaccount", "myaccount", "other", "INVALID_INPUT"],
    ...["myaccount", "myaccount", "SIGNATURE_MISMATCH"],
  ]);
  expect(answers[4]?.message).toMatch(/^account is missing/);
});

test("verifies signed URLs of every kind", async () => {
  const lines: readonly object[] = [
    line,
    { ...line, kind: "account", services: "b", resourceTypes: "co" },
    { ...line, kind: "user-delegation", credentials: { userDelegationKey } },
    { ...line, blob: undefined, resource: "container", permissions: "l" },
    { ...line, blob: undefined, prefix: "talks/", permissions: "rl" },
    { ...line, snapshot: "2026-01-01T00:00:00.0000000Z" },
    { ...line, endpoint: "http://127.0.0.1:10000/myaccount" },
  ];
  const signed = await sign(lines);
  const suffixes = ["", "", "", "&restype=container&comp=list", "", "", ""];
  const credentials = [{ accountKey }, { userDelegationKey }];
  const verdicts = await verify(
    signed.map(({ url, method }, i) => ({
      request: { method, url: url.replace("/talks?", "/talks/a?") + suffixes[i] },
      at,
      schemes: [{ ...entry, credentials }],
    })),
  );
  expect(verdicts.map(({ ok, code, scheme, grant }) => [ok ? scheme : code, grant?.["kind"], grant?.["blob"]])).toEqual(
    [
      ["azure", "service", line.blob],
      ["azure", "account", line.blob],
      ["azure", "user-delegation", line.blob],
      ["azure", "service", undefined],
      ["azure", "service", "talks/a"],
      ["azure", "service", line.blob],
      ["azure", "service", line.blob],
    ],
  );
  expect(verdicts[0]?.grant).toMatchObject({ account: "myaccount", container: "media", operation: "get-blob" });
});

test("binds addresses by ip, and signs a directory for resource d", async () => {
  const [ip, bind, directory, prefix] = await sign([
    { ...line, ip: "192.0.2.0/24" },
    { ...line, bind: { ip: "192.0.2.0/24" } },
    { ...line, resource: "d", blob: "talks/2026" },
    { ...line, resource: "d", blob: undefined, prefix: "talks/2026/" },
  ]);
  expect(ip?.url).toContain("&sip=192.0.2.0-192.0.2.255&");
  expect(bind).toEqual(ip);
  expect(directory?.url).toContain("&sr=d&");
  expect(prefix).toEqual(directory);
});

test("refuses contradictory fields, and fields of another kind", async () => {
  const refused: readonly (readonly [object, string])[] = [
    [{ ...line, kind: "Service" }, "kind"],
    [{ ...line, kind: 1 }, "kind"],
    [{ ...line, account: undefined }, "account"],
    [{ ...line, credentials: undefined }, "credentials"],
    [{ ...line, credentials: { accountKey: 7 } }, "credentials"],
    [{ ...line, credentials: { userDelegationKey } }, "credentials"],
    [{ ...line, kind: "user-delegation" }, "credentials"],
    [{ ...line, kind: "user-delegation", credentials: {} }, "credentials"],
    [{ ...line, kind: "user-delegation", credentials: { expiration: "2026-01-03T00:00:00Z" } }, "credentials"],
    [
      { ...line, kind: "user-delegation", credentials: { userDelegationKey: { ...userDelegationKey, signedOn: "x" } } },
      "credentials",
    ],
    [{ ...line, resourceTypes: "co" }, "resourceTypes"],
    [{ ...line, kind: "account", resourceTypes: "co", snapshot: "x" }, "snapshot"],
    [{ ...line, delegatedUserObjectId: "x" }, "delegatedUserObjectId"],
    [{ ...line, resource: "c" }, 'fields say "b"'],
    [{ ...line, resource: "bs" }, 'fields say "b"'],
    [{ ...line, resource: "b", blob: undefined }, 'fields say "c"'],
    [{ ...line, ip: "192.0.2.1", bind: { ip: "192.0.2.1" } }, "ip and bind.ip"],
    [{ ...line, permission: "r" }, "permission"],
    [{ ...line, version: "2014-02-14" }, "sv"],
    [{ ...line, permissions: "rq" }, "sp"],
    [{ ...line, credentials: { accountKey, expiration: "soon" } }, "expiration"],
  ];
  const answers = await sign(refused.map(([object]) => object));
  for (const [i, [, word]] of refused.entries()) {
    expect([word, answers[i]?.error]).toEqual([
      word,
      { code: "INVALID_INPUT", message: expect.stringContaining(word) },
    ]);
  }
});

test("refuses unsupported constraints, and a lifetime beyond the key's", async () => {
  const delegated = { ...line, kind: "user-delegation", credentials: { userDelegationKey } };
  const answers = await sign([
    { ...line, bind: { contentType: "video/mp4" } },
    { ...delegated, identifier: "readers" },
    { ...line, kind: "account", resourceTypes: "co", response: { contentType: "video/mp4" } },
    { ...line, credentials: { accountKey, expiration: "2026-01-02T03:10:00Z" } },
    { ...delegated, expiresIn: 400_000 },
    { ...delegated, expiresIn: 400_000, credentialExpiry: "clamp" },
    { ...line, credentials: { accountKey: "not base64" } },
  ]);
  expect(answers.map(({ error, expiresAt }) => error?.code ?? expiresAt)).toEqual([
    ...["UNSUPPORTED_CONSTRAINT", "UNSUPPORTED_CONSTRAINT", "UNSUPPORTED_CONSTRAINT"],
    ...["CREDENTIALS_EXPIRE_FIRST", "CREDENTIALS_EXPIRE_FIRST", "2026-01-05T00:00:00.000Z", "INVALID_KEY"],
  ]);
});

test("signs for a stored policy, and verifies with the policies of an entry", async () => {
  const [signed] = await sign([
    { ...line, permissions: undefined, expiresIn: undefined, identifier: "readers", resource: "b" },
  ]);
  expect(signed?.warnings).toEqual([expect.stringContaining("readers")]);
  const policy = { container: "media", identifier: "readers", expiresOn: "2026-01-03T00:00:00Z", permissions: "r" };
  const ask = (policies: unknown, more: object = {}) => ({
    request: { method: "GET", url: signed?.url },
    at,
    schemes: [{ ...entry, policies }],
    ...more,
  });
  const verdicts = await verify([
    ask([policy]),
    ask([
      { ...policy, identifier: "writers" },
      { ...policy, account: "myaccount" },
    ]),
    ask(undefined),
    ask([{ ...policy, container: "other" }]),
    ask([{ ...policy, account: "another" }]),
    ask([policy], { at: "2026-01-03T00:00:00Z" }),
    ask([{ ...policy, permissions: "w" }]),
    ask([{ ...policy, expires: "2026-01-03T00:00:00Z" }]),
    ask([{ ...policy, expiresOn: "tomorrow" }]),
  ]);
  expect(verdicts.map(verdictOf)).toEqual([
    ...["ok", "ok", "KEY_SCOPE", "KEY_SCOPE", "KEY_SCOPE", "EXPIRED", "METHOD_NOT_GRANTED"],
    ...["INVALID_INPUT", "INVALID_INPUT"],
  ]);
});

test("verifies only the kinds, keys, origins and operations of an entry", async () => {
  const [signed, tags, own] = await sign([
    line,
    { ...line, permissions: "rt" },
    { ...line, endpoint: "https://files.example.com" },
  ]);
  const ask = (url: string | undefined, more: object, request: object = {}) => ({
    request: { method: "GET", url, ...request },
    at,
    schemes: [{ ...entry, ...more }],
  });
  const verdicts = await verify([
    ask(signed?.url, {}),
    ask(signed?.url, { account: undefined, credentials: [{ account: "myaccount", accountKey }] }),
    ask(signed?.url, { credentials: [{ accountKey: otherKey }, { accountKey }] }),
    ask(signed?.url, { credentials: { accountKey: otherKey } }),
    ask(signed?.url, { account: "another" }),
    ask(signed?.url, { kind: "account" }),
    ask(signed?.url, { origins: ["https://*.blob.core.windows.net"] }),
    ask(signed?.url, { origins: ["https://other.blob.core.windows.net"] }),
    ask(signed?.url, { maxLife: 60 }),
    ask(signed?.url, {}, { method: "DELETE" }),
    ask(signed?.url, {}, { headers: { "x-ms-copy-source": "https://a.example/" } }),
    ask(`${tags?.url}&comp=tags`, {}),
    ask(`${tags?.url}&comp=tags`, { operations: "all" }),
    ask(`${tags?.url}&comp=tags`, { operations: ["get-blob", "get-blob-tags"] }),
    ask(own?.url, { endpoint: "https://files.example.com" }),
    ask(own?.url, { endpoint: "https://files.example.com/" }),
    ask(own?.url, {}),
  ]);
  expect(verdicts.map(verdictOf)).toEqual([
    ...["ok", "ok", "ok", "SIGNATURE_MISMATCH", "UNKNOWN_KEY", "NO_SIGNATURE", "ok", "WRONG_ORIGIN", "KEY_SCOPE"],
    ...["METHOD_NOT_GRANTED", "UNSIGNED_HEADER", "METHOD_NOT_GRANTED", "ok", "ok", "ok", "ok", "UNKNOWN_KEY"],
  ]);
});

test("refuses an invalid entry with INVALID_INPUT", async () => {
  const request = { method: "GET", url: "https://myaccount.blob.core.windows.net/media/a?sv=2020-12-06" };
  const bad = [
    { credentials: undefined },
    { credentials: [] },
    { credentials: {} },
    { account: undefined, endpoint: "https://files.example.com" },
    { account: undefined, endpoint: "https://files.example.com", credentials: { userDelegationKey } },
    { credentials: { accountKey, userDelegationKey } },
    { kind: "user-delegation" },
    { kind: "any" },
    { operations: ["get-blobs"] },
    { operations: [] },
    { endpoint: "files.example.com" },
    { endpoint: "https://files.example.com/blobs" },
    { endpoint: "https://files.example.com", origins: ["https://files.example.com"] },
    { maxLife: 0 },
    { policy: [] },
  ];
  const verdicts = await verify(bad.map((more) => ({ request, at, schemes: [{ ...entry, ...more }] })));
  for (const [i, { ok, code }] of verdicts.entries())
    expect([bad[i], ok, code]).toEqual([bad[i], false, "INVALID_INPUT"]);
});
