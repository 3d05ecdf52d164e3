import { anyOf, type ErrorCode, type WireRequest } from "daypass";
import { type GcsObjectRequest, gcsHmacSigner, gcsHmacVerifier, gcsSigner, gcsVerifier } from "daypass/gcs";
import { describe, expect, it } from "vitest";
import { codeOf } from "../code-of.ts";
import { expectRefusal, wireRequest } from "../wire-request.ts";
import { account, foreignKey, hmacKey, publicAccount } from "./account.ts";
import { clock, endpoint, origins, sign, verifier } from "./fixture.ts";

describe("a GCS verifier", () => {
  const put = (extra: Partial<GcsObjectRequest> = {}): WireRequest => wireRequest(sign({ method: "PUT", ...extra }));
  const withHeader = (request: WireRequest, name: string, value: string): WireRequest => ({
    ...request,
    headers: [...request.headers, [name, value]],
  });
  const withQuery = (request: WireRequest, from: string | RegExp, to: string): WireRequest => {
    const target = request.target.replace(from, to);
    expect(target).not.toBe(request.target);
    return { ...request, target };
  };

  it.each([
    ["x-goog-copy-source", "/private/secret"],
    ["X-Goog-Copy-Source", "/private/secret"],
    ["x-goog-acl", "public-read"],
    ["x-goog-meta-a", "b"],
    ["x-goog-user-project", "billed"],
    ["x-goog-content-length-range", "0,1"],
    ["x-goog-content-sha256", "UNSIGNED-PAYLOAD"],
    ["x-amz-copy-source", "/private/secret"],
  ])("refuses the unsigned header %s", async (name, value) => {
    await expectRefusal(verifier.verify(withHeader(put(), name, value)), "UNSIGNED_HEADER");
  });

  it.each(["X-Goog-Api-Client", "x-cloud-trace-context", "x-goo"])(
    "ignores %s, which no operation reads",
    async (name) => {
      await expect(verifier.verify(withHeader(put(), name, "x"))).resolves.toBeDefined();
    },
  );

  it("refuses a signed header that is missing, changed or repeated", async () => {
    const request = put({ headers: { "x-goog-acl": "private" } });
    await expect(verifier.verify(request)).resolves.toBeDefined();
    const changed = (headers: WireRequest["headers"]) => verifier.verify({ ...request, headers });
    await expectRefusal(changed([]), "SIGNATURE_MISMATCH");
    await expectRefusal(changed([["x-goog-acl", "public-read"]]), "SIGNATURE_MISMATCH");
    await expectRefusal(
      changed([
        ["x-goog-acl", "private"],
        ["x-goog-acl", "public-read"],
      ]),
      "SIGNATURE_MISMATCH",
    );
    await expect(changed([["X-Goog-ACL", "  private\t"]])).resolves.toBeDefined();
  });

  it("distinguishes an absent header from an empty one", async () => {
    const request = put({ headers: { "x-goog-meta-a": "" } });
    await expect(verifier.verify(request)).resolves.toBeDefined();
    await expectRefusal(verifier.verify({ ...request, headers: [] }), "SIGNATURE_MISMATCH");
  });

  it("chooses the algorithm by the key, not by the URL", async () => {
    const rsa = wireRequest(
      await gcsSigner({ credentials: account, endpoint, clock }).sign({ bucket: "b", object: "o", expiresIn: 60 }),
    );
    await expect(verifier.verify(rsa)).resolves.toMatchObject({ keyId: account.client_email });
    await expectRefusal(verifier.verify(withQuery(rsa, "GOOG4-RSA-SHA256", "GOOG4-HMAC-SHA256")), "UNKNOWN_KEY");

    // The public key is public: a MAC with it as the secret must not pass for the account's signature.
    const confused = gcsHmacSigner({
      credentials: { accessKeyId: account.client_email, secretAccessKey: publicAccount.public_key.replace(/\s/g, "") },
      endpoint,
      clock,
    }).sign({ bucket: "b", object: "o", expiresIn: 60 });
    await expectRefusal(verifier.verify(wireRequest(confused)), "UNKNOWN_KEY");
    await expectRefusal(
      verifier.verify(withQuery(wireRequest(confused), "GOOG4-HMAC-SHA256", "GOOG4-RSA-SHA256")),
      "SIGNATURE_MISMATCH",
    );
    await expectRefusal(verifier.verify(withQuery(rsa, "GOOG4-RSA-SHA256", "AWS4-HMAC-SHA256")), "MALFORMED");
    await expectRefusal(
      verifier.verify(withQuery(rsa, "&X-Goog-Date", "&X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Date")),
      "MALFORMED",
    );
    await expectRefusal(verifier.verify(withQuery(wireRequest(sign()), "GOOG4-HMAC", "%47OOG4-HMAC")), "MALFORMED");
    await expectRefusal(verifier.verify(withQuery(rsa, "GOOG4-RSA-SHA256", "none")), "MALFORMED");
  });

  it("accepts any of an account's keys, from a resolver as well", async () => {
    const rsa = wireRequest(
      await gcsSigner({ credentials: account, endpoint, clock }).sign({ bucket: "b", object: "o", expiresIn: 60 }),
    );
    const asked: string[] = [];
    const rotating = gcsVerifier({
      keys: async (id) => {
        asked.push(id);
        return [{ ...publicAccount, public_key: foreignKey }, publicAccount];
      },
      origins,
      clock,
    });
    await expect(rotating.verify(rsa)).resolves.toBeDefined();
    expect(asked).toEqual([account.client_email]);
    await expectRefusal(gcsVerifier({ keys: () => undefined, origins, clock }).verify(rsa), "UNKNOWN_KEY");
  });

  it.each<[string, string | RegExp, string, ErrorCode]>([
    ["another service", "storage%2Fgoog4", "compute%2Fgoog4", "WRONG_SCOPE"],
    ["AWS's terminator", "goog4_request", "aws4_request", "MALFORMED"],
    ["more behind the terminator", "goog4_request", "goog4_request%2F", "MALFORMED"],
    ["a signature that is too short", /Signature=.*/, "Signature=00", "MALFORMED"],
    ["another date than the credential's", "%2F20260102%2F", "%2F20260103%2F", "MALFORMED"],
    ["a life of zero", "X-Goog-Expires=600", "X-Goog-Expires=0", "MALFORMED"],
    ["a life with a sign", "X-Goog-Expires=600", "X-Goog-Expires=%2B600", "MALFORMED"],
    ["a life of more than a week", "X-Goog-Expires=600", "X-Goog-Expires=604801", "MALFORMED"],
    ["a life in another spelling", "X-Goog-Expires=600", "X-Goog-Expires=0600", "MALFORMED"],
    ["a longer life", "X-Goog-Expires=600", "X-Goog-Expires=6000", "SIGNATURE_MISMATCH"],
    ["another location", "%2Fauto%2F", "%2Feu%2F", "SIGNATURE_MISMATCH"],
    ["a further parameter", "&X-Goog-Signature", "&generation=1&X-Goog-Signature", "SIGNATURE_MISMATCH"],
    ["a parameter in another case", "&X-Goog-Signature", "&x-goog-expires=9&X-Goog-Signature", "MALFORMED"],
    ["a parameter in hidden capitals", "&X-Goog-Signature", "&%58-GOOG-Date=9&X-Goog-Signature", "MALFORMED"],
    ["a list without host", "SignedHeaders=host", "SignedHeaders=x-goog-acl", "MALFORMED"],
    ["a list out of order", "SignedHeaders=host", "SignedHeaders=host%3Bcontent-type", "MALFORMED"],
    ["a name twice in the list", "SignedHeaders=host", "SignedHeaders=host%3Bhost", "MALFORMED"],
    ["a name in capitals in the list", "SignedHeaders=host", "SignedHeaders=Host", "MALFORMED"],
    ["an empty name in the list", "SignedHeaders=host", "SignedHeaders=host%3B", "MALFORMED"],
    ["a header more in the list", "SignedHeaders=host", "SignedHeaders=accept%3Bhost", "SIGNATURE_MISMATCH"],
  ])("refuses %s", async (_, from, to, code) => {
    await expectRefusal(verifier.verify(withQuery(wireRequest(sign()), from, to)), code);
  });

  it("refuses parameters that repeat, as servers differ in which of two they read", async () => {
    const request = wireRequest(sign({ query: { generation: "1" } }));
    await expectRefusal(verifier.verify(withQuery(request, "generation=1", "generation=1&generation=2")), "MALFORMED");
  });

  it("refuses a signed query beside an Authorization header", async () => {
    await expectRefusal(verifier.verify(withHeader(put(), "Authorization", "Bearer x")), "AMBIGUOUS_AUTHENTICATION");
  });

  it("refuses a body rule that it cannot read", async () => {
    for (const range of ["1", "2,1", "-1,5", "0,9999999999999999", "0,1,2", ""]) {
      const request = put({ headers: { "x-goog-content-length-range": range } });
      await expectRefusal(verifier.verify(request), "UNSUPPORTED_PAYLOAD");
    }
    const streamed = put({ headers: { "x-goog-content-sha256": "STREAMING-GOOG4-RSA-SHA256-PAYLOAD" } });
    await expectRefusal(verifier.verify(streamed), "UNSUPPORTED_PAYLOAD");
    const capitals = put({ headers: { "x-goog-content-sha256": "A".repeat(64) } });
    await expectRefusal(verifier.verify(capitals), "UNSUPPORTED_PAYLOAD");
    await expect(
      verifier.verify(put({ headers: { "x-goog-content-sha256": "UNSIGNED-PAYLOAD" } })),
    ).resolves.toMatchObject({ obligations: [] });
  });

  it("refuses obligations that its caller does not enforce", async () => {
    const lax = gcsHmacVerifier({ keys: hmacKey, origins, clock });
    for (const extra of [
      { bind: { contentLength: { max: 5 } } },
      { bind: { sha256: "0".repeat(64) } },
      { headers: { "x-goog-hash": "crc32c=AAAAAA==" } },
      { headers: { "x-goog-if-generation-match": " 0 " } },
      { headers: { "if-none-match": "*" } },
      { response: { contentType: "text/html" } },
    ]) {
      await expectRefusal(lax.verify(put(extra)), "UNENFORCED_CONSTRAINT");
    }
  });

  it("limits the body that it is given to the granted range", async () => {
    const grant = await verifier.verify(put({ bind: { contentLength: { min: 2, max: 3 } } }));
    const drain = async (length: number): Promise<void> => {
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < length; i++) yield new Uint8Array(1);
      }
      for await (const _ of grant.limitBody(body()));
    };
    await expectRefusal(drain(1), "BODY_LENGTH");
    await drain(3);
    await expectRefusal(drain(4), "BODY_LENGTH");
  });

  it("returns the signer's id for any order of the query", async () => {
    const link = sign({ query: { userProject: "p", "X-Goog-Meta-Foo": "bar" } });
    const request = wireRequest(link);
    const [path, query = ""] = request.target.split("?");
    const reversed = { ...request, target: `${path}?${query.split("&").reverse().join("&")}` };
    expect((await verifier.verify(request)).id).toBe(link.id);
    expect((await verifier.verify(reversed)).id).toBe(link.id);
  });

  it("stands beside other schemes", async () => {
    const both = anyOf(verifier, gcsHmacVerifier({ keys: hmacKey, origins, clock }));
    await expectRefusal(both.verify(wireRequest(sign())), "AMBIGUOUS_AUTHENTICATION");
    await expect(anyOf(verifier).verify(wireRequest(sign()))).resolves.toMatchObject({ scheme: "gcs" });
  });

  it("refuses to be made with a private key, a bad address or no origin", () => {
    const make = (keys: object, from = origins): ErrorCode | undefined =>
      codeOf(() => gcsVerifier({ keys: keys as typeof publicAccount, origins: from }));
    expect(make({ ...publicAccount, public_key: account.private_key })).toBe("INVALID_KEY");
    expect(make({ ...publicAccount, client_email: "nobody" })).toBe("INVALID_KEY");
    expect(make(hmacKey)).toBe("INVALID_KEY");
    expect(make(publicAccount, [])).toBe("INVALID_INPUT");
    for (const secretAccessKey of [7, "", "ü"]) {
      const keys = { ...hmacKey, secretAccessKey: secretAccessKey as string };
      expect(codeOf(() => gcsHmacVerifier({ keys, origins }))).toBe("INVALID_KEY");
    }
  });
});
