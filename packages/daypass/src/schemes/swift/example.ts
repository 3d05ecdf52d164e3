import { EXAMPLE_ORIGINS } from "../../core/example.ts";
import type { ExampleOptions, ExampleProbe, SchemeExample } from "../../core/scheme.ts";
import { type SwiftDigest, type SwiftKey, swiftSigner, swiftVerifier } from "./index.ts";

const key: SwiftKey = { account: "AUTH_a", key: "mykey", digests: ["sha1", "sha256", "sha512"] };
const probe: ExampleProbe = {
  prefix: { value: "talks/", elsewhere: (url) => url.replace("keynote", "another") },
};
const common = {
  keys: {
    right: key,
    wrong: { ...key, key: "another" },
    invalid: [
      { ...key, key: "" },
      { ...key, account: "" },
    ],
    id: key.account,
  },
  signature: /temp_url_sig=([^&]+)/,
  verifier: (keys: never, options: ExampleOptions) => swiftVerifier({ keys, ...options }),
  variants: [
    ...["POST", "DELETE", "HEAD"].map((method) => ({ method })),
    { bind: { ip: "203.0.113.0/24" } },
    { bind: { ip: "203.0.113.9" } },
    { prefix: "talks/" },
  ],
};
const request = { container: "media", object: "talks/keynote.mp4" };

/** With another digest, and the end as text. */
function withDigest(digest: SwiftDigest): SchemeExample {
  return {
    name: `swift, ${digest}, end as text`,
    ...common,
    probe: { ...probe, sameAs: "swift" },
    request: { ...request, expiresAs: "iso" },
    signer: signerOf(digest),
  };
}

function signerOf(digest: SwiftDigest): SchemeExample["signer"] {
  const options = { endpoint: EXAMPLE_ORIGINS[0], account: key.account, key: key.key };
  // The digest decides whether the signer is asynchronous, and its type.
  return (clock) => swiftSigner({ ...options, digest: digest as "sha256", clock });
}

export const examples: readonly SchemeExample[] = [
  { name: "swift", ...common, request, probe, signer: signerOf("sha256") },
  withDigest("sha1"),
  withDigest("sha512"),
];
