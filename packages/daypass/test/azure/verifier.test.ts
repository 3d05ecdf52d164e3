import type { ErrorCode, Grant, ObligationKind, WireRequest } from "daypass";
import {
  type AzureGrant,
  type AzureOperation,
  type AzureStoredPolicy,
  azureAccountVerifier,
  azureAllOperations,
  azureCopyOperations,
  azureOperations,
  azureSigner,
  azureTexts,
  azureUserDelegationVerifier,
  azureVerifier,
} from "daypass/azure";
import { describe, expect, it } from "vitest";
import { expectRefusal, wireRequest } from "../scheme-contract.ts";
import { ACCOUNT, AT, CREDENTIALS, DELEGATION_KEY, ORIGIN, OTHER_KEY } from "./fixture.ts";
import { type RawSas, rawRequest } from "./raw-sas.ts";

const enforces: readonly ObligationKind[] = ["create-only", "response", "encryption-scope", "body-checksum"];
const options = {
  credentials: { account: ACCOUNT, accountKey: CREDENTIALS.accountKey },
  origins: ["https://*.blob.core.windows.net", "http://127.0.0.1:10000", "http://plain.blob.local"],
  enforces,
  clock: () => AT,
};
const service = azureVerifier(options);
const account = azureAccountVerifier({ ...options, operations: azureAllOperations });
const delegation = azureUserDelegationVerifier({
  ...options,
  credentials: { account: ACCOUNT, userDelegationKey: DELEGATION_KEY },
});
const verify = (raw: RawSas = {}): Promise<AzureGrant> => service.verify(rawRequest(raw));
const refuse = (raw: RawSas, code?: ErrorCode): Promise<void> => expectRefusal(verify(raw), code);

describe("what a request is for", () => {
  it("tells account, container, blob and operation", async () => {
    const grant = await verify({
      path: "/media/a%20b/%C3%A9%2B%25.txt",
      fields: { spr: "https", sip: "203.0.113.9" },
      remoteAddress: "203.0.113.9",
    });
    expect(grant).toMatchObject({
      ...{ scheme: "azure", kind: "service", keyId: ACCOUNT, account: ACCOUNT, container: "media" },
      ...{ blob: "a b/é+%.txt", operation: "get-blob", permissions: "r", methods: ["GET", "HEAD", "POST"] },
      ...{ directory: undefined, identifier: undefined, parameters: [], signedHeaders: [], obligations: [] },
      notBefore: new Date(0),
      expiresAt: new Date("2026-01-02T04:00:00Z"),
    });
  });

  it.each([
    ["the host", "myaccount.blob.core.windows.net", "/media/a.txt"],
    ["the read-only twin", "myaccount-secondary.blob.core.windows.net", "/media/a.txt"],
    ["a DNS zone", "myaccount.z12.blob.storage.azure.net", "/media/a.txt"],
    ["the path, as with Azurite", "127.0.0.1:10000", "/myaccount/media/a.txt"],
    ["the path of the twin", "127.0.0.1:10000", "/myaccount-secondary/media/a.txt"],
  ])("finds the account in %s", async (_, authority, path) => {
    const verifier = azureVerifier({
      ...options,
      origins: [...options.origins, "https://myaccount.z12.blob.storage.azure.net"],
    });
    const request = { ...rawRequest({ signed: { RESOURCE: "/blob/myaccount/media/a.txt" } }), authority };
    const target = path + request.target.slice(request.target.indexOf("?"));
    expect(await verifier.verify({ ...request, target })).toMatchObject({
      account: ACCOUNT,
      container: "media",
      blob: "a.txt",
    });
  });

  it("takes the configured account, or what the * of an origin stands for, where the host names none", async () => {
    const own = azureVerifier({ ...options, origins: ["https://cdn.example.com"], account: ACCOUNT });
    expect((await own.verify(rawRequest({ authority: "cdn.example.com" }))).account).toBe(ACCOUNT);
    const star = azureVerifier({ ...options, origins: ["https://*.files.example.com"] });
    expect((await star.verify(rawRequest({ authority: "myaccount.files.example.com" }))).account).toBe(ACCOUNT);
  });

  it.each([
    ["/", "METHOD_NOT_GRANTED"],
    ["/media", "MALFORMED"],
    ["/media/", "MALFORMED"],
    ["//media/a.txt", "MALFORMED"],
    ["/Media/a.txt", "MALFORMED"],
    ["/me%2Fdia/a.txt", "MALFORMED"],
    ["/%2e%2e/a.txt", "MALFORMED"],
  ] as const)("refuses the path %s", (path, code) =>
    refuse({ path, signed: { RESOURCE: "/blob/myaccount/media/a.txt" } }, code),
  );

  it("reads a backslash as the slash that Azure makes of it, so that no directory is left by one", async () => {
    const signed = { RESOURCE: "/blob/myaccount/media/a/b.txt" };
    expect((await verify({ path: "/media/a%5Cb.txt", signed })).blob).toBe("a/b.txt");
    await refuse({ path: "/media/a%5Cb.txt" }, "SIGNATURE_MISMATCH");
  });

  it("takes HEAD for GET, and both for what the permissions permit", async () => {
    expect((await verify({ method: "HEAD" })).operation).toBe("get-blob");
  });

  it("refuses a restype that contradicts the path", async () => {
    const list = { fields: { sr: "c", sp: "l" }, path: "/media" };
    expect((await verify({ ...list, query: "restype=container&comp=list" })).operation).toBe("list-blobs");
    for (const query of ["comp=list", "restype=service&comp=list", "restype=container&restype=container&comp=list"]) {
      await refuse({ ...list, query }, "MALFORMED");
    }
    await refuse({ query: "restype=container" }, "MALFORMED");
  });
});

