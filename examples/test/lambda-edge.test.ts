import { urlSigner } from "daypass/url";
import { beforeAll, expect, it } from "vitest";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const host = "files.example.com";
const signer = urlSigner({ key });

interface EdgeRequest {
  readonly uri: string;
}

let handler: (event: unknown) => Promise<EdgeRequest | { readonly status: string; readonly body: string }>;
beforeAll(async () => {
  Object.assign(process.env, { DAYPASS_KEY: key.k, ORIGIN: `https://${host}` });
  ({ handler } = await import("../protect/lambda-edge.js"));
});

// The shape of a viewer request, from the developer guide of CloudFront.
function viewerRequest(url: string, more: object = {}): { readonly Records: [{ readonly cf: { request: object } }] } {
  const [uri = "", querystring = ""] = url.slice(`https://${host}`.length).split("?");
  const headers = {
    host: [{ key: "Host", value: host }],
    "user-agent": [{ key: "User-Agent", value: "curl/7.66.0" }],
    accept: [{ key: "accept", value: "*/*" }],
  };
  const request = { clientIp: "203.0.113.178", headers, method: "GET", uri, querystring, ...more };
  return { Records: [{ cf: { request } }] };
}

async function said(event: unknown): Promise<unknown> {
  const answer = await handler(event);
  return "body" in answer ? [answer.status, JSON.parse(answer.body).code] : "let through";
}

it("forwards a granted viewer request unchanged", async () => {
  const { url } = signer.sign({ url: `https://${host}/a%20b/%C3%A9.pdf?lang=de&flag`, expiresIn: 60 });
  const event = viewerRequest(url);
  expect(await handler(event)).toBe(event.Records[0].cf.request);
  const bound = signer.sign({ url: `https://${host}/a`, expiresIn: 60, bind: { ip: "203.0.113.0/24" } });
  expect(await said(viewerRequest(bound.url))).toBe("let through");
});

it("answers any other, with the code and nothing else", async () => {
  const { url } = signer.sign({ url: `https://${host}/a`, expiresIn: 60 });
  expect(await said(viewerRequest(url.replace("/a", "/b")))).toEqual(["403", "SIGNATURE_MISMATCH"]);
  expect(await said(viewerRequest(`https://${host}/a`))).toEqual(["403", "NO_SIGNATURE"]);
  expect(await said(viewerRequest(url, { method: "PUT" }))).toEqual(["403", "METHOD_NOT_GRANTED"]);
  // The router of a `Request` reads it as the granted path, the origin does not.
  expect(await said(viewerRequest(url, { uri: "/x/../a" }))).toEqual(["400", "MALFORMED"]);
  const elsewhere = signer.sign({ url: `https://${host}/a`, expiresIn: 60, bind: { ip: "198.51.100.7" } });
  expect(await said(viewerRequest(elsewhere.url))).toEqual(["403", "IP_NOT_GRANTED"]);
});

it("refuses what a viewer request cannot be held to", async () => {
  const { url } = signer.sign({
    url: `https://${host}/a`,
    methods: ["PUT"],
    bind: { contentLength: { max: 5 } },
    expiresIn: 60,
  });
  expect(await said(viewerRequest(url, { method: "PUT" }))).toEqual(["403", "UNENFORCED_CONSTRAINT"]);
});
