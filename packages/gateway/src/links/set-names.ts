/** The names of the targets of a set, which its page shows as one folder. */

/**
 * A name for each key, the same for the same keys: the last part of the key. The name of a prefix ends with `/`. Equal names are
 * numbered, but a number never takes the name that another target has itself.
 *
 * @param bucket the name of the empty prefix
 */
export function setNames(bucket: string, keys: readonly string[]): readonly string[] {
  const own = keys.map((key) => ownName(bucket, key));
  const taken = new Set<string>();
  const reserved = new Set(own);
  return keys.map((key, at) => {
    const name = own[at] ?? "";
    const isFolder = /^$|\/$/.test(key);
    const dot = isFolder ? -1 : name.lastIndexOf(".");
    const [stem, end] = dot < 1 ? [name, ""] : [name.slice(0, dot), name.slice(dot)];
    let free = name;
    for (let n = 2; taken.has(free) || (free !== name && reserved.has(free)); n += 1) free = `${stem} (${n})${end}`;
    taken.add(free);
    return isFolder ? `${free}/` : free;
  });
}

/** Whether an address can name the key's last part in a set. */
export function hasSetName(bucket: string, key: string): boolean {
  const name = ownName(bucket, key);
  return !/^\.{0,2}$/.test(name) && !/[\p{Cc}\p{Cs}\\]/u.test(name);
}

/** The longest prefix of all keys that ends with `/` or is empty. */
export function sharedFolder(keys: readonly string[]): string {
  const [first = "", ...others] = keys;
  let end = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, end))) end -= 1;
  return first.slice(0, first.slice(0, end).lastIndexOf("/") + 1);
}

function ownName(bucket: string, key: string): string {
  return key === "" ? bucket : (key.replace(/\/$/, "").split("/").at(-1) ?? "");
}
