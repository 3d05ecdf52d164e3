import {
  type CloudfrontHash,
  type CloudfrontSignRequest,
  cloudfrontSigner,
  cloudfrontVerifier,
} from "daypass/cloudfront";
import { testScheme } from "../scheme-contract.ts";
import { EC, RSA } from "./keys.ts";

const keyPairId = "K2JCJMDEHXQW5F";
const url = "https://media.example.com/talks/keynote.mp4?lang=de&x=1";

function contract(
  keys: typeof RSA,
  other: typeof RSA,
  hash: CloudfrontHash,
  extra: Partial<CloudfrontSignRequest> = {},
) {
  testScheme({
    scheme: "cloudfront",
    sign: ({ at, expiresIn }) =>
      cloudfrontSigner({ keyPairId, privateKey: keys.privateKey, hash, clock: () => at }).sign({
        url,
        expiresIn,
        ...extra,
      }),
    verifier: ({ now, key }) =>
      cloudfrontVerifier({
        keys: {
          keyPairId: key === "unknown" ? "KOTHER" : keyPairId,
          publicKey: key === "foreign" ? other.publicKey : keys.publicKey,
          hashes: [hash],
        },
        origins: ["https://media.example.com"],
        clock: () => now,
      }),
    required: [extra.bind === undefined ? "Expires" : "Policy", "Key-Pair-Id", "Signature"],
    signatureParameter: "Signature",
    timeParameter: extra.bind === undefined ? "Expires" : "Policy",
    futureSkew: undefined,
    otherMethod: "PUT",
  });
}

contract(RSA, EC, "sha1");
contract(EC, RSA, "sha256", { bind: { ip: "203.0.113.0/24" }, resource: "https://media.example.com/talks/*" });
