import { formDecode } from "../wire/raw-target.ts";
import { decodeOr } from "./decoded.ts";
import type { SplitUrl } from "./explainer.ts";

/** Decoded parameters in wire order; a name or value that cannot be decoded stays as it is. */
export function readParameters(url: SplitUrl): readonly (readonly [name: string, value: string])[] {
  return url.wire.tokens.map(({ name, value = "" }) => [decodeOr(name, formDecode), decodeOr(value, formDecode)]);
}

/** The name of a parameter on the wire: the part before its first `=`. */
export function nameOf(token: string): string {
  const [name = ""] = token.split("=", 1);
  return name;
}
