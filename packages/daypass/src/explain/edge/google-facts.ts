import { parseEpoch } from "../../core/validity.ts";
import { GOOGLE_NAMES, isBelowPrefix, KEY_NAME, readPrefix } from "../../edge/google-cdn.ts";
import type { SplitUrl } from "../explainer.ts";
import { nameOf, readParameters } from "../parameters.ts";
import type { EdgeFacts } from "./kind.ts";

/** What a signature of Cloud CDN or Media CDN says of itself, wherever it stands. */
export function googleFacts(url: SplitUrl, cookie: string | undefined): EdgeFacts {
  const [, before, token, rest] = /^(.*\/)edge-cache-token=([^/]*)\/(.*)$/.exec(url.wire.path) ?? [];
  const text = token ?? cookie?.replaceAll(":", "&");
  const fields = text === undefined ? new Map(readParameters(url)) : readFields(text);
  const end = fields.get("Expires") ?? "";
  const prefix =
    before === undefined ? prefixOf(fields.get("URLPrefix")) : `${url.protocol}://${url.authority}${before}`;
  return {
    signature: fields.get("Signature") ?? "",
    keyId: fields.get("KeyName") ?? "",
    end,
    endsAt: parseEpoch(end),
    path: before === undefined ? undefined : before + rest,
    below: prefix && `everything below ${prefix}`,
    binds: [...(prefix === undefined ? ["scheme and host", "path", "query"] : [`prefix (${prefix})`]), "end"],
    leavesOpen: [
      ...["method", ...(prefix === undefined ? [] : ["query"]), "headers", "body"],
      "who uses it, from where, and how often",
    ],
    weak: [],
    traps:
      prefix === undefined || prefix.endsWith("/")
        ? []
        : [{ name: "loose-prefix", text: `Google compares texts: ${prefix} opens ${prefix}x, too.` }],
    ...(prefix === undefined
      ? {}
      : {
          covers: (origin) =>
            isBelowPrefix(
              origin + (before === undefined ? url.wire.path : before + rest),
              before === undefined ? prefix : origin + before,
            ),
        }),
    isOwn: (name) => GOOGLE_NAMES.some((own) => own === name),
    signs: { host: true, query: prefix === undefined, address: false },
  };
}

function readFields(text: string): ReadonlyMap<string, string> {
  return new Map(text.split("&").map((part) => [nameOf(part), part.replace(/^[^=]*=/, "")]));
}

/** A prefix in base64url, where it can be read. */
export function prefixOf(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : readPrefix(text);
  } catch {
    return undefined;
  }
}

/** A name that the verifier of a key takes, whatever the URL has. */
export function plainName(name: string | undefined): string {
  return name !== undefined && KEY_NAME.test(name) ? name : "-";
}