describe("keys", () => {
  it("accepts either key of an account, and neither of another account", async () => {
    const both = [CREDENTIALS.accountKey, OTHER_KEY].map((accountKey) => ({ account: ACCOUNT, accountKey }));
    const verifier = azureVerifier({ ...options, credentials: both });
    for (const key of [CREDENTIALS.accountKey, OTHER_KEY]) await verifier.verify(rawRequest({ key }));
    await expectRefusal(
      azureVerifier({ ...options, credentials: { account: "another", accountKey: CREDENTIALS.accountKey } }).verify(
        rawRequest(),
      ),
      "UNKNOWN_KEY",
    );
  });

  it("asks a function for the account's keys, at once or later", async () => {
    const credentials = { account: ACCOUNT, accountKey: CREDENTIALS.accountKey };
    for (const find of [() => credentials, async () => [credentials]]) {
      const asked: string[] = [];
      const verifier = azureVerifier({
        ...options,
        credentials: (name) => {
          asked.push(name);
          return find();
        },
      });
      await verifier.verify(rawRequest());
      expect(asked).toEqual([ACCOUNT]);
    }
  });

  it("refuses keys that cannot be right", () => {
    expect(() => azureVerifier({ ...options, credentials: { account: ACCOUNT, accountKey: "x" } })).toThrow(/base64/);
    expect(() =>
      azureVerifier({ ...options, credentials: { account: "X", accountKey: CREDENTIALS.accountKey } }),
    ).toThrow(/account/);
    expect(() => azureVerifier({ ...options, maxLife: 0 })).toThrow(/maxLife/);
  });

  it("asks a function for the user delegation key that the URL names, and believes no other", async () => {
    const asked: unknown[] = [];
    const find = (change: object) =>
      azureUserDelegationVerifier({
        ...options,
        credentials: (id) => {
          asked.push(id);
          return { account: id.account, userDelegationKey: { ...DELEGATION_KEY, ...change } };
        },
      }).verify(rawRequest({ kind: "user-delegation" }));
    expect((await find({})).keyId).toBe(DELEGATION_KEY.signedObjectId);
    const { value: _, ...named } = DELEGATION_KEY;
    expect(asked).toEqual([{ account: ACCOUNT, ...named, signedDelegatedUserTenantId: undefined }]);
    for (const change of [
      { signedObjectId: "x" },
      { signedTenantId: "x" },
      { signedVersion: "2021-01-01" },
      { signedExpiresOn: "2026-01-04T00:00:00Z" },
      { signedStartsOn: "2026-01-01T00:00:00Z" },
      { signedDelegatedUserTenantId: "x" },
    ]) {
      await expectRefusal(find(change), "UNKNOWN_KEY");
    }
  });

  it("finds a user delegation key whose times the URL writes in another form", async () => {
    const fields = { skt: "2026-01-02", ske: "2026-01-03T00:00Z" };
    expect((await delegation.verify(rawRequest({ kind: "user-delegation", fields }))).kind).toBe("user-delegation");
  });

  it("reads each kind of SAS with its own verifier only", async () => {
    const kinds = { service, account, "user-delegation": delegation };
    for (const [kind, own] of Object.entries(kinds)) {
      const request = rawRequest({ kind: kind as keyof typeof kinds });
      expect(own.detects(request)).toBe(true);
      for (const other of Object.values(kinds)) {
        if (other === own) continue;
        expect(other.detects(request)).toBe(false);
        await expectRefusal(other.verify(request), "NO_SIGNATURE");
      }
    }
  });
});

describe("time", () => {
  it.each(["2026-01-02T04:00:00Z", "2026-01-02T04:00Z", "2026-01-03"])(
    "reads the end %s and signs its text",
    async (se) => {
      expect((await verify({ fields: { se } })).expiresAt).toEqual(new Date(se));
    },
  );

  it.each([
    ...["2026-01-02T04:00:00", "2026-01-02 04:00:00Z", "2026-01-02T04:00:00.000Z", "2026-01-02T04:00:00+00:00"],
    ...[
      "2026-02-31T00:00:00Z",
      "2026-13-01",
      "2026-01-02T24:00:00Z",
      "2026-1-2",
      "never",
      "4102444800",
      "+010000-01-01T00:00Z",
    ],
  ])("refuses the end %s, however well signed", (se) => refuse({ fields: { se } }, "MALFORMED"));

  it("begins at st and at the key's skt, and ends at se and at ske", async () => {
    await refuse({ fields: { st: "2026-01-02T03:04:06Z" } }, "NOT_YET_VALID");
    expect((await verify({ fields: { st: "2026-01-02T03:04:05Z" } })).notBefore).toEqual(AT);
    await refuse({ fields: { se: "2026-01-02T03:04:05Z" } }, "EXPIRED");
    const at = (now: string, fields: Record<string, string> = {}) =>
      azureUserDelegationVerifier({
        ...options,
        credentials: { account: ACCOUNT, userDelegationKey: DELEGATION_KEY },
        clock: () => new Date(now),
      }).verify(rawRequest({ kind: "user-delegation", fields: { se: "2026-02-01", ...fields } }));
    await expectRefusal(at("2026-01-01T23:59:59Z"), "NOT_YET_VALID");
    await expectRefusal(at("2026-01-03T00:00:00Z"), "EXPIRED");
    const { notBefore, expiresAt } = await at("2026-01-02T00:00:00Z", { st: "2026-01-01" });
    expect([notBefore, expiresAt]).toEqual([new Date("2026-01-02"), new Date("2026-01-03")]);
  });

  it("refuses a life that is longer than the verifier allows", async () => {
    const verifier = azureVerifier({ ...options, maxLife: 3600 });
    await verifier.verify(rawRequest());
    await expectRefusal(verifier.verify(rawRequest({ fields: { se: "2026-01-02T04:04:06Z" } })), "KEY_SCOPE");
  });
});

