import { isObject } from "daypass/schemes";
import type { UrlKey } from "daypass/url";
import { CommandError, type Context } from "../command.ts";
import { parseSecretJson, readNamedFile } from "../files.ts";
import { unchecked } from "../unchecked.ts";

/** The members of a Daypass URL key. Others, such as the `key_ops` of an exported WebCrypto key, are dropped. */
const MEMBERS = ["kid", "kty", "alg", "use", "crv", "k", "x", "d", "scope"];

/** The JWK or JWK set of `DAYPASS_KEY`, or of the file of `DAYPASS_KEY_FILE`. The library checks the members. */
export async function environmentUrlKeys({ env }: Pick<Context, "env">): Promise<readonly UrlKey[]> {
  const text = env["DAYPASS_KEY"];
  if (text) return parseKeys("DAYPASS_KEY", text);
  const path = env["DAYPASS_KEY_FILE"];
  if (!path) return [];
  return parseKeys("DAYPASS_KEY_FILE", await readNamedFile("DAYPASS_KEY_FILE", path));
}

function parseKeys(source: string, text: string): readonly UrlKey[] {
  const value = parseSecretJson(text);
  if (value === undefined) throw new CommandError(`${source} is not JSON. Set it to a JWK or a JWK set`);
  const keys = isObject(value) && Array.isArray(value["keys"]) ? value["keys"] : [value];
  if (!keys.every(isObject))
    throw new CommandError(`${source} is neither a JWK nor a JWK set. Create a key with daypass keys create url`);
  if (!keys.every(({ kty }) => kty === "oct" || kty === "OKP"))
    throw new CommandError(
      `${source} has a key whose kty is not "oct" or "OKP". Create a key with daypass keys create url`,
    );
  const known = keys.map((key) => Object.fromEntries(Object.entries(key).filter(([name]) => MEMBERS.includes(name))));
  return unchecked(known);
}
