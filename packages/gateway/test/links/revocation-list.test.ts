import { describe, expect, it } from "vitest";
import { seeded } from "../../../../tools/seeded-random.ts";
import { idSet } from "../../src/links/id-set.ts";
import { openLinks } from "../../src/links/links.ts";
import { prefixTrie } from "../../src/links/prefix-trie.ts";
import { type Revocable, revocationList } from "../../src/links/revocation-list.ts";
import type { RevocationChange, RevocationSelector } from "../../src/state/contract/revocations.ts";
import { sqliteState } from "../../src/state/sqlite/index.ts";

const NAMES = ["a", "b", "ab", "a/", "a/b", "a/bc", "key:a", "key:b", "é", "\u0000"];
const KINDS = ["grant", "link", "key", "subject", "prefix", "signed-before", "visits-before"] as const;

const clock = () => new Date("2026-12-01T12:00:00Z");

/** What each kind refuses, in the words of the documentation: one revocation after the other. */
function isRefused(selector: RevocationSelector, { id, keyId, subject, link, bucket, key, signedAt }: Revocable) {
  if (selector.kind === "grant") return selector.id === id;
  if (selector.kind === "link") return selector.id === link && (selector.by === undefined || selector.by === keyId);
  if (selector.kind === "subject") return selector.id === subject;
  if (selector.kind === "key")
    return selector.id === keyId || (link !== undefined && `key:${selector.id}` === keyId) || false;
  if (selector.kind === "prefix") return `${bucket}/${key}`.startsWith(selector.id);
  if (selector.kind === "signed-before")
    return selector.id === keyId && signedAt !== undefined && signedAt < selector.before;
  return false;
}

describe("the list of revocations", () => {
  it.each([1, 2, 3, 4])(
    "refuses what a list without any index refuses, in random order of changes (seed %i)",
    (seed) => {
      const random = seeded(seed);
      const name = (): string => random.pick(NAMES);
      const selector = (): RevocationSelector => {
        const [kind, id] = [random.pick(KINDS), name()];
        if (kind === "link")
          return random.pick([
            { kind, id },
            { kind, id, by: name() },
          ]);
        return kind === "signed-before" || kind === "visits-before"
          ? { kind, id, before: random.below(4) }
          : { kind, id };
      };
      const list = revocationList();
      const inForce = new Map<string, RevocationSelector>();
      const changes: RevocationChange[] = [];
      const take = (from: number): readonly RevocationChange[] => changes.slice(from, from + 1 + random.below(3));
      for (let revision = 1; revision <= 3000; revision += 1) {
        const known = [...inForce.values()];
        const lifted = known.length > 0 && random.below(2) === 0 ? random.pick(known) : undefined;
        const one = lifted ?? selector();
        if (lifted === undefined) inForce.set(JSON.stringify(one), one);
        else inForce.delete(JSON.stringify(one));
        changes.push({ revision, selector: one, liftedAt: lifted && 1 });
        // Messages arrive before their page, twice, or not at all, and old ones are repeated.
        if (random.below(3) > 0) list.apply(changes.slice(-1));
        list.apply(take(random.below(changes.length)).filter(({ revision: at }) => at <= list.revision));
        for (let page = random.below(3) > 0 ? take(list.revision) : []; page.length > 0; page = take(list.revision)) {
          list.apply(page, page.at(-1)?.revision);
          if (random.below(20) === 0) break;
        }
        if (list.revision < revision) continue;
        const all = [...inForce.values()];
        for (let probe = 0; probe < 5; probe += 1) {
          const grant: Revocable = {
            id: name(),
            keyId: random.pick([undefined, name()]),
            subject: random.pick([undefined, name()]),
            link: random.pick([undefined, name()]),
            bucket: name(),
            key: name(),
            signedAt: random.pick([undefined, random.below(4)]),
          };
          expect(list.isRevoked(grant), JSON.stringify([grant, all])).toBe(all.some((rule) => isRefused(rule, grant)));
          const rules = all.flatMap((rule) =>
            rule.kind === "visits-before" && rule.id === grant.id ? [rule.before] : [],
          );
          expect(list.visitsBefore(grant.id)).toBe(rules.length === 0 ? undefined : Math.max(...rules));
        }
        expect(list.isEmpty).toBe(all.length === 0);
      }
    },
  );

  it("keeps what a later revocation refuses when an old lift of the same is reported again", () => {
    const list = revocationList();
    const selector = { kind: "grant", id: "g" } as const;
    list.apply([{ revision: 1, selector }]);
    list.apply([{ revision: 2, selector, liftedAt: 1 }]);
    list.apply([{ revision: 3, selector }]);
    list.apply([{ revision: 2, selector, liftedAt: 1 }]);
    expect(list.isRevoked({ id: "g", bucket: "b" })).toBe(true);
    list.apply([{ revision: 2, selector, liftedAt: 1 }], 2);
    expect(list.isRevoked({ id: "g", bucket: "b" })).toBe(true);
  });

  it("refuses by the latest of two instants of a key, in either order and when one is lifted", () => {
    const grant = { id: "g", keyId: "k", bucket: "b", signedAt: 5 };
    const [low, high] = [3, 9].map((before) => ({ kind: "signed-before", id: "k", before }) as const);
    if (low === undefined || high === undefined) throw new Error("two");
    const list = revocationList();
    list.apply([{ revision: 1, selector: high }]);
    list.apply([{ revision: 2, selector: low }]);
    expect(list.isRevoked(grant)).toBe(true);
    list.apply([{ revision: 3, selector: low, liftedAt: 1 }]);
    expect(list.isRevoked(grant)).toBe(true);
    list.apply([{ revision: 4, selector: high, liftedAt: 1 }]);
    expect(list.isRevoked(grant)).toBe(false);
  });
});