describe("stored access policies", () => {
  const end = new Date("2026-01-02T05:00:00Z");
  const withPolicy = (policy: AzureStoredPolicy | undefined, raw: RawSas = {}) =>
    azureVerifier({ ...options, policies: async () => policy }).verify(
      rawRequest({ ...raw, fields: { si: "weekly", ...raw.fields }, without: raw.without ?? ["se", "sp"] }),
    );

  it("gives what the URL leaves out", async () => {
    expect(await withPolicy({ startsOn: AT, expiresOn: end, permissions: "rwd" })).toMatchObject({
      ...{ identifier: "weekly", permissions: "rwd", notBefore: AT, expiresAt: end },
    });
    expect(await withPolicy({ expiresOn: end }, { without: ["se"] })).toMatchObject({ permissions: "r" });
    expect(await withPolicy({ permissions: "r" }, { without: ["sp"] })).toMatchObject({ permissions: "r" });
    expect(await withPolicy({}, { without: [] })).toMatchObject({ permissions: "r", identifier: "weekly" });
  });

  it("is asked for by account, container and identifier, and only once the signature has matched", async () => {
    const asked: unknown[] = [];
    const policies = (...args: readonly string[]) => {
      asked.push(args);
      return { expiresOn: end, permissions: "r" };
    };
    const verifier = azureVerifier({ ...options, policies });
    const request = rawRequest({ fields: { si: "weekly" }, without: ["se", "sp"] });
    await expectRefusal(
      verifier.verify({ ...request, target: request.target.replace("a.txt", "b.txt") }),
      "SIGNATURE_MISMATCH",
    );
    expect(asked).toEqual([]);
    await verifier.verify(request);
    expect(asked).toEqual([[ACCOUNT, "media", "weekly"]]);
    await verifier.verify(rawRequest());
    expect(asked).toHaveLength(1);
  });

  it("takes its URLs along when it is removed, and nothing opens without a store of policies", async () => {
    await expectRefusal(withPolicy(undefined), "KEY_SCOPE");
    await refuse({ fields: { si: "weekly" }, without: ["se", "sp"] }, "KEY_SCOPE");
    await refuse({ fields: { si: "weekly" } }, "KEY_SCOPE");
  });

  it("refuses a field that is in both or in neither", async () => {
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "r" }, { without: ["sp"] }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "r" }, { without: ["se"] }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ startsOn: AT }, { without: [], fields: { st: "2026-01-02" } }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ permissions: "r" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ expiresOn: end, permissions: "wr" }), "KEY_SCOPE");
  });

  it("ends and begins URLs by its own times, and fails closed on dates that are none", async () => {
    await expectRefusal(withPolicy({ expiresOn: AT, permissions: "r" }), "EXPIRED");
    await expectRefusal(
      withPolicy({ startsOn: end, expiresOn: new Date("2026-02-01"), permissions: "r" }),
      "NOT_YET_VALID",
    );
    const broken = new Date(Number.NaN);
    await expectRefusal(withPolicy({ expiresOn: broken, permissions: "r" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ startsOn: broken, expiresOn: end, permissions: "r" }), "KEY_SCOPE");
    await expectRefusal(withPolicy({ startsOn: end, expiresOn: end, permissions: "r" }), "KEY_SCOPE");
  });

  it("passes on what the store of policies throws", async () => {
    const fault = new Error("the database is down");
    const verifier = azureVerifier({
      ...options,
      policies: () => Promise.reject(fault),
    });
    await expect(verifier.verify(rawRequest({ fields: { si: "weekly" } }))).rejects.toBe(fault);
  });
});

