/** Sealed keys in PostgreSQL. */
import type { KeyMethods } from "../contract/keys.ts";
import type { Database, Once } from "./transaction.ts";

/** The methods of the contract for keys. */
export function keyMethods(db: Database, once: Once): Required<KeyMethods> {
  return {
    listKeys: () => db.read("keys"),
    keysRevision: async () => (await db.read("keysRevision"))[0].value,
    putKeys: (keys, revision) =>
      once(async ({ run }) => {
        await run("lockKeys");
        const [{ value }] = await run("keysRevision");
        if (value !== revision) return false;
        for (const { id, version, sealed } of keys) await run("putKey", id, version, sealed);
        return true;
      }),
  };
}
