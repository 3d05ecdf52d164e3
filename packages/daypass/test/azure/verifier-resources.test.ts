import { azureAllOperations, azureVerifier } from "daypass/azure";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "../wire-request.ts";
import { type RawSas, rawRequest } from "./raw-sas.ts";
import { options, refuse, verify } from "./verifiers.ts";

describe("resources", () => {
  it("refuses snapshots and versions with a SAS for the blob", async () => {
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
      await refuse({ fields: { sr }, signed: { TIME: "a\nb" }, query: `${name}=a%0Ab` }, "MALFORMED");
      await refuse({ query }, "UNSIGNED_PARAMETER");
      expect((await verify({ query, fields: { sr: "c" } })).blob).toBe("a.txt");
    }
  });

  it("accepts a version with a SAS that deletes versions, and only for deletion", async () => {
    const verifier = azureVerifier({ ...options, operations: azureAllOperations });
    const raw: RawSas = { query: "versionid=1", fields: { sp: "rx" } };
    expect((await verifier.verify(rawRequest({ ...raw, method: "DELETE" }))).operation).toBe("delete-version");
    await expectRefusal(verifier.verify(rawRequest(raw)), "UNSIGNED_PARAMETER");
    await expectRefusal(
      verifier.verify(rawRequest({ ...raw, method: "DELETE", fields: { sp: "rd" } })),
      "METHOD_NOT_GRANTED",
    );
    const tier: RawSas = { method: "PUT", query: "comp=tier", fields: { sp: "wx" } };
    expect((await verifier.verify(rawRequest(tier))).operation).toBe("set-blob-tier");
    for (const time of ["versionid", "snapshot"]) {
      const other = rawRequest({ ...tier, query: `comp=tier&${time}=1` });
      await expectRefusal(verifier.verify(other), "UNSIGNED_PARAMETER");
    }
  });

  it("accepts blobs inside a directory and refuses its siblings", async () => {
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

  it("lists blobs below a directory and refuses a sibling with the same beginning", async () => {
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

  it("accepts all blobs with a SAS for a container, and refuses the container with a SAS for a blob", async () => {
    expect((await verify({ fields: { sr: "c" }, path: "/media/x/y" })).blob).toBe("x/y");
    await refuse(
      { path: "/media", query: "restype=container&comp=list", signed: { RESOURCE: "/blob/myaccount/media" } },
      "WRONG_SCOPE",
    );
    await refuse({ path: "/", query: "comp=list", fields: { sr: "c", sp: "l" } }, "METHOD_NOT_GRANTED");
  });
});