describe("operations", () => {
  /** Requests that make each row's conditions true. */
  function requestFor([, request, , headers, query]: AzureOperation): RawSas {
    const [call = "", condition] = request.split(" +");
    const [method = "", level = "", comp] = call.split(" ");
    const [name = "", value = "x"] = condition?.split("=") ?? [];
    const isHeader = name !== "" && headers.split(" ").some((item) => item.split(":")[0] === name);
    const restype = { s: comp === "list" || comp === "blobs" ? "" : "restype=service", c: "restype=container", o: "" }[
      level
    ];
    return {
      method,
      path: { s: "/", c: "/media", o: "/media/a.txt" }[level] as string,
      query: [restype, comp && `comp=${comp}`, name && !isHeader && query.includes(name) ? `${name}=${value}` : ""]
        .filter(Boolean)
        .join("&"),
      headers: isHeader ? [[`x-ms-${name}`, value]] : [],
    };
  }
  const everything = [...azureAllOperations, ...azureCopyOperations];
  const accountAny = azureAccountVerifier({ ...options, operations: everything });

  it.each(everything)("%s (%s) needs one of %s, and no other letter will do", async (...row) => {
    const [name, request, permissions, headers, query] = row;
    const raw = requestFor(row);
    // A condition can need a letter of its own.
    const condition = request.split(" +")[1]?.split("=")[0];
    const extra =
      [...headers.split(" "), ...query.split(" ")].find((item) => item.startsWith(`${condition}:`))?.split(":")[1] ??
      "";
    const asked = (letters: string) =>
      accountAny.verify(rawRequest({ ...raw, kind: "account", fields: { sv: "2026-04-06", sp: letters } }));
    for (const letter of permissions) {
      expect((await asked(letter + extra)).operation, letter).toBe(name);
      expect((await asked(letter + extra)).methods).toContain(raw.method);
    }
    const others = [..."rwdxftlacupiy"].filter((letter) => !permissions.includes(letter)).join("");
    await expectRefusal(asked(others), "METHOD_NOT_GRANTED");
  });

  it("are few unless the verifier is given more", async () => {
    const tags: RawSas = { query: "comp=tags", fields: { sp: "t" } };
    await refuse(tags, "METHOD_NOT_GRANTED");
    const verifier = azureVerifier({ ...options, operations: azureAllOperations });
    expect((await verifier.verify(rawRequest(tags))).operation).toBe("get-blob-tags");
    expect(azureAllOperations).toEqual(expect.arrayContaining([...azureOperations]));
  });

  it.each([
    ["POST", ""],
    ["PATCH", ""],
    ["GET", "comp=acl"],
    ["PUT", "comp=Block"],
    ["GET", "comp=list"],
    ["get", ""],
  ])("refuse %s ?%s", (method, query) => refuse({ method, query, fields: { sp: "racwd" } }, "METHOD_NOT_GRANTED"));

  it("on a container need an account SAS, but for listing and searching", async () => {
    const verifier = azureVerifier({ ...options, operations: azureAllOperations });
    const raw: RawSas = { path: "/media", query: "restype=container", fields: { sr: "c", sp: "racwdl" } };
    for (const method of ["GET", "PUT", "DELETE"]) {
      await expectRefusal(verifier.verify(rawRequest({ ...raw, method })), "METHOD_NOT_GRANTED");
    }
  });

  it("of an account SAS have to be within its services and resource types", async () => {
    const raw: RawSas = { kind: "account", path: "/media/a.txt" };
    expect((await account.verify(rawRequest(raw))).kind).toBe("account");
    for (const fields of [{ ss: "qft" }, { srt: "sc" }, { srt: "s" }]) {
      await expectRefusal(account.verify(rawRequest({ ...raw, fields })), "WRONG_SCOPE");
    }
    const list: RawSas = { kind: "account", path: "/media", query: "restype=container&comp=list" };
    await expectRefusal(account.verify(rawRequest({ ...list, fields: { sp: "l", srt: "o" } })), "WRONG_SCOPE");
    expect((await account.verify(rawRequest({ ...list, fields: { sp: "l", srt: "c" } }))).operation).toBe("list-blobs");
    expect(
      (await account.verify(rawRequest({ kind: "account", path: "/", query: "comp=list", fields: { sp: "l" } })))
        .operation,
    ).toBe("list-containers");
  });

  it("show tags in a listing only to those who may read tags", async () => {
    const list: RawSas = { path: "/media", query: "restype=container&comp=list&include=metadata%2Ctags" };
    await refuse({ ...list, fields: { sr: "c", sp: "l" } }, "METHOD_NOT_GRANTED");
    expect((await verify({ ...list, fields: { sr: "c", sp: "lt" } })).operation).toBe("list-blobs");
    const plain = { ...list, query: "restype=container&comp=list&include=metadata" };
    expect((await verify({ ...plain, fields: { sr: "c", sp: "l" } })).operation).toBe("list-blobs");
    // What a reader that trims would take for tags.
    for (const include of ["%20tags", "metadata%2C%20tags", "tags%09", "metadata;tags"]) {
      await refuse({ ...list, query: `restype=container&comp=list&include=${include}`, fields: { sr: "c", sp: "l" } });
    }
  });

  it("have an id that JSON shows, too", async () => {
    const grant = await verify();
    expect(JSON.parse(JSON.stringify(grant))).toMatchObject({ id: grant.id, account: ACCOUNT, scheme: "azure" });
  });

  it("have a version that is a day", async () => {
    await refuse({ fields: { sv: "2022-13-45" } }, "MALFORMED");
    await refuse({ fields: { sv: "2022-02-30" } }, "MALFORMED");
  });
});

