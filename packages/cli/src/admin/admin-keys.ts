import type { AdminKeys } from "@daypass/gateway/admin";
import type { KeyStore } from "../state-folder/key-store.ts";
import { secretFields } from "../state-folder/secret-output.ts";

/** The key store as the admin API uses it. The workers poll the store, so they notice each change. */
export function adminKeys(store: KeyStore): AdminKeys {
  return {
    list: store.list,
    async create(wanted) {
      const key = await store.create(wanted);
      return { key: key.record, secret: secretFields(key) };
    },
    revoke: store.revoke,
  };
}
