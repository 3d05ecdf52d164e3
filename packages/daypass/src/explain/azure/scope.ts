import { isInRange } from "../../schemes/azure/grant.ts";
import type { AzureLocation } from "../../schemes/azure/location.ts";
import { ACCOUNT } from "../../schemes/azure/sas.ts";
import { peerAddress } from "../../wire/ip.ts";
import { causeOf } from "../cause/combine-causes.ts";
import { otherClient } from "../cause/request.ts";
import type { Subject } from "../explainer.ts";
import type { Cause } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import { type AzureUrl, azureHost } from "./facts.ts";

/** The level of a request in the letters of `srt`. */
export function levelOf({ container, blob }: AzureLocation): "o" | "c" | "s" {
  return blob !== undefined ? "o" : container !== undefined ? "c" : "s";
}

const LEVELS = { o: "blobs", c: "containers", s: "the account" } as const;

/** The request differs from the SAS in protocol, client, service or resource. */
export function scopeCause(subject: Subject, { kind, values, location, others }: AzureUrl): Cause | undefined {
  const { sentUrl, sent, request } = subject;
  if (values.get("spr") === "https" && sentUrl.protocol === "http") {
    return causeOf("PROTOCOL", "The URL is for https only (spr), and this one begins with http.", "Use https.");
  }
  const sip = values.get("sip");
  const { remoteAddress } = sent;
  if (sip !== undefined && remoteAddress !== undefined && !isInRange(sip, peerText(remoteAddress))) {
    return otherClient(`${sip} (sip)`, remoteAddress);
  }
  if (kind !== ACCOUNT) return placeCause(others, values.get("sr"), location);
  const service = serviceOf(subject);
  if (service === undefined) return undefined;
  const [services, types] = [values.get("ss") ?? "", values.get("srt") ?? ""];
  if (!services.includes(service)) {
    const sentence = `The account SAS is not for ${SERVICES[service]}: it is for ss=${services}.`;
    return causeOf("SERVICE", sentence, `Sign with ss=${service}.`);
  }
  if (service !== "b" || location === undefined) return undefined;
  const level = levelOf(location);
  // Clients append a path to the URL of an account, so the request may go elsewhere.
  if (types.includes(level) || (level === "s" && request?.method === undefined)) return undefined;
  const sentence = `The account SAS is for srt=${types}, but the URL leads to ${LEVELS[level]} (${level}).`;
  return causeOf("SERVICE", sentence, "Sign with srt=o for blobs, c for containers and listings, s for the account.");
}

/** The SAS is for a blob or a container, and the request asks for its parent. */
export function placeCause(
  others: AzureUrl["others"],
  resource: string | undefined,
  location: AzureLocation | undefined,
): Cause | undefined {
  // Without restype a path of one part is a blob in the root container.
  const isContainer = others.get("restype") === "container" && location?.blob === undefined;
  const isAccount =
    others.get("comp") === "list" && others.get("restype") === undefined && location?.container === undefined;
  const refused = (what: string, asked: string, fix: string): Cause =>
    causeOf(
      "PATH",
      `The SAS is for ${what} (sr=${resource}), but the URL asks for ${asked}, which it does not cover.`,
      fix,
    );
  if (/^b/.test(resource ?? "") && isContainer) {
    return refused("one blob", "the container", "Ask for the blob, or sign for the container (sr=c).");
  }
  if (/^[bcd]/.test(resource ?? "") && isAccount) {
    const what = resource === "c" ? "one container" : resource === "d" ? "one directory" : "one blob";
    return refused(what, "the list of the account's containers", "Sign an account SAS (ss=b, srt=s, sp=l) for it.");
  }
  return undefined;
}

/** Writes the IPv4 address of a dual-stack socket in dotted form. */
function peerText(remoteAddress: string): string {
  const bytes = peerAddress(remoteAddress);
  return bytes?.length === 4 ? bytes.join(".") : remoteAddress;
}

const SERVICES = { b: "blobs", q: "queues", f: "files", t: "tables" } as const;
/** Data Lake is a second endpoint of the blobs. */
const HOSTS = { blob: "b", dfs: "b", queue: "q", file: "f", table: "t" } as const;

/** The service of a URL in the letters of `ss`. `undefined` for a custom domain. */
export function serviceOf({ sentUrl, keys }: Subject): keyof typeof SERVICES | undefined {
  const name = azureHost(sentUrl)?.service;
  if (name !== undefined) return HOSTS[name as keyof typeof HOSTS];
  // Azurite's ports of queues and tables.
  if (/:1000[12]$/.test(sentUrl.authority)) return undefined;
  const isOwn = keys.some((key) => "account" in key && key.account !== undefined);
  return isOwn || sentUrl.wire.path.startsWith("/devstoreaccount1/") ? "b" : undefined;
}

/** Whether the URL may be for blobs. Operations of other services are unknown here. */
export function isForBlobs({ sentUrl }: Subject): boolean {
  return /^(?:blob|undefined)$/.test(`${azureHost(sentUrl)?.service}`);
}

/** Parameters of the SAS that occur twice. Servers differ in which one they read. */
export function repeatedCause({ sentUrl }: Subject, { kind }: AzureUrl): Cause | undefined {
  const names = readParameters(sentUrl).map(([name]) => name);
  const twice = names.filter((name, i) => names.indexOf(name) !== i && kind.parameters.includes(name));
  if (twice.length === 0) return undefined;
  return causeOf(
    "MALFORMED",
    `The SAS cannot be read: ${[...new Set(twice)].join(", ")} comes more than once.`,
    "Append one SAS to a URL that has none; pass the URL on byte for byte.",
  );
}