describe("what nothing signs", () => {
  const put: RawSas = { method: "PUT", fields: { sp: "cw" } };

  it("may be the headers of the operation, each with its permission", async () => {
    const headers = [
      ["x-ms-blob-type", "BlockBlob"],
      ["X-Ms-Version", "2026-04-06"],
      ["x-ms-client-request-id", "1"],
      ["x-ms-blob-content-type", "image/png"],
      ["x-ms-meta-any", "thing"],
      ["content-type", "image/png"],
      ["if-none-match", "*"],
    ] as const;
    expect((await verify({ ...put, headers })).operation).toBe("put-blob");
    for (const [name, letter] of [
      ["x-ms-tags", "t"],
      ["x-ms-legal-hold", "i"],
      ["x-ms-if-tags", "t"],
    ] as const) {
      const header: RawSas = { ...put, headers: [[name, "a"]] };
      await refuse(header, "METHOD_NOT_GRANTED");
      expect((await verify({ ...header, fields: { sp: `cw${letter}` } })).operation).toBe("put-blob");
    }
  });

  it.each([
    ["x-ms-copy-source", "https://other.blob.core.windows.net/media/secret"],
    ["X-MS-Copy-Source", "/media/secret"],
    ["x-ms-rename-source", "/media/secret"],
    ["x-ms-blob-public-access", "container"],
    ["x-ms-acl", "user::rwx"],
    ["x-ms-owner", "me"],
    ["x-ms-lease-action", "break"],
    ["x-ms-anything-new", "1"],
    ["x-ms-", "1"],
  ])("CVE-2026-54330: an unsigned header %s is refused", (name, value) =>
    refuse({ ...put, headers: [[name, value]] }, "UNSIGNED_HEADER"),
  );

  it("may name a source to copy from only where the verifier is told so", async () => {
    const copy = rawRequest({ ...put, headers: [["x-ms-copy-source", "/media/secret"]] });
    await expectRefusal(azureVerifier({ ...options, operations: azureAllOperations }).verify(copy), "UNSIGNED_HEADER");
    const verifier = azureVerifier({ ...options, operations: [...azureOperations, ...azureCopyOperations] });
    expect((await verifier.verify(copy)).operation).toBe("copy-blob");
    expect((await verifier.verify(rawRequest(put))).operation).toBe("put-blob");
  });

  it("refuses a header twice: two readers would take different ones", () =>
    refuse(
      {
        ...put,
        headers: [
          ["x-ms-blob-type", "BlockBlob"],
          ["X-Ms-Blob-Type", "PageBlob"],
        ],
      },
      "MALFORMED",
    ));

  it.each([
    "versionid=1",
    "snapshot=1",
    "x=1",
    "deletetype=permanent",
    "rsct2=a",
    "prefix=a",
    "%00=1",
    "=1",
    "__proto__=1",
    "toString=1",
  ])("refuses the parameter %s", (query) => refuse({ query }, "UNSIGNED_PARAMETER"));

  it("may be parameters of the operation", async () => {
    const { parameters } = await verify({ query: "timeout=30&_=1&api-version=2026-04-06" });
    expect(parameters).toEqual([
      ["timeout", "30"],
      ["_", "1"],
      ["api-version", "2026-04-06"],
    ]);
  });

  it("refuses a SAS parameter that its version does not sign, and one that no version knows", async () => {
    const since: readonly (readonly [string, string])[] = [
      ["ses", "2020-12-05"],
      ["ses", "2018-11-09"],
      ["ses", "2015-04-05"],
    ];
    for (const [name, sv] of since) await refuse({ fields: { sv, [name]: "x" } }, "UNSIGNED_PARAMETER");
    for (const [name, sv] of [
      ["saoid", "2020-02-09"],
      ["scid", "2018-11-09"],
      ["sduoid", "2025-07-04"],
      ["skdutid", "2025-07-04"],
      ["srh", "2026-04-05"],
      ["srq", "2026-04-05"],
    ] as const) {
      await expectRefusal(
        delegation.verify(rawRequest({ kind: "user-delegation", fields: { sv, [name]: "x" } })),
        "UNSIGNED_PARAMETER",
      );
    }
    for (const name of ["skoid2", "suoid", "ske", "sduoid", "srh", "sabc", "rsxx"]) {
      await refuse({ fields: { [name]: "x" } }, "UNSIGNED_PARAMETER");
    }
    await expectRefusal(
      delegation.verify(rawRequest({ kind: "user-delegation", fields: { si: "weekly" } })),
      "UNSIGNED_PARAMETER",
    );
    for (const fields of [{ sr: "b" }, { rsct: "text/html" }, { si: "weekly" }]) {
      await expectRefusal(account.verify(rawRequest({ kind: "account", fields })), "UNSIGNED_PARAMETER");
    }
  });
});

describe("resources", () => {
  it("of a SAS for a blob are not its snapshots and versions, which have a SAS of their own", async () => {
    const time = "2026-01-01T00:00:00.1234567Z";
    for (const [sr, name] of [
      ["bs", "snapshot"],
      ["bv", "versionid"],
    ] as const) {
      const raw: RawSas = { fields: { sr }, signed: { TIME: time } };
      const query = `${name}=${encodeURIComponent(time)}`;
      expect((await verify({ ...raw, query })).parameters).toEqual([[name, time]]);
      await refuse(
        { ...raw, query: `${name}=${encodeURIComponent("2026-01-01T00:00:00.0000000Z")}` },
        "SIGNATURE_MISMATCH",
      );
      await refuse(
        { ...raw, query: `${query}&${name === "snapshot" ? "versionid" : "snapshot"}=x` },
        "UNSIGNED_PARAMETER",
      );
      await refuse(raw, "MALFORMED");
      await refuse({ ...raw, query: `${name}=` }, "MALFORMED");
      await refuse({ query }, "UNSIGNED_PARAMETER");
      expect((await verify({ query, fields: { sr: "c" } })).blob).toBe("a.txt");
    }
  });

  it("of a SAS that deletes versions are the blob's versions, and only for that", async () => {
    const verifier = azureVerifier({ ...options, operations: azureAllOperations });
    const raw: RawSas = { query: "versionid=1", fields: { sp: "rx" } };
    expect((await verifier.verify(rawRequest({ ...raw, method: "DELETE" }))).operation).toBe("delete-version");
    await expectRefusal(verifier.verify(rawRequest(raw)), "UNSIGNED_PARAMETER");
    await expectRefusal(
      verifier.verify(rawRequest({ ...raw, method: "DELETE", fields: { sp: "rd" } })),
      "METHOD_NOT_GRANTED",
    );
  });

  it("of a directory are what is in it, and nothing beside it", async () => {
    const raw = (path: string, more: RawSas = {}): RawSas => ({
      path,
      ...more,
      fields: { sr: "d", sdd: "2", sp: "rl", ...more.fields },
      signed: { RESOURCE: "/blob/myaccount/media/talks/2026" },
    });
    for (const path of [
      "/media/talks/2026/a.txt",
      "/media/talks/2026/x/y",
      "/media/talks/2026",
      "/media/talks%2F2026/a",
    ]) {
      expect((await verify(raw(path))).directory).toBe("talks/2026");
    }
    for (const path of ["/media/talks/2025/a", "/media/talks2026/x/a", "/media/talks//2026", "/media/talks/2026x/a"]) {
      await refuse(raw(path), "SIGNATURE_MISMATCH");
    }
    await refuse(raw("/media/talks"), "WRONG_SCOPE");
    for (const sdd of ["1", "3", "0"])
      await refuse(raw("/media/talks/2026/a/b", { fields: { sdd } }), "SIGNATURE_MISMATCH");
    for (const sdd of ["-1", "02", "x", "1e1", ""])
      await refuse(raw("/media/talks/2026/a", { fields: { sdd } }), "MALFORMED");
    await refuse({ ...raw("/media/talks/2026/a"), without: ["sdd"] }, "MALFORMED");
    await refuse({ fields: { sdd: "0" } }, "MALFORMED");
  });

  it("of a directory are listed below it, and a sibling that begins alike is not", async () => {
    const list = (prefix: string): RawSas => ({
      path: "/media",
      query: `restype=container&comp=list&prefix=${encodeURIComponent(prefix)}`,
      fields: { sr: "d", sdd: "2", sp: "rl" },
      signed: { RESOURCE: "/blob/myaccount/media/talks/2026" },
    });
    expect((await verify(list("talks/2026/"))).operation).toBe("list-blobs");
    expect((await verify(list("talks/2026/a"))).directory).toBe("talks/2026");
    for (const prefix of ["talks/2026", "talks/", ""]) await refuse(list(prefix), "WRONG_SCOPE");
    await refuse(list("talks/2025/"), "SIGNATURE_MISMATCH");
  });

  it("of a SAS for a container are all its blobs; of one for a blob not the container", async () => {
    expect((await verify({ fields: { sr: "c" }, path: "/media/x/y" })).blob).toBe("x/y");
    await refuse(
      { path: "/media", query: "restype=container&comp=list", signed: { RESOURCE: "/blob/myaccount/media" } },
      "WRONG_SCOPE",
    );
    await refuse({ path: "/", query: "comp=list", fields: { sr: "c", sp: "l" } }, "METHOD_NOT_GRANTED");
  });
});

