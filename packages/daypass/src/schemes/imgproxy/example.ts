import { EXAMPLE_ORIGINS } from "../../core/example.ts";
import type { SchemeExample } from "../../core/scheme.ts";
import { HEX } from "../../edge/example.ts";
import { imgproxySigner, imgproxyVerifier } from "./index.ts";

const right = { key: HEX, salt: HEX };
const keys = { right, wrong: { key: HEX, salt: "00" }, invalid: [{ key: "", salt: HEX }] };
const [origin] = EXAMPLE_ORIGINS;
const short = { signatureSize: 8, pathPrefix: "/i" };

export const examples: readonly SchemeExample[] = [
  {
    name: "imgproxy",
    keys,
    signature: /^\/([^/]+)/,
    probe: {},
    request: { url: `${origin}/rs:fit:300/plain/s3://media/talks/keynote.png` },
    signer: (clock) => imgproxySigner({ ...right, clock }),
    verifier: (keys, options) => imgproxyVerifier({ keys, ...options }),
  },
  {
    name: "imgproxy, short, below a prefix",
    keys,
    signature: /^\/i\/([^/]+)/,
    probe: { sameAs: "imgproxy" },
    request: { url: `${origin}/i/rs:fit:300/plain/s3://media/talks/keynote.png` },
    signer: (clock) => imgproxySigner({ ...right, ...short, clock }),
    verifier: (keys, options) => imgproxyVerifier({ keys, ...short, ...options }),
  },
];
