import { type Constraints, unsupportedConstraint } from "../constraints.ts";
import { percentEncode } from "../encode.ts";
import { invalidInput } from "../errors.ts";
import { checkKey, refuseConstraints } from "../object-request.ts";
import type { Parameter } from "../parameters.ts";
import { azureName, isContainerName } from "./location.ts";
import { OVERRIDES } from "./response.ts";

/** What every SAS can be asked for. */
export interface AzureSasRequest extends Constraints {
  /** Letters, in any order: each service page of the REST reference says what they permit. `r` reads, `cw` uploads. */
  readonly permissions?: string | undefined;
  /** The holder's method: the usual one of the permissions by default. It is not signed. */
  readonly method?: string | undefined;
  /** `https` refuses plain http; both are allowed by default. */
  readonly protocol?: "https" | "https,http" | undefined;
  /** Encrypt what is written with this scope. */
  readonly encryptionScope?: string | undefined;
  /** `sign` signs names with `.` or `..` segments, which no browser can fetch. Refused by default. */
  readonly dotSegments?: "refuse" | "sign" | undefined;
}

/** What a SAS for one resource is for: a blob, a container, or with `prefix` a directory. */
export interface AzureResourceRequest extends AzureSasRequest {
  readonly container: string;
  /** The blob's name, exactly: it is data and never parsed as a URL. Left out for the container or a `prefix`. */
  readonly blob?: string | undefined;
  /** One snapshot of the blob, by its time as the server writes it. */
  readonly snapshot?: string | undefined;
  /** One version of the blob. */
  readonly versionId?: string | undefined;
  /** A directory and everything below it: only accounts with a hierarchical namespace read such a SAS. */
  readonly prefix?: string | undefined;
}

/** A resource as a SAS names it. */
export interface AzureTarget {
  readonly container: string;
  /** Blob or directory as it is signed, without a slash at a directory's end; `undefined` for a container. */
  readonly name: string | undefined;
  readonly resource: "c" | "b" | "bs" | "bv" | "d";
  /** `sdd` for a directory. */
  readonly depth: readonly Parameter[];
  /** The parameter that names snapshot or version. */
  readonly time: Parameter | undefined;
}

/** Reads what a request is for. Throws `INVALID_INPUT` or `DOT_SEGMENTS`. */
export function azureTarget(request: AzureResourceRequest): AzureTarget {
  const { container, blob, prefix, snapshot, versionId, dotSegments } = request;
  if (!isContainerName(container))
    throw invalidInput("container", "up to 63 lower-case letters, digits and dashes", container);
  const times = [snapshot, versionId].filter((time) => time !== undefined).length;
  if (blob === undefined ? times > 0 : times > 1 || prefix !== undefined) {
    throw invalidInput("the resource", "a blob (of one snapshot or versionId), a prefix or neither", request);
  }
  const option = blob === undefined ? "prefix" : "blob";
  const given = blob ?? prefix;
  if (given === undefined) return { container, name: undefined, resource: "c", depth: [], time: undefined };
  checkKey(given, "sign", option);
  const name = azureName(given).replace(option === "prefix" ? /\/$/ : "", "");
  checkKey(name, dotSegments, option);
  if (option === "prefix") {
    const segments = name.split("/");
    if (segments.includes("")) throw invalidInput("prefix", "a directory such as talks/2026/", prefix);
    return { container, name, resource: "d", depth: [["sdd", String(segments.length)]], time: undefined };
  }
  if (snapshot !== undefined) {
    return { container, name, resource: "bs", depth: [], time: ["snapshot", snapshot] };
  }
  if (versionId === undefined) return { container, name, resource: "b", depth: [], time: undefined };
  return { container, name, resource: "bv", depth: [], time: ["versionid", versionId] };
}

/** The parameters of the response overrides: `contentType` is `rsct`. */
export function responseValues(response: Constraints["response"] = {}): readonly Parameter[] {
  return Object.entries(response).flatMap(([option, value]): readonly Parameter[] => {
    if (value === undefined) return [];
    const header = option.replace(/[A-Z]/, "-$&").toLowerCase();
    const name = OVERRIDES.find(([, other]) => other === header)?.[0];
    if (name === undefined) throw unsupportedConstraint("Azure", `response.${option}`, "use cacheControl");
    return [[name, value]];
  });
}

const DELEGATION = "use azureUserDelegationSigner";

/** Refuses what a SAS by an account key cannot bind. */
export function refuseUnbindable(request: Constraints, more?: Readonly<Record<string, string>>): void {
  if (request.bind === undefined && more === undefined) return;
  refuseConstraints(request, "an Azure SAS", {
    "bind.contentType": DELEGATION,
    "bind.contentLength": DELEGATION,
    "bind.headers": DELEGATION,
    "bind.query": DELEGATION,
    "bind.sha256": "use the gateway",
    ...more,
  });
}

const PLAIN = /^[\w.-]*$/;

/** The spelling of Azure's own libraries, which leaves `!()*` as they are. */
export function azureEncode(text: string): string {
  return PLAIN.test(text) ? text : percentEncode(text).replaceAll("'", "%27");
}