describe("who may use it, and how", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9", true],
    ["203.0.113.0-203.0.113.9", "203.0.113.9", true],
    ["203.0.113.0-203.0.113.9", "203.0.113.0", true],
    ["203.0.113.0-203.0.113.9", "::ffff:203.0.113.5", true],
    ["203.0.113.0-203.0.113.9", "::FFFF:cb00:7105", true],
    ["203.0.113.0-203.0.113.9", "::ffff:cb00:710a", false],
    ["0.0.0.0-0.0.0.9", "::ffff:0:5", true],
    ["203.0.113.0-203.0.113.9", "::ffff:cb00:7105:1", false],
    ["203.0.113.0-203.0.113.9", "203.0.113.10", false],
    ["203.0.113.9", "2001:db8::1", false],
    ["203.0.113.9", undefined, false],
    ["203.0.113.9", "", false],
    ["203.0.113.9-203.0.113.0", "203.0.113.5", false],
    ["0.0.0.0-255.255.255.255-1", "203.0.113.5", false],
    ["anywhere", "203.0.113.5", false],
  ])("sip=%s from %s: %s", async (sip, remoteAddress, isGranted) => {
    const request = { ...rawRequest({ fields: { sip } }), remoteAddress };
    if (isGranted) await service.verify(request);
    else await expectRefusal(service.verify(request), "IP_NOT_GRANTED");
  });

  it("spr=https is held against the configured origin, not against a header", async () => {
    const plain: RawSas = { authority: "plain.blob.local", signed: { RESOURCE: "/blob/plain/media/a.txt" } };
    const verifier = azureVerifier({
      ...options,
      credentials: { account: "plain", accountKey: CREDENTIALS.accountKey },
    });
    await verifier.verify(rawRequest(plain));
    await verifier.verify(rawRequest({ ...plain, fields: { spr: "https,http" } }));
    const headers = [["x-forwarded-proto", "https"]] as const;
    await expectRefusal(verifier.verify(rawRequest({ ...plain, headers, fields: { spr: "https" } })), "WRONG_SCOPE");
    for (const spr of ["http", "http,https", "HTTPS", "https,https"]) await refuse({ fields: { spr } }, "MALFORMED");
  });

  it("sduoid is for one proved user, with a token of his own", async () => {
    const raw: RawSas = { kind: "user-delegation", fields: { sduoid: "u1" }, headers: [["authorization", "Bearer x"]] };
    expect((await delegation.verify(rawRequest(raw), { subject: "u1" })).kind).toBe("user-delegation");
    await expectRefusal(delegation.verify(rawRequest(raw), { subject: "u2" }), "WRONG_SUBJECT");
    await expectRefusal(delegation.verify(rawRequest(raw)), "WRONG_SUBJECT");
    const shared: RawSas = { ...raw, headers: [["authorization", "SharedKey a:b"]] };
    await expectRefusal(delegation.verify(rawRequest(shared), { subject: "u1" }), "AMBIGUOUS_AUTHENTICATION");
  });

  it("suoid asks for an ACL check that only Azure can make", () =>
    expectRefusal(
      delegation.verify(rawRequest({ kind: "user-delegation", fields: { suoid: "u1" } })),
      "UNENFORCED_CONSTRAINT",
    ));

  it("an Authorization header beside a SAS is refused", () =>
    refuse({ headers: [["Authorization", "SharedKey myaccount:x"]] }, "AMBIGUOUS_AUTHENTICATION"));
});

