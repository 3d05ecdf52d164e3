import { coveringNetwork, isInside } from "../../wire/ip.ts";
import { headerValues } from "../../wire/raw-target.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";

/** Headers that are signed by name and were not sent. `undefined` if the sent headers are unknown. */
export function missingHeader({ known, sent }: Subject, names: readonly string[]): Cause | undefined {
  const missing = names.filter((name) => name !== "host" && headerValues(sent.headers, name).length === 0);
  if (missing.length === 0 || !known.headers) return undefined;
  return {
    code: "HEADER",
    sentence: `The URL was signed with the header ${missing.join(", ")}, which was not sent.`,
    evidence: [],
    fix: `Send ${missing.join(", ")} with exactly the value that was signed.`,
  };
}

/** The client is outside the network that the URL is for. `undefined` if its address is unknown. */
export function addressCause({ sent }: Subject, ipRange: string | undefined): Cause | undefined {
  const network = ipRange === undefined ? undefined : coveringNetwork(ipRange);
  if (network === undefined || sent.remoteAddress === undefined || isInside(sent.remoteAddress, [network])) {
    return undefined;
  }
  return otherClient(`${ipRange}`, sent.remoteAddress);
}

export function otherClient(networks: string, address: string): Cause {
  return {
    code: "IP",
    sentence: `The URL is for clients in ${networks}, and the request came from ${address}.`,
    evidence: [],
    fix: "Sign for the address that the server sees: the proxy's, if there is one.",
  };
}