it.each([1, 2])("a set of ids has what a Set has after random additions and deletions (seed %i)", (seed) => {
  const random = seeded(seed);
  const [ids, model] = [idSet(), new Set<string>()];
  for (let step = 0; step < 30_000; step += 1) {
    const id = String(random.below(4000));
    const set = random.below(5) < 3 ? "add" : "delete";
    ids[set](id);
    model[set](id);
    expect(ids.size).toBe(model.size);
    if (step % 500 > 0) continue;
    for (let at = 0; at < 4000; at += 7) expect(ids.has(String(at))).toBe(model.has(String(at)));
  }
});

it.each([1, 2])("a trie finds the shortest prefix of a text after random additions and deletions (seed %i)", (seed) => {
  const random = seeded(seed);
  const [trie, model] = [prefixTrie(), new Map<string, readonly [prefix: string, name: string]>()];
  const text = (): string => Array.from({ length: random.below(6) }, () => random.pick(["a", "b"])).join("");
  for (let step = 0; step < 20_000; step += 1) {
    const [prefix, name] = [text(), random.pick(["1", "2"])];
    const of = `${prefix} ${name}`;
    if (random.below(2) === 0) {
      expect(trie.add(prefix, name)).toBe(!model.has(of));
      model.set(of, [prefix, name]);
    } else {
      trie.delete(prefix, name);
      model.delete(of);
    }
    const asked = text();
    const [shortest] = [...model.values()]
      .filter(([one]) => asked.startsWith(one))
      .sort(([a], [b]) => a.length - b.length);
    const found = trie.find(asked);
    expect(found === undefined ? undefined : model.has(`${shortest?.[0]} ${found}`)).toBe(shortest && true);
    expect(trie.size).toBe(model.size);
  }
});

describe("a process that follows a state", () => {
  const grants = (count: number) => Array.from({ length: count }, (_, at) => String(at));

  async function filled(count: number) {
    const state = await sqliteState({ path: ":memory:", clock });
    await Promise.all(grants(count).map((id) => state.revoke({ id, selector: { kind: "grant", id } }, "operator")));
    return state;
  }

  it("reads a page that fails again in smaller parts, and leaves none out", async () => {
    const state = await filled(300);
    const asked: number[] = [];
    const links = await openLinks({
      clock,
      state: {
        ...state,
        async revocationsAfter(after, limit) {
          asked.push(limit);
          if (limit > 40) throw new Error("the page is too long");
          return state.revocationsAfter(after, limit);
        },
      },
    });
    expect(grants(300).filter((id) => !links.revocations.isRevoked({ id, bucket: "b" }))).toEqual([]);
    expect(asked.filter((limit) => limit > 40).length).toBeGreaterThan(1);
    await state.close();
  });

  it("has a list that is too old until it has the revision of the state", async () => {
    const state = await filled(100);
    let now = 0;
    let isFailing = false;
    const links = await openLinks({
      clock,
      monotonic: () => now,
      state: {
        ...state,
        // One page of a single change, then nothing.
        async revocationsAfter(after, limit) {
          if (isFailing && (limit > 1 || after > 100)) throw new Error("away");
          return state.revocationsAfter(after, limit);
        },
      },
    });
    for (const id of ["x", "y", "z"]) await state.revoke({ id, selector: { kind: "grant", id } }, "operator");
    now = 10 * 60_000;
    isFailing = true;
    await expect(links.catchUp()).rejects.toThrow("away");
    expect([links.revocations.isRevoked({ id: "x", bucket: "b" }), links.isStale()]).toEqual([true, true]);
    isFailing = false;
    await links.catchUp();
    expect([links.revocations.isRevoked({ id: "z", bucket: "b" }), links.isStale()]).toEqual([true, false]);
    await state.close();
  });

  it("does not skip a change whose successor came as a message", async () => {
    const state = await filled(1);
    const links = await openLinks({ clock, state });
    await state.revoke({ id: "x", selector: { kind: "grant", id: "x" } }, "operator");
    links.apply([await state.revoke({ id: "y", selector: { kind: "grant", id: "y" } }, "operator")]);
    await links.catchUp();
    expect(["x", "y"].map((id) => links.revocations.isRevoked({ id, bucket: "b" }))).toEqual([true, true]);
    await state.close();
  });

  it("begins again with a state that was restored from an older copy, and keeps what it lost", async () => {
    const [newer, older] = [await filled(5), await filled(2)];
    let state = newer;
    const links = await openLinks({
      clock,
      state: { ...newer, revocationsAfter: (after, limit) => state.revocationsAfter(after, limit) },
    });
    state = older;
    await older.revoke({ id: "x", selector: { kind: "grant", id: "x" } }, "operator");
    await links.catchUp();
    expect(["4", "x"].map((id) => links.revocations.isRevoked({ id, bucket: "b" }))).toEqual([true, true]);
    expect(links.revocations.revision).toBe(3);
    for (const one of [newer, older]) await one.close();
  });
});