describe("signed headers and parameters", () => {
  const raw: RawSas = {
    kind: "user-delegation",
    method: "PUT",
    fields: { sp: "cw", srh: "Content-Type,x-ms-meta-Owner", srq: "timeout,tenant" },
    signed: { HEADERS: "Content-Type:a/b\nx-ms-meta-Owner:me\n", QUERY: "\ntimeout:30\ntenant:a b&c" },
    headers: [
      ["content-type", "a/b"],
      ["X-MS-META-OWNER", " me "],
    ],
    query: "timeout=30&tenant=a+b%26c",
  };
  const check = (more: RawSas): Promise<Grant> => delegation.verify(rawRequest({ ...raw, ...more }));

  it("have to be there as they were signed", async () => {
    expect(await check({})).toMatchObject({ signedHeaders: ["content-type", "x-ms-meta-owner"] });
    for (const headers of [
      [
        ["content-type", "a/c"],
        ["x-ms-meta-owner", "me"],
      ],
      [
        ["content-type", "a/b"],
        ["x-ms-meta-owner", "you"],
      ],
    ] as const) {
      await expectRefusal(check({ headers }), "SIGNATURE_MISMATCH");
    }
    await expectRefusal(check({ headers: [["content-type", "a/b"]] }), "MALFORMED");
    await expectRefusal(check({ headers: [...(raw.headers ?? []), ["content-type", "a/b"]] }), "MALFORMED");
    await expectRefusal(check({ query: "timeout=31&tenant=a+b%26c" }), "SIGNATURE_MISMATCH");
    await expectRefusal(check({ query: "timeout=30" }), "MALFORMED");
    await expectRefusal(check({ query: "timeout=30&tenant=a+b%26c&tenant=x" }), "MALFORMED");
  });

  it("may be none that the operation has, as the signer wants them", async () => {
    const grant = await check({
      fields: { sp: "cw", srh: "x-ms-new", srq: "new" },
      signed: { HEADERS: "x-ms-new:1\n", QUERY: "\nnew:2" },
      headers: [["x-ms-new", "1"]],
      query: "new=2",
    });
    expect(grant).toMatchObject({ parameters: [["new", "2"]], signedHeaders: ["x-ms-new"] });
  });

  it("do not sign a parameter whose name differs in case", async () => {
    const more: RawSas = {
      fields: { sp: "cw", srq: "New" },
      signed: { QUERY: "\nNew:2" },
      headers: [],
      query: "New=2",
    };
    await check(more);
    await expectRefusal(check({ ...more, query: "New=2&new=3" }), "UNSIGNED_PARAMETER");
  });

  it("cannot be dropped from the lists, added, or listed twice", async () => {
    for (const fields of [
      { sp: "cw", srh: "Content-Type", srq: "timeout,tenant" },
      { sp: "cw", srh: "Content-Type,x-ms-meta-Owner", srq: "tenant" },
      { sp: "cw", srh: "x-ms-meta-Owner,Content-Type", srq: "timeout,tenant" },
    ]) {
      await expect(check({ fields })).rejects.toThrow();
    }
    for (const srh of ["Content-Type,content-type", "a b", "", ",", "a:b", "Content-Type,"]) {
      await expectRefusal(check({ fields: { sp: "cw", srh, srq: "timeout,tenant" } }), "MALFORMED");
    }
  });

  it("cannot be two parameters in one: the lists are not signed, and values are decoded", async () => {
    const QUERY = "\na:1\nb:2";
    const one: RawSas = { kind: "user-delegation", fields: { srq: "a" }, signed: { QUERY }, query: "a=1%0Ab:2" };
    const two: RawSas = { kind: "user-delegation", fields: { srq: "a,b" }, signed: { QUERY }, query: "a=1&b=2" };
    expect(await delegation.verify(rawRequest(two))).toBeDefined();
    await expectRefusal(delegation.verify(rawRequest(one)), "MALFORMED");
  });

  it("become obligations where the body or the target has to be looked at", async () => {
    const { obligations } = await check({
      fields: { sp: "cw", srh: "content-md5,If-None-Match" },
      signed: { HEADERS: "content-md5:1B2M2Y8AsgTpgAmY7PhCfg==\nIf-None-Match:*\n" },
      headers: [
        ["content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="],
        ["if-none-match", "*"],
      ],
      query: "",
    });
    expect(obligations).toEqual([
      { kind: "create-only" },
      { kind: "body-checksum", header: "content-md5", value: "1B2M2Y8AsgTpgAmY7PhCfg==" },
    ]);
  });
});

describe("obligations", () => {
  it("c without w only creates", async () => {
    const put: RawSas = { method: "PUT" };
    expect((await verify({ ...put, fields: { sp: "c" } })).obligations).toEqual([{ kind: "create-only" }]);
    expect((await verify({ ...put, fields: { sp: "cw" } })).obligations).toEqual([]);
    const lazy = azureVerifier({ ...options, enforces: [] });
    await expectRefusal(lazy.verify(rawRequest({ ...put, fields: { sp: "c" } })), "UNENFORCED_CONSTRAINT");
  });

  it("response overrides belong to a download", async () => {
    const fields = { rscc: "no-store", rscd: "attachment", rsce: "gzip", rscl: "de", rsct: "text/plain" };
    expect((await verify({ fields })).obligations).toEqual([
      {
        kind: "response",
        headers: {
          ...{ "cache-control": "no-store", "content-disposition": "attachment", "content-encoding": "gzip" },
          ...{ "content-language": "de", "content-type": "text/plain" },
        },
      },
    ]);
    expect((await verify({ method: "DELETE", fields: { ...fields, sp: "d" } })).obligations).toEqual([]);
  });

  it("an encryption scope is for what is written, and no header may contradict it", async () => {
    const put: RawSas = { method: "PUT", fields: { sp: "cw", ses: "one" } };
    expect((await verify(put)).obligations).toEqual([{ kind: "encryption-scope", scope: "one" }]);
    await verify({ ...put, headers: [["x-ms-encryption-scope", "one"]] });
    await refuse({ ...put, headers: [["x-ms-encryption-scope", "two"]] }, "WRONG_SCOPE");
    expect((await verify({ fields: { ses: "one" } })).obligations).toEqual([]);
  });
});

