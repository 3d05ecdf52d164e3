import { guardFetch } from "daypass/fetch";
import { urlVerifier } from "daypass/url";

const verifier = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: process.env["DAYPASS_KEY"] ?? "" }],
  origins: [process.env["ORIGIN"] ?? "https://api.example.com"],
});

export const GET = guardFetch(verifier, (grant, request) =>
  Response.json({ path: new URL(request.url).pathname, until: grant.expiresAt }),
);
