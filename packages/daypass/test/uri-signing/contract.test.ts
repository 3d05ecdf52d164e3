import { uriSigningRegex, uriSigningSigner, uriSigningVerifier } from "../../src/schemes/uri-signing/index.ts";
import { testScheme } from "../scheme-contract.ts";
import { asymmetric, foreign, origins, secret, url } from "./fixture.ts";

const common = {
  scheme: "uri-signing",
  required: ["URISigningPackage"],
  signatureParameter: "URISigningPackage",
  signaturePattern: /\.([^.]*)$/,
  timeParameter: "URISigningPackage",
  futureSkew: undefined,
  otherMethod: "PUT",
} as const;

testScheme({
  ...common,
  sign: ({ at, expiresIn, method }) =>
    uriSigningSigner({ key: secret, clock: () => at }).sign({ url, method, expiresIn }),
  verifier: ({ now, key }) =>
    uriSigningVerifier({
      keySets: [{ keys: [{ right: secret, foreign, unknown: { ...secret, kid: "k2" } }[key]] }],
      origins,
      clock: () => now,
    }),
});
for (const { signing, right } of Object.values(asymmetric)) {
  testScheme({
    ...common,
    sign: ({ at, expiresIn, method }) =>
      uriSigningSigner({ key: signing, issuer: "csp", clock: () => at }).sign({
        url,
        prefix: "/live/",
        method,
        expiresIn,
        notBefore: at,
      }),
    verifier: ({ now, key }) =>
      uriSigningVerifier({
        keySets: [{ issuer: "csp", keys: [{ right, foreign, unknown: { ...secret, kid: "k2" } }[key]] }],
        regex: uriSigningRegex,
        origins,
        clock: () => now,
      }),
    futureSkew: 0,
  });
}
