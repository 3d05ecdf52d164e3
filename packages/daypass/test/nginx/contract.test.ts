import { nginxSigner, nginxVerifier } from "../../src/schemes/nginx/index.ts";
import { testScheme } from "../scheme-contract.ts";

testScheme({
  scheme: "nginx",
  sign: ({ at, expiresIn, method }) =>
    nginxSigner({ secret: "secret", clock: () => at }).sign({
      url: "https://files.example.com/talks/a%20b+%C3%BC.mp4",
      method,
      expiresIn,
    }),
  verifier: ({ now, key }) =>
    nginxVerifier({
      secrets: key === "right" ? ["older", "secret"] : "foreign",
      origins: ["https://files.example.com"],
      clock: () => now,
    }),
  required: ["md5", "expires"],
  signatureParameter: "md5",
  timeParameter: "expires",
  namesKey: false,
  futureSkew: undefined,
  otherMethod: "PUT",
});
