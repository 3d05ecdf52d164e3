import { createHash, createHmac, randomBytes } from "node:crypto";
import { type Clock, DaypassError } from "daypass";
import type { GatewayOptions } from "./options.ts";
import type { Limits } from "./pipeline/limits.ts";
import { type Sessions, sessions } from "./pipeline/sessions.ts";
import type { Protocol } from "./protocols/protocol.ts";
import { s3Protocol } from "./protocols/s3/index.ts";
import { stsProtocol } from "./protocols/sts/index.ts";
import { urlProtocol } from "./protocols/url/index.ts";

/** The one list of protocols: those that have keys. The first one also answers those who speak none. */
export function protocolsOf(options: GatewayOptions, limits: Limits, clock: Clock): readonly [Protocol, ...Protocol[]] {
  const {
    origins,
    keys,
    region = "us-east-1",
    regions = [region],
    audience,
    debugFields = true,
    redirectOrigins = [],
  } = options;
  const common = { origins, limits, clock };
  const protocols: Protocol[] = [];
  if (keys.s3 !== undefined) {
    const sessions = sessionsOf(options);
    protocols.push(
      s3Protocol({ ...common, keys: keys.s3, region, regions, debugFields, createHash, sessions, redirectOrigins }),
    );
    if (sessions !== undefined)
      protocols.push(stsProtocol({ ...common, keys: keys.s3, regions, sessions, createHash }));
  }
  if (keys.url !== undefined) protocols.push(urlProtocol({ ...common, keys: keys.url, audience }));
  const [first, ...others] = protocols;
  if (first === undefined) throw new TypeError("a gateway was checked to have keys, and has none");
  return [first, ...others];
}

const MIN_SECRET = 32;

function sessionsOf({ sessionSecret, random = randomBytes }: GatewayOptions): Sessions | undefined {
  if (sessionSecret === undefined) return undefined;
  if (sessionSecret.length < MIN_SECRET) {
    throw new DaypassError("INVALID_KEY", `expected a sessionSecret of at least ${MIN_SECRET} bytes, found fewer`);
  }
  return sessions((text) => createHmac("sha256", sessionSecret).update(text).digest(), random);
}
