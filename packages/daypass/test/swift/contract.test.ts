import { swiftSigner, swiftVerifier } from "daypass/swift";
import { testScheme } from "../scheme-contract.ts";

const endpoint = "https://swift.example.com";
const account = "AUTH_test";
const sign = { container: "media", object: "talks/a b+ü.mp4" };

for (const digest of ["sha256", "sha512"] as const) {
  testScheme({
    scheme: "swift",
    sign: ({ at, expiresIn, method }) => {
      const options = { endpoint, account, key: "mykey", clock: () => at };
      return digest === "sha512"
        ? swiftSigner({ ...options, digest }).sign({ ...sign, expiresIn, method })
        : swiftSigner({ ...options, digest }).sign({ ...sign, expiresIn, method });
    },
    verifier: ({ now, key }) =>
      swiftVerifier({
        keys: {
          right: { account, key: "mykey" },
          foreign: { account, container: "media", key: "another" },
          unknown: { account: "AUTH_other", key: "mykey" },
        }[key],
        origins: [endpoint],
        clock: () => now,
      }),
    required: ["temp_url_sig", "temp_url_expires"],
    signatureParameter: "temp_url_sig",
    timeParameter: "temp_url_expires",
    futureSkew: undefined,
    otherMethod: "PUT",
  });
}
