import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactTarget } from "../../src/index.ts";
import { redactAuthority } from "../../src/pipeline/redact.ts";

describe("redactTarget", () => {
  it("keeps the path, the names, and the values on the list", () => {
    expect(redactTarget("/b/k?X-Amz-Expires=60&X-Amz-Credential=AKID&X-Amz-Signature=0123&x=1")).toBe(
      "/b/k?X-Amz-Expires=60&X-Amz-Credential=~&X-Amz-Signature=~&x=~",
    );
    expect(redactTarget("/b/k?dp-key=k1&dp-subject=cus_42&dp-signature=x")).toBe(
      "/b/k?dp-key=k1&dp-subject=~&dp-signature=~",
    );
    expect(redactTarget("/b/k")).toBe("/b/k");
  });

  it.each([
    ...["X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "x-amz-security-token", "X-Amz-S3session-Token"],
    ...["X-Goog-Signature", "X-Goog-Credential", "GoogleAccessId", "AWSAccessKeyId", "OSSAccessKeyId", "Signature"],
    ...["q-signature", "x-cos-security-token", "sig", "Policy", "policy", "token", "md5", "hdnea", "URISigningPackage"],
    ...["dp-signature", "dp-nonce", "dp-subject", "dp-audience", "dp-sha256"],
    ...["response-content-disposition", "dp-response-content-disposition", "x-amz-meta-a", "password"],
  ])("hides the value of %s", (name) => {
    expect(redactTarget(`/b/k?${name}=sEcReT&X-Amz-Expires=60`)).toBe(`/b/k?${name}=~&X-Amz-Expires=60`);
  });

  it.each([
    "/b/k?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Date=20260102T030405Z&X-Goog-Expires=60&X-Goog-SignedHeaders=host&X-Goog-Signature=~",
    "/a/c/k?sv=2026-02-06&st=2026-01-02T03%3A04%3A05Z&se=2026-01-03&sr=b&sp=rcw&sip=192.0.2.7&spr=https&si=policy&sig=~",
    "/a/c?comp=list&restype=container&sv=2026-02-06&ss=b&srt=sco&sp=l&se=2026-01-03&sig=~",
    "/a/c/k?sig=~&skoid=1&sktid=2&skt=3&ske=4&sks=b&skv=5&sdd=1&saoid=6&suoid=7&scid=8&srh=a&sv=2026-02-06",
  ])("shows every parameter of %s but the signature", (target) => {
    expect(redactTarget(target.replace("~", "sEcReT"))).toBe(target);
  });

  it("hides the short names of a SAS in URLs of other signers", () => {
    for (const query of ["st=sEcReT&e=1", "st=sEcReT&sv=1", "sp=sEcReT&sig=1", "se=sEcReT&msv=1&sig=1"])
      expect(redactTarget(`/b/k?${query}`)).not.toContain("sEcReT");
    expect(redactTarget("/b/k?X-Goog-Date=sEcReT")).toBe("/b/k?X-Goog-Date=~");
  });

  it("hides a token without `=`, and a very long name", () => {
    expect(redactTarget("/b?secret")).toBe("/b?~");
    expect(redactTarget(`/b?${"n".repeat(65)}=1`)).toBe("/b?~");
  });

  it("hides the value of an unknown name in any query", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme-ascii" })), (parts) => {
        const query = [...parts.map((part) => part.replace(/[&]/g, "")), "hidden=sEcReT"].join("&");
        expect(redactTarget(`/b?${query}`)).not.toContain("sEcReT");
      }),
    );
  });

  it("hides the same in a plain query of S3 as in any other", () => {
    const names = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"];
    const values = [
      "AWS4-HMAC-SHA256",
      "AKID%2F20260102%2Feu%2Fs3%2Faws4_request",
      "20260102T030405Z",
      "60",
      "host",
      "01ab",
    ];
    const plain = names.map((name, at) => `X-Amz-${name}=${values[at]}`).join("&");
    const hidden = plain.replace(/AKID[^&]*|01ab/g, "~");
    expect(redactTarget(`/b?${plain}`)).toBe(`/b?${hidden}`);
    const place = fc.nat({ max: plain.length });
    fc.assert(
      fc.property(place, fc.constantFrom("&", "=", "?", "%26", "=sEcReT", "&sig=sEcReT", "x"), (at, piece) => {
        const query = plain.slice(0, at) + piece + plain.slice(at);
        expect(redactTarget(`/b?x-id=1&${query}`)).toBe(`/b?x-id=1&${redactTarget(`/b?${query}`).slice(3)}`);
      }),
      { numRuns: 1000 },
    );
  });

  it("does not depend on the target before, nor on the signature", () => {
    const start = "/b/k?X-Amz-Expires=60&X-Amz-Signature=";
    const hidden = "/b/k?X-Amz-Expires=60&X-Amz-Signature=~";
    for (const end of ["0123", "", "sEcReT=sEcReT", "sEcReT?x", "0123"]) expect(redactTarget(start + end)).toBe(hidden);
    expect(redactTarget(`${start}0123&y=sEcReT`)).toBe(`${hidden}&y=~`);
    expect(redactTarget(`${start}0123&X-Amz-Signature=sEcReT`)).toBe(`${hidden}&X-Amz-Signature=~`);
    expect(redactTarget("/b/other?X-Amz-Expires=61&X-Amz-Signature=4")).toBe(
      "/b/other?X-Amz-Expires=61&X-Amz-Signature=~",
    );
  });

  it("limits its length", () => {
    expect(redactTarget(`/${"a".repeat(10_000)}?${"b=c&".repeat(5000)}`).length).toBeLessThan(2000);
  });

  it("truncates a path after 1024 characters", () => {
    const longest = `/${"a".repeat(1023)}`;
    expect(redactTarget(longest)).toBe(longest);
    expect(redactTarget(`${longest}b`)).toBe(`${longest}~`);
  });

  it("CVE-2017-8761: hides a signature that wrong encoding has moved into the path", () => {
    const misplaced = [
      "/b/k%3FX-Amz-Expires%3D60%26X-Amz-Signature%3DsEcReT",
      "/b/k%253FX-Amz-Signature%253DsEcReT",
      "/b/k&X-Amz-Expires=60&X-Amz-Signature=sEcReT",
      "/b/k;X-Amz-Security-Token=sEcReT?X-Amz-Expires=60",
      "/b/k%3fsv%3d2026%26sig%3dsEcReT",
      "/b/k?X-Amz-Expires=60%26X-Amz-Signature%3DsEcReT",
      "/b/k?X-Amz-Expires=60;X-Amz-Signature=sEcReT",
      "/b/k?X-Amz-Expires=60?dp-signature=sEcReT",
      "/b/k?dp-expires=1%2526dp-signature%253DsEcReT",
      "/b/k?Signature%3DsEcReT=",
      "http://user:sEcReT@127.0.0.1/b/k?X-Amz-Expires=60",
      "http://sEcReT@a@b/?x=1",
    ];
    for (const target of misplaced) expect(redactTarget(target)).not.toContain("sEcReT");
    expect(redactTarget("http://127.0.0.1/b/k")).toBe("http://127.0.0.1/b/k");
    expect(redactTarget("/b/design.pdf?X-Amz-SignedHeaders=content-type%3Bhost")).toBe(
      "/b/design.pdf?X-Amz-SignedHeaders=content-type%3Bhost",
    );
    expect(redactAuthority("user:sEcReT@127.0.0.1")).toBe("~@127.0.0.1");
    // A password may contain the character that ends it.
    expect(redactAuthority("user:sEc@ReT@127.0.0.1")).toBe("~@127.0.0.1");
    expect(redactAuthority("127.0.0.1:80")).toBe("127.0.0.1:80");
  });
});
