import {
  type AzureOperation,
  azureAccountVerifier,
  azureAllOperations,
  azureCopyOperations,
  azureOperations,
  azureVerifier,
} from "daypass/azure";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "../wire-request.ts";
import { ACCOUNT } from "./fixture.ts";
import { type RawSas, rawRequest } from "./raw-sas.ts";
import { account, options, refuse, verify } from "./verifiers.ts";

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
  const accountAll = azureAccountVerifier({ ...options, operations: azureAllOperations });

  it.each(everything)("%s (%s) needs one of %s, and no other letter will do", async (...row) => {
    const [name, request, permissions, headers, query] = row;
    const raw = requestFor(row);
    // A condition can need another letter.
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

  // Written from the pages of the Azure Storage REST reference. The test above asks the list itself: a letter that is wrong there would be
  // right to it.
  it("need the letters that Azure asks for", () => {
    const byLetters: Record<string, string[]> = {};
    for (const [, request, permissions] of everything)
      byLetters[permissions] = [...(byLetters[permissions] ?? []), request];
    for (const requests of Object.values(byLetters)) requests.sort();
    expect(byLetters).toEqual({
      r: [
        ...["GET c", "GET c metadata", "GET o", "GET o blocklist", "GET o metadata", "GET o pagelist"],
        ...["GET s properties", "GET s stats", "POST o query"],
      ],
      cw: ["PUT c", "PUT o", "PUT o +copy-source", "PUT o incrementalcopy", "PUT o snapshot"],
      w: [
        ...["PUT c lease", "PUT c metadata", "PUT c undelete", "PUT o block", "PUT o block +copy-source"],
        ...["PUT o blocklist", "PUT o copy", "PUT o expiry", "PUT o lease", "PUT o metadata", "PUT o page"],
        ...["PUT o page +copy-source", "PUT o properties", "PUT o properties +blob-content-length"],
        ...[
          "PUT o properties +sequence-number-action",
          "PUT o seal",
          "PUT o tier",
          "PUT o undelete",
          "PUT s properties",
        ],
      ],
      aw: ["PUT o appendblock", "PUT o appendblock +copy-source"],
      wd: ["PUT c lease +lease-action=break", "PUT o lease +lease-action=break"],
      d: ["DELETE c", "DELETE o"],
      x: ["DELETE o +versionid"],
      y: ["DELETE o +deletetype=permanent"],
      l: ["GET c list", "GET c list +include=tags", "GET s list"],
      t: ["GET o tags", "PUT o tags"],
      f: ["GET c blobs", "GET s blobs"],
      i: ["DELETE o immutabilityPolicies", "PUT o immutabilityPolicies", "PUT o legalhold"],
    });
  });

  it.each(azureAllOperations)("%s (%s) names no second blob", async (...row) => {
    const raw = requestFor(row);
    const headers = [...(raw.headers ?? []), ["x-ms-copy-source", "/media/secret"]] as const;
    const fields = { sv: "2026-04-06", sp: "rwdxftlacupiy" };
    await expectRefusal(accountAll.verify(rawRequest({ ...raw, headers, kind: "account", fields })), "UNSIGNED_HEADER");
  });

  it("permits few operations by default", async () => {
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

  it("refuses operations outside an account SAS's services and resource types", async () => {
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

  it("accepts the requests of Azure's client in its spelling", async () => {
    const list: RawSas = { path: "/media", fields: { sr: "c", sp: "l" } };
    const range = await verify({ ...list, query: "restype=container&comp=list&startFrom=a%2Fb&endBefore=c" });
    expect(range.parameters).toContainEqual(["startFrom", "a/b"]);
    // Azure's pages have no name in another case.
    await refuse({ ...list, query: "restype=container&comp=list&startfrom=a" }, "UNSIGNED_PARAMETER");
    const headers = [["x-ms-access-tier-if-modified-since", "Tue, 27 Mar 2007 19:36:42 GMT"]] as const;
    expect((await verify({ method: "DELETE", headers, fields: { sp: "d" } })).operation).toBe("delete-blob");
    const verifier = azureVerifier({ ...options, operations: [...azureAllOperations, ...azureCopyOperations] });
    const asked = async (raw: RawSas) => (await verifier.verify(rawRequest(raw))).operation;
    const tags: RawSas = { query: "comp=tags", headers: [["x-ms-blob-if-match", "*"]], fields: { sp: "t" } };
    expect([await asked(tags), await asked({ ...tags, method: "PUT" })]).toEqual(["get-blob-tags", "set-blob-tags"]);
    const copy: RawSas = { method: "PUT", query: "comp=incrementalcopy", fields: { sp: "w" } };
    expect(await asked({ ...copy, headers: [["x-ms-copy-source", "https://a/b"]] })).toBe("incremental-copy-blob");
  });

  it("show tags in a listing only to those who may read tags", async () => {
    const list: RawSas = { path: "/media", query: "restype=container&comp=list&include=metadata%2Ctags" };
    await refuse({ ...list, fields: { sr: "c", sp: "l" } }, "METHOD_NOT_GRANTED");
    expect((await verify({ ...list, fields: { sr: "c", sp: "lt" } })).operation).toBe("list-blobs");
    const plain = { ...list, query: "restype=container&comp=list&include=metadata" };
    expect((await verify({ ...plain, fields: { sr: "c", sp: "l" } })).operation).toBe("list-blobs");
    // A reader that trims would read it as tags.
    for (const include of ["%20tags", "metadata%2C%20tags", "tags%09", "metadata;tags"]) {
      await refuse({ ...list, query: `restype=container&comp=list&include=${include}`, fields: { sr: "c", sp: "l" } });
    }
  });

  it("returns grants whose id is in their JSON", async () => {
    const grant = await verify();
    expect(JSON.parse(JSON.stringify(grant))).toMatchObject({ id: grant.id, account: ACCOUNT, scheme: "azure" });
  });

  it("refuses a version that is not a day", async () => {
    await refuse({ fields: { sv: "2022-13-45" } }, "MALFORMED");
    await refuse({ fields: { sv: "2022-02-30" } }, "MALFORMED");
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
