import { describe, expectTypeOf, it } from "vitest";
import type { SignedRequest } from "../../src/index.ts";
import { signedRoute as expressRoute } from "../../src/routes/express.ts";
import { signedRoute as fetchRoute } from "../../src/routes/fetch.ts";
import { type RouteParams, signedRoute } from "../../src/routes/index.ts";
import { urlSigner, urlVerifier } from "../../src/schemes/url/index.ts";

// The type check compiles these tests. Running them only shows that they exist.
const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;
const pair = { kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "e", x: "", d: "" } as const;
const signer = urlSigner({ key });
const verifier = urlVerifier({ keys: [key], origins: ["https://api.example.com"] });
const routes = {
  invoice: signedRoute({ path: "/shops/:shop/invoices/:id", signer, verifier }),
  home: signedRoute({ path: "/home", signer, verifier }),
};
const ask = { expiresIn: 900 };

describe("the types of signed routes", () => {
  it("are read from the path", () => {
    expectTypeOf<RouteParams<"/shops/:shop/invoices/:id">>().toEqualTypeOf<{
      readonly shop: string;
      readonly id: string;
    }>();
    expectTypeOf(routes.invoice.path).toEqualTypeOf<"/shops/:shop/invoices/:id">();
    expectTypeOf(routes.invoice.sign({ shop: "x", id: 7 }, ask)).toEqualTypeOf<SignedRequest>();
    expectTypeOf(routes.home.sign({}, ask)).toEqualTypeOf<SignedRequest>();
  });

  it("refuse a route or a parameter that does not exist", () => {
    const calls = [
      // @ts-expect-error there is no such route
      () => routes.invoce.sign({ id: "7" }, ask),
      // @ts-expect-error the parameter `shop` is missing
      () => routes.invoice.sign({ id: "7" }, ask),
      // @ts-expect-error the path has no parameter `customer`
      () => routes.invoice.sign({ shop: "x", id: "7", customer: "c" }, ask),
      // @ts-expect-error the path has no parameter
      () => routes.home.sign({ id: "7" }, ask),
      // @ts-expect-error a parameter is a text or a number
      () => routes.invoice.sign({ shop: "x", id: true }, ask),
      // @ts-expect-error the URL comes from the route
      () => routes.home.sign({}, { ...ask, url: "https://api.example.com/" }),
    ];
    expectTypeOf(calls).toBeArray();
  });

  it("sign with a promise for a key that needs one", () => {
    const route = signedRoute({ path: "/a", origin: "https://api.example.com", signer: {} as ReturnType<typeof edge> });
    const edge = () => urlSigner({ key: pair });
    expectTypeOf<ReturnType<typeof route.sign>>().toEqualTypeOf<Promise<SignedRequest>>();
  });

  it("hand a handler its parameters, and refuse a handler that reads others", () => {
    const express = expressRoute({ path: "/invoices/:id", signer, verifier });
    express.express((grant, params) => {
      expectTypeOf(grant.params).toEqualTypeOf(params);
      expectTypeOf(params).toEqualTypeOf<{ readonly id: string }>();
      // @ts-expect-error the path has no parameter `number`
      return params.number;
    });
    fetchRoute({ path: "/invoices/:id", signer, verifier }).fetch((_grant, { id }, request) => {
      expectTypeOf(request).toEqualTypeOf<Request>();
      return new Response(id);
    });
  });
});
