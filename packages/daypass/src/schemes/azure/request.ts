import type { Constraints } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import { checkKey, checkTarget } from "../../core/object-request.ts";
import { azureName, isContainerName } from "./location.ts";
import type { SasValues } from "./sas.ts";

/** Response overrides: headers and their parameters. */
export const OVERRIDES: Readonly<Record<string, string>> = {
  "cache-control": "rscc",
  "content-disposition": "rscd",
  "content-encoding": "rsce",
  "content-language": "rscl",
  "content-type": "rsct",
};

/** What every kind of SAS can contain. */
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

/** A SAS for one blob. */
export interface AzureBlobRequest extends AzureSasRequest {
  readonly container: string;
  /** The blob's name, exactly: it is data and never parsed as a URL. */
  readonly blob: string;
  /** One snapshot of the blob, by its time as the server writes it. */
  readonly snapshot?: string | undefined;
  /** One version of the blob. */
  readonly versionId?: string | undefined;
  readonly prefix?: undefined;
  readonly resource?: undefined;
}

/** A SAS for a directory. */
export interface AzureDirectoryRequest extends AzureSasRequest {
  readonly container: string;
  /** A directory and everything below it: only accounts with a hierarchical namespace read such a SAS. */
  readonly prefix: string;
  readonly blob?: undefined;
  readonly resource?: undefined;
}

/** A SAS for a container and all of its blobs. */
export interface AzureContainerRequest extends AzureSasRequest {
  readonly container: string;
  /** Says that the SAS is for the whole container. */
  readonly resource: "container";
  readonly blob?: undefined;
  readonly prefix?: undefined;
}

/** The resource of a SAS: a blob, a directory, or with `resource: "container"` a container. */
export type AzureResourceRequest = AzureBlobRequest | AzureDirectoryRequest | AzureContainerRequest;

/** What a URL points to. */
export interface SasTarget {
  readonly container?: string | undefined;
  /** Blob or directory, without a slash at a directory's end. */
  readonly name?: string | undefined;
  /** What is bound, in words. */
  readonly bound: readonly string[];
  /** What the holder may choose, in words. */
  readonly open?: string;
}

// What may be given together, and the `sr` that it makes.
const RESOURCES: Readonly<Record<string, string>> = {
  resource: "c",
  prefix: "d",
  blob: "b",
  "blob snapshot": "bs",
  "blob versionId": "bv",
};

/** Reads what a request is for, and the headers of the answer. Throws `INVALID_INPUT`, `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`. */
export function readTarget(request: AzureResourceRequest, values: SasValues): SasTarget {
  const { container, prefix, dotSegments, response, resource, blob } = request;
  const { snapshot, versionId } = request as Partial<AzureBlobRequest>;
  checkContainer(container);
  if (prefix === undefined) checkTarget(blob, { resource, dotSegments: "sign" }, "blob", "container");
  const given = Object.entries({ blob, prefix, snapshot, versionId, resource }).filter(
    ([, value]) => value !== undefined,
  );
  values.sr = RESOURCES[given.map(([name]) => name).join(" ")];
  if (values.sr === undefined) {
    throw refusal(
      "INVALID_INPUT",
      "blob, prefix and resource exclude each other. Pass one, and snapshot or versionId only beside blob",
    );
  }
  values.snapshot = snapshot;
  values.versionid = versionId;
  for (const [option, value] of Object.entries(response ?? {})) {
    const parameter = OVERRIDES[option.replace(/[A-Z]/, "-$&").toLowerCase()];
    if (parameter !== undefined) values[parameter] = value;
  }
  const bound = ["account", "container"];
  if (resource !== undefined) return { container, bound, open: "blob" };
  const option = prefix === undefined ? "blob" : "prefix";
  const name = readName(prefix ?? blob, dotSegments, option);
  if (option === "blob") return { container, name, bound: [...bound, "blob"] };
  const segments = name.replace(/\/$/, "").split("/");
  if (segments.includes("")) throw invalidInput("prefix", "a directory such as talks/2026/", prefix);
  values.sdd = String(segments.length);
  return { container, name: segments.join("/"), bound: [...bound, "directory"], open: "path below the prefix" };
}

export function checkContainer(container: string): void {
  if (!isContainerName(container)) {
    throw invalidInput("container", "up to 63 lower-case letters, digits and dashes", container);
  }
}

/** A name as the server reads it. */
export function readName(
  name: string | undefined,
  dotSegments: AzureSasRequest["dotSegments"],
  option: "blob" | "prefix",
): string {
  checkKey(name as string, "sign", option);
  const read = azureName(name as string);
  checkKey(read, dotSegments, option);
  return read;
}

const BY_DELEGATION = "azureUserDelegationSigner binds all but sha256";
/** By constraint that a SAS by an account key cannot bind, what can bind it. */
export const INSTEAD: Readonly<Record<string, string>> = {
  "bind.contentType": BY_DELEGATION,
  "bind.contentLength": "azureUserDelegationSigner binds an exact one",
  "bind.headers": BY_DELEGATION,
  "bind.query": BY_DELEGATION,
  "bind.sha256": "use the gateway",
  "response.expires": "use cacheControl",
};
