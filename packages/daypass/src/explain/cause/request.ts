import { coveringNetwork, isInside } from "../../wire/ip.ts";
import { headerValues } from "../../wire/raw-target.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { causeOf } from "./combine-causes.ts";

/** Headers that are signed by name and were not sent. `undefined` if the sent headers are unknown. */
export function missingHeader({ known, sent }: Subject, names: readonly string[]): Cause | undefined {
  const missing = names.filter((name) => name !== "host" && headerValues(sent.headers, name).length === 0);
  if (missing.length === 0 || !known.headers) return undefined;
  const what = `The URL was signed with the header ${missing.join(", ")}, which was not sent.`;
  const fix = `Send ${missing.join(", ")} with exactly the value that was signed.`;
  const evidence = `signed headers: ${names.join(";")}`;
  // The header belongs to a body, and the method has none.
  const isUpload = missing.some((name) => /^(?:content-|x-(?:amz|goog)-(?:meta-|acl$))/.test(name));
  if (!known.method || !isUpload || !/^(?:GET|HEAD)$/.test(sent.method)) return causeOf("HEADER", what, fix, evidence);
  const sentence = `The URL was sent with ${sent.method}, and was most likely signed for an upload (PUT). Also: ${what}`;
  return causeOf("METHOD", sentence, `Send PUT. ${fix}`, evidence);
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
