import type { Constraints } from "../../core/contracts.ts";
import type { RequestRules } from "../../core/validate-options.ts";

/** One TempURL to sign. */
export interface SwiftSignRequest extends Constraints {
  readonly container: string;
  /** The object's name, exactly: it is data, and is never parsed as a URL. May be omitted if there is a `prefix`. */
  readonly object?: string | undefined;
  /** `GET` (default), `HEAD`, `PUT`, `POST` or `DELETE`. `GET`, `PUT` and `POST` also grant `HEAD`. */
  readonly method?: string | undefined;
  /** Grants every object whose name starts with this. */
  readonly prefix?: string | undefined;
  /**
   * `folder` (default) accepts only prefixes that end in `/`. `text` accepts any, even an empty one for the whole
   * container if there is an `object`: with `text`, `pri` also grants `private`.
   */
  readonly prefixMatch?: PrefixMatch | undefined;
  /** The name under which a browser saves the download. Not signed: the holder of the URL can change it. */
  readonly filename?: string | undefined;
  /** Shows the download instead of saving it. Not signed, either. */
  readonly inline?: boolean | undefined;
  /** `iso` writes the expiry into the URL as `2026-01-02T03:04:05Z`; the signature is the same. */
  readonly expiresAs?: "unix" | "iso" | undefined;
  /** `sign` signs names with `.` or `..` segments, which no browser can fetch. Refused by default. */
  readonly dotSegments?: "refuse" | "sign" | undefined;
}

/** @inline */
export type PrefixMatch = "folder" | "text";

/** What a TempURL can be asked for. */
export const RULES: RequestRules = {
  scheme: "Swift",
  known:
    /^(?:container|object|method|prefix|prefixMatch|filename|inline|expires(?:In|At|As)|stableWindow|dotSegments|bind(?:\.ip)?)$/,
  instead: {
    response: "use filename or inline, which are not signed",
    "bind.contentLength": "use FormPost",
  },
};