describe("grammar", () => {
  it("refuses letters in another order, repeated or unknown, though they were signed so", async () => {
    for (const sp of ["wr", "rr", "rq", "R", "l", "f", "dr"]) await refuse({ fields: { sp } }, "MALFORMED");
    // Both Microsoft's documentation and its libraries order y, and the library for Data Lake t, in their own way.
    for (const sp of ["rxyt", "rxtiy", "rtacwd"]) expect((await verify({ fields: { sp } })).permissions).toBe(sp);
    const any = await account.verify(rawRequest({ kind: "account", fields: { sp: "lwr", ss: "qb", srt: "os" } }));
    expect(any.permissions).toBe("lwr");
    await expectRefusal(account.verify(rawRequest({ kind: "account", fields: { sp: "rr" } })), "MALFORMED");
  });

  it("refuses versions that have no layout, and what a version did not know yet", async () => {
    for (const sv of ["2015-02-21", "2012-02-12", "2026-10-07", "2099-01-01", "2022-11-2", "20221102"]) {
      await refuse({ fields: { sv } }, "MALFORMED");
    }
    expect((await verify({ fields: { sv: "2026-10-06" } })).permissions).toBe("r");
    const early: readonly (readonly [string, Record<string, string>])[] = [
      ["2018-11-08", { sr: "bs" }],
      ["2019-10-09", { sr: "bv" }],
      ["2020-02-09", { sr: "d", sdd: "0" }],
      ["2019-10-09", { sp: "x" }],
      ["2019-12-11", { sp: "t" }],
      ["2020-02-09", { sp: "m" }],
      ["2020-08-03", { sp: "i" }],
      ["2021-04-09", { sp: "f", sr: "c" }],
    ];
    for (const [sv, fields] of early) await refuse({ fields: { sv, ...fields } }, "MALFORMED");
  });

  it("has one spelling of a signature", async () => {
    const { target, ...request } = rawRequest();
    const sig = decodeURIComponent(/sig=([^&]*)/.exec(target)?.[1] ?? "");
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".indexOf(sig.charAt(42));
    const spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".charAt(last + 1);
    for (const other of [
      sig.slice(0, -1),
      `${sig}=`,
      sig.replaceAll("+", "-").replaceAll("/", "_").replace("=", ""),
      `${sig.slice(0, 42)}${spare}=`,
      ` ${sig}`,
      `${sig}\n`,
    ]) {
      const changed = target.replace(/sig=[^&]*/, `sig=${encodeURIComponent(other)}`);
      await expectRefusal(service.verify({ ...request, target: changed }), "MALFORMED");
    }
  });

  it("refuses repeats, empty values and control characters, which could make several fields of one", async () => {
    const { target, ...request } = rawRequest();
    for (const more of ["sp=r", "sv=2022-11-02", "s%70=r", "timeout=1&timeout=1"]) {
      await expectRefusal(service.verify({ ...request, target: `${target}&${more}` }), "MALFORMED");
    }
    for (const name of ["si", "st", "sip", "spr", "ses", "rscc"]) {
      await expectRefusal(service.verify({ ...request, target: `${target}&${name}=` }), "MALFORMED");
    }
    // rscd "a\nb" and rscd "a" with rsce "b" are signed alike where the line behind is free.
    await refuse({ fields: { rscd: "a\nb" }, signed: { rscd: "a\nb" } }, "MALFORMED");
    await refuse({ fields: { rsct: "text/html\u0000" } }, "MALFORMED");
  });

  it("lets a blob's name have a line feed, as the lines around it keep their places", async () => {
    expect((await verify({ path: "/media/a%0Ab%0A%0A" })).blob).toBe("a\nb\n\n");
  });

  it("keeps the policy's name to 64 characters", async () => {
    await refuse({ fields: { si: "x".repeat(65) } }, "MALFORMED");
  });
});

describe("azureTexts", () => {
  it("shows the string to sign of every kind, as Azure does", () => {
    expect(azureTexts(rawRequest({ fields: { rsct: "a/b" } })).stringToSign).toBe(
      "r\n\n2026-01-02T04:00:00Z\n/blob/myaccount/media/a.txt\n\n\n\n2022-11-02\nb\n\n\n\n\n\n\na/b",
    );
    expect(azureTexts(rawRequest({ kind: "account" })).stringToSign).toBe(
      "myaccount\nr\nb\nsco\n\n2026-01-02T04:00:00Z\n\n\n2022-11-02\n\n",
    );
    expect(azureTexts(rawRequest({ kind: "user-delegation" })).stringToSign.split("\n")).toHaveLength(28);
  });

  it("takes the account where neither host nor path names it", () => {
    const request: WireRequest = { ...rawRequest(), authority: "cdn.example.com" };
    expect(azureTexts(request, "other").stringToSign).toContain("/blob/other/media/a.txt");
  });
});

describe("round trip", () => {
  it("gives both sides the same id, whatever is asked for", async () => {
    const azure = azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock: () => AT });
    const link = azure.sign({
      ...{
        container: "media",
        blob: "a b/é\n+%.txt",
        permissions: "r",
        expiresIn: 900,
        notBefore: AT,
        protocol: "https",
      },
      bind: { ip: "203.0.113.0/24" },
      response: { contentType: "text/plain" },
    });
    const grant = await service.verify(wireRequest(link));
    expect(grant.id).toBe(link.id);
    expect(grant.expiresAt).toEqual(link.expiresAt);
    expect(link.url.startsWith(ORIGIN)).toBe(true);
  });
});
