/** Prefixes that a text may begin with, each found in as many steps as the text has letters: not one by one. */

/** A set of prefixes, each with names. */
export interface PrefixTrie {
  readonly size: number;
  /** Whether the prefix did not have the name yet. */
  add(prefix: string, name: string): boolean;
  delete(prefix: string, name: string): void;
  /** A name of the shortest prefix that the text begins with. */
  find(text: string): string | undefined;
}

interface Node {
  readonly names: Set<string>;
  /** The ways on, by the first letter of their labels. */
  readonly next: Map<string, { readonly label: string; readonly node: Node }>;
}

const leaf = (): Node => ({ names: new Set(), next: new Map() });

/** An empty trie. */
export function prefixTrie(): PrefixTrie {
  const root = leaf();
  let size = 0;

  /** The node of a prefix, made if there is none. */
  const nodeOf = (prefix: string): Node => {
    let node = root;
    for (let at = 0; at < prefix.length; ) {
      const letter = prefix.charAt(at);
      const { label, node: end } = node.next.get(letter) ?? { label: prefix.slice(at), node: leaf() };
      let same = 1;
      while (same < label.length && label[same] === prefix[at + same]) same += 1;
      const middle = same < label.length ? leaf() : end;
      if (middle !== end) middle.next.set(label.charAt(same), { label: label.slice(same), node: end });
      node.next.set(letter, { label: label.slice(0, same), node: middle });
      node = middle;
      at += same;
    }
    return node;
  };
  /** Removes a name below a node, and says whether the node is empty then. */
  const remove = (node: Node, rest: string, name: string): boolean => {
    const way = node.next.get(rest.charAt(0));
    if (rest === "") size -= Number(node.names.delete(name));
    else if (way !== undefined && rest.startsWith(way.label) && remove(way.node, rest.slice(way.label.length), name)) {
      node.next.delete(rest.charAt(0));
    }
    return node.names.size + node.next.size === 0;
  };

  return {
    get size() {
      return size;
    },
    add(prefix, name) {
      const { names } = nodeOf(prefix);
      if (names.has(name)) return false;
      names.add(name);
      size += 1;
      return true;
    },
    delete: (prefix, name) => void remove(root, prefix, name),
    find(text) {
      let node = root;
      for (let at = 0; node.names.size === 0; ) {
        const way = node.next.get(text.charAt(at));
        if (way === undefined || !text.startsWith(way.label, at)) return undefined;
        at += way.label.length;
        node = way.node;
      }
      const [name] = node.names;
      return name;
    },
  };
}
