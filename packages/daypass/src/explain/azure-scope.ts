import { isInRange } from "../azure/ip-range.ts";
import { ACCOUNT } from "../azure/layouts.ts";
import type { AzureLocation } from "../azure/location.ts";
import type { AzureUrl } from "./azure-facts.ts";
import { otherClient } from "./diagnosis.ts";
import type { Subject } from "./explainer.ts";
import type { Cause } from "./explanation.ts";
import { readParameters } from "./traps.ts";

/** What of the account a request is for, as `srt` calls it. */
export function levelOf({ container, blob }: AzureLocation): "o" | "c" | "s" {
  return blob !== undefined ? "o" : container !== undefined ? "c" : "s";
}

const LEVELS = { o: "blobs", c: "containers", s: "the account" } as const;

/** A request that the SAS is not for, whatever its signature and its permissions: its protocol, client, service or resource. */
export function scopeCause({ sentUrl, sent }: Subject, { kind, values, location }: AzureUrl): Cause | undefined {
  const refused = (code: "PROTOCOL" | "SERVICE", sentence: string, fix: string): Cause => ({
    ...{ code, sentence, evidence: [], fix },
  });
  if (values.get("spr") === "https" && sentUrl.protocol === "http") {
    return refused("PROTOCOL", "The URL is for https only (spr), and this one begins with http.", "Use https.");
  }
  const sip = values.get("sip");
  const { remoteAddress } = sent;
  if (sip !== undefined && remoteAddress !== undefined && !isInRange(sip, remoteAddress)) {
    return otherClient(`${sip} (sip)`, remoteAddress);
  }
  if (kind !== ACCOUNT || location === undefined) return undefined;
  const [services, types] = [values.get("ss") ?? "", values.get("srt") ?? ""];
  if (!services.includes("b")) {
    return refused("SERVICE", `The account SAS is not for blobs: it is for ss=${services}.`, "Sign with ss=b.");
  }
  const level = levelOf(location);
  if (types.includes(level)) return undefined;
  const sentence = `The account SAS is for srt=${types}, and the URL leads to ${LEVELS[level]} (${level}).`;
  return refused("SERVICE", sentence, "Sign with srt=o for blobs, c for containers and listings, s for the account.");
}

/** Parameters of the SAS that come twice: no server reads the one that was meant for certain. */
export function repeatedCause({ sentUrl }: Subject, { kind }: AzureUrl): Cause | undefined {
  const names = readParameters(sentUrl).map(([name]) => name);
  const twice = names.filter((name, i) => names.indexOf(name) !== i && kind.parameters.includes(name));
  if (twice.length === 0) return undefined;
  return {
    code: "MALFORMED",
    sentence: `The SAS cannot be read: ${[...new Set(twice)].join(", ")} comes more than once.`,
    evidence: [],
    fix: "Append one SAS to a URL that has none; pass the URL on byte for byte.",
  };
}
