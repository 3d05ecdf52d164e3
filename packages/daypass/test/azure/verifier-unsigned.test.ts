import type { Grant } from "daypass";
import { azureAllOperations, azureCopyOperations, azureOperations, azureVerifier } from "daypass/azure";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "../wire-request.ts";
import { type RawSas, rawRequest } from "./raw-sas.ts";
import { account, delegation, options, refuse, verify } from "./verifiers.ts";

describe("what nothing signs", () => {
  const put: RawSas = { method: "PUT", fields: { sp: "cw" } };

  it("accepts unsigned headers of the operation, each with its permission", async () => {
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
      ["x-ms-immutability-policy-mode", "i"],
      ["x-ms-immutability-policy-until-date", "i"],
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

  it("accepts a copy source only with azureCopyOperations", async () => {
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

  it("accepts unsigned parameters of the operation", async () => {
    const { parameters } = await verify({ query: "timeout=30&_=1&api-version=2026-04-06" });
    expect(parameters).toEqual([
      ["timeout", "30"],
      ["_", "1"],
      ["api-version", "2026-04-06"],
    ]);
  });

  it("refuses SAS parameters that its version, or any version, does not sign", async () => {
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

  it("reads thousands of named headers in linear time", async () => {
    const names = Array.from({ length: 3000 }, (_, i) => (i + 46_656).toString(36).slice(-3));
    const request = rawRequest({
      ...raw,
      fields: { sp: "cw", srh: names.join(","), srq: "timeout,tenant" },
      headers: names.map((name) => [name.toUpperCase(), "a"]),
      signed: { QUERY: "", HEADERS: "" },
    });
    await expectRefusal(delegation.verify(request), "SIGNATURE_MISMATCH");
  });

  it("refuses absent or changed signed headers and parameters", async () => {
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

  it("accepts signed headers that the operation does not have", async () => {
    const grant = await check({
      fields: { sp: "cw", srh: "x-ms-new", srq: "new" },
      signed: { HEADERS: "x-ms-new:1\n", QUERY: "\nnew:2" },
      headers: [["x-ms-new", "1"]],
      query: "new=2",
    });
    expect(grant).toMatchObject({ parameters: [["new", "2"]], signedHeaders: ["x-ms-new"] });
  });

  it("refuses a signed parameter whose name differs in case", async () => {
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

  it("returns obligations for signed parts of the body or the target", async () => {
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
