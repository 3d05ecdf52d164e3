// A program with the DOM's types: its own Request and Response flow through the guard, and a host's arguments too.
import { guardFetch } from "daypass/fetch";
import { urlVerifier } from "daypass/url";

interface Env {
  readonly peer: string;
}

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "…" } as const;
const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });

export const GET: (request: Request) => Promise<Response> = guardFetch(verifier, (grant, request) =>
  Response.json({ id: grant.id, agent: request.headers.get("user-agent") }),
);

export const POST: (request: Request, env: Env) => Promise<Response> = guardFetch(
  verifier,
  async (grant, request: Request, env: Env) => Response.json([grant.signedHeaders, await request.json(), env.peer]),
  { facts: (_request, env) => ({ remoteAddress: env.peer }), onRefusal: (error) => new Response(error.code) },
);

// @ts-expect-error: a handler without a grant in front is a request handler, and would run unverified
export const bad = guardFetch(verifier, (request: Request) => new Response(request.url));
