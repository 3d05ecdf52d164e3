import { createSign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type GcsRemoteAccount, gcsSigner, gcsVerifier, type IamOptions, iamCredentials } from "daypass/gcs";
import { gcsFormSigner } from "daypass/gcs/form";
import { gcsV2Signer } from "daypass/gcs/v2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wireRequest } from "../wire-request.ts";
import { account, publicAccount } from "./account.ts";

// A server with IAM's documented surface, over real HTTP: POST /v1/projects/-/serviceAccounts/{email}:signBlob, JSON in
// and out, errors as google.rpc.Status. Texts as IAM has them in the issues of google-auth-library and of its users.
const status = (code: number, name: string, message: string, details: readonly unknown[] = []) => ({
  error: { code, message, status: name, details },
});
const DENIED = status(
  403,
  "PERMISSION_DENIED",
  "Permission 'iam.serviceAccounts.signBlob' denied on resource (or it may not exist).",
  [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "IAM_PERMISSION_DENIED",
      domain: "iam.googleapis.com",
      metadata: { permission: "iam.serviceAccounts.signBlob" },
    },
  ],
);
const DISABLED = status(
  403,
  "PERMISSION_DENIED",
  "IAM Service Account Credentials API has not been used in project 7 before or it is disabled.",
);
const EXPIRED = status(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
const UNAVAILABLE = status(503, "UNAVAILABLE", "The service is currently unavailable.");

const path = `/v1/projects/-/serviceAccounts/${account.client_email}:signBlob`;
const seen: { headers: IncomingMessage["headers"]; body: { payload: string; delegates: readonly string[] } }[] = [];
let server: Server;
let endpoint = "";

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = (code: number, body: unknown): void => {
      response.writeHead(code, { "content-type": "application/json; charset=UTF-8" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? "")?.[1];
    if (request.method !== "POST" || request.url !== path) return answer(404, status(404, "NOT_FOUND", "Not found."));
    if (token === "denied") return answer(403, DENIED);
    if (token === "disabled") return answer(403, DISABLED);
    if (token === "busy") return answer(503, UNAVAILABLE);
    if (token === "html") return answer(502, "<html>Bad Gateway</html>");
    if (token === "empty") return answer(200, { keyId: "k", signedBlob: "" });
    if (token === "odd") return answer(200, { keyId: "k", signedBlob: "not base64" });
    if (token !== "good") return answer(401, EXPIRED);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    seen.push({ headers: request.headers, body });
    const signedBlob = createSign("sha256")
      .update(Buffer.from(body.payload, "base64"))
      .sign(account.private_key, "base64");
    answer(200, { keyId: "0123456789abcdef", signedBlob });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
// The unread answer keeps the connection, and some runtimes then wait for minutes.
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const NOW = new Date("2026-01-02T03:04:05Z");
const clock = () => NOW;
const request = { bucket: "media", object: "a b.txt", expiresIn: 900 };
const credentials = (options: Partial<IamOptions> = {}): GcsRemoteAccount =>
  iamCredentials({ serviceAccount: account.client_email, token: "good", endpoint, ...options });
const refusal = async (options: Partial<IamOptions>) => {
  const error: unknown = await gcsSigner({ credentials: credentials(options), clock })
    .sign(request)
    .catch((reason: unknown) => reason);
  return error as Error & { code: string; details: Record<string, unknown> };
};

describe("signing through IAM", () => {
  it("makes the URL that the key file would make, in one request", async () => {
    seen.length = 0;
    const link = await gcsSigner({ credentials: credentials(), clock }).sign(request);
    expect(link.url).toBe((await gcsSigner({ credentials: account, clock }).sign(request)).url);
    expect(link.warnings).toEqual([]);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.headers["content-type"]).toBe("application/json");
    expect(Buffer.from(seen[0]?.body.payload ?? "", "base64").toString()).toMatch(
      /^GOOG4-RSA-SHA256\n20260102T030405Z\n/,
    );
    expect(seen[0]?.body.delegates).toEqual([]);
    const verifier = gcsVerifier({ keys: publicAccount, origins: ["https://storage.googleapis.com"], clock });
    await expect(verifier.verify(wireRequest(link))).resolves.toMatchObject({ keyId: account.client_email });
  });

  it("asks for a token before each signature, and goes through delegates", async () => {
    seen.length = 0;
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      return "good";
    };
    const signer = gcsSigner({ credentials: credentials({ token, delegates: ["hop@example.com"] }), clock });
    const requests = Array.from({ length: 20 }, (_, i) => ({ ...request, object: `${i}` }));
    const paths: string[] = [];
    for await (const item of signer.signMany(requests)) paths.push("error" in item ? "" : new URL(item.url).pathname);
    expect(paths).toEqual(requests.map(({ object }) => `/media/${object}`));
    expect(asked).toBe(20);
    expect(seen.every(({ body }) => body.delegates[0] === "projects/-/serviceAccounts/hop@example.com")).toBe(true);
  });

  it("reports permission and role if IAM denies a signature", async () => {
    const { code, message, details } = await refusal({ token: "denied" });
    expect(code).toBe("INVALID_KEY");
    expect(details).toMatchObject({ status: 403, permission: "iam.serviceAccounts.signBlob" });
    expect(message).toContain("iam.serviceAccounts.signBlob");
    expect(message).toContain("roles/iam.serviceAccountTokenCreator");
    expect(message).toContain(account.client_email);
    expect(message).toContain("denied on resource (or it may not exist)");
  });

  it.each([
    ["the API is off", "disabled", 403, /IAM Service Account Credentials API/],
    ["the token has expired", "old", 401, /fresh token/],
    ["IAM is busy", "busy", 503, /try again/],
    ["a proxy answers in HTML", "html", 502, /no signature in the answer/],
    ["the answer has no signature", "odd", 200, /no signature in the answer/],
  ])("says what to do where %s, and never shows the token", async (_, token, found, text) => {
    const error = await refusal({ token: `${token}` });
    expect(error).toMatchObject({ code: "INVALID_KEY", details: { status: found } });
    expect(error.message).toMatch(text);
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain("Bearer");
    expect((await refusal({ token: "very-secret-token" })).message).not.toContain("very-secret");
  });

  it("reports another account, no answer and a missing token", async () => {
    expect(await refusal({ serviceAccount: "other@example.com" })).toMatchObject({ details: { status: 404 } });
    expect(await refusal({ endpoint: "http://127.0.0.1:1" })).toMatchObject({
      code: "INVALID_KEY",
      details: { status: 0 },
    });
    const failing = async (): Promise<string> => {
      throw new Error("metadata server unreachable");
    };
    // An object is what a client of google-auth-library gives; of a broken line `fetch` would say which.
    for (const none of ["", null, undefined, { token: "good" } as never, "very-secret\ntoken"]) {
      const { message, details, cause } = await refusal({ token: async () => none });
      expect([message, details["status"]]).toEqual([expect.stringContaining("no access token"), 0]);
      expect(`${message} ${cause}`).not.toContain("very-secret");
    }
    const error = await refusal({ token: failing });
    expect(error).toMatchObject({ code: "INVALID_KEY", details: { status: 0 } });
    expect(String(error.cause)).toContain("metadata server unreachable");
    for (const serviceAccount of ["a/b@example.com", "x@y:signBlob?", "nobody", ""]) {
      expect(() => credentials({ serviceAccount })).toThrow("client_email");
    }
  });

  it("uses the fetch that it is given", async () => {
    const urls: string[] = [];
    const own: IamOptions["fetch"] = async (url, init) => {
      urls.push(url);
      return fetch(endpoint + path, init);
    };
    const { signBytes } = iamCredentials({
      serviceAccount: account.client_email,
      token: "good",
      universeDomain: "apis.example",
      fetch: own,
    });
    expect((await signBytes(new Uint8Array([1, 2]))).length).toBe(256);
    expect(urls).toEqual([`https://iamcredentials.apis.example${path}`]);
  });

  it("warns of lives that may outlast Google's key", async () => {
    const signer = gcsSigner({ credentials: credentials(), clock });
    expect((await signer.sign({ ...request, expiresIn: 43_200 })).warnings).toEqual([]);
    expect((await signer.sign({ ...request, expiresIn: 43_201 })).warnings).toHaveLength(1);
  });

  it("takes any other signer of bytes, such as a KMS", async () => {
    const signBytes = async (bytes: Uint8Array) => createSign("sha256").update(bytes).sign(account.private_key);
    const remote = gcsSigner({ credentials: { client_email: account.client_email, signBytes }, clock });
    const local = gcsSigner({ credentials: account, clock });
    const week = { ...request, expiresIn: 604_800 };
    expect(await remote.sign(week)).toEqual(await local.sign(week));
  });

  it.each([
    ["nothing", undefined],
    ["a text", "c2lnbmF0dXJl".repeat(20)],
    ["no bytes", new Uint8Array()],
    ["too few bytes", new Uint8Array(127)],
    ["a buffer", new ArrayBuffer(256)],
  ])("refuses a signature that is %s", async (_, signature) => {
    const signBytes = async () => signature as Uint8Array;
    const credentials = { client_email: account.client_email, signBytes };
    const signing = [
      gcsSigner({ credentials, clock }).sign({ ...request, expiresIn: 60 }),
      gcsV2Signer({ credentials, clock }).sign({ ...request, expiresIn: 60 }),
      gcsFormSigner({ credentials, clock }).sign({ ...request, expiresIn: 60 }),
    ];
    for (const refused of signing) await expect(refused).rejects.toMatchObject({ code: "INVALID_KEY" });
  });

  it("refuses an empty signature of IAM", async () => {
    const { signBytes } = iamCredentials({ serviceAccount: account.client_email, endpoint, token: "empty" });
    await expect(signBytes(new Uint8Array([1]))).rejects.toMatchObject({ code: "INVALID_KEY" });
  });
});
