import { invalidInput } from "../core/errors.ts";
import { unsupportedConstraint } from "../core/validate-options.ts";
import { parseCidr } from "./ip.ts";

/**
 * The one network or address of `bind.ip`, for schemes that can bind one. Only `undefined` asks for none: of an empty list, as of
 * what is no text, the URL would be for the whole world.
 */
export function oneNetwork(scheme: string, ip: unknown): string | undefined {
  if (ip === undefined) return undefined;
  const [text, ...others] = [ip].flat();
  if (others.length > 0) throw unsupportedConstraint(scheme, "several networks", "sign one URL for each");
  if (typeof text === "string" && parseCidr(text)) return text;
  throw invalidInput("bind.ip", "a CIDR network, host bits zero", text);
}
