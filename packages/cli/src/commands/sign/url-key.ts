import { isObject } from "daypass/schemes";
import type { UrlKey } from "daypass/url";
import { CommandError, type Context } from "../../command.ts";
import { namedText } from "../../input-text.ts";
import { privateJson } from "../../private-json.ts";
import { given } from "./options.ts";

/** Those that count here. Others, such as the `key_ops` of a key that WebCrypto exported, are no business of ours. */
const MEMBERS = ["kid", "kty", "alg", "use", "crv", "k", "x", "d", "scope"] as const;

/** The JWKs of `DAYPASS_KEY`, or of the file that `DAYPASS_KEY_FILE` names: one, or a set. Their members are the library's to check. */
export async function environmentUrlKeys({ env }: Pick<Context, "env">): Promise<readonly UrlKey[]> {
  const text = env["DAYPASS_KEY"];
  if (text) return parseKeys("DAYPASS_KEY", text);
  const path = env["DAYPASS_KEY_FILE"];
  if (!path) return [];
  const content = await namedText("DAYPASS_KEY_FILE", path);
  if (content === undefined)
    throw new CommandError(`expected the file that DAYPASS_KEY_FILE names, found none at ${path}`);
  return parseKeys("DAYPASS_KEY_FILE", content);
}

function parseKeys(source: string, text: string): readonly UrlKey[] {
  const value = privateJson(text);
  if (value === undefined)
    throw new CommandError(`expected ${source} as a JWK or a JWK set, found text that is not JSON`);
  const keys = isObject(value) && Array.isArray(value["keys"]) ? value["keys"] : [value];
  if (!keys.every(isObject)) throw new CommandError(`expected ${source} as a JWK or a JWK set, found another value`);
  if (!keys.every(({ kty }) => kty === "oct" || kty === "OKP"))
    throw new CommandError(
      `expected keys of kty "oct" or "OKP" in ${source}, found one of another kty, or none: create one with daypass keys create url`,
    );
  return keys.map((key) => given(Object.fromEntries(MEMBERS.map((name) => [name, key[name]])))) as unknown as UrlKey[];
}
