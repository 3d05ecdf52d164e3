import { isDaypassError } from "daypass";
import { isObject } from "daypass/schemes";
import { publishedKeySet, type UrlKey } from "daypass/url";
import { CommandError } from "../../command.ts";
import { parseSecretJson, readTextFile } from "../../files.ts";

/** What stands in `urlKeySetFile`. */
export function keySetText(path: string): Promise<string> {
  return readTextFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`expected urlKeySetFile at ${path}, found none that can be read (${error.code})`);
  });
}

/**
 * The keys of `urlKeySetFile`. Refused as a whole where one of them breaks a rule of docs/spec/daypass-url.md §8: the first request for
 * it would fail, or two verifiers would read the set differently. No message holds any part of a key but its kid.
 *
 * @param set the file, and what stood in it
 * @param stored ids of the keys in the state folder, also of those that have ended: whoever took a key back does not expect its name to open
 */
export function publicKeys(
  { path, text }: { readonly path: string | undefined; readonly text: string | undefined },
  stored: ReadonlySet<string>,
): readonly UrlKey[] {
  if (text === undefined) return [];
  const keys = keysOf(text);
  if (keys === undefined) throw new CommandError(`expected ${path} as a JWK set {"keys":[…]}, found something else`);
  const kids = new Set<string>();
  for (const [i, key] of keys.entries()) {
    const fault = keyFault(key) ?? kidFault(key.kid, kids, stored);
    if (fault !== undefined) {
      throw new CommandError(`expected every key of ${path} to be usable, found keys[${i}] that is not: ${fault}`);
    }
    kids.add(key.kid);
  }
  return keys;
}

function keysOf(text: string): readonly UrlKey[] | undefined {
  const value = parseSecretJson(text);
  return isObject(value) && Array.isArray(value["keys"]) ? value["keys"] : undefined;
}

function keyFault(key: UrlKey): string | undefined {
  if (!isObject(key)) return "expected a JSON Web Key";
  try {
    publishedKeySet([key]);
    return undefined;
  } catch (error) {
    if (isDaypassError(error)) return error.message;
    throw error;
  }
}

function kidFault(kid: string, others: ReadonlySet<string>, stored: ReadonlySet<string>): string | undefined {
  if (others.has(kid)) return `key ${kid}: expected each kid once, found it twice`;
  return stored.has(kid)
    ? `key ${kid}: expected a kid that no stored key has, found one that daypass keys list shows`
    : undefined;
}
