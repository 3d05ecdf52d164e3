import { createHash, createHmac } from "node:crypto";
import { anyOf, type WireRequest } from "daypass";
import { s3Signer, s3Verifier } from "daypass/s3";
import { s3HeaderVerifier } from "daypass/s3/header";
import { describe, expect, it } from "vitest";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const clock = () => new Date("2026-11-24T12:00:00Z");
const origins = ["https://s3.example.com"];
const options = { credentials, origins, clock, enforces: ["body-sha256"] } as const;
const verifier = s3HeaderVerifier(options);
const EMPTY = createHash("sha256").update("").digest("hex");

type Headers = Readonly<Record<string, string>>;
interface Signing {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Headers;
  readonly unsigned?: Headers;
  /** The time for the string to sign where x-amz-date is not sent. */
  readonly time?: string;
  readonly region?: string;
}

/** An independent signer, from AWS's page, for targets that are in canonical form already. */
function sign({
  method = "GET",
  target = "/media/k",
  headers = {},
  unsigned = {},
  ...rest
}: Signing = {}): WireRequest {
  const { time = "20261124T120000Z", region = "us-east-1" } = rest;
  const signed: Record<string, string> = {
    host: "s3.example.com",
    ...(rest.time === undefined ? { "x-amz-date": time } : {}),
    "x-amz-content-sha256": EMPTY,
    ...headers,
  };
  const names = Object.keys(signed).sort();
  const [path = "", query = ""] = target.split("?");
  const canonical = [
    method,
    path,
    query,
    ...names.map((name) => `${name}:${signed[name]}`),
    "",
    names.join(";"),
    signed["x-amz-content-sha256"],
  ].join("\n");
  const date = signed["x-amz-date"] ?? time;
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const hash = createHash("sha256").update(canonical).digest("hex");
  let key = Buffer.from(`AWS4${credentials.secretAccessKey}`);
  for (const step of scope.split("/")) key = createHmac("sha256", key).update(step).digest();
  const signature = createHmac("sha256", key).update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`).digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const all = { ...signed, ...unsigned, authorization };
  return { method, target, authority: "s3.example.com", headers: Object.entries(all) };
}

const refusal = (sent: WireRequest, by = verifier) =>
  by.verify(sent).then(
    () => "accepted",
    (error: { readonly code: string }) => error.code,
  );
const edit = (request: WireRequest, name: string, change: (value: string) => string | undefined): WireRequest => ({
  ...request,
  headers: request.headers.flatMap(([field, value]) => {
    const changed = field === name ? change(value) : value;
    return changed === undefined ? [] : [[field, changed] as const];
  }),
});
const add = (request: WireRequest, name: string, value: string): WireRequest => ({
  ...request,
  headers: [...request.headers, [name, value]],
});

describe("a signed header", () => {
  it("reads long runs of blanks in linear time", async () => {
    const signed = sign({ headers: { "x-amz-meta-a": "a b c" } });
    const run = " \t".repeat(7_500);
    const headers = signed.headers.map(
      ([name, value]) => [name, name === "x-amz-meta-a" ? `${run}a b${run}c` : value] as const,
    );
    // A pattern that looks at a run from each of its blanks would take minutes, and the test would not end in time.
    for (let i = 0; i < 300; i++) expect((await verifier.verify({ ...signed, headers })).key).toBe("k");
  });
});

describe("the grant", () => {
  it("grants a quarter of an hour around the signing time, and checks the body's hash", async () => {
    const grant = await verifier.verify(sign({ method: "PUT" }));
    expect(grant).toMatchObject({ bucket: "media", key: "k", region: "us-east-1", methods: ["PUT"] });
    expect(grant.notBefore).toEqual(new Date("2026-11-24T11:45:00Z"));
    expect(grant.expiresAt).toEqual(new Date("2026-11-24T12:15:00Z"));
    expect(grant.obligations).toEqual([{ kind: "body-sha256", sha256: EMPTY }]);
    expect(grant.signedHeaders).toEqual(["host", "x-amz-content-sha256", "x-amz-date"]);
  });

  it("returns no obligation for UNSIGNED-PAYLOAD, and refuses a streamed body without its headers", async () => {
    const unsigned = sign({ method: "PUT", headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } });
    expect((await verifier.verify(unsigned)).obligations).toEqual([]);
    for (const [mode, code] of [
      ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "MALFORMED"],
      ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "MALFORMED"],
      ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "MALFORMED"],
      ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "UNSUPPORTED_PAYLOAD"],
      ["STREAMING-", "UNSUPPORTED_PAYLOAD"],
      [EMPTY.toUpperCase(), "UNSUPPORTED_PAYLOAD"],
    ] as const) {
      const request = sign({ method: "PUT", headers: { "x-amz-content-sha256": mode } });
      expect(await refusal(request)).toBe(code);
      // CVE-2025-31489: the payload mode must never decide whether the signature is looked at.
      const isStream = mode.startsWith("STREAMING-");
      expect(await refusal({ ...request, target: "/media/other" })).toBe(isStream ? "SIGNATURE_MISMATCH" : code);
    }
  });

  it("refuses a body hash that the caller does not enforce", async () => {
    expect(await refusal(sign(), s3HeaderVerifier({ credentials, origins, clock }))).toBe("UNENFORCED_CONSTRAINT");
  });
});

describe("the signing time", () => {
  it.each([
    ["20261124T121500Z", "accepted"],
    ["20261124T121501Z", "CLOCK_SKEW"],
    ["20261124T114501Z", "accepted"],
    ["20261124T114500Z", "CLOCK_SKEW"],
    ["20261131T120000Z", "MALFORMED"],
    ["2026-11-24T12:00:00Z", "MALFORMED"],
  ])("of %s is %s", async (time, expected) => {
    expect(await refusal(sign({ headers: { "x-amz-date": time } }))).toBe(expected);
  });

  it("comes from Date where x-amz-date is missing, but from no HTTP date, as at Amazon", async () => {
    const time = "20261124T120000Z";
    expect(await refusal(sign({ time, headers: { date: "Tue, 24 Nov 2026 12:00:00 GMT" } }))).toBe("MALFORMED");
    expect(await refusal(sign({ time, headers: { date: time } }))).toBe("accepted");
    expect(await refusal(sign({ time, headers: { date: "2026-11-24" } }))).toBe("MALFORMED");
    expect(await refusal(sign({ time }))).toBe("MALFORMED");
  });

  it("refuses a signing time on another day than the credential's", async () => {
    const request = edit(sign(), "authorization", (value) => value.replace("/20261124/", "/20261123/"));
    expect(await refusal(request)).toBe("MALFORMED");
  });
});

describe("the Authorization header", () => {
  it("accepts an Authorization header without spaces and in any order, as in AWS's examples", async () => {
    expect(await refusal(edit(sign(), "authorization", (value) => value.replaceAll(", ", ",")))).toBe("accepted");
    const reordered = edit(sign(), "authorization", (value) => {
      const [credential, signed, signature] = value.slice(17).split(", ");
      return `AWS4-HMAC-SHA256 ${signature}, ${credential}, ${signed}`;
    });
    expect(await refusal(reordered)).toBe("accepted");
  });

  it.each([
    ["a field twice", (value: string) => value.replace(", Signature", ", SignedHeaders=host, Signature")],
    ["an unknown field", (value: string) => `${value}, Region=x`],
    ["a missing signature", (value: string) => value.replace(/, Signature=.*/, "")],
    ["an empty field", (value: string) => `${value},`],
    ["an upper-case signature", (value: string) => value.replace(/[0-9a-f]+$/, (hex) => hex.toUpperCase())],
    ["a short signature", (value: string) => value.slice(0, -1)],
    ["a list without host", (value: string) => value.replace("host;", "")],
    ["a list with a repeat", (value: string) => value.replace("host;", "host;host;")],
    ["a list in upper case", (value: string) => value.replace("host;", "Host;")],
    ["a credential without region", (value: string) => value.replace("/us-east-1", "")],
    ["a foreign terminator", (value: string) => value.replace("aws4_request", "aws5_request")],
  ])("with %s is refused", async (_, change) => {
    expect(await refusal(edit(sign(), "authorization", change))).toBe("MALFORMED");
  });

  it("does not detect another algorithm", async () => {
    const other = edit(sign(), "authorization", (value) => value.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"));
    expect(verifier.detects(other)).toBe(false);
    expect(await refusal(other)).toBe("NO_SIGNATURE");
  });

  it.each(["authorization", "x-amz-date", "x-amz-content-sha256"])("refuses a repeated %s", async (name) => {
    const request = sign();
    const [, value = ""] = request.headers.find(([field]) => field === name) ?? [];
    expect(await refusal(add(request, name, value))).toBe("MALFORMED");
  });
});

describe("refusals", () => {
  it("refuses another method, path, query, host or signed header", async () => {
    const request = sign({ target: "/media/k?a=1", headers: { range: "bytes=0-9" } });
    expect(await refusal(request)).toBe("accepted");
    expect(await refusal({ ...request, method: "DELETE" })).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...request, target: "/media/j?a=1" })).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...request, target: "/media/k?a=1&a=1" })).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...request, authority: "s3.example.com:443" })).toBe("SIGNATURE_MISMATCH");
    expect(await refusal({ ...request, authority: "evil.example.com" })).toBe("WRONG_ORIGIN");
    expect(await refusal(edit(request, "range", () => "bytes=0-"))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(edit(request, "range", () => undefined))).toBe("SIGNATURE_MISMATCH");
    expect(await refusal(edit(request, "x-amz-content-sha256", () => "UNSIGNED-PAYLOAD"))).toBe("SIGNATURE_MISMATCH");
  });

  it("refuses an unsigned x-amz-* header, which could turn an upload into a copy", async () => {
    const copy = sign({ method: "PUT", unsigned: { "x-amz-copy-source": "/other/secret" } });
    expect(await refusal(copy)).toBe("UNSIGNED_HEADER");
    expect(await refusal(sign({ unsigned: { "x-amz-security-token": "t" } }))).toBe("UNSIGNED_HEADER");
  });

  it("asks for x-amz-content-sha256", async () => {
    const bare = edit(
      edit(sign(), "x-amz-content-sha256", () => undefined),
      "authorization",
      (value) => value.replace("x-amz-content-sha256;", ""),
    );
    expect(await refusal(bare)).toBe("MALFORMED");
  });

  it("refuses a signed query beside the header, of either version", async () => {
    const { url } = s3Signer({ region: "us-east-1", endpoint: "https://s3.example.com", credentials, clock }).sign({
      bucket: "media",
      key: "k",
      expiresIn: 60,
    });
    const both = { ...sign(), target: url.slice("https://s3.example.com".length) };
    expect(await refusal(both)).toBe("AMBIGUOUS_AUTHENTICATION");
    await expect(anyOf(verifier, s3Verifier(options)).verify(both)).rejects.toMatchObject({
      code: "AMBIGUOUS_AUTHENTICATION",
    });
    expect(await refusal({ ...sign(), target: "/media/k?AWSAccessKeyId=A&Signature=B&Expires=1" })).toBe(
      "AMBIGUOUS_AUTHENTICATION",
    );
  });

  it("requires the session token of a temporary key and no other", async () => {
    const temporary = s3HeaderVerifier({ ...options, credentials: { ...credentials, sessionToken: "token" } });
    expect(await refusal(sign({ headers: { "x-amz-security-token": "token" } }), temporary)).toBe("accepted");
    expect(await refusal(sign({ headers: { "x-amz-security-token": "other" } }), temporary)).toBe("INVALID_TOKEN");
    expect(await refusal(sign(), temporary)).toBe("INVALID_TOKEN");
    expect(await refusal(sign({ headers: { "x-amz-security-token": "token" } }))).toBe("INVALID_TOKEN");
  });

  it("refuses another region, an unknown key and a wrong secret", async () => {
    const regional = s3HeaderVerifier({ ...options, regions: ["eu-west-1"] });
    expect(await refusal(sign(), regional)).toBe("WRONG_SCOPE");
    expect(await refusal(sign({ region: "eu-west-1" }), regional)).toBe("accepted");
    expect(await refusal(sign(), s3HeaderVerifier({ ...options, credentials: [] }))).toBe("UNKNOWN_KEY");
    const foreign = s3HeaderVerifier({ ...options, credentials: { ...credentials, secretAccessKey: "other" } });
    expect(await refusal(sign(), foreign)).toBe("SIGNATURE_MISMATCH");
  });
});
