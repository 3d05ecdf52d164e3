import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { describe, expectTypeOf, it } from "vitest";
import { guardFetch } from "../../src/adapters/fetch/index.ts";
import { guardNode, type NodeRequest, type NodeResponse } from "../../src/adapters/node/index.ts";
import { anyOf, type Grant, type Verifier } from "../../src/index.ts";
import { type S3Grant, s3Verifier } from "../../src/schemes/s3/index.ts";
import { type UrlGrant, urlVerifier } from "../../src/schemes/url/index.ts";

// The type check compiles these tests. Running them only shows that they exist.
const origins = ["https://api.example.com"];
const s3 = s3Verifier({ credentials: { accessKeyId: "a", secretAccessKey: "b" }, origins });
const url = urlVerifier({
  keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }],
  origins,
});

describe("the types of the guards", () => {
  it("hand a handler the grant of its verifier's scheme", () => {
    guardNode(s3, (grant) => expectTypeOf(grant).toEqualTypeOf<S3Grant>());
    guardFetch(url, (grant) => {
      expectTypeOf(grant).toEqualTypeOf<UrlGrant>();
      return new Response();
    });
    expectTypeOf(anyOf(s3, url)).toExtend<Verifier<S3Grant | UrlGrant>>();
  });

  it("accept the requests of http, http2 and whatever a handler annotates", () => {
    expectTypeOf<IncomingMessage>().toExtend<NodeRequest>();
    expectTypeOf<Http2ServerRequest>().toExtend<NodeRequest>();
    expectTypeOf<ServerResponse>().toExtend<NodeResponse>();
    const guarded = guardNode(s3, (_grant, _req: IncomingMessage, _res: ServerResponse) => {});
    expectTypeOf(guarded).parameter(0).toEqualTypeOf<IncomingMessage>();
  });

  it("let a handler use what its server has, where TypeScript cannot infer it", () => {
    createServer(
      guardNode(s3, (grant, req, res) => {
        expectTypeOf(grant).toEqualTypeOf<S3Grant>();
        res.writeHead(200);
        req.pipe(res);
      }),
    ).close();
  });

  it("accept Express's next, and the done of Fastify's hooks, which accepts only an Error", () => {
    const guarded = guardNode(s3, () => {});
    expectTypeOf<(error?: "route" | unknown) => void>().toExtend<Parameters<typeof guarded>[2]>();
    expectTypeOf<<E extends Error>(error?: E) => void>().toExtend<Parameters<typeof guarded>[2]>();
  });

  it("pass the program's own Request to a fetch handler, with the host's arguments", () => {
    const guarded = guardFetch(url, (_grant, request, env: { readonly peer: string }) => {
      expectTypeOf(request).toEqualTypeOf<Request>();
      return new Response(env.peer);
    });
    expectTypeOf(guarded).toEqualTypeOf<(request: Request, env: { readonly peer: string }) => Promise<Response>>();
  });

  it("refuse a handler that does not take the grant first", () => {
    // @ts-expect-error: it would run unverified
    guardNode(s3, (_req: IncomingMessage, _res: ServerResponse) => {});
    // @ts-expect-error: it would run unverified
    guardFetch(url, (request: Request) => new Response(request.url));
    expectTypeOf<Grant>().toHaveProperty("id");
  });
});
